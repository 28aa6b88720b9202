//! Tests the training of one cell: against a trajectory computed in plain loops, and every way in which it ends.

#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

use std::path::Path;
use std::time::Duration;

use burn::tensor::{DType, Device, Tensor};
use crossbeam_channel::{Receiver, Sender, unbounded};
use sharpness::curvature::MeanLoss;
use sharpness::model::{Examples, RunningStatistics};
use sharptui::config::{Experiment, Settings};
use sharptui::event::{CellEnding, Command, Event, Point, RateChange, StopReason};
use sharptui::setup;
use sharptui::train::{AnyError, Array, Control, Keeper, Outbox, Snapshot, Task, Trained, train};

const FEATURES: usize = 4;
const CLASSES: usize = 3;

/// Returns small numbers without a pattern that training could use.
fn pixels(count: usize) -> Vec<f32> {
    (0..count * FEATURES)
        .map(|i| ((i * 37 + i * i * 11) % 101) as f32 / 50.0 - 1.0)
        .collect()
}

fn labels(count: usize) -> Vec<u8> {
    (0..count).map(|i| ((i * 7 + i / 3) % CLASSES) as u8).collect()
}

fn settings(text: &str) -> Settings {
    let text = format!("(train_examples: 20, test_examples: 10, probes: [(from: Training, examples: Full)], {text})");
    let experiment = Experiment::parse(&text, Path::new("test.ron")).unwrap();
    experiment.cells[0].settings.clone()
}

struct Ran {
    trained: Trained,
    points: Vec<Point>,
    events: Receiver<Event>,
    kept: Option<Snapshot>,
    lasting: Vec<Snapshot>,
}

impl Ran {
    fn parameters(&self) -> Vec<f64> {
        self.trained.parameters.to_data().iter::<f64>().collect()
    }
}

/// Keeps the points in memory, and sends the commands when the first point after `after` steps or more is written.
struct Kept<'a> {
    points: Vec<Point>,
    commands: &'a [Command],
    after: u64,
    snapshot: Option<Snapshot>,
    lasting: Vec<Snapshot>,
    to_trainer: Sender<Command>,
}

impl Keeper for Kept<'_> {
    fn point(&mut self, point: &Point) -> Result<(), AnyError> {
        if point.step >= self.after {
            for &command in std::mem::take(&mut self.commands) {
                self.to_trainer.send(command)?;
            }
        }
        self.points.push(point.clone());
        Ok(())
    }

    fn parameters(&mut self, _: u64, _: &Tensor<1>, _: &[RunningStatistics]) -> Result<(), AnyError> {
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<(), AnyError> {
        self.snapshot = Some(snapshot.clone());
        Ok(())
    }

    fn lasting(&mut self, snapshot: &Snapshot) -> Result<(), AnyError> {
        self.lasting.push(snapshot.clone());
        Ok(())
    }

    fn keep_every(&self) -> Duration {
        Duration::MAX
    }
}

/// Trains on twenty examples; the commands are sent when the first point is written.
fn run(settings: &Settings, commands: &[Command]) -> Ran {
    run_from(settings, commands, 0, None)
}

/// Does the same from the snapshot of an earlier run; the commands are sent when the first point after `after` steps or
/// more is written.
fn run_from(settings: &Settings, commands: &[Command], after: u64, from: Option<&Snapshot>) -> Ran {
    let device = Device::flex();
    let dtype = sharptui::setup::dtype(settings);
    let examples = |count| Examples::upload(&pixels(count), &labels(count), CLASSES, &device, dtype);
    let (train_set, test_set) = (examples(20), examples(10));
    let network = setup::network(settings, [1, 1, FEATURES], CLASSES);
    let task = Task {
        cell: 0,
        settings,
        network: &network,
        train: &train_set,
        test: &test_set,
        black: &[0.0],
        device: &device,
    };
    let (to_trainer, commands_out) = unbounded();
    let (events_in, events) = unbounded();
    let mut kept = Kept {
        points: Vec::new(),
        commands,
        after,
        snapshot: None,
        lasting: Vec::new(),
        to_trainer,
    };
    let trained = train(
        task,
        &mut Control::new(commands_out),
        &mut Outbox::new(events_in),
        &mut kept,
        from,
    );
    Ran {
        trained: trained.unwrap(),
        points: kept.points,
        events,
        kept: kept.snapshot,
        lasting: kept.lasting,
    }
}

/// The settings of a trajectory that is computed in plain loops.
#[derive(Clone, Copy, Default)]
struct Descent {
    momentum: f64,
    decay: f64,
    rho: f64,
}

/// Computes, in plain loops, the gradient of ½‖Wx + b − y‖², averaged over all examples, plus ½·decay·‖w‖².
fn gradient_by_hand(w: &[f64], decay: f64) -> Vec<f64> {
    let count = 20;
    let (x, y) = (pixels(count), labels(count));
    let mut gradient: Vec<f64> = w.iter().map(|w| decay * w).collect();
    for i in 0..count {
        for class in 0..CLASSES {
            let row = &x[i * FEATURES..(i + 1) * FEATURES];
            let mut error = w[CLASSES * FEATURES + class] - f64::from(u8::from(usize::from(y[i]) == class));
            for (j, &feature) in row.iter().enumerate() {
                error += w[class * FEATURES + j] * f64::from(feature);
            }
            for (j, &feature) in row.iter().enumerate() {
                gradient[class * FEATURES + j] += error * f64::from(feature) / count as f64;
            }
            gradient[CLASSES * FEATURES + class] += error / count as f64;
        }
    }
    gradient
}

