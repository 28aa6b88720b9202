//! The exports that the process of a sweep keeps up to date while it trains: `export` of the configuration.
//!
//! Each format has a thread of its own that reads the run directory as `sharptui export --follow` does, so that training
//! neither waits for it nor fails with it. An export that fails is told, and tried again.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::config::Export;
use crate::event::LogKind;
use crate::export::{self, Follow, Format, Host, Request};
use crate::sweep::with_causes;
use crate::train::Outbox;

/// Interval between looks at the run: training has the processors.
const EVERY: Duration = Duration::from_secs(5);

/// Interval between attempts after an export failed: a disk may be full, or a file system away, for some time.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// The exports of a run that is training.
pub(crate) struct Exporting {
    /// Nothing is sent: the exports end when this end of the channel is dropped.
    stop: Sender<Infallible>,
    threads: Vec<JoinHandle<Option<String>>>,
}

impl Exporting {
    /// Starts the exports of a run. Each tells what fails through an outbox of its own.
    pub(crate) fn start(run_dir: &Path, formats: &[Export], outbox: impl Fn() -> Outbox) -> Self {
        let (stop, stopped) = bounded(0);
        let mut threads = Vec::new();
        for format in formats {
            let mut keeper = Keeper {
                run_dir: run_dir.to_owned(),
                format: *format,
                stopped: stopped.clone(),
                outbox: outbox(),
                has_failed: false,
            };
            let thread = thread::Builder::new().name("export".to_owned());
            match thread.spawn(move || keeper.keep()) {
                Ok(thread) => threads.push(thread),
                Err(error) => outbox().notice(None, format!("cannot start a thread for the export: {error}")),
            }
        }
        Self { stop, threads }
    }

    /// Waits until the exports have what the run has. Returns why those that failed are not complete: readers of the
    /// events may have gone.
    pub(crate) fn finish(self) -> Vec<String> {
        drop(self.stop);
        // A panic was printed by its thread.
        let failed = self.threads.into_iter().filter_map(|thread| thread.join().ok()?);
        failed.collect()
    }
}

/// The thread of one export.
struct Keeper {
    run_dir: PathBuf,
    format: Export,
    stopped: Receiver<Infallible>,
    outbox: Outbox,
    has_failed: bool,
}

impl Keeper {
    /// Returns why the export is not complete, when the run has ended.
    fn keep(&mut self) -> Option<String> {
        while let Err(words) = self.export(Follow::UntilStopped) {
            if !self.has_failed {
                let words = format!("{words}; training goes on, and the export is tried again");
                self.outbox.notice(None, words);
            }
            self.has_failed = true;
            if !self.wait_for(AGAIN_AFTER) {
                // The run has ended: one last attempt.
                let words = self.export(Follow::No).err()?;
                let words = format!("{words}; the export is not complete, `sharptui export` makes it again");
                self.outbox.notice(None, words.clone());
                return Some(words);
            }
        }
        None
    }

    fn export(&mut self, follow: Follow) -> Result<(), String> {
        let run_dir = self.run_dir.clone();
        let (format, to) = match self.format {
            Export::TensorBoard => (Format::TensorBoard, None),
            Export::Csv => (Format::Csv, Some(run_dir.join("measurements.csv"))),
        };
        let request = Request {
            run_dir: &run_dir,
            format,
            to: to.as_deref(),
            follow,
        };
        let written = export::write(&request, &mut std::io::sink(), self);
        written.map(|_| ()).map_err(|error| with_causes(&error))
    }

    /// Waits, and returns false if the run has ended.
    fn wait_for(&self, time: Duration) -> bool {
        match self.stopped.recv_timeout(time) {
            Ok(never) => match never {},
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }
}

impl Host for Keeper {
    fn written(&mut self, path: &Path) {
        if self.has_failed {
            let words = format!("{} is written again", path.display());
            self.outbox.notice(None, words);
            self.has_failed = false;
        }
    }

    fn note(&mut self, words: &str) {
        self.outbox.log(LogKind::Notice, None, words);
    }

    fn wait(&mut self, _: Duration) -> bool {
        self.wait_for(EVERY)
    }
}
