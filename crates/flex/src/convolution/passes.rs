//! A convolution and its adjoints over slices, split among threads by examples.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use super::planes::{Geometry, Grid, Reading};
use super::product::{TAPS, TILE, correlate, step, sum, weighted_sums};
use crate::memory::written;
use crate::number::Number;

/// Minimum number of tiles of results that a thread computes, if the work of a share is split.
const SPLIT_TILES: usize = 2;

/// Minimum number of images whose results a thread copies to their places, if this work is split.
const SPLIT_IMAGES: usize = 16;

/// Returns Σ W ⋆ x over the terms, plus b: [examples, outputs, rows, columns].
pub(crate) fn forward<T: Number>(geometry: &Geometry, terms: &[(&[T], &[T])], bias: Option<&[T]>) -> Vec<T> {
    let Geometry {
        examples,
        inputs,
        outputs,
        ..
    } = *geometry;
    let grid = Grid::new(geometry, terms.len() * inputs, step::<T>());
    let share = grid.share;
    let reading = grid.of_input(geometry);
    let taps = geometry.taps();
    let each = reading.numbers(inputs);
    let weights: Vec<&[T]> = terms.iter().map(|(_, weight)| *weight).collect();
    let channels = (0..terms.len()).flat_map(|term| (0..inputs).map(move |channel| (term, channel)));
    let live = (0..taps).filter(|tap| reading.reads(*tap));
    let live: Vec<usize> = live.collect();
    let read = channels.flat_map(|(term, channel)| live.iter().map(move |&tap| (term, channel, tap)));
    let read: Vec<(usize, usize, usize)> = read.collect();
    let sums = Sums {
        rows: read
            .iter()
            .map(|&(term, channel, tap)| term * each + reading.row(channel, tap))
            .collect(),
        weights: packed(outputs, &read, |output, (term, channel, tap)| {
            weights[term][(output * inputs + channel) * taps + tap]
        }),
        bias: padded(bias.unwrap_or_default(), outputs),
        outputs,
    };
    let [rows, columns] = geometry.output();
    let (of_x, of_y) = (inputs * geometry.height * geometry.width, outputs * rows * columns);
    let place = Place {
        rows,
        columns,
        width: columns,
        size: rows * columns,
        first: 0,
        stride: 1,
    };
    let write = |y: &mut [T]| {
        let shares = y.par_chunks_mut((share * of_y).max(1)).enumerate();
        shares.for_each_init(
            || Scratch::new(&grid, terms.len() * each, outputs),
            |scratch, (index, y)| {
                for (block, y) in y.chunks_mut(grid.group * of_y).enumerate() {
                    let images = y.len() / of_y;
                    let first = index * share + block * grid.group;
                    for ((x, _), planes) in terms.iter().zip(scratch.planes.chunks_exact_mut(each)) {
                        reading.lay(&x[first * of_x..][..images * of_x], inputs, planes);
                    }
                    sums.write(&grid, scratch, images, &place, y);
                }
            },
        );
    };
    written(examples * of_y, write)
}

/// A term of the sums in [`backward`]: Wᵀ ⋆ δ, and the derivative with respect to W from δ and x.
pub(crate) struct Adjoint<'a, T> {
    /// [examples, outputs, rows, columns].
    pub(crate) delta: &'a [T],
    /// [outputs, inputs, kernel, kernel].
    pub(crate) weight: Option<&'a [T]>,
    /// [examples, inputs, height, width].
    pub(crate) x: Option<&'a [T]>,
}

/// The derivatives with respect to W and to b.
pub(crate) type ToParameters<T> = (Vec<T>, Vec<T>);

