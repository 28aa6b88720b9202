//! Features in CSV and safetensors files.

use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use sharptui::config::{Data, Extent};
use sharptui::data::{DataError, Dataset};
use tempfile::TempDir;

use super::{gzip, load_some};

const TRAIN: &str = "age,\"weight, in kg\",label\r\n1,1600000001,1\r\n2,1600000002,2\r\n\r\n6,1600000006,3.0\r\n";
const TEST: &str = "age,\"weight, in kg\",label\n3,1600000003,2\n";

fn csv(files: &str, label: &str) -> Data {
    Data::Csv {
        files: files.to_owned(),
        classes: 3,
        first_label: 1,
        label: label.to_owned(),
        features: None,
    }
}

fn tensors(files: &str) -> Data {
    Data::Safetensors {
        files: files.to_owned(),
        classes: 3,
        first_label: 0,
        features: None,
    }
}

fn load(data: Data, dir: &Path) -> Result<Dataset, DataError> {
    load_some(data, Extent::Full, Extent::Full, Some(dir))
}

fn folder(train: &[u8], test: &[u8], ending: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(format!("train.{ending}")), train).unwrap();
    fs::write(dir.path().join(format!("test.{ending}")), test).unwrap();
    dir
}

/// Returns the error of loading a table with another training file.
fn refused(train: &str) -> String {
    let dir = folder(train.as_bytes(), TEST.as_bytes(), "csv");
    load(csv(".", "label"), dir.path()).unwrap_err().to_string()
}

fn assert_near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} is not {expected}");
    }
}

#[test]
fn each_feature_is_standardized_by_itself_without_losing_digits() {
    for packed in [false, true] {
        let bytes = |text: &str| {
            if packed {
                gzip(text.as_bytes())
            } else {
                text.as_bytes().to_vec()
            }
        };
        let dir = folder(&bytes(TRAIN), &bytes(TEST), "csv");
        let data = load(csv(".", "label"), dir.path()).unwrap();
        assert_eq!((data.shape, data.classes, data.has_images), ([2, 1, 1], 3, false));
        assert_eq!(
            (&data.train.labels[..], &data.test.labels[..]),
            (&[0, 1, 2][..], &[1][..])
        );
        // Both features are 1, 2 and 6 up to a shift: mean 3, variance 14/3. In 32 bits, the shifted ones would be equal.
        let deviation = (14.0_f64 / 3.0).sqrt();
        let expected: Vec<f64> = [-2.0, -2.0, -1.0, -1.0, 3.0, 3.0]
            .iter()
            .map(|x| x / deviation)
            .collect();
        assert_near(&data.train.pixels, &expected);
        assert_near(&data.test.pixels, &[0.0, 0.0]);
        assert_near(&data.deviation, &[deviation, deviation]);
        assert!(data.doubts().is_empty());
    }
}

#[test]
fn a_constant_feature_becomes_zero_and_an_infinite_one_is_refused() {
    let dir = folder(
        b"a,b,label\n0.1,1,1\n0.1,2,2\n0.1,3,1\n",
        b"a,b,label\n1.1,2,1\n",
        "csv",
    );
    let data = load(csv(".", "label"), dir.path()).unwrap();
    assert!([0, 2, 4].iter().all(|&at| data.train.pixels[at] == 0.0));
    assert_near(&data.test.pixels, &[1.0, 0.0]);
    let dir = folder(b"a,label\n0,1\n1e-30,2\n", b"a,label\n0,1\n1e29,2\n", "csv");
    let message = load(csv(".", "label"), dir.path()).unwrap_err().to_string();
    assert!(
        message.contains("test.csv: feature 0 of example 1 is too far"),
        "{message}"
    );
}

