//! What the person watching has chosen, and what a key changes about it.

mod asked;
mod by_hand;
mod mouse;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::event::{CellIndex, Cells, Command, cell_name};
use crate::monitor::Monitor;

use super::across::Across;
use super::charts::Charts;
use super::filter::Filter;
use super::palette::{Found, Palette};
use super::rate::RatePrompt;
use super::rows::Rows;
use super::smoothing::Smoothing;
use super::zoom::Zoom;
use crate::tui::keys::keymap::KeyMap;
use crate::tui::keys::prompt::{self, Typed};
use crate::tui::keys::{self, Action};
use crate::tui::page::Page;
use crate::tui::plot::Scale;
use crate::tui::theme::Theme;

pub(in crate::tui) use steps::{MOST_OVERLAID, settings_beside_seed};

/// Cells that a page is.
const PAGE: isize = 10;

/// Lines that the settings are scrolled by.
const SCROLL: isize = 5;

/// The most lines that the explanations have.
pub(in crate::tui) const MOST_EXPLAINED: usize = 80;

/// What lies over the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The keys.
    Help,
    /// Every setting of the chosen cell.
    Details,
    /// A question.
    Question(Question),
    /// That a question or a prompt was withdrawn: an answer that comes too late must not do something else.
    Withdrawn(String),
    /// Another learning rate.
    Rate(RatePrompt),
    /// Every action by its name.
    Palette(Palette),
    /// What the numbers mean.
    Glossary,
    /// What this is, and where help is.
    Welcome,
    /// Which cells are to be shown: what is typed, and what held before.
    Filter(String, Filter),
}

/// What is asked before work is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether to stop the sweep.
    Quit,
    /// Whether to abort this cell.
    Abort(CellIndex),
    /// Whether to run this cell again.
    Retry(CellIndex),
}

/// What a key leads to outside of the view.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The training thread is asked for this.
    Send(Command),
    /// The same, and the person watching is told something.
    SendAndSay(Command, String),
    /// The person watching is told something.
    Say(String),
    /// The values under the cursor are copied.
    Copy,
    /// The screen is left.
    Leave,
    /// The screen is left, and the sweep goes on.
    Detach,
    /// The program goes into the background.
    Suspend,
    /// The screen is saved as a picture.
    Picture,
    /// The whole screen is sent again.
    Redraw,
}

/// What the person watching has chosen.
#[derive(Clone, Debug)]
pub struct View {
    /// What it is drawn with.
    pub theme: Theme,
    /// Which keys do what.
    pub keys: KeyMap,
    /// The cell to look at, unless those that run are followed: see [`crate::monitor::Turns::followed`].
    pub pinned: Option<CellIndex>,
    /// Which charts there are.
    pub charts: Charts,
    /// What goes across them.
    pub across: Across,
    /// How losses, and whatever else has a chart like theirs, are drawn.
    pub loss_scale: Scale,
    /// How λ_max is drawn.
    pub lambda_scale: Scale,
    /// Where it is shown, by which of the swept settings the scatter of all cells is coloured, seeds aside; else loss and
    /// accuracy of the chosen cell stand in its place.
    pub scatter: Option<usize>,
    /// Which of the cell's probes is drawn.
    pub probe: usize,
    /// What fills the screen.
    pub page: Page,
    /// Which cells the table shows, and in which order.
    pub rows: Rows,
    /// Lines of the end of the log that are scrolled away.
    pub log_back: usize,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// Which steps are shown.
    pub zoom: Zoom,
    /// How much the curves are smoothed.
    pub smoothing: Smoothing,
    /// Cells that lie over the charts for comparison.
    pub overlaid: Vec<CellIndex>,
    /// The step at which the curves are read out.
    pub cursor: Option<u64>,
    /// A pause (true) of these cells or its end (false) was asked for and is not confirmed yet.
    pub asked_to_pause: Option<(Cells, bool)>,
    /// Cells of which an audit was asked for that is not made yet, and how many each had had before.
    pub asked_to_audit: BTreeMap<CellIndex, u64>,
    /// Lines of the settings that are scrolled away.
    pub scrolled: usize,
    /// The sweep was asked to stop.
    pub stopping: bool,
    /// The sweep was begun for this screen, which can stop it wherever it is trained.
    pub owns: bool,
    /// Cells that were asked to be aborted.
    pub aborting: BTreeSet<CellIndex>,
    last_followed: CellIndex,
    undo: Vec<by_hand::Undo>,
}

