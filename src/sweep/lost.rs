//! Runners that are lost, and what becomes of their cells.

use crossbeam_channel::Receiver;

use super::Sweep;
use super::broken_off::BrokenOff;
use super::crew::Gone;
use super::worker::Order;
use crate::event::{CellEnding, CellIndex, Command};
use crate::number::count::counted;
use crate::record::{read_progress, read_summary};
use crate::train::Outbox;

/// How often a cell may be running when its runner ends unexpectedly, before it counts as failed.
const MOST_DEATHS: u32 = 2;

/// How often runners may end before they have a cell, one after the other, before no more are started.
const MOST_FALSE_STARTS: u32 = 3;

impl Sweep {
    /// Removes a runner that has ended. If it had a cell, the cell goes on from its checkpoint, once.
    pub(super) fn bury(
        &mut self,
        number: u32,
        gone: &Gone,
        commands: &Receiver<Command>,
        outbox: &mut Outbox,
    ) -> Result<(), String> {
        let Some(runner) = self.crew.remove(number) else {
            return Ok(());
        };
        outbox.state(self.crew.event());
        let is_for_memory = gone.is_for_memory(runner.kills_before);
        let how = gone.words(is_for_memory);
        if let Some((cell, _)) = runner.cell {
            self.take_back(cell, (number, &how), is_for_memory, commands, outbox)?;
        } else if !runner.is_leaving {
            outbox.notice(None, format!("runner {number} was lost while it had no cell: {how}"));
            if runner.cells_given == 0 {
                self.false_starts += 1;
            }
        }
        let is_hopeless = self.false_starts >= MOST_FALSE_STARTS;
        if is_hopeless && self.crew.is_empty() && !self.quit {
            return Err(format!("no runner can be started: {how}"));
        }
        if is_hopeless {
            self.false_starts = 0;
            self.wanted_runners = self.crew.len() + 1;
            self.go_on_with_fewer("runners cannot be started", outbox);
        } else if is_for_memory && !runner.is_leaving {
            self.go_on_with_fewer("memory ran out", outbox);
        }
        self.fill_crew(outbox);
        Ok(())
    }

    /// Decides about a cell whose runner was lost.
    fn take_back(
        &mut self,
        cell: CellIndex,
        (number, how): (u32, &str),
        is_for_memory: bool,
        commands: &Receiver<Command>,
        outbox: &mut Outbox,
    ) -> Result<(), String> {
        let path = self.run_dir.cell_path(cell);
        // The runner may have written how the cell ended without saying so any more.
        let ended = read_summary(&path).ok().filter(|_| !self.anew.contains(&cell));
        if let Some(ended) = ended.filter(|ended| !ended.ending.is_run_again()) {
            return self.end_cell(cell, (ended.ending, ended.summary), commands, outbox);
        }
        let why = format!("runner {number} was lost: {how}");
        let ending = if self.aborted.contains(&cell) {
            CellEnding::Aborted
        } else if self.quit {
            outbox.notice(Some(cell), why);
            return self.end_cell(cell, (CellEnding::Interrupted, read_progress(&path)), commands, outbox);
        } else if (is_for_memory && !self.crew.is_busy()) || !self.tries_again(cell) {
            CellEnding::Failed(why)
        } else {
            return self.go_on_later(cell, &why, commands, outbox);
        };
        let summary = read_progress(&path);
        if self.write_end(cell, (&ending, &summary), commands, outbox)? {
            self.end_cell(cell, (ending, summary), commands, outbox)?;
        }
        Ok(())
    }

    /// Counts an attempt at a cell that did not succeed. Returns whether there is another one.
    pub(super) fn tries_again(&mut self, cell: CellIndex) -> bool {
        let deaths = self.deaths.entry(cell).or_insert(0);
        *deaths += 1;
        *deaths < MOST_DEATHS
    }

    /// Puts a cell first in the queue, to go on from its checkpoint, and says why.
    pub(super) fn go_on_later(
        &mut self,
        cell: CellIndex,
        why: &str,
        commands: &Receiver<Command>,
        outbox: &mut Outbox,
    ) -> Result<(), String> {
        let path = self.run_dir.cell_path(cell);
        let broken_off = BrokenOff::read(cell, &path);
        let how = if broken_off.continues() {
            "goes on from its checkpoint"
        } else {
            "begins again"
        };
        let words = format!("{why}; the cell {how} in a new runner");
        self.broken_off.push(broken_off);
        self.queue.put_first(cell);
        self.end_cell(cell, (CellEnding::Interrupted, read_progress(&path)), commands, outbox)?;
        outbox.notice(Some(cell), words);
        outbox.state(self.queue.event());
        Ok(())
    }

    /// Does without one of the runners from now on.
    pub(super) fn go_on_with_fewer(&mut self, why: &str, outbox: &Outbox) {
        if self.wanted_runners > 1 && !self.quit {
            self.wanted_runners -= 1;
            let left = counted(self.wanted_runners as u64, "runner");
            outbox.notice(None, format!("{why}; the sweep goes on with {left}"));
        }
    }

    /// Takes a runner away that was asked to end, by a signal to it alone. Its cell goes on in another runner.
    pub(super) fn release(&mut self, number: u32, outbox: &Outbox) {
        let Some(runner) = self.crew.get(number).filter(|runner| !runner.is_leaving) else {
            return;
        };
        let Some((cell, _)) = runner.cell else {
            runner.leave();
            return;
        };
        runner.is_leaving = true;
        runner.send(Order::Command(Command::Skip(cell)));
        outbox.state(self.crew.event());
        self.queue.put_first(cell);
        outbox.state(self.queue.event());
        let words = format!("runner {number} was asked to end; the cell goes on in another runner");
        outbox.notice(Some(cell), words);
    }
}
