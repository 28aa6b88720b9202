//! Changes of the sweep by the user, and their undo.

use crate::event::{CellEnding, CellIndex, Command, cell_name};
use crate::monitor::{CellState, Monitor};
use crate::quantity::LEARNING_RATE;

use super::{Effect, Overlay, Question, View};
use crate::tui::keys::Action;
use crate::tui::state::rate::RatePrompt;
use crate::tui::words;

/// Maximum number of changes that can be undone.
const MOST: usize = 100;

/// How to undo a change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Undo {
    /// The change, in words.
    done: String,
    /// The command that undoes it.
    by: Command,
}

impl View {
    /// Performs an action that changes the sweep.
    pub(super) fn change(&mut self, action: Action, monitor: &Monitor) -> Option<Effect> {
        let cell = self.chosen(monitor);
        let name = cell_name(cell);
        if monitor.is_over() || self.stopping {
            return Some(Effect::Say("the sweep is over: nothing can be changed".to_owned()));
        }
        let waits = monitor.turns.queue.iter().position(|queued| *queued == cell);
        match action {
            Action::Abort if self.can_abort(cell, monitor) => {
                self.overlay = Some(Overlay::Question(Question::Abort(cell)));
                None
            }
            Action::Abort => say(format!("{name} has ended: it cannot be aborted")),
            Action::Retry if monitor.state(cell).is_done() => {
                self.overlay = Some(Overlay::Question(Question::Retry(cell)));
                None
            }
            Action::Retry => say(format!("{name} has not ended: it cannot be run again")),
            Action::LearningRate => {
                let Some(running) = self.chosen_running(monitor) else {
                    return self.does_not_run("given another learning rate", monitor);
                };
                self.overlay = Some(Overlay::Rate(RatePrompt::new(running)));
                None
            }
            Action::Skip => self.skip(cell, waits, monitor),
            Action::MoveUp | Action::MoveDown => {
                let Some(at) = waits else {
                    return say(format!("{name} is not queued: it cannot be moved"));
                };
                let by = if action == Action::MoveUp { -1 } else { 1 };
                if (at == 0 && by < 0) || (at + 1 == monitor.turns.queue.len() && by > 0) {
                    let end = if by < 0 { "next" } else { "last" };
                    return say(format!("{name} is already the {end} one"));
                }
                // The row that moves stays the chosen one.
                self.pinned = Some(cell);
                self.remember(format!("{name} was moved"), Command::Move { cell, by: -by });
                send(Command::Move { cell, by })
            }
            Action::Hold => waits.map_or_else(
                || say(format!("{name} is not queued: it cannot be held")),
                |_| {
                    let (command, back, what) = if monitor.cells[cell].is_held {
                        (Command::Release(cell), Command::Hold(cell), "released")
                    } else {
                        (Command::Hold(cell), Command::Release(cell), "held")
                    };
                    self.remember(format!("{name} was {what}"), back);
                    send(command)
                },
            ),
            Action::AddSeed => {
                let added = monitor.cells.len();
                self.remember(format!("{} was added", cell_name(added)), Command::Abort(added));
                send(Command::AddSeed(cell))
            }
            Action::Undo => self.undo(monitor),
            _ => None,
        }
    }

    fn skip(&mut self, cell: CellIndex, waits: Option<usize>, monitor: &Monitor) -> Option<Effect> {
        let name = cell_name(cell);
        let others = monitor
            .turns
            .queue
            .iter()
            .filter(|queued| **queued != cell && !monitor.cells[**queued].is_held);
        let is_alone = others.count() == 0;
        let runs = monitor.turns.is_running(cell);
        if !runs && waits.is_none() {
            return say(format!("{name} has ended: it cannot be skipped"));
        }
        if is_alone {
            return say(format!("no other cell can run next: {name} is not skipped"));
        }
        // The undo puts the cell in front of all others.
        let places = i64::try_from(monitor.turns.queue.len()).unwrap_or(i64::MAX);
        let back = waits.map_or(places, |at| places - 1 - i64::try_from(at).unwrap_or(0));
        self.remember(format!("{name} was skipped"), Command::Move { cell, by: -back });
        send(Command::Skip(cell))
    }

    /// Sets a learning rate that was chosen at the prompt.
    pub(super) fn set_rate(&mut self, cell: CellIndex, learning_rate: f64, monitor: &Monitor) -> Effect {
        if let Some(before) = monitor
            .cells
            .get(cell)
            .and_then(|cell| cell.latest.first(&LEARNING_RATE))
        {
            let done = format!(
                "the learning rate of {} was set to {}",
                cell_name(cell),
                words::value(learning_rate, 4)
            );
            self.remember(
                done,
                Command::SetLearningRate {
                    cell,
                    learning_rate: before,
                },
            );
        }
        Effect::Send(Command::SetLearningRate { cell, learning_rate })
    }

    /// Performs the action of a question that was answered with yes.
    pub(super) fn confirmed(&mut self, question: Question, monitor: &Monitor) -> Effect {
        match question {
            Question::Quit => {
                self.stopping = true;
                self.overlay = None;
                Effect::Send(Command::Quit)
            }
            Question::Abort(cell) => {
                if monitor.state(cell) == CellState::Queued {
                    self.remember(format!("{} was aborted", cell_name(cell)), Command::Retry(cell));
                }
                self.aborting.insert(cell);
                Effect::Send(Command::Abort(cell))
            }
            Question::Retry(cell) => Effect::Send(Command::Retry(cell)),
        }
    }

    fn remember(&mut self, done: String, by: Command) {
        if self.undo.len() == MOST {
            self.undo.remove(0);
        }
        self.undo.push(Undo { done, by });
    }

    /// Returns whether there is a change to undo.
    pub(in crate::tui) fn can_undo(&self, monitor: &Monitor) -> bool {
        // The undo of some changes is about the queue, which has no place where commands go by files.
        !self.undo.is_empty() && !monitor.is_over() && !self.stopping && monitor.elsewhere.is_none()
    }

    fn undo(&mut self, monitor: &Monitor) -> Option<Effect> {
        let Some(Undo { done, by }) = self.undo.pop() else {
            return say("there is nothing to undo".to_owned());
        };
        if !still_holds(by, monitor) {
            return say(format!("{done}: this can no longer be undone"));
        }
        Some(Effect::SendAndSay(by, format!("{done}: undone")))
    }
}

/// Returns whether a command would still have its intended effect.
fn still_holds(command: Command, monitor: &Monitor) -> bool {
    let waits = |cell: CellIndex| monitor.turns.queue.contains(&cell);
    match command {
        Command::Move { cell, .. } | Command::Hold(cell) | Command::Release(cell) => waits(cell),
        Command::Abort(cell) => waits(cell) && monitor.state(cell) == CellState::Queued,
        Command::Retry(cell) => monitor.state(cell) == CellState::Ended(CellEnding::Aborted),
        Command::SetLearningRate { cell, .. } => monitor.turns.is_running(cell),
        _ => true,
    }
}

#[allow(clippy::unnecessary_wraps)] // Arms of a match end with it; other arms return `None`.
fn say(words: String) -> Option<Effect> {
    Some(Effect::Say(words))
}

#[allow(clippy::unnecessary_wraps)] // As for `say`.
fn send(command: Command) -> Option<Effect> {
    Some(Effect::Send(command))
}
