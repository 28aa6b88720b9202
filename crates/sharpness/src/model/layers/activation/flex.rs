//! ReLU on burn-flex, by our own operations on its tensors.

use sharptui_flex::{relu, times_slope};

use crate::model::node::{LinearMap, Signal};

/// Returns y, which replaces x in memory if no other tensor shares that memory.
pub(super) fn forward(x: Signal) -> (Signal, Point) {
    let y = relu(x);
    (y.clone(), Point { y })
}

/// max(x, 0), which is above 0 exactly where the slope is 1. It is locally linear.
pub(super) struct Point {
    y: Signal,
}

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        times_slope(&self.y, &x)
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        self.apply(delta)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Tensor, TensorData};
    use sharptui_flex::device;

    use super::super::{Activation, activate};
    use super::*;
    use crate::model::node::Node;

    fn numbers(count: usize, step: usize, format: DType) -> Signal {
        let numbers = (0..count).map(|i| (i * step % 101) as f32 - 50.0);
        let data = TensorData::new(numbers.collect::<Vec<f32>>(), [count / 6, 2, 3, 1]);
        Tensor::from_data(data, (&device(), format))
    }

    #[test]
    fn it_gives_what_the_general_way_gives() {
        for format in [DType::F64, DType::F32] {
            // The last count is split among threads.
            for count in [6, 60, 60_000] {
                let (x, delta) = (numbers(count, 7, format), numbers(count, 3, format));
                let (expected, general) = activate(Activation::Relu, x.clone());
                for x in [x.clone(), x.permute([1, 0, 2, 3]).permute([1, 0, 2, 3])] {
                    let (y, point) = forward(x);
                    assert_eq!(y.to_data(), expected.to_data());
                    let expected = general.backward(&delta, true, None).unwrap();
                    assert_eq!(point.adjoint(delta.clone()).to_data(), expected.to_data());
                }
            }
        }
    }

    #[test]
    fn an_x_that_others_have_stays_as_it_is() {
        let x = numbers(60, 7, DType::F32);
        let before = x.to_data();
        forward(x.clone());
        assert_eq!(x.to_data(), before);
        let part = x.clone().narrow(0, 3, 2);
        let (y, _) = forward(part.clone());
        assert_eq!(y.to_data(), part.clamp_min(0.0).to_data());
        assert_eq!(x.to_data(), before);
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        let data = TensorData::new(vec![f32::NAN, f32::INFINITY, -1.0, 1.0], [4, 1, 1, 1]);
        let (y, point) = forward(Tensor::from_data(data, &device()));
        let y: Vec<f32> = y.into_data().iter::<f32>().collect();
        assert!(y[0].is_nan() && y[1].is_infinite() && y[2..] == [0.0, 1.0]);
        let delta = TensorData::new(vec![1.0, 1.0, f32::NAN, f32::NAN], [4, 1, 1, 1]);
        let found = point.adjoint(Tensor::from_data(delta, &device()));
        let found: Vec<f32> = found.into_data().iter::<f32>().collect();
        assert!(found[..2] == [0.0, 1.0] && found[2].is_nan() && found[3].is_nan());
    }
}
