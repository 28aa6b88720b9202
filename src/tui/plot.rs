//! Curves drawn with dots in character cells, and the axes beside them.
//!
//! ```text
//! ── title ────────────────── legend ──   1 row
//!   40 ┤        ⣀⣀⠤⠔⠒⠒⠢⠤⡀               the dots, labels on the left
//!   20 ┤  ⢀⠤⠒⠉
//!    0 └0──────────200─────────400 steps   1 row
//! ```
//!
//! Ratatui's own chart is not used: it draws NaN as spikes, it has no logarithmic axis and no dotted lines, and it
//! draws every point of a curve, even if many points share a column of dots.

mod axis;
mod canvas;
mod chart;
mod profile;
mod scatter;
mod trace;

pub use axis::{Axis, Scale};
pub use canvas::{Pattern, Pen};
pub(super) use chart::place_at;
pub use chart::{Area, Chart, Marks, Series, Unit, step_span};
pub(super) use chart::{current, legend, mark_legend};
pub use profile::Profile;
pub use scatter::{Dot, Scatter, rows_for_columns};
pub use trace::Window;
