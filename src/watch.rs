//! A run as people see it: on the screen or as lines, from the process that trains or from its directory.

pub(crate) mod container;
mod elsewhere;
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
use crate::live::LiveError;
use crate::record::{PRINTED, RunState, is_being_written};
use crate::signals::{STATUS_STOPPED, STOP_WITHIN, Signal, gentle_stop};
use crate::{live, machine, plain, record, signals, sweep, tui};
use words::closing_line;
pub(crate) use words::{detached_line, staying_line, without_socket_line};

/// How long what is asked last may take to reach the process that trains.
const TOLD_WITHIN: Duration = Duration::from_millis(50);

/// Why nothing can be shown or trained.
pub(crate) const NO_SIGNALS: &str = "the signals of the system cannot be heard";

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
        let path = tui::usual_path(|name| std::env::var_os(name)).filter(|_| has_screen());
        Ok(Self {
            preferences: path.map_or_else(|| Ok(tui::Preferences::default()), |path| tui::Preferences::load(&path))?,
            ascii: args.ascii,
        })
    }
}

/// Prints a file of preferences with every default.
pub(crate) fn print_preferences() -> anyhow::Result<ExitCode> {
    print_exactly(tui::Preferences::template())?;
    Ok(ExitCode::SUCCESS)
}

/// Says whether a file of preferences is right: this one, or the usual one where it has no name.
pub(crate) fn check_preferences(path: Option<&Path>) -> anyhow::Result<ExitCode> {
    let usual = || tui::usual_path(|name| std::env::var_os(name));
    let path = path.map(Path::to_owned).or_else(usual);
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
            "{} of {} failed, the first of them {}: {why}",
            ended.failed.len(),
            plain::counted(cells),
            cell_name(*cell)
        )),
    }
}

/// Shows a run that goes on, or one that has ended.
pub(crate) fn attach(run_dir: Option<&Path>, screen: ScreenArgs) -> anyhow::Result<ExitCode> {
    let look = Look::load(screen)?;
    let found = run_dir.map_or_else(the_one_that_goes_on, |run_dir| Ok(run_dir.to_owned()))?;
    let run_dir = found.as_path();
    let signals = signals::listen(None).context(NO_SIGNALS)?;
    if let Some(source) = going_on(run_dir)? {
        return show_live(run_dir, source, None, Some(look), signals);
    }
    show_ended(run_dir, Some(look), signals)
}

/// Shows a run that nobody trains.
pub(crate) fn show_ended(run_dir: &Path, look: Option<Look>, signals: Receiver<Signal>) -> anyhow::Result<ExitCode> {
    let (events_in, source) = unbounded();
    for event in sweep::told_by_disk(run_dir)? {
        let _ = events_in.send(event);
    }
    let source = Source {
        events: source,
        requests: None,
        pid: None,
    };
    drop(events_in);
    show_source(run_dir, (source, signals), None, look).map(|outcome| match outcome {
        Some(tui::Outcome::LeftAtOnce) => ExitCode::from(STATUS_STOPPED),
        _ => ExitCode::SUCCESS,
    })
}

/// The one run in `runs` that goes on.
fn the_one_that_goes_on() -> anyhow::Result<PathBuf> {
    let folders = std::fs::read_dir("runs").into_iter().flatten().flatten();
    let goes_on = |path: &PathBuf| match live::connect(path) {
        Ok(_) => true,
        Err(why) => elsewhere::place(path, &why).is_some(),
    };
    let mut found: Vec<PathBuf> = folders.map(|entry| entry.path()).filter(goes_on).collect();
    found.sort();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(anyhow!("no run in the folder `runs` goes on; name a run directory")),
        _ => {
            let names: Vec<String> = found.iter().map(|path| as_typed(path)).collect();
            Err(anyhow!("several runs go on, name one of them: {}", names.join(", ")))
        }
    }
}

/// What another process trains, as it is told.
pub(crate) struct Source {
    events: Receiver<Event>,
    /// None where no request arrives.
    requests: Option<Sender<live::Request>>,
    pid: Option<u32>,
}

