//! What can be wrong with a data set.

use std::path::PathBuf;

/// A data set that cannot be used, and why: each message names the file, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// No folder holds all files.
    #[error("{name} was not found: {wanted}; looked in {}, and in their folders {}; {help}", list(.parents), .within.join(", "))]
    Missing {
        /// The data set.
        name: &'static str,
        /// Which files are wanted, and which are lacking where some are there.
        wanted: String,
        /// Where it was looked for, in the order they were tried.
        parents: Vec<PathBuf>,
        /// The folders that were tried within each of them.
        within: Vec<&'static str>,
        /// What to do.
        help: String,
    },
    /// A file where a folder was to be named.
    #[error("--data {} is not a folder: expected the folder that holds the files of {name}", path.display())]
    NotAFolder {
        /// What was named.
        path: PathBuf,
        /// The data set.
        name: &'static str,
    },
    /// The operating system refused to read a file.
    #[error("{file} cannot be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file begins as gzip but does not decompress.
    #[error("{file} is not whole gzip data: {source}; expected a complete .gz file, so copy or download it again")]
    Gzip {
        /// The file.
        file: String,
        /// What the decompressor said.
        source: std::io::Error,
    },
    /// A file does not begin as its kind does.
    #[error("{file} begins with {found:#010x}, expected {expected:#010x} as in an IDX file of {kind}")]
    Magic {
        /// The file.
        file: String,
        /// Its first four bytes, big-endian.
        found: u32,
        /// What they must be.
        expected: u32,
        /// "images" or "labels".
        kind: &'static str,
    },
    /// A file ends before what its header promises, or within the header.
    #[error("{file} is cut short: found {found_bytes} bytes (decompressed), expected {expected_bytes}")]
    Truncated {
        /// The file.
        file: String,
        /// Bytes there are.
        found_bytes: u64,
        /// Bytes its kind and header ask for.
        expected_bytes: u64,
    },
    /// A file goes on after what its header promises.
    #[error("{file} goes on after its last example: expected {expected_bytes} bytes (decompressed), found more")]
    TrailingBytes {
        /// The file.
        file: String,
        /// Bytes its header asks for.
        expected_bytes: u64,
    },
    /// A header whose numbers cannot be true.
    #[error(
        "{file} has a header of {count} examples of {height}×{width}, expected at least one pixel each and at most \
         {limit_bytes} bytes in all"
    )]
    Header {
        /// The file.
        file: String,
        /// Examples promised.
        count: u32,
        /// Height promised.
        height: u32,
        /// Width promised.
        width: u32,
        /// The most that is read.
        limit_bytes: u64,
    },
    /// A file that is too large for any data set.
    #[error(
        "{file} has more than {limit_bytes} bytes (decompressed), which is more than is read; is it the file of a data set?"
    )]
    TooLarge {
        /// The file.
        file: String,
        /// The most that is read.
        limit_bytes: u64,
    },
    /// A gzipped file that is larger inside than images are.
    #[error(
        "{file} decompresses to more than {limit_bytes} bytes, far more than images of its size do; is it damaged, or not \
         the file of a data set?"
    )]
    Expands {
        /// The file.
        file: String,
        /// The most that is decompressed of it.
        limit_bytes: u64,
    },
    /// A file that does not consist of whole records, or is empty.
    #[error(
        "{file} has {found_bytes} bytes (decompressed), expected at least one record of {record_bytes} bytes and whole \
         ones only, as in the binary version of {name}, and {left_over} bytes are over; copy or download it again"
    )]
    Records {
        /// The file.
        file: String,
        /// Bytes there are.
        found_bytes: usize,
        /// Bytes of a record.
        record_bytes: usize,
        /// Bytes after the last whole record.
        left_over: usize,
        /// The data set.
        name: &'static str,
    },
    /// Images and labels that cannot belong together.
    #[error("{labels_file} has {labels} labels, expected {images}, one for each image of {images_file}")]
    CountsDiffer {
        /// The image file.
        images_file: String,
        /// How many images.
        images: usize,
        /// The label file.
        labels_file: String,
        /// How many labels.
        labels: usize,
    },
    /// A label that is no class.
    #[error("{file} has {kind} {label} at position {index}, expected 0 to {highest}")]
    Label {
        /// The label file.
        file: String,
        /// "label", or "coarse label".
        kind: &'static str,
        /// Position of the label, from 0.
        index: usize,
        /// The label.
        label: u8,
        /// The highest there may be.
        highest: usize,
    },
    /// Training and test images of different sizes.
    #[error(
        "{test_file} has images of {}×{}, expected {}×{} as in {train_file}",
        test.0, test.1, train.0, train.1
    )]
    SizesDiffer {
        /// The training image file.
        train_file: String,
        /// Height and width of its images.
        train: (usize, usize),
        /// The test image file.
        test_file: String,
        /// Height and width of its images.
        test: (usize, usize),
    },
    /// Another number of examples than the data set has, which is always the same.
    #[error("{file} has {found} examples, expected {expected}, as many as {name} has")]
    Count {
        /// The image file.
        file: String,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
        /// The data set.
        name: &'static str,
    },
    /// More examples asked for than there are, or none at all.
    #[error("{file} has {found} examples, {wanted} were asked for; expected 1 to {found}")]
    Examples {
        /// The image file.
        file: String,
        /// How many were asked for.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// Too few examples of a class for a balanced subset.
    #[error(
        "{file} has {found} examples of class {class}, expected at least {needed} for a balanced subset of {wanted}; ask \
         for fewer examples, or for `subset: First`"
    )]
    Class {
        /// The label file.
        file: String,
        /// How many examples were asked for.
        wanted: usize,
        /// Which class.
        class: usize,
        /// How many of it there are.
        found: usize,
        /// How many of it were to be drawn.
        needed: usize,
    },
    /// Files that changed after their examples were counted.
    #[error("the files of {name} hold {found} {kind} examples, expected {expected}, as many as when the run began")]
    Changed {
        /// The data set.
        name: String,
        /// "training" or "test".
        kind: &'static str,
        /// How many there are.
        found: usize,
        /// How many there were.
        expected: usize,
    },
    /// Files that are named alike but are another data set.
    #[error("{file} holds the labels of {found}, expected those of {wanted}: name the folder of {wanted} with --data")]
    OtherDataset {
        /// The label file.
        file: String,
        /// What it is.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
}

fn list(folders: &[PathBuf]) -> String {
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    names.join(", ")
}