/// Returns the derivative with respect to x, if any term has a W, and the derivatives with respect to W and b, if any
/// term has an x. The derivative with respect to b comes from the first δ only.
pub(crate) fn backward<T: Number>(
    geometry: &Geometry,
    terms: &[Adjoint<T>],
) -> (Option<Vec<T>>, Option<ToParameters<T>>) {
    let Geometry {
        examples,
        inputs,
        outputs,
        height,
        width,
        ..
    } = *geometry;
    let to_input = terms.iter().any(|term| term.weight.is_some());
    let to_parameters = terms.iter().any(|term| term.x.is_some());
    let grid = Grid::new(geometry, terms.len() * (inputs + outputs), step::<T>());
    let share = grid.share;
    let (of_delta, of_x) = (grid.of_output(geometry), grid.of_input(geometry));
    let each = [of_delta.numbers(outputs), of_x.numbers(inputs)];
    let phases = if to_input {
        phases(geometry, terms, &of_delta, each[0])
    } else {
        Vec::new()
    };
    let weights = Correlations::new(geometry, terms.len(), &of_delta, &of_x, each, grid.split);
    let [rows, columns] = geometry.output();
    let sizes = [outputs * rows * columns, inputs * height * width];
    let mut found = Vec::new();
    let write = |dx: &mut [T]| {
        let mut dxs = dx.chunks_mut((share * sizes[1]).max(1));
        let shares: Vec<(usize, Option<&mut [T]>)> =
            (0..examples).step_by(share).map(|first| (first, dxs.next())).collect();
        let sums_of_shares = shares.into_par_iter().map_init(
            || {
                Scratch::new(
                    &grid,
                    terms.len() * (each[0] + each[1]),
                    if to_input { inputs } else { 0 },
                )
            },
            |scratch, (first, mut dx)| {
                let mut sums = weights.zeros();
                let end = (first + share).min(examples);
                for at in (first..end).step_by(grid.group) {
                    let images = grid.group.min(end - at);
                    let (deltas, xs) = scratch.planes.split_at_mut(terms.len() * each[0]);
                    for (term, planes) in terms.iter().zip(deltas.chunks_exact_mut(each[0])) {
                        of_delta.lay(&term.delta[at * sizes[0]..][..images * sizes[0]], outputs, planes);
                    }
                    for (term, planes) in terms.iter().zip(xs.chunks_exact_mut(each[1])) {
                        if let Some(x) = term.x {
                            of_x.lay(&x[at * sizes[1]..][..images * sizes[1]], inputs, planes);
                        }
                    }
                    if let Some(dx) = &mut dx {
                        let dx = &mut dx[(at - first) * sizes[1]..][..images * sizes[1]];
                        for (place, phase) in &phases {
                            phase.write(&grid, scratch, images, place, dx);
                        }
                    }
                    if to_parameters {
                        weights.add(terms, &scratch.planes, grid.positions(images), &mut sums);
                    }
                }
                sums
            },
        );
        found = sums_of_shares.collect();
    };
    let count = if to_input { examples * sizes[1] } else { 0 };
    let dx = written(count, write);
    let to_parameters = to_parameters.then(|| weights.total(&found));
    (to_input.then_some(dx), to_parameters)
}

/// Planes, and results before they are copied to their places.
struct Scratch<T> {
    planes: Vec<T>,
    results: Vec<T>,
}

impl<T: Number> Scratch<T> {
    fn new(grid: &Grid, planes: usize, outputs: usize) -> Self {
        Self {
            planes: vec![T::default(); planes],
            results: vec![T::default(); outputs.next_multiple_of(TILE) * grid.positions(grid.group)],
        }
    }
}

/// Returns the weights of `read` for each output, [tiles of outputs, read, TILE].
fn packed<T: Number, R: Copy>(outputs: usize, read: &[R], weight: impl Fn(usize, R) -> T) -> Vec<T> {
    let mut packed = Vec::with_capacity(outputs.next_multiple_of(TILE) * read.len());
    for tile in (0..outputs).step_by(TILE) {
        for &read in read {
            packed.extend((tile..tile + TILE).map(|output| {
                if output < outputs {
                    weight(output, read)
                } else {
                    T::default()
                }
            }));
        }
    }
    packed
}

