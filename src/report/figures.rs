//! The figures of a report: as SVG, which the page has inside, and as PNG.
//!
//! kuva draws both from one scene; its PNG text comes from DejaVu Sans, which is inside it, so that a server without
//! fonts makes the same pictures.

mod curves;
mod levels;
mod margins;
mod scatter;

use std::sync::Arc;

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::scatter::MarkerShape;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::render::Scene;

pub(super) use curves::MOST_COMBINATIONS;

use super::axis::Axis;
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
        let scene = margins::with_margins(scene);
        Self {
            name,
            caption,
            svg: scalable(&SvgBackend::new().render_scene(&scene), &scene),
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

/// The drawing with the rectangle that it fills. kuva gives it a size alone, and a browser that shows it any smaller then
/// cuts it off instead of shrinking it.
fn scalable(svg: &str, scene: &Scene) -> String {
    let (width, height) = (scene.width, scene.height);
    svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1)
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

/// Where kuva's logarithmic axis ends: whatever is smaller would be drawn as 1e-10. And it marks every power of ten.
const LEAST_LOG: f64 = 1e-9;

/// More powers of ten than can be marked each.
const MOST_POWERS: f64 = 8.0;

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    low: f64,
    high: f64,
    scale: Scale,
}

/// How far values lie apart on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// As far as they differ.
    Linear,
    /// As far as their logarithms differ.
    Log,
    /// The same where values are smaller or span more than [`Scale::Log`] can show: their logarithms on a linear axis.
    Powers,
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
            let decades = high.log10() - least.log10();
            let margin = 10_f64.powf(0.05 * decades);
            return Some(Self {
                low: least / margin,
                high: (high * margin).min(f64::MAX),
                scale: if least / margin < LEAST_LOG || decades > MOST_POWERS {
                    Scale::Powers
                } else {
                    Scale::Log
                },
            });
        }
        // Values that are all the same still need an axis.
        let margin = if high > low {
            0.06 * (high - low)
        } else {
            0.01 * high.abs().max(1e-4)
        };
        // Values at both ends of a float's range are too far apart for one.
        (high - low).is_finite().then_some(Self {
            low: (low - margin).max(f64::MIN),
            high: (high + margin).min(f64::MAX),
            scale: Scale::Linear,
        })
    }

    /// Whether a value can be drawn.
    fn shows(self, value: f64) -> bool {
        value.is_finite() && (self.scale == Scale::Linear || value > 0.0)
    }

    /// What is drawn for a value that is shown.
    fn place(self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear | Scale::Log => value,
            // The smallest float is not zero, though a margin below it is.
            Scale::Powers => value.max(f64::from_bits(1)).log10(),
        }
    }

    /// Both ends, as they are drawn.
    fn ends(self) -> (f64, f64) {
        (self.place(self.low), self.place(self.high))
    }

    /// The distance between the marks of powers of ten.
    fn step(self) -> f64 {
        let (low, high) = self.ends();
        ((high - low) / MOST_POWERS).ceil()
    }
}

/// A frame with exactly these spans.
fn frame(x: Span, y: Span, x_label: &str, y_label: &str) -> Layout {
    let ((left, right), (bottom, top)) = (x.ends(), y.ends());
    let layout = Layout::new((left, right), (bottom, top))
        .with_x_axis_min(left)
        .with_x_axis_max(right)
        .with_y_axis_min(bottom)
        .with_y_axis_max(top)
        .with_x_label(x_label)
        .with_y_label(y_label)
        .with_font_family("DejaVu Sans, sans-serif");
    let words = |words: fn(f64) -> String| TickFormat::Custom(Arc::new(words));
    let layout = match x.scale {
        Scale::Linear => layout,
        // kuva would write 0.1 as 1e-1 and 0.05 as 0.050.
        Scale::Log => layout.with_log_x().with_x_tick_format(words(tick)),
        Scale::Powers => layout.with_x_tick_step(x.step()).with_x_tick_format(words(power)),
    };
    match y.scale {
        Scale::Linear => layout,
        Scale::Log => layout.with_log_y().with_y_tick_format(words(tick)),
        Scale::Powers => layout.with_y_tick_step(y.step()).with_y_tick_format(words(power)),
    }
}

/// A mark of a logarithmic axis: 1, 2 or 5 times a power of ten.
fn tick(value: f64) -> String {
    if (1e-3..1e5).contains(&value) {
        // Powers of ten are computed, and may be off in their last digit.
        format!("{}", (value * 1e6).round() / 1e6)
    } else {
        format!("{value:.0e}")
    }
}

/// A mark of an axis of powers of ten.
fn power(exponent: f64) -> String {
    format!("1e{exponent:.0}").replace("1e-0", "1e0")
}

/// "λ_max, log scale" where it is.
fn label(words: &str, span: Span) -> String {
    match span.scale {
        Scale::Linear => words.to_owned(),
        Scale::Log | Scale::Powers => format!("{words}, log scale"),
    }
}

/// λ_max on a probe beside a panel, where the probe's words would not fit; see [`probe_key`].
fn lambda_label(run: &Run, probe: usize) -> String {
    if run.probes.len() < 2 {
        return "λ_max".to_owned();
    }
    format!("λ_max, probe {probe}")
}

/// What stands for the long names of settings and their levels, for a caption.
fn axes_key(run: &Run) -> String {
    let keys: Vec<String> = run.axes.iter().map(Axis::key).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() {
        String::new()
    } else {
        format!(" {}.", keys.join("; "))
    }
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
        for (value, text) in [
            (0.1, "0.1"),
            (0.050_000_000_1, "0.05"),
            (200.0, "200"),
            (2e-7, "2e-7"),
            (5e-4, "5e-4"),
        ] {
            assert_eq!(tick(value), text);
        }
    }

    #[test]
    fn axes_are_logarithmic_where_values_span_much_and_none_is_in_the_way() {
        let span = |values: &[f64]| Span::of(values.iter().copied(), true).unwrap();
        assert_eq!(span(&[5.0, 40.0]).scale, Scale::Linear);
        assert_eq!(span(&[5.0, 60.0]).scale, Scale::Log);
        assert_eq!(span(&[-5.0, 0.0, 60.0]).scale, Scale::Linear);
        let flat = span(&[3.0, 3.0, f64::NAN]);
        assert!(flat.low < 3.0 && 3.0 < flat.high);
        assert_eq!(Span::of([f64::NAN].into_iter(), true), None);
        assert_eq!(Span::of([f64::MAX, f64::MIN].into_iter(), true), None);
    }

    #[test]
    fn what_is_too_small_or_spans_too_much_for_a_logarithmic_axis_has_one_of_powers() {
        for ends in [[5e-12, 1e-9], [1e-4, 1e6], [5e-324, f64::MAX], [1e-300, 1e-200]] {
            let span = Span::of(ends.into_iter(), true).unwrap();
            assert_eq!(span.scale, Scale::Powers);
            let (low, high) = span.ends();
            let places = ends.map(|value| span.place(value));
            assert!(
                low <= places[0] && places[0] < places[1] && places[1] <= high,
                "{ends:?}"
            );
            assert!((places[1] - ends[1].log10()).abs() < 1e-9);
            let marks = (high / span.step()).floor() - (low / span.step()).ceil() + 1.0;
            assert!((2.0..=10.0).contains(&marks), "{marks} for {ends:?}");
        }
        assert_eq!([-12.0, -0.0, 30.0].map(power), ["1e-12", "1e0", "1e30"]);
    }
}
