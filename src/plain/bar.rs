//! The progress bar of the running cell; if several cells run, of the one that was started first.

use std::time::Duration;

use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::known::Known;
use super::words;
use crate::characters::Glyphs;
use crate::event::{Activity, CellIndex};
use crate::quantity::TEST_ACCURACY;

/// `cell 2 dropout=0.3 [=====>      ] 500/2000 ETA 00:01:03 · λ_max 12.3`. Every font has these characters.
const TEMPLATE: &str = "{prefix} [{bar:20}] {pos}/{len} {wide_msg}";

/// Returns a bar on standard output. indicatif limits how often it is redrawn.
pub(super) fn new() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stdout());
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> "))
}

/// Draws the progress of the cell.
pub(super) fn draw(bar: &ProgressBar, known: &Known, cell: CellIndex, glyphs: Glyphs) {
    let Some(now) = known.cell(cell) else { return };
    bar.set_length(now.plan.planned_steps);
    bar.set_position(now.progress.step);
    bar.set_prefix(glyphs.spelled(known.cell_name(cell)).into_owned());
    bar.set_message(glyphs.spelled(message(known, cell)).into_owned());
}

/// Returns the text to the right of the bar.
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
    match known.monitor.turns.running.len() {
        0 | 1 => {}
        2 => parts.push("1 more running".to_owned()),
        running => parts.push(format!("{} more running", running - 1)),
    }
    parts.join(" · ")
}

/// Returns what the trainer does instead of taking steps; `None` while it takes steps.
fn busy(activity: Activity) -> Option<&'static str> {
    match activity {
        Activity::Training => None,
        Activity::Blocked => Some("waiting for the disk"),
        Activity::Preparing => Some("preparing"),
        Activity::MeasuringLambda => Some("measuring λ_max"),
        Activity::Auditing => Some("auditing λ_max"),
        Activity::Evaluating => Some("evaluating"),
        Activity::Paused => Some("paused"),
    }
}
