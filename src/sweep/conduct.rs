//! Conducts a sweep: gives cells to runners, takes in what they report, and writes what belongs to the sweep.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, never, select};

use super::crew::{Report, data_bytes};
use super::error::with_causes;
use super::log_words::{ended_words, kind_of, with_swept};
use super::memory::Account;
use super::worker::Job;
use super::{Ended, Sweep};
use crate::device::is_out_of_memory;
use crate::event::{
    Activity, CellEnding, CellIndex, Cells, Command, Event, LogKind, Point, Progress, Summary, SweepEnding,
};
use crate::record::{CellRow, RecordError, RowState, RunState, read_progress, rfc3339};
use crate::signals::STOP_WITHIN;
use crate::train::Outbox;

/// The time between two attempts to write to the disk after an error.
const RETRY: Duration = Duration::from_millis(500);

/// The time that runners have to end after their last order. The kernel ends those that are left.
const FAREWELL: Duration = Duration::from_secs(2);

/// Memory of the machine that stays free for other programs, in bytes.
const SPARE_BYTES: u64 = 128 << 20;

impl Sweep {
    /// Runs every cell that has not ended, in the order of the queue. Cells that were running when earlier processes
    /// were killed come last.
    ///
    /// A cell that fails, panics or ends its runner does not end the sweep. A run directory that cannot be written ends
    /// it.
    pub fn run(mut self, commands: &Receiver<Command>, outbox: &mut Outbox) -> Ended {
        let log = self.run_dir.logbook();
        outbox.log_into(Box::new(move |kind, cell, words| log.write(kind, cell, words)));
        let begins = format!(
            "{}: {} of {} cells to run",
            self.name,
            self.queue.waiting(),
            self.slice.as_ref().map_or(self.rows.len(), BTreeSet::len)
        );
        outbox.log(LogKind::Sweep, None, &begins);
        outbox.state(Event::SweepStarted(self.plan()));
        outbox.state(self.queue.event());
        for (cell, words) in self.notices.drain(..) {
            outbox.notice(cell, words);
        }
        let ending = match self.run_cells(commands, outbox) {
            Ok(ending) => ending,
            Err(error) => {
                self.wind_down(outbox);
                self.set_aside_what_runs();
                // Report the first error, not this one.
                let _ = self.table.write();
                SweepEnding::Failed(error)
            }
        };
        let written = if self.run_dir.is_shared() {
            self.insist(commands, outbox, Self::end_run_if_complete)
        } else {
            self.info.ended = Some(rfc3339(SystemTime::now()));
            self.info.state = match &ending {
                SweepEnding::Complete => RunState::Complete,
                SweepEnding::Stopped => RunState::Stopped,
                SweepEnding::Failed(why) => RunState::Failed(why.clone()),
            };
            self.insist(commands, outbox, |sweep| sweep.run_dir.write_run(&sweep.info))
        };
        let ending = match written {
            Err(error) if ending == SweepEnding::Complete => SweepEnding::Failed(error),
            _ => ending,
        };
        outbox.log(LogKind::Sweep, None, &ending.words());
        outbox.state(Event::SweepEnded(ending.clone()));
        // Their copies of the lock must be closed when this process ends. Everything is written by now, because this may
        // take longer than a signal to stop allows.
        self.crew.see_off(FAREWELL);
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(|row| self.is_own(row.cell));
        let failed = rows.into_iter().filter_map(|row| match row.state {
            RowState::Ended(CellEnding::Failed(why)) => Some((row.cell, why)),
            _ => None,
        });
        let elsewhere = if self.quit {
            Vec::new()
        } else {
            self.elsewhere.keys().copied().collect()
        };
        Ended {
            ending,
            failed: failed.collect(),
            elsewhere,
        }
    }

