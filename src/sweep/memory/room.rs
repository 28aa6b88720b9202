//! The memory that this process can still get, and the limit that determines it.

use std::fmt;
use std::fs;
use std::num::NonZero;
use std::path::Path;

use rustix::process::{Resource, getrlimit};

use super::cgroup;

/// Returns the address space that the process needs besides tensors: one stack of 2 MiB per processor, whose threads
/// may not have started yet, and 8 MiB for the rest.
fn stacks_bytes() -> u64 {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    (threads as u64) * (2 << 20) + (8 << 20)
}

/// The memory that the process holds, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) resident: u64,
    address_space: u64,
    data: u64,
}

impl Usage {
    /// Reads the usage of this process from Linux; all zero on other systems.
    pub(super) fn now() -> Self {
        Self::of("self").unwrap_or_default()
    }

    /// Reads the usage of a process, named by its number, from Linux.
    pub(super) fn of(process: &str) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let bytes = |name: &str| kibibytes(&status, name).unwrap_or(0);
        Some(Self {
            resident: bytes("VmRSS:"),
            address_space: bytes("VmSize:"),
            data: bytes("VmData:"),
        })
    }

    /// Returns this usage plus `bytes`.
    pub(super) fn with(&self, bytes: u64) -> Self {
        self.zip(self, |own, _| own.saturating_add(bytes))
    }

    /// Returns the amount by which this usage exceeds `other`.
    pub(super) fn beyond(&self, other: &Self) -> Self {
        self.zip(other, u64::saturating_sub)
    }

    fn zip(&self, other: &Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            resident: with(self.resident, other.resident),
            address_space: with(self.address_space, other.address_space),
            data: with(self.data, other.data),
        }
    }
}

/// The limit that determines the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Machine,
    Cgroup(String),
    AddressSpace,
    Data,
}

/// Memory that is still available.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) bytes: u64,
    pub(super) bound: Bound,
}

impl Room {
    /// Returns the room without `reserved` bytes, unless only this process is limited.
    pub(super) fn without(self, reserved: u64) -> Self {
        let is_shared = matches!(self.bound, Bound::Machine | Bound::Cgroup(_));
        let bytes = if is_shared {
            self.bytes.saturating_sub(reserved)
        } else {
            self.bytes
        };
        Self { bytes, ..self }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = self.bytes >> 20;
        match &self.bound {
            Bound::Machine => write!(f, "{mebibytes} MiB are free"),
            Bound::Cgroup(path) => write!(f, "the cgroup {path} leaves {mebibytes} MiB"),
            Bound::AddressSpace => write!(f, "the limit of address space (`ulimit -v`) leaves {mebibytes} MiB"),
            Bound::Data => write!(f, "the limit of the data segment (`ulimit -d`) leaves {mebibytes} MiB"),
        }
    }
}

/// Returns the minimum of the machine's free memory and what cgroups and limits leave for a process that uses `usage`,
/// of which `reusable` counts as free. The kernel's file systems are read below `root`. Returns `None` if the system
/// does not tell.
pub(super) fn least(root: &Path, usage: &Usage, reusable: &Usage) -> Option<Room> {
    let machine = available_bytes(root).map(|bytes| Room {
        bytes: bytes.saturating_add(reusable.resident),
        bound: Bound::Machine,
    });
    let cgroups = cgroup::left(root).into_iter().map(|(path, bytes)| Room {
        bytes: bytes.saturating_add(reusable.resident),
        bound: Bound::Cgroup(path),
    });
    let limits = [
        (
            Resource::As,
            usage.address_space,
            reusable.address_space,
            Bound::AddressSpace,
        ),
        (Resource::Data, usage.data, reusable.data, Bound::Data),
    ];
    let limits = limits.into_iter().filter_map(|(resource, used, again, bound)| {
        let most = getrlimit(resource).current?;
        // Without the used amount, the remaining room is unknown.
        (used > 0).then(|| Room {
            bytes: most.saturating_sub(used + stacks_bytes()).saturating_add(again),
            bound,
        })
    });
    machine
        .into_iter()
        .chain(cgroups)
        .chain(limits)
        .min_by_key(|room| room.bytes)
}

/// Returns the memory that is available without swapping, as Linux estimates it.
fn available_bytes(root: &Path) -> Option<u64> {
    kibibytes(&fs::read_to_string(root.join("proc/meminfo")).ok()?, "MemAvailable:")
}

/// Returns the value of the line with this name, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_machine_and_groups_counts_and_what_is_held_but_idle_is_added() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let usage = Usage::default();
        assert_eq!(least(root.path(), &usage, &usage), None);
        write("proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    4 kB\n");
        let room = |bytes, bound| Some(Room { bytes, bound });
        assert_eq!(least(root.path(), &usage, &usage), room(4096, Bound::Machine));
        let idle = Usage {
            resident: 1000,
            ..Usage::default()
        };
        assert_eq!(least(root.path(), &usage, &idle), room(5096, Bound::Machine));
        write("proc/self/cgroup", "0::/job\n");
        write("proc/self/mountinfo", "1 0 0:1 / /cg rw - cgroup2 cgroup2 rw\n");
        write("cg/job/memory.max", "5000");
        write("cg/job/memory.current", "2000");
        let cgroup = Bound::Cgroup("/job".to_owned());
        assert_eq!(least(root.path(), &usage, &idle), room(4000, cgroup));
    }

    #[test]
    fn what_earlier_cells_and_the_reading_of_files_left_is_free_and_a_data_set_is_not_wherever_it_lies() {
        let usage = |bytes| Usage {
            resident: bytes,
            address_space: bytes,
            data: bytes,
        };
        // Of 530 bytes, 100 were there before and 30 are the present data set, even if it reuses the memory of an
        // earlier one.
        assert_eq!(usage(530).beyond(&usage(100).with(30)), usage(400));
        assert_eq!(usage(120).beyond(&usage(100).with(30)), usage(0));
    }
}
