//! The probes: the sets of examples that λ_max is measured on, each with its track.

use burn::tensor::Tensor;
use rand::seq::index;
use serde::{Deserialize, Serialize};
use sharpness::curvature::{Hessian, Interrupted, MeanLoss, Measurement, Rules, TrackState, Tracker};
use sharpness::model::{Examples, Network, Normalization, RunningStatistics};
use sharpness::random::{Purpose, stream};
use sharpness::tensor::can_round;

use super::Task;
use super::parts::{Parts, StreamPosition};
use crate::config::{Extent, Probe, Settings, Split, Statistics};
use crate::setup;

/// One probe of a cell.
pub(super) struct ProbeTrack {
    probe: Probe,
    examples: Examples,
    tracker: Tracker,
}

/// Returns the rules for measuring λ_max under `settings`, with `tolerance` for the relative residual.
pub fn rules(settings: &Settings, tolerance: f64) -> Rules {
    Rules {
        max_products: settings.lambda_max_products,
        audit_every: settings.audit_every,
        ..Rules::new(tolerance, setup::dtype(settings))
    }
}

/// Returns the examples of the `index`-th probe: a sample without replacement, drawn with the cell's seed, in the order
/// of the data set.
pub fn probe_examples(settings: &Settings, index: usize, train: &Examples, test: &Examples) -> Examples {
    let probe = &settings.probes[index];
    let source = match probe.from {
        Split::Training => train,
        Split::HeldOut => test,
    };
    match probe.examples {
        Extent::Count(count) if count < source.len() => {
            let mut rng = stream(settings.seed, Purpose::Probe(index));
            let mut drawn = index::sample(&mut rng, source.len(), count).into_vec();
            drawn.sort_unstable();
            source.select(&drawn)
        }
        _ => source.clone(),
    }
}

/// Returns the mean loss whose Hessian is measured on the probe.
pub fn probe_loss<'a>(
    settings: &Settings,
    probe: &Probe,
    network: &'a Network,
    examples: &'a Examples,
    running: &'a [RunningStatistics],
) -> MeanLoss<'a> {
    let group = match probe.group {
        Extent::Full => examples.len(),
        Extent::Count(count) => count,
    };
    let (normalization, chunk) = match probe.statistics {
        // The chunk is the statistics group here; memory does not determine its size.
        Statistics::Batch if network.has_batch_norm() => (Normalization::Batch, group),
        _ => (Normalization::Running, settings.chunk_size),
    };
    MeanLoss {
        network,
        loss: setup::loss(settings),
        examples,
        chunk,
        normalization,
        running,
    }
}

/// The state of a track without its vectors.
#[derive(Clone, Serialize, Deserialize)]
struct Track {
    position: StreamPosition,
    values: Vec<(f64, u32)>,
    since_audit: u64,
    lowest: f64,
}

impl Track {
    fn of(state: &TrackState) -> Self {
        Self {
            position: state.position.into(),
            values: state.values.clone(),
            since_audit: state.since_audit,
            lowest: state.lowest,
        }
    }

    fn with(self, vectors: Vec<Tensor<1>>) -> TrackState {
        TrackState {
            position: self.position.into(),
            vectors,
            values: self.values,
            since_audit: self.since_audit,
            lowest: self.lowest,
        }
    }
}

impl ProbeTrack {
    pub(super) fn all(task: &Task) -> Vec<Self> {
        let settings = task.settings;
        let rules = Rules {
            rounded_search: settings.search_tf32 && !settings.tf32 && can_round(&task.train.images),
            ..rules(settings, settings.lambda_tolerance)
        };
        (0..settings.probes.len())
            .map(|index| Self {
                probe: settings.probes[index].clone(),
                examples: probe_examples(settings, index, task.train, task.test),
                tracker: Tracker::new(rules, stream(settings.seed, Purpose::Eigenvector(index))),
            })
            .collect()
    }

    /// Lists the tracks of all probes as parts of the cell's state, with vectors of the length `parameters`.
    pub(super) fn parts(probes: &mut [Self], parts: &mut Parts, parameters: usize) {
        let states: Vec<TrackState> = probes.iter().map(|probe| probe.tracker.state()).collect();
        let mut tracks: Vec<Track> = states.iter().map(Track::of).collect();
        parts.value("tracks", &mut tracks);
        for (index, ((probe, mut state), track)) in probes.iter_mut().zip(states).zip(tracks).enumerate() {
            let prefix = format!("track.{index}");
            parts.tensors(&prefix, &mut state.vectors, track.values.len(), parameters);
            if matches!(parts, Parts::PutBack(..)) {
                probe.tracker.go_on_from(track.with(state.vectors));
            }
        }
    }

    /// Returns whether the next measurement starts from a random vector.
    pub(super) fn audit_is_due(&self) -> bool {
        self.tracker.audit_is_due()
    }

    pub(super) fn measure(
        &mut self,
        task: &Task,
        parameters: &Tensor<1>,
        running: &[RunningStatistics],
        audit: bool,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Measurement, Interrupted> {
        let mean_loss = probe_loss(task.settings, &self.probe, task.network, &self.examples, running);
        let mut hessian = Hessian::new(mean_loss, parameters, go_on).keeping(task.settings.chunk_size);
        self.tracker.measure(&mut hessian, parameters, audit)
    }
}
