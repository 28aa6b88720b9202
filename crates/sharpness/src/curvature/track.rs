//! Following λ_max, or several of the largest eigenvalues, along a training run.
//!
//! A measurement starts from Ritz vectors of earlier measurements. This costs a few products; a cold start costs
//! dozens. A small residual shows that there is an eigenvalue near the value, but not that this eigenvalue is the
//! largest. The tracker therefore keeps more vectors than it starts from: the top one, and those that may have
//! overtaken it since their last product. From time to time an audit measures again from a new random vector, with a
//! tighter tolerance. No Ritz value exceeds λ_max, so the larger of the two values is the better one. The same holds for
//! the i-th largest Ritz value and the i-th largest eigenvalue.

use burn::tensor::{DType, Tensor};
use rand_chacha::ChaCha8Rng;

use super::convergence::scale;
use super::identity::{Former, numbered};
use super::kept::{Kept, kept_of, kept_vectors};
use super::lanczos::{Estimate, Search, largest_eigenvalues};
use super::measurement::{Measurement, Searches, total};
use super::operator::{Interrupted, SymmetricOperator};
use super::random_vectors::{random_signs, random_vector};
use super::rounded::largest_eigenvalues_rounded_first;
use super::rows::dot;
use super::space::read;

/// Number of kept vectors that a measurement of one eigenvalue starts from: the top one and the most promising others.
/// Each costs a product. Each further eigenvalue adds one.
const START_VECTORS: usize = 3;

/// Assumed growth, per measurement, of a Rayleigh quotient that was not measured, as a fraction of the top Ritz value.
const GRANTED_RISE: f64 = 0.02;

/// Minimum number of products of a cold start for one eigenvalue. Each further eigenvalue adds one.
const COLD_PRODUCTS: u64 = 10;

/// Tolerance of a cold start, as a fraction of the warm tolerance. With a tolerance of 1e-2, cold starts stopped at
/// values up to 39 % too low.
const COLD_TIGHTER: f64 = 0.1;

/// Maximum tolerance of a cold start. In 5,000 dimensions, with a bulk up to 0.9 and top eigenvalues 0.98 and 1, cold
/// searches with tolerance 1e-2 stopped at the lower one in 17 of 100 trials (after 16 products on average); with 1e-3
/// in one trial (after 22).
const COLD_TOLERANCE: f64 = 1e-3;

/// New noise in the start vectors of the followed eigenvalues, as a fraction of the tolerance: too little to cost a product.
const NOISE_IN_FIRST: f64 = 0.1;

/// New noise in the other start vectors, as a fraction of their length. It lowers their Ritz values by the square of
/// this fraction.
const NOISE_IN_OTHERS: f64 = 0.03;

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

/// A tracker of the top eigenvectors of a slowly changing operator.
pub struct Tracker {
    rules: Rules,
    /// Number of eigenvalues to follow.
    count: usize,
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
    /// For each kept vector, its number if it is one of several followed eigenvectors. Empty if the tracker follows λ_max
    /// only; vectors without an entry get new numbers.
    pub numbers: Vec<Option<u32>>,
}

impl Tracker {
    /// Creates a tracker of λ_max whose random vectors come from `rng`.
    pub fn new(rules: Rules, rng: ChaCha8Rng) -> Self {
        Self {
            rules,
            count: 1,
            rng,
            kept: Vec::new(),
            since_audit: 0,
            lowest: f64::INFINITY,
        }
    }

    /// Follows the `count` largest eigenvalues (at least one).
    ///
    /// A measurement starts from `count` + 2 vectors. With tolerance 1e-2 it took 6, 14, 20 and 37 products on average for
    /// 1, 3, 5 and 10 eigenvalues of a small CNN, and 5, 9, 13 and 24 for an MLP at the edge of stability; an audit adds 10
    /// to 43 (`cargo bench --bench strategies -- several`). The tracker keeps
    /// [`KEPT_VECTORS`](super::KEPT_VECTORS) − 1 + `count` vectors. An eigenvalue is converged once its residual is at
    /// most the tolerance times its size or, if this is more, a tenth of λ_max.
    #[must_use]
    pub fn following(mut self, count: usize) -> Self {
        self.count = count.max(1);
        self
    }

    /// Returns the eigenvectors of the last measurement, the largest eigenvalue first. Their lengths and inner products
    /// differ from those of orthonormal vectors by at most the square of the relative residuals.
    pub fn eigenvectors(&self) -> Vec<Tensor<1>> {
        let followed = self.kept.iter().take(self.count);
        followed.map(|kept| kept.vector.clone()).collect()
    }

