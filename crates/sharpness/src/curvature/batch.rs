//! The curvature along the gradient of a batch, and its mean over batches: batch sharpness.

use burn::tensor::Tensor;

use super::mean_loss::{Hessian, MeanLoss};
use super::operator::{Interrupted, SymmetricOperator};
use super::rows::dot;
use super::sampled::Sampled;
use super::space::read;

/// The margin in the number of batches that are wanted for an error: without it, half of the errors would be larger.
const MARGIN: f64 = 1.1;

/// The curvature of a function along a direction d.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Along {
    /// dᵀHd.
    pub quadratic: f64,
    /// ‖d‖².
    pub squared_norm: f64,
}

impl Along {
    /// Measures H along d, with one product.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if the product was interrupted.
    pub fn direction(operator: &mut impl SymmetricOperator, d: &Tensor<1>) -> Result<Self, Interrupted> {
        let image = operator.apply(d)?;
        let products = read(vec![dot(d, &image), dot(d, d)]);
        Ok(Self {
            quadratic: products[0],
            squared_norm: products[1],
        })
    }

    /// Measures the Hessian of `batch`, the mean loss of one batch, along its own gradient g, both at `parameters`,
    /// `[parameters]`. This costs one gradient and one product.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if `go_on` returns false.
    pub fn gradient(
        batch: MeanLoss,
        parameters: &Tensor<1>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self, Interrupted> {
        let (_, gradient) = batch.value_and_gradient(parameters);
        Self::direction(&mut Hessian::new(batch, parameters, go_on).keeping(0), &gradient)
    }

    /// Returns dᵀHd/‖d‖², the Rayleigh quotient; NaN if d is 0.
    pub fn curvature(self) -> f64 {
        self.quadratic / self.squared_norm
    }
}

/// The curvature along the gradients of random batches.
///
/// *Batch sharpness* is `E[gᵀHg/‖g‖²]` over batches of the training size, with g and H the gradient and the Hessian of the
/// loss of the same batch: the mean of the ratios. Under stochastic gradient descent it rises to 2/η and stays near it,
/// while λ_max stays below (Andreyev and Beneventano 2024, "Edge of stochastic stability"). The ratio of the means
/// `E[gᵀHg]/E[‖g‖²]` decides, to second order, whether a step lowers the loss of its batch in the mean: it does below 2/η.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchSharpness(Vec<Along>);

impl BatchSharpness {
    /// Adds one batch.
    pub fn add(&mut self, batch: Along) {
        self.0.push(batch);
    }

    /// Returns the number of batches.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no batches.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of batches with which the standard error of the mean of ratios is expected to be at most `error`
    /// times the mean, with a tenth more: n·(standard error/(error·mean))²·1.1 for the n batches so far.
    ///
    /// Look at the error only once, after a fixed number of batches. A measurement that stopped as soon as the error is
    /// small enough would often stop where it is estimated too small by chance: with skewed ratios 86 % instead of 92 % of its
    /// 95 % intervals held the expectation.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Not negative; `as` saturates.
    pub fn wanted(&self, error: f64) -> u64 {
        let Sampled {
            value, standard_error, ..
        } = self.mean_of_ratios();
        (self.len() as f64 * (standard_error / (error * value)).powi(2) * MARGIN).ceil() as u64
    }

    /// Returns the mean of gᵀHg/‖g‖²; its standard error is s/√n. NaN if there are no batches.
    pub fn mean_of_ratios(&self) -> Sampled {
        self.mean(|batch| batch.curvature())
    }

    /// Returns the mean of gᵀHg divided by the mean of ‖g‖². Its standard error is that of the linearized ratio (the
    /// delta method): that of the mean of gᵀHg − r‖g‖², divided by the mean of ‖g‖². NaN if there are no batches.
    pub fn ratio_of_means(&self) -> Sampled {
        let squares = self.mean(|batch| batch.squared_norm).value;
        let value = self.mean(|batch| batch.quadratic).value / squares;
        let rests = self.mean(|batch| batch.quadratic - value * batch.squared_norm);
        Sampled {
            value,
            standard_error: rests.standard_error / squares,
            ..rests
        }
    }

