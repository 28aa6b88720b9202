//! The user's choices, and how a key changes them.

mod asked;
mod by_hand;
mod mouse;
mod running;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::curve::Across;
use crate::event::{CellIndex, Cells, Command};
use crate::monitor::Monitor;

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

/// Cells per page up or down.
const PAGE: isize = 10;

/// Lines by which settings, keys or glossary are scrolled.
const SCROLL: isize = 5;

/// Maximum number of lines of the glossary.
pub(in crate::tui) const MOST_EXPLAINED: usize = 80;

/// A box over the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The keys.
    Help,
    /// Every setting of the chosen cell.
    Details,
    /// A question.
    Question(Question),
    /// The message that a question or a prompt was withdrawn: a late answer must not do something else.
    Withdrawn(String),
    /// The prompt for a new learning rate.
    Rate(RatePrompt),
    /// The search for an action by its name.
    Palette(Palette),
    /// The glossary: what the numbers mean.
    Glossary,
    /// The welcome at the first start.
    Welcome,
    /// The prompt for a filter: the typed text, and the filter before it.
    Filter(String, Filter),
}

/// A question before work is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether to stop the sweep.
    Quit,
    /// Whether to abort this cell.
    Abort(CellIndex),
    /// Whether to run this cell again.
    Retry(CellIndex),
}

/// An effect of a key outside the view.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send this command to the training thread.
    Send(Command),
    /// Send this command, and show a message.
    SendAndSay(Command, String),
    /// Show a message.
    Say(String),
    /// Copy the values under the cursor.
    Copy,
    /// Leave the screen.
    Leave,
    /// Leave the screen; the sweep goes on.
    Detach,
    /// Suspend: the program goes into the background.
    Suspend,
    /// Save the screen as a picture.
    Picture,
    /// Send the whole screen again.
    Redraw,
}

/// The place from which a run was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CameFrom {
    /// The shell.
    #[default]
    Shell,
    /// A list of runs, to which `Esc` goes back.
    List,
}

/// The user's choices.
#[derive(Clone, Debug)]
pub struct View {
    /// Colours and characters.
    pub theme: Theme,
    /// The keys of every action.
    pub keys: KeyMap,
    /// The chosen cell. `None` follows a running cell, see [`crate::monitor::Turns::followed`].
    pub pinned: Option<CellIndex>,
    /// The charts on the screen.
    pub charts: Charts,
    /// The horizontal axis of the charts.
    pub across: Across,
    /// Scale of the loss axis, and of other quantities with the same kind of axis.
    pub loss_scale: Scale,
    /// Scale of the λ_max axis.
    pub lambda_scale: Scale,
    /// The scatter of all cells: the index of the swept setting, seeds not counted, that colours it. `None` shows loss
    /// and accuracy of the chosen cell instead.
    pub scatter: Option<usize>,
    /// Index of the cell's probe that is drawn.
    pub probe: usize,
    /// The page that is shown.
    pub page: Page,
    /// Which cells the table shows, and in which order.
    pub rows: Rows,
    /// Number of lines that are scrolled away at the end of the log.
    pub log_back: usize,
    /// The box over the screen, if any.
    pub overlay: Option<Overlay>,
    /// The steps that are shown.
    pub zoom: Zoom,
    /// How much the curves are smoothed.
    pub smoothing: Smoothing,
    /// Cells overlaid on the charts for comparison.
    pub overlaid: Vec<CellIndex>,
    /// Whether the charts show the seeds of the chosen cell's combination together.
    pub seeds_together: bool,
    /// The step at which the curves are read out.
    pub cursor: Option<u64>,
    /// A requested pause (`true`) of these cells, or its end (`false`), that is not confirmed yet.
    pub asked_to_pause: Option<(Cells, bool)>,
    /// Cells with a requested audit that is not done yet, each with its number of audits before the request.
    pub asked_to_audit: BTreeMap<CellIndex, u64>,
    /// Number of lines that are scrolled away at the top of settings, keys or glossary.
    pub scrolled: usize,
    /// Whether the sweep was asked to stop.
    pub stopping: bool,
    /// Whether the sweep was started for this screen. Such a screen can stop the sweep wherever it is trained.
    pub owns: bool,
    /// The place from which the run was opened.
    pub came_from: CameFrom,
    /// Cells whose abort was requested.
    pub aborting: BTreeSet<CellIndex>,
    last_followed: CellIndex,
    undo: Vec<by_hand::Undo>,
}

