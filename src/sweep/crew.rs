//! The runners of a sweep: starts them, sends them orders, and receives what they report.

mod here;
mod plan;
mod process;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use plan::Chosen;
pub(super) use plan::{Circumstances, choose, data_bytes};
pub use process::serve_pipes;
pub(super) use process::{Gone, Spec};

use super::memory::{killed_for_memory, resident_bytes};
use super::worker::{Job, Order, Worker};
use crate::device::DeviceChoice;
use crate::event::{CellIndex, Cells, Command, Event, Runner as Shown};
use crate::record::RunDir;

/// The number of reports that wait while the sweep's thread is busy, for example with a full disk. Then runners keep
/// what they have to report, and leave out points.
const WAITING: usize = 4096;

/// How runners are started.
enum Start {
    /// One runner, a thread of this process. It lasts as long as the sweep.
    Here(Option<Box<Worker>>),
    /// Each runner is a process.
    Processes(Spec),
}

/// A report of a runner.
pub(super) enum Report {
    /// The runner is ready; this is the name of its device.
    Ready(String),
    /// Something happened in its cell.
    Event(Event),
    /// The runner has ended. Nothing more comes from it.
    Gone(Gone),
}

/// A runner.
pub(super) struct Runner {
    pub(super) shown: Shown,
    /// The device it was started for.
    choice: DeviceChoice,
    orders: Sender<Order>,
    /// Its process; none if it is a thread of this process.
    pid: Option<u32>,
    /// Whether it takes orders.
    pub(super) is_ready: bool,
    /// Whether it will be ended once it has no cell.
    pub(super) is_leaving: bool,
    /// The cell that it trains, with the memory that the cell needs in bytes.
    pub(super) cell: Option<(CellIndex, u64)>,
    /// The number of cells that it was given.
    pub(super) cells_given: u32,
    /// How often the kernel had killed a process for memory when it started, or was given its cell.
    pub(super) kills_before: u64,
    /// Whether the last activity that it reported must not be lost, such as a pause.
    pub(super) is_lasting: bool,
}

/// All runners of a sweep.
pub(super) struct Crew {
    start: Start,
    runners: Vec<Runner>,
    /// The devices on which runners are started, in turn.
    devices: Vec<DeviceChoice>,
    threads: usize,
    next_number: u32,
    /// Sent to every new runner.
    is_paused: bool,
    reports_in: Sender<(u32, Report)>,
    pub(super) reports: Receiver<(u32, Report)>,
}

impl Crew {
    /// Returns an empty crew that can start the chosen runners: processes by `spec`, or a thread with this `worker`.
    pub(super) fn new(chosen: Chosen, spec: Spec, worker: impl FnOnce() -> Worker) -> Self {
        let (reports_in, reports) = bounded(WAITING);
        Self {
            start: if chosen.is_here {
                Start::Here(Some(Box::new(worker())))
            } else {
                Start::Processes(spec)
            },
            runners: Vec::new(),
            devices: chosen.devices,
            threads: chosen.threads,
            next_number: 0,
            is_paused: false,
            reports_in,
            reports,
        }
    }

    /// Returns whether runners are processes, whose number can change.
    pub(super) fn is_of_processes(&self) -> bool {
        matches!(self.start, Start::Processes(_))
    }

    /// Returns the number of runners that will stay.
    pub(super) fn len(&self) -> usize {
        self.runners.iter().filter(|runner| !runner.is_leaving).count()
    }

    /// Starts one more runner, on the device that has the fewest for its share.
    ///
    /// # Errors
    ///
    /// Returns an error if the process or a thread cannot be started.
    pub(super) fn add(&mut self, run_dir: &Arc<RunDir>) -> io::Result<()> {
        let choice = self.next_device();
        let number = self.next_number;
        let reports = self.reports_in.clone();
        let (orders, pid, device) = match &mut self.start {
            Start::Here(worker) => {
                let (orders, device) = here::start(worker, number, reports)?;
                (orders, None, device)
            }
            Start::Processes(spec) => {
                let (orders, pid) = process::start(spec, (run_dir, choice, self.threads), number, reports)?;
                (orders, Some(pid), choice.to_string())
            }
        };
        self.next_number += 1;
        let runner = Runner {
            shown: Shown {
                number,
                device,
                threads: self.threads,
            },
            choice,
            orders,
            pid,
            is_ready: false,
            is_leaving: false,
            cell: None,
            cells_given: 0,
            kills_before: killed_for_memory(),
            is_lasting: false,
        };
        if self.is_paused {
            runner.send(Order::Command(Command::Pause(Cells::All)));
        }
        self.runners.push(runner);
        Ok(())
    }

