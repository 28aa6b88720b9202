//! A runner that is a process: orders go to its standard input, reports come from its standard output, one JSON object
//! a line.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, never, select, unbounded};
use rustix::io::{FdFlags, fcntl_setfd};
use signal_hook::consts::SIGKILL;

use super::super::memory::killed_for_memory;
use super::super::worker::{Order, Worker};
use super::Report;
use crate::device::DeviceChoice;
use crate::event::{Event, SweepEnding};
use crate::record::RunDir;
use crate::relaunch;
use crate::signals::{Signal, leave};

/// The longest line between a runner and its sweep, in bytes: a point of a cell with many probes is a few kilobytes.
const LONGEST_LINE: u64 = 16 << 20;

/// The number of lines of a runner's error output that are kept to explain its end.
const LAST_LINES: usize = 8;

/// The time that a runner without a cell has to end after its last order.
const GRACE: Duration = Duration::from_millis(500);

/// What all runners of a sweep have in common.
#[derive(Clone, Debug)]
pub(in super::super) struct Spec {
    /// The folder of the data sets, if they are not in the usual places.
    pub(in super::super) data: Option<PathBuf>,
    /// The time between two checkpoints.
    pub(in super::super) keep_every: Duration,
}

/// How a runner ended.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Gone {
    status: Option<ExitStatus>,
    /// The last lines of its error output.
    said: Vec<String>,
}

impl Gone {
    /// Returns whether memory ran out. The kernel had killed `kills_before` processes of this control group for memory
    /// when the runner was given its cell.
    pub(in super::super) fn is_for_memory(&self, kills_before: u64) -> bool {
        let failed = |line: &String| line.contains("memory allocation of") || line.contains("out of memory");
        let was_killed = self.status.is_some_and(|status| status.signal() == Some(SIGKILL));
        (was_killed && killed_for_memory() > kills_before) || self.said.iter().any(failed)
    }

    /// Returns how it ended, in words: "signal 9 (SIGKILL) ended it".
    pub(in super::super) fn words(&self, is_for_memory: bool) -> String {
        let how = match self.status {
            None => "it ended".to_owned(),
            Some(status) => match (status.signal(), status.code()) {
                (Some(signal), _) => format!("signal {signal}{} ended it", signal_name(signal)),
                (None, Some(code)) => format!("it exited with status {code}"),
                (None, None) => "it ended".to_owned(),
            },
        };
        let memory = if is_for_memory { " because memory ran out" } else { "" };
        let said = self.said.iter().rev().find(|line| !line.trim().is_empty());
        match said {
            Some(line) => format!("{how}{memory}: {}", line.trim()),
            None => format!("{how}{memory}"),
        }
    }
}

fn signal_name(number: i32) -> String {
    let name = signal_hook::low_level::signal_name(number);
    name.map_or_else(String::new, |name| format!(" ({name})"))
}

/// Starts a runner. Returns the channel of its orders and its process ID. It ends when that channel closes.
pub(super) fn start(
    spec: &Spec,
    (run_dir, device, threads): (&RunDir, DeviceChoice, usize),
    number: u32,
    reports: Sender<(u32, Report)>,
) -> io::Result<(Sender<Order>, u32)> {
    let mut command = relaunch::bare()?;
    command.arg("runner").arg(run_dir.place());
    command.arg("--device").arg(device.to_string());
    command
        .arg("--checkpoint-every")
        .arg(spec.keep_every.as_secs().to_string());
    if let Some(data) = &spec.data {
        command.arg("--data").arg(data);
    }
    for name in THREADS {
        command.env(name, threads.to_string());
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // The runner inherits the lock: while it lives, no other process can write the run directory.
    let lock = run_dir.lock().map(inheritable).transpose()?;
    let mut child = command.spawn()?;
    drop(lock);
    let pid = child.id();
    let (orders, ordered) = unbounded();
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(io::Error::other("the runner has no pipes"));
    };
    let thread = |name: &str| thread::Builder::new().name(format!("{name} {number}"));
    thread("orders of runner").spawn(move || write_orders(&ordered, stdin))?;
    let errors = thread("errors of runner").spawn(move || pass_on(stderr))?;
    thread("reports of runner").spawn(move || {
        let send = |report| reports.send((number, report)).is_ok();
        if !read_reports(stdout, &send) {
            // Nobody understands it any more, or nobody listens. It may have ended in the meantime.
            let _ = child.kill();
        }
        let said = errors.join().unwrap_or_default();
        send(Report::Gone(Gone {
            status: child.wait().ok(),
            said: said.into(),
        }));
    })?;
    Ok((orders, pid))
}

/// The variables that set the number of threads of the back ends.
pub(super) const THREADS: [&str; 3] = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"];