/// Computes, in plain loops, heavy ball with weight decay, with one learning rate for each step. With `rho`, the
/// gradient is that at SAM's ascent point.
fn by_hand(mut w: Vec<f64>, rates: &[f64], how: Descent) -> Vec<f64> {
    let mut velocity = vec![0.0; w.len()];
    for rate in rates {
        let mut gradient = gradient_by_hand(&w, how.decay);
        if how.rho > 0.0 {
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let climbed: Vec<f64> = w.iter().zip(&gradient).map(|(w, g)| w + how.rho * g / norm).collect();
            gradient = gradient_by_hand(&climbed, how.decay);
        }
        for (k, w) in w.iter_mut().enumerate() {
            velocity[k] = how.momentum * velocity[k] + gradient[k];
            *w -= rate * velocity[k];
        }
    }
    w
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} is not {b}");
    }
}

#[test]
fn full_batch_descent_with_momentum_and_decay_takes_the_steps_that_paper_and_pencil_take() {
    for (momentum, decay) in [(0.0, 0.0), (0.9, 0.0), (0.0, 0.1), (0.8, 0.05)] {
        let how = Descent {
            momentum,
            decay,
            rho: 0.0,
        };
        assert_taken_by_hand("", &[0.1; 7], how);
    }
}

#[test]
fn sam_takes_the_steps_that_paper_and_pencil_take() {
    for (momentum, decay, rho) in [(0.0, 0.0, 0.05), (0.9, 0.0, 0.5), (0.8, 0.1, 0.3)] {
        assert_taken_by_hand(&format!("rho: {rho}"), &[0.1; 7], Descent { momentum, decay, rho });
    }
}

#[test]
fn a_rate_that_changes_is_the_one_of_its_step() {
    let how = Descent {
        momentum: 0.9,
        decay: 0.01,
        rho: 0.1,
    };
    let given = "rho: 0.1, warm_up: Steps(2), schedule: Step(every: Steps(3), factor: 0.5)";
    assert_taken_by_hand(given, &[0.05, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025], how);
}

const HALVED: Command = Command::SetLearningRate {
    cell: 0,
    learning_rate: 0.05,
};

#[test]
fn a_learning_rate_changed_by_hand_is_that_of_the_next_step_and_the_schedule_goes_on_in_its_shape() {
    for (momentum, schedule, rates) in [
        (0.0, "", [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]),
        (0.9, "", [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]),
        (
            0.5,
            "schedule: Step(every: Steps(2), factor: 0.1)",
            [0.1, 0.1, 0.01, 0.05, 0.005, 0.005, 0.000_5],
        ),
    ] {
        let settings = settings(&format!(
            "model: Mlp(widths: []), loss: SquaredError, batch_size: Full, steps: 7, learning_rate: 0.1,
             momentum: {momentum}, precision: F64, evaluate_every: Steps(1), lambda_every: Steps(1), {schedule}",
        ));
        let network = setup::network(&settings, [1, 1, FEATURES], CLASSES);
        let start = network.initial_parameters(0, &Device::flex(), DType::F64);
        let how = Descent {
            momentum,
            ..Descent::default()
        };
        let expected = by_hand(start.to_data().iter::<f64>().collect(), &rates, how);
        let ran = run_from(&settings, &[HALVED], 3, None);
        assert_close(&ran.parameters(), &expected, 1e-12);
        for point in ran
            .points
            .iter()
            .filter(|point| point.values.get("learning_rate").is_some())
        {
            let step = usize::try_from(point.step).unwrap();
            let is_before = point.step == 3 && point.changed_by_hand.is_none();
            let rate = match rates.get(step) {
                Some(_) if is_before => rates[2],
                Some(rate) => *rate,
                None => continue,
            };
            assert_close(&[point.values.get("learning_rate").unwrap()], &[rate], 1e-12);
            assert_close(
                &[point.values.get("threshold").unwrap()],
                &[(2.0 + 2.0 * momentum) / rate],
                1e-12,
            );
        }
    }
}

#[test]
fn a_change_by_hand_is_written_down_once_and_marks_the_cell() {
    let settings = settings("model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 5, steps: 6");
    let ran = run_from(&settings, &[HALVED, HALVED], 0, None);
    let changes: Vec<_> = ran.points.iter().filter_map(|point| point.changed_by_hand).collect();
    assert_eq!(changes, [RateChange { from: 0.1, to: 0.05 }]);
    assert!(ran.trained.summary.changed_by_hand);
    let told = |event: Event| matches!(event, Event::Notice { words, .. } if words.contains("changed by hand, from 0.1 to 0.05"));
    assert_eq!(ran.events.try_iter().filter(|event| told(event.clone())).count(), 1);
    assert!(!run(&settings, &[]).trained.summary.changed_by_hand);
}

#[test]
fn a_run_goes_on_at_the_rate_that_was_changed_by_hand_to_the_last_bit() {
    let settings = settings(
        "model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 5, epochs: 4, dropout: 0.2, evaluate_every: Steps(1),
         schedule: Cosine(to: 0.1), momentum: 0.9",
    );
    let whole = run_from(&settings, &[HALVED], 5, None);
    let went_on = run_from(&settings, &[], 0, whole.kept.as_ref());
    assert_eq!(whole.kept.as_ref().unwrap().position.step, 5);
    assert_eq!(went_on.parameters(), whole.parameters());
    assert!(went_on.trained.summary.changed_by_hand);
    assert_ne!(run(&settings, &[]).parameters(), whole.parameters());
}

/// Every optimizer, with everything it keeps between steps.
const OPTIMIZERS: [&str; 10] = [
    "momentum: 0.0",
    "momentum: 0.9, rho: 0.1",
    "momentum: 0.9, optimizer: Nesterov, weight_decay: 0.1",
    "optimizer: RmsProp()",
    "optimizer: RmsProp(alpha: 0.9), momentum: 0.5",
    "optimizer: RmsProp(alpha: 0.9), rho: 0.1",
    "optimizer: Adam()",
    "optimizer: Adam(beta1: 0.5, beta2: 0.9, eps: 1e-4), weight_decay: 0.1",
    "optimizer: AdamW(), weight_decay: 0.1",
    "optimizer: AdamW(), rho: 0.1",
];

