//! Curves drawn with dots in character cells, and the axes beside them.
//!
//! ```text
//! ── title ────────────────── legend ──   1 row
//!   40 ┤        ⣀⣀⠤⠔⠒⠒⠢⠤⡀               the dots, labels on the left
//!   20 ┤  ⢀⠤⠒⠉
//!    0 └0──────────200─────────400 steps   1 row
//! ```
//!
//! Drawn by ourselves rather than by ratatui's chart, whose NaN are spikes, which has no logarithmic axis and no dotted
//! line, and which draws every point of a curve rather than what a column of dots can show of it.

mod axis;
mod canvas;
mod chart;
mod scatter;
mod trace;

pub use axis::{Axis, Scale};
pub use canvas::{Pattern, Pen};
pub(super) use chart::place_at;
pub use chart::{Chart, Marks, Series, Unit, step_span};
pub(super) use chart::{current, legend, mark_legend};
pub use scatter::{Dot, Scatter, rows_for_columns};
pub use trace::Window;
