//! The load of the machine: processors, memory and NVIDIA GPUs, read once a second by a separate thread.

mod driver;

use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use driver::Driver;

/// The time between two readings.
const EVERY: Duration = Duration::from_secs(1);

/// One reading of the machine's load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// The load of all processors together, in percent of all of them.
    pub processors_percent: f32,
    /// The number of processors.
    pub processors: usize,
    /// Used memory, in bytes.
    pub memory_used_bytes: u64,
    /// Total memory, in bytes.
    pub memory_bytes: u64,
    /// The process that trains, with its runners, if it is known and exists.
    pub training: Option<Process>,
    /// NVIDIA GPUs; empty without a GPU or its driver, and in a static program, which cannot load the driver's library.
    pub gpus: Vec<Gpu>,
}

/// The process that trains, with its runners.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// Its processor load, in percent of one processor.
    pub processor_percent: f32,
    /// Its resident memory, in bytes.
    pub memory_bytes: u64,
}

/// One GPU; a value that the driver does not report is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gpu {
    /// Its name.
    pub name: String,
    /// The share of time in which it was busy, in percent.
    pub busy_percent: Option<u32>,
    /// Used and total memory, in bytes.
    pub memory_bytes: Option<(u64, u64)>,
    /// Its temperature, in degrees Celsius.
    pub temperature_celsius: Option<u32>,
    /// The power it draws, in watts.
    pub power_watts: Option<f64>,
}

/// Reads the load of this machine and of the process `training` once a second, until the receiver is dropped. The
/// channel holds at most one reading.
///
/// # Errors
/// Returns an error if the thread cannot be started.
pub fn watch(training: Option<u32>) -> io::Result<Receiver<Load>> {
    let (out, loads) = bounded(1);
    thread::Builder::new()
        .name("machine".to_owned())
        .spawn(move || read_on(training, &out))?;
    Ok(loads)
}

fn read_on(training: Option<u32>, out: &Sender<Load>) {
    let mut system = System::new();
    let driver = Driver::open();
    loop {
        let load = read(&mut system, driver.as_ref(), training);
        match out.try_send(load) {
            Err(TrySendError::Disconnected(_)) => return,
            // The last reading has not been received yet.
            Ok(()) | Err(TrySendError::Full(_)) => {}
        }
        thread::sleep(EVERY);
    }
}

fn read(system: &mut System, driver: Option<&Driver>, training: Option<u32>) -> Load {
    system.refresh_cpu_usage();
    system.refresh_memory();
    let process = training.and_then(|training| {
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        let all = with_children(training);
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&all), true, kind);
        system.process(all[0])?;
        let found = all.iter().filter_map(|pid| system.process(*pid));
        Some(found.fold(Process::default(), |sum, process| Process {
            processor_percent: sum.processor_percent + process.cpu_usage(),
            memory_bytes: sum.memory_bytes + process.memory(),
        }))
    });
    Load {
        processors_percent: system.global_cpu_usage(),
        processors: system.cpus().len(),
        memory_used_bytes: system.used_memory(),
        memory_bytes: system.total_memory(),
        training: process,
        gpus: driver.map(Driver::gpus).unwrap_or_default(),
    }
}

/// Returns a process and, on Linux, the processes that it started: the runners of a sweep.
fn with_children(pid: u32) -> Vec<Pid> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children: Vec<u32> = lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|child| child.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect();
    [pid].into_iter().chain(children).map(Pid::from_u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_this_machine_are_read() {
        let mut system = System::new();
        let load = read(&mut system, None, Some(std::process::id()));
        assert!(load.processors > 0 && load.memory_bytes > load.memory_used_bytes);
        assert!((0.0..=100.0).contains(&load.processors_percent));
        let memory = load.training.unwrap().memory_bytes;
        assert!(memory > 0 && memory < load.memory_bytes);
        assert!(load.gpus.is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_runners_of_a_process_count_as_a_part_of_it() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let all = with_children(std::process::id());
        assert_eq!(all[0], Pid::from_u32(std::process::id()));
        assert!(all[1..].contains(&Pid::from_u32(child.id())));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_is_gone_is_none() {
        let load = read(&mut System::new(), None, Some(u32::MAX - 7));
        assert_eq!(load.training, None);
    }

    #[test]
    fn a_reading_comes_and_reading_ends_when_nobody_listens() {
        let loads = watch(None).unwrap();
        assert!(loads.recv_timeout(Duration::from_secs(20)).is_ok());
        let (out, loads) = bounded(1);
        drop(loads);
        // Must return because the receiver is gone.
        read_on(None, &out);
    }
}
