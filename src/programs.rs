//! Runs programs of the system, such as those of Slurm, with a limit on their time and their output.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

/// How long a program may take to answer. A controller of Slurm that is away makes its programs wait.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Interval between checks whether a program has ended.
const GLANCE: Duration = Duration::from_millis(10);

/// Limit of the output that is read, in bytes. A line about a task takes some hundred.
const MOST_BYTES: u64 = 64 << 20;

/// What a program answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It ended well; this is what it printed.
    Text(String),
    /// It failed; this is what it printed as an error.
    Refusal(String),
    /// It is not on this machine, or cannot be started.
    Missing,
    /// It took too long.
    Silence,
}

/// Runs a program with these arguments, which no shell sees.
#[must_use]
pub fn answer(program: &str, arguments: &[&str]) -> Answer {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    answer_of(&mut command)
}

/// Runs a program.
#[must_use]
pub fn answer_of(command: &mut Command) -> Answer {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        return Answer::Missing;
    };
    let (printed, errors) = (child.stdout.take().map(read), child.stderr.take().map(read));
    let since = Instant::now();
    let ended_well = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) if since.elapsed() < PATIENCE => thread::sleep(GLANCE),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Answer::Silence;
            }
        }
    };
    // A program that it started may keep the pipe open.
    let text = |out: Option<Receiver<String>>| out?.recv_timeout(PATIENCE.saturating_sub(since.elapsed())).ok();
    match (ended_well, text(printed)) {
        (true, Some(text)) => Answer::Text(text),
        (true, None) => Answer::Silence,
        (false, _) => Answer::Refusal(text(errors).unwrap_or_default()),
    }
}

/// Reads what a program prints, on a thread of its own: a full pipe would stop the program.
fn read(from: impl Read + Send + 'static) -> Receiver<String> {
    let (text_in, text) = bounded(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.take(MOST_BYTES).read_to_end(&mut bytes);
        let _ = text_in.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_missing_or_fails_gives_no_answer() {
        assert_eq!(answer("/no/such/program", &[]), Answer::Missing);
        assert_eq!(answer("false", &[]), Answer::Refusal(String::new()));
        assert_eq!(answer("echo", &["RUNNING"]), Answer::Text("RUNNING\n".to_owned()));
        let said = answer("sh", &["-c", "echo no such job >&2; exit 3"]);
        assert_eq!(said, Answer::Refusal("no such job\n".to_owned()));
    }
}
