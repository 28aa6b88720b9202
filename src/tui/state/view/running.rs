//! Requests about running cells and their runners.

use crate::event::{CellIndex, Cells, Command, cell_name};
use crate::monitor::Monitor;

use super::{Effect, View};
use crate::tui::keys::Action;

impl View {
    /// Performs an action that is about running cells or about runners.
    pub(super) fn at_running(&mut self, action: Action, monitor: &Monitor) -> Option<Effect> {
        match action {
            Action::PauseOrResume => return self.pause_or_resume(Cells::All, monitor),
            Action::MoreRunners | Action::FewerRunners => return Some(self.change_runners(action, monitor)),
            _ => {}
        }
        let what = match action {
            Action::PauseCell => "paused",
            Action::Audit => "audited",
            _ => "measured",
        };
        let Some(cell) = self.chosen_running(monitor) else {
            return self.does_not_run(what, monitor);
        };
        if self.stopping {
            return None;
        }
        match action {
            Action::PauseCell => self.pause_or_resume(Cells::One(cell), monitor),
            Action::Audit => {
                self.asked_to_audit.insert(cell, monitor.cells.get(cell)?.audits);
                Some(asked_of(cell, Command::Audit(cell), what, monitor))
            }
            _ => Some(asked_of(cell, Command::Measure(cell), what, monitor)),
        }
    }

    fn pause_or_resume(&mut self, cells: Cells, monitor: &Monitor) -> Option<Effect> {
        if monitor.is_over() || self.stopping {
            return None;
        }
        let pause = !self.is_to_resume(cells, monitor);
        self.asked_to_pause = Some((cells, pause));
        Some(Effect::Send(if pause {
            Command::Pause(cells)
        } else {
            Command::Resume(cells)
        }))
    }

    /// Says that the chosen cell does not run, so that a key does nothing.
    pub(super) fn does_not_run(&self, what: &str, monitor: &Monitor) -> Option<Effect> {
        if monitor.is_over() || self.stopping {
            return None;
        }
        let name = cell_name(self.chosen(monitor));
        let other = monitor.turns.followed.filter(|cell| monitor.turns.is_running(*cell));
        let other = other.map_or_else(String::new, |cell| format!("; Enter follows {}", cell_name(cell)));
        Some(Effect::Say(format!(
            "{name} does not run, so it cannot be {what}{other}"
        )))
    }

    /// Sets the number of runners. The sweep answers with a notice.
    pub(super) fn set_runners(&self, count: usize, monitor: &Monitor) -> Effect {
        if let Some(effect) = self.seen_from_afar(Action::MoreRunners, monitor) {
            return effect;
        }
        if monitor.is_over() || self.stopping {
            return Effect::Say("the sweep is over: it needs no runners".to_owned());
        }
        Effect::Send(Command::SetRunners(count))
    }

    /// Adds a runner, or takes one away. The sweep answers with a notice.
    fn change_runners(&self, action: Action, monitor: &Monitor) -> Effect {
        if monitor.is_over() || self.stopping {
            return Effect::Say("the sweep is over: it needs no runners".to_owned());
        }
        let count = monitor.runners.len();
        let turns = &monitor.turns;
        let waits = |cell: &&CellIndex| !turns.is_running(**cell) && !monitor.cells[**cell].is_held;
        match action {
            Action::MoreRunners if !turns.queue.iter().any(|cell| waits(&cell)) => {
                Effect::Say("no cell waits: another runner would have nothing to do".to_owned())
            }
            Action::MoreRunners => Effect::Send(Command::SetRunners(count + 1)),
            _ if count > 1 => Effect::Send(Command::SetRunners(count - 1)),
            _ => {
                let keys = [Action::PauseOrResume, Action::Quit];
                let [pause, quit] = keys.map(|action| self.keys.first(action).unwrap_or_default());
                Effect::Say(format!("one runner is left: {pause} pauses it, {quit} stops the sweep"))
            }
        }
    }
}

/// Sends a request about a running cell. A measurement belongs to a step, so it waits while the cell is paused; a
/// message tells the user. If several cells run, the message names the cell.
fn asked_of(cell: CellIndex, command: Command, what: &str, monitor: &Monitor) -> Effect {
    let several = monitor.turns.running.len() > 1;
    match (several, monitor.is_paused(Cells::One(cell))) {
        (false, false) => Effect::Send(command),
        (false, true) => {
            let words = "training is paused: λ_max is measured after the next step";
            Effect::SendAndSay(command, words.to_owned())
        }
        (true, false) => Effect::SendAndSay(command, format!("{} is {what} after this step", cell_name(cell))),
        (true, true) => {
            let words = format!("{} is paused: it is {what} after its next step", cell_name(cell));
            Effect::SendAndSay(command, words)
        }
    }
}
