//! The main loop: keys at once, events in bulk, frames at a bounded rate.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError};
use crossterm::event::Event as Input;
use ratatui::Terminal;
use ratatui::backend::Backend;

use crate::event::{Command, Event};
use crate::monitor::Monitor;
use crate::signals::Signal;

use super::scene::Scene;
use super::view::{Effect, View};
use super::{Outcome, panics, screen};

/// Least time between two frames that nobody pressed a key for: 20 a second.
const FRAME: Duration = Duration::from_millis(50);

/// The clocks on the screen go on while nothing else happens.
const TICK: Duration = Duration::from_secs(1);

/// Events taken in before keys are looked at again: some 10 ms of work at most.
const BULK: usize = 10_000;

/// What the screen is connected to.
#[derive(Clone, Copy, Debug)]
pub struct Wires<'a> {
    /// What happens in the sweep.
    pub events: &'a Receiver<Event>,
    /// What the training thread is asked for; unbounded, so that no key waits for it.
    pub commands: &'a Sender<Command>,
    /// What the system asks the program to do.
    pub signals: &'a Receiver<Signal>,
    /// Keys and resizes.
    pub input: &'a Receiver<Input>,
}

/// Why the main loop came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The screen is left.
    Left(Outcome),
    /// The terminal had gone away; nothing may be written to it.
    TerminalLost(Outcome),
    /// The program is to be suspended; the loop can be run again.
    Suspend,
}

/// When the next frame is to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// When the clocks on the screen have to move: nothing has changed.
    Tick,
    /// When the last frame is old enough: an event has come.
    Soon,
    /// Without delay: a key was pressed.
    Now,
    /// Without delay, and all of it.
    Anew,
}

/// The main loop, over any back end and any source of keys.
#[derive(Debug)]
pub struct Driver {
    monitor: Monitor,
    view: View,
    due: Due,
    drawn: Option<Instant>,
    /// The terminal is gone; the loop only waits for the training thread to stop.
    blind: bool,
    input_closed: bool,
    signals_closed: bool,
}

impl Driver {
    /// A loop that knows nothing yet.
    #[must_use]
    pub fn new(view: View) -> Self {
        Self {
            monitor: Monitor::default(),
            view,
            due: Due::Now,
            drawn: None,
            blind: false,
            input_closed: false,
            signals_closed: false,
        }
    }

    /// Runs until the screen is left, the terminal has gone, or the program is to be suspended.
    ///
    /// A panic in here ends the screen, and nothing else: the training thread is not asked to stop.
    pub fn run<B: Backend>(&mut self, terminal: &mut Terminal<B>, wires: &Wires) -> Pass {
        // Neither this nor the terminal is used again after a panic.
        catch_unwind(AssertUnwindSafe(|| self.watch(terminal, wires))).unwrap_or(Pass::Left(Outcome::Broken))
    }

    fn watch<B: Backend>(&mut self, terminal: &mut Terminal<B>, wires: &Wires) -> Pass {
        self.due = Due::Now;
        loop {
            // Keys and signals first: a flood of events must not delay them.
            if let Some(pass) = self.take_signals(wires).or_else(|| self.take_input(wires)) {
                return pass;
            }
            self.take_events(wires);
            self.view.follow(&self.monitor);
            if self.monitor.is_over() && (self.view.stopping || self.blind) {
                return self.leave();
            }
            let now = Instant::now();
            if !self.blind && now >= self.next_frame(now) {
                self.draw(terminal, now, wires);
            }
            self.wait(wires);
        }
    }

    fn draw<B: Backend>(&mut self, terminal: &mut Terminal<B>, now: Instant, wires: &Wires) {
        let scene = Scene {
            monitor: &self.monitor,
            view: &self.view,
            now,
        };
        // Not `clear`: it asks the terminal where its cursor is, and the answer would go to the input thread.
        let wipe = |terminal: &mut Terminal<B>| terminal.size().and_then(|size| terminal.resize(size.into()));
        let wiped = self.due != Due::Anew || wipe(terminal).is_ok();
        let drawn = wiped
            && terminal
                .draw(|frame| screen::render(&scene, frame.area(), frame.buffer_mut()))
                .is_ok();
        (self.due, self.drawn) = (Due::Tick, Some(now));
        if !drawn {
            self.hang_up(wires);
        }
    }

    fn next_frame(&self, now: Instant) -> Instant {
        match (self.drawn, self.due) {
            (None, _) | (_, Due::Now | Due::Anew) => now,
            (Some(drawn), Due::Soon) => drawn + FRAME,
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
        if !self.monitor.is_over() {
            select.recv(wires.events);
        }
        match self.patience(Instant::now()) {
            Some(patience) => drop(select.ready_timeout(patience)),
            // Not over, or the loop had been left: the events are among what is waited for.
            None => drop(select.ready()),
        }
    }

    /// How long to wait before a frame is due; without end where nobody sees one.
    fn patience(&self, now: Instant) -> Option<Duration> {
        let due = self.next_frame(now).saturating_duration_since(now);
        (!self.blind).then_some(due.max(Duration::from_millis(1)))
    }

    fn take_signals(&mut self, wires: &Wires) -> Option<Pass> {
        loop {
            match wires.signals.try_recv() {
                Ok(Signal::Hangup) => self.hang_up(wires),
                // Nobody may be there to answer a question.
                Ok(Signal::Interrupt | Signal::Terminate) => {
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
        if self.blind {
            return None;
        }
        loop {
            match wires.input.try_recv() {
                Ok(Input::Key(key)) => {
                    let effect = self.view.key(&key, &self.monitor);
                    self.due = self.due.max(Due::Now);
                    if let Some(pass) = effect.and_then(|effect| self.obey(effect, wires)) {
                        return Some(pass);
                    }
                }
                Ok(Input::Resize(..)) => self.due = self.due.max(Due::Now),
                Ok(_) => {}
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => {
                    // Nobody can press a key any more; the screen is worth as much as one that is gone.
                    if !self.input_closed {
                        self.input_closed = true;
                        self.hang_up(wires);
                    }
                    return None;
                }
            }
        }
    }

    fn take_events(&mut self, wires: &Wires) {
        if self.monitor.is_over() {
            return;
        }
        let now = Instant::now();
        for _ in 0..BULK {
            match wires.events.try_recv() {
                Ok(event) => {
                    self.monitor.apply(event, now);
                    self.due = self.due.max(Due::Soon);
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
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
            // Whether the training thread is still there is told by the events.
            Effect::Send(command) => {
                let _ = wires.commands.send(command);
                None
            }
            Effect::Leave => Some(self.leave()),
            Effect::Suspend => Some(Pass::Suspend),
            Effect::Redraw => {
                self.due = Due::Anew;
                None
            }
        }
    }

    /// The terminal is gone: what is finished has to get onto the disk.
    fn hang_up(&mut self, wires: &Wires) {
        self.blind = true;
        if !self.view.stopping && !self.monitor.is_over() {
            let effect = self.view.stop(&self.monitor);
            self.obey(effect, wires);
        }
    }

    fn leave(&self) -> Pass {
        let outcome = match &self.monitor.ending {
            Some(ending) => Outcome::Ended(ending.clone()),
            None if self.monitor.lost => Outcome::TrainerGone,
            None => Outcome::LeftAtOnce,
        };
        if self.blind {
            Pass::TerminalLost(outcome)
        } else {
            Pass::Left(outcome)
        }
    }
}

#[cfg(test)]
mod tests;
