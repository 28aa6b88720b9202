//! Estimates the peak memory of a cell before it begins.

use sharpness::curvature::KEPT_VECTORS;
use sharpness::model::{Footprint, Network};
use sharpness::optimizer::State;

use super::chunk::chunk;
use crate::config::{Extent, Gauge, Settings, Statistics};
use crate::setup;

/// Hessian-vector products of a cold search; each adds a basis vector and its image. A search takes 10 to 25 products,
/// mostly more than this number.
const PRODUCTS: u64 = 16;

/// Vectors of the size of the parameters that a measurement holds in addition to the basis: the parameters and their
/// last gradient, a direction, a product in parts and as a whole, and a back end's buffers for transposing and
/// multiplying.
const BESIDE_THE_BASIS: u64 = 8;

/// Vectors that the warm search keeps during an audit: the three it started from, the three it found, and their images.
const OF_THE_WARM_SEARCH: u64 = 9;

/// Vectors of the size of the parameters in a step: the parameters, their gradient twice, and the new parameters.
const OF_A_STEP: u64 = 4;

/// The activity during which a cell needs the most memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The last measurement of λ_max, with an audit, on this probe, counted from 0.
    Measurement(usize),
    /// A step.
    Step,
    /// An evaluation.
    Evaluation,
}

/// A lower bound of a cell's peak memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The total, in bytes.
    pub bytes: u64,
    /// The part of the total that activations take.
    pub activation_bytes: u64,
    /// The activity that needs it.
    pub moment: Moment,
    /// The number of vectors of the size of the parameters at that time.
    pub vectors: u64,
    /// The number of examples whose activations are held at that time.
    pub examples: usize,
    /// The setting that determines this number of examples.
    pub set_by: &'static str,
}

/// Estimates the peak memory of a cell with these `settings` that trains `network` in numbers of `bytes_a_number`
/// bytes.
///
/// The estimate counts the vectors of the size of the parameters and the activations that our own code holds, and
/// little of a back end's temporary memory, so that a cell that would fit is hardly ever refused: on flex the estimate
/// was 0.6 to 1.0 times the measured memory, for all kinds of networks. It does not include the data set.
pub fn needs(settings: &Settings, network: &Network, bytes_a_number: usize) -> Needs {
    let parameters = network.layout().len() as u64;
    let features = network.input().iter().product::<usize>() as u64;
    let copied = |count: usize, of: usize| if count < of { count as u64 * features } else { 0 };
    let own: u64 = settings
        .probes
        .iter()
        .map(|probe| copied(probe.example_count(settings), probe.available(settings)))
        .sum();
    let needs = |moment, vectors: u64, examples, activations: u64, set_by| {
        let numbers = vectors.saturating_mul(parameters).saturating_add(activations);
        Needs {
            bytes: numbers.saturating_add(own).saturating_mul(bytes_a_number as u64),
            activation_bytes: activations.saturating_mul(bytes_a_number as u64),
            moment,
            vectors,
            examples,
            set_by,
        }
    };
    let mut optimizer = setup::optimizer(settings);
    let of_optimizer = optimizer
        .kept()
        .iter()
        .filter(|kept| matches!(kept.state, State::Vector(_)))
        .count();
    let tracks = if optimizer.is_preconditioned() { 2 } else { 1 };
    // Each eigenvalue beyond the first adds a kept vector.
    let of_tracks = tracks * KEPT_VECTORS + settings.eigenvalues - 1;
    let needs_last_step = |gauge: &Gauge| matches!(gauge, Gauge::BatchSharpness { .. } | Gauge::Alignment {});
    let keeps_last_step = settings.keep_checkpoints.is_some() || settings.gauges.iter().any(needs_last_step);
    let of_gauges = settings.gauges.iter().map(kept_by).sum::<usize>() + usize::from(keeps_last_step);
    let kept = (settings.probes.len() * of_tracks + of_optimizer + of_gauges) as u64;
    let batch_norm = network.has_batch_norm();
    let resting = network.footprint(false);
    let step = {
        let held = network.footprint(settings.dropout > 0.0);
        let train = settings.train_len();
        let batch = settings.batch_size.of(train);
        let examples = chunk(settings, batch, batch_norm).min(batch);
        let activations = times(examples, held.remembered + held.passing) + copied(batch, train);
        let set_by = match (batch_norm, settings.batch_size) {
            (true, Extent::Full) => "statistics_group",
            (true, Extent::Count(_)) => "batch_size",
            (false, _) => "chunk_size",
        };
        needs(Moment::Step, OF_A_STEP + kept, examples, activations, set_by)
    };
    let evaluation = {
        let examples = settings.chunk_size.min(settings.train_len().max(settings.test_len()));
        let activations = times(examples, resting.evaluating);
        needs(Moment::Evaluation, 1, examples, activations, "chunk_size")
    };
    let measurements = (0..settings.probes.len()).map(|index| {
        let (examples, at_once, set_by) = pass(settings, index, batch_norm);
        let Footprint {
            remembered,
            derivatives,
            tangents,
            passing,
            ..
        } = resting;
        let activations = times(examples, remembered + derivatives) + times(at_once, tangents + passing);
        let basis = PRODUCTS.min(settings.lambda_max_products);
        let searching = OF_THE_WARM_SEARCH + 2 * basis;
        // Gauges are measured on the first probe.
        let gauging = settings.gauges.iter().map(basis_of).max().filter(|_| index == 0);
        let vectors = BESIDE_THE_BASIS + searching.max(gauging.unwrap_or(0)) + kept;
        needs(Moment::Measurement(index), vectors, examples, activations, set_by)
    });
    let all = measurements.chain([step, evaluation]);
    all.max_by_key(|needs| needs.bytes).unwrap_or(step)
}

/// Returns the number of vectors that a gauge keeps from one measurement to the next.
fn kept_by(gauge: &Gauge) -> usize {
    match gauge {
        Gauge::GaussNewton { .. } | Gauge::Spectrum { .. } => KEPT_VECTORS,
        Gauge::BatchSharpness { .. } | Gauge::Alignment {} | Gauge::Trace { .. } | Gauge::Layers { .. } => 0,
    }
}

/// Returns the number of vectors in the basis of a gauge's estimator; 0 if it is a search for an eigenvalue, or has none.
fn basis_of(gauge: &Gauge) -> u64 {
    match *gauge {
        Gauge::Spectrum { steps, .. } => steps,
        // The sketch of Hutch++, and its images.
        Gauge::Trace { products, .. } => products / 2,
        Gauge::BatchSharpness { .. } | Gauge::Alignment {} | Gauge::GaussNewton { .. } | Gauge::Layers { .. } => 0,
    }
}

/// Returns the number of a probe's examples whose linearization is held, the number of examples in one pass, and the
/// setting that determines them.
fn pass(settings: &Settings, index: usize, batch_norm: bool) -> (usize, usize, &'static str) {
    let probe = &settings.probes[index];
    let count = probe.example_count(settings);
    let shares = batch_norm && probe.statistics == Statistics::Batch;
    let at_once = if shares {
        probe.group.of(count).min(count)
    } else {
        settings.chunk_size.min(count)
    };
    // A probe that fits into one chunk keeps its linearization from one product to the next.
    let kept = if count <= settings.chunk_size { count } else { at_once };
    let set_by = if shares && at_once == kept {
        "group"
    } else {
        "chunk_size"
    };
    (kept, at_once, set_by)
}

fn times(examples: usize, numbers: u64) -> u64 {
    (examples as u64).saturating_mul(numbers)
}
