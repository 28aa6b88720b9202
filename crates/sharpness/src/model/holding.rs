//! How many numbers a layer holds of an example while a network computes, from which memory is predicted.

/// [channels, height, width] of what flows between layers, of one example.
pub type ImageShape = [usize; 3];

/// Numbers of one example.
pub fn size(shape: ImageShape) -> usize {
    shape.iter().product()
}

/// Which of the tensors between layers a layer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// None of them.
    Neither,
    /// The input, x.
    Input,
    /// The output, y.
    Output,
}

/// How many numbers a layer holds of one example; each layer declares it beside its node.
///
/// It serves the prediction of memory ([`Network::footprint`](super::Network::footprint)) alone: a layer that declares less than
/// it holds computes the same.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// The shape of its output.
    pub output: ImageShape,
    /// Which of x and y its node keeps.
    pub keeps: Keeps,
    /// Which of ẋ and ẏ its tangent keeps.
    pub tangent_keeps: Keeps,
    /// Other numbers that its node keeps.
    pub remembered: usize,
    /// Other numbers that its tangent leaves for the second half of a product.
    pub tangents: usize,
    /// Numbers that its derivatives hold for a moment, beside δ and their result.
    pub passing: usize,
    /// Whether its output is its input, not another tensor.
    pub is_identity: bool,
}

impl Holding {
    /// A layer that remembers nothing but shapes and takes nothing in passing.
    pub fn nothing(output: ImageShape) -> Self {
        Self {
            output,
            keeps: Keeps::Neither,
            tangent_keeps: Keeps::Neither,
            remembered: 0,
            tangents: 0,
            passing: 0,
            is_identity: false,
        }
    }
}
