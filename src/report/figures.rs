//! The figures of a report: as SVG, which the page has inside, and as PNG.
//!
//! kuva draws both from one scene; its PNG text comes from DejaVu Sans, which is inside it, so that a server without
//! fonts makes the same pictures.

mod curves;
mod levels;
mod scatter;

use std::sync::Arc;

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::scatter::MarkerShape;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::render::Scene;

pub(super) use curves::MOST_COMBINATIONS;

use super::comparison::Comparison;
use super::run::Run;

/// A drawing.
pub(super) struct Figure {
    /// The name of its files, without the ending.
    pub(super) name: String,
    /// What it shows.
    pub(super) caption: String,
    /// The whole SVG element.
    pub(super) svg: String,
    scene: Scene,
}

/// Pixels of the PNG for one of the SVG.
const PNG_SCALE: f32 = 2.0;

/// Okabe and Ito's colours, which people who confuse colours can tell apart, without the yellow that white swallows.
const COLOURS: [&str; 7] = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
];

const MARKERS: [MarkerShape; 7] = [
    MarkerShape::Circle,
    MarkerShape::Square,
    MarkerShape::Triangle,
    MarkerShape::Diamond,
    MarkerShape::TriangleDown,
    MarkerShape::Pentagon,
    MarkerShape::Star,
];

/// Values that span more than this factor are drawn on a logarithmic axis.
const LOG_SPAN: f64 = 10.0;

impl Figure {
    fn new(name: String, caption: String, scene: Scene) -> Self {
        Self {
            name,
            caption,
            svg: SvgBackend::new().render_scene(&scene),
            scene,
        }
    }

    /// The PNG file.
    ///
    /// # Errors
    /// Words of the encoder; none are known.
    pub(super) fn png(&self) -> Result<Vec<u8>, String> {
        RasterBackend::new().with_scale(PNG_SCALE).render_scene(&self.scene)
    }
}

/// λ_max against test accuracy, coloured by each setting.
pub(super) fn scatters(run: &Run) -> Vec<Figure> {
    let probes = 0..run.probes.len();
    probes.flat_map(|probe| scatter::figures(run, probe)).collect()
}

/// λ_max and test accuracy against each setting.
pub(super) fn levels(run: &Run, comparisons: &[Comparison]) -> Vec<Figure> {
    (0..run.axes.len())
        .filter_map(|axis| levels::figure(run, axis, comparisons))
        .collect()
}

/// λ_max, loss and accuracy against steps, of the first [`MOST_COMBINATIONS`].
pub(super) fn curves(run: &Run) -> Vec<Figure> {
    curves::figures(run)
}

/// The colour of the n-th thing.
fn colour(n: usize) -> &'static str {
    COLOURS[n % COLOURS.len()]
}

/// The marker of the n-th thing.
fn marker(n: usize) -> MarkerShape {
    MARKERS[n % MARKERS.len()]
}

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    low: f64,
    high: f64,
    log: bool,
}

impl Span {
    /// Room for all of the values and a margin, logarithmic where they span much and `may_log`; none of no values.
    fn of(values: impl Iterator<Item = f64> + Clone, may_log: bool) -> Option<Self> {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values.fold(None, |ends, value| {
                let (low, high) = ends.unwrap_or((value, value));
                Some((value.min(low), value.max(high)))
            })
        };
        let finite = values.filter(|value| value.is_finite());
        let (low, high): (f64, f64) = ends(&mut finite.clone())?;
        // A few values that a logarithm cannot show are left out; where most are such, the axis is linear.
        let mostly_positive = 10 * finite.clone().filter(|value| *value <= 0.0).count() < finite.clone().count();
        if let Some((least, _)) = ends(&mut finite.filter(|value| *value > 0.0))
            && may_log
            && mostly_positive
            && high > LOG_SPAN * least
        {
            let margin = (high / least).powf(0.05);
            return Some(Self {
                low: least / margin,
                high: high * margin,
                log: true,
            });
        }
        // Values that are all the same still need an axis.
        let margin = if high > low {
            0.06 * (high - low)
        } else {
            0.01 * high.abs().max(1e-4)
        };
        Some(Self {
            low: low - margin,
            high: high + margin,
            log: false,
        })
    }

    /// Whether a value can be drawn.
    fn shows(self, value: f64) -> bool {
        value.is_finite() && (!self.log || value > 0.0)
    }
}

/// A frame with exactly these spans.
fn frame(x: Span, y: Span, x_label: &str, y_label: &str) -> Layout {
    let layout = Layout::new((x.low, x.high), (y.low, y.high))
        .with_x_axis_min(x.low)
        .with_x_axis_max(x.high)
        .with_y_axis_min(y.low)
        .with_y_axis_max(y.high)
        .with_x_label(x_label)
        .with_y_label(y_label)
        .with_font_family("DejaVu Sans, sans-serif");
    // kuva would write 0.1 as 1e-1 and 0.05 as 0.050.
    let plain = || TickFormat::Custom(Arc::new(tick));
    let layout = if x.log {
        layout.with_log_x().with_x_tick_format(plain())
    } else {
        layout
    };
    if y.log {
        layout.with_log_y().with_y_tick_format(plain())
    } else {
        layout
    }
}

/// A mark of a logarithmic axis: 1, 2 or 5 times a power of ten.
fn tick(value: f64) -> String {
    if (1e-4..1e6).contains(&value) {
        // Powers of ten are computed, and may be off in their last digit.
        format!("{}", (value * 1e6).round() / 1e6)
    } else {
        format!("{value:.0e}")
    }
}

/// "λ_max, log scale" where it is.
fn label(words: &str, span: Span) -> String {
    if span.log {
        format!("{words}, log scale")
    } else {
        words.to_owned()
    }
}

/// λ_max on a probe beside a panel, where the probe's words would not fit; see [`probe_key`].
fn lambda_label(run: &Run, probe: usize) -> String {
    if run.probes.len() < 2 {
        return "λ_max".to_owned();
    }
    format!("λ_max, probe {probe}")
}

/// What the probes of [`lambda_label`] are, for a caption.
fn probe_key(run: &Run) -> String {
    let probes = run.probes.iter().enumerate();
    let words: Vec<String> = probes.map(|(n, words)| format!("probe {n} is {words}")).collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_a_logarithmic_axis_are_plain_numbers() {
        for (value, text) in [(0.1, "0.1"), (0.050_000_000_1, "0.05"), (200.0, "200"), (2e-7, "2e-7")] {
            assert_eq!(tick(value), text);
        }
    }

    #[test]
    fn axes_are_logarithmic_where_values_span_much_and_none_is_in_the_way() {
        let span = |values: &[f64]| Span::of(values.iter().copied(), true).unwrap();
        assert!(!span(&[5.0, 40.0]).log);
        assert!(span(&[5.0, 60.0]).log);
        assert!(!span(&[-5.0, 0.0, 60.0]).log);
        let flat = span(&[3.0, 3.0, f64::NAN]);
        assert!(flat.low < 3.0 && 3.0 < flat.high);
        assert_eq!(Span::of([f64::NAN].into_iter(), true), None);
    }
}
