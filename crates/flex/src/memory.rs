//! Memory for what comes out.

use crate::number::Number;

/// Numbers that one thread writes at least, where there are more: below, another one costs more than it saves.
pub(crate) const PART: usize = 1 << 14;

/// The `len` numbers that `write` writes over zeros.
pub(crate) fn written<T: Number>(len: usize, write: impl FnOnce(&mut [T])) -> Vec<T> {
    let mut numbers = vec![T::default(); len];
    write(&mut numbers);
    numbers
}