/// How the run in `run_dir` goes on; none where nobody trains.
pub(crate) fn going_on(run_dir: &Path) -> anyhow::Result<Option<Source>> {
    let why = match live::connect(run_dir) {
        Ok(link) => {
            return Ok(Some(Source {
                events: link.events,
                requests: Some(link.requests),
                pid: Some(link.pid),
            }));
        }
        Err(why) => why,
    };
    if let Some(place) = elsewhere::place(run_dir, &why) {
        return Ok(Some(Source {
            events: elsewhere::follow(run_dir, place)?,
            requests: None,
            pid: None,
        }));
    }
    match why {
        LiveError::NotGoingOn { .. } => Ok(None),
        LiveError::Other { .. } => Err(why.into()),
    }
}

/// Shows a run that another process trains, on the screen or, without a `look`, as lines. `own` is that process where it was
/// started for this screen.
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
        // Lines have said how it ended.
        None => {
            wait_for_the_end(run_dir);
            ending_on_disk(run_dir, false)
        }
        Some(_) => see_it_end(run_dir),
    }
}

/// Shows what is told of a run, and passes on what is asked of it.
fn show_source(
    run_dir: &Path,
    (source, signals): (Source, Receiver<Signal>),
    own: Option<u32>,
    look: Option<Look>,
) -> anyhow::Result<Option<tui::Outcome>> {
    let requests = Arc::new(Mutex::new(source.requests));
    // Without a socket, a process of our own is stopped by a warning, which may come twice: for one signal, relay and screen
    // both ask. It is ended at once by two requests.
    let own_pid = own.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let stop = move |requests: &Requests, signals: &[SignalNumber]| {
        for signal in signals {
            if let Some(pid) = own_pid.filter(|_| locked(requests).is_none()) {
                let _ = kill_process(pid, *signal);
            }
        }
    };
    let (commands, asked) = unbounded();
    let current = Arc::clone(&requests);
    thread::spawn(move || {
        for command in asked {
            request(&current, live::Request::Command(command));
            if command == Command::Quit {
                stop(&current, &[gentle_stop()]);
            }
        }
    });
    let (place, renewed) = (run_dir.to_owned(), Arc::clone(&requests));
    let again = move || {
        let source = going_on(&place).ok()??;
        *locked(&renewed) = source.requests;
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
            request(&requests, live::Request::EndNow);
            stop(&requests, &[SignalNumber::TERM, SignalNumber::INT]);
        }
        // Whatever becomes of what goes on without its screen, a checkpoint is there.
        Some(tui::Outcome::Detached) if own.is_some() => {
            request(&requests, live::Request::Command(Command::Keep(Cells::All)));
            thread::sleep(TOLD_WITHIN);
        }
        _ => {}
    }
    Ok(outcome)
}

/// Where requests go now.
type Requests = Mutex<Option<Sender<live::Request>>>;

fn locked(requests: &Requests) -> MutexGuard<'_, Option<Sender<live::Request>>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}

fn request(requests: &Requests, request: live::Request) {
    if let Some(requests) = &*locked(requests) {
        let _ = requests.send(request);
    }
}

/// Waits a moment for a run that is to end, and says how it did.
pub(crate) fn see_it_end(run_dir: &Path) -> anyhow::Result<ExitCode> {
    wait_for_the_end(run_dir);
    ending_on_disk(run_dir, true)
}

/// Waits a moment until no process trains in `run_dir`: whoever resumes it next must find it unlocked.
fn wait_for_the_end(run_dir: &Path) {
    let since = Instant::now();
    let goes_on = || live::connect(run_dir).is_ok() || is_being_written(run_dir) == Some(true);
    while since.elapsed() < STOP_WITHIN && goes_on() {
        thread::sleep(Duration::from_millis(10));
    }
}

