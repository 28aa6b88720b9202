//! The main loop: keys immediately, events in bulk, frames at a bounded rate.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError};
use crossterm::event::Event as Input;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{CellIndex, Command, Event};
use crate::machine::Load;
use crate::monitor::Monitor;
use crate::signals::{STOP_WITHIN, Signal};
use crate::tui::charts::copy;
use crate::tui::preferences::FRAMES_PER_SECOND;
use crate::tui::state::parts::SMALLEST;
use crate::tui::state::scene::Scene;
use crate::tui::state::table;
use crate::tui::state::view::{Effect, View};
use crate::tui::terminal::jobs::Job;
use crate::tui::terminal::{panics, svg};
use crate::tui::{Outcome, screen};

/// Minimum time between two frames if only the step counters have changed. Nobody could read faster ones.
const COUNTERS: Duration = Duration::from_millis(500);

/// Time between two frames while nothing happens, so that the clocks on the screen go on.
const TICK: Duration = Duration::from_secs(1);

/// The bytes a second that frames may cost on average, unless a key was pressed. With many running cells much of the
/// screen changes in every frame; the frames then come less often, so that a slow connection can take them.
const BYTES_A_SECOND: u64 = 4_000;

/// Maximum number of events that are applied before keys are checked again: about 10 ms of work.
const BULK: usize = 10_000;

/// How long to wait for the sweep to stop after a signal: a little longer than the training process may take, so that
/// its end is seen.
const WAIT_FOR_STOP: Duration = STOP_WITHIN.saturating_add(Duration::from_millis(200));

/// The channels of the screen.
#[derive(Clone, Copy, Debug)]
pub struct Wires<'a> {
    /// Events of the sweep.
    pub events: &'a Receiver<Event>,
    /// Commands to the training thread; unbounded, so that no key has to wait.
    pub commands: &'a Sender<Command>,
    /// Signals from the system.
    pub signals: &'a Receiver<Signal>,
    /// Job control: a shell stops or continues the program.
    pub jobs: &'a Receiver<Job>,
    /// Keys and resizes.
    pub input: &'a Receiver<Input>,
    /// Whether signals stop the sweep. Otherwise they only end the screen.
    pub owns: bool,
    /// Where to report which cells the screen shows, if somebody needs it.
    pub wanted: Option<&'a Sender<Vec<CellIndex>>>,
    /// The load of the machine, from time to time.
    pub load: Option<&'a Receiver<Load>>,
}

/// Why the main loop returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The screen has ended.
    Left(Outcome),
    /// The terminal is gone; nothing may be written to it.
    TerminalLost(Outcome),
    /// The program must be suspended. Afterwards the loop can be run again.
    Suspend,
    /// The program was stopped and continued: the terminal must be taken again. Afterwards the loop can be run again.
    Continued,
    /// This text must be copied to the clipboard. Afterwards the loop can be run again.
    Copy(String),
}

/// When the next frame must be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// When the clocks on the screen must move: nothing has changed.
    Tick,
    /// When the step counters may move again: nothing else has changed.
    Counters,
    /// After the minimum time between two frames: an event has come.
    Soon,
    /// Immediately: a key was pressed.
    Now,
    /// Immediately, and the whole screen is sent again.
    Anew,
}

/// The main loop, over any back end and any source of keys.
#[derive(Debug)]
pub struct Driver {
    monitor: Monitor,
    view: View,
    due: Due,
    drawn: Option<Instant>,
    /// The area of the last frame.
    area: Rect,
    input_closed: bool,
    signals_closed: bool,
    events_closed: bool,
    /// When to stop waiting for the end of a sweep that a signal stops.
    deadline: Option<Instant>,
    /// The cells that were last reported as shown.
    looked_at: Vec<CellIndex>,
    load: Option<Load>,
    /// Minimum time between two frames, unless a key was pressed.
    frame: Duration,
    /// The number of bytes that were sent to the terminal; stays 0 if nobody counts them.
    sent_bytes: Rc<Cell<u64>>,
    /// The bytes of the last frame.
    frame_bytes: u64,
}

