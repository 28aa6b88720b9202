//! A value together with its directional derivative.

use burn::tensor::Tensor;

/// A tensor and, if one is carried, its derivative along a direction in parameter space.
///
/// A missing tangent is a zero one: the input of a network has none, and in training nothing has.
#[derive(Clone)]
pub struct Dual<const D: usize> {
    /// The value.
    pub value: Tensor<D>,
    /// d/dε of the value at w + εv.
    pub tangent: Option<Tensor<D>>,
}

impl<const D: usize> Dual<D> {
    /// A value that does not depend on the parameters.
    pub fn constant(value: Tensor<D>) -> Self {
        Self { value, tangent: None }
    }

    /// The same linear map applied to value and tangent.
    pub fn linear<const E: usize>(self, map: impl Fn(Tensor<D>) -> Tensor<E>) -> Dual<E> {
        Dual {
            value: map(self.value),
            tangent: self.tangent.map(map),
        }
    }
}

/// The sum of two tangents, either of which may be zero.
pub(super) fn sum<const D: usize>(a: Option<Tensor<D>>, b: Option<Tensor<D>>) -> Option<Tensor<D>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

/// What flows between layers.
#[derive(Clone)]
pub enum Signal {
    /// Features, [examples, features].
    Flat(Dual<2>),
    /// Images, [examples, channels, height, width].
    Image(Dual<4>),
}

impl Signal {
    /// The features; images are flattened in the order channel, row, column.
    pub fn into_flat(self) -> Dual<2> {
        match self {
            Self::Flat(flat) => flat,
            Self::Image(image) => {
                let [examples, channels, height, width] = image.value.dims();
                image.linear(|x| x.reshape([examples, channels * height * width]))
            }
        }
    }
}
