//! Following λ_max along a training run.
//!
//! A measurement starts from Ritz vectors of earlier measurements. This costs a few products; a cold start costs
//! dozens. A small residual shows that there is an eigenvalue near the value, but not that this eigenvalue is the
//! largest. The tracker therefore keeps more vectors than it starts from: the top one, and those that may have
//! overtaken it since their last product. From time to time an audit measures again from a new random vector, with a
//! tighter tolerance. No Ritz value exceeds λ_max, so the larger of the two values is the better one.

use burn::tensor::{DType, Element, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::lanczos::{Estimate, Search, largest_eigenvalue};
use super::operator::{Interrupted, SymmetricOperator};
use super::rounded::largest_eigenvalue_rounded_first;
use super::rows::{Rows, dot};
use super::space::read;

/// Number of Ritz vectors kept between measurements. At the edge of stability several of the top eigenvalues come close
/// and change places. `benches/strategies.rs` shows what is missed with fewer vectors.
pub const KEPT_VECTORS: usize = 6;

/// Number of kept vectors that a measurement starts from: the top one and the most promising others. Each costs a
/// product.
const START_VECTORS: usize = 3;

/// Assumed growth, per measurement, of a Rayleigh quotient that was not measured, as a fraction of the top Ritz value.
const GRANTED_RISE: f64 = 0.02;

/// Drop a kept vector whose component orthogonal to the newly found ones is below this fraction of its length.
const KNOWN: f64 = 0.3;

/// Minimum number of products of a cold start.
const COLD_PRODUCTS: u64 = 10;

/// Tolerance of a cold start, as a fraction of the warm tolerance. With a tolerance of 1e-2, cold starts stopped at
/// values up to 39 % too low.
const COLD_TIGHTER: f64 = 0.1;

/// Maximum tolerance of a cold start. In 5,000 dimensions, with a bulk up to 0.9 and top eigenvalues 0.98 and 1, cold
/// searches with tolerance 1e-2 stopped at the lower one in 17 of 100 trials (after 16 products on average); with 1e-3
/// in one trial (after 22).
const COLD_TOLERANCE: f64 = 1e-3;

/// New noise in the first start vector, as a fraction of the tolerance: too little to cost a product.
const NOISE_IN_FIRST: f64 = 0.1;

/// New noise in the other start vectors, as a fraction of their length. It lowers their Ritz values by the square of
/// this fraction.
const NOISE_IN_OTHERS: f64 = 0.03;

/// Minimum shift of the step of power iteration, which needs no product, as a fraction of the top Ritz value.
const LEAST_SHIFT: f64 = 0.1;

/// The smallest useful relative residual for 32-bit products: long searches accumulate a rounding error of about 1e-6.
const FLOOR_F32: f64 = 1e-5;

/// The same for 64-bit products.
const FLOOR_F64: f64 = 1e-13;

/// Settings of measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Relative residual at which a warm measurement is converged.
    pub tolerance: f64,
    /// The smallest relative residual that the floating-point format can reach.
    pub tolerance_floor: f64,
    /// Maximum number of products in one search.
    pub max_products: u64,
    /// Number of measurements from one audit to the next; 0 for no audits.
    pub audit_every: u64,
    /// Whether searches begin with rounded products, if the operator has them, and end with exact ones.
    pub rounded_search: bool,
}

impl Rules {
    /// Creates rules with the relative residual `tolerance`, for numbers of `format`, with at most 200 products in a
    /// search, and with an audit at every tenth measurement.
    pub fn new(tolerance: f64, format: DType) -> Self {
        Self {
            tolerance,
            tolerance_floor: match format {
                DType::F64 => FLOOR_F64,
                _ => FLOOR_F32,
            },
            max_products: 200,
            audit_every: 10,
            rounded_search: false,
        }
    }
}

/// A measured value of λ_max, with its accuracy and its cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// λ_max; NaN if products or vectors are not finite.
    pub value: f64,
    /// ‖Hv − λv‖ for the unit vector v; NaN if the value is NaN.
    pub residual: f64,
    /// Whether the residual met the tolerance.
    pub converged: bool,
    /// Number of products, audit included.
    pub products: u64,
    /// Number of products that may have been rounded. Value and residual come from exact products.
    pub rounded_products: u64,
    /// Whether a cold start that converged gave or confirmed the value.
    pub audited: bool,
    /// The warm track's value, if the audit found a larger one.
    pub corrected_from: Option<f64>,
}