#[test]
fn a_run_with_any_optimizer_goes_on_from_its_snapshot_to_the_last_bit() {
    for optimizer in OPTIMIZERS {
        let settings = settings(&format!(
            "model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: 5, epochs: 4, evaluate_every: Steps(1),
             lambda_every: Steps(2), {optimizer}",
        ));
        // A rate changed by hand writes a snapshot.
        let whole = run_from(&settings, &[HALVED], 7, None);
        let went_on = run_from(&settings, &[], 0, whole.kept.as_ref());
        assert_eq!(whole.kept.as_ref().unwrap().position.step, 7, "{optimizer}");
        assert_eq!(went_on.parameters(), whole.parameters(), "{optimizer}");
        let measured = |ran: &Ran| -> Vec<_> {
            let later = ran.points.iter().filter(|point| point.step > 7);
            let measured = |point: &Point| (point.step, point.values.clone(), point.preconditioned.clone());
            later.map(measured).collect()
        };
        assert_eq!(measured(&went_on), measured(&whole), "{optimizer}");
        assert!(
            went_on.parameters().iter().all(|number| number.is_finite()),
            "{optimizer}"
        );
    }
}

#[test]
fn a_run_with_gauges_goes_on_from_its_snapshot_to_the_last_bit() {
    let settings = settings(
        "model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 5, epochs: 4, evaluate_every: Steps(1),
         lambda_every: Steps(3), eigenvalues: 3,
         gauges: [BatchSharpness(error: 0.2, batches: 40), Alignment(), GaussNewton(), Trace(products: 8),
                  Spectrum(vectors: 1, steps: 3, every: Steps(4)), Layers(every: Steps(5))]",
    );
    let whole = run_from(&settings, &[HALVED], 7, None);
    assert_eq!(whole.kept.as_ref().unwrap().position.step, 7);
    let went_on = run_from(&settings, &[], 0, whole.kept.as_ref());
    let measured = |ran: &Ran| -> Vec<_> {
        let later = ran.points.iter().filter(|point| point.step > 7);
        later
            .map(|point| {
                (
                    point.step,
                    point.values.clone(),
                    point.spectrum.clone(),
                    point.layers.clone(),
                )
            })
            .collect()
    };
    assert_eq!(measured(&went_on), measured(&whole));
    assert_eq!(went_on.parameters(), whole.parameters());
}

/// The curvature of a full batch along its gradient is that of one difference of gradients, computed by hand.
#[test]
fn batch_sharpness_of_a_full_batch_is_the_curvature_along_the_gradient() {
    let settings = settings(
        "model: Mlp(widths: []), loss: SquaredError, precision: F64, learning_rate: 0.05, batch_size: Full, steps: 3,
         lambda_every: Steps(1), gauges: [BatchSharpness()]",
    );
    let ran = run(&settings, &[]);
    let of = |step: usize, key: &str| ran.points[step].values.get(key);
    let mut w = run(
        &Settings {
            steps: Some(1),
            learning_rate: 1e-300,
            ..settings.clone()
        },
        &[],
    )
    .parameters();
    for step in 0..=3 {
        let gradient = gradient_by_hand(&w, 0.0);
        let squared: f64 = gradient.iter().map(|g| g * g).sum();
        // The loss is quadratic, so a difference of gradients is exact.
        let beyond: Vec<f64> = w.iter().zip(&gradient).map(|(w, g)| w + g).collect();
        let beyond = gradient_by_hand(&beyond, 0.0);
        let quadratic: f64 = gradient.iter().zip(&beyond).map(|(g, b)| g * (b - g)).sum();
        let expected = quadratic / squared;
        for key in ["batch_sharpness", "batch_ratio_of_means"] {
            let found = of(step, key).unwrap();
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "{key} at step {step}: {found} and not {expected}"
            );
        }
        // The last step's batch was the same, at the parameters before the step.
        if step < 3 {
            let found = of(step + 1, "step_sharpness").unwrap();
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "step {step}: {found} and not {expected}"
            );
        }
        w = w.iter().zip(&gradient).map(|(w, g)| w - 0.05 * g).collect();
    }
    assert_eq!(of(0, "step_sharpness"), None);
    // One batch of all examples has no sampling error.
    assert_eq!(of(2, "batch_sharpness_error"), None);
    assert_eq!(of(2, "batch_threshold"), Some(2.0 / 0.05));
    assert_eq!(of(2, "batch_threshold_small"), None);
}

/// The number of features with one for the bias.
const SIZE: usize = FEATURES + 1;

/// Returns the eigenvalues of XᵀX/n, with a column of ones in X for the biases, the largest first, with their unit
/// eigenvectors, by power iteration.
fn eigenvalues_of_the_data() -> Vec<(f64, [f64; SIZE])> {
    let x = pixels(20);
    let row = |i: usize| -> [f64; SIZE] {
        std::array::from_fn(|j| {
            x[i * FEATURES..(i + 1) * FEATURES]
                .get(j)
                .map_or(1.0, |x| f64::from(*x))
        })
    };
    let mut matrix = [[0.0; SIZE]; SIZE];
    for row in (0..20).map(row) {
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row.iter().enumerate() {
                matrix[i][j] += a * b / 20.0;
            }
        }
    }
    let mut found = Vec::new();
    for _ in 0..SIZE {
        let mut v = [1.0, 0.3, -0.2, 0.7, 0.1];
        let mut value = 0.0;
        for _ in 0..10_000 {
            let image: [f64; SIZE] = std::array::from_fn(|i| (0..SIZE).map(|j| matrix[i][j] * v[j]).sum());
            value = image.iter().map(|x| x * x).sum::<f64>().sqrt();
            v = image.map(|x| x / value);
        }
        for i in 0..SIZE {
            for j in 0..SIZE {
                matrix[i][j] -= value * v[i] * v[j];
            }
        }
        found.push((value, v));
    }
    found
}

