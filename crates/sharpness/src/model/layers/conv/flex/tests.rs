//! Compares every pass with burn's own operations and, in float64, with the sums that define it.

use burn::tensor::{DType, Tensor, TensorData};
use sharptui_flex::device;

use super::super::generic::{self, Generic};
use super::{Flex, Passes, Shape, ToParameters, forward};

/// [examples, in, height, width] of x, out, kernel, stride.
type Case = ([usize; 4], usize, usize, usize);

/// Usual cases, and: a single channel, example, row or pixel; sides of every remainder; images with and without a plane
/// for every tap; more channels and examples than are computed at the same time, and counts that are not multiples of
/// these.
const CASES: &[Case] = &[
    ([2, 1, 28, 28], 8, 3, 1),
    ([5, 8, 14, 14], 16, 3, 1),
    ([1, 3, 9, 7], 5, 3, 1),
    ([3, 2, 5, 12], 9, 3, 2),
    ([3, 2, 12, 5], 1, 3, 2),
    ([2, 4, 8, 8], 8, 1, 2),
    ([2, 4, 9, 7], 3, 1, 2),
    ([2, 5, 6, 6], 4, 1, 1),
    ([70, 3, 4, 4], 6, 3, 1),
    ([67, 4, 2, 2], 17, 3, 1),
    ([3, 4, 2, 2], 4, 3, 2),
    ([4, 3, 1, 1], 2, 3, 1),
    ([4, 3, 1, 1], 2, 3, 2),
    ([2, 2, 1, 9], 3, 3, 1),
    ([2, 2, 9, 1], 3, 3, 2),
    ([2, 3, 11, 10], 4, 5, 1),
    ([2, 3, 11, 10], 4, 5, 2),
    ([2, 3, 3, 3], 4, 5, 2),
    ([2, 1, 13, 13], 2, 3, 3),
    ([33, 16, 16, 16], 24, 3, 1),
    ([130, 8, 7, 7], 8, 3, 2),
];

/// Returns pseudo-random numbers in ±1.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn tensor<const D: usize>(shape: [usize; D], seed: u64, format: DType) -> Tensor<D> {
    let data = TensorData::new(numbers(shape.iter().product(), seed), shape);
    Tensor::from_data(data, (&device(), format))
}

fn host<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.clone().into_data_as::<f64>().iter::<f64>().collect()
}

/// The inputs of every pass of a convolution.
struct Problem {
    shape: Shape,
    x: Tensor<4>,
    dx: Tensor<4>,
    weight: Tensor<4>,
    d_weight: Tensor<4>,
    bias: Tensor<1>,
    d_bias: Tensor<1>,
    delta: Tensor<4>,
    delta_dot: Tensor<4>,
}

impl Problem {
    fn new(&([examples, inputs, height, width], outputs, kernel, stride): &Case, format: DType) -> Self {
        let (of_x, of_weight) = ([examples, inputs, height, width], [outputs, inputs, kernel, kernel]);
        let of_y = [examples, outputs, height.div_ceil(stride), width.div_ceil(stride)];
        Self {
            shape: Shape {
                kernel,
                stride,
                has_bias: true,
            },
            x: tensor(of_x, 1, format),
            dx: tensor(of_x, 2, format),
            weight: tensor(of_weight, 3, format),
            d_weight: tensor(of_weight, 4, format),
            bias: tensor([outputs], 5, format),
            d_bias: tensor([outputs], 6, format),
            delta: tensor(of_y, 7, format),
            delta_dot: tensor(of_y, 8, format),
        }
    }

    fn flex(&self) -> (Tensor<4>, Flex) {
        forward(self.shape, &self.x, &self.weight, Some(&self.bias)).unwrap()
    }

    fn generic(&self) -> (Tensor<4>, Generic) {
        generic::forward(self.shape, self.x.clone(), self.weight.clone(), Some(self.bias.clone()))
    }

    /// Returns the results of every pass, each with its name.
    fn results(&self, (y, passes): (Tensor<4>, impl Passes)) -> Vec<(&'static str, Vec<f64>)> {
        let mut results = vec![("y", host(&y))];
        let mut add = |name, to_input: Option<Tensor<4>>, found: Option<ToParameters>| {
            if let Some(to_input) = to_input {
                results.push((name, host(&to_input)));
            }
            if let Some(found) = found {
                results.push((name, host(&found.weight)));
                results.push((name, host(&found.bias.unwrap())));
            }
        };
        for (to_input, to_parameters) in [(true, true), (true, false), (false, true)] {
            let (to_input, found) = passes.backward(&self.delta, to_input, to_parameters);
            add("backward", to_input, found);
        }
        for dx in [Some(&self.dx), None] {
            let direction = ToParameters {
                weight: self.d_weight.clone(),
                bias: Some(self.d_bias.clone()),
            };
            add("tangent", Some(passes.tangent(dx, direction)), None);
            for to_input in [true, false] {
                let d_weight = self.d_weight.clone();
                let (to_input, found) = passes.backward_tangent(dx, d_weight, &self.delta, &self.delta_dot, to_input);
                add("backward_tangent", to_input, Some(found));
            }
        }
        results
    }
}