impl Driver {
    /// Creates a loop that has not received any event yet.
    #[must_use]
    pub fn new(view: View) -> Self {
        Self {
            monitor: Monitor::default(),
            view,
            due: Due::Now,
            drawn: None,
            area: Rect::default(),
            input_closed: false,
            signals_closed: false,
            events_closed: false,
            deadline: None,
            looked_at: Vec::new(),
            load: None,
            frame: Duration::from_secs(1) / FRAMES_PER_SECOND,
            sent_bytes: Rc::default(),
            frame_bytes: 0,
        }
    }

    /// Draws less often if frames take many bytes, which are counted in `sent_bytes`.
    #[must_use]
    pub fn counting(mut self, sent_bytes: Rc<Cell<u64>>) -> Self {
        self.sent_bytes = sent_bytes;
        self
    }

    /// Limits the frames per second. A key still causes a frame immediately.
    #[must_use]
    pub fn at_most(mut self, frames_per_second: u32) -> Self {
        self.frame = Duration::from_secs(1) / frames_per_second.max(1);
        self
    }

    /// Runs until there is a reason to return, see [`Pass`].
    ///
    /// A panic in the loop ends the screen only: the training thread is not asked to stop.
    pub fn run<B: Backend>(&mut self, terminal: &mut Terminal<B>, wires: &Wires) -> Pass {
        // Neither the driver nor the terminal is used again after a panic.
        catch_unwind(AssertUnwindSafe(|| self.watch(terminal, wires))).unwrap_or(Pass::Left(Outcome::Broken))
    }

    fn watch<B: Backend>(&mut self, terminal: &mut Terminal<B>, wires: &Wires) -> Pass {
        self.due = Due::Now;
        loop {
            // Keys and signals first: a flood of events must not delay them.
            if let Some(pass) = take_jobs(wires)
                .or_else(|| self.take_signals(wires))
                .or_else(|| self.take_input(wires))
            {
                return pass;
            }
            self.take_events(wires);
            self.view.follow(&self.monitor);
            // A new load is shown with the next frame; it does not cause one.
            self.load = wires
                .load
                .and_then(|loads| loads.try_iter().last())
                .or(self.load.take());
            let now = Instant::now();
            let waited_enough = self.deadline.is_some_and(|deadline| now >= deadline);
            if waited_enough || (self.monitor.is_over() && self.view.stopping) {
                return Pass::Left(self.outcome());
            }
            if now >= self.next_frame(now) {
                if !self.draw(terminal, now) {
                    return Pass::TerminalLost(self.outcome_of_detaching());
                }
                self.say_what_is_looked_at(wires);
            }
            self.wait(wires);
        }
    }

    /// Reports the cells whose history is needed: the cells in the visible rows, the overlaid cells, the seeds that
    /// are shown together and the chosen cell.
    fn say_what_is_looked_at(&mut self, wires: &Wires) {
        let Some(wanted) = wires.wanted.filter(|_| !self.monitor.cells.is_empty()) else {
            return;
        };
        let mut cells = table::visible(&self.view, &self.monitor, self.area);
        let important = self
            .view
            .overlaid
            .iter()
            .copied()
            .chain(self.view.together(&self.monitor))
            .chain([self.view.chosen(&self.monitor)]);
        for cell in important {
            cells.retain(|known| *known != cell);
            cells.push(cell);
        }
        if cells != self.looked_at {
            self.looked_at.clone_from(&cells);
            let _ = wanted.send(cells);
        }
    }

