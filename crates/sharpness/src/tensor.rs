//! Tensors outside of networks: vectors of parameters, and copies between the host and a device.

mod rounding;
mod transfer;
pub(crate) mod vectors;

pub use rounding::{Rounding, can_round};
pub use transfer::{Reading, upload, upload_bytes, upload_indices, works_behind};
pub use vectors::{add_scaled, norm};
