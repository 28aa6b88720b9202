//! The layout of images in planes, so that every tap of a kernel reads them as one run of numbers.
//!
//! A plane holds one channel of several images, one after another. Each image has zeros around it, which it shares with
//! its neighbours:
//!
//! ```text
//! 0 0 0 0 0 0 0        the tap (ky, kx) of the output (y, x)
//! 0 a b c d e f        reads (y + ky, x + kx). The distance from
//! 0 g h i j k l        (y, x) to there is the same for every
//! 0 0 0 0 0 0 0        output, so the tap's row is the plane
//! 0 m n o p q r …      itself, from that distance on
//! ```
//!
//! The outputs at the columns and rows of zeros have no meaning and are left out. With a stride of s, the rows and
//! columns of each phase (remainder modulo s) have their own plane. Small images would need too many zeros, so there
//! every tap has its own plane without zeros.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::number::Number;

/// Maximum ratio of positions to outputs, as a fraction. Above it, every tap has its own plane.
const MOST_WASTED: (usize, usize) = (13, 10);

/// Maximum count of numbers in the planes of a group with more than one image, so that they stay in the cache.
const NUMBERS_AT_ONCE: usize = 1 << 15;

/// Minimum number of positions of a group, if there are enough: with fewer, most of the time is spent before and after
/// the sums.
const POSITIONS_AT_ONCE: usize = 256;

/// Maximum number of shares that the examples are split into. It does not depend on the number of threads, so that sums
/// over examples do not depend on it.
const SHARES: usize = 32;

/// From this number of weights on, a share has at least `POSITIONS_OF_SHARE` positions, and its work is also split
/// among threads.
const MANY_WEIGHTS: usize = 1 << 13;
const POSITIONS_OF_SHARE: usize = 1024;

/// Maximum count of numbers in the derivatives with respect to W, all shares together, if there is more than one share.
const SUMS: usize = 1 << 22;

/// Minimum number of channels that a thread copies into planes, if this work is split.
const SPLIT_CHANNELS: usize = 16;

/// The shapes of a convolution: x [examples, inputs, height, width], W [outputs, inputs, kernel, kernel].
#[derive(Clone, Copy)]
pub(crate) struct Geometry {
    pub(crate) examples: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Geometry {
    /// Returns the height and width of the output.
    pub(crate) fn output(&self) -> [usize; 2] {
        [self.height.div_ceil(self.stride), self.width.div_ceil(self.stride)]
    }

    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Returns where tap t of a row or column reads: row y·stride + t − kernel/2 is row y + shift among the rows that
    /// are ≡ phase.
    fn reach(&self, tap: usize) -> Reach {
        let behind = tap.cast_signed() - (self.kernel / 2).cast_signed();
        let stride = self.stride.cast_signed();
        Reach {
            phase: behind.rem_euclid(stride).cast_unsigned(),
            shift: behind.div_euclid(stride),
        }
    }

    /// Returns the taps that read rows and columns of these phases.
    pub(crate) fn taps_of(&self, row: usize, column: usize) -> impl Iterator<Item = usize> + '_ {
        let reaches = self.reaches().enumerate();
        reaches
            .filter(move |(_, [rows, columns])| rows.phase == row && columns.phase == column)
            .map(|(tap, _)| tap)
    }

    /// Returns where every tap reads, for rows and for columns.
    fn reaches(&self) -> impl Iterator<Item = [Reach; 2]> + '_ {
        (0..self.taps()).map(|tap| [self.reach(tap / self.kernel), self.reach(tap % self.kernel)])
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Reach {
    phase: usize,
    shift: isize,
}

/// The positions of outputs in a plane.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    /// Number of zeros next to a row and below an image; 0 if every tap has a plane.
    margin: usize,
    /// Distance from a row to the next.
    pub(crate) pitch: usize,
    /// Distance from an image to the next.
    pub(crate) block: usize,
    /// Number of examples in a share. Their sum is completed before the sums of shares are added.
    pub(crate) share: usize,
    /// Number of examples of a share that are in a plane at the same time.
    pub(crate) group: usize,
    /// Whether the work of a share is split among threads.
    pub(crate) split: bool,
    /// Positions are computed in multiples of this.
    step: usize,
    /// Numbers in a plane.
    plane: usize,
    /// Whether every tap has a plane.
    by_tap: bool,
}

