//! The cost and the accuracy of a track of several eigenvalues.

use burn::tensor::Tensor;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Measurement, Rules, Search, Tracker, largest_eigenvalues};

use crate::Product;
use crate::strategy::{MAX_PRODUCTS, TOLERANCE, random};

/// Numbers of eigenvalues.
const COUNTS: [usize; 4] = [1, 3, 5, 10];

/// Number of vectors that the reference keeps.
const OF_REFERENCE: usize = 20;

/// Tracks of several eigenvalues along one run, and a more accurate reference.
pub struct Several {
    trackers: Vec<(Tracker, Vec<Measurement>)>,
    vectors: Vec<Tensor<1>>,
    truth: Vec<Vec<f64>>,
}

impl Several {
    pub fn new() -> Self {
        let rules = Rules {
            tolerance: TOLERANCE,
            tolerance_floor: 1e-5,
            max_products: MAX_PRODUCTS,
            audit_every: 10,
            rounded_search: false,
        };
        let tracker = |count| Tracker::new(rules, ChaCha8Rng::seed_from_u64(1)).following(count);
        Self {
            trackers: COUNTS.map(|count| (tracker(count), Vec::new())).into(),
            vectors: Vec::new(),
            truth: Vec::new(),
        }
    }

    /// Measures with each track and with the reference.
    pub fn measure(&mut self, product: &mut Product, like: &Tensor<1>) {
        let most = COUNTS[COUNTS.len() - 1];
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        rng.set_stream(self.truth.len() as u64);
        let mut start = self.vectors.clone();
        start.extend((0..2).map(|_| random(&mut rng, like)));
        let search = Search {
            tolerance: 1e-3,
            min_products: OF_REFERENCE as u64 + 20,
            max_products: 1_000,
            wanted_vectors: OF_REFERENCE,
        };
        let found =
            largest_eigenvalues(&mut |v: &Tensor<1>| product(v), &start, most, &search).expect("nobody interrupts");
        self.vectors = found.vectors.iter().collect();
        self.truth
            .push(found.eigenvalues.iter().map(|found| found.value).collect());
        for (tracker, measured) in &mut self.trackers {
            let found = tracker.measure(&mut |v: &Tensor<1>| product(v), like, false);
            measured.push(found.expect("nobody interrupts"));
        }
    }

    /// Prints a row for each number of eigenvalues. "Low" is by how much an eigenvalue is too low, in shares of λ_max.
    pub fn print(&self) {
        println!("                 products                            more than 1 % of λ_max low");
        println!(
            "eigenvalues      first  median  mean warm  mean audit   values   worst   unconverged  corrected  λk/λ1"
        );
        for (count, (_, measured)) in COUNTS.into_iter().zip(&self.trackers) {
            let (audits, warm): (Vec<_>, Vec<_>) = measured[1..].iter().partition(|m| m.audited);
            let mut products: Vec<u64> = warm.iter().map(|m| m.products).collect();
            products.sort_unstable();
            let mean = |of: &[&Measurement]| of.iter().map(|m| m.products).sum::<u64>() as f64 / of.len() as f64;
            let low: Vec<f64> = measured
                .iter()
                .zip(&self.truth)
                .flat_map(|(m, truth)| {
                    let pairs = m.eigenvalues.iter().zip(truth);
                    pairs.map(|(found, expected)| (expected - found.value) / truth[0])
                })
                .collect();
            println!(
                "{count:11} {:10} {:7} {:10.1} {:11.1} {:8} {:7.2} % {:9} {:10} {:8.3}",
                measured[0].products,
                products[products.len() / 2],
                mean(&warm),
                mean(&audits),
                low.iter().filter(|&&low| low > 0.01).count(),
                100.0 * low.iter().copied().fold(0.0, f64::max),
                measured.iter().filter(|m| !m.converged).count(),
                measured
                    .iter()
                    .filter(|m| m.corrections.iter().any(Option::is_some))
                    .count(),
                self.truth.iter().map(|t| t[count - 1] / t[0]).sum::<f64>() / self.truth.len() as f64,
            );
        }
    }
}
