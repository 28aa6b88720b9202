//! Runs on one's own files: images as IDX, and features as CSV.

use std::fs;

use sharptui::record::{read_cells, read_settings, read_tensors};

use super::{Place, text};

/// Images of two channels, labels that begin at 1, and settings that depend on what the files hold.
const IMAGES: &str = "(
    data: Idx(files: \"letters/some\", classes: 3, first_label: 1), model: Cnn(channels: (2, 2)), learning_rate: 0.05,
    batch_size: 16, epochs: 2, test_examples: 30, subset: Balanced(seed: 3), augment: CropAndFlip(pad: 2),
    probes: [(examples: 20), (from: Training, examples: Full)], lambda_every: Ends, sweep: (seed: [0, 1]),
)";

/// Two tables of the same features, of which one is larger.
const TABLES: &str = "(
    data: Csv(files: \"small\", classes: 3, label: \"kind\"), model: Mlp(widths: [3]), learning_rate: 0.05,
    batch_size: Full, epochs: 3, probes: [(from: Training, examples: Full)], lambda_every: Ends,
    sweep: (data: [
        Csv(files: \"small\", classes: 3, label: \"kind\"),
        Csv(files: \"large\", classes: 3, label: \"kind\"),
    ]),
)";

/// Returns the contents of an IDX file of bytes.
fn idx(sizes: &[u32], values: impl Iterator<Item = u8>) -> Vec<u8> {
    let magic = [0, 0, 8, sizes.len() as u8];
    let sizes = sizes.iter().flat_map(|size| size.to_be_bytes());
    magic.into_iter().chain(sizes).chain(values).collect()
}

/// Writes `count` images of 2×6×5 and their labels.
fn write_images(place: &Place, start: &str, count: u32) {
    let pixels = (0..60 * count).map(|i| ((i * 7919 + i * i % 31) % 251) as u8);
    let labels = (0..count).map(|i| (i % 3 + 1) as u8);
    fs::create_dir_all(place.path("data/letters")).unwrap();
    let named = |kind: &str| place.path(&format!("data/letters/{start}-{kind}"));
    fs::write(named("images-idx4-ubyte"), idx(&[count, 2, 6, 5], pixels)).unwrap();
    fs::write(named("labels-idx1-ubyte"), idx(&[count], labels)).unwrap();
}

/// Writes a table of four features.
fn write_table(place: &Place, name: &str, count: usize) {
    let row = |i: usize| format!("{},{},{}e9,{},0.5\n", i * i % 17, i % 3, 1_000 + i % 5, i as f64 / 3.0);
    let rows: String = (0..count).map(row).collect();
    let path = place.path(&format!("data/{name}"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("a,kind,b,c,d\n{rows}")).unwrap();
}

/// Runs a command that must fail because of the files, and returns its message.
fn fails(place: &Place, arguments: &[&str]) -> String {
    let output = place.run(arguments);
    assert_eq!(output.status.code(), Some(1));
    text(&output.stderr)
}

#[test]
fn a_run_on_images_is_settled_taken_up_and_measured_again() {
    let place = Place::with(IMAGES);
    write_images(&place, "some-train", 45);
    write_images(&place, "some-test", 36);
    let said = place.does(&["check", "small.ron"]);
    assert!(
        said.contains("2 cells, ? steps planned in all\n? stands for steps that a run counts")
            && said.contains("\n000   0     ?\n"),
        "{said}"
    );

    place.does(&["small.ron"]);
    let config = fs::read_to_string(place.path("runs/small/config.ron")).unwrap();
    let compact: String = config.split_whitespace().collect();
    let hold = "(data:Idx(files:\"letters/some\",classes:3,first_label:1),train:45,test:36,shape:(2,6,5),)";
    assert!(compact.contains(hold), "{config}");
    let said = place.does(&["check", "runs/small/config.ron"]);
    assert!(said.contains("12 steps planned in all"), "{said}");
    let settings = read_settings(&place.path("runs/small/cells/000")).unwrap();
    assert!(
        settings.contains(&("train_examples".to_owned(), "45".to_owned())),
        "{settings:?}"
    );

    let parameters = fs::read(place.path("runs/small/cells/001/model.safetensors")).unwrap();
    fs::remove_dir_all(place.path("runs/small/cells/001")).unwrap();
    place.does(&["resume", "runs/small"]);
    assert!(fs::read(place.path("runs/small/cells/001/model.safetensors")).unwrap() == parameters);

    let dump = ["--probe", "1", "--dump", "dump.safetensors"];
    place.does(&[&["lambda", "runs/small/cells/001"][..], &dump].concat());
    let dump = read_tensors(&place.path("dump.safetensors")).unwrap();
    let images = dump
        .tensors
        .iter()
        .find(|tensor| tensor.name == "probe.images")
        .unwrap();
    assert_eq!(images.shape, [45, 2, 6, 5]);

    write_images(&place, "some-train", 46);
    for arguments in [&["resume", "runs/small"][..], &["lambda", "runs/small/cells/000"]] {
        let said = place.refuses(arguments);
        let words =
            "hold 46 training and 36 test examples of 2×6×5, expected 45 and 36 of 2×6×5, as this config records";
        assert!(said.contains(words), "{said}");
    }
    fs::remove_file(place.path("data/letters/some-test-labels-idx1-ubyte")).unwrap();
    let said = fails(&place, &["resume", "runs/small"]);
    let words = "was not found: no data/letters/some-test-labels-idx1-ubyte; looked in data, ";
    assert!(said.contains(words), "{said}");
}

#[test]
fn tables_may_be_swept_and_each_cell_counts_its_own() {
    let place = Place::with(TABLES);
    for (name, count) in [("small", 20), ("large", 50)] {
        write_table(&place, &format!("{name}/train.csv"), count);
        write_table(&place, &format!("{name}-test.csv"), 12);
    }
    // A folder and names that begin alike are two forms, and the files of one set have one form.
    let said = fails(&place, &["small.ron"]);
    assert!(
        said.contains("Csv(files: \"small\") was not found: no data/small/test.csv; looked"),
        "{said}"
    );
    for name in ["small", "large"] {
        write_table(&place, &format!("{name}/test.csv"), 12);
    }
    place.does(&["small.ron"]);
    let cells = read_cells(&place.path("runs/small")).unwrap();
    assert!(cells.len() == 2 && cells.iter().all(|cell| cell.ended.is_some()));
    for (cell, examples) in [("000", "20"), ("001", "50")] {
        let settings = read_settings(&place.path("runs/small/cells").join(cell)).unwrap();
        assert!(
            settings.contains(&("train_examples".to_owned(), examples.to_owned())),
            "{settings:?}"
        );
    }
    let model = read_tensors(&place.path("runs/small/cells/001/model.safetensors")).unwrap();
    let first = model.tensors.iter().find(|tensor| tensor.name == "fc1.weight").unwrap();
    assert_eq!(first.shape, [3, 4]);
    place.does(&["lambda", "runs/small/cells/001"]);
    place.does(&["report", "runs/small"]);
}