impl Grid {
    /// Creates the grid for images with `channels` channels in planes.
    pub(crate) fn new(geometry: &Geometry, channels: usize, step: usize) -> Self {
        let [rows, columns] = geometry.output();
        let margin = (geometry.kernel / 2).div_ceil(geometry.stride);
        let by_tap = (rows + margin) * (columns + margin) * MOST_WASTED.1 > rows * columns * MOST_WASTED.0;
        let margin = if by_tap { 0 } else { margin };
        let planes = channels * if by_tap { geometry.taps() } else { 1 };
        let (pitch, block) = (columns + margin, (rows + margin) * (columns + margin));
        let weights = geometry.outputs * geometry.inputs * geometry.taps();
        let share = if weights < MANY_WEIGHTS {
            geometry.examples.div_ceil(SHARES)
        } else {
            let shares = (SUMS / weights).clamp(1, SHARES);
            let least = POSITIONS_OF_SHARE.div_ceil(block).min(geometry.examples);
            geometry.examples.div_ceil(shares).max(least)
        };
        let share = share.max(1);
        let group = (NUMBERS_AT_ONCE / (planes * block)).max(POSITIONS_AT_ONCE.div_ceil(block));
        let group = group.min(share);
        let positions = (group * block).next_multiple_of(step);
        Self {
            margin,
            pitch,
            block,
            share,
            group,
            split: weights >= MANY_WEIGHTS,
            step,
            plane: positions + 2 * margin * (pitch + 1),
            by_tap,
        }
    }

    /// Returns the number of positions of `images` images.
    pub(crate) fn positions(&self, images: usize) -> usize {
        (images * self.block).next_multiple_of(self.step)
    }

    /// Returns how a convolution reads x.
    pub(crate) fn of_input(&self, geometry: &Geometry) -> Reading {
        let mut reading = self.reading([geometry.height, geometry.width], geometry.stride);
        for [row, column] in geometry.reaches() {
            reading.tap([row.phase, column.phase], [row.shift, column.shift]);
        }
        reading
    }

    /// Returns how the adjoint reads δ. The tap after the last one reads δ itself.
    pub(crate) fn of_output(&self, geometry: &Geometry) -> Reading {
        let mut reading = self.reading(geometry.output(), 1);
        for [row, column] in geometry.reaches() {
            reading.tap([0, 0], [-row.shift, -column.shift]);
        }
        reading.tap([0, 0], [0, 0]);
        reading
    }

    fn reading(&self, [height, width]: [usize; 2], stride: usize) -> Reading {
        Reading {
            grid: *self,
            height,
            width,
            stride,
            planes: Vec::new(),
            taps: Vec::new(),
            alive: Vec::new(),
        }
    }
}

/// The layout of images in planes, and where every tap reads them.
pub(crate) struct Reading {
    grid: Grid,
    height: usize,
    width: usize,
    stride: usize,
    /// The planes of each channel. Several taps may read the same plane.
    planes: Vec<Plane>,
    /// The plane of each tap, and the distance from the plane's beginning at which the tap reads.
    taps: Vec<(usize, usize)>,
    /// Whether a tap reads any number of the image.
    alive: Vec<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Plane {
    /// Phase of its rows and columns.
    phase: [usize; 2],
    /// Number of rows and columns by which its beginning is shifted.
    shift: [isize; 2],
}

impl Reading {
    fn tap(&mut self, phase: [usize; 2], shift: [isize; 2]) {
        let Grid {
            margin, pitch, by_tap, ..
        } = self.grid;
        let [rows, columns] = [self.height, self.width].map(|size| size.div_ceil(self.stride));
        let of = Plane { phase, shift };
        let alive = !of.there(0, rows, self).is_empty() && !of.there(1, columns, self).is_empty();
        self.alive.push(alive);
        if !alive {
            self.taps.push((0, 0));
            return;
        }
        let (plane, shift) = if by_tap {
            (Plane { phase, shift }, [0, 0])
        } else {
            (Plane { phase, shift: [0, 0] }, shift)
        };
        let index = self.planes.iter().position(|other| *other == plane);
        let index = index.unwrap_or_else(|| {
            self.planes.push(plane);
            self.planes.len() - 1
        });
        let [row, column] = shift.map(|shift| margin.strict_add_signed(shift));
        self.taps.push((index, row * pitch + column));
    }

