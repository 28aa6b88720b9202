//! The position of each parameter in the flat vector of all parameters.
//!
//! The Hessian acts on vectors, so parameters, gradients and eigenvectors are flat tensors of the same length, in the
//! order of PyTorch's `parameters()`.

use std::ops::Range;

use burn::tensor::{Shape, Tensor};

use super::initial::Initial;

/// One named parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// PyTorch's name: `fc1.weight`.
    pub name: String,
    /// PyTorch's shape: `[out, in]` for a linear weight, `[out, in, kh, kw]` for a convolution's.
    pub shape: Vec<usize>,
    /// The position of its first number in the flat vector.
    pub offset: usize,
    /// The distribution of its numbers before training.
    pub initial: Initial,
}

impl Entry {
    /// Returns the count of its numbers.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns whether it has no numbers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the positions of its numbers in the flat vector.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }

    /// Returns the name of its layer: `fc1` for `fc1.weight`.
    pub fn layer(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(layer, _)| layer)
    }
}

/// A parameter's position among those of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterIndex(usize);

/// The names, shapes and positions of all parameters of a network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    entries: Vec<Entry>,
    len: usize,
}

impl Layout {
    /// Adds a parameter and returns its index.
    pub(crate) fn add(&mut self, name: String, shape: &[usize], initial: Initial) -> ParameterIndex {
        let entry = Entry {
            name,
            shape: shape.to_vec(),
            offset: self.len,
            initial,
        };
        self.len += entry.len();
        self.entries.push(entry);
        ParameterIndex(self.entries.len() - 1)
    }

    /// Returns the count of numbers in all parameters together.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the parameters in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the name of each layer that has parameters, and the positions of its parameters in the flat vector.
    pub fn layers(&self) -> Vec<(&str, Range<usize>)> {
        let layers = self.entries.chunk_by(|a, b| a.layer() == b.layer());
        layers
            .filter_map(|entries| {
                let (first, last) = (entries.first()?, entries.last()?);
                Some((first.layer(), first.offset..last.range().end))
            })
            .collect()
    }

    /// Returns one parameter.
    pub fn entry(&self, index: ParameterIndex) -> &Entry {
        &self.entries[index.0]
    }

    /// Cuts a flat vector `[parameters]` into one flat tensor for each parameter.
    pub fn split(&self, flat: &Tensor<1>) -> Vec<Tensor<1>> {
        self.entries.iter().map(|e| flat.clone().slice(e.range())).collect()
    }
}

/// A flat vector `[parameters]` (the parameters, or a direction) cut into the parameters' own shapes.
pub struct Parts {
    values: Vec<Tensor<1>>,
    shapes: Vec<Vec<usize>>,
}

impl Parts {
    /// Cuts `flat` into its parts.
    pub fn of(layout: &Layout, flat: &Tensor<1>) -> Self {
        Self {
            values: layout.split(flat),
            shapes: layout.entries().iter().map(|e| e.shape.clone()).collect(),
        }
    }

    /// Returns one parameter in its own shape, of `D` dimensions.
    ///
    /// # Panics
    ///
    /// If the shape does not have `D` dimensions.
    pub fn get<const D: usize>(&self, index: ParameterIndex) -> Tensor<D> {
        let ParameterIndex(index) = index;
        self.values[index]
            .clone()
            .reshape(Shape::from(self.shapes[index].clone()))
    }
}

/// A gradient to which layers add their parts, in any order.
pub struct Gradient {
    lengths: Vec<usize>,
    parts: Vec<Option<Tensor<1>>>,
}

impl Gradient {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            lengths: layout.entries().iter().map(Entry::len).collect(),
            parts: vec![None; layout.entries().len()],
        }
    }

    /// Adds `part` to the derivative with respect to one parameter, which is 0 at first. Several layers may share a
    /// parameter.
    ///
    /// # Panics
    ///
    /// If `part` does not have as many numbers as the parameter.
    pub fn add<const D: usize>(&mut self, index: ParameterIndex, part: Tensor<D>) {
        let ParameterIndex(index) = index;
        let part = part.reshape([self.lengths[index]]);
        self.parts[index] = Some(match self.parts[index].take() {
            Some(before) => before + part,
            None => part,
        });
    }

    /// Returns the whole gradient, `[parameters]`, on the device and in the format of `like`. Parameters without any
    /// part have zeros.
    pub(crate) fn into_flat(self, like: &Tensor<1>) -> Tensor<1> {
        let zeros = |length: usize| Tensor::zeros([length], (&like.device(), like.dtype()));
        let parts = self.parts.into_iter().zip(self.lengths);
        Tensor::cat(
            parts
                .map(|(part, length)| part.unwrap_or_else(|| zeros(length)))
                .collect(),
            0,
        )
    }
}
