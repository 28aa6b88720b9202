//! Images laid out so that every tap of a kernel reads them as one run of numbers.
//!
//! A plane is a channel of some images, one after another, each with zeros around it that it shares with its neighbours:
//!
//! ```text
//! 0 0 0 0 0 0 0        the tap (ky, kx) of the output (y, x)
//! 0 a b c d e f        reads (y + ky, x + kx), which lies as far
//! 0 g h i j k l        behind the position of the output for
//! 0 0 0 0 0 0 0        every output: its row is the plane itself,
//! 0 m n o p q r …      from that distance on
//! ```
//!
//! The outputs at the columns and rows of zeros mean nothing and are left out. With a stride of s, every s-th row and
//! column make a plane of their own. Of small images the zeros would be too many: there every tap has a plane without any.

use crate::number::Number;

/// Positions are at most this many times the outputs; beyond that, every tap has a plane.
const MOST_WASTED: (usize, usize) = (13, 10);

/// Numbers that the planes of a group take at most, if there is more than one image in it: they shall stay in the cache.
const NUMBERS_AT_ONCE: usize = 1 << 15;

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
    /// Height and width of the output.
    pub(crate) fn output(&self) -> [usize; 2] {
        [self.height.div_ceil(self.stride), self.width.div_ceil(self.stride)]
    }

    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Where tap t of a row or column reads: row y·stride + t − kernel/2 is row y + shift of those that are ≡ phase.
    fn reach(&self, tap: usize) -> Reach {
        let behind = tap.cast_signed() - (self.kernel / 2).cast_signed();
        let stride = self.stride.cast_signed();
        Reach {
            phase: behind.rem_euclid(stride).cast_unsigned(),
            shift: behind.div_euclid(stride),
        }
    }

    /// The taps that read rows and columns of these phases.
    pub(crate) fn taps_of(&self, row: usize, column: usize) -> impl Iterator<Item = usize> + '_ {
        let reaches = self.reaches().enumerate();
        reaches
            .filter(move |(_, [rows, columns])| rows.phase == row && columns.phase == column)
            .map(|(tap, _)| tap)
    }

    /// Where every tap reads, row and column.
    fn reaches(&self) -> impl Iterator<Item = [Reach; 2]> + '_ {
        (0..self.taps()).map(|tap| [self.reach(tap / self.kernel), self.reach(tap % self.kernel)])
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Reach {
    phase: usize,
    shift: isize,
}

/// Where outputs lie among the positions of a plane.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    /// Zeros beside a row and below an image; none where every tap has a plane.
    margin: usize,
    /// From a row to the next.
    pub(crate) pitch: usize,
    /// From an image to the next.
    pub(crate) block: usize,
    /// Images in a plane.
    pub(crate) group: usize,
    /// Positions are computed in multiples of this.
    step: usize,
    /// Numbers in a plane.
    plane: usize,
    /// Whether every tap has a plane.
    by_tap: bool,
}

impl Grid {
    /// For at most `most` images at once, with so many channels of them in planes.
    pub(crate) fn new(geometry: &Geometry, most: usize, channels: usize, step: usize) -> Self {
        let [rows, columns] = geometry.output();
        let margin = (geometry.kernel / 2).div_ceil(geometry.stride);
        let by_tap = (rows + margin) * (columns + margin) * MOST_WASTED.1 > rows * columns * MOST_WASTED.0;
        let margin = if by_tap { 0 } else { margin };
        let planes = channels * if by_tap { geometry.taps() } else { 1 };
        let (pitch, block) = (columns + margin, (rows + margin) * (columns + margin));
        let group = (NUMBERS_AT_ONCE / (planes * block)).clamp(1, most);
        let positions = (group * block).next_multiple_of(step);
        Self {
            margin,
            pitch,
            block,
            group,
            step,
            plane: positions + 2 * margin * (pitch + 1),
            by_tap,
        }
    }

    /// Positions of so many images.
    pub(crate) fn positions(&self, images: usize) -> usize {
        (images * self.block).next_multiple_of(self.step)
    }

    /// How a convolution reads x.
    pub(crate) fn of_input(&self, geometry: &Geometry) -> Reading {
        let mut reading = self.reading([geometry.height, geometry.width], geometry.stride);
        for [row, column] in geometry.reaches() {
            reading.tap([row.phase, column.phase], [row.shift, column.shift]);
        }
        reading
    }

    /// How its adjoint reads δ, and where δ itself is: the tap after the last one.
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
        }
    }
}

/// How images are laid into planes, and where every tap reads them.
pub(crate) struct Reading {
    grid: Grid,
    height: usize,
    width: usize,
    stride: usize,
    /// Those of each channel, each with all taps that read it.
    planes: Vec<Plane>,
    /// The plane of each tap, and how far from its beginning the tap reads.
    taps: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Plane {
    /// Of the rows and columns in it.
    phase: [usize; 2],
    /// How many rows and columns further it begins.
    shift: [isize; 2],
}

impl Reading {
    fn tap(&mut self, phase: [usize; 2], shift: [isize; 2]) {
        let Grid {
            margin, pitch, by_tap, ..
        } = self.grid;
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

    /// Numbers that so many channels take.
    pub(crate) fn numbers(&self, channels: usize) -> usize {
        channels * self.planes.len() * self.grid.plane
    }

    /// Where a tap reads a channel.
    pub(crate) fn row(&self, channel: usize, tap: usize) -> usize {
        let (plane, offset) = self.taps[tap];
        (channel * self.planes.len() + plane) * self.grid.plane + offset
    }

    /// Lays images [images, channels, height, width] into planes, where only images of the same shape have been before.
    pub(crate) fn lay<T: Number>(&self, images: &[T], channels: usize, planes: &mut [T]) {
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
            // Images of an earlier group would be left behind the last one.
            planes.fill(T::default());
        }
        let (rows, columns) = (self.height.div_ceil(self.stride), self.width.div_ceil(self.stride));
        for (channel, planes) in planes.chunks_exact_mut(self.planes.len() * plane).enumerate() {
            for (of, plane) in self.planes.iter().zip(planes.chunks_exact_mut(plane)) {
                let (ys, xs) = (of.there(0, rows, self), of.there(1, columns, self));
                for (index, image) in images.chunks_exact(channels * size).enumerate() {
                    let image = &image[channel * size..][..size];
                    let first = margin * (pitch + 1) + index * block;
                    for y in ys.clone() {
                        let from = of.read(0, y, self) * self.width + of.read(1, xs.start, self);
                        let to = &mut plane[first + y * pitch..][xs.clone()];
                        if self.stride == 1 {
                            to.copy_from_slice(&image[from..from + xs.len()]);
                        } else {
                            for (to, x) in to.iter_mut().zip(image[from..].iter().step_by(self.stride)) {
                                *to = *x;
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Plane {
    /// Which of the `count` rows (axis 0) or columns (axis 1) of an output the image has.
    fn there(&self, axis: usize, count: usize, of: &Reading) -> std::ops::Range<usize> {
        let size = [of.height, of.width][axis];
        let had = size.saturating_sub(self.phase[axis]).div_ceil(of.stride);
        let first = (-self.shift[axis]).max(0).cast_unsigned().min(count);
        let end = had.cast_signed() - self.shift[axis];
        first..end.clamp(first.cast_signed(), count.cast_signed()).cast_unsigned()
    }

    /// The row or column of the image that is row or column `at` of the plane.
    fn read(&self, axis: usize, at: usize, of: &Reading) -> usize {
        at.strict_add_signed(self.shift[axis]) * of.stride + self.phase[axis]
    }
}
