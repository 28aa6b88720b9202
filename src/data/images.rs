//! Images or features in the form that the files have.

/// Examples of one size, n × C × H × W. Features are channels of a single pixel.
pub(super) struct RawImages {
    pub(super) count: usize,
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) values: Values,
}

/// The values of examples, row-major.
pub(super) enum Values {
    /// Pixels. Black is 0 and white is 255.
    Bytes(Vec<u8>),
    /// Features, in 64 bits because their standardization may cancel most digits. All are finite.
    Numbers(Vec<f64>),
}

impl RawImages {
    /// Returns channels, height and width.
    pub(super) fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Returns the number of values of one channel of one image. It is at least 1, so that it is a valid chunk size.
    pub(super) fn plane_len(&self) -> usize {
        (self.height * self.width).max(1)
    }

    /// Keeps the first `count` images.
    pub(super) fn truncate(&mut self, count: usize) {
        self.count = self.count.min(count);
        let kept = self.count * self.channels * self.height * self.width;
        match &mut self.values {
            Values::Bytes(bytes) => bytes.truncate(kept),
            Values::Numbers(numbers) => numbers.truncate(kept),
        }
    }

    /// Keeps the images at `indices`, in that order.
    pub(super) fn keep(&mut self, indices: &[usize]) {
        let image = self.channels * self.plane_len();
        self.values = match &self.values {
            Values::Bytes(bytes) => Values::Bytes(picked(bytes, image, indices)),
            Values::Numbers(numbers) => Values::Numbers(picked(numbers, image, indices)),
        };
        self.count = indices.len();
    }
}

/// Returns the pieces of length `len` at `indices`.
fn picked<T: Copy>(values: &[T], len: usize, indices: &[usize]) -> Vec<T> {
    indices
        .iter()
        .flat_map(|&i| &values[i * len..(i + 1) * len])
        .copied()
        .collect()
}
