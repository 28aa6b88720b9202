//! Where each parameter lies in the one flat vector that holds them all.
//!
//! The Hessian acts on vectors, so parameters, gradients and eigenvectors are flat tensors of the same length, in the
//! order in which PyTorch's `parameters()` would give them.

use burn::tensor::{Gradients, Shape, Tensor};

use super::Dual;

/// One named parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// PyTorch's name: `fc1.weight`.
    pub name: String,
    /// PyTorch's shape: `[out, in]` for a linear weight, `[out, in, kh, kw]` for a convolution's.
    pub shape: Vec<usize>,
    /// Where its numbers begin in the flat vector.
    pub offset: usize,
    /// Inputs of one unit, which scale PyTorch's default initialization; `None` where it is a constant.
    pub fan_in: Option<usize>,
    /// The constant where `fan_in` is `None`.
    pub constant: f64,
}

impl Entry {
    /// How many numbers it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no numbers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Every parameter of a network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    entries: Vec<Entry>,
    len: usize,
}

impl Layout {
    /// Adds a parameter drawn uniformly from ±1/√`fan_in` and gives its index.
    pub(super) fn add_uniform(&mut self, name: String, shape: &[usize], fan_in: usize) -> usize {
        self.add(name, shape, Some(fan_in), 0.0)
    }

    /// Adds a parameter that begins as a constant and gives its index.
    pub(super) fn add_constant(&mut self, name: String, shape: &[usize], constant: f64) -> usize {
        self.add(name, shape, None, constant)
    }

    fn add(&mut self, name: String, shape: &[usize], fan_in: Option<usize>, constant: f64) -> usize {
        let entry = Entry {
            name,
            shape: shape.to_vec(),
            offset: self.len,
            fan_in,
            constant,
        };
        self.len += entry.len();
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// How many numbers all parameters have together.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The parameters in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Cuts a flat vector `[parameters]` into one flat tensor a parameter.
    pub fn split(&self, flat: &Tensor<1>) -> Vec<Tensor<1>> {
        self.entries
            .iter()
            .map(|e| flat.clone().slice(e.offset..e.offset + e.len()))
            .collect()
    }
}

/// The parameters as a forward pass takes them: values, and the direction of differentiation if there is one.
pub struct Leaves {
    values: Vec<Tensor<1>>,
    shapes: Vec<Vec<usize>>,
    tangents: Option<Vec<Tensor<1>>>,
}

impl Leaves {
    /// Plain values, for evaluation: no gradient will be asked for.
    pub fn fixed(layout: &Layout, parameters: &Tensor<1>) -> Self {
        Self {
            values: layout.split(parameters),
            shapes: layout.entries().iter().map(|e| e.shape.clone()).collect(),
            tangents: None,
        }
    }

    /// Values whose gradient will be asked for.
    pub fn tracked(layout: &Layout, parameters: &Tensor<1>) -> Self {
        let mut leaves = Self::fixed(layout, parameters);
        leaves.values = leaves
            .values
            .into_iter()
            .map(|value| value.autodiff().require_grad())
            .collect();
        leaves
    }

    /// Values whose gradient will be asked for, with the direction `v` `[parameters]` of a Hessian-vector product.
    pub fn along(layout: &Layout, parameters: &Tensor<1>, v: &Tensor<1>) -> Self {
        let mut leaves = Self::tracked(layout, parameters);
        leaves.tangents = Some(layout.split(v));
        leaves
    }

    /// Parameter `index` in its own shape.
    pub(super) fn get<const D: usize>(&self, index: usize) -> Dual<D> {
        let shape = Shape::from(self.shapes[index].clone());
        Dual {
            value: self.values[index].clone().reshape(shape.clone()),
            tangent: self.tangents.as_ref().map(|t| t[index].clone().reshape(shape)),
        }
    }

    /// The gradient with respect to all parameters, `[parameters]`; a parameter that nothing depends on has zero.
    pub fn gradient(&self, gradients: &mut Gradients) -> Tensor<1> {
        let parts = self
            .values
            .iter()
            .map(|leaf| {
                leaf.grad_remove(gradients)
                    .unwrap_or_else(|| leaf.clone().inner().zeros_like())
            })
            .collect();
        Tensor::cat(parts, 0)
    }
}
