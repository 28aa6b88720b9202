//! Showing a run, on the screen or as plain lines, connected to its training process or read from its directory.

pub(crate) mod container;
mod elsewhere;
mod foreign;
mod list;
mod tasks;
mod words;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};
use rustix::process::{Pid, Signal as SignalNumber, kill_process};

use crate::characters::{Glyphs, as_typed};
use crate::cli::ScreenArgs;
use crate::event::{CellEnding, Cells, Command, Event, SweepEnding, cell_name};
use crate::foreign::is_foreign;
use crate::live::LiveError;
use crate::record::{PRINTED, RunState, is_being_written};
use crate::signals::{STATUS_STOPPED, STOP_WITHIN, Signal, gentle_stop};
use crate::{live, machine, plain, record, signals, sweep, tui};
use words::closing_line;
pub(crate) use words::{detached_line, staying_line, without_socket_line};

/// The exit status of a sweep that has nothing left to do because other processes have the remaining cells.
const STATUS_ELSEWHERE: u8 = 3;

/// How long the last request may take to reach the training process.
const TOLD_WITHIN: Duration = Duration::from_millis(50);

/// The error message if signals cannot be received.
pub(crate) const NO_SIGNALS: &str = "the program cannot listen for signals of the system";

/// Returns whether there is a terminal for the screen. A terminal without a movable cursor gets plain lines.
pub(crate) fn has_screen() -> bool {
    plain::Style::of_stdout() == plain::Style::Bar
}

/// How the screen is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    preferences: tui::Preferences,
    ascii: bool,
    /// The place from which the run is opened.
    came_from: tui::CameFrom,
}

impl Look {
    /// Loads the user's preferences, if there is a terminal for the screen.
    pub(crate) fn load(args: ScreenArgs) -> Result<Self, tui::PreferencesError> {
        let path = tui::usual_path(|name| std::env::var_os(name)).filter(|_| has_screen());
        Ok(Self {
            preferences: path.map_or_else(|| Ok(tui::Preferences::default()), |path| tui::Preferences::load(&path))?,
            ascii: args.ascii,
            came_from: tui::CameFrom::Shell,
        })
    }

    /// Returns the look of a run that was chosen from a list.
    fn of_a_list(self) -> Self {
        Self {
            came_from: tui::CameFrom::List,
            ..self
        }
    }

    /// Returns the options of a screen that only shows something.
    fn options(&self) -> tui::Options {
        tui::Options {
            log_path: None,
            owns: false,
            wanted: None,
            load: None,
            preferences: self.preferences.clone(),
            ascii: self.ascii,
            came_from: self.came_from,
            welcome: tui::take_welcome(|name| std::env::var_os(name)),
        }
    }
}

