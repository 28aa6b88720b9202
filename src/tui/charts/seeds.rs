//! The seeds of a combination together: their mean in place of the curve of one cell, and the band of their values.

use ratatui::text::Span;

use crate::curve::band::{self, Band, Level, Member};
use crate::event::{CellEnding, CellIndex, cell_name};
use crate::monitor::{Cell, CellState, Curve};
use crate::quantity::Quantity;
use crate::tui::state::scene::Scene;
use crate::tui::theme::Theme;

/// The seeds of a combination in one quantity.
#[derive(Clone, Debug)]
pub(super) struct Together {
    /// The smallest values.
    pub(super) low: Curve,
    /// The largest values, at the same places.
    pub(super) high: Curve,
    /// The values at the cursor; without a cursor, at the end of the band.
    level: Option<Level>,
    /// Number of cells in the mean.
    count: usize,
    /// Number of cells of the combination.
    of: usize,
    /// The cell at which the band ends because it ended without finishing: "cell 1 diverged".
    broken_off: Option<String>,
}

/// Returns the mean of a quantity over the seeds of the chosen `cell`'s combination; `None` if the charts show single
/// cells.
///
/// Cells without a measurement do not count, nor do cells whose learning rate was changed by hand: they are no longer
/// of the combination.
pub(super) fn together(quantity: &Quantity, scene: &Scene, cell: &Cell) -> Option<(Curve, Together)> {
    let cells = scene.view.together(scene.monitor);
    if cells.is_empty() {
        return None;
    }
    let probe = scene.probe(cell);
    let known = cells
        .iter()
        .filter_map(|index| Some((*index, scene.monitor.cells.get(*index)?)));
    let measured = known
        .filter(|(_, cell)| !cell.changed_by_hand)
        .map(|(index, cell)| (index, cell, cell.curves.of(quantity, probe)))
        .filter(|(_, _, curve)| !curve.is_empty());
    let (seeds, members): (Vec<CellIndex>, Vec<Member>) = measured
        .map(|(index, cell, curve)| {
            let curve = scene.across(cell, curve);
            let holds = cell.is_complete();
            (index, Member { curve, holds })
        })
        .unzip();
    let window = scene.window();
    let Band { mean, low, high } = Band::over(&members, window.from, window.to);
    let cursor = scene.view.cursor.map(|step| scene.view.across.place(cell, step));
    let place = cursor.or_else(|| Some(band::ends(&members)?.1));
    let together = Together {
        low,
        high,
        level: place.and_then(|place| band::at(&members, place)),
        count: members.len(),
        of: cells.len(),
        broken_off: broken_off(scene, &seeds, &members),
    };
    Some((mean, together))
}

/// Returns the cell that ends the band because it ended without finishing.
fn broken_off(scene: &Scene, seeds: &[CellIndex], members: &[Member]) -> Option<String> {
    let unfinished = seeds.iter().zip(members).filter(|(_, member)| !member.holds);
    let (first, _) = unfinished.min_by_key(|(_, member)| member.curve.last_step())?;
    match scene.monitor.state(*first) {
        // Another process may go on with a cell that was interrupted.
        _ if scene.monitor.standing(*first).is_some() => None,
        CellState::Ended(CellEnding::Finished(_)) | CellState::Queued | CellState::Running | CellState::Paused => None,
        CellState::Ended(ending) => Some(format!("{} {}", cell_name(*first), ending.word())),
    }
}

