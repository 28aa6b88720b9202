//! Reads measured points and the log from the run directory as they are written, for the cells that a screen shows.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::event::{CellIndex, Event};
use crate::monitor::Turns;
use crate::record::{MergedLog, cell_path, read_points};

/// Interval between checks for new points.
const GLANCE: Duration = Duration::from_millis(100);

/// Interval between checks for new points of a run that is followed by its files, and the largest number of running
/// cells of such a run that are all checked; of more, only the viewed ones. Network file systems must not be asked all
/// the time.
const GLANCE_AT_FILES: Duration = Duration::from_secs(1);
const MOST_RUNNING: usize = 16;

/// Interval between checks whether somebody has resumed an ended sweep. The first check waits as long, until the
/// process that ended the sweep has exited.
const TAKEN_UP: Duration = Duration::from_secs(3);

/// Limit of events that wait for a screen.
const WAITING: usize = 8_192;

/// Limit of cells whose curves are kept, so that a screen that shows ten thousand cells in turn does not fill the
/// memory.
const MOST_CELLS: usize = 96;

/// Returns the events of a run: state changes from `source`, the log, and points of the running cells and of the cells
/// named by `wanted`.
///
/// When `source` closes, `again` is asked for a new source, which starts with the whole state of the sweep. If there is
/// none and the sweep's ending is unknown, [`Event::TrainerLost`] is sent. The cells can still be viewed, as after any
/// ending.
///
/// # Errors
/// The thread cannot be started.
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
        by_files: false,
        looked: None,
        log: None,
    };
    thread::Builder::new()
        .name("history".to_owned())
        .spawn(move || drop(history.run(source, &wanted, again)))?;
    Ok(events)
}

struct History {
    run_dir: PathBuf,
    out: Sender<Event>,
    /// Cells that are or were viewed, the latest last, with the number of bytes of their metrics read so far.
    cells: Vec<(CellIndex, u64)>,
    /// Cells that are viewed now.
    wanted: Vec<CellIndex>,
    /// Which cells run, and which have ended.
    turns: Turns,
    /// Ended cells of which every point has been sent.
    told: BTreeSet<CellIndex>,
    /// Whether the source reads the files of the run, too. It then sends the last points of running cells.
    by_files: bool,
    /// When new points were looked for last.
    looked: Option<Instant>,
    /// The log; none before the sweep is known.
    log: Option<MergedLog>,
}

/// The reader of the events is gone.
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
                // Somebody may have resumed the run.
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
            let is_due = !self.by_files || self.looked.is_none_or(|looked| looked.elapsed() >= GLANCE_AT_FILES);
            let more = is_due && (self.tell_log()? | self.tell_all()?);
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
                    // Keep serving points: the cells can be viewed as long as the reader wants.
                    source = crossbeam_channel::never();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    if let Some(renewed) = again() {
                        source = renewed;
                    } else {
                        // The files on disk can still be viewed.
                        (ended, asked) = (true, Instant::now());
                        self.pass_on(Event::TrainerLost)?;
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, mut event: Event) -> Result<(), Left> {
        if let Event::SweepStarted(plan) = &mut event {
            // The training process may have been started in another folder, so its path may not be valid here.
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
            Event::Elsewhere(_) => self.by_files = true,
            // This reader sends every point of the cells that it looks at.
            Event::Measured { cell, .. } if self.by_files && self.looks_at(cell) => return Ok(()),
            Event::Measured { cell, .. } if self.by_files => self.cells.retain(|(known, _)| *known != cell),
            Event::SweepStarted(_) => {
                self.by_files = false;
                self.told.clear();
                self.cells.clear();
                self.log = Some(MergedLog::new(&self.run_dir));
            }
            Event::CellStarted { cell } | Event::CellRetried { cell } => {
                self.told.remove(&cell);
                self.cells.retain(|(known, _)| *known != cell);
            }
            _ => {}
        }
        let started = match event {
            Event::CellStarted { cell } if self.looks_at_all() => Some(cell),
            _ => None,
        };
        self.send(event)?;
        started.map_or(Ok(()), |cell| self.look_at(cell))
    }

    /// Returns whether the points of every running cell are read.
    fn looks_at_all(&self) -> bool {
        !self.by_files || self.turns.running.len() <= MOST_RUNNING
    }

    /// Returns whether the points of this cell are read.
    fn looks_at(&self, cell: CellIndex) -> bool {
        let is_known = self.cells.iter().any(|(known, _)| *known == cell);
        is_known && (self.wanted.contains(&cell) || (self.looks_at_all() && self.turns.is_running(cell)))
    }

    fn look_at(&mut self, cell: CellIndex) -> Result<(), Left> {
        let at = self.cells.iter().position(|(known, _)| *known == cell);
        if at.is_none() && self.by_files {
            // The source may have sent single points of it.
            self.send(Event::History { cell })?;
        }
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

    /// Sends new lines of the log. Returns whether there may be more.
    fn tell_log(&mut self) -> Result<bool, Left> {
        let Some(log) = &mut self.log else { return Ok(false) };
        let (entries, more) = log.read();
        for entry in entries {
            self.send(Event::Logged(entry))?;
        }
        Ok(more)
    }

    /// Sends new points of the viewed and the running cells. Returns whether there may be more.
    fn tell_all(&mut self) -> Result<bool, Left> {
        self.looked = Some(Instant::now());
        let mut more = false;
        for index in 0..self.cells.len() {
            let cell = self.cells[index].0;
            if self.looks_at(cell) && !self.told.contains(&cell) {
                more |= self.tell(index)?;
            }
        }
        Ok(more)
    }

    fn tell(&mut self, index: usize) -> Result<bool, Left> {
        let (cell, read) = self.cells[index];
        let folder = cell_path(&self.run_dir, cell);
        // A file that cannot be read yet may become readable later. Malformed lines are skipped here; `read_metrics`
        // reports them.
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

    /// How long an event may take to arrive.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// The events received so far.
    struct Heard {
        events: Receiver<Event>,
        /// The cell and the step of each point.
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
        // The last points of a cell arrive before its end, also while another cell continues.
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
