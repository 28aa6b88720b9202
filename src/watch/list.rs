//! A folder of several runs: a list of them, from which each is entered.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Look, NO_SIGNALS, has_screen, print, show_any, tasks};
use crate::characters::Glyphs;
use crate::event::{Event, SweepEnding};
use crate::foreign::{self, Folder, natural};
use crate::monitor::{Listed, Monitor, Stage};
use crate::record::{self, RunState, host_name, is_being_written};
use crate::signals::{self, has_come};
use crate::{plain, sweep, tui};

/// Interval between looks at the folder.
const EVERY: Duration = Duration::from_secs(2);

/// Runs that do not go on are looked at less often: somebody may resume them.
const AT_REST: Duration = Duration::from_secs(20);

/// A run is read again after at least this many times the time that reading it took.
const SPARING: u32 = 20;

/// Returns whether a folder has run directories in it.
pub(super) fn is_folder_of_runs(folder: &Path) -> bool {
    let folders = std::fs::read_dir(folder).into_iter().flatten().flatten();
    folders
        .into_iter()
        .any(|entry| record::find_config(&entry.path()).is_ok())
}

/// Shows the list, and the runs that are chosen from it. Without a terminal, prints it.
pub(super) fn show(folder: &Path, look: &Look) -> anyhow::Result<ExitCode> {
    if !has_screen() {
        let mut runs = Runs::new(folder);
        let lines = plain::list(&runs.look(), Glyphs::of_output());
        print(&(lines.join("\n") + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let signals = signals::listen(None).context(NO_SIGNALS)?;
    let found = follow(folder).context("cannot start a thread")?;
    let mut list = tui::List::default();
    let mut options = look.options();
    options.welcome = false;
    while let Some(name) = tui::choose(&mut list, folder, &found, &signals, &options)? {
        // An error ends the list, which would hide it.
        let shown = show_any(&folder.join(name), look.clone().of_a_list(), signals.clone());
        if has_come() {
            return shown;
        }
        shown?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the list, again whenever it has changed.
fn follow(folder: &Path) -> std::io::Result<Receiver<Vec<Listed>>> {
    // The list waits for its reader while a run is shown.
    let (out, found) = bounded(1);
    let runs = Runs::new(folder);
    thread::Builder::new()
        .name("runs".to_owned())
        .spawn(move || keep_looking(runs, &out))?;
    Ok(found)
}

fn keep_looking(mut runs: Runs, out: &Sender<Vec<Listed>>) {
    let names = runs.names();
    let unread = names.iter().map(|name| Listed {
        name: name.clone(),
        ..Listed::default()
    });
    let mut told: Vec<Listed> = unread.collect();
    if out.send(told.clone()).is_err() {
        return;
    }
    loop {
        let now = runs.look();
        if now != told && out.send(now.clone()).is_err() {
            return;
        }
        told = now;
        thread::sleep(EVERY);
    }
}

/// The runs of a folder, as they were read last.
struct Runs {
    folder: PathBuf,
    all: Vec<Seen>,
}

struct Seen {
    listed: Listed,
    due: Instant,
    /// The files of another program.
    foreign: Option<Folder>,
}

impl Runs {
    fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            all: Vec::new(),
        }
    }

    /// Returns the names of the folders with runs.
    fn names(&self) -> Vec<String> {
        let folders = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let known = |name: &String| self.all.iter().any(|seen| seen.listed.name == *name);
        let is_run = |name: &String| {
            let path = self.folder.join(name);
            path.is_dir() && (known(name) || record::find_config(&path).is_ok() || foreign::is_foreign(&path))
        };
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).filter(is_run).collect();
        names.sort_by(|one, other| natural(one, other));
        names
    }

    /// Reads the runs that may have changed, and returns all.
    fn look(&mut self) -> Vec<Listed> {
        let names = self.names();
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            let known = self.all.iter().position(|seen| seen.listed.name == name);
            let mut seen = known.map_or_else(
                || Seen {
                    listed: Listed {
                        name,
                        ..Listed::default()
                    },
                    due: Instant::now(),
                    foreign: None,
                },
                |at| self.all.swap_remove(at),
            );
            if Instant::now() >= seen.due {
                seen.read(&self.folder);
            }
            all.push(seen);
        }
        self.all = all;
        self.all.iter().map(|seen| seen.listed.clone()).collect()
    }
}

impl Seen {
    fn read(&mut self, folder: &Path) {
        let begun = Instant::now();
        let path = folder.join(&self.listed.name);
        let read = if record::find_config(&path).is_ok() {
            own(&path)
        } else {
            self.foreign(&path)
        };
        self.listed = match read {
            Ok((state, monitor)) => Listed::of(&self.listed.name, state, &monitor),
            Err(error) => Listed {
                name: std::mem::take(&mut self.listed.name),
                state: Stage::Unreadable,
                problem: Some(format!("{error:#}")),
                ..Listed::default()
            },
        };
        let rest = if self.listed.state.goes_on() { EVERY } else { AT_REST };
        self.due = Instant::now() + rest.max(begun.elapsed() * SPARING);
    }

    /// Reads the runs of another program in a folder.
    fn foreign(&mut self, path: &Path) -> anyhow::Result<(Stage, Monitor)> {
        let folder = match self.foreign.take() {
            Some(mut folder) => {
                folder.look()?;
                folder
            }
            None => Folder::open(path)?,
        };
        let mut monitor = Monitor::without_curves();
        for event in foreign::told(&folder) {
            monitor.apply(event, Instant::now());
        }
        let ages = (0..monitor.cells.len()).filter_map(|run| folder.age(run));
        let grows = ages.min().is_some_and(|age| age < foreign::STILL_AFTER);
        self.foreign = Some(folder);
        Ok((if grows { Stage::Growing } else { Stage::Still }, monitor))
    }
}

/// Reads a run directory.
fn own(path: &Path) -> anyhow::Result<(Stage, Monitor)> {
    // Before the rest: a process that ends meanwhile has written its ending.
    let is_written = is_being_written(path);
    let mut monitor = Monitor::without_curves();
    let mut ending = None;
    for event in sweep::told_by_disk(path)? {
        if let Event::SweepEnded(how) = &event {
            ending = Some(how.clone());
        }
        monitor.apply(event, Instant::now());
    }
    let info = record::read_run(path).ok();
    let is_here = info.as_ref().is_none_or(|info| info.host == host_name());
    let was_running = info.is_none_or(|info| info.state == RunState::Running);
    let state = match ending {
        _ if is_written == Some(true) => Stage::Training,
        _ if tasks::are_there(path) => Stage::Tasks,
        Some(SweepEnding::Complete) => Stage::Complete,
        Some(SweepEnding::Failed(_)) => Stage::Failed,
        // Locks may not work across machines.
        _ if was_running && !is_here => Stage::Elsewhere,
        None => Stage::Killed,
        Some(SweepEnding::Stopped) => Stage::Stopped,
    };
    Ok((state, monitor))
}
