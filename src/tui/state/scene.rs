//! One immutable frame of data: everything that a draw may look at.

use std::time::{Duration, Instant};

use super::view::View;
use crate::event::{Activity, CellIndex, SweepEnding};
use crate::machine::Load;
use crate::monitor::{Cell, CellState, Curve, Monitor};
use crate::tui::theme::Theme;

/// Measuring and evaluating are told once they take this long: between every few steps they would only flicker.
const WORTH_TELLING: Duration = Duration::from_millis(400);

/// From here on it is said how long: a large network is measured for minutes before its first step.
const WORTH_COUNTING: Duration = Duration::from_secs(5);

/// What is drawn, as it is at `now`.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is known.
    pub monitor: &'a Monitor,
    /// What was chosen.
    pub view: &'a View,
    /// How busy the machine is, as far as that is known.
    pub load: Option<&'a Load>,
    /// When this is.
    pub now: Instant,
}

impl<'a> Scene<'a> {
    pub(in crate::tui) fn theme(&self) -> &'a Theme {
        &self.view.theme
    }

    pub(in crate::tui) fn chosen(&self) -> CellIndex {
        self.view.chosen(self.monitor)
    }

    pub(in crate::tui) fn cell(&self) -> Option<&'a Cell> {
        self.monitor.cells.get(self.chosen())
    }

    /// What a curve is at the cursor, from its smallest to its largest value where many steps are drawn as one; without a
    /// cursor the `latest` value.
    pub(in crate::tui) fn at_cursor(&self, curve: &Curve, say: impl Fn(f64) -> String, latest: Option<f64>) -> String {
        let Some(step) = self.view.cursor else {
            return latest.map_or_else(|| "–".to_owned(), say);
        };
        let Some(bucket) = curve.at(step) else {
            return "–".to_owned();
        };
        let (low, high) = (say(bucket.min), say(bucket.max));
        let doubt = if bucket.unconverged { " not converged" } else { "" };
        if low == high {
            format!("{high}{doubt}")
        } else {
            format!("{low} to {high}{doubt}")
        }
    }

    /// What is going on, as a glyph, a word or two, and whether it is good, a warning, or bad.
    pub(in crate::tui) fn status(&self) -> (char, String, Mood) {
        if let Some(ending) = &self.monitor.ending {
            return match ending {
                SweepEnding::Complete => ('✓', "complete".to_owned(), Mood::Good),
                SweepEnding::Stopped => (
                    '‖',
                    "stopped; what is unfinished can be resumed".to_owned(),
                    Mood::Warning,
                ),
                SweepEnding::Failed(words) => ('✗', format!("failed: {words}"), Mood::Bad),
            };
        }
        if self.monitor.lost {
            return ('✗', "the training process is gone".to_owned(), Mood::Bad);
        }
        if self.view.stopping {
            return ('‖', "stopping after this step…".to_owned(), Mood::Warning);
        }
        if let Some(place) = &self.monitor.elsewhere {
            return ('▶', format!("trained {place}"), Mood::Good);
        }
        match self.view.asked_to_pause {
            Some(true) => return ('‖', "pausing…".to_owned(), Mood::Warning),
            Some(false) => return ('▶', "resuming…".to_owned(), Mood::Good),
            None => {}
        }
        let brief = self.monitor.busy_for(self.now) < WORTH_TELLING;
        let (glyph, word, mood) = match self.monitor.activity {
            Some(Activity::Paused) => ('‖', "paused", Mood::Warning),
            Some(Activity::Blocked) => ('‖', "waiting for the disk", Mood::Bad),
            Some(Activity::Preparing) => ('▶', "preparing", Mood::Good),
            Some(Activity::MeasuringLambda | Activity::Evaluating) if brief => ('▶', "training", Mood::Good),
            Some(Activity::MeasuringLambda) => ('▶', "measuring λ_max", Mood::Good),
            Some(Activity::Auditing) => ('▶', "auditing λ_max", Mood::Good),
            Some(Activity::Evaluating) => ('▶', "evaluating", Mood::Good),
            Some(Activity::Training) => ('▶', "training", Mood::Good),
            None => ('▶', "starting", Mood::Good),
        };
        let busy = self.monitor.busy_for(self.now);
        let is_step = matches!(
            self.monitor.activity,
            None | Some(Activity::Training | Activity::Paused)
        );
        let word = if is_step || busy < WORTH_COUNTING {
            word.to_owned()
        } else {
            format!("{word} for {}", crate::tui::words::duration(busy))
        };
        let audits = self.monitor.activity == Some(Activity::Auditing);
        let word = if self.view.asked_to_audit.is_some() && !audits {
            format!("{word}, audit to come")
        } else {
            word
        };
        (glyph, word, mood)
    }

    fn is_held(&self, cell: CellIndex) -> bool {
        self.monitor.cells.get(cell).is_some_and(|cell| cell.is_held)
    }

    fn missed_aim(&self, cell: CellIndex) -> bool {
        let cells = &self.monitor.cells;
        cells.get(cell).is_some_and(|cell| cell.reached_aim == Some(false))
    }

    /// The state of a cell as a glyph and a word.
    pub(in crate::tui) fn state(&self, cell: CellIndex) -> (char, &'static str, Mood) {
        if self.view.aborting.contains(&cell) {
            return ('✗', "aborting…", Mood::Warning);
        }
        match self.monitor.state(cell) {
            CellState::Queued | CellState::Interrupted if self.is_held(cell) => ('‖', "held out", Mood::Warning),
            CellState::Queued => ('·', "queued", Mood::Quiet),
            CellState::Running => ('▶', "running", Mood::Good),
            CellState::Paused => ('‖', "paused", Mood::Warning),
            CellState::Finished(_) if self.monitor.cells.get(cell).is_some_and(|cell| cell.changed_by_hand) => {
                ('✓', "by hand", Mood::Warning)
            }
            CellState::Finished(_) if self.missed_aim(cell) => ('✓', "aim missed", Mood::Warning),
            CellState::Finished(_) => ('✓', "finished", Mood::Quiet),
            CellState::Diverged => ('▲', "diverged", Mood::Warning),
            CellState::Aborted => ('✗', "aborted", Mood::Quiet),
            CellState::Interrupted => ('○', "interrupted", Mood::Warning),
            CellState::Failed(_) => ('✗', "failed", Mood::Bad),
        }
    }
}

/// How something is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Mood {
    Good,
    Quiet,
    Warning,
    Bad,
}

impl Mood {
    pub(in crate::tui) fn style(self, theme: &Theme) -> ratatui::style::Style {
        match self {
            Self::Good => theme.good,
            Self::Quiet => theme.dim,
            Self::Warning => theme.warning,
            Self::Bad => theme.bad,
        }
    }
}
