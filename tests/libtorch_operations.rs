//! Tests our LibTorch operations against burn's, one by one, and their errors.

#![cfg(feature = "tch")]
#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::module::{conv_transpose2d, conv2d, conv2d_weight_backward};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{DType, Device, Tensor};
use sharptui::device::{DeviceChoice, open};
use sharptui_libtorch as libtorch;
use sharptui_libtorch::{Normalized, Wanted};

fn device() -> Device {
    open(DeviceChoice::LibTorch).unwrap().device
}

/// Returns numbers in float64 without a pattern that could hide an error.
fn numbers<const D: usize>(shape: [usize; D], seed: usize) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count)
        .map(|i| ((i * 7919 + seed * 104_729) as f64 * 0.618_034).sin())
        .collect();
    Tensor::<1>::from_data(burn::tensor::TensorData::new(values, [count]), (&device(), DType::F64)).reshape(shape)
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.clone().into_data_as::<f64>().iter::<f64>().collect()
}

fn assert_close<const D: usize>(found: &Tensor<D>, expected: &Tensor<D>, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let (found, expected) = (values(found), values(expected));
    let largest = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
    for (a, b) in found.iter().zip(&expected) {
        assert!((a - b).abs() <= 1e-12 * largest, "{what}: {a} is not {b}");
    }
}

const ALL: Wanted = Wanted {
    input: true,
    weight: true,
    bias: true,
};

#[test]
fn the_derivatives_of_a_convolution_are_burns() {
    for (examples, [inputs, outputs], [height, width], kernel, stride) in [
        (3, [2, 4], [6, 5], 3, 1),
        (1, [1, 1], [1, 1], 3, 1),
        (2, [3, 2], [7, 8], 3, 2),
        (2, [4, 3], [5, 6], 1, 2),
        (4, [2, 2], [2, 3], 1, 1),
    ] {
        let what = format!("{examples} of {height}×{width}, {inputs} to {outputs}, kernel {kernel}, stride {stride}");
        let x = numbers([examples, inputs, height, width], 1);
        let weight = numbers([outputs, inputs, kernel, kernel], 2);
        let padding = kernel / 2;
        let options = || ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1);
        let y = conv2d(x.clone(), weight.clone(), None, options());
        let [_, _, rows, columns] = y.dims();
        let delta = numbers(y.dims(), 3);
        let (to_input, to_weight, to_bias) = libtorch::convolution_backward(&delta, &x, &weight, stride, padding, ALL);
        let rest = [height - 1 - (rows - 1) * stride, width - 1 - (columns - 1) * stride];
        let back = ConvTransposeOptions::new([stride; 2], [padding; 2], rest, [1, 1], 1);
        assert_close(
            &to_input.unwrap(),
            &conv_transpose2d(delta.clone(), weight.clone(), None, back),
            &what,
        );
        let expected = conv2d_weight_backward(x.clone(), weight.clone(), delta.clone(), options());
        assert_close(&to_weight.unwrap(), &expected, &what);
        let expected = delta.clone().sum_dims(&[0, 2, 3]).reshape([outputs]);
        assert_close(&to_bias.unwrap(), &expected, &what);
        let nothing = libtorch::convolution_backward(&delta, &x, &weight, stride, padding, Wanted::default());
        assert!(matches!(nothing, (None, None, None)), "{what}");
    }
}

/// Returns (x − μ)/√(σ² + ε) for each channel, and 1/√(σ² + ε), `[1, channels, 1, 1]`.
fn normalized(x: &Tensor<4>, count: f64, epsilon: f64) -> (Tensor<4>, Tensor<4>) {
    let mean = |t: Tensor<4>| t.sum_dims(&[0, 2, 3]) / count;
    let centred = x.clone() - mean(x.clone());
    let rate = (mean(centred.clone() * centred.clone()) + epsilon).sqrt().recip();
    (centred * rate.clone(), rate)
}

