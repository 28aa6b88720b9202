//! Tests the first steps of every shipped configuration, with fewer seeds, smaller probes and short searches, because
//! there are hundreds of cells.

use std::fs;
use std::path::Path;

use sharptui::record::{read_cells, read_metrics};

use super::{Place, text};

/// The files of generated training and test images in CIFAR-10's layout, with their numbers of images. Files of this
/// layout may hold any number.
const CIFAR_IMAGES: [(&str, usize); 2] = [("data_batch_1.bin", 500), ("test_batch.bin", 100)];

/// Returns the text of a configuration after all `changes`. The old text of each change must occur.
fn changed(path: &Path, changes: &[(&str, &str)]) -> String {
    let mut config = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(config.contains(from), "{} has no `{from}`", path.display());
        config = config.replace(from, to);
    }
    config
}

/// Returns the text of a configuration with the first of its seeds only.
fn with_one_seed(config: &str) -> String {
    let (before, seeds) = config.split_once("seed: [").unwrap();
    let (seeds, after) = seeds.split_once(']').unwrap();
    let first = seeds.split(',').next().unwrap();
    format!("{before}seed: [{first}]{after}")
}

/// Runs two steps of every configuration in a folder, with one seed, after the `changes` for the file's name.
fn take_some_steps(folder: &str, options: &[&str], changes: impl Fn(&str) -> Vec<(&'static str, &'static str)>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        count += 1;
        let name = path.file_stem().unwrap().to_str().unwrap();
        let place = Place::with(&with_one_seed(&changed(&path, &changes(name))));
        let output = place.run(&[&["small.ron", "--steps", "2", "--plain"], options].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{}: {error}", path.display());
        assert_whole(&place);
    }
    assert!(count > 0);
}

/// Checks that every cell of the only run was trained for two steps, and has λ_max at both ends, and a loss.
fn assert_whole(place: &Place) {
    let run = fs::read_dir(place.path("runs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let cells = read_cells(&run).unwrap();
    assert!(!cells.is_empty(), "{}", run.display());
    for cell in cells {
        let path = cell.path.display();
        assert!(cell.is_finished(), "{path}: {:?}", cell.ended);
        let points = read_metrics(&cell.path).unwrap().points;
        for step in [0, 2] {
            let lambda = points
                .iter()
                .filter(|point| point.step == step)
                .find_map(|point| point.lambda.as_ref());
            assert!(
                lambda.is_some_and(|lambda| lambda.lambda_max.is_finite()),
                "{path}: {lambda:?}"
            );
        }
        let last = points
            .iter()
            .rev()
            .find_map(|point| Some((point.step, point.values.get("train_loss")?)));
        let (step, loss) = last.unwrap();
        assert!(
            step == 2 && loss > 0.0 && loss.is_finite(),
            "{path}: {loss} at step {step}"
        );
    }
}

/// Writes images in CIFAR-10's layout: a label, then 3,072 bytes without a pattern.
fn make_up_cifar(folder: &Path) {
    for (name, images) in CIFAR_IMAGES {
        let image = |image: usize| {
            let pixel = move |at: usize| ((image * 7_919 + at * at * 31 + at * 17) % 251) as u8;
            std::iter::once((image % 10) as u8).chain((0..3 * 32 * 32).map(pixel))
        };
        fs::write(folder.join(name), (0..images).flat_map(image).collect::<Vec<u8>>()).unwrap();
    }
}

#[test]
fn every_shipped_configuration_takes_some_steps() {
    take_some_steps("configs", &[], |name| match name {
        "adam" | "rmsprop" | "edge_of_stability" | "batch_sharpness" => vec![("examples: Full", "examples: 50")],
        _ => vec![
            ("loss: CrossEntropy", "loss: CrossEntropy, lambda_max_products: 4"),
            (", examples: 1000", ", examples: 50"),
        ],
    });
}

#[test]
fn every_shipped_configuration_on_fashion_mnist_takes_some_steps() {
    // The embedded subset has the same images.
    take_some_steps("configs/fashion_mnist", &[], |_| {
        vec![
            ("data: FashionMnist,", "data: FashionMnistSubset,"),
            ("train_examples: 1000", "train_examples: 256, test_examples: 100"),
            // Two thirds of the time; tests/training.rs has them all.
            (
                "BatchSharpness(every: Ends), Trace(every: Ends), GaussNewton(every: Ends), ",
                "",
            ),
            ("loss: CrossEntropy", "loss: CrossEntropy, lambda_max_products: 4"),
            (", examples: 1000", ", examples: 50"),
        ]
    });
}

#[test]
fn every_shipped_configuration_on_cifar_takes_some_steps() {
    let images = tempfile::tempdir().unwrap();
    make_up_cifar(images.path());
    let data = images.path().to_str().unwrap();
    take_some_steps("configs/cifar10", &["--data", data], |name| {
        // All layers are kept; only the width and the 50,000 images, which make the network slow, are reduced.
        let mut changes = vec![
            (", examples: 1000", ", examples: 50"),
            ("loss: CrossEntropy", "loss: CrossEntropy, lambda_max_products: 4"),
            ("Vgg11()", "Vgg11(width: 2), train_examples: 500, test_examples: 100"),
        ];
        match name {
            "learning_rate" | "sam" => changes.push(("[100, 1000, 5000]", "[100, 200, 500]")),
            "batch_norm" => changes.push(("[100, 1000]", "[100, 200]")),
            _ => {}
        }
        changes
    });
}
