//! Quantities of runs of other programs, which are known only when their files are read.

use std::sync::{PoisonError, RwLock};

use super::Quantity;

static ADDED: RwLock<Vec<&'static Quantity>> = RwLock::new(Vec::new());

/// Adds a quantity until the process ends.
pub(crate) fn add(quantity: &'static Quantity) {
    ADDED.write().unwrap_or_else(PoisonError::into_inner).push(quantity);
}

/// Returns the quantities that were added.
pub(crate) fn added() -> Vec<&'static Quantity> {
    ADDED.read().unwrap_or_else(PoisonError::into_inner).clone()
}
