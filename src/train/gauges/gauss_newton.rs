//! λ_max of the Gauss–Newton matrix, and the share of λ_max that it leaves.

use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{self, Along, Hessian, Interrupted, Tracker};
use sharpness::random::{Purpose, stream};

use super::{At, Measure, found};
use crate::event::Point;
use crate::quantity::{BEYOND_GAUSS_NEWTON, GAUSS_NEWTON};
use crate::train::Task;
use crate::train::parts::Parts;
use crate::train::probes::{rules, track};

/// Measures λ_max of the Gauss–Newton matrix on the first probe.
pub(super) struct GaussNewton(Tracker);

impl GaussNewton {
    pub(super) fn new(task: &Task) -> Self {
        let rng: ChaCha8Rng = stream(task.settings.seed, Purpose::GaussNewton);
        Self(Tracker::new(rules(task.settings, task.settings.lambda_tolerance), rng))
    }
}

impl Measure for GaussNewton {
    fn measure(&mut self, at: At, point: &mut Point) -> Result<(), Interrupted> {
        let keep = at.task.settings.chunk_size;
        let mut matrix = curvature::GaussNewton::new(at.probe, at.parameters, at.go_on).keeping(keep);
        let measured = self.0.measure(&mut matrix, at.parameters, at.audit)?;
        found(&mut point.values, &GAUSS_NEWTON, &measured);
        // Only at the parameters at which λ_max was measured, u is its eigenvector.
        if let Some(u) = at.top.as_ref().and_then(|top| top.first()) {
            let of_g = Along::direction(&mut matrix, u)?.quadratic;
            drop(matrix);
            let mut hessian = Hessian::new(at.probe, at.parameters, at.go_on).keeping(0);
            let of_h = Along::direction(&mut hessian, u)?.quadratic;
            point.values.set(BEYOND_GAUSS_NEWTON.key, 1.0 - of_g / of_h);
        }
        Ok(())
    }

    fn parts(&mut self, parts: &mut Parts) {
        track("gauss_newton_track", "gauss_newton", &mut self.0, parts);
    }
}
