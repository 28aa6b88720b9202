//! The process that holds a claim, and whether it is still alive.

use std::fs;
use std::sync::OnceLock;
use std::time::SystemTime;

use rustix::process::{Pid, getppid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::super::run_info::{host_name, rfc3339};
use super::job::Job;

/// A process that holds a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of its machine.
    pub host: String,
    /// The machine's identity, see machine-id(5).
    #[serde(default)]
    pub machine: Option<String>,
    /// A text that changes when the machine starts again.
    #[serde(default)]
    pub boot: Option<String>,
    /// The process IDs that it sees: a container has its own.
    #[serde(default)]
    pub pid_namespace: Option<String>,
    /// Its process ID.
    pub pid: u32,
    /// Its starting time, in clock ticks since the machine started: another process may get the same ID later.
    #[serde(default)]
    pub started: Option<u64>,
    /// The process that started it: the task, if it is one of its runners.
    #[serde(default)]
    pub parent: Option<u32>,
    /// The device that it trains on, for people.
    pub device: String,
    /// Its Slurm job, if it is part of one.
    #[serde(default)]
    pub job: Option<Job>,
    /// A random text that no other claim has.
    pub token: String,
    /// When it claimed the cell, for people.
    pub since: String,
}

/// What is known about the process that holds a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is dead: this machine knows.
    Dead,
    /// It is dead, as somebody says who may be wrong.
    Ended,
    /// It is alive, or nobody knows.
    Alive,
}

impl Holder {
    /// Returns this process, as the holder of a claim with this token.
    pub(super) fn this_process(device: &str, token: String) -> Self {
        Self {
            host: host_name(),
            machine: line_of("/etc/machine-id"),
            boot: line_of("/proc/sys/kernel/random/boot_id"),
            pid_namespace: fs::read_link("/proc/self/ns/pid")
                .ok()
                .map(|link| link.to_string_lossy().into_owned()),
            pid: std::process::id(),
            started: started("self").map(|(_, at)| at),
            parent: getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok()),
            device: device.to_owned(),
            job: Job::of_this_process(),
            token,
            since: rfc3339(SystemTime::now()),
        }
    }

    /// Returns whether this process, `own`, can see whether the holder runs.
    pub(super) fn is_here(&self, own: &Self) -> bool {
        // Systems without /proc tell neither the boot nor the starting time of a process.
        let has_none = self.boot.is_none() && own.boot.is_none();
        let is_this_boot = self.boot == own.boot && self.pid_namespace == own.pid_namespace;
        is_this_boot && (!has_none || (self.host == own.host && self.machine == own.machine))
    }

    /// Returns whether the holder is a dead process of this machine.
    pub(super) fn is_dead_here(&self, own: &Self) -> bool {
        self.is_here(own) && !self.is_running()
    }

    /// Returns whether it was a process of this machine, and is dead. Asks nobody else.
    #[must_use]
    pub fn is_dead_process(&self) -> bool {
        self.is_dead_here(Self::reader())
    }

    /// Returns this process, as one that asks about the holders of claims. What it is made of never changes, and many
    /// claims are asked about.
    fn reader() -> &'static Self {
        static OWN: OnceLock<Holder> = OnceLock::new();
        OWN.get_or_init(|| Self::this_process("", String::new()))
    }

    /// Returns whether it is this process, or one that this process has started.
    #[must_use]
    pub fn is_of_this_process(&self) -> bool {
        let own = Self::reader();
        self.is_here(own) && (self.pid == own.pid || self.parent == Some(own.pid))
    }

    /// Returns what this process, `own`, knows about the holder.
    pub(super) fn fate(&self, own: &Self) -> Fate {
        if self.is_here(own) {
            return if self.is_running() { Fate::Alive } else { Fate::Dead };
        }
        let is_this_machine = self.host == own.host && self.machine == own.machine;
        let is_another_boot = self.boot.is_some() && own.boot.is_some() && self.boot != own.boot;
        // Two machines may have one name, so this is not certain.
        if is_another_boot && is_this_machine {
            return Fate::Ended;
        }
        let Some(job) = &self.job else { return Fate::Alive };
        let is_earlier_start = own
            .job
            .as_ref()
            .is_some_and(|own| (&own.id, &own.task) == (&job.id, &job.task) && own.restarts > job.restarts);
        if is_earlier_start || job.has_ended() {
            Fate::Ended
        } else {
            Fate::Alive
        }
    }

    /// Returns whether a process of this machine with this ID and starting time runs.
    fn is_running(&self) -> bool {
        if !fs::exists("/proc/self/stat").unwrap_or(false) {
            let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
            return pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH));
        }
        started(&self.pid.to_string())
            .is_some_and(|(is_over, at)| !is_over && self.started.is_none_or(|started| started == at))
    }

    /// Returns the process in words: "process 4242 on node7 (Slurm job 17_3), since 2026-11-24T10:57:03Z".
    #[must_use]
    pub fn words(&self) -> String {
        let Self { host, pid, since, .. } = self;
        let job = self.job.as_ref().map(|job| format!(" (Slurm job {})", job.name()));
        format!("process {pid} on {host}{}, since {since}", job.unwrap_or_default())
    }
}

