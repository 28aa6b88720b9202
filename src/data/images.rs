//! Images in the form that the files have.

/// Images as bytes, n × C × H × W. Black is 0 and white is 255.
pub(super) struct RawImages {
    pub(super) count: usize,
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) pixels: Vec<u8>,
}

impl RawImages {
    /// Returns height and width.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// Returns the number of bytes of one channel of one image. It is at least 1, so that it is a valid chunk size.
    pub(super) fn plane_len(&self) -> usize {
        (self.height * self.width).max(1)
    }

    /// Keeps the first `count` images.
    pub(super) fn truncate(&mut self, count: usize) {
        self.count = self.count.min(count);
        self.pixels
            .truncate(self.count * self.channels * self.height * self.width);
    }

    /// Keeps the images at `indices`, in that order.
    pub(super) fn keep(&mut self, indices: &[usize]) {
        let image = self.channels * self.plane_len();
        let kept = indices.iter().flat_map(|&i| &self.pixels[i * image..(i + 1) * image]);
        self.pixels = kept.copied().collect();
        self.count = indices.len();
    }
}
