//! Data augmentation of training images: padding with black, random crop, random mirroring.
//!
//! ```text
//! ┌───────────┐  the image in a frame of `pad` black pixels, out of which a window of the
//! │  ┌────┐   │  image's size is cut at a random place, and mirrored with probability ½
//! │ ┌┼───┐│   │
//! │ │└───┼┘   │
//! └─┴────┴────┘
//! ```
//!
//! This is the usual augmentation of CIFAR images (He et al. 2016, section 4.2). Random numbers are drawn on the host,
//! so that every back end gets the same ones. The pixels are gathered on the device: on the host they would need a
//! second copy, or a transfer from the device at every step, for which the device would wait. Measured on the CPU with
//! flex, 128 images of 3×32×32 take about 1 ms to draw and 1 ms to gather; a step of a small convolutional network
//! takes 181 ms.

use burn::tensor::Tensor;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sharpness::model::Examples;
use sharpness::random::{Purpose, stream};
use sharpness::tensor::{upload, upload_indices};

use crate::config::{Augment, Settings};

/// The number of images whose pixels are gathered together. This bounds the extra memory for a full batch and keeps it
/// in the CPU's caches: with 1,000 images together, gathering took seven times as long.
const AT_ONCE: usize = 128;

/// Augments the batches of training steps. Probes and evaluations use the original images.
pub struct Augmenter {
    rng: ChaCha8Rng,
    pad: usize,
    /// [channels, height, width] of an image.
    shape: [usize; 3],
    black: Vec<f64>,
}

/// The random choices for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Rows of the padded image above the window, from 0 to twice `pad`.
    pub down: usize,
    /// Columns of the padded image left of the window, from 0 to twice `pad`.
    pub right: usize,
    /// Whether the window is then mirrored left to right.
    pub mirrored: bool,
}

impl Augmenter {
    /// Returns the augmenter of a cell, if its settings augment images. `shape` is [channels, height, width]; `black`
    /// is the standardized value of a black pixel, one per channel.
    pub fn of(settings: &Settings, shape: [usize; 3], black: &[f32]) -> Option<Self> {
        match settings.augment {
            Augment::Off => None,
            Augment::CropAndFlip { pad } => Some(Self {
                rng: stream(settings.seed, Purpose::Augmentation),
                pad,
                shape,
                black: black.iter().copied().map(f64::from).collect(),
            }),
        }
    }

    /// Returns its stream of random numbers, which is its only state.
    pub(super) fn stream(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    /// Returns the batch with each image augmented at random. Random numbers are drawn in the order of the batch; for
    /// each image, `down`, `right` and `mirrored` in this order.
    #[must_use]
    pub fn vary(&mut self, batch: &Examples) -> Examples {
        let mut parts = Vec::new();
        for part in batch.chunks(AT_ONCE) {
            let views: Vec<View> = (0..part.len()).map(|_| self.draw()).collect();
            parts.push(self.seen(part.images, &views));
        }
        Examples {
            images: Tensor::cat(parts, 0),
            labels: batch.labels.clone(),
        }
    }

    fn draw(&mut self) -> View {
        // 32 bits on every machine, so that all machines draw the same numbers.
        let most = 2 * self.pad as u32;
        View {
            down: self.rng.random_range(0..=most) as usize,
            right: self.rng.random_range(0..=most) as usize,
            mirrored: self.rng.random(),
        }
    }

    /// Returns the images [examples, channels·height·width], each transformed by its view.
    ///
    /// Each channel gets one additional black pixel; all positions outside the image are gathered from it.
    #[must_use]
    pub fn seen(&self, images: Tensor<2>, views: &[View]) -> Tensor<2> {
        let [channels, height, width] = self.shape;
        let (examples, plane) = (views.len(), height * width);
        let black = upload(self.black.clone(), [1, channels, 1], &images).expand([examples, channels, 1]);
        let sources: Vec<i64> = views.iter().flat_map(|&view| self.sources(view)).collect();
        let sources = upload_indices(sources, &images).reshape([examples, 1, plane]);
        let sources = sources.expand([examples, channels, plane]);
        let pixels = Tensor::cat(vec![images.reshape([examples, channels, plane]), black], 2);
        // One row per plane: flex gathers in two dimensions twenty times as fast as in three.
        let rows = examples * channels;
        let seen = pixels
            .reshape([rows, plane + 1])
            .gather(1, sources.reshape([rows, plane]));
        seen.reshape([examples, channels * plane])
    }

    /// Returns, for each pixel of the view, the index of its source pixel in the plane; for padding, the index one past
    /// the last.
    fn sources(&self, view: View) -> impl Iterator<Item = i64> {
        let ([_, height, width], pad) = (self.shape, self.pad);
        let inside = move |framed: usize, side: usize| framed.checked_sub(pad).filter(|&at| at < side);
        (0..height * width).map(move |at| {
            let (row, column) = (at / width, at % width);
            let column = if view.mirrored { width - 1 - column } else { column };
            let row = inside(view.down + row, height);
            let column = inside(view.right + column, width);
            let source = row
                .zip(column)
                .map_or(height * width, |(row, column)| row * width + column);
            i64::try_from(source).unwrap_or(i64::MAX)
        })
    }
}
