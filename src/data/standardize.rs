//! Standardization to (x − mean)/deviation, with one mean and one deviation for all pixels of a channel.

use super::images::RawImages;

/// The mean and the standard deviation of some pixels, in units of 1/255, exact up to the final rounding.
pub(super) struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// Computes the scale of each channel.
    pub(super) fn of_channels(images: &RawImages) -> Vec<Self> {
        let planes = images.pixels.chunks_exact(images.plane_len());
        (0..images.channels)
            .map(|channel| Self::of(planes.clone().skip(channel).step_by(images.channels)))
            .collect()
    }

    /// Computes the mean Σx/n and the population deviation √(nΣx² − (Σx)²)/n from integer sums. No digits are lost to
    /// cancellation, and the deviation is zero only if all pixels are equal. In that case it is set to 1 (white), to
    /// avoid a division by 0.
    fn of<'a>(planes: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut count, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
        for plane in planes {
            count += plane.len() as u64;
            sum += plane.iter().map(|&pixel| u64::from(pixel)).sum::<u64>();
            squares += plane.iter().map(|&pixel| u64::from(pixel).pow(2)).sum::<u64>();
        }
        let count = count.max(1);
        let spread = u128::from(count) * u128::from(squares) - u128::from(sum).pow(2);
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

    /// Returns the mean in units where white is 1.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is intended
    pub(super) fn mean(&self) -> f32 {
        (self.mean / 255.0) as f32
    }

    /// Returns the deviation in units where white is 1.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is intended
    pub(super) fn deviation(&self) -> f32 {
        (self.deviation / 255.0) as f32
    }

    /// Standardizes a pixel, in f64, and rounds the result.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is intended
    pub(super) fn standardized(&self, pixel: u8) -> f32 {
        ((f64::from(pixel) - self.mean) / self.deviation) as f32
    }
}

/// Standardizes every pixel with its channel's scale. A channel has only 256 pixel values, so each is computed once.
pub(super) fn standardized(scales: &[Scale], images: &RawImages) -> Vec<f32> {
    let tables: Vec<[f32; 256]> = scales
        .iter()
        .map(|scale| std::array::from_fn(|pixel| scale.standardized(pixel as u8)))
        .collect();
    let planes = images
        .pixels
        .chunks_exact(images.plane_len())
        .zip(tables.iter().cycle());
    let mut pixels = Vec::with_capacity(images.pixels.len());
    planes.for_each(|(plane, table)| pixels.extend(plane.iter().map(|&pixel| table[usize::from(pixel)])));
    pixels
}