    /// Conducts the cells until none is left to run. Returns the error, in words, that ends the sweep.
    fn run_cells(&mut self, commands: &Receiver<Command>, outbox: &mut Outbox) -> Result<SweepEnding, String> {
        let mut commands = commands.clone();
        while let Ok(command) = commands.try_recv() {
            self.obey(command, outbox);
        }
        self.fill_crew(outbox);
        outbox.state(self.crew.event());
        loop {
            self.give_out(&commands, outbox)?;
            if !self.crew.is_busy() && (self.quit || self.queue.next().is_none()) {
                if self.look_again(outbox) {
                    continue;
                }
                break;
            }
            if self.crew.is_empty() {
                return Err("no runner can be started".to_owned());
            }
            select! {
                recv(commands) -> command => if let Ok(command) = command {
                    self.obey(command, outbox);
                } else {
                    // Nobody is left to resume, and training must not wait forever.
                    self.crew.send_all(Command::Resume(Cells::All));
                    commands = never();
                },
                recv(self.crew.reports) -> report => if let Ok((number, report)) = report {
                    self.take_in(number, report, &commands, outbox)?;
                },
            }
        }
        self.crew.dismiss();
        while let Some(cell) = self.queue.next_left_out() {
            self.leave_out(cell, &commands, outbox)?;
        }
        self.fill_rows();
        if let Some(words) = self.queue.held_words() {
            outbox.notice(None, words);
        }
        self.insist(&commands, outbox, |sweep| sweep.table.write())?;
        let unfinished = |row: &CellRow| {
            let is_left = matches!(row.state, RowState::Queued | RowState::Ended(CellEnding::Interrupted));
            is_left && self.is_own(row.cell)
        };
        Ok(
            if self.queue.has_again() || !self.elsewhere.is_empty() || self.rows.iter().any(unfinished) {
                SweepEnding::Stopped
            } else {
                SweepEnding::Complete
            },
        )
    }

    /// Asks every runner to stop, so that cells are set aside with a checkpoint, and waits for that. What cannot be
    /// written is given up: the sweep has failed for another reason, which the caller reports.
    fn wind_down(&mut self, outbox: &mut Outbox) {
        self.quit = true;
        self.crew.send_all(Command::Quit);
        self.crew.dismiss();
        let until = Instant::now() + STOP_WITHIN;
        while self.crew.is_busy()
            && let Ok((number, report)) = self.crew.reports.recv_deadline(until)
        {
            let _ = self.take_in(number, report, &never(), outbox);
        }
    }

    /// Starts runners until there are as many as wanted, or as many as cells. If one cannot be started, the others do
    /// the work.
    pub(super) fn fill_crew(&mut self, outbox: &Outbox) {
        let before = self.crew.len();
        while !self.quit && self.crew.len() < self.wanted_runners && self.crew.len() < self.queue.unended() {
            if let Err(error) = self.crew.add(&self.run_dir) {
                outbox.notice(None, format!("cannot start a runner: {error}"));
                self.wanted_runners = self.crew.len();
                break;
            }
        }
        if self.crew.len() > before {
            outbox.state(self.crew.event());
        }
    }

    /// Gives cells to the runners that have none.
    fn give_out(&mut self, commands: &Receiver<Command>, outbox: &mut Outbox) -> Result<(), String> {
        while !self.quit
            && let Some(cell) = self.queue.next()
            && self.crew.idle().is_some()
        {
            if self.queue.is_left_out(cell) {
                self.leave_out(cell, commands, outbox)?;
                continue;
            }
            let settings = self.settings(cell);
            let needs = self.queue.sizes[cell].memory_bytes + data_bytes(&settings);
            let reserved_bytes = self.crew.reserved_bytes();
            // A cell that does not fit beside the others waits until one of them has ended.
            if self.crew.is_busy() && !self.has_room(needs + reserved_bytes) {
                break;
            }
            self.queue.begin(cell);
            self.fill_rows();
            let row = &mut self.rows[cell];
            row.state = RowState::Running;
            // The values of an earlier attempt come from its files, once its folder is opened.
            row.summary = Summary::default();
            self.table.rows().put(row.clone());
            self.insist(commands, outbox, |sweep| sweep.table.check())?;
            let broken_off = self.broken_off.iter().position(|broken_off| broken_off.cell == cell);
            let job = Job {
                cell,
                settings,
                // The runner of an earlier attempt may have died before it opened the folder.
                anew: self.queue.begins_anew(cell) || self.anew.contains(&cell),
                had_failed: self.had_failed.contains(&cell),
                over: self.over.get(&cell).cloned(),
                attempt: broken_off.map(|at| self.broken_off.swap_remove(at).next_attempt()),
                reserved_bytes,
            };
            if job.anew {
                self.anew.insert(cell);
            }
            if let Some(runner) = self.crew.idle() {
                outbox.state(Event::Assigned {
                    cell,
                    runner: runner.shown.number,
                });
                runner.train(job, needs);
            }
        }
        Ok(())
    }

