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
pub mod machine;
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
mod user_folders;
mod watch;

use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, anyhow};
use crossbeam_channel::unbounded;

use cli::{Action, Cli, HowArgs, LambdaArgs, PlaceArgs, RunArgs};
use config::{ConfigError, Experiment};
use event::Command;
use live::{Hub, Launched, Server};
use record::RunDir;
use report::ReportError;
use signals::STATUS_STOPPED;
use sweep::{Datasets, RemeasureError, Request, Sweep, remeasure};
use train::{Control, Outbox};
use watch::{
    LOG, Look, STOP_WITHIN, attach, check_preferences, detached_line, has_screen, print, print_preferences, read_lines,
    show_live, status, stop_requests,
};

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
        Some(Action::Attach { run_dir, screen }) => attach(run_dir.as_deref(), *screen),
        Some(Action::Screen { check: None }) => print_preferences(),
        Some(Action::Screen { check: Some(path) }) => check_preferences(path),
        Some(Action::Report { run_dir, out }) => {
            let page = report::write(run_dir, out.as_deref())?;
            print(&format!("{}\n", page.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Lambda(args)) => lambda(args),
        Some(Action::Completions { shell }) => {
            print(&cli::completions(*shell))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Man { command }) => {
            print(&cli::man_page(command.as_deref()).map_err(|why| anyhow!(why))?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The exit status of an error that [`run`] gave.
pub fn status_of(error: &anyhow::Error) -> ExitCode {
    let usage = error.is::<ConfigError>()
        || error.is::<tui::PreferencesError>()
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

/// Has another process train, and shows it unless it is to be left alone.
fn launch(how: &HowArgs) -> anyhow::Result<ExitCode> {
    // What is wrong with the user's preferences is said before anything is trained.
    let look = Look::load(how.screen)?;
    match live::launch().context("the process that trains cannot be started")? {
        Launched::Ended(status) => Ok(ExitCode::from(status)),
        Launched::Ready { run_dir } if how.detach => {
            print(&format!("{}\n", detached_line(&run_dir)))?;
            Ok(ExitCode::SUCCESS)
        }
        Launched::Ready { run_dir } => show_live(&run_dir, live::connect(&run_dir)?, true, look),
    }
}

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
