//! The commands of the person watching, carried out within one step.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};

use super::pauses::Pauses;
use super::{Outbox, Stopwatch};
use crate::event::{Activity, CellIndex, Cells, Command, Event};

/// The time between two attempts to write to the disk after an error.
const RETRY: Duration = Duration::from_millis(500);

/// Whether a cell goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Continue this cell.
    Go,
    /// End this cell and continue with the next.
    Abort,
    /// Set this cell aside and continue with the next.
    Skip,
    /// End the sweep.
    Quit,
}

/// Measurements that a command asked for, whether or not they are due.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// A measurement with an audit.
    pub audit: bool,
    /// A measurement without an audit, and an evaluation.
    pub plain: bool,
}

/// The receiver of commands about the running cell, and the requests so far. Commands about other cells are ignored.
pub struct Control {
    commands: Receiver<Command>,
    /// The number of commands received.
    heard: u64,
    /// The cell that is being prepared or trained.
    cell: Option<CellIndex>,
    pauses: Pauses,
    quit: bool,
    /// Whether the running cell must end ([`Verdict::Abort`]) or be set aside ([`Verdict::Skip`]).
    fate: Option<Verdict>,
    measurement: Asked,
    keep: bool,
    /// The last learning rate that was asked for, for the running cell.
    learning_rate: Option<f64>,
    activity: Option<Activity>,
}

impl Control {
    /// Returns a control without any requests yet.
    pub fn new(commands: Receiver<Command>) -> Self {
        Self {
            commands,
            heard: 0,
            cell: None,
            pauses: Pauses::default(),
            quit: false,
            fate: None,
            measurement: Asked::default(),
            keep: false,
            learning_rate: None,
            activity: None,
        }
    }

    /// Takes in the first `count` commands, counted from the beginning: those that were sent before the next cell.
    pub fn catch_up(&mut self, count: u64) {
        while self.heard < count
            && let Ok(command) = self.commands.recv()
        {
            self.note(command);
        }
    }

    /// Notes that this cell runs from now on.
    pub fn begin(&mut self, cell: CellIndex) {
        if self.cell != Some(cell) {
            (self.cell, self.activity, self.fate) = (Some(cell), None, None);
        }
    }

