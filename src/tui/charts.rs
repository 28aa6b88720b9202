//! The charts of curves and of finished cells, one file per chart.

pub(super) mod copy;
mod curves;
mod lambda;
mod layers;
mod measured;
mod overlaid;
pub(super) mod scatter;
mod seeds;
mod smooth;
mod spectrum;
pub(super) mod sweep;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::curves::Spread;
use super::state::scene::Scene;
use crate::quantity::{Chart, ChartSpan};

/// Draws a chart of the chosen cell.
pub(super) fn render(scene: &Scene, chart: &Chart, area: Rect, buffer: &mut Buffer) {
    match chart.span {
        ChartSpan::Lambda => lambda::render(scene, area, buffer),
        ChartSpan::Positive => measured::render(scene, chart, Spread::From(scene.view.loss_scale), area, buffer),
        ChartSpan::Eigenvalues => {
            measured::render(scene, chart, Spread::From(scene.view.lambda_scale), area, buffer);
        }
        ChartSpan::Spectrum => spectrum::render(scene, area, buffer),
        ChartSpan::Layers => layers::render(scene, area, buffer),
        ChartSpan::Any => measured::render(scene, chart, Spread::Any, area, buffer),
        ChartSpan::Shares => measured::render(scene, chart, Spread::Shares, area, buffer),
    }
    if scene.view.charts.is_marked(chart) {
        buffer.set_string(area.x, area.y, scene.theme().text("›"), scene.theme().key);
    }
}
