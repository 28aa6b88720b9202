//! Tests of searches that make rounded products first: their results are exact, and as good as without rounding.

use burn::tensor::Tensor;
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{
    Interrupted, Rules, Search, SymmetricOperator, Tracker, largest_eigenvalue, largest_eigenvalue_rounded_first,
};

use super::vectors::{apply, normal, numbers, orthogonal, square, tensor, vector};

const DIMENSION: usize = 200;

/// Bits of mantissa in TF32.
const TF32: u32 = 10;

/// Returns the nearest number with `bits` bits of mantissa.
fn round(x: f64, bits: u32) -> f64 {
    let below = 52 - bits;
    f64::from_bits((x.to_bits() + (1 << (below - 1))) >> below << below)
}

/// Q diag(spectrum) Qᵀ, computed as a network computes its Hessian: one product after another, each with rounded
/// factors if rounding is allowed.
struct Rounding {
    exact: [Tensor<2>; 2],
    rounded: [Tensor<2>; 2],
    spectrum: Tensor<1>,
    bits: u32,
    /// The factor that multiplies rounded products.
    scale: f64,
    may_round: bool,
    /// Numbers of exact and of rounded products.
    products: [u64; 2],
    most: u64,
}

impl Rounding {
    fn new(q: &DMatrix<f64>, spectrum: &[f64], bits: u32) -> Self {
        let both = |q: &DMatrix<f64>| [square(&q.transpose()), square(q)];
        Self {
            exact: both(q),
            rounded: both(&q.map(|x| round(x, bits))),
            spectrum: tensor(spectrum),
            bits,
            scale: 1.0,
            may_round: false,
            products: [0, 0],
            most: u64::MAX,
        }
    }
}

impl SymmetricOperator for Rounding {
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        if self.products.iter().sum::<u64>() == self.most {
            return Err(Interrupted);
        }
        self.products[usize::from(self.may_round)] += 1;
        if !self.may_round {
            let [back, q] = &self.exact;
            return Ok(apply(q, &(apply(back, v) * self.spectrum.clone())));
        }
        let rounded = |v: &Tensor<1>| tensor(&numbers(v).into_iter().map(|x| round(x, self.bits)).collect::<Vec<_>>());
        let [back, q] = &self.rounded;
        let inner = apply(back, &rounded(v)) * self.spectrum.clone();
        Ok(apply(q, &rounded(&inner)) * self.scale)
    }

    fn allow_rounding(&mut self, allowed: bool) {
        self.may_round = allowed;
    }
}

fn search(tolerance: f64) -> Search {
    Search {
        tolerance,
        min_products: 10,
        max_products: 200,
        wanted_vectors: 6,
    }
}

fn start(seed: u64) -> Tensor<1> {
    tensor(&normal(100 + seed, DIMENSION))
}

/// Returns a bulk up to 0.9, with the eigenvalues `top` above it.
fn spectrum(top: &[f64]) -> Vec<f64> {
    let mut spectrum: Vec<f64> = normal(5, DIMENSION)
        .iter()
        .map(|x| 0.9 * (x.abs() / 3.0).min(1.0))
        .collect();
    spectrum[..top.len()].copy_from_slice(top);
    spectrum
}

#[test]
fn close_eigenvalues_are_told_as_well_as_without_rounding_and_with_few_exact_products() {
    let q = orthogonal(3, DIMENSION);
    let tops: [&[f64]; 6] = [
        &[1.0, 0.99],
        &[1.0, 0.999],
        &[1.0, 0.9999],
        &[1.0, 0.99, 0.98, 0.97, 0.96, 0.95],
        &[1.0, 0.999, -1.0, -0.999],
        &[1.0, 0.999, -5.0],
    ];
    for top in tops {
        for tolerance in [1e-2, 1e-3] {
            let (mut exact, mut pure) = (0, 0);
            for seed in 0..3 {
                let mut operator = Rounding::new(&q, &spectrum(top), TF32);
                let found =
                    largest_eigenvalue_rounded_first(&mut operator, &[start(seed)], &search(tolerance)).unwrap();
                assert!(
                    found.converged && found.value <= 1.0 + 1e-12,
                    "{top:?}: {}",
                    found.value
                );
                exact += operator.products[0];
                let mut operator = Rounding::new(&q, &spectrum(top), TF32);
                let alone = largest_eigenvalue(&mut operator, &[start(seed)], &search(tolerance)).unwrap();
                pure += operator.products[0];
                assert_eq!(operator.products[1], 0);
                let lost = alone.value - found.value;
                assert!(lost < tolerance, "{top:?} at {tolerance}: {lost:e} lower");
            }
            assert!(
                3 * exact < pure,
                "{top:?} at {tolerance}: {exact} exact products, {pure} without rounding"
            );
        }
    }
}