    /// Returns the count of numbers that `channels` channels take.
    pub(crate) fn numbers(&self, channels: usize) -> usize {
        channels * self.planes.len() * self.grid.plane
    }

    /// Returns where a tap reads a channel.
    pub(crate) fn row(&self, channel: usize, tap: usize) -> usize {
        let (plane, offset) = self.taps[tap];
        (channel * self.planes.len() + plane) * self.grid.plane + offset
    }

    /// Copies images [images, channels, height, width] into planes, which may only have held images of the same shape
    /// before.
    pub(crate) fn lay<T: Number>(&self, images: &[T], channels: usize, planes: &mut [T]) {
        let of_channel = self.planes.len() * self.grid.plane;
        let channels_of = planes.par_chunks_exact_mut(of_channel).enumerate();
        let least = if self.grid.split { SPLIT_CHANNELS } else { channels };
        channels_of
            .with_min_len(least)
            .for_each(|(channel, planes)| self.lay_channel(images, channels, channel, planes));
    }

    fn lay_channel<T: Number>(&self, images: &[T], channels: usize, channel: usize, planes: &mut [T]) {
        let Grid {
            margin,
            pitch,
            block,
            group,
            plane,
            ..
        } = self.grid;
        let size = self.height * self.width;
        if images.len() < group * channels * size {
            // Otherwise images of an earlier group would stay after the last one.
            planes.fill(T::default());
        }
        let (rows, columns) = (self.height.div_ceil(self.stride), self.width.div_ceil(self.stride));
        for (of, plane) in self.planes.iter().zip(planes.chunks_exact_mut(plane)) {
            let (ys, xs) = (of.there(0, rows, self), of.there(1, columns, self));
            if ys.is_empty() || xs.is_empty() {
                continue;
            }
            let from = of.read(0, ys.start, self) * self.width + of.read(1, xs.start, self);
            let to = margin * (pitch + 1) + ys.start * pitch + xs.start;
            for (index, image) in images.chunks_exact(channels * size).enumerate() {
                let image = &image[channel * size + from..(channel + 1) * size];
                let plane = &mut plane[index * block + to..];
                for y in 0..ys.len() {
                    let (from, to) = (&image[y * self.stride * self.width..], &mut plane[y * pitch..]);
                    if self.stride == 1 {
                        to[..xs.len()].copy_from_slice(&from[..xs.len()]);
                    } else {
                        for (to, x) in to[..xs.len()].iter_mut().zip(from.iter().step_by(self.stride)) {
                            *to = *x;
                        }
                    }
                }
            }
        }
    }

    /// Returns whether a tap reads any number of the image.
    pub(crate) fn reads(&self, tap: usize) -> bool {
        self.alive[tap]
    }
}

impl Plane {
    /// Returns the range of those of the `count` rows (axis 0) or columns (axis 1) of an output that the image has.
    fn there(&self, axis: usize, count: usize, of: &Reading) -> std::ops::Range<usize> {
        let size = [of.height, of.width][axis];
        let had = size.saturating_sub(self.phase[axis]).div_ceil(of.stride);
        let first = (-self.shift[axis]).max(0).cast_unsigned().min(count);
        let end = had.cast_signed() - self.shift[axis];
        first..end.clamp(first.cast_signed(), count.cast_signed()).cast_unsigned()
    }

    /// Returns the row or column of the image that is at row or column `at` of the plane.
    fn read(&self, axis: usize, at: usize, of: &Reading) -> usize {
        at.strict_add_signed(self.shift[axis]) * of.stride + self.phase[axis]
    }
}