/// Returns `numbers`, and zeros up to a multiple of `TILE` that is at least `length`.
fn padded<T: Number>(numbers: &[T], length: usize) -> Vec<T> {
    let mut padded = numbers.to_vec();
    padded.resize(length.next_multiple_of(TILE), T::default());
    padded
}

/// The places of a pass's results in an image.
struct Place {
    /// Number of rows and of columns of results.
    rows: usize,
    columns: usize,
    /// Width of the image.
    width: usize,
    /// Count of numbers in a channel.
    size: usize,
    /// Place of the first result.
    first: usize,
    /// Distance between two rows, and between two columns, of results.
    stride: usize,
}

/// Channels that are weighted sums of rows.
struct Sums<T> {
    rows: Vec<usize>,
    weights: Vec<T>,
    bias: Vec<T>,
    outputs: usize,
}

impl<T: Number> Sums<T> {
    /// Writes the sums over the planes of `scratch` into `y` [images, outputs, size].
    fn write(&self, grid: &Grid, scratch: &mut Scratch<T>, images: usize, place: &Place, y: &mut [T]) {
        let positions = grid.positions(images);
        let Scratch { planes, results } = scratch;
        let results = &mut results[..self.bias.len() * positions];
        let sums = |first: usize, results: &mut [T]| {
            let tiles = first..first + results.len() / (TILE * positions);
            let weights = &self.weights[tiles.start * TILE * self.rows.len()..tiles.end * TILE * self.rows.len()];
            let bias = &self.bias[tiles.start * TILE..tiles.end * TILE];
            weighted_sums::<T>(planes, &self.rows, weights, bias, positions, results);
        };
        if grid.split {
            let parts = results.par_chunks_mut(SPLIT_TILES * TILE * positions).enumerate();
            parts.for_each(|(part, results)| sums(part * SPLIT_TILES, results));
        } else {
            sums(0, results);
        }
        let of_image = self.outputs * place.size;
        let parts = y.par_chunks_exact_mut(of_image).enumerate();
        let least = if grid.split { SPLIT_IMAGES } else { images };
        parts.with_min_len(least).for_each(|(image, y)| {
            let results = results.chunks_exact(positions);
            for (y, results) in y.chunks_exact_mut(place.size).zip(results) {
                place.put(&results[image * grid.block..], grid.pitch, y);
            }
        });
    }
}

impl Place {
    fn put<T: Number>(&self, results: &[T], pitch: usize, y: &mut [T]) {
        for row in 0..self.rows {
            let from = &results[row * pitch..][..self.columns];
            let to = &mut y[self.first + row * self.stride * self.width..];
            if self.stride == 1 {
                to[..self.columns].copy_from_slice(from);
            } else {
                for (to, from) in to.iter_mut().step_by(self.stride).zip(from) {
                    *to = *from;
                }
            }
        }
    }
}

/// Returns the sums that give every stride-th row and column of the derivative with respect to x, and the places of
/// their results.
fn phases<T: Number>(
    geometry: &Geometry,
    terms: &[Adjoint<T>],
    of_delta: &Reading,
    each: usize,
) -> Vec<(Place, Sums<T>)> {
    let Geometry {
        inputs,
        outputs,
        stride,
        height,
        width,
        ..
    } = *geometry;
    let taps = geometry.taps();
    let mut phases = Vec::new();
    for (row, column) in (0..stride.min(height)).flat_map(|row| (0..stride.min(width)).map(move |column| (row, column)))
    {
        let mut read = Vec::new();
        for (term, adjoint) in terms.iter().enumerate() {
            let Some(weight) = adjoint.weight else { continue };
            for output in 0..outputs {
                let taps = geometry.taps_of(row, column).filter(|tap| of_delta.reads(*tap));
                read.extend(taps.map(|tap| (term, weight, output, tap)));
            }
        }
        let sums = Sums {
            rows: read
                .iter()
                .map(|&(term, _, output, tap)| term * each + of_delta.row(output, tap))
                .collect(),
            weights: packed(inputs, &read, |input, (_, weight, output, tap)| {
                weight[(output * inputs + input) * taps + tap]
            }),
            bias: padded(&[], inputs),
            outputs: inputs,
        };
        let place = Place {
            rows: (height - row).div_ceil(stride),
            columns: (width - column).div_ceil(stride),
            width,
            size: height * width,
            first: row * width + column,
            stride,
        };
        phases.push((place, sums));
    }
    phases
}

