//! Rules for the list of exports.

use super::{Refusal, Verdict};
use crate::config::Export;

/// Refuses an export that is listed twice.
pub(in crate::config) fn export(export: &[Export]) -> Verdict {
    for (index, format) in export.iter().enumerate() {
        if export[..index].contains(format) {
            let message = format!("{format:?} is given a second time; keep one");
            return Err(Refusal::new("export", message).of_part(format!("[{index}]")));
        }
    }
    Ok(())
}
