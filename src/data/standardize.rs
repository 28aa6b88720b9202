//! Standardization to (x − mean)/deviation, with one mean and one deviation for all pixels of a channel.

use super::images::{RawImages, Values};

/// The mean and the standard deviation of some values, in units of the files.
pub(super) struct Scale {
    mean: f64,
    deviation: f64,
    /// What counts as 1: white for pixels.
    one: f64,
}

impl Scale {
    /// Computes the scale of each channel.
    pub(super) fn of_channels(images: &RawImages) -> Vec<Self> {
        match &images.values {
            Values::Bytes(bytes) => {
                let planes = bytes.chunks_exact(images.plane_len());
                (0..images.channels)
                    .map(|channel| Self::of_bytes(planes.clone().skip(channel).step_by(images.channels)))
                    .collect()
            }
            Values::Numbers(numbers) => (0..images.channels)
                .map(|channel| Self::of_numbers(numbers.iter().skip(channel).step_by(images.channels)))
                .collect(),
        }
    }

    /// Computes the mean Σx/n and the population deviation √(nΣx² − (Σx)²)/n from integer sums, exact up to the final
    /// rounding. No digits are lost to cancellation, and the deviation is zero only if all pixels are equal. In that
    /// case it is set to 1 (white), to avoid a division by 0.
    fn of_bytes<'a>(planes: impl Iterator<Item = &'a [u8]>) -> Self {
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
            one: 255.0,
        }
    }

    /// Computes the mean and the population deviation √(Σ(x − mean)²/n) of a feature in two passes. If all values are
    /// equal, the mean is that value and the deviation is set to 1, to avoid a division by 0 or by a rounding error.
    fn of_numbers<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        let least = values.clone().copied().fold(f64::INFINITY, f64::min);
        let largest = values.clone().copied().fold(f64::NEG_INFINITY, f64::max);
        if least >= largest {
            return Self {
                mean: least,
                deviation: 1.0,
                one: 1.0,
            };
        }
        // Distances are taken in units of the range, so that squares neither overflow nor vanish.
        let range = largest - least;
        let mean = least + range * (values.clone().map(|value| (value - least) / range).sum::<f64>() / count);
        let squares = values.map(|value| ((value - mean) / range).powi(2)).sum::<f64>();
        Self {
            mean,
            deviation: range * (squares / count).sqrt(),
            one: 1.0,
        }
    }

    /// Returns the mean; for pixels in units where white is 1.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is intended
    pub(super) fn mean(&self) -> f32 {
        (self.mean / self.one) as f32
    }

    /// Returns the deviation; for pixels in units where white is 1.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is intended
    pub(super) fn deviation(&self) -> f32 {
        (self.deviation / self.one) as f32
    }

    /// Standardizes a value, in f64, and rounds the result.
    #[allow(clippy::cast_possible_truncation)] // rounding to f32 is intended
    pub(super) fn standardized(&self, value: f64) -> f32 {
        ((value - self.mean) / self.deviation) as f32
    }
}

/// Standardizes every value with its channel's scale.
pub(super) fn standardized(scales: &[Scale], images: &RawImages) -> Vec<f32> {
    match &images.values {
        Values::Bytes(bytes) => standardized_bytes(scales, bytes, images.plane_len()),
        Values::Numbers(numbers) => {
            let scaled = numbers.iter().zip(scales.iter().cycle());
            scaled.map(|(&value, scale)| scale.standardized(value)).collect()
        }
    }
}

/// Standardizes every pixel. A channel has only 256 pixel values, so each is computed once.
fn standardized_bytes(scales: &[Scale], bytes: &[u8], plane_len: usize) -> Vec<f32> {
    let tables: Vec<[f32; 256]> = scales
        .iter()
        .map(|scale| std::array::from_fn(|pixel| scale.standardized(pixel as f64)))
        .collect();
    let planes = bytes.chunks_exact(plane_len).zip(tables.iter().cycle());
    let mut pixels = Vec::with_capacity(bytes.len());
    planes.for_each(|(plane, table)| pixels.extend(plane.iter().map(|&pixel| table[usize::from(pixel)])));
    pixels
}