    /// Returns the state, for a later tracker with the same rules and the same stream of random numbers.
    pub fn state(&self) -> TrackState {
        TrackState {
            position: self.rng.get_word_pos(),
            vectors: self.kept.iter().map(|kept| kept.vector.clone()).collect(),
            values: self.kept.iter().map(|kept| (kept.value, kept.rested)).collect(),
            since_audit: self.since_audit,
            lowest: self.lowest,
            numbers: match self.count {
                1 => Vec::new(),
                _ => self.kept.iter().map(|kept| kept.number).collect(),
            },
        }
    }

    /// Continues from the state of an earlier tracker.
    pub fn go_on_from(&mut self, state: TrackState) {
        self.rng.set_word_pos(state.position);
        let numbers = state.numbers.into_iter().chain(std::iter::repeat(None));
        let pairs = state.vectors.into_iter().zip(state.values).zip(numbers);
        self.kept = pairs
            .map(|((vector, (value, rested)), number)| Kept {
                vector,
                value,
                rested,
                number,
            })
            .collect();
        (self.since_audit, self.lowest) = (state.since_audit, state.lowest);
    }

    /// Ends the track, and returns its stream of random numbers.
    pub fn into_random(self) -> ChaCha8Rng {
        self.rng
    }

    /// Returns whether the next measurement will make a cold start even if none is requested.
    pub fn audit_is_due(&self) -> bool {
        self.kept.is_empty() || (self.rules.audit_every > 0 && self.since_audit + 1 >= self.rules.audit_every)
    }

