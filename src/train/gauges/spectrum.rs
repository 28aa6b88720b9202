//! The spectral density, and the smallest eigenvalue.

use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Hessian, Interrupted, Measurement, Negated, Tracker, spectral_density};
use sharpness::random::{Purpose, stream};

use super::{At, Measure, found};
use crate::event::{Point, SpectrumPoint};
use crate::quantity::LAMBDA_MIN;
use crate::train::Task;
use crate::train::parts::Parts;
use crate::train::probes::{rules, track};

/// Measures the spectrum of the Hessian on the first probe.
pub(super) struct Spectrum {
    vectors: usize,
    steps: usize,
    rng: ChaCha8Rng,
    /// The track of −H.
    smallest: Tracker,
}

impl Spectrum {
    pub(super) fn new(vectors: u64, steps: u64, task: &Task) -> Self {
        let settings = task.settings;
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            vectors: count(vectors),
            steps: count(steps),
            rng: stream(settings.seed, Purpose::Spectrum),
            smallest: Tracker::new(
                rules(settings, settings.lambda_tolerance),
                stream(settings.seed, Purpose::Smallest),
            ),
        }
    }
}

impl Measure for Spectrum {
    fn measure(&mut self, at: At, point: &mut Point) -> Result<(), Interrupted> {
        let keep = at.task.settings.chunk_size;
        let mut hessian = Hessian::new(at.probe, at.parameters, at.go_on).keeping(keep);
        let mut rng = self.rng.clone();
        let spectrum = spectral_density(&mut hessian, at.parameters, self.vectors, self.steps, &mut rng)?;
        let measured = self
            .smallest
            .measure(&mut Negated::new(&mut hessian), at.parameters, at.audit)?;
        self.rng = rng;
        let smallest = Measurement {
            value: -measured.value,
            ..measured
        };
        found(&mut point.values, &LAMBDA_MIN, &smallest);
        let (nodes, weights) = spectrum
            .quadratures
            .into_iter()
            .map(|quadrature| (quadrature.nodes, quadrature.weights))
            .unzip();
        point.spectrum = Some(Box::new(SpectrumPoint { nodes, weights }));
        Ok(())
    }

    fn parts(&mut self, parts: &mut Parts) {
        parts.stream("spectrum_position", &mut self.rng);
        track("smallest_track", "smallest", &mut self.smallest, parts);
    }
}
