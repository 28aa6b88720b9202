//! The spectral density of the Hessian of the chosen cell, with its threshold: the last one, or the one at the cursor.
//!
//! ```text
//! ── spectral density  step 4000 · λ_max 40.1 · λ_min −2.1 ───────── log ──
//!   10⁻² ┤  ⢸⡆
//!   10⁻⁴ ┤ ⣀⣸⣇⡀           ⢀⡀  ⢠⡀  ⠅
//!        └0────────20────────40────── eigenvalue
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::event::SpectrumPoint;
use crate::monitor::Cell;
use crate::quantity::{SPECTRUM, THRESHOLD};
use crate::tui::plot::{self, Axis, Pattern, Pen, Profile, Scale, rows_for_columns};
use crate::tui::state::scene::Scene;
use crate::tui::words;

/// The margin beside the spectrum, as a fraction of its width.
const MARGIN: f64 = 0.04;

/// The vertical axis spans at most this factor: far below the weight of a single eigenvalue there is nothing.
const MOST_SPAN: f64 = 1e8;

/// Draws the chart.
pub(super) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let Some(cell) = scene.cell() else { return };
    let theme = scene.theme();
    let found = cell.spectra.at(scene.view.cursor);
    let usable = found.and_then(|(step, spectrum)| Some((step, spectrum, spectrum.ends()?)));
    let mut title = vec![
        Span::raw(" "),
        Span::styled(theme.text(SPECTRUM.title).into_owned(), theme.strong),
    ];
    let nothing = SpectrumPoint::default();
    let (step, spectrum, (low, high)) = usable.unwrap_or((0, &nothing, (0.0, 1.0)));
    let empty = match (found, usable) {
        (None, _) => Some("nothing measured yet"),
        (Some(_), None) => Some("products are not finite"),
        (Some(_), Some(_)) => None,
    };
    if usable.is_some() {
        let words = format!(
            "  step {} · {} to {} ",
            words::count(step),
            words::value(low, 3),
            words::value(high, 3)
        );
        title.push(Span::raw(theme.text(words).into_owned()));
    }
    let threshold = threshold_at(cell, step);
    let margin = (high - low).max(f64::MIN_POSITIVE) * MARGIN;
    // The threshold is shown if it does not flatten the spectrum.
    let right = threshold.filter(|threshold| *threshold > high && *threshold < high + (high - low));
    let across = (low - margin, right.unwrap_or(high) + margin);
    let width = spectrum.smoothing();
    let value = |x: f64| spectrum.density(x, width);
    let heights = spectrum.nodes.iter().flatten().map(|node| value(*node));
    let top = heights.clone().fold(0.0, f64::max);
    let least = heights
        .filter(|height| *height > 0.0)
        .fold(top, f64::min)
        .max(top / MOST_SPAN);
    let pen = |style, pattern, ascii| Pen { style, pattern, ascii };
    let threshold_pen = pen(theme.threshold, Pattern::Solid, '|');
    let mut legend = Vec::new();
    if threshold.is_some() {
        legend.push(plot::legend(threshold_pen, &cell.plan.threshold.formula, theme));
    }
    legend.push(vec![Span::styled(" log ", theme.dim)]);
    Profile {
        title,
        legend,
        across,
        labels: Axis::between(across.0, across.1, rows_for_columns(area.width)),
        across_name: " eigenvalue",
        up: Axis::new(
            Scale::Logarithmic,
            least / 2.0,
            if top > 0.0 { top } else { 1.0 },
            usize::from(area.height.saturating_sub(2)),
        ),
        value: &value,
        pen: pen(theme.lambda, Pattern::Solid, '#'),
        rules: threshold
            .map(|threshold| (threshold, threshold_pen))
            .into_iter()
            .collect(),
        empty,
    }
    .render(area, buffer, theme);
}

/// Returns the threshold of λ_max at a step; none for an adaptive optimizer, whose threshold is not one of this matrix.
fn threshold_at(cell: &Cell, step: u64) -> Option<f64> {
    let then = cell.curves.of(&THRESHOLD, 0).at(step).map(|bucket| bucket.last);
    // A curve that was merged may begin later.
    then.or_else(|| cell.latest.first(&THRESHOLD))
}
