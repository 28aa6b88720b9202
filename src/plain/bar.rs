//! The progress bar of the running cell.

use std::time::Duration;

use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::known::Known;
use super::words;
use crate::characters::Glyphs;
use crate::event::{Activity, CellIndex};

/// `cell 3/30 dropout=0.3 [=====>      ] 500/2000 ETA 00:01:03 · λ_max 12.3`; characters that every font has.
const TEMPLATE: &str = "{prefix} [{bar:20}] {pos}/{len} {wide_msg}";

/// A bar on standard output; indicatif itself draws it no more often than eyes follow.
pub(super) fn new() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stdout());
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> "))
}

/// Shows how far the cell is.
pub(super) fn draw(bar: &ProgressBar, known: &Known, cell: CellIndex, glyphs: Glyphs) {
    let (Some(plan), Some(now)) = (known.cell_plan(cell), known.cells.get(cell)) else {
        return;
    };
    bar.set_length(plan.planned_steps);
    bar.set_position(now.progress.step);
    bar.set_prefix(glyphs.spelled(known.cell_name(cell)).into_owned());
    bar.set_message(glyphs.spelled(message(known, cell)).into_owned());
}

/// What stands beside the bar.
pub(super) fn message(known: &Known, cell: CellIndex) -> String {
    let (Some(plan), Some(now)) = (known.cell_plan(cell), known.cells.get(cell)) else {
        return String::new();
    };
    let rate = now.progress.steps_per_second;
    let left = plan.planned_steps.saturating_sub(now.progress.step) as f64;
    let mut parts = Vec::new();
    if rate > 0.0
        && let Ok(left) = Duration::try_from_secs_f64((left / rate).ceil())
    {
        parts.push(format!("ETA {}", FormattedDuration(left)));
    }
    if let Some(lambda) = &now.lambda {
        parts.push(format!(
            "λ_max {}",
            words::lambda_max(lambda.lambda_max, lambda.lambda_converged)
        ));
    }
    parts.extend(
        now.test_accuracy
            .map(|(_, share)| format!("test accuracy {}", words::per_cent(share))),
    );
    parts.extend(known.activity.and_then(busy).map(str::to_owned));
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
