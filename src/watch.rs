//! A run as people see it: on the screen or as lines, from the process that trains or from its directory.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::cli::ScreenArgs;
use crate::event::{CellEnding, Command, Event, SweepEnding};
use crate::live::{Link, LiveError};
use crate::record::RunState;
use crate::signals::{STATUS_STOPPED, Signal};
use crate::{live, machine, plain, record, signals, sweep, tui};

/// Where a process without a terminal writes, in the run directory.
pub(crate) const LOG: &str = "log.txt";

/// How long a process that trains may take to end once it was asked to by a signal.
pub(crate) const STOP_WITHIN: Duration = Duration::from_millis(4_500);

/// A terminal without a cursor to move gets lines.
pub(crate) fn has_screen() -> bool {
    plain::Style::of_stdout() == plain::Style::Bar
}

/// How the screen is to be drawn.
#[derive(Debug)]
pub(crate) struct Look {
    preferences: tui::Preferences,
    ascii: bool,
}

impl Look {
    /// As the user's file says, where there is to be a screen.
    pub(crate) fn load(args: ScreenArgs) -> Result<Self, tui::PreferencesError> {
        let path = tui::usual_path(|name| std::env::var(name).ok()).filter(|_| has_screen());
        Ok(Self {
            preferences: path.map_or_else(|| Ok(tui::Preferences::default()), |path| tui::Preferences::load(&path))?,
            ascii: args.ascii,
        })
    }
}

/// Prints a file of preferences with every default.
pub(crate) fn print_preferences() -> anyhow::Result<ExitCode> {
    print(&tui::Preferences::template())?;
    Ok(ExitCode::SUCCESS)
}

