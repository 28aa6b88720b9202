//! Tests damaged checkpoints and metrics.

use super::*;

const ONE: &str = "(
    name: \"hurt\", model: Mlp(widths: [8]), dropout: 0.2, momentum: 0.9, learning_rate: 0.05, batch_size: 20, steps: 600,
    train_examples: 60, test_examples: 40, lambda_every: Steps(5), probes: [(examples: 20)],
)";

/// Runs `whole` to its end, and returns a second run of [`ONE`] that was killed after some checkpoints.
fn cut_off(whole: &Place) -> Place {
    let hurt = Place::with(ONE);
    whole.finish(&[]);
    let mut child = hurt.start(&["--checkpoint-every", "0"]);
    let lines = || fs::read_to_string(hurt.cell(0).join("metrics.jsonl")).unwrap_or_default();
    let both = || {
        ["checkpoint-a", "checkpoint-b"]
            .iter()
            .all(|name| hurt.cell(0).join(name).exists())
    };
    while !both() || lines().lines().count() < 8 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    hurt
}

/// Returns the newest checkpoint.
fn newest(hurt: &Place) -> PathBuf {
    let files = ["checkpoint-a", "checkpoint-b"].map(|name| hurt.cell(0).join(name));
    let written = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    files.into_iter().max_by_key(written).unwrap()
}

#[test]
fn a_damaged_checkpoint_is_found_out_and_the_one_before_is_used() {
    let whole = Place::with(ONE);
    let hurt = cut_off(&whole);
    let path = newest(&hurt);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let written = hurt.finish(&[]);
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(written.contains(name) && written.contains("checksum"), "{written}");
    assert!(written.contains("is used instead"), "{written}");
    assert_same(&hurt, &whole);
}

#[test]
fn with_no_sound_checkpoint_a_cell_begins_again_and_keeps_what_was_measured() {
    let whole = Place::with(ONE);
    let hurt = cut_off(&whole);
    for name in ["checkpoint-a", "checkpoint-b"] {
        let path = hurt.cell(0).join(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
    }
    let written = hurt.finish(&[]);
    assert!(written.contains("the cell begins again"), "{written}");
    assert_same(&hurt, &whole);
    assert!(hurt.run_dir().join("cells/000-old-1/metrics.jsonl").exists());
}

#[test]
fn a_torn_or_lost_end_of_the_metrics_is_made_good() {
    let whole = Place::with(ONE);
    let hurt = cut_off(&whole);
    let path = hurt.cell(0).join("metrics.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"step\":99,\"seco");
    fs::write(&path, bytes).unwrap();
    hurt.finish(&[]);
    assert_same(&hurt, &whole);

    let hurt = cut_off(&whole);
    let path = hurt.cell(0).join("metrics.jsonl");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let written = hurt.finish(&[]);
    assert!(written.contains("metrics.jsonl"), "{written}");
    assert_same(&hurt, &whole);
}