    /// Draws a frame. Returns false if the terminal accepts none.
    fn draw<B: Backend>(&mut self, terminal: &mut Terminal<B>, now: Instant) -> bool {
        let scene = Scene {
            monitor: &self.monitor,
            view: &self.view,
            load: self.load.as_ref(),
            now,
        };
        // Not `clear`: it asks the terminal where its cursor is, and the answer would go to the input thread.
        let wipe = |terminal: &mut Terminal<B>| terminal.size().and_then(|size| terminal.resize(size.into()));
        let sent_before = self.sent_bytes.get();
        let wiped = self.due != Due::Anew || wipe(terminal).is_ok();
        let drawn = wiped
            && terminal
                .draw(|frame| {
                    self.area = frame.area();
                    screen::render(&scene, frame.area(), frame.buffer_mut());
                })
                .is_ok();
        (self.due, self.drawn) = (Due::Tick, Some(now));
        self.frame_bytes = self.sent_bytes.get() - sent_before;
        drawn
    }

    fn next_frame(&self, now: Instant) -> Instant {
        let paid = Duration::from_millis(self.frame_bytes * 1_000 / BYTES_A_SECOND).min(TICK);
        match (self.drawn, self.due) {
            (None, _) | (_, Due::Now | Due::Anew) => now,
            (Some(drawn), Due::Soon) => drawn + self.frame.max(paid),
            (Some(drawn), Due::Counters) => drawn + self.frame.max(COUNTERS).max(paid),
            (Some(drawn), Due::Tick) => drawn + TICK,
        }
    }

    fn wait(&self, wires: &Wires) {
        let mut select = Select::new();
        // A closed channel is always ready: it would make the loop spin.
        if !self.input_closed {
            select.recv(wires.input);
        }
        if !self.signals_closed {
            select.recv(wires.signals);
        }
        if !self.events_closed {
            select.recv(wires.events);
        }
        select.recv(wires.jobs);
        let now = Instant::now();
        let due = self.next_frame(now).min(self.deadline.unwrap_or(now + TICK));
        let patience = due.saturating_duration_since(now).max(Duration::from_millis(1));
        let _ = select.ready_timeout(patience);
    }

    fn take_signals(&mut self, wires: &Wires) -> Option<Pass> {
        loop {
            match wires.signals.try_recv() {
                Ok(Signal::Hangup) => return Some(Pass::TerminalLost(self.outcome_of_detaching())),
                Ok(_) if !wires.owns => return Some(Pass::Left(self.outcome_of_detaching())),
                // No question is asked, because there may be nobody to answer it.
                Ok(Signal::Interrupt | Signal::Terminate) => {
                    self.deadline.get_or_insert(Instant::now() + WAIT_FOR_STOP);
                    let effect = self.view.stop(&self.monitor);
                    if let Some(pass) = self.obey(effect, wires) {
                        return Some(pass);
                    }
                }
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => {
                    self.signals_closed = true;
                    return None;
                }
            }
        }
    }

    fn take_input(&mut self, wires: &Wires) -> Option<Pass> {
        loop {
            match wires.input.try_recv() {
                // If the window is too small for the screen, keys do nothing, except those that leave it.
                Ok(Input::Key(key)) if self.shows_nothing() && !self.view.leaves(&key) => {}
                Ok(Input::Key(key)) => {
                    let effect = self.view.key(&key, &self.monitor);
                    self.due = self.due.max(Due::Now);
                    if let Some(pass) = effect.and_then(|effect| self.obey(effect, wires)) {
                        return Some(pass);
                    }
                }
                // All of the screen is sent again: if a window becomes smaller and then as large as before between two
                // frames, the part that was cut off is lost, and the size does not show it.
                Ok(Input::Resize(..)) => self.due = Due::Anew,
                Ok(Input::Mouse(event)) => {
                    self.view.mouse(&event, &self.monitor, self.area);
                    self.due = self.due.max(Due::Now);
                }
                Ok(Input::Paste(text)) => {
                    self.view.paste(&text);
                    self.due = self.due.max(Due::Now);
                }
                Ok(_) => {}
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => {
                    // No key can be received any more, so the terminal counts as lost.
                    self.input_closed = true;
                    return Some(Pass::TerminalLost(self.outcome_of_detaching()));
                }
            }
        }
    }

    /// Returns whether the window is so small that only a message about its size is shown.
    fn shows_nothing(&self) -> bool {
        let (columns, rows) = SMALLEST;
        !self.area.is_empty() && (self.area.width < columns || self.area.height < rows)
    }

