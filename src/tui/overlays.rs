//! Boxes that cover a part of the screen for a while, one file each.

pub(super) mod glossary;
pub(super) mod help;
pub(super) mod palette;
pub(super) mod question;
pub(super) mod rate;
pub(super) mod welcome;
