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
            cores: cores(device),
            free_bytes: Account::free_bytes(),
        }
    }
}

/// Returns the number of threads that this device's back end uses in this process: that of the environment, else one a
/// processor. For a GPU it is the number of processors, because clusters often allow one OpenMP thread by default.
fn cores(device: &OpenDevice) -> usize {
    let set = |name: &&str| std::env::var(name).ok()?.parse().ok().filter(|count| *count > 0);
    let of_machine = std::thread::available_parallelism().map_or(1, NonZero::get);
    device.thread_variables().iter().find_map(set).unwrap_or(of_machine)
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
            let is_large = self.cells.iter().any(|(settings, _)| fills_a_gpu(settings));
            return (if is_large { 1 } else { most.clamp(1, MOST_ON_A_GPU) }, limit);
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
    let pixels: usize = settings.input_shape().iter().product();
    ((settings.train_len() + settings.test_len()) * pixels * crate::setup::dtype(settings).size()) as u64
}

/// Returns the share of a step's time that threads divide among themselves (Amdahl's law).
///
/// Measured with flex on two cores of an AMD EPYC, as 2 · (1 − t₂/t₁) from the times t₁ with one thread and t₂ with two.
/// Each time is the least of three. Other programs kept the cores busy, which makes the shares too small:
///
/// | network | batch | t₁ in s | t₂ in s | share |
/// |---|---|--:|--:|--:|
/// | 784-32-32-10 | 50 | 0.54 | 0.55 | 0 |
/// | 784-256-256-10 | 50 | 0.86 | 0.87 | 0 |
/// | 784-1024-1024-10 | 50 | 2.02 | 1.65 | 0.4 |
/// | 784-256-256-10 | 500 | 1.21 | 0.75 | 0.8 |
/// | 784-256-256-10 | 2,000 | 2.04 | 1.16 | 0.9 |
/// | CNN (8, 16) | 50 | 1.40 | 0.71 | 1 |
/// | CNN (8, 16) | 500 | 0.99 | 0.67 | 0.6 |
/// | VGG-11 (16) | 50 | 1.96 | 1.39 | 0.6 |
/// | ResNet-20 (8) | 50 | 2.75 | 2.26 | 0.4 |
///
/// A measurement of λ_max passes many examples at once: with it, a cell of the dropout sweep has a share of 0.4. Where
/// the table is uncertain, the larger share is taken: it leads to fewer runners.
fn parallel_share(settings: &Settings) -> f64 {
    let examples = match settings.batch_size {
        Extent::Full => settings.train_len(),
        Extent::Count(size) => size,
    };
    match &settings.model {
        Model::Mlp { .. } if examples < 500 => 0.4,
        Model::Mlp { .. } | Model::Cnn { .. } => 0.8,
        _ => 0.7,
    }
}

