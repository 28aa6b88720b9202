//! The first steps of every shipped configuration, with fewer seeds, smaller probes and short searches, since there are
//! hundreds of cells.

use std::fs;
use std::path::Path;

use super::{Place, text};

/// Real images in CIFAR-10's layout, where somebody has put them.
const CIFAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");

/// The text of a configuration with every one of `changes` made, each of which must be there to make.
fn changed(path: &Path, changes: &[(&str, &str)]) -> String {
    let mut config = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(config.contains(from), "{} has no `{from}`", path.display());
        config = config.replace(from, to);
    }
    config
}

/// Runs two steps of every configuration in a folder; `changes` are those of a file's name.
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
        let place = Place::with(&changed(&path, &changes(name)));
        let output = place.run(&[&["small.ron", "--steps", "2", "--plain"], options].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{}: {error}", path.display());
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn every_shipped_configuration_takes_some_steps() {
    take_some_steps("configs", &[], |name| match name {
        "edge_of_stability" => vec![("seed: [0, 1, 2]", "seed: [0]"), ("examples: Full", "examples: 50")],
        _ => vec![
            ("seed: [0, 1, 2, 3, 4]", "seed: [0]"),
            ("loss: CrossEntropy", "loss: CrossEntropy, lambda_max_products: 4"),
            (", examples: 1000", ", examples: 50"),
        ],
    });
}

#[test]
fn every_shipped_configuration_on_cifar_takes_some_steps() {
    if !Path::new(CIFAR).exists() {
        eprintln!("skipped: there are no images in {CIFAR}");
        return;
    }
    take_some_steps("configs/cifar10", &["--data", CIFAR], |name| {
        // The layers are those of the full network; what makes them dear is their width, and 50,000 images.
        let mut changes = vec![
            ("seed: [0, 1, 2]", "seed: [0]"),
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
