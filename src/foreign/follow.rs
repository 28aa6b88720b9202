//! The runs of a folder as events, while their files grow.

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Folder, ForeignError};
use crate::event::{CellIndex, Event, LogEntry, LogKind, Standing, StandingKind, SweepPlan};
use crate::record;

/// Interval between looks at the files.
const EVERY: Duration = Duration::from_secs(1);

/// Files that have not grown for this long are said to stand still. PyTorch's writer writes every two minutes.
pub const STILL_AFTER: Duration = Duration::from_mins(10);

/// Limit of events that wait for a reader.
const WAITING: usize = 8_192;

/// When the events end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When the reader leaves.
    Left,
    /// When no file has grown for [`STILL_AFTER`].
    Still,
}

/// Returns the runs of a folder as events, followed by what is added to its files.
///
/// # Errors
/// The thread cannot be started.
pub fn follow(folder: Folder, until: Until) -> std::io::Result<Receiver<Event>> {
    let (out, events) = bounded(WAITING);
    let follower = Follower {
        folder,
        out,
        said: Vec::new(),
        stands: Vec::new(),
        grew: Vec::new(),
    };
    thread::Builder::new()
        .name("files".to_owned())
        .spawn(move || drop(follower.run(until)))?;
    Ok(events)
}

/// Returns the runs of a folder as events: plans and points.
#[must_use]
pub fn told(folder: &Folder) -> Vec<Event> {
    let mut events = begin(folder);
    for (cell, run) in folder.runs().enumerate() {
        events.extend(folder.points(run).map(|point| {
            let point = Box::new(point);
            Event::Measured { cell, point }
        }));
    }
    events
}

/// Returns the events that say which runs there are.
fn begin(folder: &Folder) -> Vec<Event> {
    let plans = folder.plans();
    let count = plans.len();
    let path = folder.path();
    let name = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = name.file_name();
    let plan = SweepPlan {
        name: name.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        run_dir: path.to_owned(),
        device: folder.format().to_owned(),
        cells: plans,
        earlier_seconds: 0.0,
    };
    let started = (0..count).map(|cell| Event::CellStarted { cell });
    [Event::SweepStarted(plan), Event::Foreign(words(folder))]
        .into_iter()
        .chain(started)
        .collect()
}

fn words(folder: &Folder) -> String {
    format!("read from {}; this program does not control it", folder.format())
}

struct Follower {
    folder: Folder,
    out: Sender<Event>,
    /// Notes that were sent.
    said: Vec<String>,
    /// Of each run, how it stands.
    stands: Vec<StandingKind>,
    /// When each run was seen to grow last.
    grew: Vec<Instant>,
}

/// The reader is gone.
struct Left;

impl Follower {
    fn run(mut self, until: Until) -> Result<(), Left> {
        self.tell_whole()?;
        loop {
            if until == Until::Still && self.stands.iter().all(|stands| *stands == StandingKind::Still) {
                return Ok(());
            }
            thread::sleep(EVERY);
            // A folder on a network may be away for a moment.
            match self.folder.look() {
                Ok(news) => {
                    for words in news.damaged {
                        self.say(words, LogKind::Warning)?;
                    }
                    if news.whole {
                        self.tell_whole()?;
                        continue;
                    }
                    for run in news.grown {
                        self.grew[run] = Instant::now();
                        self.tell_new(run)?;
                    }
                    self.tell_standings()?;
                    // The reader may have left, with nothing to tell it.
                    self.probe_reader()?;
                }
                Err(error) => self.complain(&error)?,
            }
        }
    }

    /// Ends this thread if nobody reads any more: an event that changes nothing.
    fn probe_reader(&self) -> Result<(), Left> {
        self.send(Event::Foreign(words(&self.folder)))
    }

    fn tell_whole(&mut self) -> Result<(), Left> {
        let begin = begin(&self.folder);
        let count = self.folder.runs().count();
        begin.into_iter().try_for_each(|event| self.send(event))?;
        let now = Instant::now();
        self.grew = (0..count)
            .map(|run| {
                let age = self.folder.age(run).unwrap_or(STILL_AFTER);
                // Shortly after the start of the machine, an `Instant` cannot be as early as that.
                now.checked_sub(age.min(STILL_AFTER)).unwrap_or(now)
            })
            .collect();
        self.stands.clear();
        self.tell_standings()?;
        self.said.clear();
        for words in self.folder.damaged() {
            self.say(words, LogKind::Warning)?;
        }
        for note in self.folder.notes() {
            self.log(note, LogKind::Notice)?;
        }
        (0..count).try_for_each(|run| self.tell_all(run))
    }

    fn tell_standings(&mut self) -> Result<(), Left> {
        for cell in 0..self.grew.len() {
            let (kind, words) = if self.grew[cell].elapsed() < STILL_AFTER {
                (StandingKind::Growing, "its files grow".to_owned())
            } else {
                let minutes = STILL_AFTER.as_secs() / 60;
                let words =
                    format!("its files have not grown for {minutes} minutes; whether it has ended is not known");
                (StandingKind::Still, words)
            };
            if self.stands.get(cell) != Some(&kind) {
                if cell < self.stands.len() {
                    self.stands[cell] = kind;
                } else {
                    self.stands.push(kind);
                }
                let standing = Some(Standing { kind, words });
                self.send(Event::Standing { cell, standing })?;
            }
        }
        Ok(())
    }

    /// Sends every point of a run.
    fn tell_all(&mut self, run: CellIndex) -> Result<(), Left> {
        self.folder.take_new(run);
        let Some(found) = self.folder.runs().nth(run) else {
            return Ok(());
        };
        let points = self.folder.points(found);
        points.into_iter().try_for_each(|point| self.measured(run, point))
    }

    /// Sends the points of a run that are new, or all of them if some have changed.
    fn tell_new(&mut self, run: CellIndex) -> Result<(), Left> {
        let (steps, is_void) = self.folder.take_new(run);
        if is_void {
            self.send(Event::History { cell: run })?;
            return self.tell_all(run);
        }
        for step in steps {
            for point in self.folder.points_at(run, step) {
                self.measured(run, point)?;
            }
        }
        for note in self.folder.notes() {
            self.log(note, LogKind::Notice)?;
        }
        Ok(())
    }

    fn measured(&self, cell: CellIndex, point: crate::event::Point) -> Result<(), Left> {
        let point = Box::new(point);
        self.send(Event::Measured { cell, point })
    }

    fn complain(&mut self, error: &ForeignError) -> Result<(), Left> {
        self.say(error.to_string(), LogKind::Warning)
    }

    /// Says something once, as a notice and in the log.
    fn say(&mut self, words: String, kind: LogKind) -> Result<(), Left> {
        if self.said.contains(&words) {
            return Ok(());
        }
        let cell = None;
        let notice = words.clone();
        self.log(words, kind)?;
        self.send(Event::Notice { cell, words: notice })
    }

    /// Writes a line into the log that the screen shows, once.
    fn log(&mut self, words: String, kind: LogKind) -> Result<(), Left> {
        if self.said.contains(&words) {
            return Ok(());
        }
        self.said.push(words.clone());
        let (at, cell) = (record::now(), None);
        self.send(Event::Logged(LogEntry { at, cell, kind, words }))
    }

    fn send(&self, event: Event) -> Result<(), Left> {
        self.out.send(event).map_err(|_| Left)
    }
}
