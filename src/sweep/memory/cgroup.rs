//! Reads how much memory the control groups of this process leave, in versions 1 and 2.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Limits of this size or more mean no limit: version 1 has the largest number of pages if no limit is set.
const NO_LIMIT: u64 = 1 << 60;

/// The files of one version.
struct Files {
    /// Files that hold a limit in bytes, or "max".
    limits: &'static [&'static str],
    usage: &'static str,
    /// The file that counts the processes that were killed, in its line `oom_kill`.
    events: &'static str,
    /// Names of lines in `memory.stat` that count file pages, which the kernel frees when memory is short.
    reclaimable: [&'static str; 2],
}

const VERSION_1: Files = Files {
    limits: &["memory.limit_in_bytes"],
    usage: "memory.usage_in_bytes",
    events: "memory.oom_control",
    reclaimable: ["total_inactive_file ", "total_active_file "],
};

const VERSION_2: Files = Files {
    limits: &["memory.max", "memory.high"],
    usage: "memory.current",
    events: "memory.events",
    reclaimable: ["inactive_file ", "active_file "],
};

/// Returns each control group that limits memory, including ancestors: its path in its hierarchy and the bytes it
/// leaves.
pub(super) fn left(root: &Path) -> Vec<(String, u64)> {
    let found = groups(root).into_iter();
    found
        .filter_map(|group| Some((group.path, group.files.left(&group.folder)?)))
        .collect()
}

/// Returns how often the kernel killed a process in the innermost control group of this process because memory ran out.
pub(super) fn kills(root: &Path) -> u64 {
    let count = |group: &Group| {
        let events = fs::read_to_string(group.folder.join(group.files.events)).ok()?;
        let line = events.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
        line.trim().parse().ok()
    };
    groups(root).iter().find_map(count).unwrap_or(0)
}

/// A control group of this process.
struct Group {
    /// Its path in its hierarchy.
    path: String,
    folder: PathBuf,
    files: &'static Files,
}

/// Returns the control groups of this process that account for memory, each followed by its ancestors.
fn groups(root: &Path) -> Vec<Group> {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let (own, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
    let mut found = Vec::new();
    for mount in mounts.lines().filter_map(Mount::parse) {
        let Some(path) = own
            .lines()
            .find_map(|line| path_of(line, mount.files.usage == VERSION_1.usage))
        else {
            continue;
        };
        // If a namespace hides the path, only the mounted group is visible.
        let below = path.strip_prefix(&mount.root).unwrap_or(Path::new(""));
        let below = if below.starts_with("..") { Path::new("") } else { below };
        let top = root.join(mount.place.strip_prefix("/").unwrap_or(&mount.place));
        for folder in below.ancestors() {
            // Joining an empty path would add a slash at the end.
            let path: PathBuf = mount.root.components().chain(folder.components()).collect();
            found.push(Group {
                path: path.display().to_string(),
                folder: top.join(folder),
                files: mount.files,
            });
        }
    }
    found
}

/// Returns the path in a line of `/proc/self/cgroup` if the line is of version 1's memory controller (`first`), or else
/// of version 2.
fn path_of(line: &str, first: bool) -> Option<&Path> {
    let mut fields = line.splitn(3, ':');
    let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let is_meant = if first {
        controllers.split(',').any(|name| name == "memory")
    } else {
        number == "0" && controllers.is_empty()
    };
    is_meant.then(|| Path::new(path))
}

/// A mounted hierarchy of control groups.
struct Mount {
    /// The group that is mounted.
    root: PathBuf,
    /// The mount point.
    place: PathBuf,
    files: &'static Files,
}

impl Mount {
    /// Parses a line of `/proc/self/mountinfo`.
    fn parse(line: &str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, place) = (unescaped(fields.next()?), unescaped(fields.next()?));
        let mut fields = after.split(' ');
        let (kind, options) = (fields.next()?, fields.nth(1).unwrap_or_default());
        let files = match kind {
            "cgroup" if options.split(',').any(|option| option == "memory") => &VERSION_1,
            "cgroup2" => &VERSION_2,
            _ => return None,
        };
        Some(Self { root, place, files })
    }
}

