//! Gauges: what a cell measures in addition to λ_max. Each kind is one file.

mod alignment;
mod batch_sharpness;
mod gauss_newton;
mod layers;
mod spectrum;
mod trace;

use std::borrow::Cow;

use burn::tensor::Tensor;
use sharpness::curvature::{Interrupted, MeanLoss, Measurement};
use sharpness::model::{Examples, RunningStatistics};
use sharpness::optimizer::Optimizer;

use super::Task;
use super::parts::Parts;
use crate::config::Gauge;
use crate::event::{Point, Values};
use crate::quantity::Quantity;
use alignment::Alignment;
use batch_sharpness::BatchSharpness;
use gauss_newton::GaussNewton;
use layers::Layers;
use spectrum::Spectrum;
use trace::Trace;

/// The state of a cell at which its gauges are measured.
pub(super) struct At<'a> {
    pub(super) task: Task<'a>,
    /// The parameters, `[parameters]`.
    pub(super) parameters: &'a Tensor<1>,
    /// The running statistics of batch norm at the parameters.
    pub(super) running: &'a [RunningStatistics],
    /// The loss whose Hessian is measured on the first probe.
    pub(super) probe: MeanLoss<'a>,
    /// The eigenvectors of the tracked eigenvalues on the first probe, the largest first, if they were measured at the
    /// parameters.
    pub(super) top: Option<Vec<Tensor<1>>>,
    /// Whether searches for eigenvalues also start from a random vector.
    pub(super) audit: bool,
    /// The gradient of the last step's batch as the step took it; none at step 0.
    pub(super) gradient: Option<&'a Tensor<1>>,
    /// The last step; none at step 0.
    pub(super) last_step: Option<LastStep<'a>>,
    pub(super) optimizer: &'a dyn Optimizer,
    /// η of the next step.
    pub(super) learning_rate: f64,
    /// Whether the measurement goes on; called before each pass.
    pub(super) go_on: &'a mut dyn FnMut() -> bool,
}

/// A step that was taken.
#[derive(Clone, Copy)]
pub(super) struct LastStep<'a> {
    /// The parameters before it, `[parameters]`.
    pub(super) before: &'a Tensor<1>,
    /// The indices of its examples in the training set; none if it used all of them.
    pub(super) batch: Option<&'a [usize]>,
}

impl LastStep<'_> {
    /// Returns its examples, without augmentation.
    fn examples<'a>(&self, task: Task<'a>) -> Cow<'a, Examples> {
        match self.batch {
            Some(indices) => Cow::Owned(task.train.select(indices)),
            None => Cow::Borrowed(task.train),
        }
    }
}

/// One gauge of a cell.
pub(super) trait Measure: Send {
    /// Measures, and sets its values.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if `go_on` returned false; the values are then incomplete.
    fn measure(&mut self, at: At, point: &mut Point) -> Result<(), Interrupted>;

    /// Lists what it keeps from one measurement to the next.
    fn parts(&mut self, parts: &mut Parts);

    /// Returns whether it needs the parameters before the last step.
    fn needs_last_step(&self) -> bool {
        false
    }
}

/// A gauge, with its settings.
pub(super) struct Gauged {
    pub(super) gauge: Gauge,
    pub(super) measure: Box<dyn Measure>,
}

/// Returns the gauges of a cell.
pub(super) fn all(task: &Task) -> Vec<Gauged> {
    let of = |gauge: &Gauge| {
        let measure: Box<dyn Measure> = match *gauge {
            Gauge::BatchSharpness { error, batches, .. } => Box::new(BatchSharpness::new(error, batches, task)),
            Gauge::Alignment {} => Box::new(Alignment),
            Gauge::GaussNewton { .. } => Box::new(GaussNewton::new(task)),
            Gauge::Trace { by, products, .. } => Box::new(Trace::new(by, products, task)),
            Gauge::Spectrum { vectors, steps, .. } => Box::new(Spectrum::new(vectors, steps, task)),
            Gauge::Layers { .. } => Box::new(Layers::new(task)),
        };
        Gauged { gauge: *gauge, measure }
    };
    task.settings.gauges.iter().map(of).collect()
}

/// Sets the value of a searched eigenvalue, its residual, and whether it converged.
fn found(values: &mut Values, quantity: &Quantity, measured: &Measurement) {
    quantity.set_found(values, measured.value, measured.residual, measured.converged);
}