impl Together {
    /// Returns the entry in the legend of a chart: "mean of 3 seeds, min–max".
    pub(super) fn legend(&self, theme: &Theme) -> Vec<Span<'static>> {
        let seeds = if self.count == self.of {
            format!("{} seeds", self.count)
        } else {
            format!("{} of {} seeds", self.count, self.of)
        };
        let until = self.broken_off.as_ref().map(|cell| format!(", until {cell}"));
        let words = format!(" mean of {seeds}, min–max{} ", until.unwrap_or_default());
        vec![Span::styled(theme.text(&words).into_owned(), theme.dim)]
    }

    /// Formats the mean with the smallest and the largest value: "40.2 (39.6 to 41.0)".
    pub(super) fn said(&self, say: impl Fn(f64) -> String) -> String {
        let Some(level) = &self.level else {
            return "–".to_owned();
        };
        let [mean, low, high] = [level.mean, level.low, level.high].map(say);
        let doubt = if level.unconverged { " not converged" } else { "" };
        if low == high {
            format!("{mean}{doubt}")
        } else {
            format!("{mean} ({low} to {high}){doubt}")
        }
    }

    /// Formats the mean.
    pub(super) fn mean_said(&self, say: impl Fn(f64) -> String) -> String {
        let Some(level) = &self.level else {
            return "–".to_owned();
        };
        let doubt = if level.unconverged { " not converged" } else { "" };
        format!("{}{doubt}", say(level.mean))
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::*;
    use crate::event::{Event, StopReason};
    use crate::quantity::{LAMBDA_MAX, TRAIN_LOSS};
    use crate::tui::fixture::{Fixture, script};

    /// Returns a sweep of two learning rates with three seeds each, of which the seeds of the first have reached these
    /// steps; one that has taken all steps has finished. λ_max of seed s is 0.9, 1.0 or 1.1 times that of the script.
    fn three_seeds(reached: [u64; 3]) -> Fixture {
        let mut plan = script::plan();
        for (index, cell) in plan.cells.iter_mut().enumerate() {
            let values = [
                ("learning_rate", ["0.05", "0.025"][index / 3].to_owned()),
                ("seed", (index % 3).to_string()),
            ];
            cell.swept = values.map(|(name, value)| (name.to_owned(), value)).to_vec();
            cell.settings
                .retain(|(name, _)| name != "seed" && name != "learning_rate");
            cell.settings.extend(cell.swept.clone());
        }
        let mut events = vec![Event::SweepStarted(plan)];
        for (cell, last) in reached.into_iter().enumerate() {
            events.push(Event::CellStarted { cell });
            for step in (0..=last).step_by(5) {
                let mut point = script::point(2, step, 0);
                let factor = 0.9 + 0.1 * cell as f64;
                point.lambda.as_mut().unwrap().lambda_max *= factor;
                point
                    .values
                    .set("train_loss", point.values.get("train_loss").unwrap() * factor);
                let point = Box::new(point);
                events.extend([Event::Measured { cell, point }, script::progress(cell, step)]);
            }
            if last == script::STEPS {
                events.push(script::ended(cell, last, CellEnding::Finished(StopReason::Steps)));
            }
        }
        let mut fixture = Fixture::after(events);
        fixture.view.pinned = Some(0);
        fixture.view.seeds_together = true;
        fixture
    }

    fn screen(scene: &Scene, area: Rect, buffer: &mut Buffer) {
        crate::tui::screen::render(scene, area, buffer);
    }

    fn lambda(scene: &Scene, area: Rect, buffer: &mut Buffer) {
        crate::tui::charts::render(scene, &crate::quantity::LAMBDA, area, buffer);
    }

    #[test]
    fn three_seeds_of_which_one_is_unfinished() {
        insta::assert_snapshot!(three_seeds([1_000, 1_000, 600]).drawn(screen, (120, 40)));
    }

    #[test]
    fn three_seeds_in_ascii() {
        let mut fixture = three_seeds([1_000, 1_000, 600]);
        fixture.view.theme = Fixture::ascii().view.theme;
        let drawn = fixture.drawn(lambda, (80, 12));
        assert!(drawn.contains("mean of 3 seeds, min-max"), "{drawn}");
    }

    /// Returns the mean of the seeds as places and values.
    fn mean(fixture: &Fixture, quantity: &'static Quantity) -> Vec<(u64, f64)> {
        let scene = fixture.scene();
        let cell = scene.cell().unwrap();
        let line = crate::tui::charts::measured::line(quantity, &scene, cell);
        line.curve
            .buckets()
            .iter()
            .map(|bucket| (bucket.first_step, bucket.last))
            .collect()
    }

    #[test]
    fn the_mean_ends_with_the_slowest_running_seed_and_a_seed_that_ends_moves_nothing() {
        let running = mean(&three_seeds([995, 995, 600]), &LAMBDA_MAX);
        let ended = mean(&three_seeds([1_000, 1_000, 600]), &LAMBDA_MAX);
        assert_eq!(running, ended);
        assert_eq!(ended.last().unwrap().0, 600);
        let script = |step| script::point(2, step, 0).lambda.unwrap().lambda_max;
        assert!(ended.iter().all(|(step, value)| (value - script(*step)).abs() < 1e-9));
        let losses = mean(&three_seeds([1_000, 1_000, 600]), &TRAIN_LOSS);
        assert_eq!((losses.len(), losses.last().unwrap().0), (121, 600));
    }

    #[test]
    fn a_seed_without_a_measurement_or_changed_by_hand_does_not_count() {
        let mut fixture = three_seeds([1_000, 600, 0]);
        fixture.monitor.apply(Event::CellRetried { cell: 2 }, fixture.start);
        assert!(
            fixture
                .drawn(lambda, (120, 12))
                .contains("mean of 2 of 3 seeds, min–max")
        );
        fixture.monitor.cells[1].changed_by_hand = true;
        assert!(
            fixture
                .drawn(lambda, (120, 12))
                .contains("mean of 1 of 3 seeds, min–max")
        );
        assert_eq!(mean(&fixture, &LAMBDA_MAX).last().unwrap().0, 1_000);
    }

    #[test]
    fn a_finished_seed_whose_points_are_still_being_read_is_not_held() {
        let mut fixture = three_seeds([1_000, 1_000, 1_000]);
        assert_eq!(mean(&fixture, &LAMBDA_MAX).last().unwrap().0, 1_000);
        fixture.monitor.apply(Event::History { cell: 1 }, fixture.start);
        fixture.measure(1, script::point(2, 0, 0));
        fixture.measure(1, script::point(2, 5, 0));
        assert_eq!(mean(&fixture, &LAMBDA_MAX).last().unwrap().0, 5);
    }

    #[test]
    fn a_narrow_chart_leaves_out_the_range_at_the_cursor_but_no_mean() {
        let mut fixture = three_seeds([1_000, 1_000, 600]);
        fixture.view.cursor = Some(300);
        let loss = |scene: &Scene, area: Rect, buffer: &mut Buffer| {
            crate::tui::charts::render(scene, &crate::quantity::LOSS, area, buffer);
        };
        let wide = fixture.drawn(loss, (120, 12));
        assert!(wide.contains("train 0.117 (0.105 to 0.128) "), "{wide}");
        let narrow = fixture.drawn(loss, (39, 7));
        assert!(
            narrow.contains("train 0.117 ") && !narrow.contains("to 0.128"),
            "{narrow}"
        );
    }

    #[test]
    fn a_seed_that_diverged_ends_the_band_and_the_legend_says_so() {
        let mut fixture = three_seeds([1_000, 400, 600]);
        let diverged = script::ended(1, 400, CellEnding::Diverged);
        fixture.monitor.apply(diverged, fixture.start);
        assert_eq!(mean(&fixture, &LAMBDA_MAX).last().unwrap().0, 400);
        let drawn = fixture.drawn(lambda, (120, 12));
        assert!(
            drawn.contains("mean of 3 seeds, min–max, until cell 1 diverged"),
            "{drawn}"
        );
    }

    #[test]
    fn a_value_that_did_not_converge_is_marked_in_the_mean_and_said_at_the_cursor() {
        let mut fixture = three_seeds([700, 700, 600]);
        let mut point = script::point(2, 605, 0);
        point.lambda.as_mut().unwrap().lambda_converged = false;
        fixture.measure(2, point);
        let drawn = fixture.drawn(lambda, (160, 12));
        assert!(
            drawn.contains(") not converged") && drawn.contains("○ not converged"),
            "{drawn}"
        );
        fixture.view.cursor = Some(300);
        let drawn = fixture.drawn(lambda, (160, 12));
        assert!(!drawn.contains(") not converged"), "{drawn}");
        fixture.view.cursor = Some(650);
        assert!(fixture.drawn(lambda, (160, 12)).contains("at step 650:  ⠤⠤ λ_max –"));
    }

    #[test]
    fn on_every_axis_the_mean_is_at_the_places_of_the_axis() {
        let mut fixture = three_seeds([1_000, 1_000, 600]);
        let steps = mean(&fixture, &LAMBDA_MAX);
        fixture.view.across = crate::curve::Across::Epochs;
        let epochs = mean(&fixture, &LAMBDA_MAX);
        // An epoch is one step; a place is a thousandth of an epoch.
        assert!(
            steps
                .iter()
                .zip(&epochs)
                .all(|(step, epoch)| (step.0 * 1_000, step.1) == *epoch)
        );
        fixture.view.across = crate::curve::Across::Seconds;
        assert_eq!(mean(&fixture, &LAMBDA_MAX).last().unwrap().0, 600 * 18);
    }

    #[test]
    fn a_cell_without_other_seeds_is_drawn_alone() {
        let mut fixture = Fixture::half_way();
        let alone = fixture.drawn(lambda, (120, 12));
        fixture.view.seeds_together = true;
        assert_eq!(fixture.drawn(lambda, (120, 12)), alone);
    }
}
