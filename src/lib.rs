//! sharptui trains small neural networks through a sweep and shows, live, how sharp the loss is.
//!
//! Data flows one way: [`config`] → cells → the training thread ([`sweep`], [`train`], with [`data`] and the library
//! [`sharpness`], which [`setup`] configures from a cell's settings) → [`event`]s → [`live`] → [`monitor`] → [`tui`] or
//! [`plain`] lines. Commands flow back over one other channel. The run directory ([`record`]) holds the truth; the
//! screen, the [`report`] (with [`statistics`]) and the [`mod@export`] are views of it. This file is the only module that
//! uses all others.

mod answering;
mod book;
pub mod characters;
pub mod cli;
pub mod config;
pub mod curve;
pub mod data;
pub mod device;
pub mod event;
mod event_files;
pub mod export;
mod exporting;
pub mod foreign;
pub mod live;
pub mod machine;
pub mod monitor;
pub mod number;
pub mod plain;
mod programs;
pub mod quantity;
pub mod record;
mod relaunch;
pub mod report;
mod sending;
pub mod setup;
pub mod signals;
pub mod statistics;
pub mod submit;
mod suggest;
pub mod sweep;
pub mod train;
pub mod tui;
mod user_folders;
mod watch;

use std::io;
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};

use cli::{Action, Cli, HowArgs, PlaceArgs, RunArgs, RunningArgs, TrainArgs};
use config::{ConfigError, Experiment};
use event::{Command, Event};
use export::ExportError;
use exporting::Exporting;
use live::{Hub, Inbox, Launched, Server};
use record::{PRINTED, RecordError, RunDir, TaskInfo};
use report::ReportError;
use signals::{AS_KEPT, STOP_WITHIN, Signal, StandBy, leave};
use sweep::{Datasets, MeasureError, RemeasureError, Running, Sweep, SweepError, Worker};
use train::Outbox;
use watch::{
    Look, NO_SIGNALS, attach, check_preferences, container, detached_line, going_on, has_screen, note, print,
    print_exactly, print_preferences, read_lines, see_it_end, show_ended, show_live, status, staying_line,
    stop_requests, without_socket_line,
};

pub use sweep::with_causes;

/// Exit status of wrong usage or a wrong configuration.
const STATUS_USAGE: u8 = 2;

