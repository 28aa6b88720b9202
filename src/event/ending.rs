//! How cells and sweeps end: the texts for each ending, and the rule for which cells are compared.

use serde::{Deserialize, Serialize};

use super::Summary;

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CellEnding {
    /// A stopping rule of its configuration was met.
    Finished(StopReason),
    /// The training loss became non-finite or exceeded `loss_limit`. This is a result, not a failure.
    Diverged,
    /// The person watching ended it.
    Aborted,
    /// The program stopped while the cell was running. The cell counts as unfinished.
    Interrupted,
    /// An error ended the cell; the text says which.
    Failed(String),
}

impl CellEnding {
    /// Returns whether a resumed sweep runs the cell again, from its checkpoint if there is one.
    #[must_use]
    pub fn is_run_again(&self) -> bool {
        match self {
            Self::Interrupted | Self::Failed(_) => true,
            Self::Finished(_) | Self::Diverged | Self::Aborted => false,
        }
    }
}

/// The stopping rule that ended a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// The number of steps was reached.
    Steps,
    /// The number of epochs was reached.
    Epochs,
    /// The training loss was reached.
    TrainLoss,
    /// The training accuracy was reached.
    TrainAccuracy,
}

/// How a cell finished when one of its stopping rules was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// As configured. The cell is compared with other cells.
    AsPlanned,
    /// The cell used up its budget before it reached its aim, so it fits the training data less well than cells that
    /// reached theirs.
    AimMissed,
    /// The person watching changed its learning rate.
    ByHand,
}

/// How the sweep ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SweepEnding {
    /// Every cell has ended.
    Complete,
    /// The sweep was stopped with cells unfinished; they can be resumed.
    Stopped,
    /// The sweep could not continue; the text says why.
    Failed(String),
}

impl SweepEnding {
    /// Returns the ending as text, for example "stopped with cells unfinished".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Complete => "complete".to_owned(),
            Self::Stopped => "stopped with cells unfinished".to_owned(),
            Self::Failed(why) => format!("failed: {why}"),
        }
    }
}

impl StopReason {
    /// Returns whether this rule is the aim of the cell, as opposed to its budget of steps or epochs.
    #[must_use]
    pub fn is_aim(self) -> bool {
        matches!(self, Self::TrainLoss | Self::TrainAccuracy)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Steps => "all steps taken",
            Self::Epochs => "all epochs done",
            Self::TrainLoss => "training loss reached",
            Self::TrainAccuracy => "training accuracy reached",
        }
    }
}

impl Finish {
    /// Returns the text for a table that people read.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AsPlanned => "finished",
            Self::AimMissed => "aim missed",
            Self::ByHand => "by hand",
        }
    }
}

impl CellEnding {
    /// Returns the one word that `summary.csv` contains.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Finished(_) => Finish::AsPlanned.words(),
            Self::Diverged => "diverged",
            Self::Aborted => "aborted",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
        }
    }

    /// Returns the text for a table that people read and that has no columns for the aim and for changes by hand.
    #[must_use]
    pub fn table_words(&self, summary: &Summary) -> &'static str {
        self.finish(summary).map_or_else(|| self.word(), Finish::words)
    }

    /// Returns the word and its reason: "finished: all steps taken, the aim not reached", "failed: out of memory".
    #[must_use]
    pub fn sentence(&self, summary: &Summary) -> String {
        let reason = match self {
            Self::Finished(rule) => rule.words(),
            Self::Diverged => "the loss is past its limit or not finite",
            Self::Aborted | Self::Interrupted => return format!("{}{}", self.word(), doubts(summary)),
            Self::Failed(why) => why,
        };
        format!("{}: {reason}{}", self.word(), doubts(summary))
    }

    /// Returns the text for the log: "finished after 938 steps, the aim not reached".
    #[must_use]
    pub fn after_steps(&self, summary: &Summary) -> String {
        let plural = if summary.steps == 1 { "" } else { "s" };
        format!(
            "{} after {} step{plural}{}",
            self.word(),
            summary.steps,
            doubts(summary)
        )
    }

    /// Returns the error of a failed cell.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// Returns how the cell finished, if a stopping rule was met. Cells are compared only if this is
    /// [`Finish::AsPlanned`].
    #[must_use]
    pub fn finish(&self, summary: &Summary) -> Option<Finish> {
        let Self::Finished(_) = self else { return None };
        Some(if summary.changed_by_hand {
            Finish::ByHand
        } else if summary.reached_aim == Some(false) {
            Finish::AimMissed
        } else {
            Finish::AsPlanned
        })
    }

    /// Returns whether the aim was reached, if the cell finished and had an aim.
    #[must_use]
    pub fn reached_aim(&self, has_aim: bool) -> Option<bool> {
        match self {
            Self::Finished(rule) => has_aim.then(|| rule.is_aim()),
            _ => None,
        }
    }
}

