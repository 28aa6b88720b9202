//! The lines about cells in the log of a run.

use std::fmt::Write;

use crate::event::{CellEnding, LogKind, Summary};
use crate::number::{percent, significant};
use crate::quantity::{LAMBDA_MAX, TEST_ACCURACY};

/// Returns `words`, followed by the cell's swept settings.
pub(super) fn with_swept(words: &str, swept: &[(String, String)]) -> String {
    let pairs: Vec<String> = swept.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if pairs.is_empty() {
        words.to_owned()
    } else {
        format!("{words}: {}", pairs.join(", "))
    }
}

pub(super) fn kind_of(ending: &CellEnding) -> LogKind {
    match ending {
        CellEnding::Finished(_) | CellEnding::Aborted | CellEnding::Interrupted => LogKind::Ended,
        CellEnding::Diverged | CellEnding::Failed(_) => LogKind::Warning,
    }
}

/// Returns how a cell ended, for the log.
pub(super) fn ended_words(ending: &CellEnding, summary: &Summary) -> String {
    let mut words = ending.after_steps(summary);
    if let Some(lambda) = summary.last(&LAMBDA_MAX).filter(|lambda| lambda.is_finite()) {
        let doubt = if summary.lambda_converged == Some(true) {
            ""
        } else {
            " (not converged)"
        };
        let _ = write!(words, ", λ_max {}{doubt}", significant(lambda, 5));
    }
    if let Some(accuracy) = summary.last(&TEST_ACCURACY).filter(|accuracy| accuracy.is_finite()) {
        let _ = write!(words, ", test accuracy {}", percent(accuracy));
    }
    if let Some(why) = ending.failure() {
        let _ = write!(words, ": {why}");
    }
    words
}
