//! sharptui trains small neural networks through a sweep and shows, live, how sharp the loss is.

pub mod config;
pub mod event;
pub mod monitor;
pub mod signals;
pub mod tui;
