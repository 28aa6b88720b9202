//! The sharpness of a network's loss.

pub mod curvature;
pub mod model;
pub mod random;
pub mod tensor;
