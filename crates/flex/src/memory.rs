//! Memory that is written once, not zeroed before; all `unsafe` code is here and where it is called.

use std::mem::MaybeUninit;

use crate::number::Number;

/// Numbers that one thread writes at least, where there are more: below, another one costs more than it saves.
pub(crate) const PART: usize = 1 << 14;

/// The `len` numbers that `write` writes.
///
/// # Safety
///
/// `write` writes every one of them.
pub(crate) unsafe fn written<T: Number>(len: usize, write: impl FnOnce(&mut [MaybeUninit<T>])) -> Vec<T> {
    let mut numbers = Vec::with_capacity(len);
    let places = &mut numbers.spare_capacity_mut()[..len];
    if cfg!(debug_assertions) {
        places.fill(MaybeUninit::new(T::NAN));
    }
    write(places);
    // SAFETY: they are within the capacity, and the caller promises that they are written.
    unsafe { numbers.set_len(len) };
    numbers
}