/// Returns whether a process has ended although its parent has not noticed, and its starting time in clock ticks since
/// the machine started; none if there is no such process.
fn started(pid: &str) -> Option<(bool, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in brackets, may contain anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    Some((matches!(*fields.first()?, "Z" | "X"), fields.get(19)?.parse().ok()?))
}

fn line_of(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    fn own() -> Holder {
        Holder::this_process("flex (CPU)", "token".to_owned())
    }

    #[test]
    fn a_process_of_this_machine_is_alive_until_it_has_ended_even_if_nobody_waited_for_it() {
        let own = own();
        assert_eq!(own.fate(&own), Fate::Alive);
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let held = Holder {
            pid: child.id(),
            started: started(&child.id().to_string()).map(|(_, at)| at),
            ..own.clone()
        };
        assert_eq!(held.fate(&own), Fate::Alive);
        child.kill().unwrap();
        // It is a zombie until `wait`, and dead all the same.
        while held.fate(&own) == Fate::Alive {
            std::thread::yield_now();
        }
        assert_eq!(held.fate(&own), Fate::Dead);
        child.wait().unwrap();
        assert_eq!(held.fate(&own), Fate::Dead);
    }

    #[test]
    fn processes_of_other_machines_and_containers_count_as_alive_and_those_of_an_earlier_boot_as_ended() {
        let own = own();
        let other = |change: fn(&mut Holder)| {
            let mut other = own.clone();
            other.pid = 1 << 30;
            change(&mut other);
            other.fate(&own)
        };
        assert_eq!(other(|_| {}), Fate::Dead);
        assert_eq!(other(|other| other.boot = Some("earlier".to_owned())), Fate::Ended);
        assert_eq!(
            other(|other| other.pid_namespace = Some("pid:[1]".to_owned())),
            Fate::Alive
        );
        assert_eq!(
            other(|other| {
                other.host = "node7".to_owned();
                other.boot = Some("its own".to_owned());
            }),
            Fate::Alive
        );
    }

    #[test]
    fn an_earlier_start_of_the_same_task_has_ended() {
        let job = |restarts| {
            let (id, task) = ("a test".to_owned(), Some("17_3".to_owned()));
            Some(Job { id, task, restarts })
        };
        let fate = |theirs, mine| {
            let own = Holder { job: mine, ..own() };
            let (host, boot) = ("node7".to_owned(), Some("its own".to_owned()));
            let other = Holder {
                host,
                boot,
                job: theirs,
                ..own.clone()
            };
            other.fate(&own)
        };
        assert_eq!(fate(job(0), job(1)), Fate::Ended);
        assert_eq!(fate(job(1), job(1)), Fate::Alive);
        assert_eq!(fate(job(2), job(1)), Fate::Alive);
        assert_eq!(fate(job(0), None), Fate::Alive);
    }
}
