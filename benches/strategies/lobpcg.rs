//! LOBPCG for one eigenvalue (Knyazev 2001): Rayleigh–Ritz on the iterate x, its residual, and the last direction p.

use burn::tensor::Tensor;
use nalgebra::{DMatrix, SymmetricEigen};
use sharpness::tensor::norm;

use crate::strategy::{MAX_PRODUCTS, Strategy, TOLERANCE, cold};
use crate::{Measured, Product};

/// x and p of the last measurement.
#[derive(Default)]
pub struct Lobpcg {
    x: Option<Tensor<1>>,
    p: Option<Tensor<1>>,
}

/// Orthonormal vectors with their images.
#[derive(Default)]
struct Basis {
    vectors: Vec<Tensor<1>>,
    images: Vec<Tensor<1>>,
}

impl Basis {
    /// Adds the component of `vector` orthogonal to the basis. Its image, if unknown, costs one product.
    fn push(&mut self, vector: Tensor<1>, image: Option<Tensor<1>>, product: &mut Product) -> u64 {
        let (mut vector, mut image) = (vector, image);
        let before = norm(&vector);
        for _ in 0..2 {
            for (q, hq) in self.vectors.iter().zip(&self.images) {
                let overlap = dot(q, &vector);
                vector = vector - q.clone() * overlap;
                image = image.map(|image| image - hq.clone() * overlap);
            }
        }
        let length = norm(&vector);
        if length <= 1e-6 * before {
            return 0;
        }
        let vector = vector / length;
        let products = u64::from(image.is_none());
        self.images
            .push(image.map_or_else(|| product(&vector), |image| image / length));
        self.vectors.push(vector);
        products
    }

    /// Returns the largest Ritz value and its coefficients.
    fn top(&self) -> (f64, Vec<f64>) {
        let n = self.vectors.len();
        let projected = DMatrix::from_fn(n, n, |i, j| dot(&self.vectors[i.min(j)], &self.images[i.max(j)]));
        let eigen = SymmetricEigen::new(projected);
        let top = eigen.eigenvalues.imax();
        let coefficients = eigen.eigenvectors.column(top).iter().copied().collect();
        (eigen.eigenvalues[top], coefficients)
    }
}

impl Strategy for Lobpcg {
    fn measure(&mut self, product: &mut Product, like: &Tensor<1>) -> Measured {
        let Some(x) = self.x.take() else {
            let first = cold(product, like, 1);
            self.x = first.vectors.iter().next();
            return first.into();
        };
        let mut basis = Basis::default();
        let mut products = basis.push(x, None, product);
        if let Some(p) = self.p.take() {
            products += basis.push(p, None, product);
        }
        loop {
            let (value, coefficients) = basis.top();
            let x = combine(&basis.vectors, &coefficients);
            let hx = combine(&basis.images, &coefficients);
            // The change of the iterate, without its component along the iterate itself.
            let p = (basis.vectors.len() > 1).then(|| {
                let rest = |all: &[Tensor<1>]| combine(&all[1..], &coefficients[1..]);
                (rest(&basis.vectors), rest(&basis.images))
            });
            let residual = hx.clone() - x.clone() * value;
            if norm(&residual) <= TOLERANCE * value.abs() || products >= MAX_PRODUCTS {
                self.x = Some(x);
                self.p = p.map(|(p, _)| p);
                return Measured { value, products };
            }
            basis = Basis::default();
            basis.push(x, Some(hx), product);
            if let Some((p, hp)) = p {
                basis.push(p, Some(hp), product);
            }
            products += basis.push(residual, None, product);
        }
    }
}

fn dot(a: &Tensor<1>, b: &Tensor<1>) -> f64 {
    (a.clone() * b.clone()).sum().into_scalar::<f64>()
}

fn combine(vectors: &[Tensor<1>], coefficients: &[f64]) -> Tensor<1> {
    let mut terms = vectors.iter().zip(coefficients).map(|(x, &c)| x.clone() * c);
    let first = terms.next().expect("a combination of something");
    terms.fold(first, |sum, term| sum + term)
}
