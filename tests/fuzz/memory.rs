//! The peak memory of this process, as Linux measures it. On other systems it is unknown.

use std::fs;

/// Returns the peak resident memory since the last [`forget_peak`], in bytes.
pub fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Resets the peak. If the system refuses, the peak is counted from the start of the process and is at least as large.
pub fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