/// Runs the command that the arguments name.
///
/// # Errors
///
/// Returns any error of the command, to be printed as one `error:` line; [`status_of`] gives its exit status.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    signals::outlive_full_files().context("the program cannot listen for signals of the system")?;
    device::shorten_panics();
    match &cli.command {
        None => run_config(&cli.run),
        Some(Action::Check { config }) => {
            print(&Experiment::load(config)?.listing())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Resume {
            run_dir,
            take_over,
            add,
            how,
        }) => resume(run_dir, *take_over, add, how),
        Some(Action::Train(args)) => train_cells(args),
        Some(Action::Submit(args)) => sending::submit(args, |experiment| {
            let config = (args.what.as_path(), None);
            let running = running(&args.running);
            let (sweep, _signals) = make(experiment, config, &args.out, (&args.running.place, &running))?;
            leave_to_others(sweep)
        }),
        Some(Action::Attach { run_dir, screen }) => attach(run_dir.as_deref(), *screen),
        Some(Action::Screen { check: None }) => print_preferences(),
        Some(Action::Screen { check: Some(path) }) => check_preferences(path.as_deref()),
        Some(Action::Report {
            run_dir,
            other,
            out,
            across,
        }) => {
            let page = match other {
                Some(other) => report::write_two(run_dir, other, out.as_deref())?,
                None => report::write(run_dir, out.as_deref(), *across)?,
            };
            // Other programs read this path: print it exactly, whatever characters the terminal can show.
            print_exactly([page.as_os_str().as_bytes(), b"\n"].concat())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Export(args)) => answering::export(args),
        Some(Action::Lambda(args)) => answering::lambda(args, open_place),
        Some(Action::Measure(args)) => answering::measure(args, open_place),
        Some(Action::Runner {
            run_dir,
            checkpoint_every,
            place,
        }) => runner(run_dir, *checkpoint_every, place),
        Some(Action::Book { page: None }) => {
            print(&book::contents())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Book { page: Some(page) }) => {
            print(&book::page(page).map_err(|why| anyhow!(why))?)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Completions { shell }) => {
            print_exactly(cli::completions(*shell))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Man { command }) => {
            print_exactly(&cli::man_page(command.as_deref()).map_err(|why| anyhow!(why))?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Returns the exit status for an error of [`run`].
pub fn status_of(error: &anyhow::Error) -> ExitCode {
    let measured = error.downcast_ref::<MeasureError>();
    let cell = match measured {
        Some(MeasureError::Cell(cell)) => Some(cell),
        _ => error.downcast_ref::<RemeasureError>(),
    };
    let usage = error.is::<ConfigError>()
        || error.is::<tui::PreferencesError>()
        || matches!(
            error.downcast_ref(),
            Some(SweepError::NoSuchCell { .. } | SweepError::Unreadable(_))
        )
        || matches!(error.downcast_ref(), Some(ReportError::Config(_)))
        || matches!(
            error.downcast_ref(),
            Some(ExportError::Config(_) | ExportError::NeedsFile | ExportError::CannotGrow)
        )
        || matches!(
            cell,
            Some(RemeasureError::Config(_) | RemeasureError::NoSuchProbe { .. })
        )
        || matches!(measured, Some(MeasureError::NoSuchCheckpoint { .. }));
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
    let text = if args.config_on_stdin {
        config::read_text_from(io::stdin().lock(), path)?
    } else {
        config::read_text(path)?
    };
    let mut experiment = Experiment::parse(&text, path)?;
    if wants_trainer(&args.how) && !args.prepare {
        return launch(&args.how, Some(&text));
    }
    if let Some(steps) = args.steps.and_then(NonZeroU64::new) {
        experiment = experiment.cut_at(steps);
    }
    let running = running(&args.how.running);
    let (sweep, signals) = make(
        experiment,
        (path, Some(&text)),
        &args.out,
        (&args.how.running.place, &running),
    )?;
    if args.prepare {
        let place = leave_to_others(sweep)?;
        print_exactly([place.as_os_str().as_bytes(), b"\n"].concat())?;
        return Ok(ExitCode::SUCCESS);
    }
    follow(sweep, signals, Serves::of(&args.how))
}

/// Makes the run directory of a new sweep in the folder `out`. `config` is the path of the configuration, and its text
/// where the path cannot be read again.
fn make(
    experiment: Experiment,
    config: (&Path, Option<&str>),
    out: &Path,
    (place, running): (&PlaceArgs, &Running),
) -> anyhow::Result<(Sweep, Receiver<Signal>)> {
    let (ready, stand_by) = prepare(experiment, config, place, None)?;
    let Ready {
        experiment,
        device,
        datasets,
    } = ready;
    let text = experiment
        .to_ron()
        .context("the configuration cannot be written as RON")?;
    let signals = stand_by.begin();
    let run_dir = RunDir::create(out, &experiment.name)?;
    let place = run_dir.path().to_owned();
    let written = run_dir.write_config(&text).map_err(SweepError::from);
    let sweep = written.and_then(|()| Sweep::new(experiment, device, run_dir, datasets, running));
    // Leave no half-made run directory behind.
    let sweep = sweep.inspect_err(|_| record::discard(&place))?;
    Ok((sweep, signals))
}

/// Leaves a new sweep to other processes, and returns its run directory.
fn leave_to_others(sweep: Sweep) -> anyhow::Result<PathBuf> {
    let place = sweep.plan().run_dir;
    sweep.leave().inspect_err(|_| record::discard(&place))?;
    Ok(place)
}

fn resume(run_dir: &Path, take_over: bool, add: &[String], how: &HowArgs) -> anyhow::Result<ExitCode> {
    if wants_trainer(how) {
        return launch(how, None);
    }
    // On a file system without locks, a process that answers on the socket shows that the run is in use.
    if live::connect(run_dir).is_ok() {
        return Err(RecordError::Locked {
            path: run_dir.to_owned(),
        }
        .into());
    }
    let run_dir = RunDir::open(run_dir)?;
    let config = run_dir.path().join("config.ron");
    let experiment = Experiment::load(&config)?;
    let (ready, stand_by) = prepare(experiment, (&config, None), &how.running.place, Some(run_dir.path()))?;
    let Ready {
        experiment,
        device,
        datasets,
    } = ready;
    // Must come before anything is written: otherwise a signal would end the process without a record, and the run
    // would look as if it had been killed.
    let signals = stand_by.begin();
    let sweep = Sweep::new(
        experiment,
        device,
        run_dir,
        datasets,
        &Running {
            take_over,
            add: add.to_vec(),
            ..running(&how.running)
        },
    )?;
    follow(sweep, signals, Serves::of(how))
}

/// Trains some cells of a run directory, beside other processes.
fn train_cells(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let config = record::find_config(&args.run_dir)?;
    let experiment = Experiment::load(&config)?;
    let (ready, stand_by) = prepare(experiment, (&config, None), &args.running.place, Some(&args.run_dir))?;
    let Ready {
        experiment,
        device,
        datasets,
    } = ready;
    let signals = stand_by.begin();
    let task = TaskInfo::this_process(&device.full_name, &args.cells.to_string());
    let run_dir = RunDir::join(&args.run_dir, &task)?;
    let running = Running {
        cells: Some(args.cells.numbers()),
        take_over: args.take_over,
        ..running(&args.running)
    };
    let sweep = Sweep::new(experiment, device, run_dir, datasets, &running)?;
    follow(sweep, signals, Serves::Nobody)
}

/// The parts from which a sweep is made.
struct Ready {
    experiment: Experiment,
    device: device::OpenDevice,
    datasets: Datasets,
}

/// Opens the device and loads every data set once, so that a missing file is reported now and not hours later. Settles
/// the experiment to the numbers of examples that the data files hold. `config` is the path of the configuration, and
/// its text where the path cannot be read again. Until the sweep begins, a signal to stop ends the process.
fn prepare(
    experiment: Experiment,
    (config, text): (&Path, Option<&str>),
    place: &PlaceArgs,
    run_dir: Option<&Path>,
) -> anyhow::Result<(Ready, StandBy)> {
    device::settle_environment(text);
    // Only now: `settle_environment` may start this program again, and the new process would not know of signals
    // received before.
    let stand_by = signals::stand_by(Some(STOP_WITHIN)).context(NO_SIGNALS)?;
    let (device, mut datasets) = open_place(place, run_dir)?;
    let files_hold = datasets.count(experiment.cells.iter().map(|cell| &cell.settings))?;
    let experiment = experiment.settled(&files_hold, config)?;
    datasets.check_room(experiment.cells.iter().map(|cell| &cell.settings), &device)?;
    datasets.try_all(experiment.cells.iter().map(|cell| &cell.settings))?;
    let ready = Ready {
        experiment,
        device,
        datasets,
    };
    Ok((ready, stand_by))
}

/// Opens the device, and the data sets in the folder that the user named now, or else when the run in `run_dir` began.
fn open_place(place: &PlaceArgs, run_dir: Option<&Path>) -> anyhow::Result<(device::OpenDevice, Datasets)> {
    let device = device::open(place.device)?;
    let earlier = || record::read_run(run_dir?).ok()?.data_dir;
    let datasets = Datasets::new(device.device.clone(), place.data.clone().or_else(earlier));
    Ok((device, datasets))
}

/// Returns how cells are run: all that are left, and none that another process may have.
fn running(args: &RunningArgs) -> Running {
    Running {
        choice: args.place.device,
        runners: Some(args.runners.clone()),
        keep_every: Duration::from_secs(args.checkpoint_every.into()),
        cells: None,
        take_over: false,
        add: Vec::new(),
    }
}

/// Returns whether another process must train because this one shows the screen or returns to the shell.
fn wants_trainer(how: &HowArgs) -> bool {
    !how.trainer && (how.detach || (!how.plain && has_screen()))
}

/// Starts another process that trains, and shows its run unless the user asked to detach.
fn launch(how: &HowArgs, config: Option<&str>) -> anyhow::Result<ExitCode> {
    // Errors in the user's preferences or the terminal are reported before training starts.
    let look = Look::load(how.screen)?;
    if !how.detach {
        tui::find_terminal()?;
    }
    let signals = signals::listen(None).context(NO_SIGNALS)?;
    let launched = live::launch(config, &signals).context("cannot start the process that trains")?;
    let (run_dir, pid, has_terminal) = match launched {
        Launched::Ended(status) => return Ok(ExitCode::from(status)),
        Launched::Stopping { run_dir } => return see_it_end(&run_dir),
        Launched::Ready {
            run_dir,
            pid,
            has_terminal,
        } => (run_dir, pid, has_terminal),
    };
    let detaches = how.detach || !has_terminal;
    let stays = detaches && container::ends_with_this_process();
    if detaches {
        let words = if stays {
            staying_line(&run_dir)
        } else {
            detached_line(&run_dir)
        };
        let printed = print(&format!("{words}\n"));
        // The terminal may be closed.
        printed.or_else(|error| if has_terminal { Err(error) } else { Ok(()) })?;
    }
    if detaches && !stays {
        return Ok(ExitCode::SUCCESS);
    }
    let look = Some(look).filter(|_| !stays);
    let Some(source) = going_on(&run_dir)? else {
        // The run has ended already.
        show_ended(&run_dir, look, signals)?;
        return see_it_end(&run_dir);
    };
    show_live(&run_dir, source, Some(pid), look, signals)
}

/// Who watches a sweep, besides the reader of its plain lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Serves {
    /// Any screen that connects.
    Screens,
    /// Any screen that connects. This process was started for one, and prints no lines.
    AScreen,
    /// Nobody: screens read the files of a task.
    Nobody,
}

impl Serves {
    fn of(how: &HowArgs) -> Self {
        if how.trainer { Self::AScreen } else { Self::Screens }
    }
}

/// The connections of a sweep to its readers, made before it begins.
struct Wires {
    /// The events to print as plain lines, if this process prints them.
    lines: Option<Receiver<Event>>,
    server: Option<Server>,
}

fn wire(run_dir: &Path, events: Receiver<Event>, commands: &Sender<Command>, serves: Serves) -> anyhow::Result<Wires> {
    if serves == Serves::Nobody {
        let (lines, server) = (Some(events), None);
        return Ok(Wires { lines, server });
    }
    let hub = Hub::start(events).context("cannot start a thread")?;
    let trainer = serves == Serves::AScreen;
    let lines = (!trainer).then(|| hub.join());
    let server = Server::open(run_dir, hub, commands.clone());
    let server = server.map_err(|error| note(&without_socket_line(run_dir, &error))).ok();
    if trainer {
        live::become_ready(run_dir, &run_dir.join(PRINTED))
            .context("cannot report to the process that started this run")?;
    }
    Ok(Wires { lines, server })
}

/// Trains on a separate thread. Meanwhile this thread prints plain lines or, in the `trainer` process, waits. Screens
/// may connect and disconnect at any time.
fn follow(sweep: Sweep, signals: Receiver<Signal>, serves: Serves) -> anyhow::Result<ExitCode> {
    let (events_in, events) = unbounded();
    let (commands, commands_out) = unbounded();
    let (plan, cells) = (sweep.plan(), sweep.own_cells());
    let inbox = Inbox {
        run_dir: sweep.run_dir().place(),
        task: sweep.run_dir().task_name(),
        cells: sweep.slice().cloned(),
        log: sweep.run_dir().logbook(),
    };
    let Wires { lines, server } = match wire(&plan.run_dir, events, &commands, serves) {
        Ok(wires) => wires,
        Err(error) => {
            sweep.withdraw();
            return Err(error);
        }
    };
    inbox.open(commands.clone()).context("cannot start a thread")?;
    // Tasks have no export: many of them write one run directory.
    let exports: &[config::Export] = if serves == Serves::Nobody { &[] } else { sweep.exports() };
    let exporting = Exporting::start(&plan.run_dir, exports, || {
        let mut outbox = Outbox::new(events_in.clone());
        let log = sweep.run_dir().logbook();
        outbox.log_into(Box::new(move |kind, cell, words| log.write(kind, cell, words)));
        outbox
    });
    // While the exports end, nobody else may train the run and begin its exports anew.
    let lock = sweep.run_dir_shared();
    let training = thread::Builder::new()
        .name("sweep".to_owned())
        .spawn(move || {
            let ended = sweep.run(&commands_out, &mut Outbox::new(events_in));
            let not_exported = exporting.finish();
            drop(lock);
            (ended, not_exported)
        })
        .context("cannot start the training thread")?;
    if let Some(events) = lines {
        let watched = read_lines(&events, &commands, signals);
        if watched.is_err() {
            // Nobody can see or stop the run any more: end it cleanly, then return the error.
            let _ = commands.send(Command::Quit);
            let _ = training.join();
            return watched.map(|_| ExitCode::FAILURE);
        }
        if watched? {
            // The training thread is still computing; `leave` ends the process without waiting for it.
            drop(server);
            leave(&format!("stopped immediately; {AS_KEPT}"));
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
    let (ended, not_exported) = ended?;
    for words in &not_exported {
        note(words);
    }
    status(&ended, cells)
}

/// Trains cells for the process that started this one, until that process closes the pipe or ends.
fn runner(run_dir: &Path, checkpoint_every: u32, place: &PlaceArgs) -> anyhow::Result<ExitCode> {
    signals::die_with_parent();
    let signals = signals::listen(None).context(NO_SIGNALS)?;
    let (device, datasets) = open_place(place, None)?;
    let keep_every = Duration::from_secs(checkpoint_every.into());
    let worker = Worker::new(Arc::new(RunDir::of_runner(run_dir)), device, datasets, keep_every);
    sweep::serve_pipes(worker, signals).context("cannot work as a runner")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
#[path = "lib/tests.rs"]
mod tests;
