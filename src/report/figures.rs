//! The figures of a report: as SVG, which the HTML page contains, and as PNG.
//!
//! kuva draws both from the same scene. For text in PNG it uses its built-in font, DejaVu Sans, so the figures are the
//! same on a server without fonts.

mod colours;
mod correlations;
mod curves;
mod levels;
mod margins;
mod multiples;
mod scatter;
mod spectra;

use std::sync::Arc;

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::scatter::MarkerShape;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::render::Scene;

use colours::{colour, of_level, tint};
pub(super) use curves::MOST_COMBINATIONS;

use super::axis::Axis;
use super::comparison::Comparison;
use super::run::Run;
use crate::curve::Across;

/// A figure.
pub(super) struct Figure {
    /// The name of its files, without the extension.
    pub(super) name: String,
    /// The caption.
    pub(super) caption: String,
    /// The whole SVG element.
    pub(super) svg: String,
    scene: Scene,
}

/// Pixels of the PNG per pixel of the SVG.
const PNG_SCALE: f32 = 2.0;

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

    /// Returns the PNG file.
    ///
    /// # Errors
    /// The message of the encoder. No such error is known.
    pub(super) fn png(&self) -> Result<Vec<u8>, String> {
        RasterBackend::new().with_scale(PNG_SCALE).render_scene(&self.scene)
    }
}

/// Adds a `viewBox` to an SVG. kuva writes only the size; without a `viewBox`, a browser that shows the figure at a
/// smaller size cuts it off instead of scaling it.
fn scalable(svg: &str, scene: &Scene) -> String {
    let (width, height) = (scene.width, scene.height);
    let svg = short_numbers(svg);
    svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1)
}

/// Writes the numbers in the tags of an SVG with at most two decimals: kuva rounds coordinates, but writes
/// 53.800000000000004 for 53.8.
fn short_numbers(svg: &str) -> String {
    let mut short = String::with_capacity(svg.len());
    let mut rest = svg;
    let mut in_tag = false;
    while let Some(letter) = rest.chars().next() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let (number, behind) = rest.split_at(digits.unwrap_or(rest.len()));
        if in_tag && !number.is_empty() {
            match number.parse::<f64>() {
                // Digits on both sides: the name of the format has "w3.org".
                Ok(value) if number.contains('.') && !number.starts_with('.') && !number.ends_with('.') => {
                    let text = format!("{value:.2}");
                    short.push_str(text.trim_end_matches('0').trim_end_matches('.'));
                }
                _ => short.push_str(number),
            }
            rest = behind;
            continue;
        }
        in_tag = (in_tag || letter == '<') && letter != '>';
        short.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    short
}

/// Returns the scatter plots of test accuracy against λ_max, one per probe and setting, coloured by the setting.
pub(super) fn scatters(run: &Run) -> Vec<Figure> {
    let probes = 0..run.probes.len();
    probes.flat_map(|probe| scatter::figures(run, probe)).collect()
}

/// Returns the figure of the rank correlation of every quantity with test accuracy; `None` if there is none.
pub(super) fn correlations(run: &Run) -> Option<Figure> {
    correlations::figure(run)
}

/// Returns the figure of spectral densities; `None` if none was measured.
pub(super) fn spectra(run: &Run) -> Option<Figure> {
    spectra::figure(run)
}

/// Returns the figures of λ_max and test accuracy against each setting, with the index of its axis.
pub(super) fn levels(run: &Run, comparisons: &[Comparison]) -> Vec<(usize, Figure)> {
    (0..run.axes.len())
        .filter_map(|axis| Some((axis, levels::figure(run, axis, comparisons)?)))
        .collect()
}

/// Returns the curves of λ_max, loss and accuracy, for at most [`MOST_COMBINATIONS`] combinations.
pub(super) fn curves(run: &Run, across: Across) -> Vec<Figure> {
    curves::figures(run, across)
}

/// Returns λ_max of every cell as small panels; none if the curves show every cell by itself.
pub(super) fn multiples(run: &Run, across: Across) -> Vec<Figure> {
    multiples::figures(run, across)
}

/// Returns the marker with index `n`. Markers repeat with another colour, so that each of 49 has its own pair.
fn marker(n: usize) -> MarkerShape {
    MARKERS[(n + n / MARKERS.len()) % MARKERS.len()]
}

/// Smallest value on kuva's logarithmic axis: kuva draws smaller values at 1e-10. The axis marks every power of ten.
const LEAST_LOG: f64 = 1e-9;

