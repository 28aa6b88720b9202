//! How many runners a sweep has, on which devices, and with how many threads each.

use std::num::NonZero;

use super::super::memory::Account;
use crate::config::{Extent, Model, Settings};
use crate::device::{DeviceChoice, OpenDevice, RunnerChoice};
use crate::event::CellSize;
use crate::number::count::counted;

/// The largest number of runners that is chosen for a GPU. Without NVIDIA's MPS the processes take turns: 16 of them
/// trained 2.4 times as many steps a second as one, with it 15.6 times (H200, the network of `configs/dropout.ron`).
const MOST_ON_A_GPU: usize = 8;

/// The share of the free memory that the chosen runners may fill.
const MEMORY_SHARE: f64 = 0.7;

/// Memory of a runner in addition to its cell and data set, in bytes: the program, its threads and the libraries.
const RUNNER_BYTES: u64 = 64 << 20;

/// The same on a GPU's host, where CUDA's libraries are loaded.
const CUDA_RUNNER_BYTES: u64 = 2 << 30;

/// A sweep of less work than this, in seconds of one thread, is done before further runners have started.
const SHORT_SECONDS: f64 = 5.0;

/// Floating-point operations a second of one thread, for a rough estimate of the work.
const OPERATIONS_PER_SECOND: f64 = 3e9;

/// The runners of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The device of each.
    pub devices: Vec<DeviceChoice>,
    /// The number of threads of each.
    pub threads: usize,
    /// Whether the only runner is a thread of the sweep's process.
    pub is_here: bool,
    /// One line for people that says what was chosen, and why; none for what the user asked for, and for one runner as
    /// usual.
    pub words: Option<String>,
}

/// What the choice depends on.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// The device that `--device` names.
    pub choice: DeviceChoice,
    /// That device, opened.
    pub device: &'a OpenDevice,
    /// The settings and sizes of the cells that are to run.
    pub cells: Vec<(&'a Settings, CellSize)>,
    /// The number of threads a runner has, if the run has recorded it.
    pub threads: Option<usize>,
    /// The number of processors for this process.
    pub cores: usize,
    /// Free memory in bytes, if the system tells it.
    pub free_bytes: Option<u64>,
}

impl<'a> Circumstances<'a> {
    /// Returns the circumstances on this machine.
    pub fn here(
        choice: DeviceChoice,
        device: &'a OpenDevice,
        cells: Vec<(&'a Settings, CellSize)>,
        threads: Option<usize>,
    ) -> Self {
        Self {
            choice,
            device,
            cells,
            threads,
            cores: cores(),
            free_bytes: Account::free_bytes(),
        }
    }
}

/// Returns the number of threads that back ends use in this process: that of the environment, else one a processor.
#[must_use]
pub fn cores() -> usize {
    let set = |name: &str| std::env::var(name).ok()?.parse().ok().filter(|count| *count > 0);
    let of_machine = std::thread::available_parallelism().map_or(1, NonZero::get);
    super::process::THREADS.into_iter().find_map(set).unwrap_or(of_machine)
}

/// Chooses the runners of a sweep. If nothing was asked, there is one, in this process.
#[must_use]
pub fn choose(asked: Option<&RunnerChoice>, on: &Circumstances) -> Chosen {
    let share = |count: usize| (on.cores / count.max(1)).max(1);
    let here = Chosen {
        devices: vec![on.choice],
        threads: on.cores,
        is_here: true,
        words: None,
    };
    let Some(asked) = asked else { return here };
    match asked {
        RunnerChoice::On(devices) => {
            let each = devices.iter().flat_map(|(device, count)| vec![*device; *count]);
            let devices: Vec<DeviceChoice> = each.collect();
            let threads = on.threads.unwrap_or_else(|| share(devices.len()));
            chosen(devices, threads, None)
        }
        RunnerChoice::Count(count) => {
            let threads = on.threads.unwrap_or_else(|| share(*count));
            chosen(vec![on.choice; *count], threads, None)
        }
        RunnerChoice::Auto => {
            let (count, limit) = on.best();
            let threads = on.threads.unwrap_or_else(|| share(count));
            if count == 1 && threads == on.cores {
                return here;
            }
            let why = format!(
                "chosen for {} and {}{limit}; --runners changes this",
                counted(on.cores as u64, "processor"),
                counted(on.cells.len() as u64, "cell")
            );
            chosen(vec![on.choice; count], threads, Some(&why))
        }
    }
}

fn chosen(devices: Vec<DeviceChoice>, threads: usize, why: Option<&str>) -> Chosen {
    let count = counted(devices.len() as u64, "runner");
    let each = if devices.len() == 1 { "" } else { " each" };
    let with = counted(threads as u64, "thread");
    Chosen {
        words: why.map(|why| format!("{count} with {with}{each}, {why}")),
        devices,
        threads,
        is_here: false,
    }
}

impl Circumstances<'_> {
    /// Returns the number of runners that is likely to make the sweep fastest, and what limits it besides the
    /// processors, in words.
    fn best(&self) -> (usize, String) {
        let most = self.cells.len().min(self.cores / self.threads.unwrap_or(1).max(1));
        let seconds: f64 = self.cells.iter().map(|(settings, size)| work(settings, *size)).sum();
        if most < 2 || seconds < SHORT_SECONDS {
            return (1, String::new());
        }
        let (room, limit) = self.room();
        let most = most.min(room);
        let limit = if most == room { limit } else { String::new() };
        if !self.device.on_host {
            let is_small = self.cells.iter().all(|(settings, _)| parallel_share(settings) < LARGE);
            return (if is_small { most.clamp(1, MOST_ON_A_GPU) } else { 1 }, limit);
        }
        let share = self
            .cells
            .iter()
            .map(|(settings, _)| parallel_share(settings))
            .fold(0.0, f64::max);
        let time = |count: usize| {
            let threads = self.threads.unwrap_or((self.cores / count).max(1)) as f64;
            let rounds = self.cells.len().div_ceil(count) as f64;
            rounds * (1.0 - share + share / threads)
        };
        let mut best = 1;
        for count in 2..=most {
            if time(count) < time(best) {
                best = count;
            }
        }
        (best, limit)
    }

