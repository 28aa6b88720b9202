//! The built-in architectures.
//!
//! Parameters have the names, shapes and order that `named_parameters()` of a PyTorch module would give, with the
//! modules in the order of each architecture's list. A running statistic has the name of its batch norm. In the lists,
//! `?` marks an optional layer.

mod plain;
mod resnet;
mod vgg;

pub use plain::{Cnn, Mlp};
pub use resnet::{ResNet18, ResNet20};
pub use vgg::Vgg11;