/// Most powers of ten that an axis can mark.
const MOST_POWERS: f64 = 8.0;

/// The range and scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    low: f64,
    high: f64,
    scale: Scale,
}

/// The scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// Distances are proportional to differences of values.
    Linear,
    /// Distances are proportional to differences of logarithms.
    Log,
    /// Also logarithmic, for values that are too small or span too much for [`Scale::Log`]: the logarithms are drawn on
    /// a linear axis.
    Powers,
}

impl Span {
    /// Returns a span with all values and a margin. It is logarithmic if the values span more than [`LOG_SPAN`] and
    /// `may_log` is true. Returns `None` if there are no finite values or they are too far apart for a float.
    fn of(values: impl Iterator<Item = f64> + Clone, may_log: bool) -> Option<Self> {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values.fold(None, |ends, value| {
                let (low, high) = ends.unwrap_or((value, value));
                Some((value.min(low), value.max(high)))
            })
        };
        let finite = values.filter(|value| value.is_finite());
        let (low, high): (f64, f64) = ends(&mut finite.clone())?;
        // A logarithmic axis omits values that are not positive. If they are a tenth or more, the axis is linear.
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
        // If all values are equal, the axis still needs a width.
        let margin = if high > low {
            0.06 * (high - low)
        } else {
            0.01 * high.abs().max(1e-4)
        };
        // The difference of values at both ends of a float's range is infinite.
        (high - low).is_finite().then_some(Self {
            low: (low - margin).max(f64::MIN),
            high: (high + margin).min(f64::MAX),
            scale: Scale::Linear,
        })
    }

    /// Returns whether a value can be drawn.
    fn shows(self, value: f64) -> bool {
        value.is_finite() && (self.scale == Scale::Linear || value > 0.0)
    }

    /// Returns the coordinate of a value that can be drawn.
    fn place(self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear | Scale::Log => value,
            // A margin below the smallest positive float is zero, which has no logarithm.
            Scale::Powers => value.max(f64::from_bits(1)).log10(),
        }
    }

    /// Returns the coordinates of both ends.
    fn ends(self) -> (f64, f64) {
        (self.place(self.low), self.place(self.high))
    }

    /// Returns the distance between the marks of [`Scale::Powers`], in powers of ten.
    fn step(self) -> f64 {
        let (low, high) = self.ends();
        ((high - low) / MOST_POWERS).ceil()
    }
}

/// Returns a layout whose axes have exactly these spans.
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

/// Formats a mark of a logarithmic axis: 1, 2 or 5 times a power of ten.
fn tick(value: f64) -> String {
    if (1e-3..1e5).contains(&value) {
        // kuva computes powers of ten, so the last digit may be wrong.
        format!("{}", (value * 1e6).round() / 1e6)
    } else {
        format!("{value:.0e}")
    }
}

/// Formats a mark of an axis with [`Scale::Powers`].
fn power(exponent: f64) -> String {
    format!("1e{exponent:.0}").replace("1e-0", "1e0")
}

/// Returns the label of an axis: the words, followed by ", log scale" if the scale is logarithmic.
fn label(words: &str, span: Span) -> String {
    match span.scale {
        Scale::Linear => words.to_owned(),
        Scale::Log | Scale::Powers => format!("{words}, log scale"),
    }
}

/// Returns a short label for λ_max on a probe, because the description of the probe may be too long; see [`probe_key`].
fn lambda_label(run: &Run, probe: usize) -> String {
    if run.probes.len() < 2 {
        return "λ_max".to_owned();
    }
    format!("λ_max, probe {probe}")
}

/// Returns the explanation of shortened names of settings and levels, for a caption.
fn axes_key(run: &Run) -> String {
    let keys: Vec<String> = run.axes.iter().map(Axis::key).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() {
        String::new()
    } else {
        format!(" {}.", keys.join("; "))
    }
}

/// Returns the explanation of the probe numbers of [`lambda_label`], for a caption.
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
    fn numbers_of_an_svg_are_short_and_its_texts_stay() {
        let name = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1310\">";
        assert_eq!(short_numbers(name), name);
        let long = "<text x=\"61.300000000000004\" y=\"7\">λ 0.12345</text><path d=\"M 0.1 2.999 L -3.00 5\" />";
        let short = "<text x=\"61.3\" y=\"7\">λ 0.12345</text><path d=\"M 0.1 3 L -3 5\" />";
        assert_eq!(short_numbers(long), short);
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
