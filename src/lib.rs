//! sharptui trains small neural networks through a sweep and shows, live, how sharp the loss is.

pub mod cli;
pub mod config;
pub mod curvature;
pub mod data;
pub mod device;
pub mod event;
pub mod model;
pub mod plain;
pub mod record;
pub mod sweep;
pub mod train;
