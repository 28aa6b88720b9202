//! Measures the time of the program's work on every back end of the build: `cargo bench --bench speed [FILTER]`.
//!
//! `RAYON_NUM_THREADS` (flex) and `OMP_NUM_THREADS` (LibTorch) set the number of threads.

#[path = "compare/case.rs"]
mod case;

use std::cell::LazyCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use sharpness::curvature::SymmetricOperator;
use sharpness::model::Examples;
use sharptui::data::Dataset;
use sharptui::device::{self, DeviceChoice, OpenDevice};
use sharptui::setup::dtype;

use case::{Case, Size};

const BATCHES: [usize; 2] = [128, 1000];

/// Training steps before anything is timed: at the initial parameters the spectrum is not that of a trained network.
const STEPS_BEFORE: u64 = 30;

/// Steps between two measurements of a track.
const STEPS_BETWEEN: u64 = 10;

/// Measurements of a track before it reverses its direction.
const PATH: usize = 8;

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    for device in devices() {
        for network in ["mlp", "cnn"] {
            for batch in BATCHES {
                let case = Case::new(network.parse()?, Size::of(batch), device.clone())?;
                let name = format!("{}, {network}", device.name);
                let mut group = criterion.benchmark_group(name);
                training(&mut group, &case);
                products(&mut group, &case);
                measurements(&mut group, &case);
                group.finish();
            }
        }
        let mut group = criterion.benchmark_group(format!("{}, batches", device.name));
        loading(&mut group, &Case::new("mlp".parse()?, Size::of(BATCHES[0]), device)?)?;
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}

/// Returns the devices that this build and this machine have.
fn devices() -> Vec<OpenDevice> {
    let all = [
        DeviceChoice::Flex,
        DeviceChoice::LibTorch,
        DeviceChoice::LibTorchCuda(0),
    ];
    all.into_iter().filter_map(|choice| device::open(choice).ok()).collect()
}

/// Times the gradient of a batch that is on the device, and a whole step.
fn training(group: &mut BenchmarkGroup<WallTime>, case: &Case) {
    let batch = case.probe.len();
    let mut training = case.start();
    let parameters = training.parameters.clone();
    group.bench_function(BenchmarkId::new("gradient", batch), |bencher| {
        bencher.iter(|| finished(case, case.gradient(&parameters, &case.probe)));
    });
    group.bench_function(BenchmarkId::new("training step", batch), |bencher| {
        bencher.iter(|| {
            training.step();
            finished(case, training.parameters.clone())
        });
    });
}

/// Times Hessian-vector products. The first one includes everything that is computed once per parameters.
fn products(group: &mut BenchmarkGroup<WallTime>, case: &Case) {
    let batch = case.probe.len();
    let parameters = case.start().parameters;
    // Computed only if the filter selects these benches.
    let v = LazyCell::new(|| case.direction(&parameters));
    group.bench_function(BenchmarkId::new("product, the first", batch), |bencher| {
        bencher.iter(|| {
            let mut go_on = || true;
            finished(case, product(case, &parameters, &v, 0, &mut go_on).1)
        });
    });
    group.bench_function(BenchmarkId::new("product, each further", batch), |bencher| {
        bencher.iter_custom(|iterations| {
            let mut go_on = || true;
            product(case, &parameters, &v, iterations, &mut go_on).0
        });
    });
}

/// Computes a product, then times `further` products of the same Hessian. Returns that time and the last product.
fn product(
    case: &Case,
    parameters: &Tensor<1>,
    v: &Tensor<1>,
    further: u64,
    go_on: &mut dyn FnMut() -> bool,
) -> (Duration, Tensor<1>) {
    let mut hessian = case.hessian(parameters, go_on);
    let mut apply = || {
        let product = hessian.apply(v).unwrap_or_else(|why| panic!("{why}"));
        finished(case, product)
    };
    let mut last = apply();
    let started = Instant::now();
    for _ in 0..further {
        last = black_box(apply());
    }
    (started.elapsed(), last)
}

/// Times λ_max from a cold start, and tracked: measured again after a few more training steps.
fn measurements(group: &mut BenchmarkGroup<WallTime>, case: &Case) {
    let batch = case.probe.len();
    // Computed only if the filter selects these benches.
    let path = LazyCell::new(|| {
        let mut training = case.start();
        training.advance(STEPS_BEFORE);
        let mut path = vec![training.parameters.clone()];
        while path.len() < PATH {
            training.advance(STEPS_BETWEEN);
            path.push(training.parameters.clone());
        }
        path
    });
    let measure = |tracker: &mut _, point: usize| {
        let found = case
            .measure(tracker, &path[point])
            .unwrap_or_else(|why| panic!("{why}"));
        assert!(found.converged, "λ_max did not converge: {found:?}");
        found.value
    };
    group.sample_size(10);
    group.bench_function(BenchmarkId::new("λ_max, cold", batch), |bencher| {
        LazyCell::force(&path);
        let mut seed = 0;
        bencher.iter(|| {
            seed += 1;
            measure(&mut case.tracker(seed), 0)
        });
    });
    group.bench_function(BenchmarkId::new("λ_max, tracked", batch), |bencher| {
        bencher.iter_custom(|iterations| {
            let mut tracker = case.tracker(0);
            measure(&mut tracker, 0);
            let started = Instant::now();
            for iteration in 0..iterations {
                black_box(measure(&mut tracker, there_and_back(iteration as usize + 1)));
            }
            started.elapsed()
        });
    });
    group.sample_size(20);
}

/// Returns the element of 0, 1, …, n − 1, n − 2, …, 0, 1, … at this index: an endless path whose neighbours are
/// neighbouring measurements.
fn there_and_back(index: usize) -> usize {
    let turn = PATH - 1;
    let index = index % (2 * turn);
    index.min(2 * turn - index)
}

/// Times gathering a batch from the training set on the device, and copying the whole set to the device.
fn loading(group: &mut BenchmarkGroup<WallTime>, case: &Case) -> anyhow::Result<()> {
    for batch in BATCHES {
        // Every other example, so that no two are adjacent in memory.
        let indices: Vec<usize> = (0..batch).map(|i| 2 * i).collect();
        group.bench_function(BenchmarkId::new("gather", batch), |bencher| {
            bencher.iter(|| finished(case, case.train.select(&indices).images));
        });
    }
    let s = &case.settings;
    let set = Dataset::load(&s.selection(), None)?;
    let on = (&case.device.device, dtype(s));
    group.bench_function(BenchmarkId::new("upload", set.train.len()), |bencher| {
        bencher.iter(|| {
            let examples = Examples::upload(&set.train.pixels, &set.train.labels, set.classes, on.0, on.1);
            finished(case, examples.images)
        });
    });
    Ok(())
}

/// Returns the tensor once the device has computed it.
fn finished<const D: usize>(case: &Case, tensor: Tensor<D>) -> Tensor<D> {
    case.wait().unwrap_or_else(|why| panic!("{why:#}"));
    tensor
}
