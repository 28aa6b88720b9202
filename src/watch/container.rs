//! Detects whether all other processes of the container end with this one.

use std::fs;
use std::os::unix::process::parent_id;

/// Small init programs of containers: they start one process and end with it.
const INITS: [&str; 4] = ["docker-init", "tini", "dumb-init", "catatonit"];

/// Shells; a shell that runs a script or a command ends with it.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"];

/// Returns whether this process is the first of its container (of its PID namespace), or the process for which the
/// first one was started, for example by an entry script. When it ends, the kernel kills every other process of the
/// container, and a training process has no time to write a checkpoint.
pub(crate) fn ends_with_this_process() -> bool {
    if std::process::id() == 1 {
        return true;
    }
    let read = |name: &str| fs::read_to_string(format!("/proc/1/{name}")).unwrap_or_default();
    parent_id() == 1 && ends_with_its_child(read("comm").trim_end(), &read("cmdline"))
}

/// Returns whether a process with this name and command line (words ended by zero bytes) ends when its child ends.
fn ends_with_its_child(name: &str, words: &str) -> bool {
    let is_given = |word: &str| !word.is_empty() && (word == "-c" || !word.starts_with('-'));
    INITS.contains(&name) || (SHELLS.contains(&name) && words.split('\0').skip(1).any(is_given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_with_its_child_is_told_from_what_stays() {
        for (name, words, ends) in [
            ("tini", "tini\0--\0sharptui\0", true),
            ("sh", "sh\0-c\0sharptui a.ron; echo done\0", true),
            ("bash", "bash\0/entry.sh\0", true),
            ("bash", "bash\0", false),
            ("bash", "-bash\0--login\0", false),
            ("systemd", "/sbin/init\0splash\0", false),
        ] {
            assert_eq!(ends_with_its_child(name, words), ends, "{name} {words}");
        }
    }
}
