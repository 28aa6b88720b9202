//! File systems without locks, without sockets, or without syncing of folders. A run continues on them, and reports
//! what is missing.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Clippy does not recognize the helpers of these tests as test code.

#[path = "pty/seat.rs"]
#[allow(dead_code)] // Other tests use the rest.
mod seat;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use seat::Seat;
use sharptui::live::connect;
use sharptui::record::{RunState, has_checkpoint, read_run};

const SHORT: &str = "(
    name: \"short\", model: Mlp(widths: [4]), batch_size: 20, steps: 3, train_examples: 60, test_examples: 40,
    learning_rate: 0.1, probes: [(examples: 20)],
)";

const LONG: &str = "(
    name: \"long\", model: Mlp(widths: [4]), batch_size: 20, train_examples: 60, test_examples: 40, learning_rate: 0.1,
    probes: [(examples: 20)], evaluate_every: Steps(100), lambda_every: Steps(1000), sweep: (steps: [200, 900000000]),
)";

/// Returns the library that makes system calls fail; none if there is no C compiler.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let made = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("refuse.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/file_systems/refuse.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
        let works = compiler.status().is_ok_and(|status| status.success());
        works.then_some((folder, library))
    });
    if made.is_none() {
        eprintln!("skipped: there is no C compiler");
    }
    made.as_ref().map(|(_, library)| library.as_path())
}

