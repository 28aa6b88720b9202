//! The tests of `numerics`, which look at the name that they are built under, on LibTorch.

#[path = "numerics.rs"]
mod numerics;
