//! Tests that the program runs its configuration however it is started, and leaves nothing half-made if it cannot.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

#[path = "pty/seat.rs"]
#[allow(dead_code)] // Other tests use the rest of this module.
mod seat;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use seat::Seat;
use sharptui::live::{Request, connect};
use sharptui::record::{RunState, has_checkpoint, read_config, read_run};

const SHORT: &str = "(
    name: \"short\", model: Mlp(widths: [4]), batch_size: 20, steps: 3, train_examples: 60, test_examples: 40,
    learning_rate: 0.125, probes: [(examples: 20)],
)";

const LONG: &str = "(
    name: \"long\", model: Mlp(widths: [4]), batch_size: 20, steps: 900000000, train_examples: 60, test_examples: 40,
    learning_rate: 0.125, probes: [(examples: 20)], evaluate_every: Steps(100), lambda_every: Steps(1000),
)";

const PATIENCE: Duration = Duration::from_mins(1);

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("short.ron"), SHORT).unwrap();
        fs::write(folder.path().join("long.ron"), LONG).unwrap();
        Self { folder }
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a line in a shell, with `$S` as the program.
    fn shell(&self, line: &str) -> Output {
        let mut command = Command::new("bash");
        command.args(["-c", line]).env("S", env!("CARGO_BIN_EXE_sharptui"));
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs a line in a shell in a terminal.
    fn terminal(&self, line: &str) -> Seat {
        let mut command = CommandBuilder::new("bash");
        command.args(["-c", line]);
        command.env("S", env!("CARGO_BIN_EXE_sharptui"));
        command.cwd(self.folder.path());
        Seat::start(command, (120, 40), &[])
    }

    fn runs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("runs")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn wait_for_state(&self, run_dir: &str, state: &RunState) {
        let since = Instant::now();
        while read_run(&self.path(run_dir)).map_or(true, |info| info.state != *state) {
            assert!(since.elapsed() < PATIENCE, "{run_dir} was never {state:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A test must not leave training processes behind.
        for run_dir in self.runs() {
            if let Ok(link) = connect(&run_dir) {
                let _ = link.requests.send(Request::EndNow);
                while link.events.recv().is_ok() {}
            }
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

#[test]
fn a_configuration_may_come_from_wherever_it_can_be_read_once() {
    for (line, run) in [
        ("$S <(cat short.ron)", "short"),
        ("cat short.ron | $S /dev/stdin", "short"),
        ("cat short.ron | $S - --plain", "short"),
        ("$S - < short.ron", "short"),
        ("mkfifo fifo.ron; (cat short.ron > fifo.ron) & $S fifo.ron", "short"),
        ("$S --steps 2 -- <(cat short.ron)", "short"),
        // The run has the name of the configuration's file, if there is a file.
        ("$S <(sed 's/name: \"short\",//' short.ron)", "stdin"),
    ] {
        let place = Place::new();
        let output = place.shell(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", said(&output));
        let written = read_config(&place.path("runs").join(run)).unwrap();
        assert!(written.contains("learning_rate: 0.125"), "{line}: {written}");
        assert_eq!(place.runs().len(), 1, "{line}");
    }
}

#[test]
fn a_configuration_from_a_pipe_reaches_the_process_that_trains() {
    for line in [
        "$S --detach <(cat short.ron)",
        "cat short.ron | $S /dev/stdin --detach",
        "cat short.ron | $S --detach -",
        "$S --detach -- <(cat short.ron)",
    ] {
        let place = Place::new();
        let output = place.shell(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", said(&output));
        place.wait_for_state("runs/short", &RunState::Complete);
    }
    let place = Place::new();
    let mut seat = place.terminal("cat short.ron | $S -");
    seat.wait_for("✓ complete");
    seat.press("q");
    assert_eq!(seat.wait_for_the_end(), 0);
}

#[test]
fn what_is_wrong_with_a_configuration_from_a_pipe_is_said_with_its_place() {
    let place = Place::new();
    let output = place.shell("echo '(model: 3)' | $S -");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).starts_with("error: -:1:9: model: "), "{}", said(&output));
    let output = place.shell("echo '(model: 3)' | $S check -");
    assert_eq!(output.status.code(), Some(2));
    assert!(place.runs().is_empty());
}

/// Returns the program's dynamic loader, from the program's header.
fn loader() -> Option<PathBuf> {
    let output = Command::new("ldd").arg(env!("CARGO_BIN_EXE_sharptui")).output().ok()?;
    let words = String::from_utf8(output.stdout).ok()?;
    let line = words.lines().find(|line| line.contains("ld-linux"))?;
    let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
    Some(PathBuf::from(path))
}

#[test]
fn started_through_the_dynamic_loader_the_program_finds_itself() {
    let Some(loader) = loader() else {
        eprintln!("skipped: the dynamic loader is not known");
        return;
    };
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_sharptui");
    for arguments in [vec![], vec!["--argv0", "another-name"]] {
        let mut command = Command::new(&loader);
        command.args(&arguments).args([program, "short.ron", "--detach"]);
        let output = command.current_dir(place.folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    }
    place.wait_for_state("runs/short", &RunState::Complete);
    place.wait_for_state("runs/short-2", &RunState::Complete);
}

#[test]
fn paths_that_are_not_utf8_work_wherever_one_is_taken() {
    let place = Place::new();
    let odd = OsStr::from_bytes(b"o d\xff");
    fs::create_dir(place.path(odd)).unwrap();
    fs::copy(place.path("short.ron"), place.path(odd).join("c.ron")).unwrap();

    let run = place
        .command()
        .arg(place.path(odd).join("c.ron"))
        .args(["--out".as_ref(), odd])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    let run_dir = Path::new(odd).join("short");
    let data = place
        .command()
        .args(["short.ron".as_ref(), "--data".as_ref(), odd])
        .output()
        .unwrap();
    assert_eq!(data.status.code(), Some(0), "{}", said(&data));
    let told = read_run(&place.path("runs/short")).unwrap().data_dir.unwrap();
    assert_eq!(told.file_name(), Some(odd), "a resume looks there again");

    for arguments in [["report"], ["resume"], ["attach"]] {
        let output = place.command().args(arguments).arg(&run_dir).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    }
    let report = place
        .command()
        .arg("report")
        .arg(&run_dir)
        .arg("--out")
        .arg(odd)
        .output()
        .unwrap();
    assert_eq!(report.status.code(), Some(0), "{}", said(&report));
    // A home directory may have such a name, too.
    let home = place.path(odd);
    let mut check = place.command();
    check
        .args(["screen", "--check"])
        .env("HOME", &home)
        .env_remove("XDG_CONFIG_HOME");
    let check = check.output().unwrap();
    assert!(
        said(&check).contains("does not exist: the defaults apply"),
        "{}",
        said(&check)
    );
    let dump = Path::new(odd).join("dump.safetensors");
    let mut lambda = place.command();
    lambda
        .arg("lambda")
        .arg(run_dir.join("cells/000"))
        .arg("--dump")
        .arg(&dump);
    let lambda = lambda.output().unwrap();
    assert_eq!(lambda.status.code(), Some(0), "{}", said(&lambda));
    assert!(place.path(dump).is_file());
}

#[test]
fn a_run_directory_that_is_not_utf8_has_a_screen_and_is_told_as_a_shell_takes_it() {
    let place = Place::new();
    let mut seat = place.terminal("$S long.ron --out $'runs/r \\xff'");
    seat.wait_for("▶ training");
    seat.press("qd");
    seat.wait_for("training goes on in");
    assert_eq!(seat.wait_for_the_end(), 0);
    let shown = seat.shown().replace('\n', "");
    let (_, rest) = shown.split_once("`sharptui attach ").unwrap();
    let (path, _) = rest.split_once('`').unwrap();
    let output = place.shell(&format!(
        "kill $(lsof -t {path}/.lock 2>/dev/null || fuser {path}/.lock 2>/dev/null); ls {path}/run.json"
    ));
    assert_eq!(output.status.code(), Some(0), "{path}: {}", said(&output));
    let run_dir = place.path(OsStr::from_bytes(b"runs/r \xff/long"));
    let link = connect(&run_dir);
    if let Ok(link) = link {
        let _ = link.requests.send(Request::EndNow);
        while link.events.recv().is_ok() {}
    }
}

#[test]
fn a_path_with_blanks_is_quoted_where_the_user_is_told_to_type_it() {
    let place = Place::new();
    let output = place.shell("$S short.ron --detach --out 'my runs'");
    assert!(
        said(&output).contains("`sharptui attach 'my runs/short'`"),
        "{}",
        said(&output)
    );
    place.wait_for_state("my runs/short", &RunState::Complete);
    let output = place.shell("$S short.ron --out 'my runs'");
    assert!(
        said(&output).contains("complete: 1 cell in 'my runs/short-2'"),
        "{}",
        said(&output)
    );
}

#[test]
fn where_no_terminal_can_be_taken_nothing_is_trained() {
    let place = Place::new();
    // A new session has no controlling terminal, although its output goes to a terminal.
    let mut seat = place.terminal("setsid -w $S long.ron < /dev/null; echo rc=$?");
    seat.wait_for("rc=1");
    seat.wait_for("cannot set up the terminal; use --plain, which needs none");
    seat.wait_for_the_end();
    assert!(place.runs().is_empty(), "{:?}", place.runs());
}

#[test]
fn where_the_run_directory_cannot_be_made_whole_none_is_left() {
    let place = Place::new();
    fs::write(place.path("runs"), "a file").unwrap();
    let output = place.shell("$S short.ron");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    fs::remove_file(place.path("runs")).unwrap();
    // The file size limit prevents writing even a file as large as the configuration.
    let output = place.shell("ulimit -f 0; $S short.ron 2>&1 | cat");
    assert!(said(&output).contains("error: cannot write"), "{}", said(&output));
    assert!(place.runs().is_empty(), "{:?}", place.runs());
}

/// Returns the command that runs the program as process 1 of a PID namespace; `None` if no namespace can be made.
fn as_process_1(arguments: &str) -> Option<String> {
    let works = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "true"])
        .status();
    works
        .is_ok_and(|status| status.success())
        .then(|| format!("unshare --pid --fork --kill-child --mount-proc $S {arguments}"))
}

#[test]
fn the_first_process_of_a_container_stays_as_long_as_training_goes_on() {
    let Some(line) = as_process_1("long.ron") else {
        eprintln!("skipped: cannot make a PID namespace here");
        return;
    };
    let place = Place::new();
    let mut seat = place.terminal(&line);
    seat.wait_for("▶ training");
    seat.press("D");
    seat.wait_for("this is the first process of its container");
    let cell = place.path("runs/long/cells/000");
    seat.wait_until("a checkpoint", |_| has_checkpoint(&cell));
    let length = || fs::metadata(place.path("runs/long/cells/000/metrics.jsonl")).map_or(0, |metrics| metrics.len());
    for _ in 0..3 {
        let before = length();
        seat.wait_until("further points", |_| length() > before);
    }
    assert!(seat.runs());
    // Ctrl-C stops it as usual: with a checkpoint.
    seat.press("\u{3}");
    assert_eq!(seat.wait_for_the_end(), 130);
    assert_eq!(read_run(&place.path("runs/long")).unwrap().state, RunState::Stopped);
    assert!(has_checkpoint(&place.path("runs/long/cells/000")));
}

#[test]
fn detached_as_the_first_process_of_a_container_the_sweep_is_brought_to_its_end() {
    let Some(line) = as_process_1("short.ron --detach") else {
        eprintln!("skipped: cannot make a PID namespace here");
        return;
    };
    let place = Place::new();
    let output = place.shell(&line);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(read_run(&place.path("runs/short")).unwrap().state, RunState::Complete);
}

/// Returns the process that trains in a run directory.
fn trainer(run_dir: &Path) -> String {
    connect(run_dir).unwrap().pid.to_string()
}

fn send(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

#[test]
fn a_run_that_is_gone_on_with_is_shown_again_by_a_screen_that_had_called_it_dead() {
    let place = Place::new();
    assert_eq!(place.shell("$S long.ron --detach").status.code(), Some(0));
    let run_dir = place.path("runs/long");
    let mut screen = place.terminal("cd runs; $S attach long");
    screen.wait_for("▶ training");
    send("-KILL", &trainer(&run_dir));
    screen.wait_for("the training process exited");
    assert_eq!(place.shell("$S resume runs/long --detach").status.code(), Some(0));
    screen.wait_for("▶ training");
    screen.press(" ");
    screen.wait_for("‖ paused");
    // Messages give paths relative to this folder.
    screen.press("D");
    screen.wait_for("`sharptui attach long` shows it");
    assert_eq!(screen.wait_for_the_end(), 0);
}

#[test]
fn a_process_that_is_frozen_is_said_not_to_answer() {
    let place = Place::new();
    assert_eq!(place.shell("$S long.ron --detach").status.code(), Some(0));
    let pid = trainer(&place.path("runs/long"));
    send("-STOP", &pid);
    let mut screen = place.terminal("$S attach");
    screen.wait_for("trained by a process that does not answer");
    send("-CONT", &pid);
    screen.wait_for("▶ training");
    screen.press("D");
    assert_eq!(screen.wait_for_the_end(), 0);
}

#[test]
fn leaving_the_screen_writes_a_checkpoint() {
    let place = Place::new();
    let mut screen = place.terminal("$S long.ron --checkpoint-every 100000");
    screen.wait_for("▶ training");
    screen.press("D");
    assert_eq!(screen.wait_for_the_end(), 0);
    let (cell, since) = (place.path("runs/long/cells/000"), Instant::now());
    while !has_checkpoint(&cell) {
        assert!(since.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn whoever_looks_on_in_a_pipe_stops_nothing() {
    let place = Place::new();
    let output = place.shell("$S long.ron --detach");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = place.shell("$S attach runs/long | head -1");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let mut looker = place.command();
    let mut looker = looker
        .args(["attach", "runs/long"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The program listens for signals before it writes its first line.
    let mut lines = BufReader::new(looker.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("long"));
    Command::new("kill")
        .args(["-INT", &looker.id().to_string()])
        .status()
        .unwrap();
    lines.for_each(drop);
    assert_eq!(looker.wait().unwrap().code(), Some(0));
    let length = || fs::metadata(place.path("runs/long/cells/000/metrics.jsonl")).map_or(0, |metrics| metrics.len());
    let (before, since) = (length(), Instant::now());
    while length() <= before {
        assert!(since.elapsed() < PATIENCE, "it was stopped");
        std::thread::sleep(Duration::from_millis(10));
    }
}
