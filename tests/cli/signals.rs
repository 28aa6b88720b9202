//! Tests signals that people, shells, schedulers and the kernel send.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use super::*;

/// The timeout, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// The signals that ask for a stop, by name or number.
const STOPS: [&str; 11] = [
    "TERM", "INT", "QUIT", "USR1", "USR2", "XCPU", "ALRM", "VTALRM", "PROF", "IO", "PWR",
];

fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status();
    assert!(sent.unwrap().success(), "kill -{signal}");
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts a long sweep through the command `wrapper`, and waits until it trains.
fn training(place: &Place, wrapper: &[&str]) -> Child {
    let mut command = place.command(&["--plain", "small.ron"]);
    if let [shell, arguments @ ..] = wrapper {
        let program = Command::new(shell);
        let inner = std::mem::replace(&mut command, program);
        command.args(arguments).arg(inner.get_program()).args(inner.get_args());
        command.current_dir(place.folder.path()).stdin(Stdio::null());
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    wait_for("training", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        metrics_bytes(place) > 0
    });
    child
}

fn metrics_bytes(place: &Place) -> u64 {
    fs::metadata(place.path("runs/small/cells/000/metrics.jsonl")).map_or(0, |metrics| metrics.len())
}

fn assert_stopped(place: &Place, status: ExitStatus, signal: &str) {
    assert_eq!(status.code(), Some(130), "{signal}: {status:?}");
    let run = place.path("runs/small");
    assert_eq!(read_run(&run).unwrap().state, RunState::Stopped, "{signal}");
    let cells = read_cells(&run).unwrap();
    assert!(!cells.is_empty(), "{signal}");
    for cell in cells {
        assert!(!cell.is_finished(), "{signal}");
        assert!(sharptui::record::has_checkpoint(&cell.path), "{signal}");
    }
}

#[test]
fn whatever_is_sent_on_purpose_stops_the_sweep_with_a_checkpoint() {
    // The last are real-time signals.
    let more: &[&str] = if cfg!(target_os = "linux") {
        &["34", "37", "64"]
    } else {
        &[]
    };
    for signal in STOPS.iter().chain(more) {
        if *signal == "PWR" && !cfg!(target_os = "linux") {
            continue;
        }
        let place = Place::with(LONG);
        let mut child = training(&place, &[]);
        send(signal, &child);
        assert_stopped(&place, child.wait().unwrap(), signal);
    }
}

#[test]
fn a_warning_that_comes_again_and_again_does_not_end_the_process_before_its_checkpoint() {
    let place = Place::with(LONG);
    let mut child = training(&place, &[]);
    while child.try_wait().unwrap().is_none() {
        for signal in ["USR1", "XCPU"] {
            let pid = child.id().to_string();
            // The process may have ended in the meantime.
            let _ = Command::new("kill").args([&format!("-{signal}"), &pid]).output();
        }
    }
    assert_stopped(&place, child.wait().unwrap(), "USR1 and XCPU");
}

#[test]
fn a_limit_of_processor_time_stops_the_sweep_with_a_checkpoint() {
    let place = Place::with(LONG);
    let mut child = training(&place, &[]);
    let used_up = Rlimit {
        current: Some(1),
        maximum: None,
    };
    prlimit(Some(Pid::from_child(&child)), Resource::Cpu, used_up).unwrap();
    assert_stopped(&place, child.wait().unwrap(), "a limit of 1 s");
}

#[test]
fn a_warning_that_was_ignored_from_the_start_stays_ignored_and_a_request_does_not() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: only Linux tells which signals are ignored");
        return;
    }
    let place = Place::with(LONG);
    let wrapper = ["sh", "-c", "trap '' USR1 INT QUIT TERM; exec \"$@\"", "sh"];
    let mut child = training(&place, &wrapper);
    send("USR1", &child);
    let before = metrics_bytes(&place);
    wait_for("further training", || metrics_bytes(&place) > before);
    assert_eq!(read_run(&place.path("runs/small")).unwrap().state, RunState::Running);
    send("QUIT", &child);
    assert_stopped(&place, child.wait().unwrap(), "QUIT");
}

/// Returns whether the process handles SIGUSR1, and trains for a screen exactly if `trainer` is set.
#[cfg(target_os = "linux")]
fn listens(pid: u32, trainer: bool) -> bool {
    // A process that has just been forked still has its parent's handlers.
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    if command.contains("--trainer") != trainer {
        return false;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (Signal::USR1.as_raw() - 1)) != 0)
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_while_the_data_are_read_ends_the_program_with_nothing_half_made() {
    for (arguments, trainers) in [(&["--plain"][..], 0), (&["--detach"][..], 1)] {
        for signal in ["USR1", "TERM"] {
            let place = Place::with(&LONG.replace("(\n", "(data: FashionMnist,\n"));
            // Nobody writes into these pipes, so the program waits when it reads them.
            let data = place.path("data/fashion-mnist");
            fs::create_dir_all(&data).unwrap();
            let files = [
                "train-images-idx3",
                "train-labels-idx1",
                "t10k-images-idx3",
                "t10k-labels-idx1",
            ];
            let files = files.map(|name| data.join(format!("{name}-ubyte")));
            assert!(Command::new("mkfifo").args(files).status().unwrap().success());
            let mut command = place.command(&["small.ron", "--data", "data"]);
            let child = command.args(arguments).spawn().unwrap();
            let path = format!("/proc/{0}/task/{0}/children", child.id());
            let children = || -> Vec<u32> {
                let pids = fs::read_to_string(&path).unwrap_or_default();
                pids.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
            };
            wait_for("process that listens", || {
                let children = children();
                let all_listen = children.len() == trainers && children.into_iter().all(|child| listens(child, true));
                all_listen && listens(child.id(), false)
            });
            send(signal, &child);
            let output = child.wait_with_output().unwrap();
            let words = text(&output.stderr);
            assert_eq!(output.status.code(), Some(130), "{signal} {arguments:?}: {words}");
            assert!(!place.path("runs").exists(), "{signal} {arguments:?}");
        }
    }
}
