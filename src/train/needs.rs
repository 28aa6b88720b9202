//! What a cell needs of memory at its largest moment, reckoned before it begins.

use sharpness::curvature::KEPT_VECTORS;
use sharpness::model::{Footprint, Network};

use super::run::chunk;
use crate::config::{Extent, Settings, Statistics};

/// Products of a cold search, of which each leaves a vector of the basis and its image: 10 to 25, most often more than this.
const PRODUCTS: u64 = 16;

/// Vectors of the size of the parameters that a measurement holds beside those: the parameters and their last gradient, a direction,
/// a product in parts and as a whole, and what a back end takes to transpose and to multiply.
const BESIDE_THE_BASIS: u64 = 8;

/// What the warm search before an audit leaves meanwhile: three vectors it started from, those it found, and their images.
const OF_THE_WARM_SEARCH: u64 = 9;

/// The same of a step: the parameters, their gradient twice, and those that come of it.
const OF_A_STEP: u64 = 4;

/// What a cell does when it needs the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Its last measurement of λ_max, with an audit, on this probe, counted from 0.
    Measurement(usize),
    /// A step.
    Step,
    /// An evaluation.
    Evaluation,
}

/// What a cell needs at least at its largest moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// All of it.
    pub bytes: u64,
    /// What the activations take of it.
    pub activation_bytes: u64,
    /// When it is needed.
    pub moment: Moment,
    /// How many vectors of the size of the parameters there are then.
    pub vectors: u64,
    /// Of how many examples activations are held then.
    pub examples: usize,
    /// Which settings say how many those are.
    pub set_by: &'static str,
}

/// What a cell of `settings` that trains `network` needs at least, where a number takes so many bytes.
///
/// Counted are the vectors of the size of the parameters and the activations that our own rules hold, and little of what a back end
/// takes for a moment, so that hardly a cell is refused that would have fitted: on flex it was 0.6 to 1.0 times what networks of every
/// kind in fact took. The data set itself is not in it.
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
    let kept = (settings.probes.len() * KEPT_VECTORS) as u64;
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
        let vectors = BESIDE_THE_BASIS + OF_THE_WARM_SEARCH + 2 * basis + kept;
        needs(Moment::Measurement(index), vectors, examples, activations, set_by)
    });
    let all = measurements.chain([step, evaluation]);
    all.max_by_key(|needs| needs.bytes).unwrap_or(step)
}

/// Of how many examples of a probe a linearization is held, how many are in one pass, and what sets that.
fn pass(settings: &Settings, index: usize, batch_norm: bool) -> (usize, usize, &'static str) {
    let probe = &settings.probes[index];
    let count = probe.example_count(settings);
    let shares = batch_norm && probe.statistics == Statistics::Batch;
    let at_once = if shares {
        probe.group.of(count).min(count)
    } else {
        settings.chunk_size.min(count)
    };
    // What fits into one chunk is kept from one product to the next.
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