/// Returns whether one cell keeps a GPU busy, so that cells beside it would only take turns.
fn fills_a_gpu(settings: &Settings) -> bool {
    !matches!(settings.model, Model::Mlp { .. } | Model::Cnn { .. })
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Experiment;
    use crate::device::open;

    const GIB: u64 = 1 << 30;

    /// A network of the dropout sweep.
    const SMALL: &str = "model: Mlp(widths: [256, 256]), batch_size: 50";
    const DEEP: &str = "model: Vgg11(width: 16), batch_size: 50";

    /// Returns the settings of one cell that trains for a long time.
    fn settings(of: &str) -> Settings {
        let text = format!("({of}, learning_rate: 0.1, steps: 100000, probes: [(examples: 20)])");
        let mut experiment = Experiment::parse(&text, Path::new("plan.ron")).unwrap();
        experiment.cells.remove(0).settings
    }

    fn size(memory_bytes: u64) -> CellSize {
        CellSize {
            parameters: 300_000,
            memory_bytes,
        }
    }

    /// Returns the device of a GPU, as far as the choice needs it.
    fn gpu() -> OpenDevice {
        OpenDevice {
            on_host: false,
            ..open(DeviceChoice::Flex).unwrap()
        }
    }

    fn circumstances<'a>(
        device: &'a OpenDevice,
        settings: &'a Settings,
        cells: usize,
        cores: usize,
    ) -> Circumstances<'a> {
        Circumstances {
            choice: DeviceChoice::Flex,
            device,
            cells: vec![(settings, size(100 << 20)); cells],
            threads: None,
            cores,
            free_bytes: Some(64 * GIB),
        }
    }

    /// Returns the number of runners and of threads of each that are chosen.
    fn auto(on: &Circumstances) -> (usize, usize) {
        let chosen = choose(Some(&RunnerChoice::Auto), on);
        (chosen.devices.len(), chosen.threads)
    }

    #[test]
    fn small_networks_get_a_runner_a_processor_as_far_as_there_are_cells() {
        let (device, small) = (open(DeviceChoice::Flex).unwrap(), settings(SMALL));
        for (cells, cores, expected) in [
            (35, 1, (1, 1)),
            (35, 2, (2, 1)),
            (35, 16, (12, 1)),
            (1, 16, (1, 16)),
            (2, 16, (2, 8)),
            (16, 16, (16, 1)),
        ] {
            let on = circumstances(&device, &small, cells, cores);
            assert_eq!(auto(&on), expected, "{cells} cells, {cores} processors");
        }
    }

    #[test]
    fn the_choice_is_never_slower_than_one_runner_by_its_own_model() {
        let device = open(DeviceChoice::Flex).unwrap();
        for network in [SMALL, DEEP, "model: Cnn(channels: (8, 16)), batch_size: 500"] {
            let settings = settings(network);
            let share = parallel_share(&settings);
            let a_cell = |threads: usize| 1.0 - share + share / threads as f64;
            for cells in 1..40 {
                for cores in 1..33 {
                    let (runners, threads) = auto(&circumstances(&device, &settings, cells, cores));
                    let time = cells.div_ceil(runners) as f64 * a_cell(threads);
                    let alone = cells as f64 * a_cell(cores);
                    assert!(time <= alone, "{network}: {cells} cells, {cores} processors: {runners}");
                    assert!(runners * threads <= cores && runners <= cells);
                }
            }
        }
    }

    #[test]
    fn memory_limits_the_number_and_the_line_says_so() {
        let (device, small) = (open(DeviceChoice::Flex).unwrap(), settings(SMALL));
        let mut on = circumstances(&device, &small, 35, 8);
        on.free_bytes = Some(2 * GIB);
        for (_, cell) in &mut on.cells {
            cell.memory_bytes = 400 << 20;
        }
        let chosen = choose(Some(&RunnerChoice::Auto), &on);
        // A runner, its cell and its data set need about 476 MiB, and 70 % of 2 GiB may be filled.
        assert_eq!(chosen.devices.len(), 3);
        let words = chosen.words.unwrap();
        let expected = "3 runners with 2 threads each, chosen for 8 processors and 35 cells, in 2048 MiB of free memory; \
            --runners changes this";
        assert_eq!(words, expected);
        // A system that does not tell how much is free.
        on.free_bytes = None;
        assert_eq!(auto(&on), (7, 1));
        // What the user asks for holds.
        on.free_bytes = Some(GIB);
        let asked = choose(Some(&RunnerChoice::Count(6)), &on);
        assert_eq!((asked.devices.len(), asked.threads, asked.words), (6, 1, None));
    }

    #[test]
    fn on_a_gpu_small_networks_share_the_card_and_large_ones_do_not() {
        let device = gpu();
        let (small, deep) = (settings(SMALL), settings(DEEP));
        assert_eq!(auto(&circumstances(&device, &small, 35, 16)), (8, 2));
        assert_eq!(auto(&circumstances(&device, &deep, 35, 16)), (1, 16));
        let mut on = circumstances(&device, &small, 35, 16);
        on.cells[3].0 = &deep;
        assert_eq!(auto(&on), (1, 16), "one large network fills the card");
        let mut on = circumstances(&device, &small, 35, 16);
        on.free_bytes = Some(9 * GIB);
        assert_eq!(auto(&on).0, 3, "each runner holds CUDA's libraries on the host");
    }

    #[test]
    fn what_takes_seconds_is_trained_here_and_so_is_what_nobody_asked_to_share() {
        let (device, small) = (open(DeviceChoice::Flex).unwrap(), settings(SMALL));
        let mut on = circumstances(&device, &small, 3, 2);
        for (_, cell) in &mut on.cells {
            cell.parameters = 10;
        }
        let chosen = choose(Some(&RunnerChoice::Auto), &on);
        assert!(chosen.is_here && chosen.words.is_none());
        assert!(choose(None, &circumstances(&device, &small, 35, 16)).is_here);
    }

    #[test]
    fn recorded_threads_are_kept_and_leave_room_for_fewer_runners() {
        let (device, small) = (open(DeviceChoice::Flex).unwrap(), settings(SMALL));
        for (threads, cores, runners) in [(1, 2, 2), (2, 2, 1), (2, 8, 4), (16, 2, 1)] {
            let mut on = circumstances(&device, &small, 35, cores);
            on.threads = Some(threads);
            let chosen = choose(Some(&RunnerChoice::Auto), &on);
            assert_eq!((chosen.devices.len(), chosen.threads), (runners, threads));
            assert_eq!(chosen.is_here, runners == 1 && threads == cores);
            let asked = choose(Some(&RunnerChoice::Count(3)), &on);
            assert_eq!((asked.devices.len(), asked.threads), (3, threads));
        }
    }
}
