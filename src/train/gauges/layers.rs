//! λ_max of each layer's block of the Hessian.

use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Block, Hessian, Interrupted, Measurement, Tracker};
use sharpness::random::{Purpose, stream};

use super::{At, Measure, found};
use crate::event::{LayerPoint, Point};
use crate::quantity::LAYER_LAMBDA_MAX;
use crate::train::Task;
use crate::train::parts::Parts;
use crate::train::probes::rules;

/// Measures λ_max of the layers on the first probe.
pub(super) struct Layers(ChaCha8Rng);

impl Layers {
    pub(super) fn new(task: &Task) -> Self {
        Self(stream(task.settings.seed, Purpose::Layers))
    }
}

impl Measure for Layers {
    fn measure(&mut self, at: At, point: &mut Point) -> Result<(), Interrupted> {
        let settings = at.task.settings;
        let mut hessian = Hessian::new(at.probe, at.parameters, at.go_on).keeping(settings.chunk_size);
        let mut rng = self.0.clone();
        let mut layers = Vec::new();
        let mut sharpest = None;
        for (name, range) in at.task.network.layout().layers() {
            let like = at.parameters.clone().slice(range.clone());
            let mut block = Block::new(&mut hessian, range.clone(), at.parameters.dims()[0]);
            // From a cold start each time: vectors of every layer are not kept.
            let mut tracker = Tracker::new(rules(settings, settings.lambda_tolerance), rng);
            let measured = tracker.measure(&mut block, &like, true)?;
            rng = tracker.into_random();
            if sharpest
                .as_ref()
                .is_none_or(|known: &Measurement| measured.value > known.value)
            {
                sharpest = Some(measured.clone());
            }
            layers.push(LayerPoint {
                name: name.to_owned(),
                parameters: range.len() as u64,
                lambda_max: measured.value,
                residual: measured.residual,
                converged: measured.converged,
            });
        }
        self.0 = rng;
        if let Some(sharpest) = sharpest {
            found(&mut point.values, &LAYER_LAMBDA_MAX, &sharpest);
        }
        point.layers = layers;
        Ok(())
    }

    fn parts(&mut self, parts: &mut Parts) {
        parts.stream("layers_position", &mut self.0);
    }
}
