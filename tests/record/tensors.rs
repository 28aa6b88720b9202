//! `model.safetensors`: parameters read back bit for bit, and damage is reported.

use std::collections::BTreeMap;
use std::fs;

use sharptui::record::{self, NamedTensor, RecordError, TensorValues};

use super::{pair, run};

#[test]
fn parameters_read_back_bit_for_bit() {
    let (_parent, run) = run();
    let cell = run.begin_cell(0, &[]).unwrap();
    let tensor = |name: &str, shape: &[usize], data| NamedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        data,
    };
    let tensors = vec![
        tensor(
            "a.bias",
            &[3],
            TensorValues::F32(vec![f32::MIN_POSITIVE, -0.0, 1.0 / 3.0]),
        ),
        tensor("a.weight", &[2, 1], TensorValues::F64(vec![1.0 / 3.0, f64::INFINITY])),
        tensor("empty", &[0, 5], TensorValues::F32(Vec::new())),
        tensor("scalar", &[], TensorValues::I64(vec![i64::MIN])),
    ];
    let metadata = BTreeMap::from([pair("step", "100"), pair("probe", "größe")]);
    cell.write_model(&tensors, &metadata).unwrap();
    cell.write_model(&tensors, &metadata).unwrap();
    let read = record::read_tensors(&cell.path().join("model.safetensors")).unwrap();
    assert_eq!((read.tensors, read.metadata), (tensors, metadata));
}

#[test]
fn tensors_that_contradict_themselves_are_refused() {
    let (_parent, run) = run();
    let cell = run.begin_cell(0, &[]).unwrap();
    let tensor = |shape: &[usize]| NamedTensor {
        name: "w".to_owned(),
        shape: shape.to_vec(),
        data: TensorValues::F32(vec![0.0; 2]),
    };
    for (tensors, words) in [
        (vec![tensor(&[3])], "tensor w of shape [3] was given 2 values"),
        (vec![tensor(&[usize::MAX, 2])], "was given 2 values"),
        (vec![tensor(&[2]), tensor(&[2])], "two tensors are named w"),
    ] {
        let error = cell.write_model(&tensors, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("model.safetensors"), "{error}");
    }
    assert!(!cell.path().join("model.safetensors").exists());
}

#[test]
fn a_file_of_tensors_cut_at_any_byte_is_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let tensor = NamedTensor {
        name: "w".to_owned(),
        shape: vec![2],
        data: TensorValues::F64(vec![1.0, 2.0]),
    };
    record::write_tensors(&path, &[tensor], &BTreeMap::new()).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = record::read_tensors(&path).unwrap_err();
        assert!(matches!(error, RecordError::Tensors { .. }), "cut at {length}: {error}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("{}: the file is damaged or cut short (", path.display())),
            "{error}"
        );
    }
}
