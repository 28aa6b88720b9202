//! Optimizers, one per file: the step, the state between two steps, and the curvature above which steps are unstable.
//!
//! On a quadratic L = λx²/2 gradient descent multiplies x by 1 − ηλ, so its steps grow once λ > 2/η. During full-batch
//! training λ_max rises to this threshold and stays near it: the edge of stability (Cohen et al. 2021, "Gradient
//! descent on neural networks typically occurs at the edge of stability").
//!
//! An adaptive optimizer divides each entry of its step by an entry of a diagonal preconditioner P, which changes
//! slowly. With a constant P it is stable while the *preconditioned sharpness*, the largest eigenvalue of P⁻¹H, is below
//! its edge (Cohen et al. 2022, "Adaptive gradient methods at the edge of stability").

mod adam;
mod adam_w;
mod gradient_descent;
mod heavy_ball;
mod nesterov;
mod rms_prop;
mod sam;

use burn::tensor::Tensor;

use crate::tensor::add_scaled;

pub use adam::{Adam, Moments};
pub use adam_w::AdamW;
pub use gradient_descent::GradientDescent;
pub use heavy_ball::HeavyBall;
pub use nesterov::Nesterov;
pub use rms_prop::RmsProp;
pub use sam::{Sam, sam_edge};

/// The input of a step.
pub struct Step<'a> {
    /// w, `[parameters]`.
    pub parameters: Tensor<1>,
    /// The gradient of the batch's mean loss at w, without weight decay, `[parameters]`.
    pub gradient: Tensor<1>,
    /// The learning rate η.
    pub learning_rate: f64,
    /// A function that returns the gradient at other parameters, for the same batch and the same dropout masks.
    pub gradient_at: &'a mut dyn FnMut(&Tensor<1>) -> Tensor<1>,
}

/// A part of an optimizer's state, which it keeps from one step to the next.
pub struct Kept<'a> {
    /// Its name, which is unique within the optimizer. Files use the same name.
    pub name: &'static str,
    /// The part itself.
    pub state: State<'a>,
}

/// The kinds of a [`Kept`] part.
pub enum State<'a> {
    /// A tensor `[parameters]`; `None` before the first step.
    Vector(&'a mut Option<Tensor<1>>),
    /// A tensor `[1]`; `None` before the first step.
    Scalar(&'a mut Option<Tensor<1>>),
    /// A number of steps.
    Count(&'a mut u64),
}

/// A rule that computes the next parameters.
///
/// A user-defined optimizer:
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
///         None // Its steps do not shrink with the gradient, so it is unstable at every curvature.
///     }
///
///     fn has_edge(&self) -> bool {
///         false
///     }
///
///     fn edge_formula(&self) -> String {
///         "none".to_owned()
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
    /// Returns the parameters after one step, `[parameters]`.
    fn step(&mut self, step: Step) -> Tensor<1>;

    /// Returns the weight decay μ. The optimizer adds μw to the gradient, so it minimizes the loss plus μ‖w‖²/2.
    fn weight_decay(&self) -> f64 {
        0.0
    }

    /// Returns the edge: the largest eigenvalue at which steps with learning rate η are stable on a quadratic with full
    /// batches. It is an eigenvalue of H + μI, with weight decay μ; for a preconditioned optimizer, of P⁻¹(H + μI).
    ///
    /// `None` if there is no edge, or if it is not known yet.
    fn edge(&self, learning_rate: f64) -> Option<f64>;

    /// Returns whether an edge is known for this optimizer. If not, [`Optimizer::edge_meaning`] says why.
    fn has_edge(&self) -> bool {
        true
    }

    /// Returns the formula of [`Optimizer::edge`], such as `2/η`.
    fn edge_formula(&self) -> String;

    /// Returns the meaning of the edge as a sentence for people, without its full stop.
    fn edge_meaning(&self) -> &'static str {
        "the optimizer stops being stable on a quadratic of this curvature"
    }

    /// Returns whether the edge is a constant divided by η. The edge at one rate then gives the edge at any other rate.
    fn edge_is_inverse_in_rate(&self) -> bool {
        false
    }

    /// Returns whether the steps are preconditioned: w ← w − ηP⁻¹d with a diagonal P that follows the gradients. The edge
    /// is then an eigenvalue of P⁻¹(H + μI).
    fn is_preconditioned(&self) -> bool {
        false
    }

    /// Returns the diagonal of P of the last step, `[parameters]`; `None` before the first step, and if the steps are not
    /// preconditioned.
    fn preconditioner(&self) -> Option<Tensor<1>> {
        None
    }

    /// Returns the threshold: the λ_max of the loss, without weight decay, above which steps with learning rate η are
    /// unstable. It is the edge minus μ, because weight decay adds μ to every eigenvalue of the minimized function.
    ///
    /// `None` if there is no edge, if it is not known yet, and if the steps are preconditioned: λ_max then has no
    /// threshold.
    ///
    /// The threshold holds for full-batch descent. With minibatches it is a reference value, and λ_max stays below it.
    fn threshold(&self, learning_rate: f64) -> Option<f64> {
        if self.is_preconditioned() {
            return None;
        }
        Some(self.edge(learning_rate)? - self.weight_decay())
    }

    /// Returns the formula of [`Optimizer::threshold`], such as `2/η − wd`; for a preconditioned optimizer, that of its
    /// edge.
    fn threshold_formula(&self) -> String {
        let decay = if self.weight_decay() > 0.0 && !self.is_preconditioned() {
            " − wd"
        } else {
            ""
        };
        format!("{}{decay}", self.edge_formula())
    }

    /// Returns the values of batch sharpness (see [`BatchSharpness`](crate::curvature::BatchSharpness)) near which steps on
    /// minibatches with learning rate η settle; `None` if they are not known. No optimizer with weight decay has them,
    /// because its steps are not along the gradient of the loss.
    fn batch_edges(&self, _learning_rate: f64) -> Option<BatchEdges> {
        None
    }

    /// Returns everything that the next step needs from earlier steps. Another optimizer with the same settings takes the
    /// same steps if copies of these parts are put into it.
    fn kept(&mut self) -> Vec<Kept<'_>> {
        Vec::new()
    }
}

/// The two thresholds of batch sharpness. They are equal without momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchEdges {
    /// The threshold for small batches.
    pub small: f64,
    /// The threshold for large batches.
    pub large: f64,
}

impl BatchEdges {
    /// Returns 2(1−β)/η and 2(1+β)/η for heavy-ball momentum β without dampening (Andreyev et al. 2026, "Momentum further
    /// constrains sharpness at the edge of stochastic stability", arXiv 2604.14108). No formula is known for the batch
    /// size at which one gives way to the other.
    fn of_momentum(momentum: f64, learning_rate: f64) -> Self {
        Self {
            small: 2.0 * (1.0 - momentum) / learning_rate,
            large: 2.0 * (1.0 + momentum) / learning_rate,
        }
    }
}

/// Returns g + μw, both `[parameters]`.
fn decayed(weight_decay: f64, parameters: &Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
    if weight_decay > 0.0 {
        add_scaled(gradient, parameters.clone(), weight_decay)
    } else {
        gradient
    }
}
