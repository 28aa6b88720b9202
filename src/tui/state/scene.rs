//! One immutable frame of data: everything that drawing may read.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::view::View;
use crate::event::{Activity, CellEnding, CellIndex, Cells, Finish, StandingKind, SweepEnding, cell_name};
use crate::machine::Load;
use crate::monitor::{Cell, CellState, Curve, Monitor};
use crate::tui::plot::Window;
use crate::tui::theme::Theme;

/// Measuring and evaluating are shown only after this time: shorter ones would flicker every few steps.
const WORTH_TELLING: Duration = Duration::from_millis(400);

/// After this time the duration is shown, too: a large network is measured for minutes before its first step.
const WORTH_COUNTING: Duration = Duration::from_secs(5);

/// The data to draw, at the time `now`.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The known state of the sweep.
    pub monitor: &'a Monitor,
    /// The user's choices.
    pub view: &'a View,
    /// How busy the machine is, if known.
    pub load: Option<&'a Load>,
    /// The time of the frame.
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

    /// Places a curve of a cell on the horizontal axis of the charts.
    pub(in crate::tui) fn across<'c>(&self, cell: &Cell, curve: &'c Curve) -> Cow<'c, Curve> {
        self.view.across.curve(cell, curve)
    }

    /// Returns the range of the horizontal axis that the charts show for the chosen cell.
    pub(in crate::tui) fn window(&self) -> Window {
        self.view.placed_window(self.monitor)
    }

    /// Returns the index of the probe of a cell that is drawn.
    pub(in crate::tui) fn probe(&self, cell: &Cell) -> usize {
        self.view.probe.min(cell.plan.probes.len().saturating_sub(1))
    }

    /// Formats the value of a curve at the cursor, from the smallest to the largest value if many steps are drawn as
    /// one. Without a cursor, formats the `latest` value.
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

    /// Returns what the sweep is doing: a glyph, some words, and a mood.
    pub(in crate::tui) fn status(&self) -> (char, String, Mood) {
        if let Some(ending) = &self.monitor.ending {
            return match ending {
                SweepEnding::Complete => ('✓', ending.words(), Mood::Good),
                SweepEnding::Stopped => (
                    '‖',
                    "stopped; unfinished cells can be resumed".to_owned(),
                    Mood::Warning,
                ),
                SweepEnding::Failed(_) => ('✗', ending.words(), Mood::Bad),
            };
        }
        if self.monitor.lost {
            return ('✗', "the training process exited".to_owned(), Mood::Bad);
        }
        if self.view.stopping {
            return ('‖', "stopping after this step…".to_owned(), Mood::Warning);
        }
        if let Some(words) = &self.monitor.foreign {
            return ('○', words.clone(), Mood::Quiet);
        }
        if let Some(place) = &self.monitor.elsewhere {
            return ('▶', format!("trained {place}"), Mood::Good);
        }
        if let Some((cells, pause)) = self.view.asked_to_pause {
            let which = match cells {
                Cells::All => String::new(),
                Cells::One(cell) => format!(" {}", cell_name(cell)),
            };
            return if pause {
                ('‖', format!("pausing{which}…"), Mood::Warning)
            } else {
                ('▶', format!("resuming{which}…"), Mood::Good)
            };
        }
        let running = &self.monitor.turns.running;
        let is_blocked = |cell: &Option<CellIndex>| self.monitor.activity(*cell) == Some(Activity::Blocked);
        let all = running.iter().copied().map(Some).chain([None]);
        if let Some(blocked) = all.clone().find(is_blocked) {
            return self.activity(blocked);
        }
        let is_paused = |cell: &&CellIndex| self.monitor.is_paused(Cells::One(**cell));
        match (running.len(), running.iter().filter(is_paused).count()) {
            (0 | 1, _) => {
                let prepared = || self.monitor.prepared().next();
                self.activity(running.first().copied().or_else(prepared))
            }
            (_, 0) => ('▶', "training".to_owned(), Mood::Good),
            (all, paused) if all == paused => ('‖', "paused".to_owned(), Mood::Warning),
            (_, paused) => ('▶', format!("training, {paused} paused"), Mood::Good),
        }
    }

    /// Returns what is done for a running or prepared cell, or, without a cell, between cells: a glyph, some words, and
    /// a mood.
    pub(in crate::tui) fn activity(&self, cell: Option<CellIndex>) -> (char, String, Mood) {
        let activity = self.monitor.activity(cell);
        let busy = self.monitor.busy_for(cell, self.now);
        let brief = busy < WORTH_TELLING;
        let (glyph, word, mood) = match activity {
            Some(Activity::Paused) => ('‖', "paused", Mood::Warning),
            Some(Activity::Blocked) => ('‖', "waiting for the disk", Mood::Bad),
            Some(Activity::Preparing) => ('▶', "preparing", Mood::Good),
            Some(Activity::MeasuringLambda | Activity::MeasuringGauge | Activity::Evaluating) if brief => {
                ('▶', "training", Mood::Good)
            }
            Some(Activity::MeasuringLambda) => ('▶', "measuring λ_max", Mood::Good),
            Some(Activity::MeasuringGauge) => ('▶', "measuring gauges", Mood::Good),
            Some(Activity::Auditing) => ('▶', "auditing λ_max", Mood::Good),
            Some(Activity::Evaluating) => ('▶', "evaluating", Mood::Good),
            Some(Activity::Training) => ('▶', "training", Mood::Good),
            // The files of a run do not tell what is done right now.
            None if cell.is_some_and(|cell| self.has_steps(cell)) => ('▶', "training", Mood::Good),
            // One cell has ended, and the next one is not prepared yet.
            None if cell.is_none() && self.monitor.turns.followed.is_some() => ('▶', "preparing", Mood::Good),
            None => ('▶', "starting", Mood::Good),
        };
        let is_step = matches!(activity, None | Some(Activity::Training | Activity::Paused));
        let word = if is_step || busy < WORTH_COUNTING {
            word.to_owned()
        } else {
            format!("{word} for {}", crate::tui::words::duration(busy))
        };
        let is_asked = cell.is_some_and(|cell| self.view.asked_to_audit.contains_key(&cell));
        let word = if is_asked && activity != Some(Activity::Auditing) {
            format!("{word}, audit pending")
        } else {
            word
        };
        (glyph, word, mood)
    }

    /// Returns why there is no finished cell to draw.
    pub(in crate::tui) fn nothing_finished(&self) -> &'static str {
        if self.monitor.foreign.is_some() {
            "the files do not say which runs have finished"
        } else {
            "no cell has finished yet"
        }
    }

    fn has_steps(&self, cell: CellIndex) -> bool {
        self.monitor.cells.get(cell).is_some_and(|cell| cell.progress.step > 0)
    }

    fn is_held(&self, cell: CellIndex) -> bool {
        self.monitor.cells.get(cell).is_some_and(|cell| cell.is_held)
    }

    /// Returns the state of a cell: a glyph, a word, and a mood.
    pub(in crate::tui) fn state(&self, cell: CellIndex) -> (char, &'static str, Mood) {
        if self.view.aborting.contains(&cell) {
            return ('✗', "aborting…", Mood::Warning);
        }
        let ending = match self.monitor.state(cell) {
            CellState::Queued | CellState::Ended(CellEnding::Interrupted) if self.is_held(cell) => {
                return ('‖', "held", Mood::Warning);
            }
            _ if let Some(standing) = self.monitor.standing(cell) => return stands(standing.kind),
            _ if self.monitor.prepared().any(|prepared| prepared == cell) => return ('▶', "preparing", Mood::Good),
            CellState::Queued => return ('·', "queued", Mood::Quiet),
            CellState::Running => return ('▶', "running", Mood::Good),
            CellState::Paused => return ('‖', "paused", Mood::Warning),
            CellState::Ended(ending) => ending,
        };
        let summary = self.monitor.cells.get(cell).and_then(Cell::summary);
        let words = summary.map_or_else(|| ending.word(), |summary| ending.table_words(summary));
        let (glyph, mood) = match &ending {
            CellEnding::Finished(_) => match summary.and_then(|summary| ending.finish(summary)) {
                Some(Finish::ByHand | Finish::AimMissed) => ('✓', Mood::Warning),
                Some(Finish::AsPlanned) | None => ('✓', Mood::Quiet),
            },
            CellEnding::Diverged => ('▲', Mood::Warning),
            CellEnding::Aborted => ('✗', Mood::Quiet),
            CellEnding::Interrupted => ('○', Mood::Warning),
            CellEnding::Failed(_) => ('✗', Mood::Bad),
        };
        (glyph, words, mood)
    }
}

/// Returns how a cell stands that another process has: a glyph, a word, and a mood.
fn stands(kind: StandingKind) -> (char, &'static str, Mood) {
    let (glyph, mood) = match kind {
        StandingKind::Elsewhere | StandingKind::Growing => ('▶', Mood::Good),
        StandingKind::Waiting | StandingKind::Pending | StandingKind::Still => ('·', Mood::Quiet),
        StandingKind::Preempted | StandingKind::Requeued => ('○', Mood::Warning),
        StandingKind::Suspended => ('‖', Mood::Warning),
        StandingKind::Silent => ('?', Mood::Warning),
        StandingKind::NodeLost | StandingKind::JobEnded | StandingKind::Died => ('○', Mood::Bad),
    };
    (glyph, kind.word(), mood)
}

/// The rating of a state, which decides its style.
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