impl View {
    /// The view at the start: it follows the running cell.
    #[must_use]
    pub fn new(theme: Theme) -> Self {
        Self {
            theme,
            keys: KeyMap::default(),
            pinned: None,
            charts: Charts::default(),
            across: Across::Steps,
            loss_scale: Scale::Logarithmic,
            lambda_scale: Scale::Linear,
            scatter: None,
            probe: 0,
            page: Page::Charts,
            rows: Rows::default(),
            log_back: 0,
            overlay: None,
            zoom: Zoom::Whole,
            smoothing: Smoothing::Off,
            overlaid: Vec::new(),
            cursor: None,
            asked_to_pause: None,
            asked_to_audit: BTreeMap::new(),
            scrolled: 0,
            stopping: false,
            owns: false,
            aborting: BTreeSet::new(),
            last_followed: 0,
            undo: Vec::new(),
        }
    }

    /// The cell that the charts show.
    #[must_use]
    pub fn chosen(&self, monitor: &Monitor) -> CellIndex {
        let followed = monitor.turns.running.first().copied();
        let chosen = self.pinned.or(followed).unwrap_or(self.last_followed);
        chosen.min(monitor.cells.len().saturating_sub(1))
    }

    /// The cell that keys for a running cell act on: the chosen one if it runs, else the one that is followed; none where none
    /// runs.
    #[must_use]
    pub fn acted_on(&self, monitor: &Monitor) -> Option<CellIndex> {
        let chosen = Some(self.chosen(monitor)).filter(|cell| monitor.turns.is_running(*cell));
        chosen.or(monitor.turns.running.first().copied())
    }

    /// The cells that are paused together: where no two run at once, the sweep is.
    fn paused_together(&self, monitor: &Monitor) -> Cells {
        let several = monitor.turns.running.len() > 1;
        let one = self.acted_on(monitor).filter(|_| several);
        one.map_or(Cells::All, Cells::One)
    }

    /// Whether what would be paused now is paused already, or was asked to be.
    #[must_use]
    pub fn is_to_resume(&self, monitor: &Monitor) -> bool {
        let cells = self.paused_together(monitor);
        let asked = self.asked_to_pause.filter(|(asked, _)| *asked == cells);
        asked.map_or_else(|| monitor.is_paused(cells), |(_, pause)| pause)
    }

    /// Brings requests and choices in line with what has happened since.
    pub fn follow(&mut self, monitor: &Monitor) {
        if let Some(followed) = monitor.turns.followed {
            self.last_followed = followed;
        }
        self.asked_to_pause = self.asked_to_pause.filter(|(cells, pause)| {
            let has_ended = matches!(cells, Cells::One(cell) if !monitor.turns.is_running(*cell));
            !monitor.is_over() && !has_ended && monitor.is_paused(*cells) != *pause
        });
        self.asked_to_audit
            .retain(|cell, before| monitor.turns.is_running(*cell) && monitor.cells[*cell].audits <= *before);
        self.aborting
            .retain(|cell| !monitor.is_over() && monitor.state(*cell).can_be_aborted());
        match &self.overlay {
            // A question that the sweep has answered itself is withdrawn.
            Some(Overlay::Question(Question::Quit)) if monitor.is_over() => self.overlay = None,
            Some(Overlay::Question(Question::Abort(cell))) if !self.can_abort(*cell, monitor) => {
                self.withdraw(*cell, "was not aborted");
            }
            Some(Overlay::Question(Question::Retry(cell))) if monitor.is_over() || !monitor.state(*cell).is_done() => {
                self.withdraw(*cell, "is not run again");
            }
            Some(Overlay::Rate(prompt)) if !monitor.turns.is_running(prompt.cell) || !self.can_change_rate(monitor) => {
                self.withdraw(prompt.cell, "keeps its learning rate");
            }
            _ => {}
        }
    }

