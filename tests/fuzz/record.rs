//! The run directory: metrics, tensors, checkpoints, and the other JSON files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sharptui::record::{
    NamedTensor, TensorValues, read_checkpoints, read_log, read_metrics, read_queue, read_run, read_settings,
    read_summary, read_tensors, write_tensors,
};

use crate::campaign::{Target, run};

/// Inputs have up to 2 MB. A point takes ten times the bytes of the shortest line; parsed JSON takes thirty times its
/// text.
const MOST_MEMORY_BYTES: u64 = 128 << 20;

fn target<'a>(name: &'static str, place: &'a str, seeds: Vec<Vec<u8>>) -> Target<'a> {
    Target {
        name,
        place,
        most_memory_bytes: MOST_MEMORY_BYTES,
        seeds,
    }
}

/// Runs a target whose reader reads the file `place` in a folder.
fn reads<T, E: std::fmt::Display>(name: &'static str, place: &str, reader: impl Fn(&Path) -> Result<T, E>) {
    let folder = tempfile::tempdir().unwrap();
    run(&target(name, place, Vec::new()), |input| {
        fs::write(folder.path().join(place), input).unwrap();
        reader(folder.path()).map(drop).map_err(|error| error.to_string())
    });
}

#[test]
fn no_metrics_make_their_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    run(&target("metrics", "metrics.jsonl", Vec::new()), |input| {
        fs::write(folder.path().join("metrics.jsonl"), input).unwrap();
        let metrics = read_metrics(folder.path()).map_err(|error| error.to_string())?;
        let lines = input.split(|&byte| byte == b'\n').count() - 1;
        assert_eq!(metrics.points.len(), lines, "every whole line is a point");
        assert_eq!(metrics.torn.is_some(), !input.is_empty() && !input.ends_with(b"\n"));
        Ok(())
    });
}

#[test]
fn no_run_summary_or_settings_make_their_readers_panic_or_take_memory() {
    reads("run", "run.json", read_run);
    reads("summary", "summary.json", read_summary);
    reads("settings", "cell.json", read_settings);
}

#[test]
fn no_queue_makes_its_reader_panic_or_take_memory() {
    reads("queue", "queue.json", |folder| read_queue(folder, 6));
}

#[test]
fn no_log_makes_its_reader_panic_take_memory_or_stand_still() {
    let folder = tempfile::tempdir().unwrap();
    run(&target("log", "events.jsonl", Vec::new()), |input| {
        fs::write(folder.path().join("events.jsonl"), input).unwrap();
        let mut read = 0;
        loop {
            let new = read_log(folder.path(), read).map_err(|error| error.to_string())?;
            if !new.more {
                return Ok(());
            }
            assert!(new.read > read, "it reads on");
            read = new.read;
        }
    });
}

/// Returns a valid file of tensors.
fn tensors() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound");
    let tensor = |name: &str, shape: &[usize], data| NamedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        data,
    };
    let tensors = [
        tensor("layers.0.weight", &[2, 3], TensorValues::F32(vec![0.5; 6])),
        tensor("layers.0.bias", &[2], TensorValues::F64(vec![1.0, f64::NAN])),
        tensor("batches", &[], TensorValues::I64(vec![7])),
        tensor("none", &[0, 5], TensorValues::F32(Vec::new())),
    ];
    let words = [("step", "12"), ("metrics_bytes", "0")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    write_tensors(&path, &tensors, &BTreeMap::from(words)).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn no_tensors_make_their_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    run(&target("tensors", "model.safetensors", vec![tensors()]), |input| {
        fs::write(&path, input).unwrap();
        let read = read_tensors(&path).map_err(|error| error.to_string())?;
        for tensor in &read.tensors {
            assert_eq!(
                tensor.shape.iter().product::<usize>(),
                tensor.data.len(),
                "{}",
                tensor.name
            );
        }
        Ok(())
    });
}

/// Returns the payload after the first line of a checkpoint, which holds its length and checksum.
fn vouched(payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "sharptui-checkpoint 1 {} {:08x}\n",
        payload.len(),
        crc32fast::hash(payload)
    );
    [head.as_bytes(), payload].concat()
}

#[test]
fn no_checkpoint_makes_its_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("metrics.jsonl"), "").unwrap();
    let read = |contents: &[u8]| {
        fs::write(folder.path().join("checkpoint-a"), contents).unwrap();
        let mut found = read_checkpoints(folder.path());
        assert_eq!(found.len(), 1);
        found.remove(0).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(read(&vouched(&tensors())), Ok(()));
    let seeds = vec![tensors(), vouched(&tensors())];
    run(&target("checkpoint", "checkpoint-a", seeds), |input| {
        // The input itself, and the input with a matching checksum: crafted, or damaged before it was written.
        read(input).or(read(&vouched(input)))
    });
}