/// The exit status of a run by what is on disk, which may have to be told.
fn ending_on_disk(run_dir: &Path, tell: bool) -> anyhow::Result<ExitCode> {
    let info = record::read_run(run_dir)?;
    if info.state == RunState::Running && is_being_written(run_dir) == Some(true) {
        print(&format!("{}\n", detached_line(run_dir)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let ending = info.state.ending().ok_or_else(|| {
        let (place, log) = (as_typed(run_dir), run_dir.join(PRINTED));
        anyhow!(
            "the process that trained is gone, see {}; `sharptui resume {place}` goes on from the last checkpoint",
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
    };
    if tell {
        print(&format!("{}\n", closing_line(&ended, info.cells, run_dir)))?;
    }
    status(&ended, info.cells)
}

/// Shows what happens on the screen, or as lines where there is none, or without a `look`; no outcome in the latter case. The
/// wires: events, commands, signals; then the process that trains, as far as it is known, and whether signals to the screen are
/// meant for it.
fn show(
    run_dir: &Path,
    (source, commands, signals): (Receiver<Event>, &Sender<Command>, Receiver<Signal>),
    (pid, owns): (Option<u32>, bool),
    look: Option<Look>,
    again: impl FnMut() -> Option<Receiver<Event>> + Send + 'static,
) -> anyhow::Result<Option<tui::Outcome>> {
    let (wanted_in, wanted) = unbounded();
    let events = live::follow(run_dir, source, wanted, again).context("no thread can be started")?;
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
        // A run directory that is read-only can be looked at all the same.
        log_path: OpenOptions::new().append(true).open(&log).is_ok().then_some(log),
        owns,
        wanted: Some(wanted_in),
        // Of a run that has ended, the machine is of no interest; and a screen does without where there is no thread for it.
        load: pid.and_then(|pid| machine::watch(Some(pid)).ok()),
        preferences: look.preferences,
        ascii: look.ascii,
        welcome: tui::take_welcome(|name| std::env::var_os(name)),
    };
    let outcome = match tui::run(&events, commands, &signals, &options) {
        // Whoever began to train must not leave that unsaid.
        Err(error) if owns => {
            note(&format!("the screen cannot be shown: {}", sweep::with_causes(&error)));
            tui::Outcome::Broken
        }
        outcome => outcome?,
    };
    match outcome {
        // Training goes on where the screen broke, so lines do, too.
        tui::Outcome::Broken => {
            let left = read_lines(&events, commands, signals)?;
            Ok(left.then_some(tui::Outcome::LeftAtOnce))
        }
        tui::Outcome::Detached if owns && container::ends_with_this_process() => {
            // While training is paused there is one already. It may be on purpose that the container ends soon, and with it everything, as a crash would end it.
            let _ = commands.send(Command::Keep(Cells::All));
            let _ = print(&format!("{}\n", staying_line(run_dir)));
            let left = read_lines(&events, commands, signals)?;
            Ok(left.then_some(tui::Outcome::LeftAtOnce))
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
    let (out, style) = (std::io::stdout(), plain::Style::of_stdout());
    let ended = plain::run(events, commands, &stop, out, style, Glyphs::of_output());
    Ok(ended.context("cannot write the output")? == plain::Ended::Left)
}

/// Shows plain lines of a run that somebody else is to stop; true if they were left before it ended.
fn look_on(events: &Receiver<Event>, signals: Receiver<Signal>) -> anyhow::Result<bool> {
    let stop = stop_requests(signals);
    let (out, style) = (std::io::stdout(), plain::Style::of_stdout());
    let ended = plain::look_on(events, &stop, out, style, Glyphs::of_output());
    Ok(ended.context("cannot write the output")? == plain::Ended::Left)
}

/// Signals as requests to stop. A terminal that is gone is none: a night's training must not hang on it.
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

/// Says something on standard error that is no reason to stop.
pub(crate) fn note(words: &str) {
    eprintln!("{}", Glyphs::of_output().spelled(format!("note: {words}")));
}

/// Writes to standard output in the characters that it takes; whoever closed the pipe has read enough.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_exactly(Glyphs::of_output().spelled(text).as_bytes())
}

/// The same for what goes into a file, or to another program: it stays as it is.
pub(crate) fn print_exactly(text: impl AsRef<[u8]>) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_ref()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot write the output"),
        _ => Ok(()),
    }
}
