//! The seeds of a combination together: their mean, and the band from the smallest to the largest value.
//!
//! The computation is that of the screen: [`Band`].

use std::borrow::Cow;

use kuva::plot::band::BandPlot;

use super::super::Span;
use super::panel::Panel;
use crate::curve::band::{Band, Member};
use crate::curve::{Across, Bucket, Curve};
use crate::report::run::Cell;

/// The mean and the extremes of several cells, on the coordinates of the horizontal axis.
pub(super) struct Together {
    /// The mean; a gap is a value that is not a number.
    pub(super) mean: Vec<(f64, f64)>,
    /// The pieces of the band between gaps: place, smallest and largest value.
    pub(super) band: Vec<Vec<(f64, f64, f64)>>,
}

impl Together {
    /// Returns the mean and the band of a panel over these cells. Cells without a value in it do not count.
    pub(super) fn of(panel: Panel, cells: &[&Cell], across: Across) -> Self {
        let members: Vec<Member> = cells
            .iter()
            .filter(|cell| cell.is_of_combination)
            .map(|cell| Member {
                curve: Cow::Owned(curve(panel, cell, across)),
                holds: cell.is_complete,
            })
            .filter(|member| !member.curve.is_empty())
            .collect();
        let Band { mean, low, high } = Band::over(&members, 0, u64::MAX);
        let at = |bucket: &Bucket| across.coordinate(bucket.first_step);
        let mut together = Self {
            mean: Vec::new(),
            band: vec![Vec::new()],
        };
        for ((mean, low), high) in mean.buckets().iter().zip(low.buckets()).zip(high.buckets()) {
            together.mean.push((at(mean), mean.last));
            if let Some(piece) = together.band.last_mut() {
                piece.push((at(mean), low.min, high.max));
            }
            if mean.gap_after {
                together.mean.push((at(mean), f64::NAN));
                together.band.push(Vec::new());
            }
        }
        together
    }

    /// Returns the band as areas of a colour, without values that the axis cannot show.
    pub(super) fn areas(&self, y: Span, colour: &str) -> Vec<BandPlot> {
        let least = |value: f64| if y.shows(value) { value } else { y.low };
        let pieces = self.band.iter().filter(|piece| {
            let is_band = piece.iter().any(|(_, low, high)| low < high);
            is_band && piece.iter().all(|(_, _, high)| y.shows(*high))
        });
        let area = |piece: &Vec<(f64, f64, f64)>| {
            let x = piece.iter().map(|(x, _, _)| *x);
            let low = piece.iter().map(|(_, low, _)| y.place(least(*low)));
            let high = piece.iter().map(|(_, _, high)| y.place(*high));
            BandPlot::new(x, low, high).with_color(colour).with_opacity(0.2)
        };
        pieces.map(area).collect()
    }
}