/// Says whether a file of preferences is right: this one, or the usual one where it has no name.
pub(crate) fn check_preferences(path: &Path) -> anyhow::Result<ExitCode> {
    let usual = || tui::usual_path(|name| std::env::var(name).ok());
    let path = if path.as_os_str().is_empty() {
        usual()
    } else {
        Some(path.to_owned())
    };
    let path = path.context("there is no usual place: neither XDG_CONFIG_HOME nor HOME is set")?;
    let words = if path.exists() {
        "is right"
    } else {
        "is not there: the defaults hold"
    };
    tui::Preferences::load(&path)?;
    print(&format!("{} {words}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The exit status of a sweep that has ended.
pub(crate) fn status(ended: &sweep::Ended, cells: usize) -> anyhow::Result<ExitCode> {
    match (&ended.ending, ended.failed.first()) {
        (SweepEnding::Failed(why), _) => Err(anyhow!(why.clone())),
        (SweepEnding::Stopped, _) => Ok(ExitCode::from(STATUS_STOPPED)),
        (SweepEnding::Complete, None) => Ok(ExitCode::SUCCESS),
        (SweepEnding::Complete, Some((cell, why))) => Err(anyhow!(
            "{} of {cells} cells failed, the first of them cell {}: {why}",
            ended.failed.len(),
            cell + 1
        )),
    }
}

/// Shows a run that goes on, or one that has ended.
pub(crate) fn attach(run_dir: Option<&Path>, screen: ScreenArgs) -> anyhow::Result<ExitCode> {
    let look = Look::load(screen)?;
    let found = run_dir.map_or_else(going_on, |run_dir| Ok(run_dir.to_owned()))?;
    let run_dir = found.as_path();
    match live::connect(run_dir) {
        Ok(link) => show_live(run_dir, link, false, look),
        Err(LiveError::NotGoingOn { .. }) => {
            let (events_in, source) = unbounded();
            for event in sweep::told_by_disk(run_dir)? {
                let _ = events_in.send(event);
            }
            drop(events_in);
            let (commands, _nobody) = unbounded();
            show(run_dir, source, &commands, Trained::Ended, look, || None).map(|_| ExitCode::SUCCESS)
        }
        Err(error) => Err(error.into()),
    }
}

/// The one run in `runs` that goes on.
fn going_on() -> anyhow::Result<PathBuf> {
    let folders = std::fs::read_dir("runs").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = folders
        .map(|entry| entry.path())
        .filter(|path| live::connect(path).is_ok())
        .collect();
    found.sort();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(anyhow!("no run in the folder `runs` goes on; name a run directory")),
        _ => {
            let names: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
            Err(anyhow!("several runs go on, name one of them: {}", names.join(", ")))
        }
    }
}

/// Shows a run that another process trains.
pub(crate) fn show_live(run_dir: &Path, link: Link, owns: bool, look: Look) -> anyhow::Result<ExitCode> {
    let requests = Arc::new(Mutex::new(link.requests));
    let (commands, asked) = unbounded();
    let current = Arc::clone(&requests);
    thread::spawn(move || {
        for command in asked {
            let requests = current.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = requests.send(live::Request::Command(command));
        }
    });
    let (place, renewed) = (run_dir.to_owned(), Arc::clone(&requests));
    let again = move || {
        let link = live::connect(&place).ok()?;
        *renewed.lock().unwrap_or_else(PoisonError::into_inner) = link.requests;
        Some(link.events)
    };
    let outcome = show(
        run_dir,
        link.events,
        &commands,
        Trained::By { pid: link.pid, owns },
        look,
        again,
    )?;
    match outcome {
        Some(tui::Outcome::Detached) => Ok(ExitCode::SUCCESS),
        Some(tui::Outcome::LeftAtOnce) => {
            let requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = requests.send(live::Request::EndNow);
            wait_for_the_end(run_dir);
            Ok(ExitCode::from(STATUS_STOPPED))
        }
        _ => {
            wait_for_the_end(run_dir);
            ending_on_disk(run_dir)
        }
    }
}

/// Waits a moment until no process trains in `run_dir`: whoever resumes it next must find it unlocked.
fn wait_for_the_end(run_dir: &Path) {
    let since = Instant::now();
    while since.elapsed() < STOP_WITHIN && live::connect(run_dir).is_ok() {
        thread::sleep(Duration::from_millis(10));
    }
}

/// The exit status of a run by what is on disk.
fn ending_on_disk(run_dir: &Path) -> anyhow::Result<ExitCode> {
    let info = record::read_run(run_dir)?;
    let ending = match info.state {
        RunState::Complete => SweepEnding::Complete,
        RunState::Stopped => SweepEnding::Stopped,
        RunState::Failed(why) => SweepEnding::Failed(why),
        RunState::Running => {
            let place = run_dir.display();
            return Err(anyhow!(
                "the process that trained is gone, see {place}/{LOG}; `sharptui resume {place}` goes on from the last checkpoint"
            ));
        }
    };
    let cells = record::read_cells(run_dir)?.into_iter();
    let failed = cells.filter_map(|found| match found.ended?.ending {
        CellEnding::Failed(why) => Some((found.cell, why)),
        _ => None,
    });
    let ended = sweep::Ended {
        ending,
        failed: failed.collect(),
    };
    print(&format!("{}\n", closing_line(&ended, info.cells, run_dir)))?;
    status(&ended, info.cells)
}

/// By whom a run is trained.
#[derive(Clone, Copy)]
enum Trained {
    /// By this process; whether signals to the screen are meant for it.
    By { pid: u32, owns: bool },
    /// By nobody any more.
    Ended,
}

/// Shows what `source` tells on the screen, or as lines where there is none; no outcome in the latter case.
fn show(
    run_dir: &Path,
    source: Receiver<Event>,
    commands: &Sender<Command>,
    trained: Trained,
    look: Look,
    again: impl FnMut() -> Option<Receiver<Event>> + Send + 'static,
) -> anyhow::Result<Option<tui::Outcome>> {
    let signals = signals::listen(None).context("the signals of the system cannot be heard")?;
    let (wanted_in, wanted) = unbounded();
    let events = live::follow(run_dir, source, wanted, again).context("no thread can be started")?;
    if !has_screen() {
        read_lines(&events, commands, signals)?;
        return Ok(None);
    }
    let log = run_dir.join(LOG);
    let options = tui::Options {
        // A run directory that is read-only can be looked at all the same.
        log_path: OpenOptions::new().append(true).open(&log).is_ok().then_some(log),
        owns: matches!(trained, Trained::By { owns: true, .. }),
        wanted: Some(wanted_in),
        // Of a run that has ended, the machine is of no interest; and a screen does without where there is no thread for it.
        load: match trained {
            Trained::By { pid, .. } => machine::watch(Some(pid)).ok(),
            Trained::Ended => None,
        },
        preferences: look.preferences,
        ascii: look.ascii,
        welcome: tui::take_welcome(|name| std::env::var(name).ok()),
    };
    let outcome = tui::run(&events, commands, &signals, &options)?;
    match outcome {
        // Training goes on where the screen broke, so lines do, too.
        tui::Outcome::Broken => {
            read_lines(&events, commands, signals)?;
            Ok(None)
        }
        tui::Outcome::Detached => {
            // The terminal may have gone.
            let _ = print(&format!("{}\n", detached_line(run_dir)));
            Ok(Some(outcome))
        }
        _ => Ok(Some(outcome)),
    }
}

/// Shows plain lines; true if they were left without waiting for the training thread.
pub(crate) fn read_lines(
    events: &Receiver<Event>,
    commands: &Sender<Command>,
    signals: Receiver<Signal>,
) -> anyhow::Result<bool> {
    let stop = stop_requests(signals);
    let ended = plain::run(events, commands, &stop, std::io::stdout(), plain::Style::of_stdout());
    Ok(ended.context("cannot write the output")? == plain::Ended::Left)
}

/// What stands in the terminal where the sweep goes on.
pub(crate) fn detached_line(run_dir: &Path) -> String {
    let place = run_dir.display();
    format!("training goes on in {place}: `sharptui attach {place}` shows it")
}

/// What stands in the terminal once the screen is gone.
fn closing_line(ended: &sweep::Ended, cells: usize, run_dir: &Path) -> String {
    let place = run_dir.display();
    let failed = ended.failed.len();
    match ended.ending {
        SweepEnding::Complete if failed > 0 => {
            format!("ended: {failed} of {cells} cells failed; `sharptui resume {place}` runs them again")
        }
        SweepEnding::Complete => format!("complete: {cells} cells in {place}"),
        SweepEnding::Stopped => format!("stopped with cells unfinished: `sharptui resume {place}` goes on with them"),
        SweepEnding::Failed(_) => format!("failed: what is finished is in {place}"),
    }
}

/// SIGINT and SIGTERM as requests to stop. A terminal that is gone is none: a night's training must not hang on it.
pub(crate) fn stop_requests(signals: Receiver<Signal>) -> Receiver<()> {
    let (stop, requests) = unbounded();
    thread::spawn(move || {
        for signal in signals {
            if signal != Signal::Hangup && stop.send(()).is_err() {
                return;
            }
        }
    });
    requests
}

/// Writes to standard output; whoever closed the pipe has read enough.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot write the output"),
        _ => Ok(()),
    }
}