#[test]
fn value_residual_vector_and_image_are_of_exact_products_and_all_products_are_counted() {
    let q = orthogonal(3, DIMENSION);
    let spectrum = spectrum(&[1.0, 0.99]);
    let matrix = &q * DMatrix::from_diagonal(&DVector::from(spectrum.clone())) * q.transpose();
    for tolerance in [1e-2, 1e-3, 1e-6] {
        let mut operator = Rounding::new(&q, &spectrum, TF32);
        let found = largest_eigenvalue_rounded_first(&mut operator, &[start(1)], &search(tolerance)).unwrap();
        let y = vector(&found.vectors.get(0));
        let image = &matrix * &y;
        assert!((vector(&found.images.get(0)) - &image).norm() < 1e-12);
        assert!((y.dot(&image) - found.value).abs() < 1e-12);
        assert!(((image - &y * found.value).norm() - found.residual).abs() < 1e-12);
        assert!(found.converged && found.residual <= tolerance * found.value);
        let [exact, rounded] = operator.products;
        assert_eq!((found.products, found.rounded_products), (exact + rounded, rounded));
        assert!(
            exact >= 2 && rounded >= 10 && !operator.may_round,
            "{exact} and {rounded}"
        );
    }
}

#[test]
fn rounding_far_above_the_tolerance_ends_the_rounded_products_and_not_the_search() {
    let q = orthogonal(3, DIMENSION);
    for bits in [3, 6] {
        let mut operator = Rounding::new(&q, &spectrum(&[1.0, 0.97]), bits);
        let found = largest_eigenvalue_rounded_first(&mut operator, &[start(1)], &search(1e-8)).unwrap();
        assert!(found.converged && (found.value - 1.0).abs() < 1e-8);
        assert!(found.rounded_products < 60, "{bits} bits: {}", found.rounded_products);
    }
}

#[test]
fn rounded_products_that_lead_to_nothing_are_followed_by_an_exact_search_from_the_start() {
    let q = orthogonal(3, DIMENSION);
    for bad in [f64::NAN, f64::INFINITY] {
        let mut operator = Rounding::new(&q, &spectrum(&[1.0, 0.9]), TF32);
        operator.scale = bad;
        let found = largest_eigenvalue_rounded_first(&mut operator, &[start(1)], &search(1e-6)).unwrap();
        assert!(found.converged && (found.value - 1.0).abs() < 1e-6);
        assert_eq!(found.rounded_products, 1);
        assert_eq!(found.products, 1 + operator.products[0]);
    }
}

#[test]
fn the_most_products_hold_for_rounded_and_exact_ones_together() {
    let q = orthogonal(3, DIMENSION);
    for max_products in [1, 2, 3, 10, 25] {
        let mut operator = Rounding::new(&q, &spectrum(&[1.0, 0.999]), TF32);
        let limits = Search {
            max_products,
            ..search(1e-12)
        };
        let found = largest_eigenvalue_rounded_first(&mut operator, &[start(1)], &limits).unwrap();
        assert_eq!(found.products, max_products);
        assert!(found.value.is_finite() && !found.converged);
    }
}

fn tracker(seed: u64) -> Tracker {
    let rules = Rules {
        tolerance: 1e-2,
        tolerance_floor: 1e-12,
        max_products: 200,
        audit_every: 0,
        rounded_search: true,
    };
    Tracker::new(rules, ChaCha8Rng::seed_from_u64(seed))
}

/// Without audits a track can miss a direction for a while: of 24 matrices, one lost 6 of its 100 measurements. So several
/// matrices are followed, and few misses are allowed.
#[test]
fn three_directions_that_take_turns_at_the_top_are_followed_with_few_exact_products() {
    let like = tensor(&[0.0; DIMENSION]);
    let (mut exact, mut rounded, mut missed) = (0, 0, 0);
    for seed in 0..4 {
        let q = orthogonal(3 + seed, DIMENSION);
        let mut tracker = tracker(1 + seed);
        for step in 0..100 {
            let phase = f64::from(step) * std::f64::consts::PI / 25.0;
            let top = [0.0, 2.1, 4.2].map(|shift| 10.0 + (phase + shift).cos());
            let expected = top.into_iter().fold(f64::MIN, f64::max);
            let mut operator = Rounding::new(&q, &spectrum(&[top[0], top[1], top[2], 8.0, 7.0]), TF32);
            let found = tracker.measure(&mut operator, &like, false).unwrap();
            assert!(found.converged && found.value <= expected + 1e-12);
            missed += u32::from(found.value < expected * 0.99);
            exact += found.products - found.rounded_products;
            rounded += found.rounded_products;
        }
    }
    assert!(missed <= 10, "{missed} of 400");
    assert!(exact < 400 * 3 && rounded < 400 * 5, "{exact} and {rounded} in 400");
}

#[test]
fn an_interruption_in_either_part_leaves_the_track_where_it_was_and_products_exact() {
    let q = orthogonal(3, DIMENSION);
    let like = tensor(&[0.0; DIMENSION]);
    let spectrum = spectrum(&[10.0, 9.0]);
    let mut tracker = tracker(1);
    tracker
        .measure(&mut Rounding::new(&q, &spectrum, TF32), &like, false)
        .unwrap();
    let before = tracker.state();
    for most in [0, 2, 4, 10, 15] {
        let mut operator = Rounding::new(&q, &spectrum, TF32);
        operator.most = most;
        assert_eq!(tracker.measure(&mut operator, &like, true), Err(Interrupted), "{most}");
        assert!(!operator.may_round);
        let after = tracker.state();
        assert_eq!((&after.values, after.since_audit), (&before.values, before.since_audit));
        for (x, y) in before.vectors.iter().zip(&after.vectors) {
            assert_eq!(numbers(x), numbers(y));
        }
    }
    let next = tracker
        .measure(&mut Rounding::new(&q, &spectrum, TF32), &like, false)
        .unwrap();
    assert!(next.converged && !next.audited && next.products < 10, "{next:?}");
}
