//! Whether everything else ends with this process.

use std::fs;
use std::os::unix::process::parent_id;

/// Small programs that containers begin with: they start one process, and end with it.
const INITS: [&str; 4] = ["docker-init", "tini", "dumb-init", "catatonit"];

/// Whether this process is the first of its container (of its PID namespace), or the one that the first was started for. When
/// it ends, the kernel kills every other process in there, and one that trains has no time for a checkpoint.
pub(crate) fn ends_with_this_process() -> bool {
    let first = || fs::read_to_string("/proc/1/comm").unwrap_or_default();
    std::process::id() == 1 || (parent_id() == 1 && INITS.contains(&first().trim_end()))
}
