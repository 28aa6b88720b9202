//! Vectors and operators for tests.

use burn::tensor::{DType, Device, Tensor, TensorData};
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Returns the device of these tests, on the back end that the name of the test binary selects.
pub fn device() -> Device {
    match env!("CARGO_CRATE_NAME") {
        "numerics" => Device::flex(),
        "numerics_on_libtorch" => libtorch(),
        other => panic!("no back end for the test binary {other}"),
    }
}

#[cfg(feature = "tch")]
#[expect(deprecated, reason = "burn favours its own CUDA back end")]
fn libtorch() -> Device {
    Device::libtorch()
}

#[cfg(not(feature = "tch"))]
fn libtorch() -> Device {
    unreachable!("built without LibTorch")
}

/// Returns whether burn can differentiate a ResNet-20 here. LibTorch's back end has no gradient of a slice with steps;
/// only the ResNet-20's shortcut uses such a slice, and only automatic differentiation needs its gradient.
pub fn differentiates_strides() -> bool {
    env!("CARGO_CRATE_NAME") == "numerics"
}

/// Returns a float64 vector on the device.
pub fn tensor(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&device(), DType::F64))
}

/// Returns the numbers of a tensor.
pub fn numbers<const D: usize>(x: &Tensor<D>) -> Vec<f64> {
    x.clone().into_data_as::<f64>().iter::<f64>().collect()
}

/// Returns the numbers of a vector.
pub fn vector(x: &Tensor<1>) -> DVector<f64> {
    numbers(x).into()
}

/// Returns independent normal numbers.
pub fn normal(seed: u64, length: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..length).map(|_| StandardNormal.sample(&mut rng)).collect()
}

/// Returns ‖a − b‖ / ‖b‖.
pub fn relative_error(a: &DVector<f64>, b: &DVector<f64>) -> f64 {
    (a - b).norm() / b.norm()
}

/// Returns the largest eigenvalue of a dense symmetric matrix.
pub fn largest(matrix: &DMatrix<f64>) -> f64 {
    matrix.symmetric_eigenvalues().max()
}

/// Returns (A + Aᵀ)/√(2n), where A has independent normal entries: its spectrum fills about [−2, 2].
pub fn symmetric(seed: u64, n: usize) -> DMatrix<f64> {
    let a = DMatrix::from_vec(n, n, normal(seed, n * n));
    (&a + a.transpose()) / (2.0 * n as f64).sqrt()
}

/// Returns a random orthogonal matrix.
pub fn orthogonal(seed: u64, n: usize) -> DMatrix<f64> {
    DMatrix::from_vec(n, n, normal(seed, n * n)).qr().q()
}

/// Returns diag(values) as an operator.
pub fn diagonal(values: &[f64]) -> impl FnMut(&Tensor<1>) -> Tensor<1> + use<> {
    let values = tensor(values);
    move |v: &Tensor<1>| v.clone() * values.clone()
}

/// Returns a dense symmetric matrix as an operator.
pub fn dense(matrix: &DMatrix<f64>) -> impl FnMut(&Tensor<1>) -> Tensor<1> + use<> {
    let matrix = square(matrix);
    move |v: &Tensor<1>| apply(&matrix, v)
}

/// Returns Q diag(spectrum) Qᵀ as an operator.
pub fn rotated(q: &DMatrix<f64>, spectrum: &[f64]) -> impl FnMut(&Tensor<1>) -> Tensor<1> + use<> {
    let (q, back, spectrum) = (square(q), square(&q.transpose()), tensor(spectrum));
    move |v: &Tensor<1>| apply(&q, &(apply(&back, v) * spectrum.clone()))
}

/// Returns a dense matrix on the device.
pub fn square(matrix: &DMatrix<f64>) -> Tensor<2> {
    let n = matrix.nrows();
    tensor(matrix.transpose().as_slice()).reshape([n, n])
}

/// Returns A v.
pub fn apply(matrix: &Tensor<2>, v: &Tensor<1>) -> Tensor<1> {
    let [n] = v.dims();
    matrix.clone().matmul(v.clone().reshape([n, 1])).reshape([n])
}
