//! Examples on a device.

use std::ops::Range;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::tensor::upload_indices;

/// Images and labels, on a device.
#[derive(Clone)]
pub struct Examples {
    /// The images, [examples, channels·height·width].
    pub images: Tensor<2>,
    /// The one-hot labels, [examples, classes].
    pub labels: Tensor<2>,
}

impl Examples {
    /// Copies `pixels` (examples × features, row-major) and `labels` (each below `classes`) to a device.
    ///
    /// # Panics
    ///
    /// If a label is not below `classes`, or if the number of pixels is not a multiple of the number of labels.
    pub fn upload(pixels: &[f32], labels: &[u8], classes: usize, device: &Device, dtype: DType) -> Self {
        let examples = labels.len();
        let features = pixels.len() / examples.max(1);
        let mut one_hot = vec![0.0_f32; examples * classes];
        for (row, &label) in one_hot.chunks_exact_mut(classes).zip(labels) {
            row[usize::from(label)] = 1.0;
        }
        let options = (device, dtype);
        Self {
            images: Tensor::from_data(TensorData::new(pixels.to_vec(), [examples, features]), options),
            labels: Tensor::from_data(TensorData::new(one_hot, [examples, classes]), options),
        }
    }

    /// Returns the number of examples.
    pub fn len(&self) -> usize {
        self.labels.dims()[0]
    }

    /// Returns whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the examples at `indices`, in that order, gathered on the device.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let values: Vec<i64> = indices.iter().map(|&i| i64::try_from(i).unwrap_or(i64::MAX)).collect();
        let indices = upload_indices(values, &self.images);
        Self {
            images: self.images.clone().select(0, indices.clone()),
            labels: self.labels.clone().select(0, indices),
        }
    }

    /// Returns the examples in `range`.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self {
            images: self.images.clone().slice(range.clone()),
            labels: self.labels.clone().slice(range),
        }
    }

    /// Cuts the examples into chunks of `size` examples (at least one). The last chunk may be smaller.
    pub fn chunks(&self, size: usize) -> impl Iterator<Item = Self> + '_ {
        let (length, size) = (self.len(), size.max(1));
        (0..length)
            .step_by(size)
            .map(move |start| self.slice(start..(start + size).min(length)))
    }

    /// Returns the number of examples whose outputs [examples, classes] have their largest entry at the label, `[1]`,
    /// on the device.
    pub fn correct(&self, outputs: Tensor<2>) -> Tensor<1, Int> {
        let predicted = outputs.argmax(1);
        let expected = self.labels.clone().argmax(1);
        predicted.equal(expected).int().sum()
    }
}
