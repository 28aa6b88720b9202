//! Whether a cell can fit into memory at all: on the CPU an allocation that fails ends the process, and with it the
//! cells behind it.

/// Vectors of the size of the parameters that every cell holds at once: the first measurement of λ_max takes a basis of
/// ten and its images, beside the parameters, their gradient and temporaries.
const VECTORS: u64 = 24;

/// A cell that cannot fit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its {parameters} parameters need at least {needed_mebibytes} MiB ({VECTORS} vectors of {bytes} bytes a number), \
     and {available_mebibytes} MiB are free; make the model smaller, or run it on a larger machine"
)]
pub struct TooLarge {
    parameters: u64,
    bytes: u64,
    needed_mebibytes: u64,
    available_mebibytes: u64,
}

/// Checks that the vectors of `parameters` numbers of `bytes` each fit into what memory is free.
///
/// # Errors
///
/// If they do not. Where the system does not say what is free, everything fits.
pub fn check(parameters: usize, bytes: u64) -> Result<(), TooLarge> {
    available_bytes().map_or(Ok(()), |available| fits(parameters as u64, bytes, available))
}

/// What a cell of so many parameters of `bytes` each needs at least, in bytes.
pub fn needed_bytes(parameters: u64, bytes: u64) -> u64 {
    parameters.saturating_mul(bytes).saturating_mul(VECTORS)
}

fn fits(parameters: u64, bytes: u64, available: u64) -> Result<(), TooLarge> {
    let needed = needed_bytes(parameters, bytes);
    if needed <= available {
        return Ok(());
    }
    Err(TooLarge {
        parameters,
        bytes,
        needed_mebibytes: needed >> 20,
        available_mebibytes: available >> 20,
    })
}

/// Memory that can be had without swapping, as Linux estimates it.
fn available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_fits_and_what_does_not_says_by_how_much() {
        assert_eq!(fits(1 << 20, 4, 96 << 20), Ok(()));
        let words = fits(1 << 20, 4, (96 << 20) - 1).unwrap_err().to_string();
        assert!(words.contains("1048576 parameters need at least 96 MiB"), "{words}");
        assert!(words.contains("95 MiB are free"), "{words}");
        assert!(fits(u64::MAX, 8, u64::MAX - 1).is_err());
    }
}