#[test]
fn batch_normalization_and_its_derivative_are_what_the_formulas_say() {
    let epsilon = 1e-5;
    for shape in [[4, 3, 5, 2], [2, 1, 1, 1], [1, 2, 3, 3]] {
        let [examples, channels, height, width] = shape;
        let what = format!("{shape:?}");
        let count = (examples * height * width) as f64;
        let x = numbers(shape, 4);
        let (gamma, beta) = (numbers([channels], 5), numbers([channels], 6));
        let (mut mean, mut variance) = (numbers([channels], 7), numbers([channels], 8).abs());
        let before = [mean.clone(), variance.clone()];
        let running = Some([&mut mean, &mut variance]);
        let (y, at) = Normalized::forward(&x, &gamma, &beta, running, 0.1, epsilon);
        let per_channel = |t: &Tensor<1>| t.clone().reshape([1, channels, 1, 1]);
        let flat = |t: Tensor<4>| t.reshape([channels]);
        let mean_of = |t: Tensor<4>| t.sum_dims(&[0, 2, 3]) / count;
        let (hat, rate) = normalized(&x, count, epsilon);
        let expected = hat.clone() * per_channel(&gamma) + per_channel(&beta);
        assert_close(&y, &expected, &what);
        assert_close(at.statistics()[0], &flat(mean_of(x.clone())), &what);
        assert_close(at.statistics()[1], &flat(rate.clone()), &what);

        // The running averages are new tensors; the earlier ones are unchanged.
        let centred = x.clone() - mean_of(x.clone());
        let unbiased = flat(mean_of(centred.clone() * centred)) * (count / (count - 1.0));
        assert_close(
            &mean,
            &(before[0].clone() * 0.9 + flat(mean_of(x.clone())) * 0.1),
            &what,
        );
        assert_close(&variance, &(before[1].clone() * 0.9 + unbiased * 0.1), &what);
        assert_close(&before[0], &numbers([channels], 7), &what);

        let (u, scale) = (numbers(shape, 9), numbers([channels], 10));
        let (projected, along, sum) = at.project(&u, &scale);
        let overlap = mean_of(u.clone() * hat.clone());
        let expected = (u.clone() - mean_of(u.clone()) - hat.clone() * overlap) * rate * per_channel(&scale);
        assert_close(&projected, &expected, &what);
        assert_close(&along, &flat((u.clone() * hat).sum_dims(&[0, 2, 3])), &what);
        assert_close(&sum, &flat(u.sum_dims(&[0, 2, 3])), &what);
    }
}

#[test]
fn pooling_takes_the_first_of_equals_and_its_derivatives_go_there() {
    let on = (&device(), DType::F64);
    // The first square has ties. The last row and column are left over and ignored. NaN stays NaN.
    let x = Tensor::<4>::from_data(
        [[[
            [7.0, 7.0, 1.0, 2.0, 90.0],
            [7.0, 0.0, 4.0, 3.0, 90.0],
            [f64::NAN, 1.0, -2.0, -1.0, 90.0],
            [0.0, 2.0, -3.0, -9.0, 90.0],
            [90.0, 90.0, 90.0, 90.0, 90.0],
        ]]],
        on,
    );
    let (y, pooled) = libtorch::max_pool(&x, 2);
    let found = values(&y);
    assert_eq!(&found[..2], [7.0, 4.0]);
    assert!(found[2].is_nan());
    assert_close(
        &y.slice([0..1, 0..1, 1..2, 1..2]),
        &Tensor::from_data([[[[-1.0]]]], on),
        "last",
    );
    let places = Tensor::<1>::from_data(
        burn::tensor::TensorData::new((0..25).map(f64::from).collect(), [25]),
        on,
    );
    let chosen = pooled.choose(&places.reshape([1, 1, 5, 5]));
    assert_eq!(values(&chosen), [0.0, 7.0, 10.0, 13.0]);
    let back = values(&pooled.put_back(&Tensor::from_data([[[[1.0, 2.0], [3.0, 4.0]]]], on)));
    let mut expected = vec![0.0; 25];
    for (place, value) in [(0, 1.0), (7, 2.0), (10, 3.0), (13, 4.0)] {
        expected[place] = value;
    }
    assert_eq!(back, expected);
}

