//! sharptui trains small neural networks through a sweep and shows, live, how sharp the loss is.
//!
//! Data flows one way: [`config`] → cells → the training thread ([`sweep`], [`train`], with [`data`], [`model`] and
//! [`curvature`]) → [`event`]s → [`live`] → [`monitor`] → [`tui`] or [`plain`] lines; commands flow back over one other channel.
//! What is on disk ([`record`]) is the truth; the screen is a view of it, and a [`report`] (by [`statistics`]) another. This file is the only place that sees all rooms.

pub mod cli;
pub mod config;
pub mod curvature;
pub mod data;
pub mod device;
pub mod event;
pub mod live;
pub mod model;
pub mod monitor;
pub mod plain;
pub mod record;
pub mod report;
pub mod signals;
pub mod statistics;
pub mod sweep;
pub mod train;
pub mod tui;

use std::fs::OpenOptions;
use std::io::Write;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};

use cli::{Action, Cli, HowArgs, LambdaArgs, PlaceArgs, RunArgs};
use config::{ConfigError, Experiment};
use event::{CellEnding, Command, Event, SweepEnding};
use live::{Hub, Launched, Link, LiveError, Server};
use record::{RunDir, RunState};
use report::ReportError;
use signals::{STATUS_STOPPED, Signal};
use sweep::{Datasets, RemeasureError, Request, Sweep, remeasure};
use train::{Control, Outbox};

pub use sweep::with_causes;

/// Where a process without a terminal writes, in the run directory.
const LOG: &str = "log.txt";

/// Exit status of wrong usage or a wrong configuration.
const STATUS_USAGE: u8 = 2;

/// Does what the arguments say.
///
/// # Errors
///
/// Whatever keeps it from being done, for one `error:` line; [`status_of`] gives its exit status.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        None => run_config(&cli.run),
        Some(Action::Check { config }) => {
            print(&Experiment::load(config)?.listing())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Resume { run_dir, how }) => resume(run_dir, how),
        Some(Action::Attach { run_dir }) => attach(run_dir.as_deref()),
        Some(Action::Report { run_dir, out }) => {
            let page = report::write(run_dir, out.as_deref())?;
            print(&format!("{}\n", page.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Lambda(args)) => lambda(args),
    }
}

/// The exit status of an error that [`run`] gave.
pub fn status_of(error: &anyhow::Error) -> ExitCode {
    let usage = error.is::<ConfigError>()
        || matches!(error.downcast_ref(), Some(ReportError::Config(_)))
        || matches!(
            error.downcast_ref(),
            Some(RemeasureError::Config(_) | RemeasureError::NoSuchProbe { .. })
        );
    if usage {
        ExitCode::from(STATUS_USAGE)
    } else {
        ExitCode::FAILURE
    }
}

fn run_config(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let path = args
        .config
        .as_deref()
        .ok_or_else(|| anyhow!("no configuration was given"))?;
    let mut experiment = Experiment::load(path)?;
    if wants_trainer(&args.how) {
        return launch(&args.how);
    }
    if let Some(steps) = args.steps.and_then(NonZeroU64::new) {
        experiment = experiment.cut_at(steps);
    }
    let (experiment, device, datasets) = prepare(experiment, path, &args.how.place, None)?;
    let run_dir = RunDir::create(&args.out, &experiment.name)?;
    run_dir.write_config(
        &experiment
            .to_ron()
            .context("the configuration cannot be written as RON")?,
    )?;
    let keep_every = args.how.keep_every();
    follow(
        Sweep::new(experiment, device, run_dir, datasets, keep_every)?,
        args.how.trainer,
    )
}

fn resume(run_dir: &Path, how: &HowArgs) -> anyhow::Result<ExitCode> {
    if wants_trainer(how) {
        return launch(how);
    }
    let run_dir = RunDir::open(run_dir)?;
    let config = run_dir.path().join("config.ron");
    let experiment = Experiment::load(&config)?;
    let (experiment, device, datasets) = prepare(experiment, &config, &how.place, Some(run_dir.path()))?;
    follow(
        Sweep::new(experiment, device, run_dir, datasets, how.keep_every())?,
        how.trainer,
    )
}

/// Opens the device and tries the data sets, so that what is missing is said now and not in the middle of the night;
/// settles the experiment of `config` to what the files hold.
fn prepare(
    experiment: Experiment,
    config: &Path,
    place: &PlaceArgs,
    run_dir: Option<&Path>,
) -> anyhow::Result<(Experiment, device::OpenDevice, Datasets)> {
    let tf32 = experiment.cells.iter().any(|cell| cell.settings.tf32);
    device::settle_environment(place.device, tf32)?;
    let (device, mut datasets) = open_place(place, run_dir)?;
    let files_hold = datasets.count(experiment.cells.iter().map(|cell| &cell.settings))?;
    let experiment = experiment.settled(&files_hold, config)?;
    datasets.try_all(experiment.cells.iter().map(|cell| &cell.settings))?;
    Ok((experiment, device, datasets))
}

/// The device, and the data sets where the user says, or said when the run in `run_dir`
/// began.
fn open_place(place: &PlaceArgs, run_dir: Option<&Path>) -> anyhow::Result<(device::OpenDevice, Datasets)> {
    let device = device::open(place.device)?;
    let earlier = || record::read_run(run_dir?).ok()?.data_dir;
    let datasets = Datasets::new(device.device.clone(), place.data.clone().or_else(earlier));
    Ok((device, datasets))
}

/// Whether another process is to train, since this one has a screen to show or a shell to give back.
fn wants_trainer(how: &HowArgs) -> bool {
    !how.trainer && (how.detach || (!how.plain && has_screen()))
}