/// A linear network with squared loss has the Hessian XᵀX/n once for every class.
#[test]
fn several_eigenvalues_are_those_of_the_data_each_as_often_as_there_are_classes() {
    let data: Vec<f64> = eigenvalues_of_the_data().iter().map(|(value, _)| *value).collect();
    let expected = [data[0], data[0], data[0], data[1], data[1]];
    let learning_rate = 2.0 / (0.5 * (data[0] + data[1]));
    let settings = settings(&format!(
        "model: Mlp(widths: []), loss: SquaredError, precision: F64, learning_rate: {learning_rate}, batch_size: Full,
         steps: 4, lambda_every: Steps(1), lambda_tolerance: 1e-8, eigenvalues: 5, loss_limit: 1e12"
    ));
    for point in &run(&settings, &[]).points {
        let of = |key: &str| {
            (1..=5)
                .map(|n| point.values.get(&format!("eigenvalue_{n}{key}")).unwrap())
                .collect::<Vec<_>>()
        };
        let mut values = of("");
        values.sort_by(|a, b| b.total_cmp(a));
        assert_close(&values, &expected, 1e-12);
        assert_eq!(of("_converged"), [1.0; 5]);
        assert!(of("_residual").iter().all(|residual| *residual < 1e-7));
        let lambda = point.lambda.as_ref().unwrap();
        assert!((lambda.lambda_max - values[0]).abs() < 1e-12 && lambda.lambda_converged);
        // The threshold 2/η is between the two eigenvalues of the data.
        assert_eq!(point.values.get("eigenvalues_above_threshold"), Some(3.0));
        assert_eq!(point.values.get("eigenvalue_6"), None);
    }
    let alone = run(
        &Settings {
            eigenvalues: 1,
            ..settings
        },
        &[],
    );
    assert!(
        alone
            .points
            .iter()
            .all(|point| point.values.get("eigenvalue_1").is_none())
    );
}

/// A linear network with squared loss has a quadratic loss, whose Hessian is known.
#[test]
fn every_gauge_of_a_linear_network_is_what_paper_and_pencil_say() {
    let data = eigenvalues_of_the_data();
    let settings = settings(
        "model: Mlp(widths: []), loss: SquaredError, precision: F64, learning_rate: 0.05, batch_size: Full, steps: 2,
         lambda_every: Steps(1), lambda_tolerance: 1e-9, eigenvalues: 3,
         gauges: [Alignment(), GaussNewton(), Trace(products: 60), Spectrum(vectors: 3, steps: 15, every: WithLambda),
                  Layers(every: Steps(1))]",
    );
    let ran = run(&settings, &[]);
    let mut w = run(
        &Settings {
            steps: Some(1),
            learning_rate: 1e-300,
            gauges: Vec::new(),
            ..settings.clone()
        },
        &[],
    )
    .parameters();
    let (top, v) = data[0];
    let trace = CLASSES as f64 * data.iter().map(|(value, _)| value).sum::<f64>();
    let mut last_gradient: Option<Vec<f64>> = None;
    for point in &ran.points {
        let assert_is = |key: &str, expected: f64| {
            let found = point.values.get(key).unwrap();
            assert!(
                (found - expected).abs() < 1e-8 * expected.abs().max(1.0),
                "{key}: {found} and not {expected}"
            );
        };
        assert_is("gauss_newton_lambda_max", top);
        // The network is linear, so H is G.
        assert_is("beyond_gauss_newton", 0.0);
        assert_is("trace", trace);
        assert_is("lambda_min", data[SIZE - 1].0);
        for key in ["gauss_newton_converged", "lambda_min_converged"] {
            assert_is(key, 1.0);
        }
        // The three top eigenvectors are v for each class.
        let gradient = gradient_by_hand(&w, 0.0);
        let share = |g: &[f64]| {
            let inside = (0..CLASSES).map(|class| {
                let along: f64 = (0..FEATURES).map(|j| v[j] * g[class * FEATURES + j]).sum();
                (along + v[FEATURES] * g[CLASSES * FEATURES + class]).powi(2)
            });
            inside.sum::<f64>() / g.iter().map(|g| g * g).sum::<f64>()
        };
        assert_is("alignment", share(&gradient));
        if let Some(last) = &last_gradient {
            assert_is("batch_alignment", share(last));
            // The step is along the last gradient, and the Hessian is the same everywhere.
            let beyond: Vec<f64> = w.iter().zip(last).map(|(w, g)| w + g).collect();
            let squared: f64 = last.iter().map(|g| g * g).sum();
            let pairs = last.iter().zip(gradient_by_hand(&beyond, 0.0)).zip(&gradient);
            let curvature = pairs.map(|((g, beyond), here)| g * (beyond - here)).sum::<f64>() / squared;
            assert_is("step_curvature", curvature);
            assert_is("step_curvature_on_batch", curvature);
        }
        let spectrum = point.spectrum.as_ref().unwrap();
        let mut means = Vec::new();
        for (nodes, weights) in spectrum.nodes.iter().zip(&spectrum.weights) {
            // There are five different eigenvalues.
            assert_eq!(nodes.len(), SIZE);
            for (node, (value, _)) in nodes.iter().zip(&data) {
                assert!((node - value).abs() < 1e-9, "{node} and not {value}");
            }
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            means.push(
                nodes
                    .iter()
                    .zip(weights)
                    .map(|(node, weight)| node * weight)
                    .sum::<f64>(),
            );
        }
        assert_eq!(means.len(), 3);
        let [layer] = &point.layers[..] else {
            panic!("{:?}", point.layers)
        };
        assert_eq!(layer.parameters as usize, w.len());
        assert!((layer.lambda_max - top).abs() < 1e-9 && layer.converged, "{layer:?}");
        w = w.iter().zip(&gradient).map(|(w, g)| w - 0.05 * g).collect();
        last_gradient = Some(gradient);
    }
    assert_eq!(ran.points.len(), 3);
}

