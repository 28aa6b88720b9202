//! Runs on CIFAR files whose numbers of examples differ from the official ones, and on other files of one's own: a new
//! run, a resumed run, a later measurement.

#![allow(clippy::unwrap_used)] // Clippy allows it in tests, but not in their helpers.

#[path = "cifar/own_data.rs"]
mod own_data;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use burn::tensor::{DType, Device};
use sharptui::config::{Experiment, Extent};
use sharptui::record::{read_cells, read_metrics, read_settings, read_tensors};
use sharptui::sweep::Datasets;

const PIXELS: usize = 3 * 32 * 32;

/// A config whose settings depend on the number of examples: epochs, a probe of a whole split, a balanced subset,
/// augmentation.
const CONFIG: &str = "(
    data: Cifar10, model: Mlp(widths: [4]), learning_rate: 0.05, batch_size: 16, epochs: 2,
    test_examples: 30, subset: Balanced(seed: 3), augment: CropAndFlip(pad: 4),
    probes: [(examples: 20), (from: Training, examples: Full)], lambda_every: Ends,
    sweep: (seed: [0, 1]),
)";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Writes a config, and files with 50 training and 40 test images of CIFAR-10.
    fn with(config: &str) -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(place.path("small.ron"), config).unwrap();
        write(&place.path("data/cifar-10-batches-bin/data_batch_1.bin"), 1, 10, 30);
        write(&place.path("data/cifar-10-batches-bin/data_batch_2.bin"), 1, 10, 20);
        write(&place.path("data/cifar-10-batches-bin/test_batch.bin"), 1, 10, 40);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.env("LC_ALL", "C.UTF-8");
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// Runs a command that must succeed, and returns its output.
    fn does(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must be refused with status 2, and returns its message.
    fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Writes records of irregular images. The last label byte cycles through the classes; other label bytes are 0.
fn write(path: &Path, label_bytes: usize, classes: usize, count: usize) {
    let mut bytes = Vec::new();
    for i in 0..count {
        bytes.extend(std::iter::repeat_n(0, label_bytes - 1));
        bytes.push((i % classes) as u8);
        bytes.extend((0..PIXELS).map(|j| ((i * 7919 + j * j * 31 + j * 17) % 251) as u8));
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_run_is_settled_to_what_the_files_hold_in_all_that_it_says_and_does() {
    let place = Place::with(CONFIG);
    // `check` reads no data files, so it uses the official numbers: 2 × ⌈50,000/16⌉.
    assert!(place.does(&["check", "small.ron"]).contains("6250"));

    place.does(&["small.ron"]);
    let config = fs::read_to_string(place.path("runs/small/config.ron")).unwrap();
    let compact: String = config.split_whitespace().collect();
    assert!(
        compact.contains("files_hold:[(data:Cifar10,train:50,test:40,)]"),
        "{config}"
    );
    assert!(
        place
            .does(&["check", "runs/small/config.ron"])
            .contains("16 steps planned in all")
    );
    let cell = place.path("runs/small/cells/000");
    let settings = read_settings(&cell).unwrap();
    assert!(
        settings.contains(&("train_examples".to_owned(), "50".to_owned())),
        "{settings:?}"
    );
    let points = read_metrics(&cell).unwrap().points;
    let last = points
        .iter()
        .rfind(|point| point.values.get("train_loss").is_some())
        .unwrap();
    // Two epochs of ⌈50/16⌉ steps.
    assert_eq!((last.step, last.epoch), (8, 2.0));
    let probes: Vec<&str> = points
        .iter()
        .filter_map(|point| point.lambda.as_ref().map(|lambda| lambda.lambda_on.as_str()))
        .collect();
    assert!(probes.contains(&"held-out, 20 examples"), "{probes:?}");
    assert!(probes.contains(&"training, all 50 examples"), "{probes:?}");
}

#[test]
fn such_a_run_is_taken_up_and_measured_again() {
    let place = Place::with(CONFIG);
    place.does(&["small.ron"]);
    let parameters = fs::read(place.path("runs/small/cells/001/model.safetensors")).unwrap();
    fs::remove_dir_all(place.path("runs/small/cells/001")).unwrap();
    place.does(&["resume", "runs/small"]);
    let again = fs::read(place.path("runs/small/cells/001/model.safetensors")).unwrap();
    assert!(
        again == parameters,
        "the same cell gives the same parameters, augmentation included"
    );
    assert!(
        read_cells(&place.path("runs/small"))
            .unwrap()
            .iter()
            .all(|cell| cell.ended.is_some())
    );

    let said = place.does(&[
        "lambda",
        "runs/small/cells/001",
        "--probe",
        "1",
        "--dump",
        "dump.safetensors",
    ]);
    assert!(said.contains("measured on  training, all 50 examples"), "{said}");
    // The dump holds the images of the files, standardized and without augmentation.
    let dump = read_tensors(&place.path("dump.safetensors")).unwrap();
    let images = dump
        .tensors
        .iter()
        .find(|tensor| tensor.name == "probe.images")
        .unwrap();
    assert_eq!(images.shape, [50, 3, 32, 32]);
    let said = place.does(&["lambda", "runs/small/cells/000"]);
    let difference = said
        .lines()
        .find_map(|line| line.split_once('(')?.1.split_once(" %)"))
        .unwrap();
    assert!(difference.0.parse::<f64>().unwrap().abs() < 1.0, "{said}");
}

#[test]
fn files_that_changed_since_are_neither_taken_up_nor_measured() {
    let place = Place::with(CONFIG);
    place.does(&["small.ron"]);
    write(&place.path("data/cifar-10-batches-bin/data_batch_3.bin"), 1, 10, 5);
    for arguments in [&["resume", "runs/small"][..], &["lambda", "runs/small/cells/000"]] {
        let said = place.refuses(arguments);
        let words = "the files of Cifar10 hold 55 training and 40 test examples, expected 50 and 40";
        assert!(said.contains(words), "{said}");
    }
}

/// A user may add a batch file during a run.
#[test]
fn a_cell_whose_files_changed_since_they_were_counted_does_not_train_on_others() {
    let place = Place::with(CONFIG);
    let experiment = Experiment::load(&place.path("small.ron")).unwrap();
    let mut datasets = Datasets::new(Device::flex(), Some(place.path("data")));
    let counted = datasets
        .count(experiment.cells.iter().map(|cell| &cell.settings))
        .unwrap();
    let settled = experiment.settled(&counted, Path::new("small.ron")).unwrap();
    let settings = &settled.cells[0].settings;
    let mut unsettled = settings.clone();
    unsettled.train_examples = Extent::Full;
    let error = datasets.get(&unsettled, DType::F32).err().unwrap().to_string();
    assert_eq!(
        error,
        "the files of CIFAR-10 hold 50 training examples, expected 50000, as many as when the run began"
    );
    assert_eq!(datasets.get(settings, DType::F32).unwrap().train.len(), 50);
}

#[test]
fn what_the_files_are_too_few_for_is_said_before_anything_runs() {
    let probe = "test_examples: Full, subset: First, probes: [(examples: 41)]";
    for (asked, words) in [
        (
            probe,
            "probes[0].examples: 41 is out of range: it must be `Full` or 1 to 40, the test examples in use; the files of \
             Cifar10 hold 50 training and 40 test examples",
        ),
        (
            "train_examples: 51, probes: [(examples: 40)]",
            "train_examples: 51 is out of range: it must be `Full` or 1 to 50, the training examples of Cifar10 that its \
             files hold",
        ),
    ] {
        let place = Place::with(&format!(
            "(data: Cifar10, model: Mlp(widths: []), learning_rate: 0.1, epochs: 1, {asked})"
        ));
        let said = place.refuses(&["small.ron"]);
        assert!(said.contains(words), "{said}");
        assert!(!place.path("runs").exists());
    }
}

#[test]
fn a_hundred_classes_reach_the_network() {
    let place = Place::with(
        "(data: Cifar100, model: Mlp(widths: [3]), learning_rate: 0.1, steps: 2, probes: [(examples: 10)], loss: SquaredError)",
    );
    write(&place.path("data/cifar-100-binary/train.bin"), 2, 100, 120);
    write(&place.path("data/cifar-100-binary/test.bin"), 2, 100, 100);
    place.does(&["small.ron"]);
    let model = read_tensors(&place.path("runs/small/cells/000/model.safetensors")).unwrap();
    let last = model.tensors.iter().find(|tensor| tensor.name == "fc2.weight").unwrap();
    assert_eq!(last.shape, [100, 3]);
}