struct Place {
    folder: tempfile::TempDir,
    refused: Vec<(&'static str, String)>,
}

impl Place {
    /// Creates a folder in which these system calls fail; none if that is not possible.
    fn refusing(refused: &[(&'static str, &str)]) -> Option<Self> {
        let library = library()?.to_str()?;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("short.ron"), SHORT).unwrap();
        fs::write(folder.path().join("long.ron"), LONG).unwrap();
        let mut variables = vec![("LD_PRELOAD", library.to_owned())];
        variables.extend(refused.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Some(Self {
            folder,
            refused: variables,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.args(arguments).envs(self.refused.iter().cloned());
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn screen(&self, arguments: &[&str]) -> Seat {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sharptui"));
        command.args(arguments);
        command.cwd(self.folder.path());
        for (name, value) in &self.refused {
            command.env(name, value);
        }
        Seat::start(command, (120, 40), &[])
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// Waits until a condition holds.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_mins(1), "{what} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends the process whose ID follows `kill` in the message.
fn kill_as_told(words: &str) {
    let (_, rest) = words.split_once("`kill ").unwrap();
    let (pid, _) = rest.split_once('`').unwrap();
    let pid: String = pid.split_whitespace().collect();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
}

#[test]
fn without_locks_a_run_goes_on_and_says_so() {
    // ENOLCK, ENOSYS, EOPNOTSUPP, NFS's ENOTSUPP, EINVAL.
    for errno in ["37", "38", "95", "524", "22"] {
        let Some(place) = Place::refusing(&[("REFUSE_LOCKS", errno)]) else {
            return;
        };
        let output = place.run(&["short.ron"]);
        assert_eq!(output.status.code(), Some(0), "{errno}: {}", said(&output));
        assert!(
            said(&output).contains("has no locks: make sure that no other process writes there"),
            "{errno}"
        );
        let output = place.run(&["resume", "runs/short"]);
        assert_eq!(output.status.code(), Some(0), "{errno}: {}", said(&output));
    }
}

#[test]
fn a_cell_has_one_writer_where_locks_do_nothing_and_where_there_are_no_links() {
    // ENOLCK, NFS's ENOTSUPP, and locks that succeed for everybody; EPERM of FAT, EOPNOTSUPP, and links that work.
    for (locks, links) in [("37", "1"), ("524", "95"), ("0", "0"), ("0", "1")] {
        let refused = [("REFUSE_LOCKS", locks), ("REFUSE_LINKS", links)];
        let refused = if links == "0" { &refused[..1] } else { &refused[..] };
        let Some(place) = Place::refusing(refused) else {
            return;
        };
        let output = place.run(&["long.ron", "--prepare"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let task = |cells: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
            command.args(["train", "runs/long", "--cells", cells]);
            command
                .envs(place.refused.iter().cloned())
                .current_dir(place.folder.path());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        // The second cell does not end by itself.
        let mut first = task("1");
        let metrics = place.path("runs/long/cells/001/metrics.jsonl");
        wait_until("the second cell", || {
            fs::metadata(&metrics).is_ok_and(|metrics| metrics.len() > 0)
        });
        let second = task("0-1").wait_with_output().unwrap();
        assert_eq!(second.status.code(), Some(3), "{locks}, {links}: {}", said(&second));
        assert!(said(&second).contains("it is trained by process"), "{}", said(&second));
        let sweep = place.run(&["resume", "runs/long", "--plain"]);
        assert_eq!(sweep.status.code(), Some(3), "{locks}, {links}: {}", said(&sweep));

        // A dead process keeps nothing.
        first.kill().unwrap();
        first.wait().unwrap();
        let token = || {
            let claims = sharptui::record::read_claims(&place.path("runs/long")).unwrap();
            claims.into_iter().next().and_then(|claim| Some(claim.holder?.token))
        };
        let dead = token().unwrap();
        // Its runner ends moments later.
        wait_until("the end of the runner", || {
            let claims = sharptui::record::read_claims(&place.path("runs/long")).unwrap();
            claims.iter().all(|claim| {
                claim
                    .holder
                    .as_ref()
                    .is_some_and(sharptui::record::Holder::is_dead_process)
            })
        });
        let third = task("1");
        wait_until("the claim", || token().is_some_and(|token| token != dead));
        let stopped = Command::new("kill").arg(third.id().to_string()).status();
        assert!(stopped.unwrap().success());
        let third = third.wait_with_output().unwrap();
        assert_eq!(third.status.code(), Some(130), "{locks}, {links}: {}", said(&third));
        assert_eq!(fs::read_dir(place.path("runs/long/claims")).unwrap().count(), 0);
    }
}

#[test]
fn without_syncing_of_folders_a_run_goes_on_and_says_so() {
    // EOPNOTSUPP, ENOSYS, EBADF, EACCES, EINVAL.
    for errno in ["95", "38", "9", "13", "22"] {
        let Some(place) = Place::refusing(&[("REFUSE_SYNC", errno)]) else {
            return;
        };
        let output = place.run(&["short.ron"]);
        assert_eq!(output.status.code(), Some(0), "{errno}: {}", said(&output));
        assert!(
            said(&output).contains("cannot sync folders"),
            "{errno}: {}",
            said(&output)
        );
    }
    // A failing disk is an error, and no incomplete run directory is left.
    let Some(place) = Place::refusing(&[("REFUSE_SYNC", "5")]) else {
        return;
    };
    let output = place.run(&["short.ron"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("cannot sync the folder"), "{}", said(&output));
    assert!(!place.path("runs/short").exists());
}

#[test]
fn where_the_folder_has_no_sockets_the_screen_comes_through_the_runtime_folder() {
    let runtime = tempfile::tempdir().unwrap();
    let refused = [
        ("REFUSE_SOCKETS", ".live"),
        ("XDG_RUNTIME_DIR", runtime.path().to_str().unwrap()),
    ];
    let Some(place) = Place::refusing(&refused) else {
        return;
    };
    let mut screen = place.screen(&["long.ron"]);
    screen.wait_for("▶ training");
    screen.press("D");
    assert_eq!(screen.wait_for_the_end(), 0);
    // A copy of the run directory is another run: a connection to it must not reach this run.
    let run_dir = place.path("runs/long");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&run_dir)
        .arg(place.path("copy"))
        .status();
    assert!(copied.unwrap().success() && place.path("copy/.live/socket-is-at").is_file());
    assert!(connect(&run_dir).is_ok() && connect(&place.path("copy")).is_err());
    let mut screen = place.screen(&["attach"]);
    screen.wait_for("▶ training");
    screen.press(" ");
    screen.wait_for("‖ paused");
    screen.press("qy");
    assert_eq!(screen.wait_for_the_end(), 130);
    assert_eq!(read_run(&place.path("runs/long")).unwrap().state, RunState::Stopped);
    let sockets = || fs::read_dir(runtime.path().join("sharptui")).unwrap().count();
    wait_until("the end of the socket", || sockets() == 0);
}

#[test]
fn where_no_socket_can_be_had_a_run_is_followed_by_its_files_and_stopped_by_a_signal() {
    let Some(place) = Place::refusing(&[("REFUSE_SOCKETS", "socket")]) else {
        return;
    };
    let output = place.run(&["long.ron", "--detach", "--runners", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let words = said(&output);
    assert!(words.contains("this run has no socket"), "{words}");
    let run_dir = place.path("runs/long");
    assert!(connect(&run_dir).is_err());

    let mut screen = place.screen(&["attach"]);
    screen.wait_for("trained by a process without a socket");
    screen.wait_for("running");
    // Wait for the cell that does not end by itself.
    wait_until("the second cell", || {
        fs::metadata(run_dir.join("cells/001/metrics.jsonl")).is_ok_and(|metrics| metrics.len() > 0)
    });
    // Commands about cells go through the folder.
    screen.press(" ");
    screen.wait_for("took up: pause");
    screen.wait_for("‖ paused");
    screen.press(" ");
    screen.wait_for("took up: continue");
    screen.press("R");
    screen.wait_for("does nothing here");
    screen.press("q");
    assert_eq!(screen.wait_for_the_end(), 0);

    let again = place.run(&["resume", "runs/long", "--plain"]);
    assert!(
        said(&again).contains("is being written by another process"),
        "{}",
        said(&again)
    );
    kill_as_told(&words);
    wait_until("the end", || {
        read_run(&run_dir).is_ok_and(|info| info.state == RunState::Stopped)
    });
    assert!(has_checkpoint(&run_dir.join("cells/001")));

    // A screen that started the training itself can also show it, stop it by key, and pass on a signal, once.
    for stop in ["qy", "TERM", "TERM", "TERM"] {
        let mut screen = place.screen(&["resume", "runs/long"]);
        screen.wait_for("trained by a process without a socket");
        if stop == "TERM" {
            screen.signal(stop);
        } else {
            screen.press(stop);
        }
        assert_eq!(screen.wait_for_the_end(), 130);
        assert_eq!(read_run(&run_dir).unwrap().state, RunState::Stopped);
    }
}

/// Returns a command that runs as another user; none if this user may not switch users.
fn as_another_user() -> Option<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    let mut works = Command::new("setpriv");
    works.args(["--reuid=65534", "--regid=65534", "--clear-groups", "true"]);
    works.status().is_ok_and(|status| status.success()).then_some(command)
}

#[test]
fn another_user_sees_that_a_run_goes_on() {
    use std::os::unix::fs::PermissionsExt;

    // With locks, and without locks.
    for refused in [&[][..], &[("REFUSE_LOCKS", "38")]] {
        let (Some(place), Some(mut other)) = (Place::refusing(refused), as_another_user()) else {
            eprintln!("skipped: this user cannot become another one");
            return;
        };
        // The other user may not be able to read the build folder, so the program and the library are copied.
        fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (program, refuse) = (place.path("program"), place.path("refuse.so"));
        fs::copy(env!("CARGO_BIN_EXE_sharptui"), &program).unwrap();
        fs::copy(library().unwrap(), &refuse).unwrap();
        assert_eq!(
            place.run(&["long.ron", "--detach", "--runners", "1"]).status.code(),
            Some(0)
        );
        let run_dir = place.path("runs/long");
        other.arg(&program).arg("attach").arg(&run_dir).current_dir("/");
        other
            .env("LC_ALL", "C.UTF-8")
            .env("LD_PRELOAD", refuse)
            .envs(refused.iter().copied());
        let mut looker = other.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(looker.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut words = Vec::new();
        while !words
            .iter()
            .any(|line: &String| line.contains("cell 1 ") && line.contains("λ_max"))
        {
            words.push(lines.next().unwrap_or_else(|| panic!("it ended: {words:?}")));
        }
        let link = connect(&run_dir).unwrap();
        let quit = sharptui::live::Request::Command(sharptui::event::Command::Quit);
        link.requests.send(quit).unwrap();
        words.extend(lines);
        let words = words.join("\n");
        assert!(words.contains("trained by another user"), "{words}");
        assert!(words.contains("stopped: 1 cell unfinished"), "{words}");
        assert!(!words.contains("exited unexpectedly"), "{words}");
        assert_eq!(words.matches("long · 2 cells").count(), 1, "{words}");
        assert_eq!(looker.wait().unwrap().code(), Some(130));
    }
}