    fn mean(&self, of: impl Fn(&Along) -> f64) -> Sampled {
        Sampled::mean(&self.0.iter().map(of).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_errors_of_three_batches_are_those_computed_by_hand() {
        let mut sharpness = BatchSharpness::default();
        assert!(sharpness.is_empty() && sharpness.mean_of_ratios().value.is_nan());
        for (quadratic, squared_norm) in [(2.0, 1.0), (8.0, 2.0), (18.0, 3.0)] {
            sharpness.add(Along {
                quadratic,
                squared_norm,
            });
        }
        // The ratios are 2, 4 and 6: mean 4, s = 2.
        let ratios = sharpness.mean_of_ratios();
        assert!((ratios.value - 4.0).abs() < 1e-15);
        assert!((ratios.standard_error - 2.0 / 3.0_f64.sqrt()).abs() < 1e-15);
        // The means are 28/3 and 2. The rests 2 − r, 8 − 2r and 18 − 3r with r = 14/3 are −8/3, −4/3 and 4.
        let means = sharpness.ratio_of_means();
        assert!((means.value - 14.0 / 3.0).abs() < 1e-15);
        let rests = [-8.0 / 3.0, -4.0 / 3.0, 4.0_f64];
        let s = (rests.iter().map(|x| x * x).sum::<f64>() / 2.0).sqrt();
        assert!((means.standard_error - s / 3.0_f64.sqrt() / 2.0).abs() < 1e-14);
        assert_eq!(sharpness.len(), 3);
    }

    /// Gamma-like ratios: squares of normal numbers are skewed, as the ratios of batches are.
    #[test]
    fn intervals_of_two_hundred_seeds_cover_the_expectations() {
        use crate::random::{Purpose, stream};
        use rand_distr::{Distribution, StandardNormal};
        let mut covered = [0; 2];
        for seed in 0..200 {
            let mut rng = stream(seed, Purpose::Batches);
            let mut sharpness = BatchSharpness::default();
            for _ in 0..60 {
                let [a, b, c]: [f64; 3] = std::array::from_fn(|_| StandardNormal.sample(&mut rng));
                // ‖g‖² has mean 2; the ratio is independent of it and has mean 3 + 1.
                let squared_norm = 1.0 + a * a;
                let ratio = 3.0 + b * b + 0.5 * c;
                sharpness.add(Along {
                    quadratic: ratio * squared_norm,
                    squared_norm,
                });
            }
            // The 97.5 % quantile of t with 59 degrees of freedom.
            let t = 2.001;
            for (count, sampled) in covered
                .iter_mut()
                .zip([sharpness.mean_of_ratios(), sharpness.ratio_of_means()])
            {
                *count += u32::from((sampled.value - 4.0).abs() <= t * sampled.standard_error);
            }
        }
        // 91 % to 98 % is what 200 seeds can tell from 95 %.
        assert!(covered.iter().all(|count| (182..=196).contains(count)), "{covered:?}");
    }

    /// Ratios with a log-normal distribution, of which as many are drawn as the first 32 say.
    #[test]
    fn intervals_cover_the_expectation_if_the_number_of_batches_is_chosen_from_the_first_ones() {
        use crate::random::{Purpose, stream};
        use rand_distr::{Distribution, StandardNormal};
        let (mut covered, mut small_enough) = (0, 0);
        for seed in 0..200 {
            let mut rng = stream(seed, Purpose::Batches);
            let mut sharpness = BatchSharpness::default();
            let mut wanted = 32;
            while (sharpness.len() as u64) < wanted {
                let normal: f64 = StandardNormal.sample(&mut rng);
                sharpness.add(Along {
                    quadratic: (0.5 * normal).exp(),
                    squared_norm: 1.0,
                });
                if sharpness.len() == 32 {
                    wanted = sharpness.wanted(0.05);
                }
            }
            let Sampled {
                value, standard_error, ..
            } = sharpness.mean_of_ratios();
            // The expectation is exp(σ²/2). With the hundred batches that are drawn, t is 1.98.
            covered += u32::from((value - 0.125_f64.exp()).abs() <= 1.98 * standard_error);
            small_enough += u32::from(standard_error <= 0.05 * value);
        }
        assert!((182..=196).contains(&covered), "{covered}");
        assert!(small_enough > 120, "{small_enough}");
    }
}
