//! Cells that other processes have.

use crossbeam_channel::Receiver;

use super::Sweep;
use crate::event::{CellEnding, CellIndex, Command, Event, LogKind, Standing, StandingKind, Summary};
use crate::record::{RecordError, RowState, RunState, read_progress, read_run, read_summary, rfc3339};
use crate::train::Outbox;

/// How often a cell is tried that another process has.
const MOST_TRIES: u32 = 3;

impl Sweep {
    /// Returns whether this process has to see to a cell: a task has some of the cells.
    pub(super) fn is_own(&self, cell: CellIndex) -> bool {
        self.slice.as_ref().is_none_or(|slice| slice.contains(&cell))
    }

    /// Notes that another process has a cell, or has ended it.
    pub(super) fn note_elsewhere(
        &mut self,
        cell: CellIndex,
        ended: Option<(CellEnding, Summary)>,
        words: &str,
        outbox: &mut Outbox,
    ) {
        self.queue.leave(cell);
        self.anew.remove(&cell);
        let row = &mut self.rows[cell];
        outbox.tell_skipped();
        if let Some((ending, summary)) = ended {
            self.elsewhere.remove(&cell);
            row.state = RowState::Ended(ending.clone());
            row.summary = summary.clone();
            self.table.rows().put(row.clone());
            outbox.log(LogKind::Notice, Some(cell), words);
            outbox.state(Event::CellEnded { cell, ending, summary });
        } else {
            *self.elsewhere.entry(cell).or_insert(0) += 1;
            row.state = RowState::Running;
            row.summary = read_progress(&self.run_dir.cell_path(cell));
            self.table.rows().put_elsewhere(row.clone());
            outbox.notice(Some(cell), words);
            let (ending, summary) = (CellEnding::Interrupted, row.summary.clone());
            outbox.state(Event::CellEnded { cell, ending, summary });
            // It is not interrupted: its own process goes on with it.
            let (kind, words) = (StandingKind::Elsewhere, words.to_owned());
            let standing = Some(Standing { kind, words });
            outbox.state(Event::Standing { cell, standing });
        }
    }

    /// Looks again at the cells that other processes had. Puts those back into the queue that nobody has any more.
    /// Returns whether there are any.
    pub(super) fn look_again(&mut self, outbox: &mut Outbox) -> bool {
        if self.elsewhere.is_empty() || self.quit {
            return false;
        }
        let Ok(claims) = self.run_dir.claims() else {
            return false;
        };
        let is_held = |cell: CellIndex| claims.iter().any(|claim| claim.cell == cell && claim.may_live());
        let free: Vec<CellIndex> = self.elsewhere.keys().copied().filter(|cell| !is_held(*cell)).collect();
        let mut any = false;
        for cell in free {
            let ended = read_summary(&self.run_dir.cell_path(cell)).ok();
            if let Some(ended) = ended.filter(|ended| ended.ending != CellEnding::Interrupted) {
                let words = "it has ended in another process";
                self.note_elsewhere(cell, Some((ended.ending, ended.summary)), words, outbox);
            } else if self.elsewhere.get(&cell).is_some_and(|tries| *tries < MOST_TRIES) {
                self.rows[cell].state = RowState::Queued;
                self.queue.put_first(cell);
                outbox.state(Event::Standing { cell, standing: None });
                any = true;
            }
        }
        any
    }

    /// Writes how a cell ended whose runner is gone. Returns false if another process has taken the cell over.
    pub(super) fn write_end(
        &mut self,
        cell: CellIndex,
        (ending, summary): (&CellEnding, &Summary),
        commands: &Receiver<Command>,
        outbox: &mut Outbox,
    ) -> Result<bool, String> {
        let mut other = None;
        self.insist(commands, outbox, |sweep| {
            let entries = super::entries(&sweep.settings(cell));
            match sweep.run_dir.end_cell(cell, &entries, ending, summary) {
                Err(error) if error.is_of_another_process() => {
                    other = Some(error.about_cell());
                    Ok(())
                }
                done => done,
            }
        })?;
        if let Some(words) = &other {
            self.note_elsewhere(cell, None, words, outbox);
        }
        Ok(other.is_none())
    }

    /// Writes that the run is complete, if every cell of it has ended. Called by a task at its end.
    pub(super) fn end_run_if_complete(&mut self) -> Result<(), RecordError> {
        let rows = self.table.write_all()?;
        let has_ended =
            |state: &RowState| matches!(state, RowState::Ended(ending) if *ending != CellEnding::Interrupted);
        if !rows.iter().all(|row| has_ended(&row.state)) {
            return Ok(());
        }
        // Another task may have written it in the meantime.
        let written = read_run(self.run_dir.path()).ok().or_else(|| self.earlier.clone());
        let mut info = written.unwrap_or_else(|| self.info.clone());
        if info.state != RunState::Complete {
            info.state = RunState::Complete;
            info.ended = Some(rfc3339(std::time::SystemTime::now()));
            self.run_dir.write_run(&info)?;
        }
        Ok(())
    }
}
