//! The architectures there are.
//!
//! Parameters have the names, shapes and order that `named_parameters()` of a PyTorch module would give, with the modules in
//! the order of each architecture's list; a running statistic has its batch norm's name.

mod plain;
mod resnet;
mod vgg;

pub use plain::{Cnn, Mlp};
pub use resnet::{ResNet18, ResNet20};
pub use vgg::Vgg11;
