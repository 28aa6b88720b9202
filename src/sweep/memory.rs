//! Checks whether a cell can fit into memory. On the CPU, a failed allocation ends the process, or the kernel kills the
//! process when memory runs out; the waiting cells would then not run either.

mod cgroup;
mod room;

use std::fmt;
use std::path::Path;

use crate::config::Settings;
use crate::device::OpenDevice;
use crate::number::count::counted;
use crate::setup;
use crate::train::{Moment, Needs, needs};
use room::{Room, Usage};
use sharpness::model::Network;

/// A cell that does not fit into memory.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLarge {
    needs: Needs,
    parameters: usize,
    room: Room,
}

impl std::error::Error for TooLarge {}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Needs {
            bytes,
            activation_bytes,
            moment,
            vectors,
            examples,
            set_by,
        } = &self.needs;
        match moment {
            Moment::Measurement(probe) => write!(f, "a measurement of λ_max on probe {}", probe + 1)?,
            Moment::Step => f.write_str("a step")?,
            Moment::Evaluation => f.write_str("an evaluation")?,
        }
        let (mebibytes, parameters, room) = (bytes >> 20, self.parameters, &self.room);
        let passed = counted(*examples as u64, "example");
        // Fewer examples in one pass help only if activations take most of the memory.
        let setting = if *examples > 1 && *activation_bytes > bytes / 2 {
            format!(" or `{set_by}`")
        } else {
            String::new()
        };
        write!(
            f,
            " needs at least {mebibytes} MiB ({vectors} vectors of {parameters} parameters, and the activations of \
             {passed}), but {room}; make the model{setting} smaller, or run it with more memory"
        )
    }
}

/// A data set that does not fit into memory.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{examples} examples of {data} need at least {} MiB to be read, but {room}; use fewer (`train_examples`, \
     `test_examples`), or run it with more memory",
    bytes >> 20
)]
pub struct DataTooLarge {
    data: String,
    examples: usize,
    bytes: u64,
    room: Room,
}

/// The memory that the process held before any data were read. Memory beyond that which does not belong to the present
/// data set was freed by earlier cells or by reading files; the allocator keeps it, and it counts as free.
#[derive(Debug)]
pub(super) struct Account {
    base: Usage,
}

impl Account {
    /// Returns the account of the present moment.
    pub(super) fn open() -> Self {
        Self { base: Usage::now() }
    }

    /// Returns the memory that is free for further processes, in bytes, if the system tells it.
    pub(super) fn free_bytes() -> Option<u64> {
        let none = Usage::default();
        room::least(Path::new("/"), &none, &none).map(|room| room.bytes)
    }

    /// Checks that the available memory can hold the data set of these settings while it is read and copied to the
    /// device.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot.
    pub(super) fn check_data(&self, settings: &Settings, device: &OpenDevice) -> Result<(), DataTooLarge> {
        let examples = settings.train_len() + settings.test_len();
        let pixels = (examples * settings.input_shape().iter().product::<usize>()) as u64;
        // Pixels are standardized in 32 bits, and then copied into the device's tensors.
        let on_device = if device.on_host {
            setup::dtype(settings).size() as u64
        } else {
            0
        };
        // Features are in 64 bits until they are standardized.
        let in_files = if settings.data.is_images() { 0 } else { 8 };
        let bytes = pixels * (4 + on_device + in_files);
        let now = Usage::now();
        match room::least(Path::new("/"), &now, &now.beyond(&self.base)) {
            Some(room) if room.bytes < bytes => Err(DataTooLarge {
                data: settings.data.to_string(),
                examples,
                bytes,
                room,
            }),
            _ => Ok(()),
        }
    }

    /// Checks that a cell fits into the available memory in addition to its data set of `data_bytes` bytes.
    /// `reserved_bytes` of the available memory are for cells on other runners.
    ///
    /// # Errors
    ///
    /// Returns an error if it does not fit. If the system does not tell the available memory, everything fits.
    pub(super) fn check(
        &self,
        settings: &Settings,
        network: &Network,
        device: &OpenDevice,
        data_bytes: u64,
        reserved_bytes: u64,
    ) -> Result<(), TooLarge> {
        if !device.on_host {
            return Ok(());
        }
        let now = Usage::now();
        let reusable = now.beyond(&self.base.with(data_bytes));
        let needs = needs(settings, network, setup::dtype(settings).size());
        let room = room::least(Path::new("/"), &now, &reusable).map(|room| room.without(reserved_bytes));
        match room {
            Some(room) if room.bytes < needs.bytes => Err(TooLarge {
                needs,
                parameters: network.layout().len(),
                room,
            }),
            _ => Ok(()),
        }
    }
}

/// Returns the memory that a process of this machine holds, in bytes, if the system tells it.
pub(super) fn resident_bytes(pid: u32) -> Option<u64> {
    Usage::of(&pid.to_string()).map(|usage| usage.resident)
}

/// Returns how often the kernel killed a process of this process's control group because memory ran out; 0 if the
/// system does not tell.
pub(super) fn killed_for_memory() -> u64 {
    cgroup::kills(Path::new("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_says_what_is_needed_what_is_left_by_whom_and_what_to_make_smaller() {
        let words = TooLarge {
            needs: Needs {
                bytes: 3 << 30,
                activation_bytes: 2 << 30,
                moment: Moment::Measurement(0),
                vectors: 49,
                examples: 2000,
                set_by: "group",
            },
            parameters: 1_000_000,
            room: Room {
                bytes: 1100 << 20,
                bound: room::Bound::Cgroup("/job".to_owned()),
            },
        }
        .to_string();
        let expected = "a measurement of λ_max on probe 1 needs at least 3072 MiB (49 vectors of 1000000 parameters, and \
            the activations of 2000 examples), but the cgroup /job leaves 1100 MiB; make the model or `group` smaller, \
            or run it with more memory";
        assert_eq!(words, expected);
    }
}
