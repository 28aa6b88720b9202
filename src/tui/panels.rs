//! The panels of the screen, one file each.

pub(super) mod detail;
mod edge;
pub(super) mod footer;
pub(super) mod header;
pub(super) mod log;
pub(super) mod queue;