#[test]
fn checkpoints_that_stay_are_written_at_their_interval_and_at_the_end() {
    let steps = |keep: &str| -> Vec<u64> {
        let settings = settings(&format!(
            "model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: 5, steps: 10, keep_checkpoints: {keep}"
        ));
        run(&settings, &[])
            .lasting
            .iter()
            .map(|snapshot| snapshot.position.step)
            .collect()
    };
    assert_eq!(steps("None"), [0; 0]);
    assert_eq!(steps("Last"), [10]);
    assert_eq!(steps("Every(Steps(4))"), [0, 4, 8, 10]);
    assert_eq!(steps("Every(Epochs(1))"), [0, 4, 8, 10]);
    // The last step of a cell that is aborted is its last one, too.
    let settings = settings(
        "model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: 5, steps: 10, keep_checkpoints: Last, evaluate_every: Steps(1)",
    );
    let aborted = run_from(&settings, &[Command::Abort(0)], 3, None);
    assert_eq!(aborted.trained.ending, CellEnding::Aborted);
    let kept: Vec<u64> = aborted.lasting.iter().map(|snapshot| snapshot.position.step).collect();
    assert_eq!(kept, [3]);
}

#[test]
fn what_the_share_does_not_afford_is_said_at_first_and_counted_at_the_end() {
    let settings = settings(
        "model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: 5, steps: 40, lambda_every: Share(1e-6),
         gauges: [Trace(every: Steps(1))]",
    );
    let ran = run(&settings, &[]);
    let said: Vec<String> = ran
        .events
        .try_iter()
        .filter_map(|event| match event {
            Event::Notice { words, .. } => Some(words),
            _ => None,
        })
        .collect();
    assert!(
        said.iter()
            .any(|words| words.starts_with("Trace was not measured at step 1,")),
        "{said:?}"
    );
    // All but the first and the last of 41.
    assert!(
        said.iter().any(|words| words.starts_with("39 measurements of Trace")),
        "{said:?}"
    );
}

#[test]
fn batches_are_drawn_until_the_error_is_small_enough_or_there_are_enough() {
    let of = |gauge: &str, more: &str| {
        let settings = settings(&format!(
            "model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: 5, steps: 2, lambda_every: Ends,
             gauges: [BatchSharpness({gauge})], {more}"
        ));
        run(&settings, &[]).points.last().unwrap().values.clone()
    };
    let enough = of("error: 1e-4, batches: 40", "momentum: 0.5");
    assert_eq!(enough.get("batch_sharpness_batches"), Some(40.0));
    // Both thresholds of momentum: 2(1+β)/η and 2(1−β)/η.
    let thresholds = ["batch_threshold", "batch_threshold_small"].map(|key| enough.get(key));
    assert_eq!(thresholds, [Some(3.0 / 0.01), Some(1.0 / 0.01)]);
    for unknown in ["weight_decay: 0.1", "rho: 0.1", "optimizer: Adam()"] {
        let values = of("error: 1.0", unknown);
        assert!(values.get("batch_sharpness").is_some() && values.get("batch_threshold").is_none());
    }
    let rough = of("error: 1.0", "momentum: 0.5");
    assert_eq!(rough.get("batch_sharpness_batches"), Some(32.0));
    let fine = of("error: 0.05, batches: 4000", "momentum: 0.5");
    let (value, error) = (
        fine.get("batch_sharpness").unwrap(),
        fine.get("batch_sharpness_error").unwrap(),
    );
    assert!(error <= 0.05 * value && fine.get("batch_sharpness_batches").unwrap() > 32.0);
    let (rough, spread) = (
        rough.get("batch_sharpness").unwrap(),
        rough.get("batch_sharpness_error").unwrap(),
    );
    assert!((rough - value).abs() < 5.0 * spread, "{rough} ± {spread} and {value}");
}

#[test]
fn gauges_have_their_own_intervals_and_all_are_measured_at_the_ends() {
    let steps = |every: &str, lambda: &str| -> Vec<u64> {
        let settings = settings(&format!(
            "model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: 5, steps: 10, lambda_every: {lambda},
             gauges: [BatchSharpness(every: {every})]"
        ));
        let points = run(&settings, &[]).points;
        let measured = points
            .iter()
            .filter(|point| point.values.get("batch_sharpness").is_some());
        measured.map(|point| point.step).collect()
    };
    assert_eq!(steps("Steps(3)", "Ends"), [0, 3, 6, 9, 10]);
    assert_eq!(steps("Epochs(1)", "Steps(3)"), [0, 4, 8, 10]);
    assert_eq!(steps("WithLambda", "Steps(5)"), [0, 5, 10]);
    assert_eq!(steps("Ends", "Steps(5)"), [0, 10]);
}

#[test]
fn preconditioned_sharpness_is_measured_with_the_preconditioner_of_the_last_step() {
    let given = settings(
        "model: Mlp(widths: [4]), activation: Tanh, learning_rate: 0.01, batch_size: Full, steps: 8, precision: F64,
         lambda_every: Steps(1), lambda_tolerance: 1e-9, audit_every: 1, optimizer: RmsProp(eps: 1e-3), weight_decay: 0.1",
    );
    // A rate changed by hand writes a snapshot.
    let ran = run_from(&given, &[HALVED], 5, None);
    let first = &ran.points[0];
    assert!(
        first.lambda.is_some() && first.preconditioned.is_none(),
        "no step was taken yet"
    );
    assert_eq!(first.values.get("preconditioned_threshold"), Some(200.0));
    assert_eq!(first.values.get("threshold"), None);
    let snapshot = ran.kept.as_ref().unwrap();
    let squares = snapshot.arrays().find_map(|(name, array)| match array {
        Array::Numbers(pieces) if name == "optimizer.square_average" => Some(Tensor::cat(pieces.clone(), 0)),
        _ => None,
    });
    let p = squares.unwrap().sqrt() + 1e-3;
    let examples = Examples::upload(&pixels(20), &labels(20), CLASSES, &Device::flex(), DType::F64);
    let network = setup::network(&given, [1, 1, FEATURES], CLASSES);
    let mean_loss = MeanLoss::new(&network, setup::loss(&given), &examples);
    // Power iteration on P⁻¹(H + 0.1), shifted so that its largest eigenvalue is also the largest in magnitude.
    let (shift, mut v) = (100.0, p.ones_like());
    let mut value = 0.0;
    for _ in 0..3_000 {
        let product = mean_loss
            .hessian_vector_product(&snapshot.parameters, &v, &mut || true)
            .unwrap();
        let next = (product + v.clone() * 0.1) / p.clone() + v.clone() * shift;
        let norm = sharpness::tensor::norm(&next);
        (v, value) = (next / norm, norm - shift);
    }
    let there = ran.points.iter().find(|point| point.step == snapshot.position.step);
    let found = there.unwrap().preconditioned.as_ref().unwrap();
    let error = found.preconditioned_sharpness / value - 1.0;
    assert!(error.abs() < 1e-6, "{} is not {value}", found.preconditioned_sharpness);
    assert!(found.preconditioned_converged && found.preconditioned_audited && found.preconditioned_hvps > 0);
    let last = ran.points.last().unwrap();
    assert_eq!(
        last.values.get("preconditioned_threshold"),
        Some(40.0),
        "at the rate 0.05"
    );
    assert!(ran.trained.summary.values.get("preconditioned_sharpness").unwrap() > 0.0);
    assert_eq!(ran.trained.summary.preconditioned_converged, Some(true));
}

