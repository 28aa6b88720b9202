//! Follows a run whose cells are trained by tasks, on any hosts, through its files.
//!
//! A claim shows that a cell is running, and where. Whether its process is alive is told by whether its files still
//! change, timed by the clock of this process: the clocks of other hosts are never compared. The files of a network
//! file system may be seen late, by up to a minute.
//!
//! The number of calls to the file system does not grow with the number of cells: each second, the claims are listed,
//! and a fixed number of running cells is looked at, in turn.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::event::{CellEnding, CellIndex, Event, Progress, Runner, SweepEnding};
use crate::live;
use crate::number::count::counted;
use crate::record::{
    Holder, Seen, begun_cells, cell_path, claim_names, read_claim, read_points, read_progress, read_summary,
};
use crate::sweep::told_by_disk;

/// Interval between checks for changes.
const GLANCE: Duration = Duration::from_secs(1);

/// The number of running cells that are looked at in one check.
const LOOK_AT: usize = 32;

/// The time without a claim after which nobody trains the run any more: a task has no claim between two cells.
const WITHOUT_CLAIMS: Duration = Duration::from_secs(10);

/// The time without a change after which a cell counts as silent. A checkpoint changes its folder every minute.
const SILENT: Duration = Duration::from_mins(5);

/// Limit of events that wait for a screen.
const WAITING: usize = 1_024;

/// The number of hosts that are named.
const MOST_HOSTS: usize = 3;

/// Returns whether tasks train cells of the run, as far as its claims say.
pub(super) fn are_there(run_dir: &Path) -> bool {
    let names = claim_names(run_dir).unwrap_or_default();
    // One claim that is not of a dead process of this host is enough.
    names.into_iter().any(|(cell, number)| {
        let holder = read_claim(run_dir, cell, number);
        holder.is_none_or(|holder| !is_dead(cell, number, holder))
    })
}

fn is_dead(cell: CellIndex, number: u32, holder: Holder) -> bool {
    let holder = Some(holder);
    Seen { cell, number, holder }.is_dead_here()
}

/// Returns events that describe the current state of the run, followed by changes. The channel closes when the run can
/// be followed in a better way, or when no task trains it any more.
///
/// # Errors
/// The run directory cannot be read, or the thread cannot be started.
pub(super) fn follow(run_dir: &Path) -> anyhow::Result<Receiver<Event>> {
    let (out, events) = bounded(WAITING);
    let told = told_by_disk(run_dir)?;
    let tasks = Tasks {
        run_dir: run_dir.to_owned(),
        out,
        running: BTreeMap::new(),
        known: begun_cells(run_dir)?,
        listed: None,
        runners: Vec::new(),
        next: 0,
        claimed: Instant::now(),
        said: None,
    };
    thread::Builder::new()
        .name("files".to_owned())
        .spawn(move || drop(tasks.run(told)))?;
    Ok(events)
}

/// A running cell.
struct Running {
    /// The number of its claim.
    number: u32,
    holder: Option<Holder>,
    /// The length of its metrics and the time at which its folder changed, by the clock of the file system.
    mark: Option<(u64, i64, i64)>,
    /// When this process saw the last change.
    changed: Instant,
    /// The number of bytes of its metrics that were read.
    read: u64,
    /// The step and the seconds of its last point.
    last: Option<(u64, f64)>,
}

struct Tasks {
    run_dir: PathBuf,
    out: Sender<Event>,
    running: BTreeMap<CellIndex, Running>,
    /// The cells that have a folder.
    known: BTreeSet<CellIndex>,
    /// When the folder of the cells had changed, the last time it was listed.
    listed: Option<(i64, i64)>,
    runners: Vec<Runner>,
    /// The next running cell to look at.
    next: CellIndex,
    /// When there was a claim.
    claimed: Instant,
    /// The text last sent about where the run is trained.
    said: Option<String>,
}

/// The reader is gone, or another source must be found.
struct Over;

impl Tasks {
    fn run(mut self, told: Vec<Event>) -> Result<(), Over> {
        let is_ending = |event: &Event| matches!(event, Event::SweepEnded(_));
        for event in told.into_iter().filter(|event| !is_ending(event)) {
            self.send(event)?;
        }
        loop {
            // A connection gives more than the files do.
            if live::connect(&self.run_dir).is_ok() {
                return Err(Over);
            }
            self.look_at_claims()?;
            self.look_at_folders()?;
            self.look_at_cells()?;
            if self.claimed.elapsed() >= WITHOUT_CLAIMS {
                return self.end();
            }
            thread::sleep(GLANCE);
        }
    }