    /// Returns whether the machine has room for this many bytes.
    fn has_room(&self, bytes: u64) -> bool {
        !self.is_on_host || Account::free_bytes().is_none_or(|free| bytes + SPARE_BYTES <= free)
    }

    /// Takes in a report of a runner.
    fn take_in(
        &mut self,
        number: u32,
        report: Report,
        commands: &Receiver<Command>,
        outbox: &mut Outbox,
    ) -> Result<(), String> {
        match report {
            Report::Ready(device) => {
                if let Some(runner) = self.crew.get(number) {
                    runner.is_ready = true;
                    runner.shown.device = device;
                }
                outbox.state(self.crew.event());
                Ok(())
            }
            Report::Event(event) => self.take_event(number, event, commands, outbox),
            Report::Gone(gone) => self.bury(number, &gone, commands, outbox),
        }
    }

    fn take_event(
        &mut self,
        number: u32,
        event: Event,
        commands: &Receiver<Command>,
        outbox: &mut Outbox,
    ) -> Result<(), String> {
        match event {
            Event::CellStarted { cell } => {
                self.false_starts = 0;
                // A later process must continue this cell and not begin it again.
                if self.anew.remove(&cell) {
                    self.insist(commands, outbox, |sweep| sweep.queue.keep())?;
                }
                let row = &mut self.rows[cell];
                row.summary = read_progress(&self.run_dir.cell_path(cell));
                self.table.rows().put_values(row.clone());
                outbox.state(event);
            }
            Event::Logged(entry) => {
                let swept = entry.cell.filter(|_| entry.kind == LogKind::Begun);
                let swept = swept
                    .and_then(|cell| self.rows.get(cell))
                    .map(|row| row.swept.as_slice());
                outbox.log(
                    entry.kind,
                    entry.cell,
                    &with_swept(&entry.words, swept.unwrap_or_default()),
                );
            }
            Event::Measured { cell, point } => {
                self.note_point(cell, &point);
                self.insist(commands, outbox, |sweep| sweep.table.check())?;
                outbox.point(cell, *point);
            }
            Event::Progress { cell, progress } => {
                self.note_progress(cell, &progress);
                outbox.droppable(event);
            }
            Event::Activity { activity, .. } => {
                let is_lasting = matches!(activity, Activity::Paused | Activity::Blocked);
                let was_lasting = self
                    .crew
                    .get(number)
                    .is_some_and(|runner| std::mem::replace(&mut runner.is_lasting, is_lasting));
                // The beginning and end of a pause must not be lost.
                if is_lasting || was_lasting {
                    outbox.state(event);
                } else {
                    outbox.droppable(event);
                }
            }
            Event::CellEnded { cell, ending, summary } => {
                self.free(number);
                let may_fit_alone = !self.quit
                    && self.crew.is_busy()
                    && ending.failure().is_some_and(is_out_of_memory)
                    && !self.aborted.contains(&cell);
                if may_fit_alone && self.tries_again(cell) {
                    // The back end of the runner keeps the memory that it has got.
                    if let Some(runner) = self.crew.get(number) {
                        runner.leave();
                    }
                    self.go_on_later(cell, ending.failure().unwrap_or_default(), commands, outbox)?;
                    self.go_on_with_fewer("memory ran out", outbox);
                } else {
                    self.end_cell(cell, (ending, summary), commands, outbox)?;
                }
            }
            Event::CellElsewhere { cell, ended, words } => {
                self.free(number);
                self.note_elsewhere(cell, ended, &words, outbox);
            }
            Event::SweepEnded(SweepEnding::Failed(why)) => return Err(why),
            Event::SweepEnded(_) => self.release(number, outbox),
            other => outbox.state(other),
        }
        Ok(())
    }

    /// Notes that a runner has no cell any more.
    fn free(&mut self, number: u32) {
        if let Some(runner) = self.crew.get(number) {
            runner.cell = None;
            if runner.is_leaving || self.quit {
                runner.leave();
            }
        }
    }

