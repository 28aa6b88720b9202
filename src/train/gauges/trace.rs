//! The trace of the Hessian.

use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Hessian, Interrupted, hutch_plus_plus, hutchinson};
use sharpness::random::{Purpose, stream};

use super::{At, Measure};
use crate::config::TraceBy;
use crate::event::Point;
use crate::quantity::{TRACE, TRACE_DEGREES_OF_FREEDOM, TRACE_ERROR};
use crate::train::Task;
use crate::train::parts::Parts;

/// Estimates the trace of the Hessian on the first probe.
pub(super) struct Trace {
    by: TraceBy,
    products: usize,
    rng: ChaCha8Rng,
}

impl Trace {
    pub(super) fn new(by: TraceBy, products: u64, task: &Task) -> Self {
        Self {
            by,
            products: usize::try_from(products).unwrap_or(usize::MAX),
            rng: stream(task.settings.seed, Purpose::Trace),
        }
    }
}

impl Measure for Trace {
    fn measure(&mut self, at: At, point: &mut Point) -> Result<(), Interrupted> {
        let keep = at.task.settings.chunk_size;
        let mut hessian = Hessian::new(at.probe, at.parameters, at.go_on).keeping(keep);
        let mut rng = self.rng.clone();
        // More vectors than parameters would only repeat the space.
        let sketch = (self.products / 4).min(at.parameters.dims()[0]);
        let estimate = match self.by {
            TraceBy::Hutchinson => hutchinson(&mut hessian, at.parameters, self.products, &mut rng)?,
            TraceBy::HutchPlusPlus => {
                let samples = self.products - 2 * sketch;
                hutch_plus_plus(&mut hessian, at.parameters, sketch, samples, &mut rng)?
            }
        };
        self.rng = rng;
        point.values.set(TRACE.key, estimate.trace.value);
        point.values.set(TRACE_ERROR, estimate.trace.standard_error);
        let freedom = estimate.trace.degrees_of_freedom as f64;
        point.values.set(TRACE_DEGREES_OF_FREEDOM, freedom);
        Ok(())
    }

    fn parts(&mut self, parts: &mut Parts) {
        parts.stream("trace_position", &mut self.rng);
    }
}
