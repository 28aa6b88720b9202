//! Measures how many bytes per second a program sends to its terminal, and a sweep to a screen:
//! `cargo bench --bench bytes -- [--seconds 20] [--run-dir RUN_DIR] COMMAND…`.
//!
//! The terminal has 120 columns and 40 rows. Bytes are counted for 60 seconds, or as many as are named, after 10 seconds
//! in which the program starts. With `--run-dir`, the bytes that the socket of this run sends to one more screen are
//! counted, too. Then Ctrl-C is pressed twice, which stops a sweep. A program that does not end within 10 seconds is
//! killed.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const SIZE: PtySize = PtySize {
    rows: 40,
    cols: 120,
    pixel_width: 0,
    pixel_height: 0,
};
const BEGIN: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(10);
const COUNT: Duration = Duration::from_mins(1);

fn main() -> anyhow::Result<()> {
    // Cargo adds `--bench`.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench").peekable();
    let (mut seconds, mut run_dir) = (COUNT.as_secs(), None);
    while let Some(option) = words.next_if(|word| word == "--seconds" || word == "--run-dir") {
        let value = words.next().with_context(|| format!("{option} needs a value"))?;
        if option == "--seconds" {
            seconds = value.parse()?;
        } else {
            run_dir = Some(PathBuf::from(value));
        }
    }
    let words: Vec<String> = words.collect();
    let Some((program, arguments)) = words.split_first() else {
        println!("name the command to measure: cargo bench --bench bytes -- COMMAND…");
        return Ok(());
    };
    let pair = native_pty_system().openpty(SIZE)?;
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    command.cwd(std::env::current_dir()?);
    command.env("TERM", "xterm-256color");
    let output = pair.master.try_clone_reader()?;
    let mut child = pair.slave.spawn_command(command).with_context(|| program.clone())?;
    drop(pair.slave);
    let to_terminal = count(move || Ok(output));
    let to_screen = run_dir.map(|run_dir| count(move || connected(&run_dir)));
    thread::sleep(BEGIN);
    let read = |counted: &AtomicUsize| counted.load(Ordering::Relaxed);
    let before = (read(&to_terminal), to_screen.as_deref().map(read));
    thread::sleep(Duration::from_secs(seconds));
    let a_second = |before, counted: &AtomicUsize| (read(counted) - before) as u64 / seconds.max(1);
    let bytes = a_second(before.0, &to_terminal);
    let socket_bytes = before.1.zip(to_screen.as_deref());
    let socket_bytes = socket_bytes.map(|(before, counted)| a_second(before, counted));
    let ended = child.try_wait()?.is_some();
    pair.master.take_writer()?.write_all(b"\x03\x03")?;
    let asked = Instant::now();
    while child.try_wait()?.is_none() && asked.elapsed() < STOP {
        thread::sleep(Duration::from_millis(50));
    }
    child.kill().ok();
    println!("{bytes} bytes a second");
    if let Some(bytes) = socket_bytes {
        println!("{bytes} bytes a second over the socket");
    }
    anyhow::ensure!(!ended, "{program} ended before the measurement was complete");
    Ok(())
}

/// Counts the bytes that can be read from `open()`, on a thread of its own.
fn count<R: Read>(open: impl FnOnce() -> anyhow::Result<R> + Send + 'static) -> Arc<AtomicUsize> {
    let counted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&counted);
    thread::spawn(move || {
        let mut input = match open() {
            Ok(input) => input,
            Err(error) => return eprintln!("{error:#}"),
        };
        let mut buffer = [0; 8_192];
        while let Ok(length @ 1..) = input.read(&mut buffer) {
            counter.fetch_add(length, Ordering::Relaxed);
        }
    });
    counted
}

/// Connects to the socket of a run, which may take a moment to appear.
fn connected(run_dir: &Path) -> anyhow::Result<UnixStream> {
    let socket = run_dir.join(".live/socket");
    let begun = Instant::now();
    loop {
        match UnixStream::connect(&socket) {
            Err(_) if begun.elapsed() < BEGIN => thread::sleep(Duration::from_millis(100)),
            connected => return connected.with_context(|| socket.display().to_string()),
        }
    }
}