impl View {
    /// Returns the view at the start, which follows the running cell.
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
            seeds_together: false,
            cursor: None,
            asked_to_pause: None,
            asked_to_audit: BTreeMap::new(),
            scrolled: 0,
            stopping: false,
            owns: false,
            came_from: CameFrom::Shell,
            aborting: BTreeSet::new(),
            last_followed: 0,
            undo: Vec::new(),
        }
    }

    /// Changes the charts that are shown, which from then on are the user's choice. Returns a message for the user.
    fn change_charts(&mut self, monitor: &Monitor, change: impl FnOnce(&mut Charts) -> String) -> String {
        self.charts = self.charts_now(monitor);
        change(&mut self.charts)
    }

    /// Returns the charts of the chosen cell.
    pub(in crate::tui) fn charts_now(&self, monitor: &Monitor) -> Charts {
        let cell = monitor.cells.get(self.chosen(monitor));
        cell.map_or(self.charts, |cell| self.charts.of_cell(cell))
    }

    /// Returns the cell that the charts show.
    #[must_use]
    pub fn chosen(&self, monitor: &Monitor) -> CellIndex {
        let chosen = self.pinned.or(monitor.turns.followed).unwrap_or(self.last_followed);
        chosen.min(monitor.cells.len().saturating_sub(1))
    }

    /// Returns the chosen cell if it runs. Keys for a running cell act on it.
    #[must_use]
    pub fn chosen_running(&self, monitor: &Monitor) -> Option<CellIndex> {
        Some(self.chosen(monitor)).filter(|cell| monitor.turns.is_running(*cell))
    }

    /// Returns whether the pause key for these cells resumes: they are paused, or their pause was requested.
    #[must_use]
    pub fn is_to_resume(&self, cells: Cells, monitor: &Monitor) -> bool {
        let asked = self.asked_to_pause.filter(|(asked, _)| *asked == cells);
        asked.map_or_else(|| monitor.is_paused(cells), |(_, pause)| pause)
    }

    /// Updates requests and choices after new events.
    pub fn follow(&mut self, monitor: &Monitor) {
        if monitor.elsewhere.is_some() {
            // A request may get no answer. A notice says what became of it.
            (self.asked_to_pause, self.asked_to_audit, self.aborting) = Default::default();
        }
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
            // Withdraw a question that the sweep has already settled.
            Some(Overlay::Question(Question::Quit)) if monitor.is_over() => self.overlay = None,
            Some(Overlay::Question(Question::Abort(cell))) if !self.can_abort(*cell, monitor) => {
                self.withdraw(*cell, "was not aborted");
            }
            Some(Overlay::Question(Question::Retry(cell))) if monitor.is_over() || !monitor.state(*cell).is_done() => {
                self.withdraw(*cell, "is not run again");
            }
            Some(Overlay::Rate(prompt)) if !monitor.turns.is_running(prompt.cell) || self.stopping => {
                self.withdraw(prompt.cell, "keeps its learning rate");
            }
            _ => {}
        }
    }

    /// Handles a key.
    pub fn key(&mut self, event: &KeyEvent, monitor: &Monitor) -> Option<Effect> {
        // Suspend works at every question and prompt, but only by a key with Ctrl: a letter bound to it may be text.
        let is_chord = event.modifiers.contains(KeyModifiers::CONTROL);
        if is_chord && self.keys.action(event) == Some(Action::Suspend) {
            return Some(Effect::Suspend);
        }
        if let Some(Overlay::Withdrawn(_)) = self.overlay {
            return self.key_at_withdrawn(event, monitor);
        }
        if let Some(Overlay::Question(question)) = self.overlay {
            let answer = match (self.keys.action(event), question) {
                // Ctrl-C confirms "quit?". At another question it is no answer; it asks whether to quit.
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
                // These keys only close the welcome.
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
                    Found::Runners(count) => Some(self.set_runners(count, monitor)),
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

    /// Performs an action.
    pub fn act(&mut self, action: Action, monitor: &Monitor) -> Option<Effect> {
        if let Some(effect) = self.seen_from_afar(action, monitor) {
            return Some(effect);
        }
        match action {
            Action::PauseOrResume
            | Action::PauseCell
            | Action::Audit
            | Action::Measure
            | Action::MoreRunners
            | Action::FewerRunners => return self.at_running(action, monitor),
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
                // The filter is typed in the title of the table, so the page must have a table.
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
            Action::Previous => self.go(-1, monitor),
            Action::Next => self.go(1, monitor),
            Action::PageUp => self.go(-PAGE, monitor),
            Action::PageDown => self.go(PAGE, monitor),
            Action::Follow if self.page == Page::Log => self.log_back = 0,
            Action::Follow => self.pinned = None,
            Action::NextChart => {
                let cell = monitor.cells.get(self.chosen(monitor));
                return Some(Effect::Say(
                    self.change_charts(monitor, |charts| charts.show_next(cell)),
                ));
            }
            Action::MarkChart => return Some(Effect::Say(self.change_charts(monitor, Charts::mark_next))),
            Action::AcrossAxis => return Some(self.change_axis(monitor)),
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
            Action::Seeds => return Some(Effect::Say(self.put_seeds_together(monitor))),
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
            Action::Close if self.overlay.is_none() => {
                // The first press removes the mark, the next one the cursor.
                if !self.charts.unmark() && self.cursor.take().is_none() && self.came_from == CameFrom::List {
                    return Some(Effect::Detach);
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

    /// Shows the next horizontal axis.
    fn change_axis(&mut self, monitor: &Monitor) -> Effect {
        self.across = self.across.next();
        let cell = monitor.cells.get(self.chosen(monitor));
        let known = cell.map_or(self.across, |cell| self.across.known(cell));
        let why = if known == self.across {
            String::new()
        } else {
            format!(
                ", because the files do not have the {} of the steps",
                self.across.name()
            )
        };
        Effect::Say(format!("horizontal axis: {}{why}", known.name()))
    }

    /// Handles an action on a run whose processes this program cannot connect to. Returns `None` if the action works as
    /// usual: commands about single cells are sent by files.
    fn seen_from_afar(&self, action: Action, monitor: &Monitor) -> Option<Effect> {
        if monitor.foreign.is_some() {
            if matches!(action, Action::Quit | Action::Interrupt) {
                return Some(Effect::Detach);
            }
            return action.is_of_training().then(|| {
                Effect::Say(format!(
                    "another program trains this run: `{}` does nothing here",
                    action.name()
                ))
            });
        }
        let place = monitor.elsewhere.as_ref().filter(|_| !monitor.is_over())?;
        if !self.owns && matches!(action, Action::Quit | Action::Interrupt) {
            return Some(Effect::Detach);
        }
        (action.is_of_training() && !action.can_go_by_files()).then(|| {
            Effect::Say(format!(
                "this run is trained {place}: `{}` does nothing here",
                action.name()
            ))
        })
    }

    /// Asks the sweep to stop without a question, as a signal does. A second call leaves the screen immediately.
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

    /// Moves through the rows of the table, or through the log.
    fn go(&mut self, by: isize, monitor: &Monitor) {
        if self.page == Page::Log {
            let most = monitor.log.len();
            self.log_back = self.log_back.saturating_add_signed(-by).min(most);
            return;
        }
        let rows = self.rows.shown(monitor);
        let chosen = self.chosen(monitor);
        // If the filter hides the chosen cell, go to the first row.
        let at = rows.iter().position(|cell| *cell == chosen);
        let to = at.map_or(0, |at| at.saturating_add_signed(by).min(rows.len().saturating_sub(1)));
        self.pinned = rows.get(to).copied().or(self.pinned);
    }

    /// Returns whether this cell can be aborted.
    pub(in crate::tui) fn can_abort(&self, cell: CellIndex, monitor: &Monitor) -> bool {
        let known = cell < monitor.cells.len();
        known && !monitor.is_over() && !self.stopping && monitor.state(cell).can_be_aborted()
    }

    /// Returns whether keys for a running cell act on the chosen cell.
    pub(in crate::tui) fn can_act(&self, monitor: &Monitor) -> bool {
        self.chosen_running(monitor).is_some() && !monitor.is_over() && !self.stopping
    }

    /// Scrolls settings, keys or glossary by this many lines.
    fn scroll(&mut self, by: isize, monitor: &Monitor) {
        // The drawn text has a few more lines than settings or keys, and drawing never scrolls past its end.
        let chosen = monitor.cells.get(self.chosen(monitor));
        let settings = chosen.map_or(0, |cell| cell.plan.settings.len());
        let most = settings.max(keys::BINDINGS.len()).max(MOST_EXPLAINED);
        self.scrolled = self.scrolled.saturating_add_signed(by).min(most);
    }

    /// Shows this box from its first line on, or closes it.
    fn toggle(&mut self, overlay: Overlay) {
        self.scrolled = 0;
        self.overlay = if self.overlay.as_ref() == Some(&overlay) {
            None
        } else {
            Some(overlay)
        };
    }
}

#[cfg(test)]
mod tests;
