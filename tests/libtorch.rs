//! Tests LibTorch against flex: the same numbers from the same seed, a binary that finds its libraries, memory that
//! runs out.

#![cfg(feature = "tch")]
#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use burn::tensor::Tensor;
use crossbeam_channel::unbounded;
use sharpness::model::{Examples, RunningStatistics};
use sharptui::config::{Experiment, Settings};
use sharptui::device::{DeviceChoice, open};
use sharptui::event::{CellEnding, Point};
use sharptui::record::read_cells;
use sharptui::setup;
use sharptui::train::{AnyError, Control, Keeper, Outbox, Snapshot, Task, train};

const CLASSES: usize = 3;
const TRAIN: usize = 60;
const TEST: usize = 20;

/// Networks that together contain every layer; dropout and batch norm, separately and together.
const NETWORKS: [&str; 10] = [
    "model: Mlp(widths: [12, 8]), activation: Tanh",
    "model: Mlp(widths: [12, 8]), activation: Relu, dropout: 0.3, loss: SquaredError",
    "model: Mlp(widths: [12, 8]), activation: Relu, batch_norm: true",
    "model: Cnn(channels: (4, 6)), activation: Tanh, dropout: 0.3",
    "model: Cnn(channels: (4, 6)), activation: Relu, batch_norm: true, loss: SquaredError",
    "model: Cnn(channels: (4, 6)), activation: Relu, dropout: 0.3, batch_norm: true",
    "model: Vgg11(width: 2), dropout: 0.3",
    "model: ResNet20(width: 2), batch_norm: true, rho: 0.05",
    "model: ResNet18(width: 2), augment: CropAndFlip(pad: 2)",
    "model: ResNet18(width: 2), dropout: 0.3, activation: Tanh",
];

fn settings(network: &str, precision: &str) -> Settings {
    let text = format!(
        "(train_examples: {TRAIN}, test_examples: {TEST}, probes: [(from: Training, examples: 40)], {network},
          learning_rate: 0.05, momentum: 0.9, weight_decay: 0.001, batch_size: 16, steps: 10,
          evaluate_every: Steps(1), lambda_every: Ends, lambda_max_products: 30, precision: {precision})"
    );
    let experiment = Experiment::parse(&text, Path::new("test.ron")).unwrap();
    experiment.cells[0].settings.clone()
}

/// The results of a cell.
struct Ran {
    points: Vec<Point>,
    /// Parameters, then running means and variances.
    numbers: Vec<f64>,
}

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

fn run(settings: &Settings, choice: DeviceChoice) -> Ran {
    let device = open(choice).unwrap().device;
    let examples = |count: usize, shift: usize| {
        let pixel = |i: usize| ((i * 37 + i * i * 11 + shift) % 101) as f32 / 50.0 - 1.0;
        let pixels: Vec<f32> = (0..count * 64).map(pixel).collect();
        let labels: Vec<u8> = (0..count).map(|i| ((i * 7 + i / 3) % CLASSES) as u8).collect();
        Examples::upload(&pixels, &labels, CLASSES, &device, setup::dtype(settings))
    };
    let network = setup::network(settings, [1, 8, 8], CLASSES);
    let task = Task {
        cell: 0,
        settings,
        network: &network,
        train: &examples(TRAIN, 0),
        test: &examples(TEST, 5),
        black: &[0.0],
        device: &device,
    };
    let (_commands, commands_out) = unbounded();
    let (events_in, _events) = unbounded();
    let mut kept = Kept(Vec::new());
    let trained = train(
        task,
        &mut Control::new(commands_out),
        &mut Outbox::new(events_in),
        &mut kept,
        None,
    )
    .unwrap();
    let statistics = trained
        .running
        .into_iter()
        .flat_map(|layer| [layer.mean, layer.variance]);
    let tensors = std::iter::once(trained.parameters).chain(statistics);
    Ran {
        points: kept.0,
        numbers: tensors
            .flat_map(|tensor| tensor.into_data_as::<f64>().iter::<f64>().collect::<Vec<_>>())
            .collect(),
    }
}

/// Returns ‖a − b‖ / ‖b‖.
fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

