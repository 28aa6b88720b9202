//! The sharpness of a network's loss.

pub mod curvature;
pub mod model;
pub mod optimizer;
pub mod random;
pub mod schedule;
pub mod tensor;