fn curve(panel: Panel, cell: &Cell, across: Across) -> Curve {
    let mut curve = Curve::default();
    for point in &cell.points {
        if let (Some(place), Some(value)) = (across.place_of(point), panel.value(point)) {
            curve.push(place, value);
        }
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{LambdaPoint, Point};
    use crate::report::run::Standing;

    /// Returns a cell whose λ_max was measured every `every` steps until a step, and is not finite at step 40.
    fn cell(seed: u32, every: usize, until: u64, is_complete: bool) -> Cell {
        let value = |step: u64| {
            let x = step as f64;
            (0.05 * x + f64::from(seed)).sin() * 7.0 + 0.1 * x + 10.0
        };
        let points = (0..=until).step_by(every).map(|step| Point {
            step,
            epoch: step as f64 / 8.0,
            seconds: step as f64 * 0.5 + f64::from(seed),
            lambda: Some(LambdaPoint {
                lambda_max: if step == 40 && seed == 1 { f64::NAN } else { value(step) },
                lambda_converged: true,
                ..LambdaPoint::default()
            }),
            ..Point::default()
        });
        Cell {
            index: seed as usize,
            levels: Vec::new(),
            seed: seed.into(),
            standing: Standing::Compared,
            is_of_combination: seed != 9,
            is_complete,
            summary: None,
            lambdas: Vec::new(),
            points: points.collect(),
        }
    }

    fn cells() -> Vec<Cell> {
        // One has finished early, one has finished late, one still runs, one was changed by hand.
        vec![
            cell(0, 5, 60, true),
            cell(1, 10, 100, true),
            cell(2, 4, 80, false),
            cell(9, 5, 20, false),
        ]
    }

    /// Returns the value of a cell at a coordinate from its points alone; `None` where it has none.
    fn value(cell: &Cell, x: f64, of: fn(&Point) -> f64) -> Option<f64> {
        let points: Vec<(f64, f64)> = cell
            .points
            .iter()
            .map(|point| (of(point), point.lambda.as_ref().unwrap().lambda_max))
            .collect();
        if let Some(pair) = points.windows(2).find(|pair| (pair[0].0..=pair[1].0).contains(&x)) {
            let share = (x - pair[0].0) / (pair[1].0 - pair[0].0);
            let value = match share {
                0.0 => pair[0].1,
                1.0 => pair[1].1,
                share => pair[0].1 * (1.0 - share) + pair[1].1 * share,
            };
            return Some(value).filter(|value| value.is_finite());
        }
        let last = points.last().unwrap();
        (cell.is_complete && x > last.0).then_some(last.1)
    }

    #[test]
    fn mean_and_band_are_those_of_the_points_on_every_axis() {
        let cells = cells();
        let of_mean = || cells.iter().filter(|cell| cell.seed != 9);
        for (across, of, start, end) in [
            (
                Across::Steps,
                (|point| point.step as f64) as fn(&Point) -> f64,
                0.0,
                80.0,
            ),
            (Across::Epochs, |point| point.epoch, 0.0, 10.0),
            // The cell with seed 2 begins at second 2.
            (Across::Seconds, |point| point.seconds, 2.0, 42.0),
        ] {
            let drawn = Together::of(Panel::LAMBDA, &cells.iter().collect::<Vec<_>>(), across);
            let shown: Vec<(f64, f64)> = drawn.mean.iter().copied().filter(|(_, mean)| !mean.is_nan()).collect();
            assert_eq!((shown[0].0, shown.last().unwrap().0), (start, end), "{across:?}");
            let band: Vec<(f64, f64, f64)> = drawn.band.concat();
            assert_eq!(band.len(), shown.len());
            assert!(shown.len() > 20, "{}", shown.len());
            for ((x, mean), (_, low, high)) in shown.into_iter().zip(band) {
                let values: Vec<f64> = of_mean().map(|cell| value(cell, x, of).unwrap()).collect();
                let expected = values.iter().sum::<f64>() / 3.0;
                assert!(
                    (mean - expected).abs() < 1e-9,
                    "{across:?} at {x}: {mean} and {expected}"
                );
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                assert!(
                    (low - least).abs() < 1e-9 && (high - most).abs() < 1e-9,
                    "{across:?} at {x}"
                );
            }
            // Around the measurement that failed, mean and band are interrupted.
            assert_eq!(
                drawn.band.iter().filter(|piece| !piece.is_empty()).count(),
                2,
                "{across:?}"
            );
            assert_eq!(drawn.mean.iter().filter(|(_, mean)| mean.is_nan()).count(), 1);
        }
    }

    #[test]
    fn no_cell_that_ends_makes_the_mean_jump() {
        let drawn = Together::of(Panel::LAMBDA, &cells().iter().collect::<Vec<_>>(), Across::Steps);
        let steps = drawn
            .mean
            .windows(2)
            .filter(|pair| !pair[0].1.is_nan() && !pair[1].1.is_nan());
        for pair in steps {
            let slope = (pair[1].1 - pair[0].1).abs() / (pair[1].0 - pair[0].0);
            // No cell changes by more than 7 · 0.05 + 0.1 a step.
            assert!(slope < 0.45, "{pair:?}");
        }
    }

    #[test]
    fn a_band_of_one_cell_is_no_area_and_a_value_below_a_logarithmic_axis_is_at_its_end() {
        let y = Span {
            low: 1.0,
            high: 100.0,
            scale: super::super::super::Scale::Log,
        };
        let together = |low| Together {
            mean: Vec::new(),
            band: vec![vec![(0.0, low, 5.0), (1.0, low, 5.0)], vec![]],
        };
        assert_eq!(together(5.0).areas(y, "#000000").len(), 0);
        let areas = together(-3.0).areas(y, "#000000");
        assert_eq!((areas.len(), areas[0].y_lower[0]), (1, 1.0));
    }
}
