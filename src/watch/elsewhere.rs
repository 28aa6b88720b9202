//! Follows a run through its files, if its training process cannot receive requests from this one.
//!
//! That is so if another user trains it, another machine with a shared file system trains it, or there are no sockets.
//! The lock or `run.json` shows that the run is in training, and the other files show its state.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::event::{CellIndex, Event, LogEntry, LogKind};
use crate::live::{self, LiveError, Post};
use crate::monitor::Turns;
use crate::record::{self, QueueFile, RunState, cell_path, host_name, is_being_written, read_log, read_run};
use crate::sweep::told_by_disk;

/// Interval between checks for changes.
const GLANCE: Duration = Duration::from_secs(1);

/// Limit of events that wait for a screen.
const WAITING: usize = 1_024;

/// Texts for a time without writes: the least number of seconds, and the text.
const SILENCES: [(u64, &str); 4] = [
    (86_400, "for more than a day"),
    (3_600, "for more than an hour"),
    (600, "for more than ten minutes"),
    (60, "for more than a minute"),
];

/// Returns where the run is trained, as text that follows "is trained". None unless the run directory shows that the
/// run is in training. `why` is the reason why the training process cannot be connected to.
pub(super) fn place(run_dir: &Path, why: &LiveError) -> Option<String> {
    let info = read_run(run_dir).ok();
    let goes_on = info.as_ref().is_some_and(|info| info.state == RunState::Running);
    let host = info.map(|info| info.host).filter(|host| *host != host_name());
    let because_of =
        |kinds: &[ErrorKind]| matches!(why, LiveError::NotGoingOn { source, .. } if kinds.contains(&source.kind()));
    let is_denied = because_of(&[ErrorKind::PermissionDenied]);
    let is_silent = because_of(&[ErrorKind::WouldBlock, ErrorKind::TimedOut]);
    match (is_being_written(run_dir), host) {
        (Some(true), Some(host)) => Some(format!("on {host}")),
        (Some(true), None) if is_denied => Some("by another user".to_owned()),
        (_, None) if is_silent => Some("by a process that does not answer".to_owned()),
        (Some(true), None) => Some(match why {
            LiveError::NotGoingOn { .. } => "by a process without a socket".to_owned(),
            LiveError::Other { .. } => "by another version of this program".to_owned(),
        }),
        // Locks may not work across machines.
        (_, Some(host)) if goes_on => Some(format!("on {host} (see run.json)")),
        // Without locks, a process that this user may not connect to may still be alive.
        (None, None) if goes_on && is_denied => Some("by another user (see run.json)".to_owned()),
        _ => None,
    }
}

/// Returns events that describe the current state of the run, followed by changes, and the place for commands to the
/// training process. The channel closes when the training
/// process can be connected to, or when no process is training any more.
///
/// # Errors
/// The run directory cannot be read, or the thread cannot be started.
pub(super) fn follow(run_dir: &Path, place: String) -> anyhow::Result<(Receiver<Event>, Post)> {
    let (out, events) = bounded(WAITING);
    let (post, answers) = Post::open(run_dir)?;
    let files = Files {
        run_dir: run_dir.to_owned(),
        place,
        said: None,
        log_read: 0,
        turns: Turns::default(),
        queue: QueueFile::default(),
        answers,
        out,
    };
    // Report unreadable files to the caller.
    let told = told_by_disk(run_dir)?;
    thread::Builder::new()
        .name("files".to_owned())
        .spawn(move || drop(files.run(told)))?;
    Ok((events, post))
}

struct Files {
    run_dir: PathBuf,
    place: String,
    /// The text last sent about where the run is trained.
    said: Option<String>,
    /// Number of bytes of the log read so far.
    log_read: u64,
    /// Which cells are running.
    turns: Turns,
    queue: QueueFile,
    /// What the training process answered to commands.
    answers: Receiver<Event>,
    out: Sender<Event>,
}

/// The reader is gone, or another source must be found.
struct Over;

impl Files {
    fn run(mut self, told: Vec<Event>) -> Result<(), Over> {
        self.tell_whole(told)?;
        loop {
            thread::sleep(GLANCE);
            // If the log was empty before, its first line is about the start of the sweep that was already sent.
            let told_before = usize::from(self.log_read == 0);
            let entries = self.new_entries();
            for entry in &entries {
                self.tell(entry)?;
            }
            self.tell_where()?;
            self.pass_on_answers()?;
            let begun = entries.iter().filter(|entry| entry.kind == LogKind::Sweep).count();
            let has_begun = begun > told_before && self.goes_on();
            if has_begun || self.queue_has_changed() {
                self.tell_whole(told_by_disk(&self.run_dir).map_err(|_| Over)?)?;
            }
        }
    }

