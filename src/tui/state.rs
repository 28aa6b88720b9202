//! What the person watching has chosen, and the frame of data that is drawn: no panel is known here.

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
