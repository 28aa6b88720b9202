//! What the person watching has chosen, and the frame of data that is drawn: no panel is known here.

pub(super) mod filter;
pub(super) mod number;
pub(super) mod parts;
pub(super) mod rows;
pub(super) mod scene;
pub(super) mod view;
pub(super) mod zoom;
