//! Optimizers, a file each: the step, the state between two steps, and the λ_max above which steps are unstable.
//!
//! On a quadratic L = λx²/2 gradient descent multiplies x by 1 − ηλ, so its steps grow once λ > 2/η. Along full-batch training
//! λ_max rises to that threshold and hovers there: the edge of stability (Cohen et al. 2021, "Gradient descent on neural networks
//! typically occurs at the edge of stability").

mod gradient_descent;
mod heavy_ball;
mod sam;

use burn::tensor::Tensor;

use crate::tensor::add_scaled;

pub use gradient_descent::GradientDescent;
pub use heavy_ball::HeavyBall;
pub use sam::{Sam, sam_edge};

/// What a step is given.
pub struct Step<'a> {
    /// w, `[parameters]`.
    pub parameters: Tensor<1>,
    /// The gradient of the batch's mean loss at w, without weight decay, `[parameters]`.
    pub gradient: Tensor<1>,
    /// η.
    pub learning_rate: f64,
    /// The same gradient at other parameters: of the same batch, with the same dropout masks.
    pub gradient_at: &'a mut dyn FnMut(&Tensor<1>) -> Tensor<1>,
}

/// A tensor that an optimizer keeps from one step to the next.
pub struct Kept<'a> {
    /// The name that it has among the optimizer's, also in files.
    pub name: &'static str,
    /// How long it is.
    pub length: Length,
    /// Its place; none before the first step.
    pub tensor: &'a mut Option<Tensor<1>>,
}

/// How long a [`Kept`] tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// `[parameters]`.
    Parameters,
    /// `[1]`.
    One,
}

/// A rule for the next parameters.
///
/// An optimizer of one's own:
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use sharpness::optimizer::{Optimizer, Step};
///
/// /// w ← w − η sign(g).
/// struct SignDescent;
///
/// impl Optimizer for SignDescent {
///     fn step(&mut self, step: Step) -> Tensor<1> {
///         step.parameters - step.gradient.sign() * step.learning_rate
///     }
///
///     fn edge(&self, _: f64) -> Option<f64> {
///         None // Its steps do not shrink with the gradient, so it is stable at no curvature.
///     }
///
///     fn edge_formula(&self) -> &'static str {
///         "none"
///     }
/// }
///
/// let on = &Device::flex();
/// let step = Step {
///     parameters: Tensor::from_data([1.0, 2.0], on),
///     gradient: Tensor::from_data([0.3, -5.0], on),
///     learning_rate: 0.5,
///     gradient_at: &mut |_| unreachable!("one gradient is enough"),
/// };
/// assert_eq!(SignDescent.step(step).into_data().iter::<f32>().collect::<Vec<_>>(), [0.5, 2.5]);
/// ```
pub trait Optimizer: Send {
    /// The parameters after one step, `[parameters]`.
    fn step(&mut self, step: Step) -> Tensor<1>;

    /// μ, where μw is added to the gradient: the loss that is minimized has μ‖w‖²/2 more.
    fn weight_decay(&self) -> f64 {
        0.0
    }

    /// The largest eigenvalue, weight decay included, at which steps of rate η are stable on a quadratic with full batches.
    ///
    /// `None` where there is none, or none is known yet.
    fn edge(&self, learning_rate: f64) -> Option<f64>;

    /// The formula of [`Optimizer::edge`], such as `2/η`.
    fn edge_formula(&self) -> &'static str;

    /// What the edge means, as a sentence for people, without its full stop.
    fn edge_meaning(&self) -> &'static str {
        "the optimizer stops being stable on a quadratic of this curvature"
    }

    /// Whether the edge is a constant over η, so that the edge at another rate follows from the edge at one.
    fn edge_is_inverse_in_rate(&self) -> bool {
        false
    }

    /// The λ_max of the loss alone above which steps of rate η are unstable: the edge less the weight decay, which adds itself
    /// to every eigenvalue of what is minimized.
    ///
    /// It is that of full-batch descent. For minibatches it is a reference that λ_max stays below.
    fn threshold(&self, learning_rate: f64) -> Option<f64> {
        Some(self.edge(learning_rate)? - self.weight_decay())
    }

    /// The formula of [`Optimizer::threshold`], such as `2/η − wd`.
    fn threshold_formula(&self) -> String {
        let decay = if self.weight_decay() > 0.0 { " − wd" } else { "" };
        format!("{}{decay}", self.edge_formula())
    }

    /// What the next step needs of those before it. Whoever copies these tensors, and later puts them into another optimizer
    /// of the same settings, has that one take the same steps.
    fn kept(&mut self) -> Vec<Kept<'_>> {
        Vec::new()
    }
}

/// g + μw, both `[parameters]`.
fn decayed(weight_decay: f64, parameters: &Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
    if weight_decay > 0.0 {
        add_scaled(gradient, parameters.clone(), weight_decay)
    } else {
        gradient
    }
}
