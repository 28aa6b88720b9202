//! Looks at the files of claimed cells.

use std::fs;
use std::time::{Duration, Instant};

use super::{Over, Tasks, changed};
use crate::event::{CellIndex, Event, Progress};
use crate::record::{Holder, cell_path, read_points};

/// The number of claimed cells that are looked at in one check.
const LOOK_AT: usize = 32;

/// How long the speed of a cell counts without a change. A checkpoint changes its folder every minute.
const RATE_COUNTS: Duration = Duration::from_mins(2);

impl Tasks {
    /// Looks at some claimed cells, in turn, and tells what they have written.
    pub(super) fn look_at_cells(&mut self) -> Result<(), Over> {
        let after = self.claims.range(self.next..).map(|(cell, _)| *cell);
        let before = self.claims.range(..self.next).map(|(cell, _)| *cell);
        let chosen: Vec<CellIndex> = after.chain(before).take(LOOK_AT).collect();
        for cell in chosen {
            self.next = cell + 1;
            self.look_at(cell)?;
        }
        Ok(())
    }

    fn look_at(&mut self, cell: CellIndex) -> Result<(), Over> {
        let Some(claim) = self.claims.get_mut(&cell) else {
            return Ok(());
        };
        claim.is_dead = claim.is_dead || claim.holder.as_ref().is_some_and(Holder::is_dead_process);
        if claim.is_dead {
            return Ok(());
        }
        let folder = cell_path(&self.run_dir, cell);
        let length = fs::metadata(folder.join("metrics.jsonl")).map_or(0, |metrics| metrics.len());
        let (seconds, nanoseconds) = changed(&folder).unwrap_or_default();
        let mark = Some((length, seconds, nanoseconds));
        if claim.mark == mark {
            return self.forget_rate(cell);
        }
        claim.changed = Instant::now();
        let has_grown = claim.mark.is_none_or(|(known, ..)| known != length);
        let is_back = claim.is_gone && claim.mark.is_some();
        claim.mark = mark;
        if is_back {
            // Whatever Slurm said, somebody writes.
            claim.is_gone = false;
            claim.seen = Instant::now();
            self.tell_begin(vec![cell])?;
        }
        if !has_grown {
            return Ok(());
        }
        let Some(claim) = self.claims.get_mut(&cell) else {
            return Ok(());
        };
        let mut points = Vec::new();
        while let Ok(found) = read_points(&folder, claim.read) {
            claim.read = found.read;
            // Only the last ones are told here; whoever shows curves reads them all.
            points = if found.points.is_empty() { points } else { found.points };
            if !found.more {
                break;
            }
        }
        let Some(point) = points.last() else { return Ok(()) };
        let rate = claim.last.map_or(0.0, |last| {
            point.step.saturating_sub(last.step) as f64 / (point.seconds - last.seconds).max(1e-9)
        });
        let progress = Progress {
            step: point.step,
            epoch: point.epoch,
            seconds: point.seconds,
            steps_per_second: rate,
        };
        claim.last = Some(progress);
        // λ_max is not in every point.
        let with_lambda = points.iter().rev().find(|point| point.lambda.is_some());
        let told: Vec<Event> = with_lambda
            .filter(|earlier| earlier.step != point.step)
            .into_iter()
            .chain([point])
            .map(|point| Event::Measured {
                cell,
                point: Box::new(point.clone()),
            })
            .collect();
        for event in told {
            self.send(event)?;
        }
        self.send(Event::Progress { cell, progress })
    }

    /// Tells that the speed of a cell is not known any more, if nothing has changed for a while.
    fn forget_rate(&mut self, cell: CellIndex) -> Result<(), Over> {
        let claim = self.claims.get_mut(&cell);
        let claim = claim.filter(|claim| claim.changed.elapsed() >= RATE_COUNTS);
        let Some(last) = claim.and_then(|claim| claim.last.as_mut()) else {
            return Ok(());
        };
        if std::mem::replace(&mut last.steps_per_second, 0.0) == 0.0 {
            return Ok(());
        }
        let progress = *last;
        self.send(Event::Progress { cell, progress })
    }
}