    /// Notes that the cell has ended, and drops the requests about it.
    pub fn end(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.pauses.forget(cell);
        }
        (self.activity, self.measurement, self.learning_rate) = (None, Asked::default(), None);
        (self.fate, self.keep) = (None, false);
    }

    /// Publishes the activity of the running cell, or between cells, if it has changed.
    pub fn busy_with(&mut self, activity: Activity, outbox: &Outbox) {
        if self.activity != Some(activity) {
            let cell = self.cell;
            let told = Event::Activity { cell, activity };
            // The beginning and end of a pause must not be lost; other activities change many times a second.
            let lasting = |activity| matches!(activity, Activity::Paused | Activity::Blocked);
            let sent = if lasting(activity) || self.activity.is_some_and(lasting) {
                outbox.state(told);
                true
            } else {
                outbox.droppable(told)
            };
            // An activity that was not sent is sent again at the next call.
            if sent {
                self.activity = Some(activity);
            }
        }
    }

    /// Takes in commands and waits while paused. Called between any two pieces of work that take noticeable time.
    pub fn checkpoint(&mut self, cell: CellIndex, outbox: &Outbox, stopwatch: &mut Stopwatch) -> Verdict {
        self.take_in();
        let before = self.activity;
        self.wait(cell, outbox, stopwatch);
        if let Some(activity) = before {
            self.busy_with(activity, outbox);
        }
        self.asked(cell)
    }

    /// Does the same as [`Self::checkpoint`] between two steps.
    pub fn between_steps(&mut self, cell: CellIndex, outbox: &Outbox, stopwatch: &mut Stopwatch) -> Verdict {
        self.take_in();
        self.wait(cell, outbox, stopwatch);
        if !self.pauses.has(cell) {
            self.busy_with(Activity::Training, outbox);
        }
        self.asked(cell)
    }

    /// Waits while paused, unless the cell must end.
    ///
    /// A pending learning rate lifts the pause until it is applied between two steps, so a running measurement is
    /// completed first. [`Self::is_to_pause`] stays true.
    fn wait(&mut self, cell: CellIndex, outbox: &Outbox, stopwatch: &mut Stopwatch) {
        let is_called = |control: &Self| control.learning_rate.is_some();
        let waits =
            |control: &Self| control.pauses.has(cell) && control.asked(cell) == Verdict::Go && !is_called(control);
        if !waits(self) {
            return;
        }
        let pause = Instant::now();
        self.busy_with(Activity::Paused, outbox);
        while waits(self) {
            match self.commands.recv() {
                Ok(command) => self.note(command),
                // Nobody is left to resume, and training must not wait forever.
                Err(_) => self.pauses.set(Cells::All, false),
            }
        }
        stopwatch.leave_out(pause.elapsed());
    }

    /// Does work that writes to the run directory. After an error that `can_pass`, tries again until the work succeeds
    /// or the sweep must stop. Notifies the person watching, and does not count the waiting time.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    pub fn insist<T, E: std::fmt::Display>(
        &mut self,
        outbox: &Outbox,
        stopwatch: Option<&mut Stopwatch>,
        can_pass: impl Fn(&E) -> bool,
        mut work: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let first = match work() {
            Err(error) if can_pass(&error) => error,
            done => return done,
        };
        let (before, since) = (self.activity, Instant::now());
        outbox.notice(self.cell, format!("{first}; training waits until writing succeeds"));
        self.busy_with(Activity::Blocked, outbox);
        let done = loop {
            // A command ends the wait early.
            if let Ok(command) = self.commands.recv_timeout(RETRY) {
                self.note(command);
            }
            match work() {
                Err(error) if can_pass(&error) && !self.quit => {}
                done => break done,
            }
        };
        if let Some(stopwatch) = stopwatch {
            stopwatch.leave_out(since.elapsed());
        }
        if done.is_ok() {
            outbox.notice(self.cell, "the run directory can be written again; training goes on");
        }
        self.busy_with(before.unwrap_or(Activity::Preparing), outbox);
        done
    }

    /// Returns the measurements that were asked for since the last call.
    pub fn take_measurement(&mut self) -> Asked {
        std::mem::take(&mut self.measurement)
    }

    /// Returns whether a checkpoint was asked for since the last call.
    pub fn take_keep(&mut self) -> bool {
        std::mem::take(&mut self.keep)
    }

    /// Returns the learning rate that was asked for since the last call.
    pub fn take_learning_rate(&mut self) -> Option<f64> {
        self.take_in();
        self.learning_rate.take()
    }

    /// Returns what the commands so far ask of a cell, without waiting.
    pub fn verdict(&mut self, cell: CellIndex) -> Verdict {
        self.take_in();
        self.asked(cell)
    }

    /// Returns whether the next [`Self::checkpoint`] waits.
    pub fn is_to_pause(&mut self, cell: CellIndex) -> bool {
        self.take_in();
        self.pauses.has(cell)
    }

    fn asked(&self, cell: CellIndex) -> Verdict {
        let fate = self.fate.filter(|_| self.cell == Some(cell));
        match fate {
            // An abort takes precedence over the end of the sweep: a resume must not run the cell.
            Some(Verdict::Abort) => Verdict::Abort,
            _ if self.quit => Verdict::Quit,
            Some(fate) => fate,
            None => Verdict::Go,
        }
    }

    fn take_in(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.note(command),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn note(&mut self, command: Command) {
        self.heard += 1;
        let is_here = match command.running() {
            Some(Cells::One(cell)) => self.cell == Some(cell),
            Some(Cells::All) => true,
            None => false,
        };
        if !is_here {
            return;
        }
        match command {
            Command::Pause(cells) => self.pauses.set(cells, true),
            Command::Resume(cells) => self.pauses.set(cells, false),
            Command::Keep(_) => self.keep = true,
            Command::Audit(_) => self.measurement.audit = true,
            Command::Measure(_) => self.measurement.plain = true,
            Command::SetLearningRate { learning_rate, .. } => self.learning_rate = Some(learning_rate),
            Command::Abort(_) => self.fate = Some(Verdict::Abort),
            // An aborted cell is not set aside.
            Command::Skip(_) => self.fate = self.fate.or(Some(Verdict::Skip)),
            Command::Quit => self.quit = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cell: CellIndex, activity: Activity) -> Event {
        let cell = Some(cell);
        Event::Activity { cell, activity }
    }

    #[test]
    fn a_pause_waits_for_resume_and_its_time_is_not_counted() {
        const LASTS: Duration = Duration::from_millis(50);
        let (sender, receiver) = crossbeam_channel::unbounded();
        let (events, seen) = crossbeam_channel::unbounded();
        let outbox = Outbox::new(events);
        let mut control = Control::new(receiver);
        let mut stopwatch = Stopwatch::start();
        control.begin(0);
        control.busy_with(Activity::Training, &outbox);
        sender.send(Command::Pause(Cells::All)).unwrap();
        let watcher = std::thread::spawn(move || {
            let mut activities: Vec<Event> = Vec::new();
            for event in &seen {
                activities.push(event);
                if activities.last() == Some(&told(0, Activity::Paused)) {
                    std::thread::sleep(LASTS);
                    sender.send(Command::Resume(Cells::All)).unwrap();
                }
            }
            activities
        });
        assert_eq!(control.checkpoint(0, &outbox, &mut stopwatch), Verdict::Go);
        assert!(stopwatch.left_out() >= LASTS);
        drop(outbox);
        let expected = [Activity::Training, Activity::Paused, Activity::Training].map(|activity| told(0, activity));
        assert_eq!(watcher.join().unwrap(), expected);
    }

    #[test]
    fn quit_and_abort_are_heard_while_paused() {
        for (command, verdict) in [(Command::Quit, Verdict::Quit), (Command::Abort(3), Verdict::Abort)] {
            let (sender, receiver) = crossbeam_channel::unbounded();
            let (events, _seen) = crossbeam_channel::unbounded();
            sender.send(Command::Pause(Cells::All)).unwrap();
            sender.send(command).unwrap();
            let mut control = Control::new(receiver);
            control.begin(3);
            let verdict_now = control.checkpoint(3, &Outbox::new(events), &mut Stopwatch::start());
            assert_eq!(verdict_now, verdict);
        }
    }

    #[test]
    fn a_pause_is_left_for_a_learning_rate_of_this_cell_and_goes_on_afterwards() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let (events, seen) = crossbeam_channel::unbounded();
        let outbox = Outbox::new(events);
        let (mut control, mut stopwatch) = (Control::new(receiver), Stopwatch::start());
        let rate = |cell| Command::SetLearningRate {
            cell,
            learning_rate: 0.5,
        };
        control.begin(1);
        for command in [Command::Pause(Cells::All), rate(2), rate(1)] {
            sender.send(command).unwrap();
        }
        // First during a measurement, then after it.
        assert_eq!(control.checkpoint(1, &outbox, &mut stopwatch), Verdict::Go);
        assert_eq!(control.between_steps(1, &outbox, &mut stopwatch), Verdict::Go);
        assert_eq!(control.take_learning_rate(), Some(0.5));
        assert!(control.is_to_pause(1));
        // A learning rate for another cell does not lift the pause.
        for command in [rate(2), Command::Resume(Cells::All)] {
            sender.send(command).unwrap();
        }
        assert_eq!(control.between_steps(1, &outbox, &mut stopwatch), Verdict::Go);
        assert!(!control.is_to_pause(1));
        let activities: Vec<Event> = seen
            .try_iter()
            .filter(|event| matches!(event, Event::Activity { .. }))
            .collect();
        assert_eq!(activities.last(), Some(&told(1, Activity::Training)), "{activities:?}");
    }

    #[test]
    fn an_abort_concerns_its_own_cell_only() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let (events, _seen) = crossbeam_channel::unbounded();
        let outbox = Outbox::new(events);
        let mut control = Control::new(receiver);
        let mut verdict = |cell| {
            control.begin(cell);
            sender.send(Command::Abort(2)).unwrap();
            control.checkpoint(cell, &outbox, &mut Stopwatch::start())
        };
        assert_eq!([1, 2, 3].map(&mut verdict), [Verdict::Go, Verdict::Abort, Verdict::Go]);
    }

    #[test]
    fn a_pause_ends_when_nobody_is_left_to_resume() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let (events, _seen) = crossbeam_channel::unbounded();
        sender.send(Command::Pause(Cells::All)).unwrap();
        drop(sender);
        let mut control = Control::new(receiver);
        let verdict = control.checkpoint(0, &Outbox::new(events), &mut Stopwatch::start());
        assert_eq!(verdict, Verdict::Go);
    }

    #[test]
    fn a_pause_of_one_cell_holds_until_that_cell_ends_and_one_of_all_holds_beyond() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let mut control = Control::new(receiver);
        control.begin(0);
        sender.send(Command::Pause(Cells::One(0))).unwrap();
        assert!(control.is_to_pause(0) && !control.is_to_pause(1));
        control.end();
        control.begin(0);
        assert!(!control.is_to_pause(0));
        sender.send(Command::Pause(Cells::All)).unwrap();
        assert!(control.is_to_pause(0));
        control.end();
        control.begin(1);
        assert!(control.is_to_pause(1));
    }

    #[test]
    fn what_is_asked_of_another_cell_is_not_done() {
        let commands = [
            Command::Pause(Cells::One(2)),
            Command::Resume(Cells::One(2)),
            Command::Audit(2),
            Command::Measure(2),
            Command::Keep(Cells::One(2)),
            Command::Abort(2),
            Command::Skip(2),
            Command::SetLearningRate {
                cell: 2,
                learning_rate: 0.5,
            },
        ];
        for command in commands {
            let (sender, receiver) = crossbeam_channel::unbounded();
            let mut control = Control::new(receiver);
            control.begin(1);
            sender.send(command).unwrap();
            assert_eq!(control.verdict(1), Verdict::Go);
            let asked = control.take_measurement();
            assert!(!asked.audit && !asked.plain && !control.take_keep(), "{command:?}");
            assert_eq!(control.take_learning_rate(), None);
            assert!(!control.is_to_pause(1) && !control.is_to_pause(2), "{command:?}");
        }
    }

    #[test]
    fn a_command_that_was_sent_before_a_cell_does_not_act_on_it() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        for command in [Command::Abort(1), Command::Pause(Cells::All), Command::Skip(1)] {
            sender.send(command).unwrap();
        }
        let mut control = Control::new(receiver);
        control.catch_up(2);
        control.begin(1);
        assert_eq!(
            control.verdict(1),
            Verdict::Skip,
            "the abort was for an earlier attempt"
        );
        assert!(control.is_to_pause(1), "a pause of all cells also holds for later ones");
    }

    #[test]
    fn what_was_asked_of_a_cell_that_has_ended_concerns_no_other_one() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let mut control = Control::new(receiver);
        control.begin(1);
        for command in [Command::Audit(1), Command::Measure(1)] {
            sender.send(command).unwrap();
        }
        control.verdict(1);
        control.end();
        control.begin(2);
        let asked = control.take_measurement();
        assert!(!asked.audit && !asked.plain);
    }
}