/// Decodes a path in which blanks and similar characters are written in octal, such as `\040`.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let number = (*first == b'\\')
            .then(|| std::str::from_utf8(behind.get(..3)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(number.unwrap_or(*first));
        rest = if number.is_some() { &behind[3..] } else { behind };
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

impl Files {
    /// Returns the bytes that the group of this folder leaves, if it has a limit.
    fn left(&self, folder: &Path) -> Option<u64> {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
        let limits = self.limits.iter().filter_map(|name| number(name));
        let limit = limits.min().filter(|limit| *limit < NO_LIMIT)?;
        let stat = read("memory.stat").unwrap_or_default();
        let count = |name: &str| {
            let count = stat.lines().find_map(|line| line.strip_prefix(name));
            count.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        let reclaimable: u64 = self.reclaimable.iter().map(|name| count(name)).sum();
        let usage = number(self.usage)?.saturating_sub(reclaimable);
        Some(limit.saturating_sub(usage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1_MOUNT: &str = "30 25 0:26 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n";
    const V2_MOUNT: &str = "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    /// Makes a tree of these files and returns what its groups leave.
    fn left_in(files: &[(&str, &str)]) -> Vec<(String, u64)> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        left(root.path())
    }

    fn limited(path: &str, bytes: u64) -> (String, u64) {
        (path.to_owned(), bytes)
    }

    #[test]
    fn version_2_gives_the_room_of_the_group_and_of_its_ancestors() {
        let found = left_in(&[
            ("proc/self/cgroup", "0::/slurm/job 7/step\n"),
            ("proc/self/mountinfo", V2_MOUNT),
            ("sys/fs/cgroup/slurm/job 7/step/memory.max", "max\n"),
            ("sys/fs/cgroup/slurm/job 7/step/memory.high", "9000\n"),
            ("sys/fs/cgroup/slurm/job 7/step/memory.current", "5000\n"),
            ("sys/fs/cgroup/slurm/job 7/memory.max", "10000\n"),
            ("sys/fs/cgroup/slurm/job 7/memory.high", "max\n"),
            ("sys/fs/cgroup/slurm/job 7/memory.current", "9500\n"),
            (
                "sys/fs/cgroup/slurm/job 7/memory.stat",
                "anon 1\nfile 3000\nactive_file 300\ninactive_file 700\n",
            ),
            ("sys/fs/cgroup/slurm/memory.max", "max\n"),
            ("sys/fs/cgroup/slurm/memory.current", "1\n"),
        ]);
        assert_eq!(
            found,
            [limited("/slurm/job 7/step", 4000), limited("/slurm/job 7", 1500)]
        );
    }

    #[test]
    fn version_1_gives_the_room_and_its_largest_number_is_no_limit() {
        let found = left_in(&[
            (
                "proc/self/cgroup",
                "5:cpu,cpuacct:/x\n4:hugetlb,memory:/sge/job\n0::/\n",
            ),
            ("proc/self/mountinfo", V1_MOUNT),
            ("sys/fs/cgroup/memory/sge/job/memory.limit_in_bytes", "8000\n"),
            ("sys/fs/cgroup/memory/sge/job/memory.usage_in_bytes", "8000\n"),
            (
                "sys/fs/cgroup/memory/sge/job/memory.stat",
                "inactive_file 1\ntotal_inactive_file 500\n",
            ),
            (
                "sys/fs/cgroup/memory/sge/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("sys/fs/cgroup/memory/sge/memory.usage_in_bytes", "8000\n"),
        ]);
        assert_eq!(found, [limited("/sge/job", 500)]);
    }

    #[test]
    fn in_a_container_the_mount_is_the_group_whatever_its_path_is_said_to_be() {
        let files = |own, mount| {
            left_in(&[
                ("proc/self/cgroup", own),
                ("proc/self/mountinfo", mount),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "8000"),
                ("sys/fs/cgroup/memory/memory.usage_in_bytes", "9000"),
            ])
        };
        // The group is bind-mounted, seen from inside, or hidden by a namespace.
        let bound = V1_MOUNT.replacen(" / /", " /docker/abc /", 1);
        assert_eq!(files("4:memory:/docker/abc\n", &bound), [limited("/docker/abc", 0)]);
        assert_eq!(files("4:memory:/\n", V1_MOUNT), [limited("/", 0)]);
        assert_eq!(files("4:memory:/../other\n", V1_MOUNT), [limited("/", 0)]);
        assert_eq!(files("4:memory:/\n", &bound), [limited("/docker/abc", 0)]);
    }

    #[test]
    fn a_place_with_a_blank_is_found_and_what_says_nothing_or_nonsense_limits_nothing() {
        let blank = V2_MOUNT.replace("/sys/fs/cgroup", "/sys/fs/c\\040g");
        let found = left_in(&[
            ("proc/self/cgroup", "0::/a\n"),
            ("proc/self/mountinfo", &blank),
            ("sys/fs/c g/a/memory.max", "50"),
            ("sys/fs/c g/a/memory.current", "20"),
        ]);
        assert_eq!(found, [limited("/a", 30)]);
        assert_eq!(left_in(&[]), []);
        let nonsense = [
            ("proc/self/cgroup", "0::\n::\nx\n"),
            ("proc/self/mountinfo", "a b - cgroup2\n\n - \n"),
        ];
        assert_eq!(left_in(&nonsense), []);
        let unreadable = [
            ("proc/self/cgroup", "0::/a\n"),
            ("proc/self/mountinfo", V2_MOUNT),
            ("sys/fs/cgroup/a/memory.max", "many"),
            ("sys/fs/cgroup/a/memory.current", "20"),
        ];
        assert_eq!(left_in(&unreadable), []);
    }
}
