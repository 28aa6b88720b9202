//! Follows a run whose cells are trained by tasks, on any hosts, through its files.
//!
//! A claim shows that a cell is running, and where. Whether its process is alive is told by Slurm, if the process is part
//! of a job, and otherwise by whether its files still change, timed by the clock of this process: the clocks of other
//! hosts are never compared. The files of a network file system may be seen late, by up to a minute.
//!
//! The number of calls to the file system does not grow with the number of cells: each second, the claims are listed,
//! and a fixed number of running cells is looked at, in turn.

mod judge;
mod look;
mod shares;
mod slurm;
mod standings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::event::{Activity, CellEnding, CellIndex, CellPlan, Event, Progress, Runner, Standing, SweepEnding};
use crate::live::{self, Post};
use crate::number::count::counted;
use crate::record::{
    Holder, RunState, begun_cells, cell_path, claim_names, read_claim, read_progress, read_run, read_summary,
};
use crate::sweep::told_by_disk;
use shares::Shares;
use slurm::Said;

/// Interval between checks for changes.
const GLANCE: Duration = Duration::from_secs(1);

/// The time without a claim after which nobody trains the run any more: a task has no claim between two cells.
const WITHOUT_CLAIMS: Duration = Duration::from_secs(10);

/// Limit of events that wait for a screen.
const WAITING: usize = 1_024;

/// The number of hosts that are named.
const MOST_HOSTS: usize = 3;

/// Returns whether tasks train cells of the run, as far as its claims say, or wait in Slurm for that.
pub(super) fn are_there(run_dir: &Path) -> bool {
    let names = claim_names(run_dir).unwrap_or_default();
    // One claim that is not of a dead process of this host is enough.
    let is_claimed = names.into_iter().any(|(cell, number)| {
        let holder = read_claim(run_dir, cell, number);
        holder.is_none_or(|holder| !holder.is_dead_process())
    });
    is_claimed || are_waiting(run_dir)
}

fn are_waiting(run_dir: &Path) -> bool {
    let mut shares = Shares::default();
    shares.read_jobs(run_dir);
    if shares.jobs.is_empty() || read_run(run_dir).is_ok_and(|info| info.state == RunState::Complete) {
        return false;
    }
    slurm::first_said(run_dir, &shares.jobs).is_some_and(|said| said.is_any_left())
}

/// Returns events that describe the current state of the run, followed by changes, and the place for commands to its
/// tasks. The channel closes when the run can be followed in a better way, or when no task trains it any more.
///
/// # Errors
/// The run directory cannot be read, or the thread cannot be started.
pub(super) fn follow(run_dir: &Path) -> anyhow::Result<(Receiver<Event>, Post)> {
    let (out, events) = bounded(WAITING);
    let told = told_by_disk(run_dir)?;
    let (post, answers) = Post::open(run_dir)?;
    let tasks = Tasks {
        run_dir: run_dir.to_owned(),
        out,
        answers,
        claims: BTreeMap::new(),
        over: BTreeSet::new(),
        cells: 0,
        known: begun_cells(run_dir)?,
        listed: None,
        runners: Vec::new(),
        told_runners: BTreeSet::new(),
        next: 0,
        claimed: Instant::now(),
        shares: Shares::default(),
        said: None,
        trouble: None,
        stands: BTreeMap::new(),
        place: None,
    };
    thread::Builder::new()
        .name("files".to_owned())
        .spawn(move || drop(tasks.run(told)))?;
    Ok((events, post))
}

/// A cell that a process has claimed.
struct Claimed {
    /// The number of its claim.
    number: u32,
    holder: Option<Holder>,
    seen: Instant,
    /// The length of its metrics and the time at which its folder changed, by the clock of the file system.
    mark: Option<(u64, i64, i64)>,
    /// When this process saw the last change.
    changed: Instant,
    /// The number of bytes of its metrics that were read.
    read: u64,
    /// Its progress at its last point.
    last: Option<Progress>,
    /// Whether its process was one of this host, and has ended.
    is_dead: bool,
    /// Whether nobody trains it any more, as far as this process knows: the claim stays until somebody takes it over.
    is_gone: bool,
    is_paused: bool,
    /// The number of its process, once the cell was told to run.
    runner: Option<u32>,
}

struct Tasks {
    run_dir: PathBuf,
    out: Sender<Event>,
    /// What tasks answered to commands.
    answers: Receiver<Event>,
    claims: BTreeMap<CellIndex, Claimed>,
    /// The cells that have ended for good.
    over: BTreeSet<CellIndex>,
    /// The number of cells.
    cells: usize,
    /// The cells that have a folder.
    known: BTreeSet<CellIndex>,
    /// When the folder of the cells had changed, the last time it was listed.
    listed: Option<(i64, i64)>,
    /// Every process that had a cell.
    runners: Vec<Runner>,
    /// The numbers of those that have one now, as last told.
    told_runners: BTreeSet<u32>,
    /// The next running cell to look at.
    next: CellIndex,
    /// When a process had a claim.
    claimed: Instant,
    shares: Shares,
    /// The last answer of Slurm.
    said: Option<Arc<Said>>,
    /// Why Slurm could not be asked, as last told.
    trouble: Option<String>,
    /// How cells stand, as last told.
    stands: BTreeMap<CellIndex, Standing>,
    /// The text last sent about where the run is trained.
    place: Option<String>,
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
            self.ask_slurm()?;
            self.tell_standings()?;
            self.pass_on_answers()?;
            if self.claimed.elapsed() >= WITHOUT_CLAIMS && !self.is_any_waiting() {
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
        let is_other = |(cell, claim): (&CellIndex, &Claimed)| (now.get(cell) != Some(&claim.number)).then_some(*cell);
        let released: Vec<CellIndex> = self.claims.iter().filter_map(is_other).collect();
        for cell in released {
            self.claims.remove(&cell);
            self.tell_end(cell)?;
        }
        let new = now.into_iter().filter(|(cell, _)| !self.claims.contains_key(cell));
        let new: Vec<(CellIndex, u32)> = new.collect();
        let begun: Vec<CellIndex> = new
            .into_iter()
            .filter_map(|(cell, number)| self.begin(cell, number))
            .collect();
        if self.claims.values().any(|claim| !claim.is_gone) {
            self.claimed = Instant::now();
        }
        // First, so that the reader of these events does not read every cell that begins.
        self.tell_where()?;
        self.tell_begin(begun)?;
        self.tell_runners()
    }