/// Returns the reasons not to compare the cell with others, as text to append; empty if there are none.
fn doubts(summary: &Summary) -> String {
    let aim = if summary.reached_aim == Some(false) {
        ", the aim not reached"
    } else {
        ""
    };
    let by_hand = if summary.changed_by_hand {
        ", changed by hand"
    } else {
        ""
    };
    format!("{aim}{by_hand}")
}

impl Summary {
    /// Returns whether a λ_max of this cell is compared with those of other cells: it converged and was measured after
    /// the last step. Summaries without the step of the measurement come from versions that always measured after the
    /// last step.
    #[must_use]
    pub fn compares_lambda(&self, converged: bool, measured_after: Option<u64>) -> bool {
        converged && measured_after.is_none_or(|step| step == self.steps)
    }

    /// Applies [`compares_lambda`](Self::compares_lambda) to the last measurement of λ_max on the first probe.
    #[must_use]
    pub fn compares_its_lambda(&self) -> bool {
        self.compares_lambda(self.lambda_converged == Some(true), self.lambda_step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(reached_aim: Option<bool>, changed_by_hand: bool) -> Summary {
        Summary {
            steps: 938,
            reached_aim,
            changed_by_hand,
            ..Summary::default()
        }
    }

    #[test]
    fn an_ending_has_one_word_in_files_one_in_tables_and_one_sentence() {
        let (plain, missed, by_hand) = (
            summary(None, false),
            summary(Some(false), false),
            summary(Some(false), true),
        );
        let steps = CellEnding::Finished(StopReason::Steps);
        let accuracy = CellEnding::Finished(StopReason::TrainAccuracy);
        let failed = CellEnding::Failed("out of memory".to_owned());
        for (ending, summary, words) in [
            (&steps, &plain, ["finished", "finished", "finished: all steps taken"]),
            (
                &steps,
                &missed,
                [
                    "finished",
                    "aim missed",
                    "finished: all steps taken, the aim not reached",
                ],
            ),
            (
                &steps,
                &by_hand,
                [
                    "finished",
                    "by hand",
                    "finished: all steps taken, the aim not reached, changed by hand",
                ],
            ),
            (
                &accuracy,
                &plain,
                ["finished", "finished", "finished: training accuracy reached"],
            ),
            (
                &CellEnding::Diverged,
                &plain,
                [
                    "diverged",
                    "diverged",
                    "diverged: the loss is past its limit or not finite",
                ],
            ),
            (&CellEnding::Aborted, &plain, ["aborted"; 3]),
            (&CellEnding::Interrupted, &plain, ["interrupted"; 3]),
            (&failed, &plain, ["failed", "failed", "failed: out of memory"]),
        ] {
            assert_eq!(ending.word(), words[0]);
            assert_eq!(ending.table_words(summary), words[1]);
            assert_eq!(ending.sentence(summary), words[2]);
        }
        assert_eq!(
            steps.after_steps(&by_hand),
            "finished after 938 steps, the aim not reached, changed by hand"
        );
        assert_eq!(
            failed.after_steps(&Summary { steps: 1, ..plain }),
            "failed after 1 step"
        );
        assert_eq!(failed.failure(), Some("out of memory"));
    }

    #[test]
    fn what_finished_as_planned_is_compared_and_its_lambda_max_if_it_converged_after_the_last_step() {
        let steps = CellEnding::Finished(StopReason::Steps);
        for (ending, reached_aim, by_hand, finish) in [
            (&steps, None, false, Some(Finish::AsPlanned)),
            (&steps, Some(true), false, Some(Finish::AsPlanned)),
            (&steps, Some(false), false, Some(Finish::AimMissed)),
            (&steps, Some(true), true, Some(Finish::ByHand)),
            (&CellEnding::Diverged, None, false, None),
            (&CellEnding::Aborted, None, false, None),
            (&CellEnding::Interrupted, None, false, None),
            (&CellEnding::Failed(String::new()), None, false, None),
        ] {
            assert_eq!(ending.finish(&summary(reached_aim, by_hand)), finish);
        }
        for (converged, step, compares) in [
            (Some(true), Some(938), true),
            (Some(true), None, true),
            (Some(true), Some(930), false),
            (Some(false), Some(938), false),
            (None, None, false),
        ] {
            let summary = Summary {
                lambda_converged: converged,
                lambda_step: step,
                ..summary(None, false)
            };
            assert_eq!(summary.compares_its_lambda(), compares, "{converged:?} {step:?}");
        }
    }

    #[test]
    fn an_aim_is_reached_by_its_own_rule_alone() {
        for (ending, has_aim, reached) in [
            (CellEnding::Finished(StopReason::TrainLoss), true, Some(true)),
            (CellEnding::Finished(StopReason::Epochs), true, Some(false)),
            (CellEnding::Finished(StopReason::Epochs), false, None),
            (CellEnding::Aborted, true, None),
        ] {
            assert_eq!(ending.reached_aim(has_aim), reached);
        }
    }
}
