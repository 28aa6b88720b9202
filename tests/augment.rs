//! Augmentation: training batches are compared with simple loops over framed images; probes and evaluations use the
//! original images.

#![allow(clippy::unwrap_used)] // Clippy allows it in tests, but not in their helpers.

use std::path::Path;
use std::time::Duration;

use burn::tensor::{DType, Device, Tensor};
use crossbeam_channel::unbounded;
use rand::RngExt;
use sharpness::model::{Examples, Normalization, Pass, RunningStatistics, loss_and_gradient};
use sharpness::random::{Purpose, stream};
use sharptui::config::{Experiment, Settings};
use sharptui::event::Point;
use sharptui::setup;
use sharptui::train::{AnyError, Augmenter, Control, Keeper, Outbox, Snapshot, Task, Trained, View, train};

const SHAPE: [usize; 3] = [3, 5, 4];
const BLACK: [f32; 3] = [-1.5, -2.25, -0.125];
const FEATURES: usize = 60;

fn settings(text: &str) -> Settings {
    let text = format!(
        "(model: Mlp(widths: [4]), activation: Tanh, learning_rate: 0.1, train_examples: 20, test_examples: 10,
          probes: [(from: Training, examples: Full)], precision: F64, {text})"
    );
    Experiment::parse(&text, Path::new("test.ron")).unwrap().cells[0]
        .settings
        .clone()
}

/// Returns small numbers that are all different.
fn pixels(count: usize) -> Vec<f32> {
    (0..count * FEATURES)
        .map(|i| ((i * 7919) % 100_003) as f32 / 50_000.0 - 1.0)
        .collect()
}

fn examples(count: usize) -> Examples {
    let labels: Vec<u8> = (0..count).map(|i| (i * 7 % 3) as u8).collect();
    Examples::upload(&pixels(count), &labels, 3, &Device::flex(), DType::F64)
}

