//! Tests runs whose configuration or data set has changed.

use super::*;

const TWO: &str = "(
    name: \"hurt\", model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 20, steps: 3,
    train_examples: 60, test_examples: 40, probes: [(examples: 20)], sweep: (seed: [0, 1]),
)";

fn refusal(place: &Place) -> String {
    let output = place.start(&[]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_changed_config_is_refused_with_what_differs() {
    let place = Place::with(TWO);
    place.finish(&[]);
    let path = place.run_dir().join("config.ron");
    let before = fs::read_to_string(&path).unwrap();
    for (from, to, expected) in [
        (
            "batch_size: 20",
            "batch_size: 30",
            "batch_size of cell 0 was 20 when the run began, now it is 30",
        ),
        ("seed: [", "seed: [7, ", "the run began with 2 cells, now there are 3"),
    ] {
        let changed = before.replace(from, to);
        assert_ne!(changed, before);
        fs::write(&path, changed).unwrap();
        let words = refusal(&place);
        assert!(words.contains(expected) && words.contains("config.ron"), "{words}");
    }
    fs::write(&path, format!("// A comment changes nothing.\n{before}")).unwrap();
    place.finish(&[]);
}

#[test]
fn a_data_set_that_is_another_is_refused() {
    let place = Place::with(TWO);
    place.finish(&[]);
    let path = place.run_dir().join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find("\"crc32\": \"").unwrap() + "\"crc32\": \"".len();
    let changed = format!("{}00000000{}", &text[..start], &text[start + 8..]);
    fs::write(&path, changed).unwrap();
    let words = refusal(&place);
    assert!(words.contains("the data set Fashion-MNIST subset"), "{words}");
    assert!(words.contains("00000000 then"), "{words}");
}