/// A tracker of the top eigenvectors of a slowly changing operator.
pub struct Tracker {
    rules: Rules,
    rng: ChaCha8Rng,
    /// The kept vectors, the top one first.
    kept: Vec<Kept>,
    since_audit: u64,
    /// The smallest Ritz value since the last cold start.
    lowest: f64,
}

/// The state of a tracker between two measurements.
#[derive(Clone)]
pub struct TrackState {
    /// Position in the stream of random numbers.
    pub position: u128,
    /// The kept vectors, each `[parameters]`, the top one first.
    pub vectors: Vec<Tensor<1>>,
    /// For each kept vector, its Ritz value and the number of measurements since its last product.
    pub values: Vec<(f64, u32)>,
    /// Number of measurements since the last audit.
    pub since_audit: u64,
    /// The smallest Ritz value since the last cold start.
    pub lowest: f64,
}

/// A Ritz vector of an earlier measurement.
#[derive(Clone)]
struct Kept {
    /// The vector, of a length near 1.
    vector: Tensor<1>,
    /// Its Ritz value at its last product.
    value: f64,
    /// Number of measurements since its last product.
    rested: u32,
}

impl Tracker {
    /// Creates a tracker whose random vectors come from `rng`.
    pub fn new(rules: Rules, rng: ChaCha8Rng) -> Self {
        Self {
            rules,
            rng,
            kept: Vec::new(),
            since_audit: 0,
            lowest: f64::INFINITY,
        }
    }

    /// Returns the state, for a later tracker with the same rules and the same stream of random numbers.
    pub fn state(&self) -> TrackState {
        TrackState {
            position: self.rng.get_word_pos(),
            vectors: self.kept.iter().map(|kept| kept.vector.clone()).collect(),
            values: self.kept.iter().map(|kept| (kept.value, kept.rested)).collect(),
            since_audit: self.since_audit,
            lowest: self.lowest,
        }
    }

    /// Continues from the state of an earlier tracker.
    pub fn go_on_from(&mut self, state: TrackState) {
        self.rng.set_word_pos(state.position);
        let pairs = state.vectors.into_iter().zip(state.values);
        self.kept = pairs
            .map(|(vector, (value, rested))| Kept { vector, value, rested })
            .collect();
        (self.since_audit, self.lowest) = (state.since_audit, state.lowest);
    }

    /// Returns whether the next measurement will make a cold start even if none is requested.
    pub fn audit_is_due(&self) -> bool {
        self.kept.is_empty() || (self.rules.audit_every > 0 && self.since_audit + 1 >= self.rules.audit_every)
    }

