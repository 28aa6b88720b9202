//! The progress bar below the lines: of the running cell, or of the whole sweep if several cells run.

use std::time::Duration;

use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::known::Known;
use super::words;
use crate::characters::Glyphs;
use crate::event::{Activity, CellIndex, Cells};
use crate::quantity::TEST_ACCURACY;

/// `cell 2 dropout=0.3 [=====>      ] 500/2000 ETA 00:01:03 · λ_max 12.3`, or for several cells
/// `cells done [=====>      ] 12/60 4 running · 1310 steps/s · ETA 00:10:21`. Every font has these characters.
const TEMPLATE: &str = "{prefix} [{bar:20}] {pos}/{len} {wide_msg}";

/// Returns a bar on standard output. indicatif limits how often it is redrawn.
pub(super) fn new() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stdout());
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> "))
}

/// Draws the progress of the running cells.
pub(super) fn draw(bar: &ProgressBar, known: &Known, glyphs: Glyphs) {
    match known.monitor.turns.running.as_slice() {
        [] => {}
        [cell] => draw_cell(bar, known, *cell, glyphs),
        _ => {
            bar.set_length(known.monitor.cells.len() as u64);
            bar.set_position(known.monitor.done() as u64);
            bar.set_prefix("cells done");
            bar.set_message(glyphs.spelled(message_of_all(known)).into_owned());
        }
    }
}

fn draw_cell(bar: &ProgressBar, known: &Known, cell: CellIndex, glyphs: Glyphs) {
    let Some(now) = known.cell(cell) else { return };
    bar.set_length(now.plan.planned_steps);
    bar.set_position(now.progress.step);
    bar.set_prefix(glyphs.spelled(known.cell_name(cell)).into_owned());
    bar.set_message(glyphs.spelled(message(known, cell)).into_owned());
}

/// Returns the text to the right of the bar if several cells run.
pub(super) fn message_of_all(known: &Known) -> String {
    let monitor = &known.monitor;
    let running = &monitor.turns.running;
    let mut parts = vec![format!("{} running", running.len())];
    let is_paused = |cell: &&CellIndex| monitor.is_paused(Cells::One(**cell));
    let paused = running.iter().filter(is_paused).count();
    if paused > 0 {
        parts.push(format!("{paused} of them paused"));
    }
    let pace = monitor.steps_per_second();
    if pace > 0.0 {
        parts.push(format!("{} steps/s", words::short(pace)));
    }
    if let Some(left) = monitor.time_left() {
        let seconds = Duration::from_secs(left.as_secs_f64().ceil() as u64);
        parts.push(format!("ETA {}", FormattedDuration(seconds)));
    }
    parts.join(" · ")
}

/// Returns the text to the right of the bar of one cell.
pub(super) fn message(known: &Known, cell: CellIndex) -> String {
    let Some(now) = known.cell(cell) else {
        return String::new();
    };
    let rate = now.progress.steps_per_second;
    let left = now.plan.planned_steps.saturating_sub(now.progress.step) as f64;
    let mut parts = Vec::new();
    if rate > 0.0
        && let Ok(left) = Duration::try_from_secs_f64((left / rate).ceil())
    {
        parts.push(format!("ETA {}", FormattedDuration(left)));
    }
    if let Some(Some(lambda)) = now.latest.lambda.first() {
        parts.push(format!(
            "λ_max {}",
            words::lambda_max(lambda.lambda_max, lambda.lambda_converged)
        ));
    }
    parts.extend(
        now.latest
            .first(&TEST_ACCURACY)
            .map(|share| format!("{} {}", TEST_ACCURACY.label, words::per_cent(share))),
    );
    let activity = known.monitor.activity(Some(cell));
    parts.extend(activity.and_then(busy).map(str::to_owned));
    parts.join(" · ")
}

/// Returns what the trainer does instead of taking steps; `None` while it takes steps.
fn busy(activity: Activity) -> Option<&'static str> {
    match activity {
        Activity::Training => None,
        Activity::Blocked => Some("waiting for the disk"),
        Activity::Preparing => Some("preparing"),
        Activity::MeasuringLambda => Some("measuring λ_max"),
        Activity::MeasuringGauge => Some("measuring gauges"),
        Activity::Auditing => Some("auditing λ_max"),
        Activity::Evaluating => Some("evaluating"),
        Activity::Paused => Some("paused"),
    }
}
