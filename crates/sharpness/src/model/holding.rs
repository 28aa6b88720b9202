//! The count of numbers that a layer holds for an example while a network computes. It serves to predict memory.

/// The shape of a tensor between layers, for one example: [channels, height, width].
pub type ImageShape = [usize; 3];

/// Returns the count of numbers in a tensor of this shape.
pub fn size(shape: ImageShape) -> usize {
    shape.iter().product()
}

/// The tensor between layers that a layer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Neither input nor output.
    Neither,
    /// The input, x.
    Input,
    /// The output, y.
    Output,
}

/// The count of numbers that a layer holds for one example. Each layer declares it next to its node.
///
/// It serves only to predict memory ([`Network::footprint`](super::Network::footprint)): a layer that declares too
/// little still computes the same.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// The shape of the layer's output.
    pub output: ImageShape,
    /// Whether the layer's node keeps x, y or neither.
    pub keeps: Keeps,
    /// Whether the layer's tangent keeps ẋ, ẏ or neither.
    pub tangent_keeps: Keeps,
    /// Other numbers that the layer's node keeps.
    pub remembered: usize,
    /// Other numbers that the layer's tangent keeps for the backward half of a product.
    pub tangents: usize,
    /// Temporary numbers of the layer's derivatives, without δ and the result.
    pub passing: usize,
    /// Whether the output is the input itself, not another tensor.
    pub is_identity: bool,
}

impl Holding {
    /// Returns the declaration of a layer that keeps only shapes and needs no temporary numbers.
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
