//! The progress bar of the running cell, or of the one that was started first where several run.

use std::time::Duration;

use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::known::Known;
use super::words;
use crate::characters::Glyphs;
use crate::event::{Activity, CellIndex};
use crate::quantity::TEST_ACCURACY;

/// `cell 2 dropout=0.3 [=====>      ] 500/2000 ETA 00:01:03 · λ_max 12.3`; characters that every font has.
const TEMPLATE: &str = "{prefix} [{bar:20}] {pos}/{len} {wide_msg}";

/// A bar on standard output; indicatif itself draws it no more often than eyes follow.
pub(super) fn new() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stdout());
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> "))
}

/// Shows how far the cell is.
pub(super) fn draw(bar: &ProgressBar, known: &Known, cell: CellIndex, glyphs: Glyphs) {
    let Some(now) = known.cell(cell) else { return };
    bar.set_length(now.plan.planned_steps);
    bar.set_position(now.progress.step);
    bar.set_prefix(glyphs.spelled(known.cell_name(cell)).into_owned());
    bar.set_message(glyphs.spelled(message(known, cell)).into_owned());
}

/// What stands beside the bar.
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
        2 => parts.push("1 more runs".to_owned()),
        running => parts.push(format!("{} more run", running - 1)),
    }
    parts.join(" · ")
}

/// What keeps the trainer from taking steps, if anything does.
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