    /// Measures λ_max of `operator`; `like` is any vector of its space. With `audit`, a cold start checks the value.
    ///
    /// If the kept vectors lead to numbers that are not finite, the tracker drops them and immediately makes a cold
    /// start. If that fails too, the value is NaN, and the next measurement starts cold.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if a product was interrupted; the kept vectors stay as they were.
    pub fn measure(
        &mut self,
        operator: &mut impl SymmetricOperator,
        like: &Tensor<1>,
        audit: bool,
    ) -> Result<Measurement, Interrupted> {
        let audit = audit || self.audit_is_due();
        let (started, mut resting) = self.choose();
        let warm = if started.is_empty() {
            None
        } else {
            let start = self.with_noise(&started);
            Some(self.find(operator, &start, self.rules.tolerance, 0)?)
        };
        let mut products = warm.iter().map(|e| e.products).sum();
        let mut rounded_products = warm.iter().map(|e| e.rounded_products).sum();
        let warm = warm.filter(|warm| warm.value.is_finite());
        let audit = audit || warm.is_none();
        if warm.is_none() {
            resting.clear();
        }
        let cold = if audit {
            let start = random_vector(&mut self.rng, like);
            let tolerance = (self.rules.tolerance * COLD_TIGHTER)
                .min(COLD_TOLERANCE)
                .max(self.rules.tolerance_floor)
                .min(self.rules.tolerance);
            Some(self.find(operator, &[start], tolerance, COLD_PRODUCTS)?)
        } else {
            None
        };
        products += cold.iter().map(|e| e.products).sum::<u64>();
        rounded_products += cold.iter().map(|e| e.rounded_products).sum::<u64>();
        let cold = cold.filter(|cold| cold.value.is_finite());
        self.lowest = match (&warm, &cold) {
            (_, Some(cold)) => cold.lowest,
            (Some(warm), None) => self.lowest.min(warm.lowest),
            (None, None) => f64::INFINITY,
        };
        self.since_audit = if audit { 0 } else { self.since_audit + 1 };
        let mut measurement = Measurement {
            value: f64::NAN,
            residual: f64::NAN,
            converged: false,
            products,
            rounded_products,
            audited: cold.as_ref().is_some_and(|cold| cold.converged),
            corrected_from: None,
        };
        // Choose the search to report, and the search to continue from.
        let audit_found_more = matches!((&warm, &cold), (Some(warm), Some(cold)) if cold.value > warm.value);
        let told = if audit_found_more { &cold } else { &warm };
        if let Some(told) = told.as_ref().or(cold.as_ref()) {
            measurement.value = told.value;
            measurement.residual = told.residual;
            // A cold search must meet its own, tighter tolerance: with a looser one its value may be far too low.
            measurement.converged = told.converged;
        }
        let missed = |warm: &Estimate| measurement.value - warm.value > self.rules.tolerance * measurement.value.abs();
        // If the audit agrees, its value is the more accurate one, but its lower vectors are less accurate: they come
        // from a few products with a random vector. So the tracker continues from the warm search.
        let followed = match (warm, cold) {
            (Some(warm), Some(cold)) if audit_found_more && missed(&warm) => {
                measurement.corrected_from = Some(warm.value);
                resting.clear();
                Some(cold)
            }
            (warm, cold) => warm.or(cold),
        };
        self.kept = followed.map_or_else(Vec::new, |found| kept_of(&found, resting, self.lowest));
        Ok(measurement)
    }

    fn find(
        &self,
        operator: &mut impl SymmetricOperator,
        start: &[Tensor<1>],
        tolerance: f64,
        min_products: u64,
    ) -> Result<Estimate, Interrupted> {
        let search = Search {
            tolerance,
            min_products: min_products.min(self.rules.max_products),
            max_products: self.rules.max_products,
            wanted_vectors: KEPT_VECTORS,
        };
        if self.rules.rounded_search {
            largest_eigenvalue_rounded_first(operator, start, &search)
        } else {
            largest_eigenvalue(operator, start, &search)
        }
    }

    /// Returns the kept vectors that the next measurement starts from, and those that get no product in it (they rest).
    fn choose(&self) -> (Vec<Kept>, Vec<Kept>) {
        let mut started = self.kept.clone();
        let Some(top) = started.first().map(|top| top.value.abs()) else {
            return (Vec::new(), Vec::new());
        };
        let promise = |kept: &Kept| kept.value + f64::from(kept.rested) * GRANTED_RISE * top;
        started[1..].sort_by(|a, b| promise(b).total_cmp(&promise(a)));
        let mut resting = started.split_off(START_VECTORS.min(started.len()));
        for kept in &mut resting {
            kept.rested = kept.rested.saturating_add(1);
        }
        (started, resting)
    }

    fn with_noise(&mut self, started: &[Kept]) -> Vec<Tensor<1>> {
        let noise = std::iter::once(self.rules.tolerance * NOISE_IN_FIRST).chain(std::iter::repeat(NOISE_IN_OTHERS));
        started
            .iter()
            .zip(noise)
            .map(|(kept, size)| kept.vector.clone() + random_signs(&mut self.rng, &kept.vector, size))
            .collect()
    }
}