    fn take_events(&mut self, wires: &Wires) {
        if self.events_closed {
            return;
        }
        let now = Instant::now();
        for _ in 0..BULK {
            match wires.events.try_recv() {
                Ok(event) => {
                    let is_counter = matches!(event, Event::Progress { .. });
                    self.monitor.apply(event, now);
                    self.due = self.due.max(if is_counter { Due::Counters } else { Due::Soon });
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.events_closed = true;
                    self.monitor.lose(panics::last(), now);
                    self.due = self.due.max(Due::Soon);
                    return;
                }
            }
        }
    }

    fn obey(&mut self, effect: Effect, wires: &Wires) -> Option<Pass> {
        self.due = self.due.max(Due::Now);
        match effect {
            // A failed send is ignored: if the training thread is gone, the channel of events shows it.
            Effect::Send(command) => {
                if self.monitor.elsewhere.is_some() && command != Command::Quit {
                    let words = "sent through the run directory; the answer takes some seconds";
                    self.monitor.reply(words.to_owned(), Instant::now());
                }
                let _ = wires.commands.send(command);
                None
            }
            Effect::SendAndSay(command, words) => {
                let _ = wires.commands.send(command);
                self.monitor.reply(words, Instant::now());
                None
            }
            Effect::Say(words) => {
                self.monitor.reply(words, Instant::now());
                None
            }
            Effect::Copy => {
                let copied = copy::values(&self.scene(Instant::now()));
                copied.map(Pass::Copy)
            }
            Effect::Leave => Some(Pass::Left(self.outcome())),
            Effect::Detach => Some(Pass::Left(self.outcome_of_detaching())),
            Effect::Suspend => Some(Pass::Suspend),
            Effect::Picture => {
                self.save_picture();
                None
            }
            Effect::Redraw => {
                self.due = Due::Anew;
                None
            }
        }
    }

    fn scene(&self, now: Instant) -> Scene<'_> {
        Scene {
            monitor: &self.monitor,
            view: &self.view,
            load: self.load.as_ref(),
            now,
        }
    }

    /// Shows a notice.
    pub fn note(&mut self, words: String) {
        self.monitor.reply(words, Instant::now());
    }

    /// Saves a picture of the screen. The screen is drawn again, because a back end may not keep it.
    fn save_picture(&mut self) {
        let now = Instant::now();
        let scene = self.scene(self.drawn.unwrap_or(now));
        let mut buffer = Buffer::empty(self.area);
        screen::render(&scene, self.area, &mut buffer);
        let folder = self.monitor.run_dir.join("pictures");
        // A user who only watches may have no permission to write to the run directory.
        let saved = svg::save(&buffer, &folder).or_else(|_| svg::save(&buffer, Path::new(".")));
        let words = match saved {
            Ok(path) => format!("the screen is saved as {}", path.display()),
            Err(error) => format!("no picture could be saved in {}: {error}", folder.display()),
        };
        self.monitor.note(words, now);
    }

    /// Returns the outcome if the screen ends now.
    fn outcome(&self) -> Outcome {
        match &self.monitor.ending {
            Some(ending) => Outcome::Ended(ending.clone()),
            None if self.monitor.lost => Outcome::TrainerGone,
            None => Outcome::LeftAtOnce,
        }
    }

    /// Returns the outcome if the screen ends now and a running sweep goes on.
    pub(super) fn outcome_of_detaching(&self) -> Outcome {
        if self.monitor.is_over() {
            self.outcome()
        } else {
            Outcome::Detached
        }
    }
}

fn take_jobs(wires: &Wires) -> Option<Pass> {
    // If the program was stopped and continued several times, the terminal is taken again only once.
    let last = wires.jobs.try_iter().last()?;
    Some(match last {
        Job::Stop => Pass::Suspend,
        Job::Continued => Pass::Continued,
    })
}

#[cfg(test)]
mod tests;
