//! Tells how cells stand that run unseen or wait for their task.

use std::collections::BTreeSet;

use super::{Over, Tasks, judge, slurm};
use crate::event::{CellIndex, Event, Standing};

impl Tasks {
    /// Takes in what Slurm said, and says so if it cannot be asked.
    pub(super) fn ask_slurm(&mut self) -> Result<(), Over> {
        self.shares.read_jobs(&self.run_dir);
        let holders = self.claims.values().filter(|claim| !claim.is_gone);
        let holders = holders.filter_map(|claim| claim.holder.as_ref());
        self.shares.note_alive(&self.run_dir, holders);
        let of_claims = self
            .claims
            .values()
            .filter_map(|claim| claim.holder.as_ref()?.job.as_ref());
        let of_claims = of_claims.filter_map(|job| job.name().split('_').next()?.parse().ok());
        let jobs: BTreeSet<u64> = self.shares.jobs.iter().copied().chain(of_claims).collect();
        self.said = slurm::said(&self.run_dir, &jobs);
        let Some(trouble) = self.said.as_ref().and_then(|said| said.trouble.clone()) else {
            return Ok(());
        };
        if self.trouble.as_ref() == Some(&trouble) {
            return Ok(());
        }
        let words = format!("Slurm was not asked which tasks wait and run: {trouble}");
        self.trouble = Some(trouble);
        self.send(Event::Notice { cell: None, words })
    }

    /// Tells how cells stand that run unseen or wait for their task.
    pub(super) fn tell_standings(&mut self) -> Result<(), Over> {
        for cell in 0..self.cells {
            let found = self.standing(cell);
            let is_gone = found.as_ref().is_some_and(|(_, is_gone)| *is_gone);
            if let Some(claim) = self.claims.get_mut(&cell)
                && is_gone
                && !std::mem::replace(&mut claim.is_gone, true)
            {
                self.tell_end(cell)?;
            }
            let standing = found.map(|(standing, _)| standing);
            if standing.as_ref() == self.stands.get(&cell) {
                continue;
            }
            match &standing {
                Some(standing) => drop(self.stands.insert(cell, standing.clone())),
                None => drop(self.stands.remove(&cell)),
            }
            self.send(Event::Standing { cell, standing })?;
        }
        Ok(())
    }

    /// Returns how a cell stands, and whether nobody trains it although it is claimed.
    fn standing(&self, cell: CellIndex) -> Option<(Standing, bool)> {
        if self.over.contains(&cell) {
            return None;
        }
        let said = self.said.as_deref();
        let unclaimed = || judge::unclaimed(self.shares.sent(cell), self.shares.running(cell), said);
        let Some(claim) = self.claims.get(&cell) else {
            return unclaimed().map(|standing| (standing, false));
        };
        let facts = judge::Claimed {
            holder: claim.holder.as_ref(),
            is_dead: claim.is_dead,
            is_paused: claim.is_paused,
            seen: claim.seen,
            silent: claim.changed.elapsed(),
        };
        let found = judge::claimed(facts, said);
        // A dead process matters less than the task that goes on with its cell.
        match found {
            Some((_, true)) if claim.is_dead => unclaimed().map(|standing| (standing, true)).or(found),
            found => found,
        }
    }

    /// Returns whether a task waits or runs in Slurm that has a cell which has not ended.
    pub(super) fn is_any_waiting(&self) -> bool {
        let Some(said) = &self.said else { return false };
        let is_left = |task: &String| {
            said.tasks
                .get(task)
                .is_some_and(|task| task.is_pending() || task.may_run())
        };
        let open = (0..self.cells).filter(|cell| !self.over.contains(cell));
        open.into_iter().any(|cell| self.shares.sent(cell).iter().any(is_left))
    }
}
