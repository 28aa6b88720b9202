//! Initial values of parameters.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// The distribution of one parameter's numbers before training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// All numbers equal this constant.
    Constant(f64),
    /// Uniform from −`bound` to `bound`.
    Uniform {
        /// Largest magnitude.
        bound: f64,
    },
    /// Normal with mean 0.
    Normal {
        /// Standard deviation.
        deviation: f64,
    },
}

impl Initial {
    /// 0, for biases and the last convolutions of residual branches.
    pub const ZERO: Self = Self::Constant(0.0);

    /// Returns PyTorch's default for linear and convolutional layers: uniform in ±1/√fan-in.
    pub fn pytorch(fan_in: usize) -> Self {
        Self::Uniform {
            bound: 1.0 / (fan_in as f64).sqrt(),
        }
    }

    /// Returns the distribution of He et al. (2015): normal with variance 2/fan. With it, signals neither grow nor
    /// shrink through consecutive ReLU layers.
    pub fn he(fan: usize) -> Self {
        Self::Normal {
            deviation: (2.0 / fan as f64).sqrt(),
        }
    }

    /// Returns the distribution of numbers that are `factor` times as large.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(value * factor),
            Self::Uniform { bound } => Self::Uniform { bound: bound * factor },
            Self::Normal { deviation } => Self::Normal {
                deviation: deviation * factor,
            },
        }
    }

    /// Draws `count` numbers and appends them to `values`.
    pub(crate) fn draw(self, count: usize, rng: &mut ChaCha8Rng, values: &mut Vec<f64>) {
        match self {
            Self::Constant(value) => values.extend(std::iter::repeat_n(value, count)),
            Self::Uniform { bound } => values.extend((0..count).map(|_| rng.random_range(-bound..bound))),
            Self::Normal { deviation } => values.extend((0..count).map(|_| {
                let x: f64 = StandardNormal.sample(rng);
                x * deviation
            })),
        }
    }
}
