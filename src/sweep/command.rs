//! Carries out the commands of the person watching.

use super::Sweep;
use super::worker::Order;
use crate::device::RunnerChoice;
use crate::event::{CellIndex, Cells, Command, LogKind, cell_name};
use crate::number::count::counted;
use crate::train::Outbox;

impl Sweep {
    /// Carries out a command: changes the queue, or passes it on to the runners it is about.
    pub(super) fn obey(&mut self, command: Command, outbox: &Outbox) {
        let (cell, words) = words(command);
        let is_running = |cell: CellIndex| self.queue.is_running(cell);
        match command {
            Command::Quit => {
                self.quit = true;
                self.crew.send_all(command);
            }
            Command::SetRunners(count) => {
                self.set_runners(count, outbox);
                return;
            }
            _ => match command.running() {
                Some(Cells::All) => self.crew.send_all(command),
                Some(Cells::One(cell)) if is_running(cell) => {
                    // A skipped cell has a place in the queue from now on.
                    if matches!(command, Command::Skip(_)) && !self.apply(command, outbox) {
                        return;
                    }
                    if matches!(command, Command::Abort(_)) {
                        // It holds even if the runner dies before it obeys.
                        self.aborted.insert(cell);
                    }
                    if let Some(runner) = self.crew.of_cell(cell) {
                        runner.send(Order::Command(command));
                    }
                }
                Some(Cells::One(cell)) if !matches!(command, Command::Abort(_) | Command::Skip(_)) => {
                    outbox.notice(Some(cell), format!("it is not running; ignored: {words}"));
                    return;
                }
                _ => {
                    if !self.apply(command, outbox) {
                        return;
                    }
                    // There may be more cells to run than before.
                    self.fill_crew(outbox);
                }
            },
        }
        outbox.log(LogKind::ByHand, cell, words);
    }

    /// Applies a command to the queue and publishes what changed. Returns whether it was accepted.
    fn apply(&mut self, command: Command, outbox: &Outbox) -> bool {
        let applied = self.queue.apply(command);
        for event in applied.events {
            outbox.state(event);
        }
        applied.is_done
    }

    fn set_runners(&mut self, count: usize, outbox: &Outbox) {
        if !self.crew.is_of_processes() {
            let words =
                "the only runner is a part of this process: start the sweep with `--runners` to change their number";
            outbox.notice(None, words);
            return;
        }
        let (before, count) = (self.crew.len(), count.clamp(1, RunnerChoice::MOST));
        self.wanted_runners = count;
        outbox.log(LogKind::ByHand, None, &format!("runners: {count}"));
        let runners = counted(count as u64, "runner");
        if count > before {
            let more = if count - before == 1 {
                "one more starts".to_owned()
            } else {
                format!("{} more start", count - before)
            };
            outbox.notice(None, format!("{runners}: {more}"));
        }
        let mut set_aside = Vec::new();
        while self.crew.len() > count {
            if let Some(cell) = self.crew.take_away() {
                self.queue.put_first(cell);
                set_aside.push(cell);
            }
        }
        if count < before {
            let words = match set_aside.as_slice() {
                [] => runners,
                [cell] => format!(
                    "{runners}: {} goes on from a checkpoint when one is free",
                    cell_name(*cell)
                ),
                cells => format!(
                    "{runners}: {} cells go on from checkpoints when one is free",
                    cells.len()
                ),
            };
            outbox.notice(None, words);
        }
        self.fill_crew(outbox);
        outbox.state(self.crew.event());
        outbox.state(self.queue.event());
    }
}

/// Returns the cell that a command is about, and the command in words for the log.
fn words(command: Command) -> (Option<CellIndex>, &'static str) {
    let of = |cells| match cells {
        Cells::All => None,
        Cells::One(cell) => Some(cell),
    };
    match command {
        Command::Pause(cells) => (of(cells), "pause"),
        Command::Resume(cells) => (of(cells), "continue"),
        Command::Keep(cells) => (of(cells), "write a checkpoint"),
        Command::Audit(cell) => (Some(cell), "audit"),
        Command::Measure(cell) => (Some(cell), "measure now"),
        Command::SetLearningRate { cell, .. } => (Some(cell), "change the learning rate"),
        Command::Abort(cell) => (Some(cell), "abort"),
        Command::Skip(cell) => (Some(cell), "skip: moved to the end of the queue"),
        Command::Retry(cell) => (Some(cell), "run again"),
        Command::Move { cell, by } if by < 0 => (Some(cell), "run earlier"),
        Command::Move { cell, .. } => (Some(cell), "run later"),
        Command::Hold(cell) => (Some(cell), "hold the cell"),
        Command::Release(cell) => (Some(cell), "release the cell"),
        Command::AddSeed(cell) => (Some(cell), "add a cell like it with a new seed"),
        Command::SetRunners(_) => (None, "change the number of runners"),
        Command::Quit => (None, "stop the sweep"),
    }
}