    /// Tells cells that begin and end, from the names of the claims.
    fn look_at_claims(&mut self) -> Result<(), Over> {
        // What cannot be listed now may be listed later.
        let Ok(names) = claim_names(&self.run_dir) else {
            return Ok(());
        };
        // While a cell is taken over it has two claims, of which the later counts.
        let now: BTreeMap<CellIndex, u32> = names.into_iter().collect();
        let is_other =
            |(cell, running): (&CellIndex, &Running)| (now.get(cell) != Some(&running.number)).then_some(*cell);
        let gone: Vec<CellIndex> = self.running.iter().filter_map(is_other).collect();
        for cell in gone {
            self.running.remove(&cell);
            self.tell_end(cell)?;
        }
        let new: Vec<(CellIndex, u32)> = now
            .into_iter()
            .inspect(|_| self.claimed = Instant::now())
            .filter(|(cell, _)| !self.running.contains_key(cell))
            .collect();
        let begun: Vec<CellIndex> = new
            .into_iter()
            .filter_map(|(cell, number)| self.begin(cell, number))
            .collect();
        // First, so that the reader of these events does not read every cell that begins.
        self.tell_where()?;
        if begun.is_empty() {
            return Ok(());
        }
        let numbers: Vec<u32> = begun.iter().map(|cell| self.runner_of(*cell)).collect();
        self.send(Event::Runners(self.runners.clone()))?;
        for (cell, runner) in begun.into_iter().zip(numbers) {
            self.send(Event::Assigned { cell, runner })?;
            self.send(Event::CellStarted { cell })?;
        }
        Ok(())
    }

    /// Notes that a cell runs, unless its claim is one of a dead process.
    fn begin(&mut self, cell: CellIndex, number: u32) -> Option<CellIndex> {
        let holder = read_claim(&self.run_dir, cell, number);
        if holder.clone().is_some_and(|holder| is_dead(cell, number, holder)) {
            return None;
        }
        let running = Running {
            number,
            holder,
            mark: None,
            changed: Instant::now(),
            read: 0,
            last: None,
        };
        self.running.insert(cell, running);
        self.known.insert(cell);
        Some(cell)
    }

    /// Returns the number of the process that trains a running cell. The same process trains several cells in turn.
    fn runner_of(&mut self, cell: CellIndex) -> u32 {
        let holder = self.running.get(&cell).and_then(|running| running.holder.as_ref());
        let device = holder.map_or_else(|| "unknown".to_owned(), place);
        if let Some(known) = self.runners.iter().find(|runner| runner.device == device) {
            return known.number;
        }
        let number = self.runners.len() as u32;
        self.runners.push(Runner {
            number,
            device,
            threads: 0,
        });
        number
    }

    fn tell_end(&mut self, cell: CellIndex) -> Result<(), Over> {
        let folder = cell_path(&self.run_dir, cell);
        let (ending, summary) = match read_summary(&folder) {
            Ok(ended) => (ended.ending, ended.summary),
            Err(_) => (CellEnding::Interrupted, read_progress(&folder)),
        };
        self.send(Event::CellEnded { cell, ending, summary })
    }

    /// Tells cells that began and ended between two checks.
    fn look_at_folders(&mut self) -> Result<(), Over> {
        let folder = cell_path(&self.run_dir, 0);
        let Some(changed) = folder.parent().and_then(changed) else {
            return Ok(());
        };
        if self.listed.replace(changed) == Some(changed) {
            return Ok(());
        }
        let begun = begun_cells(&self.run_dir).unwrap_or_default();
        let new: Vec<CellIndex> = begun.difference(&self.known).copied().collect();
        self.known.extend(&new);
        for cell in new {
            if !self.running.contains_key(&cell) {
                self.send(Event::CellStarted { cell })?;
                self.tell_end(cell)?;
            }
        }
        Ok(())
    }