#[test]
fn what_is_no_table_of_numbers_is_refused_with_line_and_column() {
    let head = "age,\"weight, in kg\",label\n";
    let rows = |rows: &str| refused(&format!("{head}{rows}"));
    for (message, words) in [
        (
            rows("1,2,1\n1,old,2\n"),
            "line 3, column \"weight, in kg\": found \"old\", expected a number",
        ),
        (
            rows("1,,1\n"),
            "line 2, column \"weight, in kg\": found nothing, expected a number from -1e30 to 1e30",
        ),
        (
            rows("nan,2,1\n"),
            "line 2, column \"age\": found \"nan\", expected a number",
        ),
        (
            rows("1e31,2,1\n"),
            "line 2, column \"age\": found \"1e31\", expected a number",
        ),
        (
            rows("1,2,cat\n"),
            "line 2, column \"label\": found \"cat\", expected a label from 1 to 3",
        ),
        (rows("1,2,1.5\n"), "found \"1.5\", expected a label from 1 to 3"),
        (rows("1,2,1\n1,2,4\n"), "has label 4 at position 1, expected 1 to 3"),
        (
            rows("1,2\n"),
            "line 2: found 2 columns, expected 3, as in the first line",
        ),
        (rows("1,2,3,4\n"), "line 2: found more columns, expected 3"),
        (rows(""), "has 0 examples, 0 were asked for"),
        (refused(""), "line 1: found a single column, expected the names of"),
        (refused("1;2;1\n"), "line 1: found a single column"),
        (
            refused("5.1,3.5,5.1\n"),
            "line 1: found two columns with the name \"5.1\"",
        ),
        (
            refused("age,label\n1,1\n"),
            "test.csv: line 1: found \"weight, in kg\" as column 2, expected \"label\", as in",
        ),
        (
            refused("age,\"weight, in kg\",Label\n1,2,1\n"),
            "found \"label\" as column 3",
        ),
    ] {
        assert!(message.contains(words), "{words} is not in: {message}");
    }
    let dir = folder(TRAIN.as_bytes(), TEST.as_bytes(), "csv");
    let message = load(csv(".", "labels"), dir.path()).unwrap_err().to_string();
    let words = "found the columns \"age\", \"weight, in kg\", \"label\", expected a column \"labels\" of labels; did you mean \
                 \"label\"?";
    assert!(message.contains(words), "{message}");
    let dir = folder(b"a,label\n\xff,1\n", TEST.as_bytes(), "csv");
    let message = load(csv(".", "label"), dir.path()).unwrap_err().to_string();
    assert!(message.contains("line 2: found bytes that are not text"), "{message}");
}

/// Returns a file with these features, of `width` columns, and labels.
fn safetensors(features: &[f32], width: usize, labels: &[i64]) -> Vec<u8> {
    let features_bytes: Vec<u8> = features.iter().flat_map(|value| value.to_le_bytes()).collect();
    let labels_bytes: Vec<u8> = labels.iter().flat_map(|value| value.to_le_bytes()).collect();
    let shape = vec![features.len() / width, width];
    let features = TensorView::new(Dtype::F32, shape, &features_bytes).unwrap();
    let labels = TensorView::new(Dtype::I64, vec![labels.len()], &labels_bytes).unwrap();
    safetensors::serialize([("features", features), ("labels", labels)], None).unwrap()
}

#[test]
fn tensors_give_the_same_examples_as_a_table() {
    let test = safetensors(&[3.0, 0.5], 2, &[1]);
    let dir = folder(
        &safetensors(&[1.0, 0.5, 2.0, 1.5, 6.0, -4.0], 2, &[0, 1, 2]),
        &test,
        "safetensors",
    );
    let read = load(tensors(dir.path().to_str().unwrap()), Path::new("/nowhere")).unwrap();
    let table = folder(b"a,b,y\n1,0.5,1\n2,1.5,2\n6,-4,3\n", b"a,b,y\n3,0.5,2\n", "csv");
    let table = load(csv(".", "y"), table.path()).unwrap();
    assert_eq!((read.train, read.test), (table.train, table.test));
}

#[test]
fn tensors_of_another_shape_or_name_are_refused() {
    let sound = safetensors(&[1.0, 2.0], 1, &[0, 1]);
    let named = |name: &str| {
        let bytes = 1.0_f32.to_le_bytes();
        let view = TensorView::new(Dtype::F32, vec![1, 1, 1], &bytes).unwrap();
        safetensors::serialize([(name, view.clone()), ("labels", view)], None).unwrap()
    };
    for (train, words) in [
        (
            named("x"),
            "found the tensors \"labels\", \"x\", expected the tensors \"features\" and \"labels\"",
        ),
        (
            named("features"),
            "features: found the shape [1, 1, 1], expected (examples, features); images are read from",
        ),
        (
            safetensors(&[1.0, 2.0], 1, &[0]),
            "labels: found the shape [1], expected [2], one label for each row",
        ),
        (
            safetensors(&[1.0, f32::NAN], 1, &[0, 1]),
            "features[1][0]: found NaN, expected a number from",
        ),
        (
            safetensors(&[1.0, 2.0], 1, &[0, 3]),
            "has label 3 at position 1, expected 0 to 2",
        ),
        (
            safetensors(&[1.0, 2.0], 2, &[0]),
            "test.safetensors has 1 feature, expected 2 features as in",
        ),
        (sound[..20].to_vec(), "expected a complete safetensors file"),
    ] {
        let dir = folder(&train, &sound, "safetensors");
        let message = load(tensors("."), dir.path()).unwrap_err().to_string();
        assert!(message.contains(words), "{words} is not in: {message}");
    }
}