/// Returns a copy of `file` that child processes inherit.
fn inheritable(file: &File) -> io::Result<File> {
    let copy = file.try_clone()?;
    fcntl_setfd(&copy, FdFlags::empty())?;
    Ok(copy)
}

fn write_orders(orders: &Receiver<Order>, pipe: impl Write) {
    let mut pipe = BufWriter::new(pipe);
    for order in orders {
        let written = serde_json::to_writer(&mut pipe, &order).map_err(io::Error::from);
        let written = written.and_then(|()| pipe.write_all(b"\n")).and_then(|()| pipe.flush());
        if written.is_err() {
            // The runner is gone, which the end of its output shows.
            return;
        }
    }
}

/// The first line of a runner.
#[derive(serde::Serialize, serde::Deserialize)]
struct Hello {
    device: String,
}

/// Passes on what a runner reports. Returns whether all of it was understood and passed on.
fn read_reports(pipe: impl Read, send: &impl Fn(Report) -> bool) -> bool {
    let mut pipe = BufReader::new(pipe);
    let Some(hello) = read_line(&mut pipe) else {
        return true;
    };
    let Ok(hello) = serde_json::from_slice::<Hello>(&hello) else {
        return false;
    };
    if !send(Report::Ready(hello.device)) {
        return false;
    }
    while let Some(line) = read_line(&mut pipe) {
        // A line that is no event would be a fault of this program.
        let Ok(event) = serde_json::from_slice::<Event>(&line) else {
            return false;
        };
        if !send(Report::Event(event)) {
            return false;
        }
    }
    true
}

/// Returns the next line without its line feed; none at the end, also if it ends within a line.
fn read_line(pipe: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    pipe.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).ok()?;
    (line.pop() == Some(b'\n')).then_some(line)
}

/// Copies the error output of a runner to that of this process, and returns its last lines.
fn pass_on(pipe: impl Read) -> VecDeque<String> {
    let mut last = VecDeque::new();
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match pipe.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return last,
            Ok(_) => {}
        }
        let _ = io::stderr().write_all(&line);
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(String::from_utf8_lossy(&line).trim_end().chars().take(300).collect());
    }
}

/// Runs as a runner: obeys the orders from standard input and reports to standard output, until the input ends. A
/// signal that asks this process to end is reported as [`SweepEnding::Stopped`]; the sweep then gives the cell to
/// another runner. Ctrl-C goes to all processes of a terminal, and the sweep's process decides what it means.
///
/// # Errors
///
/// Returns an error if standard output cannot be set aside for reports, or a thread cannot be started.
pub fn serve_pipes(worker: Worker, signals: Receiver<Signal>) -> io::Result<()> {
    // Libraries may print to standard output; only reports may reach the pipe.
    let pipe: OwnedFd = rustix::io::dup(rustix::stdio::stdout())?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    let mut pipe = BufWriter::new(File::from(pipe));
    let hello = Hello {
        device: worker.device_name().to_owned(),
    };
    serde_json::to_writer(&mut pipe, &hello)?;
    pipe.write_all(b"\n")?;
    pipe.flush()?;
    let (orders_in, orders) = unbounded();
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(line) = read_line(&mut input) {
            let order = match serde_json::from_slice::<Order>(&line) {
                Ok(order) => order,
                Err(error) => leave(&format!("an order that cannot be read: {error}")),
            };
            if orders_in.send(order).is_err() {
                return;
            }
        }
        // A runner without a cell ends by itself now. If there is a cell, the process of the sweep is gone.
        drop(orders_in);
        thread::sleep(GRACE);
        leave("");
    })?;
    let (events_in, events) = unbounded::<Event>();
    let reports = thread::Builder::new().name("output".to_owned()).spawn(move || {
        if report(&events, signals, pipe).is_err() {
            // Nobody reads the reports any more.
            leave("");
        }
    })?;
    worker.serve(orders, &events_in);
    drop(events_in);
    let _ = reports.join();
    Ok(())
}

/// Writes events to the pipe until their channel closes.
fn report(events: &Receiver<Event>, mut signals: Receiver<Signal>, mut pipe: impl Write) -> io::Result<()> {
    loop {
        let event = select! {
            recv(events) -> event => match event {
                Ok(event) => event,
                Err(_) => return pipe.flush(),
            },
            recv(signals) -> signal => match signal {
                Ok(Signal::Terminate) => Event::SweepEnded(SweepEnding::Stopped),
                Ok(Signal::Interrupt | Signal::Hangup) => continue,
                Err(_) => {
                    signals = never();
                    continue;
                }
            },
        };
        serde_json::to_writer(&mut pipe, &event)?;
        pipe.write_all(b"\n")?;
        if events.is_empty() {
            pipe.flush()?;
        }
    }
}
