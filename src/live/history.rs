//! What was measured, read from the run directory as it comes, for the cells that somebody looks at.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::event::{CellIndex, Event};
use crate::monitor::Turns;
use crate::record::{cell_path, read_log, read_points};

/// How often is looked for new points.
const GLANCE: Duration = Duration::from_millis(100);

/// How long after the end of a sweep, and how often, is looked whether somebody goes on with it; by then the process that ended it
/// is gone.
const TAKEN_UP: Duration = Duration::from_secs(3);

/// Events that wait for a screen.
const WAITING: usize = 8_192;

/// Cells whose curves are kept; a screen that was led through ten thousand would fill the memory.
const MOST_CELLS: usize = 96;

/// Everything that happens: changes of state from `source`, and points of the running cells and of those that `wanted` names.
///
/// When `source` ends, `again` is asked for another one; what comes from that begins anew. Where there is none, and it was not
/// said how the sweep ended, [`Event::TrainerLost`] is told, and the cells can be looked through as after any end.
///
/// # Errors
/// If there can be no thread for it.
pub fn follow(
    run_dir: &Path,
    source: Receiver<Event>,
    wanted: Receiver<Vec<CellIndex>>,
    again: impl FnMut() -> Option<Receiver<Event>> + Send + 'static,
) -> io::Result<Receiver<Event>> {
    let (out, events) = bounded(WAITING);
    let history = History {
        run_dir: run_dir.to_owned(),
        out,
        cells: Vec::new(),
        wanted: Vec::new(),
        turns: Turns::default(),
        told: BTreeSet::new(),
        log_read: None,
    };
    thread::Builder::new()
        .name("history".to_owned())
        .spawn(move || drop(history.run(source, &wanted, again)))?;
    Ok(events)
}

struct History {
    run_dir: PathBuf,
    out: Sender<Event>,
    /// Cells that are or were looked at, the latest last, and how much of the metrics of each has been told.
    cells: Vec<(CellIndex, u64)>,
    /// Those that are.
    wanted: Vec<CellIndex>,
    /// Which cells run, and which have ended.
    turns: Turns,
    /// Of those that have ended, the ones of which everything has been told.
    told: BTreeSet<CellIndex>,
    /// How much of the log has been told; none before the sweep is known.
    log_read: Option<u64>,
}

/// Nobody looks any more.
struct Left;

