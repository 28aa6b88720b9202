//! The RON schema of an experiment, its validation, and its expansion into cells.

mod settings;

pub use settings::{
    Activation, Cadence, Cell, Data, Extent, Loss, Model, Precision, Probe, Settings, Split, Statistics, Tracking,
};