#[test]
fn sums_of_products_are_burns_and_leave_their_operands_alone() {
    let (a, b, c) = (numbers([4, 3], 1), numbers([3, 5], 2), numbers([4, 5], 3));
    let product = libtorch::add_product(&c, &a, &b);
    assert_close(&product, &(a.clone().matmul(b.clone()) + c.clone()), "sum + a b");
    assert_close(&c, &numbers([4, 5], 3), "the sum before");
    let weight = numbers([5, 3], 4);
    let bias = numbers([5], 5);
    let expected = a.clone().matmul(weight.clone().transpose()) + bias.clone().unsqueeze::<2>();
    assert_close(&libtorch::linear(&a, &weight, &bias), &expected, "x Wᵀ + b");
    let scaled = libtorch::add_scaled(&c, &product, -0.3);
    assert_close(&scaled, &(c.clone() - product.clone() * 0.3), "x + s y");
    let row = numbers([1, 5], 6);
    let expected = c.clone() + c.clone() * row.clone() + product.clone() * row.clone();
    let found = libtorch::add_products(c.clone(), &[(&c, &row), (&product, &row)]);
    assert_close(&found, &expected, "sum + a b + c d");
    assert_close(&c, &numbers([4, 5], 3), "the sum before");
    let delta = numbers([4, 5], 7);
    let expected = delta.clone() * c.clone().greater_elem(0.0).float().cast(DType::F64);
    let y = burn::tensor::activation::relu(c.clone());
    assert_close(&libtorch::relu_backward(&delta, &y), &expected, "ReLU");
}

#[test]
fn what_is_sent_arrives_and_what_is_asked_for_comes() {
    let like = numbers([2], 1);
    let sent = libtorch::upload(&[1_u8, 0, 255, 3], [2, 2], &like);
    assert_eq!((values(&sent), sent.dtype()), (vec![1.0, 0.0, 255.0, 3.0], DType::F64));
    let indices = libtorch::upload_indices(&[1, 0, 1], &like);
    assert_eq!(
        values(&like.clone().select(0, indices)),
        [1, 0, 1].map(|i| values(&like)[i])
    );
    assert!(!libtorch::works_behind(&like));
    assert_eq!(libtorch::Reading::begin(&like).wait(), values(&like));
}

#[test]
fn whoever_allows_tf32_for_a_while_learns_what_was_allowed_before() {
    assert!(!libtorch::allow_tf32(true));
    assert!(libtorch::allow_tf32(true));
    assert!(libtorch::allow_tf32(false));
    assert!(!libtorch::allow_tf32(false));
}

#[test]
fn what_libtorch_refuses_is_a_panic_with_its_words() {
    let (delta, x) = (numbers([1, 2, 3, 3], 1), numbers([1, 2, 3, 3], 2));
    let weight = numbers([2, 7, 3, 3], 3);
    let refused = catch_unwind(AssertUnwindSafe(|| {
        libtorch::convolution_backward(&delta, &x, &weight, 1, 1, ALL)
    }));
    let words = refused.err().unwrap().downcast_ref::<String>().unwrap().clone();
    assert!(words.contains("channels"), "{words}");
    // Operations still work afterwards.
    assert_close(&delta, &numbers([1, 2, 3, 3], 1), "δ");
}

#[test]
fn tensors_of_another_back_end_are_told_apart() {
    let elsewhere = Tensor::<1>::from_data([1.0], (&Device::flex(), DType::F64));
    assert!(!libtorch::is_here(&elsewhere) && libtorch::is_here(&numbers([1], 1)));
    assert!(!libtorch::works_behind(&elsewhere));
    assert_eq!(libtorch::other_version_loaded(), None);
}
