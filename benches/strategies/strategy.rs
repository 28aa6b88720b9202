//! Strategies for following λ_max.

use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sharpness::curvature::{Estimate, Rules, Search, Tracker, largest_eigenvalue};

use crate::lobpcg::Lobpcg;
use crate::{Measured, Product};

/// The default relative residual at which a measurement ends; it is the program's default.
pub const TOLERANCE: f64 = 1e-2;

/// The most products of one search.
pub const MAX_PRODUCTS: u64 = 200;

/// A strategy for following λ_max, with its memory.
pub trait Strategy {
    /// Measures λ_max of the operator, for vectors with the shape and device of `like`.
    fn measure(&mut self, product: &mut Product, like: &Tensor<1>) -> Measured;
}

/// Returns the strategies that are compared, with their names in the table.
pub fn all() -> Vec<(String, Box<dyn Strategy>)> {
    let mut all: Vec<(String, Box<dyn Strategy>)> = vec![
        ("cold Lanczos, tolerance 1e-2".to_owned(), Box::new(Cold::new(1e-2))),
        ("cold Lanczos, tolerance 1e-3".to_owned(), Box::new(Cold::new(1e-3))),
        ("warm Lanczos".to_owned(), Box::new(Kept::new(1))),
        ("LOBPCG, one vector of memory".to_owned(), Box::new(Lobpcg::default())),
    ];
    for count in [2, 3, 4] {
        all.push((
            format!("warm Lanczos, {count} vectors kept"),
            Box::new(Kept::new(count)),
        ));
    }
    for audit_every in [0, 25, 10] {
        let audits = match audit_every {
            0 => "no audits".to_owned(),
            n => format!("audits every {n}"),
        };
        let rules = Rules {
            tolerance: TOLERANCE,
            tolerance_floor: 1e-5,
            max_products: MAX_PRODUCTS,
            audit_every,
            rounded_search: false,
        };
        let tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(1));
        all.push((format!("the program's tracker, {audits}"), Box::new(tracker)));
    }
    all
}

impl Strategy for Tracker {
    fn measure(&mut self, product: &mut Product, like: &Tensor<1>) -> Measured {
        let found = Self::measure(self, &mut |v: &Tensor<1>| product(v), like, false).expect("nobody interrupts");
        Measured {
            value: found.value,
            products: found.products,
        }
    }
}

/// Starts from a random vector each time.
struct Cold {
    tolerance: f64,
    rng: ChaCha8Rng,
}

impl Cold {
    fn new(tolerance: f64) -> Self {
        Self {
            tolerance,
            rng: ChaCha8Rng::seed_from_u64(2),
        }
    }
}

impl Strategy for Cold {
    fn measure(&mut self, product: &mut Product, like: &Tensor<1>) -> Measured {
        find(product, &[random(&mut self.rng, like)], self.tolerance, 0, 1).into()
    }
}

/// Starts from the last top eigenvectors, without noise, power iteration or audits.
struct Kept {
    count: usize,
    vectors: Vec<Tensor<1>>,
}

impl Kept {
    fn new(count: usize) -> Self {
        Self {
            count,
            vectors: Vec::new(),
        }
    }
}

impl Strategy for Kept {
    fn measure(&mut self, product: &mut Product, like: &Tensor<1>) -> Measured {
        let found = if self.vectors.is_empty() {
            cold(product, like, self.count)
        } else {
            find(product, &self.vectors, TOLERANCE, 0, self.count)
        };
        self.vectors = found.vectors.iter().collect();
        found.into()
    }
}

/// The reference for λ_max: starts from eight kept vectors and a random one, and refines further than any strategy.
#[derive(Default)]
pub struct Reference {
    vectors: Vec<Tensor<1>>,
    measurements: u64,
}

impl Reference {
    /// Measures λ_max of the operator.
    pub fn measure(&mut self, product: &mut Product, like: &Tensor<1>) -> Measured {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        rng.set_stream(self.measurements);
        self.measurements += 1;
        let least = if self.vectors.is_empty() { 40 } else { 20 };
        let mut start = self.vectors.clone();
        start.push(random(&mut rng, like));
        let found = find(product, &start, 1e-3, least, 8);
        self.vectors = found.vectors.iter().collect();
        found.into()
    }
}

/// Makes the first measurement of a strategy with a memory.
pub fn cold(product: &mut Product, like: &Tensor<1>, wanted: usize) -> Estimate {
    let start = random(&mut ChaCha8Rng::seed_from_u64(4), like);
    find(product, &[start], 1e-3, 10, wanted)
}

fn find(product: &mut Product, start: &[Tensor<1>], tolerance: f64, least: u64, wanted: usize) -> Estimate {
    let search = Search {
        tolerance,
        min_products: least,
        max_products: MAX_PRODUCTS,
        wanted_vectors: wanted,
    };
    largest_eigenvalue(&mut |v: &Tensor<1>| product(v), start, &search).expect("nobody interrupts")
}

impl From<Estimate> for Measured {
    fn from(found: Estimate) -> Self {
        Self {
            value: found.value,
            products: found.products,
        }
    }
}

/// Returns a vector of independent normal numbers.
pub fn random(rng: &mut ChaCha8Rng, like: &Tensor<1>) -> Tensor<1> {
    let [length] = like.dims();
    let values: Vec<f64> = (0..length).map(|_| StandardNormal.sample(rng)).collect();
    Tensor::from_data(TensorData::new(values, [length]), (&like.device(), like.dtype()))
}
