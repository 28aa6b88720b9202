//! Gauges: what a cell measures in addition to λ_max. Each kind is one file.

mod batch_sharpness;

use burn::tensor::Tensor;
use sharpness::curvature::Interrupted;
use sharpness::optimizer::Optimizer;

use super::Task;
use super::parts::Parts;
use crate::config::Gauge;
use crate::event::Values;
use batch_sharpness::BatchSharpness;

/// The state of a cell at which its gauges are measured.
pub(super) struct At<'a> {
    pub(super) task: Task<'a>,
    /// The parameters, `[parameters]`.
    pub(super) parameters: &'a Tensor<1>,
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

/// One gauge of a cell.
pub(super) trait Measure: Send {
    /// Measures, and sets the values of its quantities.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if `go_on` returned false; the values are then incomplete.
    fn measure(&mut self, at: At, values: &mut Values) -> Result<(), Interrupted>;

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
        };
        Gauged { gauge: *gauge, measure }
    };
    task.settings.gauges.iter().map(of).collect()
}
