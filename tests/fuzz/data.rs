//! Data sets: IDX, CIFAR, CSV and safetensors, plain and gzipped.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use safetensors::tensor::{Dtype, TensorView};
use sharptui::config::{Data, Extent, Selection, Subset};
use sharptui::data::Dataset;

use crate::campaign::{Target, run};

/// The memory for a small file that decompresses to the largest allowed size (see `src/data/bytes.rs`): twice that
/// size, because the buffer grows during reading, and four bytes per pixel.
const MOST_MEMORY_BYTES: u64 = 640 << 20;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(magic: u32, sizes: &[u32], body: impl Iterator<Item = u8>) -> Vec<u8> {
    let words = std::iter::once(&magic).chain(sizes).flat_map(|word| word.to_be_bytes());
    words.chain(body).collect()
}

fn load(data: Data, folder: &Path) -> Result<(), String> {
    let selection = Selection {
        data,
        train: Extent::Full,
        test: Extent::Full,
        subset: Subset::First,
    };
    let loaded = Dataset::load(&selection, Some(folder)).map_err(|error| error.to_string())?;
    for half in [&loaded.train, &loaded.test] {
        let [channels, height, width] = loaded.shape;
        assert_eq!(half.pixels.len(), half.len() * channels * height * width);
        assert!(half.pixels.iter().all(|pixel| pixel.is_finite()));
        assert!(half.labels.iter().all(|&label| usize::from(label) < loaded.classes));
    }
    Ok(())
}

/// Reads the input as one file of a data set whose other files are valid. The error must name the file.
fn read_as(data: Data, folder: &Path, name: &str, sound: &[u8], input: &[u8]) -> Result<(), String> {
    let path = folder.join(name);
    fs::write(&path, input).unwrap();
    let read = load(data, folder);
    fs::write(&path, sound).unwrap();
    read
}

#[test]
fn no_idx_file_makes_its_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    // The official number of images, of the smallest possible size.
    let images = |count: u32| idx(0x803, &[count, 1, 1], (0..count).map(|i| i as u8));
    let labels = |count: u32| idx(0x801, &[count], (0..count).map(|i| (i % 10) as u8));
    let files = [
        ("train-images-idx3-ubyte", images(60_000)),
        ("train-labels-idx1-ubyte", labels(60_000)),
        ("t10k-images-idx3-ubyte", images(10_000)),
        ("t10k-labels-idx1-ubyte", labels(10_000)),
    ];
    for (name, bytes) in &files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    load(Data::Mnist, folder.path()).unwrap();
    let sound = files.each_ref().map(|(_, bytes)| bytes.clone());
    let target = Target {
        name: "idx",
        place: "train-",
        most_memory_bytes: MOST_MEMORY_BYTES,
        seeds: sound.iter().flat_map(|bytes| [bytes.clone(), gzip(bytes)]).collect(),
    };
    run(&target, |input| {
        let read = |(name, sound): &(&str, Vec<u8>)| read_as(Data::Mnist, folder.path(), name, sound, input);
        let [images, labels] = [&files[0], &files[1]].map(read);
        // A valid input is either a file of images or a file of labels.
        images.or(labels)
    });
}

/// Returns a CIFAR record with these label bytes.
fn record(labels: &[u8], shade: u8) -> Vec<u8> {
    let pixels = (0..3072).map(|i: u32| (i / 7) as u8 ^ shade);
    labels.iter().copied().chain(pixels).collect()
}

