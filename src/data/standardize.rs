//! (x − mean)/deviation with one mean and one deviation for all pixels.

/// The mean and the deviation of some pixels, in units of 1/255, exact to the last rounding.
pub(super) struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// Mean Σx/n and population deviation √(nΣx² − (Σx)²)/n, from integer sums: nothing is lost to cancellation, and
    /// the deviation is zero only if all pixels are alike. Then it is taken as 1 (white), so that nothing is divided by 0.
    pub(super) fn of(pixels: &[u8]) -> Self {
        let count = pixels.len().max(1) as u128;
        let sum: u64 = pixels.iter().map(|&pixel| u64::from(pixel)).sum();
        let squares: u64 = pixels.iter().map(|&pixel| u64::from(pixel).pow(2)).sum();
        let spread = count * u128::from(squares) - u128::from(sum).pow(2);
        let deviation = if spread == 0 {
            255.0
        } else {
            (spread as f64).sqrt() / count as f64
        };
        Self {
            mean: sum as f64 / count as f64,
            deviation,
        }
    }

    /// The mean, where white is 1.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is what is wanted
    pub(super) fn mean(&self) -> f32 {
        (self.mean / 255.0) as f32
    }

    /// The deviation, where white is 1.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is what is wanted
    pub(super) fn deviation(&self) -> f32 {
        (self.deviation / 255.0) as f32
    }

    /// Every pixel standardized. There are 256 values, so each is computed once, in f64.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is what is wanted
    pub(super) fn apply(&self, pixels: &[u8]) -> Vec<f32> {
        let table: [f32; 256] = std::array::from_fn(|value| ((value as f64 - self.mean) / self.deviation) as f32);
        pixels.iter().map(|&pixel| table[usize::from(pixel)]).collect()
    }
}