/// Prints a preferences file with every default.
pub(crate) fn print_preferences() -> anyhow::Result<ExitCode> {
    print_exactly(tui::Preferences::template())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints whether a preferences file is valid; without a path, it checks the file at the default path.
pub(crate) fn check_preferences(path: Option<&Path>) -> anyhow::Result<ExitCode> {
    let usual = || tui::usual_path(|name| std::env::var_os(name));
    let path = path.map(Path::to_owned).or_else(usual);
    let path = path.context("there is no default path: neither XDG_CONFIG_HOME nor HOME is set")?;
    let words = if path.exists() {
        "is valid"
    } else {
        "does not exist: the defaults apply"
    };
    tui::Preferences::load(&path)?;
    print(&format!("{} {words}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the exit status of an ended sweep.
pub(crate) fn status(ended: &sweep::Ended, cells: usize) -> anyhow::Result<ExitCode> {
    match (&ended.ending, ended.failed.first()) {
        (SweepEnding::Failed(why), _) => Err(anyhow!(why.clone())),
        (SweepEnding::Stopped, None) if !ended.elsewhere.is_empty() => {
            let cells = plain::counted(ended.elsewhere.len());
            note(&format!("{cells} left to other processes; every other cell has ended"));
            Ok(ExitCode::from(STATUS_ELSEWHERE))
        }
        (SweepEnding::Stopped, _) if ended.elsewhere.is_empty() => Ok(ExitCode::from(STATUS_STOPPED)),
        (_, None) => Ok(ExitCode::SUCCESS),
        (_, Some((cell, why))) => Err(anyhow!(
            "{} of {} failed; the first was {}: {why}",
            ended.failed.len(),
            plain::counted(cells),
            cell_name(*cell)
        )),
    }
}

/// Shows a run that is in training or has ended.
pub(crate) fn attach(run_dir: Option<&Path>, screen: ScreenArgs) -> anyhow::Result<ExitCode> {
    let look = Look::load(screen)?;
    let found = run_dir.map_or_else(the_one_that_goes_on, |run_dir| Ok(run_dir.to_owned()))?;
    let run_dir = found.as_path();
    let is_not_a_run = record::find_config(run_dir).is_err_and(|error| error.is_not_a_run());
    if is_not_a_run && list::is_folder_of_runs(run_dir) {
        return list::show(run_dir, &look);
    }
    let signals = signals::listen(None).context(NO_SIGNALS)?;
    show_any(run_dir, look, signals)
}

/// Shows a run, or the runs of another program.
fn show_any(run_dir: &Path, look: Look, signals: Receiver<Signal>) -> anyhow::Result<ExitCode> {
    // A run directory is a folder with a configuration, whatever else it has.
    if record::find_config(run_dir).is_err_and(|error| error.is_not_a_run()) && is_foreign(run_dir) {
        return foreign::show(run_dir, &look, signals);
    }
    if let Some(source) = going_on(run_dir)? {
        return show_live(run_dir, source, None, Some(look), signals);
    }
    show_ended(run_dir, Some(look), signals)
}

/// Shows a run that no process is training.
pub(crate) fn show_ended(run_dir: &Path, look: Option<Look>, signals: Receiver<Signal>) -> anyhow::Result<ExitCode> {
    let (events_in, source) = unbounded();
    for event in sweep::told_by_disk(run_dir)? {
        let _ = events_in.send(event);
    }
    let source = Source {
        events: source,
        requests: None,
        post: None,
        pid: None,
    };
    drop(events_in);
    show_source(run_dir, (source, signals), None, look).map(|outcome| match outcome {
        Some(tui::Outcome::LeftAtOnce) => ExitCode::from(STATUS_STOPPED),
        _ => ExitCode::SUCCESS,
    })
}

/// Returns the one run in `runs` that is in training.
fn the_one_that_goes_on() -> anyhow::Result<PathBuf> {
    let folders = std::fs::read_dir("runs").into_iter().flatten().flatten();
    let goes_on = |path: &PathBuf| match live::connect(path) {
        Ok(_) => true,
        Err(why) => elsewhere::place(path, &why).is_some() || tasks::are_there(path),
    };
    let mut found: Vec<PathBuf> = folders.map(|entry| entry.path()).filter(goes_on).collect();
    found.sort();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(anyhow!(
            "no run in the folder `runs` is in training; name a run directory"
        )),
        _ => {
            let names: Vec<String> = found.iter().map(|path| as_typed(path)).collect();
            Err(anyhow!(
                "several runs are in training; name one of them: {}",
                names.join(", ")
            ))
        }
    }
}

/// The source of events about a run that another process trains.
pub(crate) struct Source {
    events: Receiver<Event>,
    /// None if requests cannot reach the training process.
    requests: Option<Sender<live::Request>>,
    /// The place for commands by files, if there is no connection.
    post: Option<live::Post>,
    pid: Option<u32>,
}

impl Source {
    fn by_files((events, post): (Receiver<Event>, live::Post)) -> Self {
        Self {
            events,
            requests: None,
            post: Some(post),
            pid: None,
        }
    }

    /// Takes the places for requests out of the source.
    fn take_ways(&mut self) -> Ways {
        Ways {
            requests: self.requests.take(),
            post: self.post.take(),
        }
    }
}

/// Returns the source of events of the run in `run_dir`; none if no process is training it.
pub(crate) fn going_on(run_dir: &Path) -> anyhow::Result<Option<Source>> {
    let why = match live::connect(run_dir) {
        Ok(link) => {
            return Ok(Some(Source {
                events: link.events,
                requests: Some(link.requests),
                post: None,
                pid: Some(link.pid),
            }));
        }
        Err(why) => why,
    };
    if let Some(place) = elsewhere::place(run_dir, &why) {
        return Ok(Some(Source::by_files(elsewhere::follow(run_dir, place)?)));
    }
    if tasks::are_there(run_dir) {
        return Ok(Some(Source::by_files(tasks::follow(run_dir)?)));
    }
    match why {
        LiveError::NotGoingOn { .. } => Ok(None),
        LiveError::Other { .. } => Err(why.into()),
    }
}

/// Shows a run that another process trains: on the screen, or as plain lines if there is no `look`. `own` is the ID of
/// that process if it was started for this screen.
pub(crate) fn show_live(
    run_dir: &Path,
    source: Source,
    own: Option<u32>,
    look: Option<Look>,
    signals: Receiver<Signal>,
) -> anyhow::Result<ExitCode> {
    match show_source(run_dir, (source, signals), own, look)? {
        Some(tui::Outcome::Detached) => Ok(ExitCode::SUCCESS),
        Some(tui::Outcome::LeftAtOnce) => {
            wait_for_the_end(run_dir);
            Ok(ExitCode::from(STATUS_STOPPED))
        }
        // The plain lines already contain the ending.
        None => {
            wait_for_the_end(run_dir);
            ending_on_disk(run_dir, false)
        }
        Some(_) => see_it_end(run_dir),
    }
}

/// Shows the events of a run, and passes on requests to it.
fn show_source(
    run_dir: &Path,
    (mut source, signals): (Source, Receiver<Signal>),
    own: Option<u32>,
    look: Option<Look>,
) -> anyhow::Result<Option<tui::Outcome>> {
    let ways = Arc::new(Mutex::new(source.take_ways()));
    // Without a socket, our own training process is stopped by the signal of `gentle_stop()`. The relay and the screen
    // may both send it, which is harmless. The two signals TERM and INT end the process immediately.
    let own_pid = own.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let stop = move |ways: &Mutex<Ways>, signals: &[SignalNumber]| {
        for signal in signals {
            if let Some(pid) = own_pid.filter(|_| locked(ways).requests.is_none()) {
                let _ = kill_process(pid, *signal);
            }
        }
    };
    let (commands, asked) = unbounded();
    let current = Arc::clone(&ways);
    thread::spawn(move || {
        for command in asked {
            request(&current, live::Request::Command(command));
            if command == Command::Quit {
                stop(&current, &[gentle_stop()]);
            }
        }
    });
    let (place, renewed) = (run_dir.to_owned(), Arc::clone(&ways));
    let again = move || {
        let mut source = going_on(&place).ok()??;
        *locked(&renewed) = source.take_ways();
        Some(source.events)
    };
    let pid = source.pid.or(own);
    let outcome = show(
        run_dir,
        (source.events, &commands, signals),
        (pid, own.is_some()),
        look,
        again,
    )?;
    match outcome {
        Some(tui::Outcome::LeftAtOnce) => {
            request(&ways, live::Request::EndNow);
            stop(&ways, &[SignalNumber::TERM, SignalNumber::INT]);
        }
        // A checkpoint limits the loss if the detached process is killed.
        Some(tui::Outcome::Detached) if own.is_some() => {
            request(&ways, live::Request::Command(Command::Keep(Cells::All)));
            thread::sleep(TOLD_WITHIN);
        }
        _ => {}
    }
    Ok(outcome)
}

/// The current ways for requests.
struct Ways {
    /// The connection to the training process.
    requests: Option<Sender<live::Request>>,
    /// Files in the run directory.
    post: Option<live::Post>,
}

fn locked(ways: &Mutex<Ways>) -> MutexGuard<'_, Ways> {
    ways.lock().unwrap_or_else(PoisonError::into_inner)
}

fn request(ways: &Mutex<Ways>, request: live::Request) {
    let ways = locked(ways);
    match (&ways.requests, &ways.post, request) {
        (Some(requests), ..) => drop(requests.send(request)),
        (None, Some(post), live::Request::Command(command)) => post.send(command),
        _ => {}
    }
}

/// Waits a limited time for a stopping run to end, and prints its ending.
pub(crate) fn see_it_end(run_dir: &Path) -> anyhow::Result<ExitCode> {
    wait_for_the_end(run_dir);
    ending_on_disk(run_dir, true)
}

/// Waits a limited time until no process is training in `run_dir`, so that the next process that resumes the run finds
/// it unlocked.
fn wait_for_the_end(run_dir: &Path) {
    let since = Instant::now();
    let goes_on = || live::connect(run_dir).is_ok() || is_being_written(run_dir) == Some(true);
    while since.elapsed() < STOP_WITHIN && goes_on() {
        thread::sleep(Duration::from_millis(10));
    }
}

/// Returns the exit status of a run according to its files. Prints the ending if `tell` is true.
fn ending_on_disk(run_dir: &Path, tell: bool) -> anyhow::Result<ExitCode> {
    let info = record::read_run(run_dir)?;
    if info.state == RunState::Running && is_being_written(run_dir) == Some(true) {
        print(&format!("{}\n", detached_line(run_dir)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let ending = info.state.ending().ok_or_else(|| {
        let (place, log) = (as_typed(run_dir), run_dir.join(PRINTED));
        anyhow!(
            "the training process exited unexpectedly, see {}; `sharptui resume {place}` goes on from the last \
             checkpoint",
            as_typed(&log)
        )
    })?;
    let cells = record::read_cells(run_dir)?.into_iter();
    let failed = cells.filter_map(|found| match found.ended?.ending {
        CellEnding::Failed(why) => Some((found.cell, why)),
        _ => None,
    });
    let ended = sweep::Ended {
        ending,
        failed: failed.collect(),
        elsewhere: Vec::new(),
    };
    if tell {
        print(&format!("{}\n", closing_line(&ended, info.cells, run_dir)))?;
    }
    status(&ended, info.cells)
}

/// Shows events on the screen; or as plain lines, if there is no terminal for the screen or no `look`. Returns no
/// outcome if plain lines were shown until the end. The second argument has the channels for events, commands and
/// signals. The third has the ID of the training process, if known, and whether signals to this process also apply to
/// it.
fn show(
    run_dir: &Path,
    (source, commands, signals): (Receiver<Event>, &Sender<Command>, Receiver<Signal>),
    (pid, owns): (Option<u32>, bool),
    look: Option<Look>,
    again: impl FnMut() -> Option<Receiver<Event>> + Send + 'static,
) -> anyhow::Result<Option<tui::Outcome>> {
    let (wanted_in, wanted) = unbounded();
    let events = live::follow(run_dir, source, wanted, again).context("cannot start a thread")?;
    let Some(look) = look.filter(|_| has_screen()) else {
        if owns {
            let left = read_lines(&events, commands, signals)?;
            return Ok(left.then_some(tui::Outcome::LeftAtOnce));
        } else if look_on(&events, signals)? {
            print(&format!("{}\n", detached_line(run_dir)))?;
            return Ok(Some(tui::Outcome::Detached));
        }
        return Ok(None);
    };
    let log = run_dir.join(PRINTED);
    let options = tui::Options {
        // A read-only run directory can still be viewed.
        log_path: OpenOptions::new().append(true).open(&log).is_ok().then_some(log),
        owns,
        wanted: Some(wanted_in),
        // The load of the machine does not matter for an ended run. If no thread can be started, the screen does
        // without it.
        load: pid.and_then(|pid| machine::watch(Some(pid)).ok()),
        ..look.options()
    };
    let outcome = match tui::run(&events, commands, &signals, &options) {
        // This process started the training, so it reports the error and continues with plain lines.
        Err(error) if owns => {
            note(&format!("cannot show the screen: {}", sweep::with_causes(&error)));
            tui::Outcome::Broken
        }
        outcome => outcome?,
    };
    match outcome {
        // Training continues after the screen failed, so plain lines follow.
        tui::Outcome::Broken => {
            let left = read_lines(&events, commands, signals)?;
            Ok(left.then_some(tui::Outcome::LeftAtOnce))
        }
        tui::Outcome::Detached if owns && container::ends_with_this_process() => {
            // If the container ends soon, everything in it is killed as in a crash, so a checkpoint is written now.
            // While training is paused, there already is one.
            let _ = commands.send(Command::Keep(Cells::All));
            let _ = print(&format!("{}\n", staying_line(run_dir)));
            let left = read_lines(&events, commands, signals)?;
            Ok(left.then_some(tui::Outcome::LeftAtOnce))
        }
        tui::Outcome::Detached => {
            // The terminal may be gone.
            let _ = print(&format!("{}\n", detached_line(run_dir)));
            Ok(Some(outcome))
        }
        _ => Ok(Some(outcome)),
    }
}

/// Shows plain lines. Returns true if they were ended without waiting for the training thread.
pub(crate) fn read_lines(
    events: &Receiver<Event>,
    commands: &Sender<Command>,
    signals: Receiver<Signal>,
) -> anyhow::Result<bool> {
    let stop = stop_requests(signals);
    let (out, style) = (std::io::stdout(), plain::Style::of_stdout());
    let ended = plain::run(events, commands, &stop, out, style, Glyphs::of_output());
    Ok(ended.context("cannot write the output")? == plain::Ended::Left)
}

/// Shows plain lines of a run that this process must not stop. Returns true if they were ended before the run.
fn look_on(events: &Receiver<Event>, signals: Receiver<Signal>) -> anyhow::Result<bool> {
    let stop = stop_requests(signals);
    let (out, style) = (std::io::stdout(), plain::Style::of_stdout());
    let ended = plain::look_on(events, &stop, out, style, Glyphs::of_output());
    Ok(ended.context("cannot write the output")? == plain::Ended::Left)
}

/// Converts signals to stop requests. A hangup of the terminal is not one, because a long training must not depend on
/// the terminal.
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

/// Prints a note on standard error.
pub(crate) fn note(words: &str) {
    eprintln!("{}", Glyphs::of_output().spelled(format!("note: {words}")));
}

/// Writes to standard output in the characters that it supports. A closed pipe is not an error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_exactly(Glyphs::of_output().spelled(text).as_bytes())
}

/// Writes to standard output without changing characters, for output meant for a file or another program.
pub(crate) fn print_exactly(text: impl AsRef<[u8]>) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_ref()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot write the output"),
        _ => Ok(()),
    }
}
