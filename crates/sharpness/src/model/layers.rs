//! The built-in layers, one per file, each with its value, its gradient, its tangent and the gradient's tangent.

mod activation;
mod average;
mod batch_norm;
mod conv;
mod dropout;
mod linear;
mod pool;
mod subsample;

pub use activation::Activation;
pub(crate) use average::Average;
pub(crate) use batch_norm::BatchNorm;
pub(crate) use conv::Conv2d;
pub use conv::Filters;
pub(crate) use dropout::Dropout;
pub(crate) use linear::Linear;
pub(crate) use pool::MaxPool;
pub use pool::pooled;
pub(crate) use subsample::Subsample;