/// A terminal without a cursor to move gets lines.
fn has_screen() -> bool {
    plain::Style::of_stdout() == plain::Style::Bar
}

/// Has another process train, and shows it unless it is to be left alone.
fn launch(how: &HowArgs) -> anyhow::Result<ExitCode> {
    match live::launch().context("the process that trains cannot be started")? {
        Launched::Ended(status) => Ok(ExitCode::from(status)),
        Launched::Ready { run_dir } if how.detach => {
            print(&format!("{}\n", detached_line(&run_dir)))?;
            Ok(ExitCode::SUCCESS)
        }
        Launched::Ready { run_dir } => show_live(&run_dir, live::connect(&run_dir)?, true),
    }
}

/// How long a process that trains may take to end once it was asked to by a signal.
const STOP_WITHIN: Duration = Duration::from_millis(4_500);

/// Trains on a thread of its own while this one writes lines, or, as the `trainer`, waits; screens may come and go.
fn follow(sweep: Sweep, trainer: bool) -> anyhow::Result<ExitCode> {
    let signals = signals::listen(Some(STOP_WITHIN)).context("the signals of the system cannot be heard")?;
    let (events_in, events) = unbounded();
    let (commands, commands_out) = unbounded();
    let plan = sweep.plan();
    let hub = Hub::start(events).context("no thread can be started")?;
    let lines = (!trainer).then(|| hub.join());
    let server = match Server::open(&plan.run_dir, hub, commands.clone()) {
        Ok(server) => Some(server),
        Err(error) if trainer => return Err(error).context("no screen could look at the run; --plain needs none"),
        Err(error) => {
            eprintln!("note: `sharptui attach` will not find this run: {error}");
            None
        }
    };
    if trainer {
        live::become_ready(&plan.run_dir, &plan.run_dir.join(LOG)).context("nobody waits for the run any more")?;
    }
    let training = thread::Builder::new()
        .name("trainer".to_owned())
        .spawn(move || sweep.run(&mut Control::new(commands_out), &mut Outbox::new(events_in)))
        .context("the training thread cannot be started")?;
    if let Some(events) = lines {
        let watched = read_lines(&events, &commands, signals);
        if watched.is_err() {
            // Nobody watches, so nobody could stop it: end cleanly before saying why.
            let _ = commands.send(Command::Quit);
            let _ = training.join();
            return watched.map(|_| ExitCode::FAILURE);
        }
        if watched? {
            return Ok(ExitCode::from(STATUS_STOPPED));
        }
    } else {
        let stop = stop_requests(signals);
        let commands = commands.clone();
        thread::spawn(move || {
            for () in stop {
                let _ = commands.send(Command::Quit);
            }
        });
    }
    let ended = training
        .join()
        .map_err(|panic| anyhow!("the training thread panicked: {}", sweep::panic_text(panic.as_ref())));
    if let Some(server) = server {
        server.say_farewell();
    }
    let ended = ended?;
    status(&ended, plan.cells.len())
}

/// The exit status of a sweep that has ended.
fn status(ended: &sweep::Ended, cells: usize) -> anyhow::Result<ExitCode> {
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
fn attach(run_dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let found = run_dir.map_or_else(going_on, |run_dir| Ok(run_dir.to_owned()))?;
    let run_dir = found.as_path();
    match live::connect(run_dir) {
        Ok(link) => show_live(run_dir, link, false),
        Err(LiveError::NotGoingOn { .. }) => {
            let (events_in, source) = unbounded();
            for event in sweep::told_by_disk(run_dir)? {
                let _ = events_in.send(event);
            }
            drop(events_in);
            let (commands, _nobody) = unbounded();
            show(run_dir, source, &commands, false, || None).map(|_| ExitCode::SUCCESS)
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
fn show_live(run_dir: &Path, link: Link, owns: bool) -> anyhow::Result<ExitCode> {
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
    let outcome = show(run_dir, link.events, &commands, owns, again)?;
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

/// Shows what `source` tells on the screen, or as lines where there is none; no outcome in the latter case.
fn show(
    run_dir: &Path,
    source: Receiver<Event>,
    commands: &Sender<Command>,
    owns: bool,
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
        owns,
        wanted: Some(wanted_in),
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
fn read_lines(events: &Receiver<Event>, commands: &Sender<Command>, signals: Receiver<Signal>) -> anyhow::Result<bool> {
    let stop = stop_requests(signals);
    let ended = plain::run(events, commands, &stop, std::io::stdout(), plain::Style::of_stdout());
    Ok(ended.context("cannot write the output")? == plain::Ended::Left)
}

/// What stands in the terminal where the sweep goes on.
fn detached_line(run_dir: &Path) -> String {
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
fn stop_requests(signals: Receiver<Signal>) -> Receiver<()> {
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

fn lambda(args: &LambdaArgs) -> anyhow::Result<ExitCode> {
    let (device, mut datasets) = open_place(&args.place, Some(&args.cell_dir.join("../..")))?;
    let request = Request {
        cell_dir: args.cell_dir.clone(),
        tolerance: args.tolerance,
        probe: args.probe,
        dump: args.dump.clone(),
    };
    // A back end that runs out of memory panics.
    let measured = catch_unwind(AssertUnwindSafe(|| remeasure(&request, &device, &mut datasets)))
        .map_err(|panic| anyhow!(device.explain_panic(&sweep::panic_text(panic.as_ref()))))??;
    print(&measured.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output; whoever closed the pipe has read enough.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot write the output"),
        _ => Ok(()),
    }
}
