//! λ_max, the sharpness of a network's loss: the largest algebraic eigenvalue of the Hessian of the mean loss, computed
//! with exact Hessian-vector products.
//!
//! With n examples (xᵢ, yᵢ), a network f with parameters w, and a loss ℓ of one example, the mean loss is
//! L(w) = (1/n) Σᵢ ℓ(f(xᵢ; w), yᵢ), and λ_max is the largest eigenvalue of ∇²L(w). Gradient descent with learning rate η
//! is unstable where λ_max > 2/η.
//!
//! | module | contents |
//! |---|---|
//! | [`model`] | networks and losses: values, gradients, and exact Hessian-vector products |
//! | [`curvature`] | the Hessian and other operators, their largest eigenvalues once or along a training run, trace and spectrum |
//! | [`optimizer`] | optimizers, each with its step, its state and its stability threshold |
//! | [`schedule`] | learning rates over the steps of a run |
//! | [`tensor`] | vectors of parameters; copies between the host and a device |
//! | [`random`] | one stream of random numbers for each purpose |
//!
//! To add a layer, an architecture, an optimizer or a schedule, implement the trait of its kind: [`model::Layer`] with
//! [`model::Node`], [`model::Architecture`], [`optimizer::Optimizer`], [`schedule::Shape`]. For any other symmetric
//! matrix, implement [`curvature::SymmetricOperator`].
//!
//! ```
//! use burn::tensor::{DType, Device};
//! use sharpness::curvature::{Hessian, MeanLoss, Rules, Tracker};
//! use sharpness::model::{Examples, Hidden, Loss, Mlp, Network};
//! use sharpness::optimizer::{GradientDescent, Optimizer};
//! use sharpness::random::{Purpose, stream};
//!
//! // Four images of one channel and 2×2 pixels, of two classes.
//! let pixels = [1., 0., 0., 1., 0., 1., 1., 0., 1., 1., 0., 0., 0., 0., 1., 1.];
//! let examples = Examples::upload(&pixels, &[0, 0, 1, 1], 2, &Device::flex(), DType::F64);
//! let mlp = Mlp { widths: vec![8], hidden: Hidden::default() };
//! let network = Network::new(&mlp, [1, 2, 2], 2);
//! let parameters = network.initial_parameters(0, &Device::flex(), DType::F64);
//!
//! let mean_loss = MeanLoss::new(&network, Loss::CrossEntropy, &examples);
//! let mut go_on = || true;
//! let mut hessian = Hessian::new(mean_loss, &parameters, &mut go_on);
//! let mut tracker = Tracker::new(Rules::new(1e-6, DType::F64), stream(0, Purpose::Eigenvector(0)));
//! let lambda_max = tracker.measure(&mut hessian, &parameters, false)?;
//! assert!(lambda_max.converged && lambda_max.residual <= 1e-6 * lambda_max.value);
//!
//! let threshold = GradientDescent::default().threshold(0.1);
//! assert!(threshold == Some(20.0) && lambda_max.value < 20.0);
//! # Ok::<(), sharpness::curvature::Interrupted>(())
//! ```
//!
//! Two longer examples: `lambda_max` defines a layer, and `edge_of_stability` defines a training loop. Run them with
//! `cargo run --release -p sharpness --example lambda_max`.
//!
//! # Back ends
//!
//! Tensors are [burn](https://docs.rs/burn)'s. Everything is computed on the device of the input tensors. The feature
//! `flex` (default) enables burn's pure-Rust back end for the CPU. The feature `tch` enables LibTorch on the CPU and on
//! CUDA. On both, this library replaces burn's slow operations with its own. On every other back end of burn, it
//! computes the same with burn's operations.
//!
//! # What it does not do
//!
//! The library never prints, ends the process, reads the environment or opens a file. It computes on the calling
//! thread; flex and LibTorch also use their own threads. An error of a back end, for example out of memory, becomes a
//! panic.

/// Burn, in the version whose tensors this library uses.
pub use burn;

pub mod curvature;
pub mod model;
pub mod optimizer;
pub mod random;
pub mod schedule;
pub mod tensor;