    /// Sends the whole state again. Cells that started since the sweep was last resumed, and have not ended, are
    /// running.
    fn tell_whole(&mut self, told: Vec<Event>) -> Result<(), Over> {
        self.queue = self.read_queue();
        // A process that holds the lock has not ended, whatever ending an earlier process recorded: it may be about to
        // start.
        let is_ending = |event: &Event| matches!(event, Event::SweepEnded(_));
        for event in told.into_iter().filter(|event| !is_ending(event)) {
            self.send(event)?;
        }
        self.said = None;
        self.tell_where()?;
        self.log_read = 0;
        let mut begun = begun(&self.new_entries());
        begun.retain(|cell| record::read_summary(&cell_path(&self.run_dir, *cell)).is_err());
        begun.into_iter().try_for_each(|cell| self.tell_begin(cell))
    }

    fn tell(&mut self, entry: &LogEntry) -> Result<(), Over> {
        let Some(cell) = entry.cell else { return Ok(()) };
        match entry.kind {
            LogKind::Begun => self.tell_begin(cell),
            LogKind::Ended | LogKind::Warning => self.tell_end(cell),
            LogKind::Sweep | LogKind::ByHand | LogKind::Notice => Ok(()),
        }
    }

    fn tell_begin(&mut self, cell: CellIndex) -> Result<(), Over> {
        self.send(Event::CellStarted { cell })
    }

    fn tell_end(&mut self, cell: CellIndex) -> Result<(), Over> {
        let Ok(ended) = record::read_summary(&cell_path(&self.run_dir, cell)) else {
            return Ok(());
        };
        let (ending, summary) = (ended.ending, ended.summary);
        self.send(Event::CellEnded { cell, ending, summary })
    }

    /// Sends where the run is trained, and how long nothing has been written.
    fn tell_where(&mut self) -> Result<(), Over> {
        // A connection gives more than the files do.
        let Err(why) = live::connect(&self.run_dir) else {
            return Err(Over);
        };
        let info = read_run(&self.run_dir).ok();
        let ended = info.and_then(|info| info.state.ending());
        if let Some(ending) = ended.filter(|_| is_being_written(&self.run_dir) != Some(true)) {
            self.send(Event::SweepEnded(ending))?;
            return Err(Over);
        }
        self.place = place(&self.run_dir, &why).ok_or(Over)?;
        let silent = self.silence().map(|silence| format!("; nothing was written {silence}"));
        let words = format!("{}{}", self.place, silent.unwrap_or_default());
        if self.said.as_ref() == Some(&words) {
            return Ok(());
        }
        self.said = Some(words.clone());
        self.send(Event::Elsewhere(words))
    }

    /// Passes on what the training process answered. Only a cell that runs can be paused.
    fn pass_on_answers(&mut self) -> Result<(), Over> {
        let answers: Vec<Event> = self.answers.try_iter().collect();
        for answer in answers {
            if !matches!(&answer, Event::Activity { cell: Some(cell), .. } if !self.turns.is_running(*cell)) {
                self.send(answer)?;
            }
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        read_run(&self.run_dir).is_ok_and(|info| info.state == RunState::Running)
    }

    /// Returns how long nothing has been written, as text, if it is at least a minute.
    fn silence(&self) -> Option<&'static str> {
        let seconds = record::silence(&self.run_dir, &self.turns.running)?.as_secs();
        let silence = SILENCES.iter().find(|(least, _)| seconds >= *least);
        silence.map(|(_, words)| *words)
    }

    fn new_entries(&mut self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        // Runs of earlier versions have no log.
        while let Ok(found) = read_log(&self.run_dir, self.log_read) {
            entries.extend(found.entries);
            self.log_read = found.read;
            if !found.more {
                break;
            }
        }
        entries
    }

    fn queue_has_changed(&self) -> bool {
        self.read_queue() != self.queue
    }

    fn read_queue(&self) -> QueueFile {
        // Whether the cells exist is checked when events are made from the queue.
        record::read_queue(&self.run_dir, usize::MAX / 2).unwrap_or_default()
    }

    fn send(&mut self, event: Event) -> Result<(), Over> {
        self.turns.apply(&event);
        self.out.send(event).map_err(|_| Over)
    }
}

/// Returns the cells that started since the sweep was last resumed, in that order. Cells that started before belong to
/// a process that has exited.
fn begun(entries: &[LogEntry]) -> Vec<CellIndex> {
    let mut begun = Vec::new();
    for entry in entries {
        match (entry.kind, entry.cell) {
            (LogKind::Sweep, _) => begun.clear(),
            (LogKind::Begun, Some(cell)) => {
                begun.retain(|known| *known != cell);
                begun.push(cell);
            }
            _ => {}
        }
    }
    begun
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_begun_since_the_sweep_was_taken_up_are_told_in_the_order_they_began() {
        let entry = |kind, cell| LogEntry {
            at: 0.0,
            cell,
            kind,
            words: String::new(),
        };
        let log = [
            entry(LogKind::Sweep, None),
            entry(LogKind::Begun, Some(5)),
            entry(LogKind::Sweep, None),
            entry(LogKind::Begun, Some(0)),
            entry(LogKind::Begun, Some(2)),
            entry(LogKind::Notice, Some(4)),
            entry(LogKind::Begun, Some(1)),
            entry(LogKind::Begun, Some(0)),
        ];
        assert_eq!(begun(&log), [2, 1, 0]);
        assert_eq!(begun(&log[..2]), [5]);
        assert!(begun(&log[..3]).is_empty());
    }
}
