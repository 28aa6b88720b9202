//! The tests of `numerics` on LibTorch. They choose the back end by the name of the test binary.

#[path = "numerics.rs"]
mod numerics;