/// The positions of the rows whose products give the derivative with respect to W.
struct Correlations {
    /// For each term, the rows of δ, padded to a multiple of `TILE` with the last row.
    above: Vec<Vec<usize>>,
    /// For each term, the rows of x, padded to a multiple of `TAPS` with the last row.
    rows: Vec<Vec<usize>>,
    outputs: usize,
    /// The column of W that each row of x belongs to.
    columns: Vec<usize>,
    /// Number of columns of W.
    width: usize,
    split: bool,
}

impl Correlations {
    fn new(
        geometry: &Geometry,
        terms: usize,
        of_delta: &Reading,
        of_x: &Reading,
        each: [usize; 2],
        split: bool,
    ) -> Self {
        let (outputs, taps) = (geometry.outputs, geometry.taps());
        let width = geometry.inputs * taps;
        let columns: Vec<usize> = (0..width).filter(|column| of_x.reads(column % taps)).collect();
        let above = |term: usize| {
            let rows = 0..outputs.next_multiple_of(TILE);
            rows.map(|output| term * each[0] + of_delta.row(output.min(outputs - 1), taps))
                .collect()
        };
        let rows = |term: usize| {
            let first = terms * each[0] + term * each[1];
            let read = columns.iter().chain(std::iter::repeat(&columns[columns.len() - 1]));
            let read = read.take(columns.len().next_multiple_of(TAPS));
            read.map(|column| first + of_x.row(column / taps, column % taps))
                .collect()
        };
        Self {
            above: (0..terms).map(above).collect(),
            rows: (0..terms).map(rows).collect(),
            outputs,
            columns,
            width,
            split,
        }
    }

    /// Returns the length of a row of sums.
    fn pitch(&self) -> usize {
        self.columns.len().next_multiple_of(TAPS)
    }

    fn zeros<T: Number>(&self) -> ToParameters<T> {
        let numbers = self.outputs.next_multiple_of(TILE) * self.pitch();
        (vec![T::default(); numbers], vec![T::default(); self.outputs])
    }

    fn add<T: Number>(
        &self,
        terms: &[Adjoint<T>],
        planes: &[T],
        positions: usize,
        (weight, bias): &mut ToParameters<T>,
    ) {
        for ((term, above), rows) in terms.iter().zip(&self.above).zip(&self.rows) {
            if term.x.is_some() {
                let least = if self.split { SPLIT_TILES * TILE } else { above.len() };
                let parts = weight.par_chunks_mut(least * self.pitch()).zip(above.par_chunks(least));
                if self.split {
                    parts.for_each(|(sums, above)| correlate::<T>(planes, above, rows, positions, sums));
                } else {
                    correlate::<T>(planes, above, rows, positions, weight);
                }
            }
        }
        for (bias, row) in bias.iter_mut().zip(&self.above[0]) {
            *bias += sum::<T>(&planes[*row..][..positions]);
        }
    }

    /// Returns the sum of all shares, without the padding.
    fn total<T: Number>(&self, shares: &[ToParameters<T>]) -> ToParameters<T> {
        let (mut weight, mut bias) = self.zeros();
        for (of_weight, of_bias) in shares {
            for (total, share) in weight.iter_mut().zip(of_weight) {
                *total += *share;
            }
            for (total, share) in bias.iter_mut().zip(of_bias) {
                *total += *share;
            }
        }
        let mut all = vec![T::default(); self.outputs * self.width];
        for (all, found) in all.chunks_exact_mut(self.width).zip(weight.chunks_exact(self.pitch())) {
            for (column, found) in self.columns.iter().zip(found) {
                all[*column] = *found;
            }
        }
        (all, bias)
    }
}