#[test]
fn only_an_adaptive_optimizer_has_a_preconditioned_sharpness_and_with_sam_it_has_no_threshold() {
    for (optimizer, has, threshold) in [
        ("momentum: 0.9", false, None),
        ("optimizer: Nesterov, momentum: 0.9", false, None),
        ("optimizer: Adam()", true, Some(3800.0)),
        ("optimizer: AdamW(), weight_decay: 1.0", true, Some(3781.0)),
        ("optimizer: Adam(), rho: 0.1", true, None),
    ] {
        let given = "model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: 5, steps: 3, lambda_every: Steps(1)";
        let ran = run(&settings(&format!("{given}, {optimizer}")), &[]);
        for point in &ran.points {
            assert_eq!(point.preconditioned.is_some(), has && point.step > 0, "{optimizer}");
            let found = point.values.get("preconditioned_threshold");
            let near = found
                .zip(threshold)
                .is_none_or(|(found, expected)| (found - expected).abs() < 1e-9);
            assert!(near && found.is_some() == threshold.is_some(), "{optimizer}: {found:?}");
            let of_lambda = point.values.get("threshold").is_some();
            assert_eq!(of_lambda, !has, "{optimizer}");
        }
    }
}

#[test]
fn the_settings_of_an_optimizer_reach_its_steps() {
    let ends: Vec<Vec<f64>> = OPTIMIZERS
        .iter()
        .map(|optimizer| {
            let given = "model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: Full, steps: 5";
            run(&settings(&format!("{given}, {optimizer}")), &[]).parameters()
        })
        .collect();
    for (index, end) in ends.iter().enumerate() {
        assert!(!ends[..index].contains(end), "{}", OPTIMIZERS[index]);
    }
}

#[test]
fn a_learning_rate_that_cannot_be_taken_changes_nothing() {
    let settings = settings("model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 5, steps: 6");
    let undisturbed = run(&settings, &[]).parameters();
    for (cell, learning_rate) in [
        (0, 0.0),
        (0, -1.0),
        (0, f64::NAN),
        (0, f64::INFINITY),
        (1, 0.05),
        (0, 0.1),
    ] {
        let ran = run(&settings, &[Command::SetLearningRate { cell, learning_rate }]);
        assert_eq!(ran.parameters(), undisturbed, "{learning_rate} for cell {cell}");
        assert!(!ran.trained.summary.changed_by_hand);
    }
}

#[test]
fn a_measurement_that_is_asked_for_is_made_at_the_next_step_without_an_audit() {
    let settings = settings(
        "model: Mlp(widths: [6]), learning_rate: 0.1, batch_size: 5, steps: 3, lambda_every: Ends, evaluate_every: Steps(3)",
    );
    let ran = run(&settings, &[Command::Measure(0)]);
    let measured: Vec<_> = ran.points.iter().filter(|point| point.lambda.is_some()).collect();
    assert_eq!(measured.iter().map(|point| point.step).collect::<Vec<_>>(), [0, 1, 3]);
    assert!(measured[1].values.get("train_loss").is_some() && !measured[1].lambda.as_ref().unwrap().lambda_audited);
}

/// Checks that seven steps of full-batch descent equal those computed in plain loops at these rates.
fn assert_taken_by_hand(given: &str, rates: &[f64], how: Descent) {
    let Descent { momentum, decay, .. } = how;
    let settings = settings(&format!(
        "model: Mlp(widths: []), loss: SquaredError, batch_size: Full, steps: 7, learning_rate: 0.1,
         momentum: {momentum}, weight_decay: {decay}, chunk_size: 6, precision: F64, {given}",
    ));
    let network = setup::network(&settings, [1, 1, FEATURES], CLASSES);
    let start = network.initial_parameters(0, &Device::flex(), DType::F64);
    let expected = by_hand(start.to_data().iter::<f64>().collect(), rates, how);
    assert_close(&run(&settings, &[]).parameters(), &expected, 1e-12);
}

#[test]
fn both_gradients_of_sam_drop_the_same_units_and_only_the_first_is_observed() {
    let given = "model: Mlp(widths: [6]), learning_rate: 0.1, batch_size: Full, steps: 1, dropout: 0.5,
                 batch_norm: true, precision: F64";
    // With such a small radius the ascent does not move the point: only different dropout masks could change the step.
    let (plain, tiny) = (
        run(&settings(given), &[]),
        run(&settings(&format!("{given}, rho: 1e-9")), &[]),
    );
    assert_close(&tiny.parameters(), &plain.parameters(), 1e-7);
    let far = run(&settings(&format!("{given}, rho: 5")), &[]);
    assert_ne!(far.parameters(), plain.parameters());
    let observed = |ran: &Ran| {
        let layer = &ran.trained.running[0];
        let mean: Vec<f64> = layer.mean.to_data().iter::<f64>().collect();
        (layer.batches, mean)
    };
    assert_eq!(observed(&far), observed(&plain));
}