/// Returns the vectors to keep after a search: the top one found, and the most promising of the others and of the
/// vectors that rested.
fn kept_of(found: &Estimate, resting: Vec<Kept>, lowest: f64) -> Vec<Kept> {
    // After an exact search, the vectors that the rounded search before it found count as resting.
    let mut resting = match &found.rounded {
        Some(rounded) => kept_of(rounded, resting, lowest),
        None => resting,
    };
    let mut kept = power_step(found, (LEAST_SHIFT * found.value.abs()).max(-lowest));
    // Resting vectors with lower values would not be kept.
    let least = kept.get(KEPT_VECTORS - 1).map(|least| least.value);
    resting.retain(|kept| least.is_none_or(|least| kept.value > least));
    kept.extend(outside(resting, &found.vectors));
    if let Some((_, others)) = kept.split_first_mut() {
        others.sort_by(|a, b| b.value.total_cmp(&a.value));
    }
    kept.truncate(KEPT_VECTORS);
    kept
}

/// Returns the Ritz vectors y after a step of power iteration, (H + shift)y, computed from the known images.
///
/// A search does not refine the lower vectors as long as the first is accurate. Without this step the noise of their
/// starts would dominate them, and the tracker would miss them when they overtake. The shift covers the negative side
/// of the spectrum, so no negative eigenvalue grows. Noise in a bulk around 0 shrinks. Any direction that will overtake
/// grows from one measurement to the next.
fn power_step(found: &Estimate, shift: f64) -> Vec<Kept> {
    let pairs = found.vectors.iter().zip(found.images.iter()).zip(&found.values);
    pairs
        .map(|((vector, image), &value)| {
            // The length of an eigenvector after the step. It is close to, and at most, that of any other Ritz vector.
            // It only scales the noise, so it is not worth a read from the device.
            let length = value + shift;
            Kept {
                // For an eigenvalue near −shift only rounding error would be left.
                vector: if length > 0.5 * shift {
                    (image + vector * shift) / length
                } else {
                    // A copy: a view would keep the whole matrix in memory.
                    vector * 1.0
                },
                value,
                rested: 0,
            }
        })
        .collect()
}

/// Returns the part of each resting vector outside the span of the orthonormal `found`, scaled to unit length. Vectors
/// with a negligible part are dropped.
fn outside(resting: Vec<Kept>, found: &Rows) -> Vec<Kept> {
    if found.is_empty() {
        return Vec::new();
    }
    let mut products = Vec::new();
    for kept in &resting {
        products.extend(found.dots(&kept.vector));
        products.push(dot(&kept.vector, &kept.vector));
    }
    let overlaps = read(products);
    resting
        .into_iter()
        .zip(overlaps.chunks_exact(found.len() + 1))
        .filter_map(|(kept, overlaps)| {
            let (&square, overlaps) = overlaps.split_last()?;
            let left = square - overlaps.iter().map(|x| x * x).sum::<f64>();
            (left > KNOWN * KNOWN * square).then(|| Kept {
                vector: (kept.vector - found.combine(overlaps)) / left.sqrt(),
                ..kept
            })
        })
        .collect()
}

/// Returns a vector of independent random signs, scaled to the length `norm`.
///
/// As noise, signs are as good as normal numbers, and one draw gives 64 of them. On a small network, three vectors of
/// normal numbers took half as long as the products of a warm measurement.
fn random_signs(rng: &mut ChaCha8Rng, like: &Tensor<1>, norm: f64) -> Tensor<1> {
    let [length] = like.dims();
    let scale = (norm / (length as f64).sqrt()) as f32;
    let mut values = vec![scale; length];
    for values in values.chunks_mut(64) {
        let bits = rng.next_u64();
        for (bit, value) in values.iter_mut().enumerate() {
            *value = if bits >> bit & 1 == 1 { scale } else { -scale };
        }
    }
    vector_like(values, like)
}

/// Returns a vector of independent normal numbers, scaled to a length of about 1.
fn random_vector(rng: &mut ChaCha8Rng, like: &Tensor<1>) -> Tensor<1> {
    let [length] = like.dims();
    let scale = 1.0 / (length as f64).sqrt();
    let values = (0..length)
        .map(|_| {
            let x: f64 = StandardNormal.sample(rng);
            x * scale
        })
        .collect();
    vector_like(values, like)
}

/// Returns a vector of host values on the device and in the format of `like`.
fn vector_like<E: Element>(values: Vec<E>, like: &Tensor<1>) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), (&like.device(), like.dtype()))
}