    /// Takes in a key.
    pub fn key(&mut self, event: &KeyEvent, monitor: &Monitor) -> Option<Effect> {
        // Whoever stops the program means it wherever something is asked; a letter may be bound to that, too, and be typed.
        let is_chord = event.modifiers.contains(KeyModifiers::CONTROL);
        if is_chord && self.keys.action(event) == Some(Action::Suspend) {
            return Some(Effect::Suspend);
        }
        if let Some(Overlay::Withdrawn(_)) = self.overlay {
            return self.key_at_withdrawn(event, monitor);
        }
        if let Some(Overlay::Question(question)) = self.overlay {
            let answer = match (self.keys.action(event), question) {
                // Whoever presses Ctrl-C at "quit?" means it; at another question it is not an answer to that.
                (Some(Action::Interrupt), Question::Quit) => true,
                (Some(Action::Interrupt), Question::Abort(_) | Question::Retry(_)) => return self.quit(monitor),
                (Some(Action::Detach | Action::Details), Question::Quit) => return Some(Effect::Detach),
                _ => keys::answer(event)?,
            };
            self.overlay = None;
            return answer.then(|| self.confirmed(question, monitor));
        }
        match &mut self.overlay {
            Some(Overlay::Welcome) => {
                self.overlay = None;
                // These do nothing else.
                if matches!(event.code, KeyCode::Esc | KeyCode::Enter) {
                    return None;
                }
            }
            Some(Overlay::Rate(_)) => return self.key_at_prompt(event, monitor),
            Some(Overlay::Palette(palette)) => {
                let found = palette.key(event);
                if found != Found::Pending {
                    self.overlay = None;
                }
                return match found {
                    Found::Action(action) => self.act(action, monitor),
                    Found::Nothing | Found::Pending => None,
                };
            }
            Some(Overlay::Filter(typed, before)) => {
                match prompt::key(typed, event) {
                    Typed::Never => {
                        self.rows.filter = before.clone();
                        self.overlay = None;
                    }
                    Typed::Done => self.overlay = None,
                    Typed::More => self.rows.filter = Filter::parse(typed),
                    Typed::Tab => prompt::blank(typed),
                    Typed::Row(_) => {}
                }
                return None;
            }
            _ => {}
        }
        self.act(self.keys.action(event)?, monitor)
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, monitor: &Monitor) -> Option<Effect> {
        if let Some(effect) = self.seen_from_afar(action, monitor) {
            return Some(effect);
        }
        match action {
            Action::PauseOrResume => return self.pause_or_resume(monitor),
            Action::Abort
            | Action::Retry
            | Action::Skip
            | Action::MoveUp
            | Action::MoveDown
            | Action::Hold
            | Action::AddSeed
            | Action::LearningRate
            | Action::Undo => return self.change(action, monitor),
            Action::PageCharts => self.page = Page::Charts,
            Action::PageCells => self.page = Page::Cells,
            Action::PageSweep => self.page = Page::Sweep,
            Action::PageLog => self.page = Page::Log,
            Action::Filter => {
                // It is typed over the table.
                if !self.page.has_table() {
                    self.page = Page::Cells;
                }
                let before = self.rows.filter.clone();
                self.overlay = Some(Overlay::Filter(before.text().to_owned(), before));
            }
            Action::Sort => self.rows.sort_by_next(monitor),
            Action::SortReversed => self.rows.descending = !self.rows.descending,
            Action::Palette => self.overlay = Some(Overlay::Palette(Palette::default())),
            Action::Glossary => self.toggle(Overlay::Glossary),
            Action::Copy => return Some(Effect::Copy),
            Action::Audit => {
                let cell = self.acted_on(monitor).filter(|_| !self.stopping)?;
                self.asked_to_audit.insert(cell, monitor.cells.get(cell)?.audits);
                return Some(asked_of(cell, Command::Audit(cell), "audited", monitor));
            }
            Action::Measure => {
                let cell = self.acted_on(monitor).filter(|_| !self.stopping)?;
                return Some(asked_of(cell, Command::Measure(cell), "measured", monitor));
            }
            Action::Previous => self.go(-1, monitor),
            Action::Next => self.go(1, monitor),
            Action::PageUp => self.go(-PAGE, monitor),
            Action::PageDown => self.go(PAGE, monitor),
            Action::Follow if self.page == Page::Log => self.log_back = 0,
            Action::Follow => self.pinned = None,
            Action::NextChart => return Some(Effect::Say(self.charts.show_next())),
            Action::MarkChart => return Some(Effect::Say(self.charts.mark_next())),
            Action::AcrossAxis => {
                self.across = self.across.next();
                return Some(Effect::Say(format!("{} go across the charts", self.across.name())));
            }
            Action::LossAxis => self.loss_scale = self.loss_scale.other(),
            Action::LambdaAxis => self.lambda_scale = self.lambda_scale.other(),
            Action::CursorLeft => self.move_cursor(monitor, true),
            Action::CursorRight => self.move_cursor(monitor, false),
            Action::ZoomIn => self.zoom = self.zoom.closer(self.window(monitor), self.cursor),
            Action::ZoomOut => {
                let whole = self.whole(monitor).to;
                self.zoom = self.zoom.wider(self.window(monitor), self.cursor, whole);
            }
            Action::Earlier | Action::Later => {
                let whole = self.whole(monitor).to;
                self.zoom = Zoom::moved(self.window(monitor), action == Action::Earlier, whole);
            }
            Action::WholeRun => self.zoom = Zoom::Whole,
            Action::Smooth => self.smoothing = self.smoothing.next(),
            Action::Overlay => return Some(Effect::Say(self.lay_over(self.chosen(monitor)))),
            Action::OverlayNone => self.overlaid.clear(),
            Action::NextProbe => {
                let probes = monitor
                    .cells
                    .get(self.chosen(monitor))
                    .map_or(1, |cell| cell.plan.probes.len());
                self.probe = (self.probe + 1) % probes.max(1);
            }
            Action::Scatter => {
                let next = self.scatter.map_or(0, |setting| setting + 1);
                self.scatter = (next < settings_beside_seed(monitor).count().max(1)).then_some(next);
            }
            Action::Details => self.toggle(Overlay::Details),
            Action::ScrollUp => self.scroll(-SCROLL, monitor),
            Action::ScrollDown => self.scroll(SCROLL, monitor),
            Action::Help => self.toggle(Overlay::Help),
            // One thing at a time.
            Action::Close if self.overlay.is_none() => {
                // One thing after the other.
                if !self.charts.unmark() {
                    self.cursor = None;
                }
            }
            Action::Close => self.overlay = None,
            Action::Quit | Action::Interrupt => return self.quit(monitor),
            Action::Detach => return Some(Effect::Detach),
            Action::Suspend => return Some(Effect::Suspend),
            Action::Picture => return Some(Effect::Picture),
            Action::Redraw => return Some(Effect::Redraw),
        }
        None
    }