    fn note_point(&mut self, cell: CellIndex, point: &Point) {
        let row = &mut self.rows[cell];
        row.summary.take_in(point);
        self.table.rows().put_values(row.clone());
    }

    fn note_progress(&mut self, cell: CellIndex, progress: &Progress) {
        let row = &mut self.rows[cell];
        let shown = &mut row.summary;
        (shown.steps, shown.epochs, shown.seconds) = (progress.step, progress.epoch, progress.seconds);
        self.table.rows().put_values(row.clone());
    }

    /// Notes how a cell ended, and publishes it.
    pub(super) fn end_cell(
        &mut self,
        cell: CellIndex,
        (ending, summary): (CellEnding, Summary),
        commands: &Receiver<Command>,
        outbox: &mut Outbox,
    ) -> Result<(), String> {
        let is_out_of_queue = self.queue.ended(cell, &ending);
        self.aborted.remove(&cell);
        if ending != CellEnding::Interrupted {
            self.deaths.remove(&cell);
            self.anew.remove(&cell);
        }
        let row = &mut self.rows[cell];
        row.state = RowState::Ended(ending.clone());
        row.summary = summary.clone();
        self.table.rows().put(row.clone());
        self.insist(commands, outbox, |sweep| sweep.table.check())?;
        outbox.tell_skipped();
        outbox.log(kind_of(&ending), Some(cell), &ended_words(&ending, &summary));
        outbox.state(Event::CellEnded { cell, ending, summary });
        if is_out_of_queue {
            outbox.state(self.queue.event());
        }
        Ok(())
    }

    /// Ends a queued cell that was aborted before its turn, so that a resume does not run it either.
    fn leave_out(&mut self, cell: CellIndex, commands: &Receiver<Command>, outbox: &mut Outbox) -> Result<(), String> {
        self.queue.begin(cell);
        self.fill_rows();
        let (ending, summary) = (CellEnding::Aborted, Summary::default());
        let is_written = self.write_end(cell, (&ending, &summary), commands, outbox)?;
        if self.queue.begins_anew(cell) {
            self.insist(commands, outbox, |sweep| sweep.queue.keep())?;
        }
        if !is_written {
            return Ok(());
        }
        self.end_cell(cell, (ending, summary), commands, outbox)
    }

    /// Adds rows for cells that were added to the queue.
    fn fill_rows(&mut self) {
        self.queue.fill(&mut self.rows);
    }

    /// Marks running cells as interrupted, so that the table does not show them as running after the sweep.
    fn set_aside_what_runs(&mut self) {
        let elsewhere = &self.elsewhere;
        let is_here = |row: &&mut CellRow| row.state == RowState::Running && !elsewhere.contains_key(&row.cell);
        for row in self.rows.iter_mut().filter(is_here) {
            row.state = RowState::Ended(CellEnding::Interrupted);
            row.summary = read_progress(&self.run_dir.cell_path(row.cell));
            self.table.rows().put(row.clone());
        }
    }

    /// Does work that writes to the run directory. After an error that can pass, such as a full disk, tries again until
    /// the work succeeds or the sweep must stop, and notifies the person watching. Returns the last error in words.
    pub(super) fn insist<T>(
        &mut self,
        commands: &Receiver<Command>,
        outbox: &Outbox,
        mut work: impl FnMut(&mut Self) -> Result<T, RecordError>,
    ) -> Result<T, String> {
        let first = match work(self) {
            Err(error) if error.can_pass() => error,
            done => return done.map_err(|error| with_causes(&error)),
        };
        outbox.notice(None, format!("{first}; training waits until writing succeeds"));
        let blocked = |activity| Event::Activity { cell: None, activity };
        outbox.state(blocked(Activity::Blocked));
        let done = loop {
            let since = Instant::now();
            // A command ends the wait early.
            match commands.recv_timeout(RETRY) {
                Ok(command) => self.obey(command, outbox),
                Err(_) => std::thread::sleep(RETRY.saturating_sub(since.elapsed())),
            }
            match work(self) {
                Err(error) if error.can_pass() && !self.quit => {}
                done => break done,
            }
        };
        if done.is_ok() {
            outbox.notice(None, "the run directory can be written again; training goes on");
        }
        outbox.state(blocked(Activity::Preparing));
        done.map_err(|error| with_causes(&error))
    }
}
