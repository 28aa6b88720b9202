//! Mean loss and accuracy over a set of examples, in evaluation mode.

use burn::tensor::{Int, Tensor};
use sharpness::model::{Examples, Loss, Network, Normalization, Parts, Pass, RunningStatistics, loss_sum};

use crate::number::unsigned_zero;

/// The result of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// The fraction classified correctly, from 0 to 1; NaN if the loss is not finite, because such outputs classify
    /// nothing.
    pub accuracy: f64,
}

/// Evaluates `examples` in chunks, without dropout, with running batch-norm statistics. Returns `None` once `go_on`
/// returns false.
pub(super) fn evaluate(
    network: &Network,
    loss: Loss,
    parameters: &Tensor<1>,
    running: &mut [RunningStatistics],
    examples: &Examples,
    chunk: usize,
    go_on: &mut dyn FnMut() -> bool,
) -> Option<Evaluation> {
    let parts = Parts::of(network.layout(), parameters);
    let mut losses: Vec<Tensor<1>> = Vec::new();
    let mut correct: Vec<Tensor<1, Int>> = Vec::new();
    for part in examples.chunks(chunk) {
        if !go_on() {
            return None;
        }
        let mut pass = Pass {
            dropout: None,
            normalization: Normalization::Running,
            running,
            observe: false,
        };
        let outputs = network.forward(&parts, part.images.clone(), &mut pass);
        losses.push(loss_sum(loss, outputs.clone(), &part.labels));
        correct.push(part.correct(outputs));
    }
    let count = examples.len() as f64;
    let loss: f64 = Tensor::cat(losses, 0).into_data_as::<f64>().iter::<f64>().sum();
    let correct: i64 = Tensor::cat(correct, 0).into_data_as::<i64>().iter::<i64>().sum();
    Some(Evaluation {
        // Cross-entropy is a negated sum, so a loss of zero would be -0.
        loss: unsigned_zero(loss / count),
        accuracy: if loss.is_finite() {
            correct as f64 / count
        } else {
            f64::NAN
        },
    })
}