    /// What a key does about a run that is trained where no request of ours arrives, if that is not what it does otherwise.
    fn seen_from_afar(&self, action: Action, monitor: &Monitor) -> Option<Effect> {
        let place = monitor.elsewhere.as_ref().filter(|_| !monitor.is_over())?;
        if !self.owns && matches!(action, Action::Quit | Action::Interrupt) {
            return Some(Effect::Detach);
        }
        action.is_of_training().then(|| {
            Effect::Say(format!(
                "this run is trained {place}: `{}` does nothing here",
                action.name()
            ))
        })
    }

    /// Asks the sweep to stop without a question, as a signal does; a second time leaves at once.
    pub fn stop(&mut self, monitor: &Monitor) -> Effect {
        if monitor.is_over() || self.stopping {
            return Effect::Leave;
        }
        self.confirmed(Question::Quit, monitor)
    }

    fn quit(&mut self, monitor: &Monitor) -> Option<Effect> {
        if monitor.is_over() || self.stopping {
            return Some(Effect::Leave);
        }
        self.overlay = Some(Overlay::Question(Question::Quit));
        None
    }

    fn pause_or_resume(&mut self, monitor: &Monitor) -> Option<Effect> {
        if monitor.is_over() || self.stopping {
            return None;
        }
        let cells = self.paused_together(monitor);
        let pause = !self.is_to_resume(monitor);
        self.asked_to_pause = Some((cells, pause));
        Some(Effect::Send(if pause {
            Command::Pause(cells)
        } else {
            Command::Resume(cells)
        }))
    }