    /// Returns how many runners fit into memory, and that this is the limit, in words.
    fn room(&self) -> (usize, String) {
        let Some(free) = self.free_bytes else {
            return (usize::MAX, String::new());
        };
        let own = if self.device.on_host {
            RUNNER_BYTES
        } else {
            CUDA_RUNNER_BYTES
        };
        let cell = |(settings, size): &(&Settings, CellSize)| {
            let memory = if self.device.on_host { size.memory_bytes } else { 0 };
            memory + data_bytes(settings) + own
        };
        let largest = self.cells.iter().map(cell).max().unwrap_or(own);
        let count = (free as f64 * MEMORY_SHARE / largest as f64) as usize;
        (count.max(1), format!(", in {} MiB of free memory", free >> 20))
    }
}

/// Returns the memory of a cell's data set, in bytes.
pub(in super::super) fn data_bytes(settings: &Settings) -> u64 {
    let data = settings.data;
    let pixels = data.channels() * data.side() * data.side();
    ((settings.train_len() + settings.test_len()) * pixels * crate::setup::dtype(settings).size()) as u64
}

/// The share of a step that threads divide among themselves, from which a network counts as large.
const LARGE: f64 = 0.8;

/// Returns the share of a step's time that threads divide among themselves (Amdahl's law).
///
/// Measured on two cores with flex: the dropout network (256-256, batches of 50) trained 1.25 times as fast with two
/// threads as with one, which is a share of 0.4; deep convolutional networks come close to twice as fast.
fn parallel_share(settings: &Settings) -> f64 {
    let examples = match settings.batch_size {
        Extent::Full => settings.train_len(),
        Extent::Count(size) => size,
    };
    match &settings.model {
        Model::Mlp { .. } if examples < 500 => 0.4,
        Model::Mlp { .. } | Model::Cnn { .. } => 0.7,
        _ => 0.95,
    }
}

/// Returns a rough estimate of a cell's training time on one thread, in seconds; it is too low for convolutions.
fn work(settings: &Settings, size: CellSize) -> f64 {
    let examples = match settings.batch_size {
        Extent::Full => settings.train_len(),
        Extent::Count(size) => size,
    };
    let operations = 6.0 * examples as f64 * size.parameters as f64;
    settings.planned_steps() as f64 * operations / OPERATIONS_PER_SECOND
}
