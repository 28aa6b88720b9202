//! The balanced Fashion-MNIST subset inside the program: the first 200 training and 200 test images of each class.
//!
//! `fashion_mnist_subset/LICENSE` has its copyright notice; `tests/data/subset.rs` rebuilds it from the full set.

use super::DataError;
use super::half::Half;

macro_rules! embedded {
    ($file:literal) => {
        (
            concat!("the embedded ", $file).to_owned(),
            include_bytes!(concat!("fashion_mnist_subset/", $file)).as_slice(),
        )
    };
}

/// Reads the training and the test half.
pub(super) fn read(classes: usize) -> Result<[Half; 2], DataError> {
    Ok([
        Half::decode_idx(
            embedded!("train-images-idx3-ubyte.gz"),
            embedded!("train-labels-idx1-ubyte.gz"),
            classes,
        )?,
        Half::decode_idx(
            embedded!("t10k-images-idx3-ubyte.gz"),
            embedded!("t10k-labels-idx1-ubyte.gz"),
            classes,
        )?,
    ])
}