    fn tell_begin(&mut self, begun: Vec<CellIndex>) -> Result<(), Over> {
        if begun.is_empty() {
            return Ok(());
        }
        let numbers: Vec<u32> = begun.iter().map(|cell| self.runner_of(*cell)).collect();
        for (cell, runner) in begun.iter().zip(&numbers) {
            if let Some(claim) = self.claims.get_mut(cell) {
                claim.runner = Some(*runner);
            }
        }
        self.tell_runners()?;
        for (cell, runner) in begun.into_iter().zip(numbers) {
            self.send(Event::Assigned { cell, runner })?;
            self.send(Event::CellStarted { cell })?;
        }
        Ok(())
    }

    /// Tells which processes have cells, if that has changed.
    fn tell_runners(&mut self) -> Result<(), Over> {
        let alive = self.claims.values().filter(|claim| !claim.is_gone);
        let now: BTreeSet<u32> = alive.filter_map(|claim| claim.runner).collect();
        if now == self.told_runners {
            return Ok(());
        }
        let shown = self.runners.iter().filter(|runner| now.contains(&runner.number));
        let shown = shown.cloned().collect();
        self.told_runners = now;
        self.send(Event::Runners(shown))
    }

    /// Notes the claim of a cell. Returns the cell if it runs, as far as this host knows.
    fn begin(&mut self, cell: CellIndex, number: u32) -> Option<CellIndex> {
        let holder = read_claim(&self.run_dir, cell, number);
        let is_dead = holder.as_ref().is_some_and(Holder::is_dead_process);
        let claim = Claimed {
            number,
            holder,
            seen: Instant::now(),
            mark: None,
            changed: Instant::now(),
            read: 0,
            last: None,
            is_dead,
            is_gone: is_dead,
            is_paused: false,
            runner: None,
        };
        self.claims.insert(cell, claim);
        self.known.insert(cell);
        (!is_dead).then_some(cell)
    }

    /// Returns the number of the process that trains a running cell. The same process trains several cells in turn.
    fn runner_of(&mut self, cell: CellIndex) -> u32 {
        let holder = self.claims.get(&cell).and_then(|claim| claim.holder.as_ref());
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
            if !self.claims.contains_key(&cell) {
                self.send(Event::CellStarted { cell })?;
                self.tell_end(cell)?;
            }
        }
        Ok(())
    }

    /// Passes on what tasks answered. Only a cell that runs can be paused.
    fn pass_on_answers(&mut self) -> Result<(), Over> {
        let answers: Vec<Event> = self.answers.try_iter().collect();
        for answer in answers {
            if let Event::Activity {
                cell: Some(cell),
                activity,
            } = &answer
            {
                let Some(claim) = self.claims.get_mut(cell).filter(|claim| !claim.is_gone) else {
                    continue;
                };
                claim.is_paused = *activity == Activity::Paused;
                claim.changed = Instant::now();
            }
            self.send(answer)?;
        }
        Ok(())
    }

    /// Sends where the run is trained.
    fn tell_where(&mut self) -> Result<(), Over> {
        let alive = self.claims.values().filter(|claim| !claim.is_gone);
        let hosts: BTreeSet<&str> = alive
            .filter_map(|claim| Some(claim.holder.as_ref()?.host.as_str()))
            .collect();
        let named: Vec<&str> = hosts.iter().copied().take(MOST_HOSTS).collect();
        let more = hosts.len() - named.len();
        let words = match (named.is_empty(), more) {
            (true, _) if self.is_any_waiting() => "by tasks that wait in Slurm".to_owned(),
            (true, _) => "by tasks".to_owned(),
            (false, 0) => format!("by tasks on {}", named.join(", ")),
            (false, _) => format!(
                "by tasks on {} and {}",
                named.join(", "),
                counted(more as u64, "other host")
            ),
        };
        if self.place.as_ref() == Some(&words) {
            return Ok(());
        }
        self.place = Some(words.clone());
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

    fn send(&mut self, event: Event) -> Result<(), Over> {
        match &event {
            Event::SweepStarted(plan) => {
                let is_over =
                    |cell: &CellPlan| matches!(&cell.ended, Some((ending, _)) if *ending != CellEnding::Interrupted);
                self.cells = plan.cells.len();
                let over = plan.cells.iter().enumerate().filter(|(_, cell)| is_over(cell));
                self.over = over.map(|(cell, _)| cell).collect();
                self.stands.clear();
            }
            Event::CellStarted { cell } | Event::CellRetried { cell } => {
                self.over.remove(cell);
                self.stands.remove(cell);
            }
            Event::CellEnded { cell, ending, .. } if *ending != CellEnding::Interrupted => {
                self.over.insert(*cell);
            }
            _ => {}
        }
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
