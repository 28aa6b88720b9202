//! Memory for results.

use crate::number::Number;

/// Minimum count of numbers that one thread writes if the work is split: with fewer, another thread costs more time
/// than it saves.
pub(crate) const PART: usize = 1 << 14;

/// Returns `len` numbers: zeros, over which `write` writes.
pub(crate) fn written<T: Number>(len: usize, write: impl FnOnce(&mut [T])) -> Vec<T> {
    let mut numbers = vec![T::default(); len];
    write(&mut numbers);
    numbers
}
