//! The number of examples in one pass of a training step.

use crate::config::{Extent, Settings};

/// Returns the number of examples in one pass of a training step. With batch norm, the examples of a pass share
/// statistics, so a pass has the whole batch, or the statistics group of a full batch.
pub(super) fn chunk(settings: &Settings, batch: usize, batch_norm: bool) -> usize {
    match (batch_norm, settings.batch_size, settings.statistics_group) {
        (false, _, _) => settings.chunk_size,
        (true, Extent::Full, Extent::Count(group)) => group,
        (true, _, _) => batch,
    }
}