#[test]
fn thresholds_and_rates_are_those_of_the_schedule_and_of_the_climb() {
    let given = "model: Mlp(widths: []), loss: SquaredError, batch_size: Full, steps: 4, learning_rate: 0.1,
                 lambda_every: Steps(1), precision: F64";
    let scheduled = run(
        &settings(&format!("{given}, schedule: Step(every: Steps(2), factor: 0.5)")),
        &[],
    );
    let read = |ran: &Ran, of: fn(&Point) -> Option<f64>| ran.points.iter().map(of).collect::<Vec<_>>();
    let rates = read(&scheduled, |point| point.values.get("learning_rate"));
    assert_eq!(rates, [0.1, 0.1, 0.05, 0.05, 0.05].map(Some));
    let thresholds = read(&scheduled, |point| point.values.get("threshold"));
    assert_eq!(thresholds, [20.0, 20.0, 40.0, 40.0, 40.0].map(Some));

    let sam = run(&settings(&format!("{given}, rho: 0.2")), &[]);
    assert_eq!(sam.points[0].values.get("threshold"), None, "there was no ascent yet");
    for point in &sam.points[1..] {
        let norm = point.values.get("gradient_norm").unwrap();
        let edge = norm / 0.4 * ((1.0 + 8.0 * 0.2 / (0.1 * norm)).sqrt() - 1.0);
        assert!((point.values.get("threshold").unwrap() / edge - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_cell_says_whether_it_got_where_it_was_to_go() {
    let base =
        "model: Mlp(widths: [16]), learning_rate: 0.5, batch_size: Full, evaluate_every: Steps(1), lambda_every: Ends";
    for (rule, reached) in [
        ("steps: 3", None),
        ("steps: 3, until_train_loss: 1e-9", Some(false)),
        ("epochs: 3, until_train_accuracy: 1", Some(false)),
        ("steps: 5000, until_train_loss: 0.9", Some(true)),
    ] {
        let ran = run(&settings(&format!("{base}, {rule}")), &[]);
        assert_eq!(ran.trained.summary.reached_aim, reached, "{rule}");
    }
    let stopped = run(
        &settings(&format!("{base}, steps: 3, until_train_loss: 1e-9")),
        &[Command::Quit],
    );
    assert_eq!(stopped.trained.summary.reached_aim, None);
}

#[test]
fn one_epoch_of_minibatches_sees_every_example_once() {
    // With such a small rate the parameters hardly move, so the steps of one epoch add up to one full-batch step.
    let base = "model: Mlp(widths: [5]), activation: Tanh, learning_rate: 1.0e-7, precision: F64";
    let full = run(&settings(&format!("{base}, batch_size: Full, steps: 1")), &[]);
    let parts = run(&settings(&format!("{base}, batch_size: 5, epochs: 1")), &[]);
    let network = setup::network(
        &settings(&format!("{base}, batch_size: 5, epochs: 1")),
        [1, 1, FEATURES],
        CLASSES,
    );
    let start = network.initial_parameters(0, &Device::flex(), DType::F64);
    let start: Vec<f64> = start.to_data().iter::<f64>().collect();
    let moved = |ran: &Ran| -> Vec<f64> {
        ran.parameters()
            .iter()
            .zip(&start)
            .map(|(w, s)| (w - s) * 1e7)
            .collect()
    };
    let summed: Vec<f64> = moved(&parts).iter().map(|m| m / 4.0).collect();
    assert_close(&summed, &moved(&full), 1e-6);
}

#[test]
fn chunks_change_memory_and_not_the_result() {
    let base =
        "model: Mlp(widths: [6]), activation: Tanh, learning_rate: 0.2, batch_size: Full, steps: 5, precision: F64";
    let whole = run(&settings(&format!("{base}, chunk_size: 20")), &[]);
    let cut = run(&settings(&format!("{base}, chunk_size: 3")), &[]);
    assert_close(&cut.parameters(), &whole.parameters(), 1e-12);
    let last = |ran: &Ran| ran.points.last().unwrap().lambda.clone().unwrap().lambda_max;
    assert!((last(&cut) / last(&whole) - 1.0).abs() < 1e-4);
}

#[test]
fn dropout_and_batch_norm_train_and_their_order_of_numbers_is_the_seeds() {
    let text = |seed| {
        settings(&format!(
            "model: Mlp(widths: [6]), learning_rate: 0.1, batch_size: 5, epochs: 3, dropout: 0.5, batch_norm: true, seed: {seed}"
        ))
    };
    let (first, again, other) = (run(&text(1), &[]), run(&text(1), &[]), run(&text(2), &[]));
    assert_eq!(first.parameters(), again.parameters());
    assert_ne!(first.parameters(), other.parameters());
    assert_eq!(first.trained.running[0].batches, 12);
}

#[test]
fn every_stopping_rule_ends_the_cell_under_its_own_name() {
    let base =
        "model: Mlp(widths: [16]), activation: Tanh, learning_rate: 0.5, batch_size: Full, evaluate_every: Steps(1)";
    for (rule, reason) in [
        ("steps: 3, epochs: 9", StopReason::Steps),
        ("steps: 9, epochs: 3", StopReason::Epochs),
        ("steps: 5000, until_train_loss: 0.9", StopReason::TrainLoss),
        ("steps: 5000, until_train_accuracy: 0.6", StopReason::TrainAccuracy),
    ] {
        let ran = run(&settings(&format!("{base}, {rule}, lambda_every: Ends")), &[]);
        assert_eq!(ran.trained.ending, CellEnding::Finished(reason), "{rule}");
        let last = ran.points.last().unwrap();
        assert_eq!(last.step, ran.trained.summary.steps);
        assert!(
            last.values.get("train_loss").is_some() && last.lambda.as_ref().is_some_and(|l| l.lambda_audited),
            "{rule}"
        );
        if reason == StopReason::TrainLoss {
            let losses: Vec<f64> = ran.points.iter().filter_map(|p| p.values.get("train_loss")).collect();
            let (last, before) = losses.split_last().unwrap();
            assert!(*last <= 0.9 && before.iter().all(|&loss| loss > 0.9), "{losses:?}");
        }
    }
}

#[test]
fn a_loss_that_is_not_finite_ends_the_cell_as_diverged() {
    for evaluate in ["Steps(1)", "Epochs(1000)"] {
        let ran = run(
            &settings(&format!(
                "model: Mlp(widths: [16]), loss: SquaredError, learning_rate: 1.0e4, batch_size: Full, steps: 5000,
                 evaluate_every: {evaluate}, lambda_every: Ends, loss_limit: 1e300"
            )),
            &[],
        );
        assert_eq!(ran.trained.ending, CellEnding::Diverged, "{evaluate}");
        assert!(ran.trained.summary.steps < 5000);
        assert!(!ran.points.last().unwrap().values.get("train_loss").unwrap().is_finite());
    }
}

#[test]
fn a_loss_past_its_limit_ends_the_cell_as_diverged_and_one_within_it_does_not() {
    // Gradient descent on a parabola beyond the edge: the loss grows by a factor per step and stays finite for many
    // steps.
    let base = "model: Mlp(widths: []), loss: SquaredError, batch_size: Full, learning_rate: 3, steps: 200,
                precision: F64, lambda_every: Ends";
    let losses = run(
        &settings(&format!("{base}, evaluate_every: Steps(1), loss_limit: 1e300")),
        &[],
    );
    let losses: Vec<f64> = losses
        .points
        .iter()
        .filter_map(|point| point.values.get("train_loss"))
        .collect();
    let first = losses.iter().position(|&loss| loss > 1e3).unwrap();
    assert!(losses[first].is_finite() && (1..150).contains(&first), "{losses:?}");

    // With an evaluation at every step, the cell ends at exactly this step.
    let ran = run(
        &settings(&format!("{base}, evaluate_every: Steps(1), loss_limit: 1e3")),
        &[],
    );
    assert_eq!(ran.trained.ending, CellEnding::Diverged);
    assert_eq!(ran.trained.summary.steps, first as u64);
    assert_eq!(
        ran.points.last().unwrap().values.get("train_loss"),
        Some(losses[first]),
        "the measured loss is kept"
    );

    // With only the losses of its steps, the cell ends when these are read next.
    let ran = run(
        &settings(&format!("{base}, evaluate_every: Epochs(1000), loss_limit: 1e3")),
        &[],
    );
    assert_eq!(ran.trained.ending, CellEnding::Diverged);
    let steps = ran.trained.summary.steps;
    assert!(
        (first as u64..=first as u64 + 33).contains(&steps),
        "{steps} and not {first}"
    );

    // A loss above the limit before the first step ends the cell there.
    let ran = run(&settings(&format!("{base}, loss_limit: 1e-3")), &[]);
    assert_eq!(
        (ran.trained.ending, ran.trained.summary.steps),
        (CellEnding::Diverged, 0)
    );
    assert_eq!(ran.trained.summary.values.get("lambda_max"), None);
}

#[test]
fn a_cell_whose_outputs_are_not_finite_has_neither_an_old_accuracy_nor_an_old_lambda_max_as_its_last() {
    let given = "model: Mlp(widths: [16]), loss: SquaredError, learning_rate: 1.0e4, batch_size: Full, steps: 5000,
                 evaluate_every: Steps(1), lambda_every: Steps(1), loss_limit: 1e300";
    let ran = run(&settings(given), &[]);
    assert_eq!(ran.trained.ending, CellEnding::Diverged);
    let last = &ran.trained.summary;
    assert!(!last.values.get("train_loss").unwrap().is_finite());
    assert!(last.values.get("train_accuracy").unwrap().is_nan() && last.values.get("test_accuracy").unwrap().is_nan());
    assert!(
        last.lambda_step.unwrap() < last.steps,
        "the step of λ_max's measurement is kept"
    );
    for point in ran.points.iter().filter_map(|point| point.lambda.as_ref()) {
        assert_eq!(point.lambda_max.is_nan(), point.lambda_residual.is_nan());
        assert!(!point.lambda_max.is_infinite() && (!point.lambda_max.is_nan() || !point.lambda_converged));
    }
}

#[test]
fn abort_and_quit_end_the_cell_and_keep_what_was_measured() {
    let settings = settings("model: Mlp(widths: [16]), learning_rate: 0.1, batch_size: 5, epochs: 100000");
    for (command, ending) in [
        (Command::Abort(0), CellEnding::Aborted),
        (Command::Quit, CellEnding::Interrupted),
    ] {
        let ran = run(&settings, &[command]);
        assert_eq!(ran.trained.ending, ending);
        assert_eq!(ran.trained.summary.steps, 0);
        assert!(ran.trained.summary.values.get("lambda_max").is_some_and(f64::is_finite));
        let told = ran
            .events
            .try_iter()
            .any(|event| matches!(event, Event::Measured { cell: 0, .. }));
        assert!(told, "a written point is published, too");
    }
}

#[test]
fn an_audit_that_is_asked_for_is_made_at_the_next_step() {
    let settings = settings("model: Mlp(widths: [6]), learning_rate: 0.1, batch_size: 5, steps: 3, lambda_every: Ends");
    let audited = |commands: &[Command]| -> Vec<u64> {
        let points = run(&settings, commands).points;
        let lambdas = points
            .iter()
            .filter(|p| p.lambda.as_ref().is_some_and(|l| l.lambda_audited));
        lambdas.map(|p| p.step).collect()
    };
    assert_eq!(audited(&[]), [0, 3]);
    assert_eq!(audited(&[Command::Audit(0)]), [0, 1, 3]);
}