impl History {
    fn run(
        mut self,
        mut source: Receiver<Event>,
        wanted: &Receiver<Vec<CellIndex>>,
        mut again: impl FnMut() -> Option<Receiver<Event>>,
    ) -> Result<(), Left> {
        let mut ended = false;
        let mut asked = Instant::now();
        loop {
            if ended && asked.elapsed() >= TAKEN_UP && source.is_empty() {
                asked = Instant::now();
                // Somebody may have gone on with the run since.
                if let Some(renewed) = again() {
                    (source, ended) = (renewed, false);
                }
            }
            if let Some(cells) = wanted.try_iter().last() {
                for &cell in &cells {
                    self.look_at(cell)?;
                }
                self.wanted = cells;
            }
            let more = self.tell_log()? | self.tell_all()?;
            let patience = if more { Duration::ZERO } else { GLANCE };
            match source.recv_timeout(patience) {
                Ok(event) => {
                    if matches!(event, Event::SweepEnded(_)) {
                        (ended, asked) = (true, Instant::now());
                    }
                    self.pass_on(event)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if ended => {
                    // The cells can be looked through for as long as somebody likes.
                    source = crossbeam_channel::never();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    if let Some(renewed) = again() {
                        source = renewed;
                    } else {
                        // What is on disk can be looked at all the same.
                        (ended, asked) = (true, Instant::now());
                        self.pass_on(Event::TrainerLost)?;
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, mut event: Event) -> Result<(), Left> {
        if let Event::SweepStarted(plan) = &mut event {
            // The process that trains may have been started in another folder.
            plan.run_dir.clone_from(&self.run_dir);
        }
        if matches!(
            event,
            Event::CellEnded { .. } | Event::SweepEnded(_) | Event::TrainerLost
        ) {
            while self.tell_all()? {}
        }
        self.turns.apply(&event);
        match event {
            Event::SweepStarted(_) => {
                self.told.clear();
                self.cells.clear();
                self.log_read = Some(0);
            }
            Event::CellStarted { cell } | Event::CellRetried { cell } => {
                self.told.remove(&cell);
                self.cells.retain(|(known, _)| *known != cell);
            }
            _ => {}
        }
        let started = match event {
            Event::CellStarted { cell } => Some(cell),
            _ => None,
        };
        self.send(event)?;
        started.map_or(Ok(()), |cell| self.look_at(cell))
    }

    fn look_at(&mut self, cell: CellIndex) -> Result<(), Left> {
        let at = self.cells.iter().position(|(known, _)| *known == cell);
        let read = at.map_or(0, |at| self.cells.remove(at).1);
        self.cells.push((cell, read));
        if self.cells.len() > MOST_CELLS {
            let oldest = self.cells.iter().position(|(known, _)| !self.turns.is_running(*known));
            let (forgotten, _) = self.cells.remove(oldest.unwrap_or(0));
            self.told.remove(&forgotten);
            self.send(Event::History { cell: forgotten })?;
        }
        Ok(())
    }

    /// Tells what is new in the log. Whether there is more.
    fn tell_log(&mut self) -> Result<bool, Left> {
        let Some(read) = self.log_read else { return Ok(false) };
        // Runs of earlier versions have none.
        let Ok(found) = read_log(&self.run_dir, read) else {
            return Ok(false);
        };
        self.log_read = Some(found.read);
        for entry in found.entries {
            self.send(Event::Logged(entry))?;
        }
        Ok(found.more)
    }

    /// Tells what is new of the cells that are looked at and of the running ones. Whether there is more.
    fn tell_all(&mut self) -> Result<bool, Left> {
        let mut more = false;
        for index in 0..self.cells.len() {
            let cell = self.cells[index].0;
            let is_wanted = self.turns.is_running(cell) || self.wanted.contains(&cell);
            if is_wanted && !self.told.contains(&cell) {
                more |= self.tell(index)?;
            }
        }
        Ok(more)
    }

    fn tell(&mut self, index: usize) -> Result<bool, Left> {
        let (cell, read) = self.cells[index];
        let folder = cell_path(&self.run_dir, cell);
        // What cannot be read yet may be later; a line that is no point is said by those who read the whole.
        let Ok(found) = read_points(&folder, read) else {
            return Ok(false);
        };
        if found.begins_anew {
            self.send(Event::History { cell })?;
        }
        self.cells[index].1 = found.read;
        for point in found.points {
            let point = Box::new(point);
            self.send(Event::Measured { cell, point })?;
        }
        if !found.more && self.turns.ended.contains(&cell) {
            self.told.insert(cell);
        }
        Ok(found.more)
    }

    fn send(&self, event: Event) -> Result<(), Left> {
        self.out.send(event).map_err(|_| Left)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crossbeam_channel::unbounded;

    use super::*;
    use crate::event::{CellEnding, CellPlan, Summary, SweepPlan};

    /// How long an event may take to come.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// What was told.
    struct Heard {
        events: Receiver<Event>,
        /// Of which cell, and at which step.
        points: Vec<(CellIndex, u64)>,
    }

    impl Heard {
        fn listen_until(&mut self, is_last: impl Fn(&Self, &Event) -> bool) {
            loop {
                let event = self.events.recv_timeout(PATIENCE).unwrap();
                if let Event::Measured { cell, point } = &event {
                    self.points.push((*cell, point.step));
                }
                if is_last(self, &event) {
                    return;
                }
            }
        }

        fn steps(&self, wanted: CellIndex) -> Vec<u64> {
            let of_cell = self.points.iter().filter(|(cell, _)| *cell == wanted);
            of_cell.map(|(_, step)| *step).collect()
        }
    }

    fn write_points(run_dir: &Path, cell: CellIndex, steps: std::ops::Range<u64>) {
        let folder = cell_path(run_dir, cell);
        fs::create_dir_all(&folder).unwrap();
        let lines = steps.map(|step| format!("{{\"step\":{step},\"epoch\":0.0,\"seconds\":0.0,\"train_loss\":0.5}}\n"));
        let path = folder.join("metrics.jsonl");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, before + &lines.collect::<String>()).unwrap();
    }

    #[test]
    fn of_every_cell_that_runs_all_points_are_told_before_its_end_and_of_others_none() {
        let folder = tempfile::tempdir().unwrap();
        for cell in 0..3 {
            write_points(folder.path(), cell, 0..2);
        }
        let (source_in, source) = unbounded();
        let (_wanted, wanted) = unbounded();
        let events = follow(folder.path(), source, wanted, || None).unwrap();
        let plan = SweepPlan {
            name: "two".to_owned(),
            run_dir: folder.path().to_owned(),
            device: "flex".to_owned(),
            cells: vec![CellPlan::default(); 3],
            earlier_seconds: 0.0,
        };
        source_in.send(Event::SweepStarted(plan)).unwrap();
        for cell in [2, 0] {
            source_in.send(Event::CellStarted { cell }).unwrap();
        }
        let mut heard = Heard {
            events,
            points: Vec::new(),
        };
        heard.listen_until(|heard, _| heard.points.len() == 4);
        assert!(heard.steps(1).is_empty());
        // What came last is told before the end, also while another one goes on.
        write_points(folder.path(), 2, 2..5);
        let (cell, ending, summary) = (2, CellEnding::Diverged, Summary::default());
        source_in.send(Event::CellEnded { cell, ending, summary }).unwrap();
        heard.listen_until(|_, event| matches!(event, Event::CellEnded { .. }));
        assert_eq!((heard.steps(2), heard.steps(0)), (vec![0, 1, 2, 3, 4], vec![0, 1]));
        write_points(folder.path(), 0, 2..3);
        heard.listen_until(|heard, _| heard.points.contains(&(0, 2)));
        assert_eq!(heard.points.len(), 8);
    }
}
