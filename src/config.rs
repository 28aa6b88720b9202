//! The RON schema of an experiment, its validation, and its expansion into cells.
//!
//! One file defines an experiment: a flat list of the settings that all cells share, and a `sweep` of the settings that
//! differ.
//!
//! ```text
//! file ─ document ─▶ base settings + sweep axes ─ experiment ─▶ cells ─ validate ─▶ Experiment
//! ```
//!
//! Every setting is declared once, in `settings.rs`, with its documentation, type, default and range. A macro generates
//! the other code.

mod added;
mod cell;
mod data;
mod document;
mod error;
mod experiment;
mod explain;
mod extent;
mod gauge;
mod gauge_list;
mod listing;
mod numeral;
mod probe;
mod ranges;
mod reference;
mod schedule;
mod schema;
mod settings;
mod sweep;
mod validate;
mod values;

pub use cell::{Added, Cell};
pub use data::{Augment, Data, FilesHold, Selection, Subset};
pub use error::ConfigError;
pub use experiment::{Experiment, read_text, read_text_from};
pub use extent::Extent;
pub use gauge::{Gauge, TraceBy, When};
pub use gauge_list::read_gauges;
pub use probe::{Probe, Split, Statistics};
pub use reference::markdown_reference;
pub use schema::as_ron;
pub use settings::Settings;
pub use settings::probes::MeasuredOn;
pub use sweep::MAX_CELLS;
pub use values::{Activation, Cadence, Export, Keep, Loss, Model, Optimizer, Precision, Schedule, Tracking};
