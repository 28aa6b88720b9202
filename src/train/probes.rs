//! The probes: the sets of examples that λ_max is measured on, each with its track.

use burn::tensor::Tensor;
use rand::seq::index;
use serde::{Deserialize, Serialize};
use sharpness::curvature::{Hessian, Interrupted, MeanLoss, Measurement, Preconditioned, Rules, TrackState, Tracker};
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
    /// The track of the preconditioned sharpness, if the optimizer has a preconditioner.
    preconditioned: Option<Tracker>,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<Option<u32>>,
}

impl Track {
    fn of(state: &TrackState) -> Self {
        Self {
            position: state.position.into(),
            values: state.values.clone(),
            since_audit: state.since_audit,
            lowest: state.lowest,
            numbers: state.numbers.clone(),
        }
    }

    fn with(self, vectors: Vec<Tensor<1>>) -> TrackState {
        TrackState {
            position: self.position.into(),
            vectors,
            values: self.values,
            since_audit: self.since_audit,
            lowest: self.lowest,
            numbers: self.numbers,
        }
    }
}

impl ProbeTrack {
    /// Returns the probes of a cell, each with its track, and with a track of the preconditioned sharpness if the
    /// optimizer `is_preconditioned`.
    pub(super) fn all(task: &Task, is_preconditioned: bool) -> Vec<Self> {
        let settings = task.settings;
        let rules = Rules {
            rounded_search: settings.search_tf32 && !settings.tf32 && can_round(&task.train.images),
            ..rules(settings, settings.lambda_tolerance)
        };
        (0..settings.probes.len())
            .map(|index| Self {
                probe: settings.probes[index].clone(),
                examples: probe_examples(settings, index, task.train, task.test),
                tracker: Tracker::new(rules, stream(settings.seed, Purpose::Eigenvector(index)))
                    .following(settings.eigenvalues),
                preconditioned: is_preconditioned
                    .then(|| Tracker::new(rules, stream(settings.seed, Purpose::Preconditioned(index)))),
            })
            .collect()
    }

    /// Lists the tracks of all probes as parts of the cell's state, with vectors of the length `parameters`.
    pub(super) fn parts(probes: &mut [Self], parts: &mut Parts, parameters: usize) {
        let trackers = probes.iter_mut().map(|probe| &mut probe.tracker).collect();
        tracks("tracks", "track", trackers, parts, parameters);
        let trackers: Vec<&mut Tracker> = probes
            .iter_mut()
            .filter_map(|probe| probe.preconditioned.as_mut())
            .collect();
        if !trackers.is_empty() {
            tracks("preconditioned_tracks", "preconditioned", trackers, parts, parameters);
        }
    }

    /// Returns whether the next measurement starts from a random vector. The track of the preconditioned sharpness
    /// follows that of λ_max.
    pub(super) fn audit_is_due(&self) -> bool {
        self.tracker.audit_is_due()
    }

    /// Returns the mean loss whose Hessian is measured.
    pub(super) fn loss<'a>(&'a self, task: &Task<'a>, running: &'a [RunningStatistics]) -> MeanLoss<'a> {
        probe_loss(task.settings, &self.probe, task.network, &self.examples, running)
    }

    /// Returns the eigenvectors of the last measurement, the largest eigenvalue first.
    pub(super) fn eigenvectors(&self) -> Vec<Tensor<1>> {
        self.tracker.eigenvectors()
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

    /// Measures the preconditioned sharpness with the diagonal of P, `[parameters]`, and the weight decay that belongs to
    /// the gradient; `None` without a track of it.
    pub(super) fn measure_preconditioned(
        &mut self,
        task: &Task,
        (parameters, running): (&Tensor<1>, &[RunningStatistics]),
        (preconditioner, weight_decay): (&Tensor<1>, f64),
        audit: bool,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Measurement>, Interrupted> {
        let Some(tracker) = &mut self.preconditioned else {
            return Ok(None);
        };
        let mean_loss = probe_loss(task.settings, &self.probe, task.network, &self.examples, running);
        let mut hessian = Hessian::new(mean_loss, parameters, go_on).keeping(task.settings.chunk_size);
        let mut operator = Preconditioned::new(&mut hessian, preconditioner, weight_decay);
        tracker.measure(&mut operator, parameters, audit).map(Some)
    }
}

/// Lists a track as a part of the cell's state: the value `name`, and the vectors `PREFIX.0.0` and so on.
pub(super) fn track(name: &'static str, prefix: &str, tracker: &mut Tracker, parts: &mut Parts) {
    let parameters = parts.parameters();
    tracks(name, prefix, vec![tracker], parts, parameters);
}

/// Lists tracks as parts of the cell's state: the value `name`, and the vectors `PREFIX.0.0` and so on.
fn tracks(name: &'static str, prefix: &str, trackers: Vec<&mut Tracker>, parts: &mut Parts, parameters: usize) {
    let states: Vec<TrackState> = trackers.iter().map(|tracker| tracker.state()).collect();
    let mut tracks: Vec<Track> = states.iter().map(Track::of).collect();
    parts.value(name, &mut tracks);
    for (index, ((tracker, mut state), track)) in trackers.into_iter().zip(states).zip(tracks).enumerate() {
        let prefix = format!("{prefix}.{index}");
        parts.tensors(&prefix, &mut state.vectors, track.values.len(), parameters);
        if matches!(parts, Parts::PutBack(..)) {
            tracker.go_on_from(track.with(state.vectors));
        }
    }
}