    /// Returns the device for the next runner: among all devices, the one whose runners are fewest relative to its
    /// share.
    fn next_device(&self) -> DeviceChoice {
        let share = |device: &DeviceChoice| self.devices.iter().filter(|other| *other == device).count() as f64;
        let used = |device: &DeviceChoice| self.runners.iter().filter(|runner| runner.choice == *device).count() as f64;
        let load = |device: &DeviceChoice| used(device) / share(device);
        let least = self.devices.iter().min_by(|a, b| load(a).total_cmp(&load(b)));
        least.copied().unwrap_or_default()
    }

    /// Returns the runners that will stay, for the screen.
    pub(super) fn event(&self) -> Event {
        let staying = self.runners.iter().filter(|runner| !runner.is_leaving);
        Event::Runners(staying.map(|runner| runner.shown.clone()).collect())
    }

    pub(super) fn get(&mut self, number: u32) -> Option<&mut Runner> {
        self.runners.iter_mut().find(|runner| runner.shown.number == number)
    }

    /// Returns a runner that can take a cell.
    pub(super) fn idle(&mut self) -> Option<&mut Runner> {
        let is_idle = |runner: &&mut Runner| runner.is_ready && !runner.is_leaving && runner.cell.is_none();
        self.runners.iter_mut().find(is_idle)
    }

    /// Returns the runner that trains this cell.
    pub(super) fn of_cell(&mut self, cell: CellIndex) -> Option<&mut Runner> {
        let trains = |runner: &&mut Runner| runner.cell.is_some_and(|(own, _)| own == cell);
        self.runners.iter_mut().find(trains)
    }

    /// Returns whether any runner trains a cell.
    pub(super) fn is_busy(&self) -> bool {
        self.runners.iter().any(|runner| runner.cell.is_some())
    }

    /// Returns whether no runner is there or starting.
    pub(super) fn is_empty(&self) -> bool {
        self.runners.is_empty()
    }

    /// Sends a command to every runner.
    pub(super) fn send_all(&mut self, command: Command) {
        match command {
            Command::Pause(Cells::All) => self.is_paused = true,
            Command::Resume(Cells::All) => self.is_paused = false,
            _ => {}
        }
        for runner in &self.runners {
            runner.send(Order::Command(command));
        }
    }

    /// Takes away one runner, an idle one if there is one. A runner that trains writes a checkpoint first, and ends
    /// when its cell is set aside. Returns that cell.
    pub(super) fn take_away(&mut self) -> Option<CellIndex> {
        let staying = |runner: &&mut Runner| !runner.is_leaving;
        let at = self
            .runners
            .iter()
            .rposition(|runner| !runner.is_leaving && runner.cell.is_none());
        if let Some(at) = at {
            // Without orders it ends by itself, and reports that.
            self.runners[at].leave();
            return None;
        }
        let last = self.runners.iter_mut().rev().find(staying)?;
        last.is_leaving = true;
        let (cell, _) = last.cell?;
        last.send(Order::Command(Command::Skip(cell)));
        Some(cell)
    }

    /// Ends every runner that has no cell.
    pub(super) fn dismiss(&mut self) {
        for runner in self.runners.iter_mut().filter(|runner| runner.cell.is_none()) {
            runner.leave();
        }
    }

    /// Waits until all runners have ended, but no longer than this.
    pub(super) fn see_off(&mut self, within: Duration) {
        let until = Instant::now() + within;
        while !self.is_empty()
            && let Ok((number, report)) = self.reports.recv_deadline(until)
        {
            if matches!(report, Report::Gone(_)) {
                self.remove(number);
            }
        }
    }

    /// Removes a runner that has ended, and returns it.
    pub(super) fn remove(&mut self, number: u32) -> Option<Runner> {
        let at = self.runners.iter().position(|runner| runner.shown.number == number)?;
        Some(self.runners.remove(at))
    }

    /// Returns the memory that the cells on the runners will still take, in bytes: what each needs less what its
    /// process holds. 0 on systems that do not tell.
    pub(super) fn reserved_bytes(&self) -> u64 {
        let open = |runner: &Runner| {
            let (_, needs) = runner.cell?;
            Some(needs.saturating_sub(resident_bytes(runner.pid?)?))
        };
        self.runners.iter().filter_map(open).sum()
    }
}

impl Runner {
    /// Gives this runner a cell that needs this much memory.
    pub(super) fn train(&mut self, job: Job, needs_bytes: u64) {
        self.cell = Some((job.cell, needs_bytes));
        self.is_lasting = false;
        self.cells_given += 1;
        self.kills_before = killed_for_memory();
        self.send(Order::Train(Box::new(job)));
    }

    /// Sends an order. A runner that is gone reports that itself.
    pub(super) fn send(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Ends the runner: it has no orders any more.
    pub(super) fn leave(&mut self) {
        self.is_leaving = true;
        self.orders = unbounded().0;
    }
}
