//! Random numbers. Each purpose has its own stream, so a change in one purpose does not change the numbers of the
//! others.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A purpose of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial parameters.
    Parameters,
    /// The order of the training examples.
    Order,
    /// Dropout masks.
    Dropout,
    /// Augmentation of the images of training batches.
    Augmentation,
    /// The batches on which batch sharpness is measured.
    Batches,
    /// The vectors of an estimate of the trace.
    Trace,
    /// The vectors of a spectral density.
    Spectrum,
    /// Measurements of the smallest eigenvalue.
    Smallest,
    /// Measurements of the Gauss–Newton matrix.
    GaussNewton,
    /// Measurements of layers.
    Layers,
    /// The examples of the n-th probe.
    Probe(usize),
    /// Start vectors and noise of the n-th probe's eigenvalue measurements.
    Eigenvector(usize),
    /// The same for the n-th probe's measurements of preconditioned sharpness.
    Preconditioned(usize),
}

/// Returns the random stream of a seed for a purpose. Its numbers are the same on every machine and back end.
pub fn stream(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(match purpose {
        Purpose::Parameters => 0,
        Purpose::Order => 1,
        Purpose::Dropout => 2,
        Purpose::Augmentation => 3,
        Purpose::Batches => 4,
        Purpose::Trace => 5,
        Purpose::Spectrum => 6,
        Purpose::Smallest => 7,
        Purpose::GaussNewton => 8,
        Purpose::Layers => 9,
        Purpose::Probe(n) => 1_000 + n as u64,
        Purpose::Eigenvector(n) => 2_000 + n as u64,
        Purpose::Preconditioned(n) => 3_000 + n as u64,
    });
    rng
}
