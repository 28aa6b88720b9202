//! Max pooling on burn-flex, by our own operations on its tensors.

use sharptui_flex::{Choices, max_pool};

use crate::model::node::{LinearMap, Signal};

pub(super) fn forward(x: &Signal) -> (Signal, Point) {
    let (y, choices) = max_pool(x);
    (y, Point(choices))
}

/// The choice of the largest number of each square; it is locally constant.
pub(super) struct Point(Choices);

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        self.0.of(&x)
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        self.0.scattered(&delta)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Tensor, TensorData};
    use sharptui_flex::device;

    use super::super::max_pool as general;
    use super::*;

    /// Returns images with few distinct values, so that some are equal.
    fn images(shape: [usize; 4], step: usize, format: DType) -> Signal {
        let numbers = (0..shape.iter().product()).map(|i: usize| (i * step % 11) as f32 - 5.0);
        let data = TensorData::new(numbers.collect::<Vec<f32>>(), shape);
        Tensor::from_data(data, (&device(), format))
    }

    #[test]
    fn it_gives_what_the_general_way_gives() {
        for format in [DType::F64, DType::F32] {
            for [examples, channels, height, width] in
                [[3, 2, 8, 6], [2, 3, 7, 9], [1, 1, 2, 2], [2, 1, 3, 2], [70, 8, 28, 28]]
            {
                let shape = [examples, channels, height, width];
                let x = images(shape, 7, format);
                let turned = images([width, height, channels, examples], 7, format).permute([3, 2, 1, 0]);
                for x in [x, turned] {
                    let (y, point) = forward(&x);
                    let (expected, general) = general(x.clone());
                    assert_eq!(y.to_data(), expected.to_data(), "{shape:?}");
                    let dx = images(shape, 5, format);
                    let (found, expected) = (point.apply(dx.clone()), general.apply(dx));
                    assert_eq!(found.to_data(), expected.to_data(), "{shape:?}");
                    let delta = images(y.dims(), 3, format);
                    let (found, expected) = (point.adjoint(delta.clone()), general.adjoint(delta));
                    assert_eq!(found.to_data(), expected.to_data(), "{shape:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_comes_out() {
        for bad in [f32::NAN, f32::INFINITY] {
            for at in 0..4 {
                let mut numbers = [1.0, 2.0, 3.0, 4.0];
                numbers[at] = bad;
                let data = TensorData::new(numbers.to_vec(), [1, 1, 2, 2]);
                let (y, _) = forward(&Tensor::from_data(data, &device()));
                assert!(!y.into_scalar::<f32>().is_finite(), "{bad} at {at}");
            }
        }
    }
}
