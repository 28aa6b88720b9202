//! The search for files, and the message if they are not found.

use sharptui::config::{Data, Extent};
use sharptui::data::DataError;

use super::{NAMES, folder, full, gzip, idx, load, load_some, tiny, write};

#[test]
fn files_are_found_under_each_spelling_and_folder() {
    let plain = load(folder(&full()).path()).unwrap();
    let plain_files = full();
    let compressed = full().map(|bytes| gzip(&bytes));
    for (within, data) in [
        ("fashion-mnist", Data::FashionMnist),
        ("FashionMNIST/raw", Data::FashionMnist),
        ("mnist", Data::Mnist),
        ("MNIST/raw", Data::Mnist),
        ("", Data::Mnist),
    ] {
        for dotted in [false, true] {
            for gzipped in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                std::fs::create_dir_all(dir.path().join(within)).unwrap();
                for (index, name) in NAMES.iter().enumerate() {
                    let name = if dotted {
                        name.replace("-idx", ".idx")
                    } else {
                        (*name).to_owned()
                    };
                    let (name, bytes) = if gzipped {
                        (name + ".gz", &compressed[index])
                    } else {
                        (name, &plain_files[index])
                    };
                    std::fs::write(dir.path().join(within).join(name), bytes).unwrap();
                }
                let found = load_some(data.clone(), Extent::Full, Extent::Full, Some(dir.path())).unwrap();
                assert_eq!((found.train, found.test), (plain.train.clone(), plain.test.clone()));
            }
        }
    }
}

#[test]
fn missing_files_are_an_error_that_says_where_and_what_and_how() {
    let dir = tempfile::tempdir().unwrap();
    let message = load(dir.path()).unwrap_err().to_string();
    for part in [
        "Fashion-MNIST was not found",
        "train-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
        &format!(
            "looked in {}, and in their subfolders fashion-mnist, ",
            dir.path().display()
        ),
        "FashionMNIST/raw",
        "dataset-fashion-mnist",
        "--data DIR",
    ] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert_eq!(message.lines().count(), 1, "{message}");
    write(dir.path(), &tiny());
    std::fs::remove_file(dir.path().join(NAMES[3])).unwrap();
    let message = load(dir.path()).unwrap_err().to_string();
    let lacking = format!("{} lacks t10k-labels-idx1-ubyte; ", dir.path().display());
    assert!(message.contains(&lacking), "{lacking} is not in: {message}");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_refused_as_no_folder() {
    let dir = folder(&tiny());
    let file = dir.path().join(NAMES[0]);
    assert_eq!(
        load(&file).unwrap_err().to_string(),
        format!(
            "--data {} is not a folder: expected the folder that holds the files of Fashion-MNIST",
            file.display()
        )
    );
}

#[test]
fn mnist_is_not_taken_for_fashion_mnist_nor_the_reverse() {
    for (data, labels) in [
        (Data::FashionMnist, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]),
        (Data::Mnist, [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]),
    ] {
        let mut files = tiny();
        files[0] = idx(0x803, &[10, 2, 1], &[0; 20]);
        files[1] = idx(0x801, &[10], &labels);
        let error = load_some(data, Extent::Full, Extent::Full, Some(folder(&files).path())).unwrap_err();
        assert!(matches!(error, DataError::OtherDataset { .. }), "{error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_its_name() {
    let dir = folder(&tiny());
    // A link to itself is a file that no user can open, not even root.
    let labels = dir.path().join(NAMES[1]);
    std::fs::remove_file(&labels).unwrap();
    std::os::unix::fs::symlink(&labels, &labels).unwrap();
    let error = load(dir.path()).unwrap_err();
    assert!(
        matches!(&error, DataError::Read { file, .. } if file.ends_with(NAMES[1])),
        "{error}"
    );
}