    /// Measures the eigenvalues of `operator`; `like` is any vector of its space. With `audit`, a cold start checks the
    /// values.
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
        let Searches {
            warm,
            cold,
            joint,
            products,
            rounded_products,
        } = self.search(operator, like, audit, &started)?;
        if warm.is_none() {
            resting.clear();
        }
        self.lowest = match (&warm, &cold) {
            (_, Some(cold)) => cold.lowest,
            (Some(warm), None) => self.lowest.min(warm.lowest),
            (None, None) => f64::INFINITY,
        };
        self.since_audit = if audit || warm.is_none() {
            0
        } else {
            self.since_audit + 1
        };
        // Choose the search to report, and the search to continue from.
        let corrections = match (&warm, &cold) {
            (Some(warm), Some(cold)) => self.missed(warm, joint.as_ref().unwrap_or(cold)),
            _ => Vec::new(),
        };
        let corrected = corrections.iter().any(Option::is_some);
        let told = match (&joint, &warm, &cold) {
            (Some(joint), ..) => Some(joint),
            (None, Some(warm), Some(cold)) if corrected || total(cold) > total(warm) => Some(cold),
            (None, warm, cold) => warm.as_ref().or(cold.as_ref()),
        };
        let audited = cold.as_ref().is_some_and(|cold| cold.converged);
        // A cold search must meet its own, tighter tolerance: with a looser one its value may be far too low.
        let mut measurement = Measurement::of(told, products, rounded_products, audited);
        measurement.corrected_from = corrections.first().copied().flatten();
        measurement.corrections = corrections;
        measurement.corrections.resize(measurement.eigenvalues.len(), None);
        // If the audit agrees, its values are the more accurate ones, but its lower vectors are less accurate: they come
        // from a few products with random vectors. So the tracker then continues from the warm search.
        let found = match (joint, warm, cold) {
            (Some(joint), ..) => Some(joint),
            (None, Some(_), Some(cold)) if corrected => Some(cold),
            (None, warm, cold) => warm.or(cold),
        };
        if corrected {
            resting.clear();
        }
        let Some(found) = found else {
            self.kept.clear();
            return Ok(measurement);
        };
        measurement.numbers = self.numbers(&found);
        measurement.numbers.truncate(measurement.eigenvalues.len());
        let kept = kept_of(&found, self.count, resting, self.lowest);
        let numbers = measurement.numbers.iter().copied().map(Some);
        let numbers = numbers.chain(std::iter::repeat(None));
        self.kept = kept
            .into_iter()
            .zip(numbers)
            .map(|(kept, number)| Kept { number, ..kept })
            .collect();
        Ok(measurement)
    }

    /// Searches from `started`, and with an `audit`, or if nothing finite is found, from random vectors. If both searches
    /// find an eigenvalue that the other missed, a third search starts from the vectors of both.
    fn search(
        &mut self,
        operator: &mut impl SymmetricOperator,
        like: &Tensor<1>,
        audit: bool,
        started: &[Kept],
    ) -> Result<Searches, Interrupted> {
        let mut searches = Searches::default();
        if !started.is_empty() {
            let start = self.with_noise(started);
            let found = self.find(operator, &start, self.rules.tolerance, 0)?;
            searches.warm = searches.add(found);
        }
        if audit || searches.warm.is_none() {
            let start: Vec<Tensor<1>> = (0..self.count).map(|_| random_vector(&mut self.rng, like)).collect();
            let tolerance = (self.rules.tolerance * COLD_TIGHTER)
                .min(COLD_TOLERANCE)
                .max(self.rules.tolerance_floor)
                .min(self.rules.tolerance);
            let found = self.find(operator, &start, tolerance, COLD_PRODUCTS + self.count as u64 - 1)?;
            searches.cold = searches.add(found);
        }
        if let (Some(warm), Some(cold)) = (&searches.warm, &searches.cold) {
            let differ = |less, found| self.missed(less, found).iter().any(Option::is_some);
            if differ(warm, cold) && differ(cold, warm) {
                let both = [cold, warm].map(|found| found.vectors.iter().take(self.count));
                let start: Vec<Tensor<1>> = both.into_iter().flatten().collect();
                let found = self.find(operator, &start, self.rules.tolerance, 0)?;
                searches.joint = searches.add(found);
            }
        }
        Ok(searches)
    }

    /// Returns, for each eigenvalue of `found`, the value in `less` if it is smaller by more than the tolerance.
    fn missed(&self, less: &Estimate, found: &Estimate) -> Vec<Option<f64>> {
        let pairs = less.eigenvalues.iter().zip(&found.eigenvalues).enumerate();
        let missed = pairs.map(|(index, (less, more))| {
            let least = self.rules.tolerance * scale(more.value, index, found.value);
            (more.value - less.value > least).then_some(less.value)
        });
        missed.collect()
    }

    /// Returns the numbers of the found eigenvectors, by their overlaps with those of the last measurement.
    fn numbers(&self, found: &Estimate) -> Vec<u32> {
        let count = found.eigenvalues.len();
        if self.count == 1 {
            return vec![0; count];
        }
        let followed: Vec<&Kept> = self.kept.iter().filter(|kept| kept.number.is_some()).collect();
        let mut products = Vec::new();
        for kept in &followed {
            products.extend(found.vectors.dots(&kept.vector));
            products.push(dot(&kept.vector, &kept.vector));
        }
        let overlaps = read(products);
        let overlaps = overlaps.chunks_exact(found.vectors.len() + 1);
        let former: Vec<Former> = followed
            .iter()
            .zip(overlaps)
            .filter_map(|(kept, overlaps)| {
                let (square, overlaps) = overlaps.split_last()?;
                Some(Former {
                    number: kept.number?,
                    overlaps: overlaps.iter().map(|x| x * x / square).collect(),
                })
            })
            .collect();
        numbered(&former, self.count).into_iter().take(count).collect()
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
            wanted_vectors: kept_vectors(self.count),
        };
        if self.rules.rounded_search {
            largest_eigenvalues_rounded_first(operator, start, self.count, &search)
        } else {
            largest_eigenvalues(operator, start, self.count, &search)
        }
    }

    /// Returns the kept vectors that the next measurement starts from, and those that get no product in it (they rest).
    fn choose(&self) -> (Vec<Kept>, Vec<Kept>) {
        let mut started = self.kept.clone();
        let Some(top) = started.first().map(|top| top.value.abs()) else {
            return (Vec::new(), Vec::new());
        };
        let promise = |kept: &Kept| kept.value + f64::from(kept.rested) * GRANTED_RISE * top;
        let followed = self.count.min(started.len());
        started[followed..].sort_by(|a, b| promise(b).total_cmp(&promise(a)));
        let mut resting = started.split_off((START_VECTORS - 1 + self.count).min(started.len()));
        for kept in &mut resting {
            kept.rested = kept.rested.saturating_add(1);
        }
        (started, resting)
    }

    fn with_noise(&mut self, started: &[Kept]) -> Vec<Tensor<1>> {
        let noise = std::iter::repeat_n(self.rules.tolerance * NOISE_IN_FIRST, self.count)
            .chain(std::iter::repeat(NOISE_IN_OTHERS));
        started
            .iter()
            .zip(noise)
            .map(|(kept, size)| kept.vector.clone() + random_signs(&mut self.rng, &kept.vector, size))
            .collect()
    }
}
