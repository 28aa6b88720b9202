//! The most memory this process has held, as Linux counts it; nothing is known elsewhere.

use std::fs;

/// Peak resident memory since the last [`forget_peak`], in bytes.
pub fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Counts the peak from here on. Where the system refuses, it is that of the whole process, which is no less.
pub fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