fn assert_close(case: &Case, found: &[(&str, Vec<f64>)], expected: &[(&str, Vec<f64>)], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len(), "{case:?}: {name}");
        let size = expected.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let error = (found - expected).abs();
            assert!(error <= tolerance * size, "{case:?}: {name}: {found} for {expected}");
        }
    }
}

#[test]
fn every_pass_gives_what_burns_own_operations_give() {
    for (format, tolerance) in [(DType::F64, 1e-13), (DType::F32, 1e-5)] {
        for case in CASES {
            let problem = Problem::new(case, format);
            let (found, expected) = (problem.results(problem.flex()), problem.results(problem.generic()));
            assert_close(case, &found, &expected, tolerance);
        }
    }
}

#[test]
fn every_pass_gives_the_sums_as_they_are_defined() {
    for case in CASES {
        let problem = Problem::new(case, DType::F64);
        let (y, passes) = problem.flex();
        let (to_input, found) = passes.backward(&problem.delta, true, true);
        let found = found.unwrap();
        let found = [
            ("y", host(&y)),
            ("to x", host(&to_input.unwrap())),
            ("to W", host(&found.weight)),
            ("to b", host(&found.bias.unwrap())),
        ];
        assert_close(case, &found, &defined(case, &problem), 1e-13);
    }
}

/// Returns y, and the derivatives of ⟨δ, y⟩ with respect to x, W and b.
fn defined(case: &Case, problem: &Problem) -> [(&'static str, Vec<f64>); 4] {
    let &([examples, inputs, height, width], outputs, kernel, stride) = case;
    let [_, _, rows, columns] = problem.delta.dims();
    let (x, weight, delta) = (host(&problem.x), host(&problem.weight), host(&problem.delta));
    let bias = host(&problem.bias);
    let (mut y, mut to_x) = (vec![0.0; delta.len()], vec![0.0; x.len()]);
    let (mut to_weight, mut to_bias) = (vec![0.0; weight.len()], vec![0.0; outputs]);
    for at in 0..delta.len() {
        let (row, column) = (at / columns % rows, at % columns);
        let (example, output) = (at / (columns * rows * outputs), at / (columns * rows) % outputs);
        assert!(example < examples);
        y[at] += bias[output];
        to_bias[output] += delta[at];
        for read in 0..inputs * kernel * kernel {
            let (input, tap) = (read / (kernel * kernel), read % (kernel * kernel));
            let of_row = (row * stride + tap / kernel).checked_sub(kernel / 2);
            let of_column = (column * stride + tap % kernel).checked_sub(kernel / 2);
            let (Some(of_row), Some(of_column)) = (of_row, of_column) else {
                continue;
            };
            if of_row >= height || of_column >= width {
                continue;
            }
            let from = ((example * inputs + input) * height + of_row) * width + of_column;
            let of_weight = output * inputs * kernel * kernel + read;
            y[at] += weight[of_weight] * x[from];
            to_x[from] += weight[of_weight] * delta[at];
            to_weight[of_weight] += x[from] * delta[at];
        }
    }
    [("y", y), ("to x", to_x), ("to W", to_weight), ("to b", to_bias)]
}

#[test]
fn tensors_in_another_order_in_memory_are_read_in_their_own() {
    let mut problem = Problem::new(&CASES[1], DType::F64);
    let expected = problem.results(problem.flex());
    let turned = |x: &Tensor<4>| {
        let data = x.clone().permute([3, 2, 1, 0]).into_data();
        Tensor::<4>::from_data(data, (&device(), DType::F64)).permute([3, 2, 1, 0])
    };
    problem.x = turned(&problem.x);
    problem.delta = turned(&problem.delta);
    problem.weight = turned(&problem.weight);
    assert_eq!(problem.results(problem.flex()), expected);
}

#[test]
fn what_is_not_finite_stays_so() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut problem = Problem::new(&CASES[1], DType::F64);
        let mut data = host(&problem.x);
        data[300] = bad;
        problem.x = Tensor::from_data(TensorData::new(data, problem.x.dims()), (&device(), DType::F64));
        for (found, expected) in problem
            .results(problem.flex())
            .iter()
            .zip(problem.results(problem.generic()))
        {
            for (found, expected) in found.1.iter().zip(expected.1) {
                assert!(expected.is_finite() || !found.is_finite(), "{expected}: {found}");
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let bits = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let problems = CASES.iter().map(|case| Problem::new(case, DType::F32));
            problems
                .map(|problem| problem.results(problem.flex()))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(bits(1), bits(3));
}