    /// Looks at some running cells, in turn, and tells what they have written.
    fn look_at_cells(&mut self) -> Result<(), Over> {
        let after = self.running.range(self.next..).map(|(cell, _)| *cell);
        let before = self.running.range(..self.next).map(|(cell, _)| *cell);
        let chosen: Vec<CellIndex> = after.chain(before).take(LOOK_AT).collect();
        for cell in chosen {
            self.next = cell + 1;
            self.look_at(cell)?;
        }
        Ok(())
    }

    fn look_at(&mut self, cell: CellIndex) -> Result<(), Over> {
        let Some(running) = self.running.get_mut(&cell) else {
            return Ok(());
        };
        if running
            .holder
            .clone()
            .is_some_and(|holder| is_dead(cell, running.number, holder))
        {
            // Its claim stays until somebody takes the cell over.
            return Ok(());
        }
        let folder = cell_path(&self.run_dir, cell);
        let length = fs::metadata(folder.join("metrics.jsonl")).map_or(0, |metrics| metrics.len());
        let (seconds, nanoseconds) = changed(&folder).unwrap_or_default();
        let mark = Some((length, seconds, nanoseconds));
        if running.mark == mark {
            return Ok(());
        }
        running.changed = Instant::now();
        let has_grown = running.mark.is_none_or(|(known, ..)| known != length);
        running.mark = mark;
        if !has_grown {
            return Ok(());
        }
        let mut points = Vec::new();
        while let Ok(found) = read_points(&folder, running.read) {
            running.read = found.read;
            // Only the last ones are told here; whoever shows curves reads them all.
            points = if found.points.is_empty() { points } else { found.points };
            if !found.more {
                break;
            }
        }
        let Some(point) = points.last() else { return Ok(()) };
        let now = (point.step, point.seconds);
        let rate = running.last.replace(now).map_or(0.0, |(step, seconds)| {
            now.0.saturating_sub(step) as f64 / (now.1 - seconds).max(1e-9)
        });
        let progress = Progress {
            step: point.step,
            epoch: point.epoch,
            seconds: point.seconds,
            steps_per_second: rate,
        };
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

    /// Sends where the run is trained, and how many cells are silent.
    fn tell_where(&mut self) -> Result<(), Over> {
        let hosts: BTreeSet<&str> = self
            .running
            .values()
            .filter_map(|running| Some(running.holder.as_ref()?.host.as_str()))
            .collect();
        let named: Vec<&str> = hosts.iter().copied().take(MOST_HOSTS).collect();
        let more = hosts.len() - named.len();
        let words = match (named.is_empty(), more) {
            (true, _) => "by tasks".to_owned(),
            (false, 0) => format!("by tasks on {}", named.join(", ")),
            (false, _) => format!(
                "by tasks on {} and {}",
                named.join(", "),
                counted(more as u64, "other host")
            ),
        };
        let silent = self
            .running
            .values()
            .filter(|running| running.changed.elapsed() >= SILENT)
            .count();
        let more = if silent > 0 {
            let cells = counted(silent as u64, "cell");
            format!("; {cells} wrote nothing for more than five minutes")
        } else {
            String::new()
        };
        let words = words + &more;
        if self.said.as_ref() == Some(&words) {
            return Ok(());
        }
        self.said = Some(words.clone());
        self.send(Event::Elsewhere(words))
    }

    /// Tells how the run stands when nobody trains it any more.
    fn end(&mut self) -> Result<(), Over> {
        let told = told_by_disk(&self.run_dir).map_err(|_| Over)?;
        let ending = told.into_iter().find_map(|event| match event {
            Event::SweepEnded(ending) => Some(ending),
            _ => None,
        });
        self.send(Event::SweepEnded(ending.unwrap_or(SweepEnding::Stopped)))?;
        Err(Over)
    }

    fn send(&self, event: Event) -> Result<(), Over> {
        self.out.send(event).map_err(|_| Over)
    }
}

/// Returns where a process trains, for people: "flex (CPU) on node7, job 17_3".
fn place(holder: &Holder) -> String {
    let job = holder.job.as_ref().map(|job| format!(", job {}", job.name()));
    format!(
        "{} on {}{}, process {}",
        holder.device,
        holder.host,
        job.unwrap_or_default(),
        holder.pid
    )
}

/// Returns when a folder changed, by the clock of its file system.
fn changed(folder: &Path) -> Option<(i64, i64)> {
    let found = fs::metadata(folder).ok()?;
    Some((found.mtime(), found.mtime_nsec()))
}
