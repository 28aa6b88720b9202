//! Errors in the files of a data set.

use std::path::PathBuf;

/// The reason why a data set cannot be used. Each message names the file, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// No folder holds all files.
    #[error("{name} was not found: {wanted}; looked in {}, and in their subfolders {}; {help}", list(.parents), .within.join(", "))]
    Missing {
        /// The data set.
        name: &'static str,
        /// The expected files, and the missing ones if some were found.
        wanted: String,
        /// The searched folders, in order.
        parents: Vec<PathBuf>,
        /// The subfolders that were searched in each of them.
        within: Vec<&'static str>,
        /// What to do.
        help: String,
    },
    /// `--data` names a file instead of a folder.
    #[error("--data {} is not a folder: expected the folder that holds the files of {name}", path.display())]
    NotAFolder {
        /// The given path.
        path: PathBuf,
        /// The data set.
        name: &'static str,
    },
    /// The operating system refused to read a file.
    #[error("{file} cannot be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file begins like gzip but cannot be decompressed.
    #[error("{file} is not whole gzip data: {source}; expected a complete .gz file, so copy or download it again")]
    Gzip {
        /// The file.
        file: String,
        /// The error of the decompressor.
        source: std::io::Error,
    },
    /// A file begins with the wrong magic number.
    #[error("{file} begins with {found:#010x}, expected {} as in an IDX file of {kind}", magics(.expected))]
    Magic {
        /// The file.
        file: String,
        /// Its first four bytes, big-endian.
        found: u32,
        /// The allowed bytes.
        expected: &'static [u32],
        /// "images" or "labels".
        kind: &'static str,
    },
    /// A file is shorter than its header says, or ends within the header.
    #[error("{file} is cut short: found {found_bytes} bytes (decompressed), expected {expected_bytes}")]
    Truncated {
        /// The file.
        file: String,
        /// The bytes in the file.
        found_bytes: u64,
        /// The bytes that it must have by its kind and header.
        expected_bytes: u64,
    },
    /// A file is longer than its header says.
    #[error("{file} continues after its last example: expected {expected_bytes} bytes (decompressed), found more")]
    TrailingBytes {
        /// The file.
        file: String,
        /// The bytes that it must have by its header.
        expected_bytes: u64,
    },
    /// The numbers in a header are not plausible.
    #[error(
        "{file} has a header of {}, expected at least one value each and at most {limit_bytes} bytes in all",
        sized(.sizes)
    )]
    Header {
        /// The file.
        file: String,
        /// The sizes in the header: the number of examples, then those of an example.
        sizes: Vec<u32>,
        /// The largest size allowed.
        limit_bytes: u64,
    },
    /// A file is too large for any data set.
    #[error(
        "{file} has more than {limit_bytes} bytes (decompressed), the limit for a file; is it the file of a data set?"
    )]
    TooLarge {
        /// The file.
        file: String,
        /// The largest size allowed.
        limit_bytes: u64,
    },
    /// A gzipped file decompresses to more than images can.
    #[error(
        "{file} decompresses to more than {limit_bytes} bytes, far too much for images in a file of its size; is it \
         damaged, or not the file of a data set?"
    )]
    Expands {
        /// The file.
        file: String,
        /// The largest decompressed size allowed.
        limit_bytes: u64,
    },
    /// A file does not consist of whole records, or is empty.
    #[error(
        "{file} has {found_bytes} bytes (decompressed), expected one or more whole records of {record_bytes} bytes, as \
         in the binary version of {name}; {left_over} bytes are left over; copy or download it again"
    )]
    Records {
        /// The file.
        file: String,
        /// The bytes in the file.
        found_bytes: usize,
        /// The bytes of a record.
        record_bytes: usize,
        /// The bytes after the last whole record.
        left_over: usize,
        /// The data set.
        name: &'static str,
    },
    /// A file belongs to the version of CIFAR for Python.
    #[error(
        "{file} is a file of the Python version of {name}; it holds pickled objects, which this program does not read: \
         download the binary version, {archive}, from https://www.cs.toronto.edu/~kriz/cifar.html"
    )]
    Pickle {
        /// The file.
        file: String,
        /// The data set.
        name: &'static str,
        /// The archive to download instead.
        archive: &'static str,
    },
    /// The files of one's own data set are not where they are expected.
    #[error("{name} was not found: no {}; looked in {}; {help}", .lacking.join(", "), list(.looked))]
    MissingOwn {
        /// The data set.
        name: String,
        /// The missing files, under the names that were expected.
        lacking: Vec<String>,
        /// The searched folders, in order.
        looked: Vec<PathBuf>,
        /// What to do.
        help: String,
    },
    /// A file of one's own data set holds something else than expected, at some place.
    #[error("{file}: {place}: found {found}, expected {expected}")]
    Unexpected {
        /// The file.
        file: String,
        /// The place in the file, such as `line 3, column "age"`.
        place: String,
        /// What is there.
        found: String,
        /// What should be there, and what to do.
        expected: String,
    },
    /// A standardized value is too large for 32 bits.
    #[error(
        "{file}: feature {feature} of example {example} is too far from the training examples: standardized with their \
         mean and deviation, it does not fit into 32 bits; counted from 0"
    )]
    Infinite {
        /// The file.
        file: String,
        /// The position of the example, from 0, among those in use.
        example: usize,
        /// The position of the feature, from 0.
        feature: usize,
    },
    /// Images and labels do not match in number.
    #[error("{labels_file} has {labels} labels, expected {images}, one for each image of {images_file}")]
    CountsDiffer {
        /// The image file.
        images_file: String,
        /// The number of images.
        images: usize,
        /// The label file.
        labels_file: String,
        /// The number of labels.
        labels: usize,
    },
    /// A label is not a class.
    #[error("{file} has {kind} {label} at position {index}, expected {lowest} to {highest}")]
    Label {
        /// The label file.
        file: String,
        /// "label", or "coarse label".
        kind: &'static str,
        /// The position of the label, from 0.
        index: usize,
        /// The label.
        label: i64,
        /// The lowest label allowed.
        lowest: u32,
        /// The highest label allowed.
        highest: usize,
    },
    /// Training and test examples have different shapes.
    #[error("{test_file} has {}, expected {} as in {train_file}", shaped(.test), shaped(.train))]
    SizesDiffer {
        /// The training image file.
        train_file: String,
        /// Channels, height and width of its examples.
        train: [usize; 3],
        /// The test image file.
        test_file: String,
        /// Channels, height and width of its examples.
        test: [usize; 3],
    },
    /// The number of examples differs from the fixed number of the data set.
    #[error("{file} has {found} examples, expected {expected}, as many as {name} has")]
    Count {
        /// The image file.
        file: String,
        /// The number of examples in the file.
        found: usize,
        /// The number of examples of the data set.
        expected: usize,
        /// The data set.
        name: String,
    },
    /// A selection asks for more examples than the file has, or for none.
    #[error("{file} has {found} examples, {wanted} were asked for; expected 1 to {found}")]
    Examples {
        /// The image file.
        file: String,
        /// The number of examples that was asked for.
        wanted: usize,
        /// The number of examples in the file.
        found: usize,
    },
    /// A class has too few examples for a balanced subset.
    #[error(
        "{file} has {found} examples of class {class}, expected at least {needed} for a balanced subset of {wanted}; ask \
         for fewer examples, or for `subset: First`"
    )]
    Class {
        /// The label file.
        file: String,
        /// The number of examples that was asked for.
        wanted: usize,
        /// The class.
        class: usize,
        /// The number of its examples in the file.
        found: usize,
        /// The number of its examples that the subset needs.
        needed: usize,
    },
    /// Files changed after their examples were counted.
    #[error("the files of {name} hold {found} {kind} examples, expected {expected}, as many as when the run began")]
    Changed {
        /// The data set.
        name: String,
        /// "training" or "test".
        kind: &'static str,
        /// The number of examples now.
        found: usize,
        /// The number of examples before.
        expected: usize,
    },
    /// Files have the expected names but belong to another data set.
    #[error("{file} holds the labels of {found}, expected those of {wanted}: name the folder of {wanted} with --data")]
    OtherDataset {
        /// The label file.
        file: String,
        /// The data set that it belongs to.
        found: &'static str,
        /// The data set that was asked for.
        wanted: &'static str,
    },
}

fn list(folders: &[PathBuf]) -> String {
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    names.join(", ")
}

/// Describes examples of a shape: "2 features", "images of 28×28" or "images of 3×32×32".
pub(super) fn shaped([channels, height, width]: &[usize; 3]) -> String {
    match (channels, height, width) {
        (1, 1, 1) => "1 feature".to_owned(),
        (_, 1, 1) => format!("{channels} features"),
        (1, _, _) => format!("images of {height}×{width}"),
        _ => format!("images of {channels}×{height}×{width}"),
    }
}

fn sized(sizes: &[u32]) -> String {
    let texts: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    match &texts[..] {
        [count, rest @ ..] if !rest.is_empty() => format!("{count} examples of {}", rest.join("×")),
        _ => format!("{} examples", texts.join("×")),
    }
}

fn magics(expected: &[u32]) -> String {
    let texts: Vec<String> = expected.iter().map(|magic| format!("{magic:#010x}")).collect();
    texts.join(" or ")
}