    /// Goes through the rows of the table, or through the log.
    fn go(&mut self, by: isize, monitor: &Monitor) {
        if self.page == Page::Log {
            let most = monitor.log.len();
            self.log_back = self.log_back.saturating_add_signed(-by).min(most);
            return;
        }
        let rows = self.rows.shown(monitor);
        let chosen = self.chosen(monitor);
        // A cell that the filter hides is left for the first row.
        let at = rows.iter().position(|cell| *cell == chosen);
        let to = at.map_or(0, |at| at.saturating_add_signed(by).min(rows.len().saturating_sub(1)));
        self.pinned = rows.get(to).copied().or(self.pinned);
    }

    /// Whether aborting this cell would change anything.
    pub(in crate::tui) fn can_abort(&self, cell: CellIndex, monitor: &Monitor) -> bool {
        let known = cell < monitor.cells.len();
        known && !monitor.is_over() && !self.stopping && monitor.state(cell).can_be_aborted()
    }

    /// Whether there is a cell whose learning rate can be changed.
    pub(in crate::tui) fn can_change_rate(&self, monitor: &Monitor) -> bool {
        !monitor.turns.running.is_empty() && !monitor.is_over() && !self.stopping
    }

    /// Scrolls details, keys or explanations by so many lines.
    fn scroll(&mut self, by: isize, monitor: &Monitor) {
        // What is drawn has a few lines more than settings or keys, and is never scrolled past its end.
        let chosen = monitor.cells.get(self.chosen(monitor));
        let settings = chosen.map_or(0, |cell| cell.plan.settings.len());
        let most = settings.max(keys::BINDINGS.len()).max(MOST_EXPLAINED);
        self.scrolled = self.scrolled.saturating_add_signed(by).min(most);
    }

    /// Shows this from its first line on, or no longer.
    fn toggle(&mut self, overlay: Overlay) {
        self.scrolled = 0;
        self.overlay = if self.overlay.as_ref() == Some(&overlay) {
            None
        } else {
            Some(overlay)
        };
    }
}

/// Asks something of a cell that runs. A measurement belongs to a step: while the cell is paused it has to wait, and the person
/// watching is told so; where several run, also which one is meant.
fn asked_of(cell: CellIndex, command: Command, what: &str, monitor: &Monitor) -> Effect {
    let several = monitor.turns.running.len() > 1;
    match (several, monitor.is_paused(Cells::One(cell))) {
        (false, false) => Effect::Send(command),
        (false, true) => {
            let words = "training is paused: λ_max is measured after its next step";
            Effect::SendAndSay(command, words.to_owned())
        }
        (true, false) => Effect::SendAndSay(command, format!("{} is {what} after this step", cell_name(cell))),
        (true, true) => {
            let words = format!("{} is paused: it is {what} after its next step", cell_name(cell));
            Effect::SendAndSay(command, words)
        }
    }
}

#[cfg(test)]
mod tests;
