//! A convolution's passes by LibTorch's own derivatives, which cuDNN and oneDNN have fast ways for, where burn makes
//! convolutions of them whose kernel is as large as the image.

use burn::tensor::Tensor;
use sharptui_libtorch::{Derivatives, Wanted, convolution_backward, is_here};

use super::generic::{self, Generic};
use super::{Passes, Shape, ToParameters};
use crate::model::node::{Signal, sum};

/// `None` where the tensors are not LibTorch's, or burn is to derive by itself.
pub(super) fn forward(
    shape: Shape,
    x: &Signal,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
) -> Option<(Signal, LibTorch)> {
    (is_here(x) && is_here(weight)).then(|| {
        let (y, generic) = generic::forward(shape, x.clone(), weight.clone(), bias.cloned());
        (y, LibTorch(generic))
    })
}

/// What goes forward is burn's, which hands it on as it is.
pub(super) struct LibTorch(Generic);

impl LibTorch {
    fn derivatives(&self, delta: &Signal, x: &Signal, weight: &Tensor<4>, wanted: Wanted) -> Derivatives {
        let shape = self.0.shape;
        convolution_backward(delta, x, weight, shape.stride, shape.padding(), wanted)
    }
}

impl Passes for LibTorch {
    fn backward(&self, delta: &Signal, to_input: bool, to_parameters: bool) -> (Option<Signal>, Option<ToParameters>) {
        let wanted = Wanted {
            input: to_input,
            weight: to_parameters,
            bias: to_parameters && self.0.shape.has_bias,
        };
        let (to_input, weight, bias) = self.derivatives(delta, &self.0.x, &self.0.weight, wanted);
        (to_input, weight.map(|weight| ToParameters { weight, bias }))
    }

    fn tangent(&self, dx: Option<&Signal>, direction: ToParameters) -> Signal {
        self.0.tangent(dx, direction)
    }

    fn backward_tangent(
        &self,
        dx: Option<&Signal>,
        d_weight: Tensor<4>,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
    ) -> (Option<Signal>, ToParameters) {
        let wanted = Wanted {
            input: to_input,
            weight: true,
            bias: self.0.shape.has_bias,
        };
        let (input, weight, bias) = self.derivatives(delta_dot, &self.0.x, &self.0.weight, wanted);
        let (more_input, more_weight, _) = match dx {
            Some(dx) => {
                let wanted = Wanted { bias: false, ..wanted };
                self.derivatives(delta, dx, &d_weight, wanted)
            }
            None => (to_input.then(|| self.0.to_input(delta.clone(), d_weight)), None, None),
        };
        let found = ToParameters {
            weight: sum(weight, more_weight).unwrap_or_else(|| unreachable!("LibTorch left a derivative out")),
            bias,
        };
        (sum(input, more_input), found)
    }
}
