//! sharptui trains small neural networks through a sweep and shows, live, how sharp the loss is.
//!
//! Data flows one way: [`config`] → cells → the training thread ([`sweep`], [`train`], with [`data`], [`model`] and
//! [`curvature`]) → [`event`]s → [`monitor`] → [`tui`] or [`plain`] lines; commands flow back over one other channel.
//! What is on disk ([`record`]) is the truth; the screen is a view of it, and a [`report`] (by [`statistics`]) another. This file is the only place that sees all rooms.

pub mod cli;
pub mod config;
pub mod curvature;
pub mod data;
pub mod device;
pub mod event;
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

use std::io::Write;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};

use cli::{Action, Cli, HowArgs, LambdaArgs, PlaceArgs, RunArgs};
use config::{ConfigError, Experiment};
use event::{Command, Event, SweepEnding, SweepPlan};
use record::RunDir;
use report::ReportError;
use signals::{STATUS_STOPPED, Signal};
use sweep::{Datasets, RemeasureError, Request, Sweep, remeasure};
use train::{Control, Outbox};

pub use sweep::with_causes;

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
        &args.how,
    )
}

fn resume(run_dir: &Path, how: &HowArgs) -> anyhow::Result<ExitCode> {
    let run_dir = RunDir::open(run_dir)?;
    let config = run_dir.path().join("config.ron");
    let experiment = Experiment::load(&config)?;
    let (experiment, device, datasets) = prepare(experiment, &config, &how.place, Some(run_dir.path()))?;
    follow(
        Sweep::new(experiment, device, run_dir, datasets, how.keep_every())?,
        how,
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

/// Trains on a thread of its own while this one shows what happens.
fn follow(sweep: Sweep, how: &HowArgs) -> anyhow::Result<ExitCode> {
    let signals = signals::listen().context("the signals of the system cannot be heard")?;
    let (events_in, events) = unbounded();
    let (commands, commands_out) = unbounded();
    let plan = sweep.plan();
    let trainer = thread::Builder::new()
        .name("trainer".to_owned())
        .spawn(move || sweep.run(&mut Control::new(commands_out), &mut Outbox::new(events_in)))
        .context("the training thread cannot be started")?;

    // A terminal without a cursor to move gets lines.
    let on_screen = !how.plain && plain::Style::of_stdout() == plain::Style::Bar;
    let watched = if on_screen {
        watch(&plan, events, &commands, signals)
    } else {
        read_lines(&events, &commands, signals)
    };
    if watched.is_err() {
        // Nobody watches, so nobody could stop it: end cleanly before saying why.
        let _ = commands.send(Command::Quit);
        let _ = trainer.join();
        return watched.map(|_| ExitCode::FAILURE);
    }
    if watched? {
        return Ok(ExitCode::from(STATUS_STOPPED));
    }
    let ended = trainer
        .join()
        .map_err(|panic| anyhow!("the training thread panicked: {}", sweep::panic_text(panic.as_ref())))?;
    if on_screen {
        print(&format!("{}\n", closing_line(&ended, &plan)))?;
    }
    match (ended.ending, ended.failed.first()) {
        (SweepEnding::Failed(why), _) => Err(anyhow!(why)),
        (SweepEnding::Stopped, _) => Ok(ExitCode::from(STATUS_STOPPED)),
        (SweepEnding::Complete, None) => Ok(ExitCode::SUCCESS),
        (SweepEnding::Complete, Some((cell, why))) => Err(anyhow!(
            "{} of {} cells failed, the first of them cell {}: {why}",
            ended.failed.len(),
            plan.cells.len(),
            cell + 1
        )),
    }
}

/// Shows the screen; true if it was left without waiting for the training thread.
fn watch(
    plan: &SweepPlan,
    events: Receiver<Event>,
    commands: &Sender<Command>,
    signals: Receiver<Signal>,
) -> anyhow::Result<bool> {
    let options = tui::Options {
        log_path: plan.run_dir.join("log.txt"),
    };
    match tui::run(&events, commands, &signals, &options)? {
        tui::Outcome::LeftAtOnce => Ok(true),
        // Training goes on where the screen broke, so lines do, too. They begin with what the screen took.
        tui::Outcome::Broken => read_lines(&after(Event::SweepStarted(plan.clone()), events), commands, signals),
        tui::Outcome::Ended(_) | tui::Outcome::TrainerGone => Ok(false),
    }
}

/// Shows plain lines; true if they were left without waiting for the training thread.
fn read_lines(events: &Receiver<Event>, commands: &Sender<Command>, signals: Receiver<Signal>) -> anyhow::Result<bool> {
    let stop = stop_requests(signals);
    let ended = plain::run(events, commands, &stop, std::io::stdout(), plain::Style::of_stdout());
    Ok(ended.context("cannot write the output")? == plain::Ended::Left)
}

/// `first`, then everything that comes from `rest`.
fn after(first: Event, rest: Receiver<Event>) -> Receiver<Event> {
    let (sender, receiver) = unbounded();
    thread::spawn(move || {
        for event in std::iter::once(first).chain(rest) {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What stands in the terminal once the screen is gone.
fn closing_line(ended: &sweep::Ended, plan: &SweepPlan) -> String {
    let place = plan.run_dir.display();
    let (cells, failed) = (plan.cells.len(), ended.failed.len());
    match ended.ending {
        SweepEnding::Complete if failed > 0 => {
            format!("ended: {failed} of {cells} cells failed; `sharptui resume {place}` runs them again")
        }
        SweepEnding::Complete => format!("complete: {cells} cells in {place}"),
        SweepEnding::Stopped => format!("stopped with cells unfinished: `sharptui resume {place}` goes on with them"),
        SweepEnding::Failed(_) => format!("failed: what is finished is in {place}"),
    }
}

/// Every signal as a request to stop. A terminal that is gone takes no more lines, but a log file may well.
fn stop_requests(signals: Receiver<Signal>) -> Receiver<()> {
    let (stop, requests) = unbounded();
    thread::spawn(move || {
        for _ in signals {
            if stop.send(()).is_err() {
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