#[test]
fn the_first_steps_of_a_training_run_are_those_of_flex_up_to_rounding() {
    // The back ends add the same hundreds of products in different orders. This gives some units in the last place
    // (1e-16, 6e-8) per step, which ten steps with momentum amplify. λ_max inherits the difference of the parameters,
    // and its search may stop at another point.
    for (precision, rounding, lambda_rounding) in [("F64", 1e-13, 1e-9), ("F32", 1e-5, 1e-4)] {
        for network in NETWORKS {
            let settings = settings(network, precision);
            let (flex, libtorch) = (
                run(&settings, DeviceChoice::Flex),
                run(&settings, DeviceChoice::LibTorch),
            );
            let off = relative_error(&libtorch.numbers, &flex.numbers);
            assert!(
                off < rounding,
                "{network}, {precision}: parameters and statistics off by {off:e}"
            );
            assert_eq!(libtorch.points.len(), flex.points.len());
            for (ours, theirs) in libtorch.points.iter().zip(&flex.points) {
                let what = format!("{network}, {precision}, step {}", ours.step);
                let losses = |point: &Point| {
                    [
                        point.values.get("train_loss").unwrap(),
                        point.values.get("test_loss").unwrap(),
                    ]
                };
                let off = relative_error(&losses(ours), &losses(theirs));
                assert!(off < rounding, "{what}: losses off by {off:e}");
                let lambda = |point: &Point| point.lambda.as_ref().map(|lambda| lambda.lambda_max);
                assert_eq!(lambda(ours).is_some(), lambda(theirs).is_some(), "{what}");
                if let (Some(ours), Some(theirs)) = (lambda(ours), lambda(theirs)) {
                    let off = ours / theirs - 1.0;
                    assert!(off.abs() < lambda_rounding, "{what}: λ_max {theirs} off by {off:e}");
                }
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs the program in `folder` on LibTorch, with an empty environment and limited address space.
fn sharptui(folder: &Path, arguments: &[&str]) -> Output {
    const LIMIT_KIBIBYTES: u64 = 32 << 20;
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(format!("ulimit -v {LIMIT_KIBIBYTES} && exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_sharptui"))
        .args(arguments)
        .args(["--device", "libtorch"])
        .current_dir(folder)
        .env_clear();
    command.output().unwrap()
}

#[test]
fn the_program_finds_libtorch_in_any_shell_and_says_that_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let config = "(model: Mlp(widths: [4]), learning_rate: 0.1, steps: 2, train_examples: 60, test_examples: 40,
        probes: [(examples: 20)])";
    fs::write(folder.path().join("small.ron"), config).unwrap();
    let output = sharptui(folder.path(), &["small.ron"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let device = open(DeviceChoice::LibTorch).unwrap();
    assert!(text(&output.stdout).contains(&device.name), "{}", text(&output.stdout));
    let info = fs::read_to_string(folder.path().join("runs/small/run.json")).unwrap();
    assert!(info.contains(&device.full_name), "{info}");
}

#[test]
fn a_cell_that_cannot_have_its_memory_says_so_and_leaves_the_rest_to_go_on() {
    // The second network's first layer has 48 GiB of activations in one chunk, and few parameters.
    let folder = tempfile::tempdir().unwrap();
    let config =
        "(learning_rate: 0.1, batch_size: 50, steps: 2, chunk_size: 2000, precision: F64, probes: [(examples: 20)],
        sweep: (model: [Cnn(channels: (1, 1)), Cnn(channels: (4096, 1)), Mlp(widths: [3])]))";
    fs::write(folder.path().join("large.ron"), config).unwrap();
    let failed = || -> Vec<bool> {
        let cells = read_cells(&folder.path().join("runs/large")).unwrap().into_iter();
        cells
            .map(|cell| matches!(cell.ended.unwrap().ending, CellEnding::Failed(_)))
            .collect()
    };
    let name = open(DeviceChoice::LibTorch).unwrap().full_name;
    for arguments in [&["large.ron"][..], &["resume", "runs/large"]] {
        let output = sharptui(folder.path(), arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        // On a host with that much memory, LibTorch itself runs out; the device's tests check the message.
        let ran_out = format!("cell 1: device {name} ran out of memory when asked for 49000 MiB more; ");
        let last = said.lines().last().unwrap();
        assert!(
            last.starts_with("error: 1 of 3 cells failed")
                && (last.contains("cell 1: an evaluation needs at least 98000 MiB") || last.contains(&ran_out)),
            "{said}"
        );
        assert!(last.contains("chunk_size"), "{last}");
        let begun = text(&output.stdout).matches("begins").count();
        assert_eq!(
            begun,
            if arguments.len() == 1 { 3 } else { 1 },
            "{}",
            text(&output.stdout)
        );
        assert_eq!(failed(), [false, true, false]);
    }
}

#[test]
fn a_process_that_is_told_to_end_at_once_while_it_computes_has_the_last_word() {
    let folder = tempfile::tempdir().unwrap();
    // Thousands of small computations a second, each of which uses LibTorch's static objects.
    let widths = ["8"; 30].join(", ");
    let config = format!(
        "(model: Mlp(widths: [{widths}]), learning_rate: 0.01, steps: 1000000, loss_limit: 1e30, lambda_every: Steps(1),
        lambda_tolerance: 1e-6, lambda_max_products: 10000, precision: F64, probes: [(from: Training, examples: 100)])"
    );
    fs::write(folder.path().join("busy.ron"), config).unwrap();
    for _ in 0..10 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sharptui"))
            .args(["busy.ron", "--plain", "--device", "libtorch"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("begins") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it began");
        }
        std::thread::sleep(Duration::from_millis(100));
        for signal in ["-TERM", "-INT"] {
            let pid = child.id().to_string();
            // The first signal may have been enough.
            let _ = Command::new("kill").args([signal, &pid]).status().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{words}");
        let expected = words.is_empty() || (words.starts_with("stopped immediately; ") && words.lines().count() == 1);
        assert!(expected, "{words}");
    }
}