#[test]
fn no_cifar_file_makes_its_reader_panic_or_take_memory() {
    for (data, name, file, other, labels) in [
        (Data::Cifar10, "cifar10", "data_batch_1.bin", "test_batch.bin", &[3][..]),
        (Data::Cifar100, "cifar100", "train.bin", "test.bin", &[3, 77][..]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let sound: Vec<u8> = (0..3).flat_map(|shade| record(labels, shade)).collect();
        fs::write(folder.path().join(file), &sound).unwrap();
        fs::write(folder.path().join(other), &sound).unwrap();
        load(data.clone(), folder.path()).unwrap();
        let target = Target {
            name,
            place: file,
            most_memory_bytes: MOST_MEMORY_BYTES,
            seeds: vec![sound.clone(), gzip(&sound), gzip(&sound).repeat(2)],
        };
        run(&target, |input| {
            read_as(data.clone(), folder.path(), file, &sound, input)
        });
    }
}

/// Returns the files of one's own data sets whose names begin with `own-`, and the declarations of these sets.
fn own() -> (Vec<(&'static str, Vec<u8>)>, [Data; 3]) {
    let pixels = |count: u32| idx(0x804, &[count, 2, 3, 4], (0..24 * count).map(|i| i as u8));
    let rows = idx(0xC02, &[5, 2], (0..40).map(|i| u8::from(i % 16 == 3)));
    let features: Vec<u8> = (0..8).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let labels: Vec<u8> = (0..4_i64).flat_map(|i| (i % 2).to_le_bytes()).collect();
    let tensors = [
        ("features", TensorView::new(Dtype::F32, vec![4, 2], &features).unwrap()),
        ("labels", TensorView::new(Dtype::I64, vec![4], &labels).unwrap()),
    ];
    let tensors = safetensors::serialize(tensors, None).unwrap();
    let table = b"a,\"b, \"\"c\"\"\",label\n1,-2.5e3,0\n3,4,1\r\n\n5,6,1.0\n".to_vec();
    let files = vec![
        ("own-train-images-idx4-ubyte", pixels(5)),
        ("own-train-labels-idx2-int", rows.clone()),
        ("own-train.csv", table.clone()),
        ("own-train.safetensors", tensors.clone()),
        ("own-test-images-idx4-ubyte", pixels(5)),
        ("own-test-labels-idx2-int", rows),
        ("own-test.csv", table),
        ("own-test.safetensors", tensors),
    ];
    let (files_named, classes, first_label) = ("own".to_owned(), 2, 0);
    let sets = [
        Data::Idx {
            files: files_named.clone(),
            classes,
            first_label,
            shape: None,
        },
        Data::Csv {
            files: files_named.clone(),
            classes,
            first_label,
            label: "label".to_owned(),
            features: None,
        },
        Data::Safetensors {
            files: files_named,
            classes,
            first_label,
            features: None,
        },
    ];
    (files, sets)
}

#[test]
fn no_file_of_ones_own_makes_its_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (files, [images, table, tensors]) = own();
    for (name, bytes) in &files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let sets = [&images, &images, &table, &tensors];
    for set in sets {
        load(set.clone(), folder.path()).unwrap();
    }
    let sound = files[..4].iter().map(|(_, bytes)| bytes);
    let target = Target {
        name: "own",
        place: "own-t",
        most_memory_bytes: MOST_MEMORY_BYTES,
        seeds: sound.flat_map(|bytes| [bytes.clone(), gzip(bytes)]).collect(),
    };
    run(&target, |input| {
        let read = sets.iter().zip(&files).map(|(set, (name, sound))| {
            let outcome = read_as((*set).clone(), folder.path(), name, sound, input);
            outcome.inspect_err(|message| assert!(message.contains("own-t") && message.len() < 2_000, "{message}"))
        });
        // A valid input is valid as one of the files.
        let outcomes: Vec<_> = read.collect();
        outcomes.into_iter().reduce(Result::or).unwrap()
    });
}

/// Returns zeros that gzip has compressed to a thousandth.
fn bomb(members: usize) -> Vec<u8> {
    gzip(&vec![0; 16 << 20]).repeat(members)
}

#[test]
fn a_header_that_promises_terabytes_and_a_file_that_unpacks_to_gigabytes_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let terabytes = idx(0x803, &[1 << 20, 1 << 10, 1 << 10], 0..=255);
    let overflowing = idx(0x803, &[u32::MAX; 3], 0..=255);
    let gigabyte = idx(0x803, &[60_000, 130, 130], 0..=255);
    // The header of a valid file, then a very large number of zeros.
    let header = idx(0x803, &[60_000, 130, 130], std::iter::empty());
    let unpacks = [gzip(&header), bomb(70)].concat();
    let target = |name| Target {
        name,
        place: "",
        most_memory_bytes: MOST_MEMORY_BYTES,
        seeds: Vec::new(),
    };
    write(
        "train-labels-idx1-ubyte",
        &idx(0x801, &[60_000], (0..60_000).map(|_| 1)),
    );
    write("t10k-images-idx3-ubyte", &[]);
    write("t10k-labels-idx1-ubyte", &[]);
    for (contents, words) in [
        (&terabytes, "has a header of 1048576 examples of 1024×1024"),
        (&overflowing, "has a header of 4294967295 examples"),
        (&gigabyte, "is cut short"),
        (&unpacks, "decompresses to more than"),
        (&bomb(70), "begins with"),
    ] {
        crate::campaign::once(&target("idx"), contents, |input| {
            write("train-images-idx3-ubyte", input);
            load(Data::Mnist, folder.path())
        });
        let message = load(Data::Mnist, folder.path()).unwrap_err();
        assert!(
            message.contains("train-images-idx3-ubyte") && message.contains(words),
            "{message}"
        );
    }
    crate::campaign::once(&target("cifar10"), &bomb(70), |input| {
        write("data_batch_1.bin", input);
        write("test_batch.bin", &record(&[0], 0));
        load(Data::Cifar10, folder.path())
    });
}