fn values(tensor: Tensor<2>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Adds a black frame to one image, crops it, and mirrors it, pixel by pixel.
fn seen_by_hand(image: &[f32], pad: usize, view: View) -> Vec<f64> {
    let [channels, height, width] = SHAPE;
    let mut seen = Vec::new();
    for channel in 0..channels {
        let mut framed = vec![vec![BLACK[channel]; width + 2 * pad]; height + 2 * pad];
        for row in 0..height {
            for column in 0..width {
                framed[pad + row][pad + column] = image[(channel * height + row) * width + column];
            }
        }
        for row in &framed[view.down..view.down + height] {
            let mut window = row[view.right..view.right + width].to_vec();
            if view.mirrored {
                window.reverse();
            }
            seen.extend(window.into_iter().map(f64::from));
        }
    }
    seen
}

/// Draws the views of the next `count` images in the way that the documentation describes.
fn views(rng: &mut rand_chacha::ChaCha8Rng, pad: u32, count: usize) -> Vec<View> {
    let view = |_| View {
        down: rng.random_range(0..=2 * pad) as usize,
        right: rng.random_range(0..=2 * pad) as usize,
        mirrored: rng.random(),
    };
    (0..count).map(view).collect()
}

fn by_hand(pixels: &[f32], pad: usize, views: &[View]) -> Vec<f64> {
    let images = pixels.chunks(FEATURES).zip(views);
    images
        .flat_map(|(image, &view)| seen_by_hand(image, pad, view))
        .collect()
}

#[test]
fn a_batch_is_what_plain_loops_make_of_it_and_keeps_its_labels() {
    for (pad, count) in [(1, 7), (2, 20), (3, 2500)] {
        let settings = settings(&format!(
            "steps: 1, batch_size: 6, seed: 5, augment: CropAndFlip(pad: {pad})"
        ));
        let mut augmenter = Augmenter::of(&settings, SHAPE, &BLACK).unwrap();
        let mut rng = stream(5, Purpose::Augmentation);
        let batch = examples(count);
        for _ in 0..2 {
            let varied = augmenter.vary(&batch);
            let views = views(&mut rng, pad, count);
            assert_eq!(values(varied.images), by_hand(&pixels(count), pad as usize, &views));
            assert_eq!(values(varied.labels), values(batch.labels.clone()));
        }
    }
}

#[test]
fn every_window_of_the_frame_shows_what_plain_loops_show() {
    let settings = settings("steps: 1, batch_size: 6, augment: CropAndFlip(pad: 2)");
    let augmenter = Augmenter::of(&settings, SHAPE, &BLACK).unwrap();
    let mut views = Vec::new();
    for down in 0..=4 {
        for right in 0..=4 {
            views.extend([false, true].map(|mirrored| View { down, right, mirrored }));
        }
    }
    let seen = augmenter.seen(examples(50).images, &views);
    assert_eq!(values(seen), by_hand(&pixels(50), 2, &views));
}

#[test]
fn the_window_in_the_middle_unmirrored_is_the_image_itself() {
    let settings = settings("steps: 1, batch_size: 6, augment: CropAndFlip(pad: 4)");
    let augmenter = Augmenter::of(&settings, SHAPE, &BLACK).unwrap();
    let middle = View {
        down: 4,
        right: 4,
        mirrored: false,
    };
    let images = examples(6).images;
    assert_eq!(values(augmenter.seen(images.clone(), &[middle; 6])), values(images));
}

/// A keeper that holds the points in memory.
struct Kept(Vec<Point>);

impl Keeper for Kept {
    fn point(&mut self, point: &Point) -> Result<(), AnyError> {
        self.0.push(point.clone());
        Ok(())
    }

    fn parameters(&mut self, _: u64, _: &Tensor<1>, _: &[RunningStatistics]) -> Result<(), AnyError> {
        Ok(())
    }

    fn snapshot(&mut self, _: &Snapshot) -> Result<(), AnyError> {
        Ok(())
    }

    fn lasting(&mut self, _: &Snapshot) -> Result<(), AnyError> {
        Ok(())
    }

    fn keep_every(&self) -> Duration {
        Duration::MAX
    }
}

fn run(settings: &Settings) -> (Trained, Vec<Point>) {
    let device = Device::flex();
    let network = setup::network(settings, SHAPE, 3);
    let task = Task {
        cell: 0,
        settings,
        network: &network,
        train: &examples(20),
        test: &examples(10),
        black: &BLACK,
        device: &device,
    };
    let mut kept = Kept(Vec::new());
    let (_commands, commands_out) = unbounded();
    let (events, _kept_open) = unbounded();
    let trained = train(
        task,
        &mut Control::new(commands_out),
        &mut Outbox::new(events),
        &mut kept,
        None,
    );
    (trained.unwrap(), kept.0)
}

fn parameters(trained: &Trained) -> Vec<f64> {
    trained.parameters.to_data().iter::<f64>().collect()
}

/// Compares full-batch gradient descent, where each step draws new views of all examples.
#[test]
fn full_batch_descent_draws_anew_at_every_step() {
    let settings = settings("steps: 3, batch_size: Full, chunk_size: 7, seed: 2, augment: CropAndFlip(pad: 1)");
    let device = Device::flex();
    let network = setup::network(&settings, SHAPE, 3);
    let mut w = network.initial_parameters(2, &device, DType::F64);
    let mut rng = stream(2, Purpose::Augmentation);
    for _ in 0..3 {
        let seen: Vec<f32> = by_hand(&pixels(20), 1, &views(&mut rng, 1, 20))
            .iter()
            .map(|&x| x as f32)
            .collect();
        let labels: Vec<u8> = (0..20).map(|i| (i * 7 % 3) as u8).collect();
        let batch = Examples::upload(&seen, &labels, 3, &device, DType::F64);
        let mut pass = Pass {
            dropout: None,
            normalization: Normalization::Batch,
            running: &mut [],
            observe: false,
        };
        let (_, gradient) = loss_and_gradient(&network, setup::loss(&settings), &w, &batch, &mut pass);
        w = w - gradient / 20.0 * 0.1;
    }
    let (trained, _) = run(&settings);
    for (found, expected) in parameters(&trained).iter().zip(w.to_data().iter::<f64>()) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }
}

#[test]
fn the_seed_repeats_every_view_to_the_bit_and_off_is_another_run() {
    let with = |augment: &str, seed| {
        run(&settings(&format!(
            "epochs: 3, batch_size: 6, seed: {seed}, augment: {augment}"
        )))
        .0
    };
    let (first, again) = (with("CropAndFlip(pad: 2)", 1), with("CropAndFlip(pad: 2)", 1));
    assert_eq!(parameters(&first), parameters(&again));
    assert_ne!(parameters(&first), parameters(&with("CropAndFlip(pad: 2)", 3)));
    assert_ne!(parameters(&first), parameters(&with("Off", 1)));
}

/// With such a small learning rate the parameters do not change, so all measurements must equal those on the original
/// images.
#[test]
fn probes_and_evaluations_see_the_images_as_they_are() {
    let with = |augment: &str| {
        let text =
            format!("steps: 2, batch_size: 6, evaluate_every: Steps(1), lambda_every: Steps(1), augment: {augment}");
        let mut settings = settings(&text);
        settings.learning_rate = 1e-300;
        run(&settings).1
    };
    let (plain, varied) = (with("Off"), with("CropAndFlip(pad: 2)"));
    assert_eq!(plain.len(), 3);
    for (plain, varied) in plain.iter().zip(&varied) {
        assert_eq!(plain.values.get("train_loss"), varied.values.get("train_loss"));
        assert_eq!(plain.values.get("test_loss"), varied.values.get("test_loss"));
        let lambda = |point: &Point| point.lambda.as_ref().map(|lambda| lambda.lambda_max);
        assert!(lambda(plain).is_some());
        assert_eq!(lambda(plain), lambda(varied));
    }
    // The batches themselves must differ.
    assert_ne!(
        plain[2].values.get("gradient_norm"),
        varied[2].values.get("gradient_norm")
    );
}
