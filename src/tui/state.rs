//! The user's choices, and the frame of data that is drawn. This module does not know the panels.

pub(super) mod across;
pub(super) mod charts;
pub(super) mod filter;
mod number;
pub(super) mod palette;
pub(super) mod parts;
pub(super) mod rate;
pub(super) mod rows;
pub(super) mod scene;
pub(super) mod smoothing;
pub(super) mod table;
pub(super) mod view;
pub(super) mod zoom;
