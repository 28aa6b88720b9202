//! Tests data sets that can be read but look wrong.

use std::fs;

use super::{Place, text};

#[test]
fn images_that_are_all_the_same_are_trained_on_and_said() {
    let place = Place::with(
        "(data: Cifar10, model: Mlp(widths: [4]), learning_rate: 0.1, epochs: 1, batch_size: 10, probes: [(examples: 10)])",
    );
    let folder = place.path("cifar-10-batches-bin");
    fs::create_dir(&folder).unwrap();
    let blank = |label: u8| [vec![label], vec![0; 3072]].concat();
    fs::write(
        folder.join("data_batch_1.bin"),
        (0..20).map(|n| blank(n % 10)).collect::<Vec<_>>().concat(),
    )
    .unwrap();
    fs::write(
        folder.join("test_batch.bin"),
        (0..10).map(blank).collect::<Vec<_>>().concat(),
    )
    .unwrap();
    let output = place.run(&["small.ron", "--plain", "--device", "flex", "--data", "."]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let words = "CIFAR-10: all 20 training examples have the same image, which is blank; are the files damaged?";
    assert!(text(&output.stdout).contains(words), "{}", text(&output.stdout));
    let log = fs::read_to_string(place.path("runs/small/events.jsonl")).unwrap();
    assert!(log.contains(words), "{log}");
}
