//! Measures how many bytes per second a program sends to its terminal: `cargo bench --bench bytes -- COMMAND…`.
//!
//! The terminal has 120 columns and 40 rows. Bytes are counted for 60 seconds, after 10 seconds in which the program
//! starts. Then Ctrl-C is pressed twice, which stops a sweep. A program that does not end within 10 seconds is killed.

use std::io::{Read, Write};
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
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let Some((program, arguments)) = words.split_first() else {
        println!("name the command to measure: cargo bench --bench bytes -- COMMAND…");
        return Ok(());
    };
    let pair = native_pty_system().openpty(SIZE)?;
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    command.cwd(std::env::current_dir()?);
    command.env("TERM", "xterm-256color");
    let mut output = pair.master.try_clone_reader()?;
    let mut child = pair.slave.spawn_command(command).with_context(|| program.clone())?;
    drop(pair.slave);
    let counted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&counted);
    thread::spawn(move || {
        let mut buffer = [0; 8_192];
        while let Ok(length @ 1..) = output.read(&mut buffer) {
            counter.fetch_add(length, Ordering::Relaxed);
        }
    });
    thread::sleep(BEGIN);
    let before = counted.load(Ordering::Relaxed);
    thread::sleep(COUNT);
    let bytes = counted.load(Ordering::Relaxed) - before;
    let ended = child.try_wait()?.is_some();
    pair.master.take_writer()?.write_all(b"\x03\x03")?;
    let asked = Instant::now();
    while child.try_wait()?.is_none() && asked.elapsed() < STOP {
        thread::sleep(Duration::from_millis(50));
    }
    child.kill().ok();
    println!("{} bytes a second", bytes as u64 / COUNT.as_secs());
    anyhow::ensure!(!ended, "{program} ended before the measurement was complete");
    Ok(())
}
