//! Why the files of another program cannot be read.

use std::io;
use std::path::{Path, PathBuf};

/// The reason why runs of another program cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The operating system refused.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation.
        operation: &'static str,
        /// The file or the folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// There are no files that could be read.
    #[error(
        "{} is no run directory (it has no config.ron), and has neither event files of TensorBoard (with `tfevents` in \
         their names) nor CSV files (*.csv)",
        path.display()
    )]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// The files have no numbers.
    #[error("the files in {} have no numbers yet", path.display())]
    NoNumbers {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has too many files to be a folder of runs.
    #[error("{} has more than {limit} files and folders; name the folder of the runs", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// An event file is damaged.
    #[error("{}: the record at byte {at} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        at: u64,
        /// What is wrong.
        what: String,
    },
    /// A table has no usable header.
    #[error("{}: line {line}: {what}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// A field of a table is wrong.
    #[error("{}: line {line}, column `{column}`: found `{value}`, expected {expected}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// The text of the field.
        value: String,
        /// The allowed values.
        expected: &'static str,
    },
}

/// Adds the operation and the path to an error.
pub(super) trait At<T> {
    fn at(self, operation: &'static str, path: &Path) -> Result<T, ForeignError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, operation: &'static str, path: &Path) -> Result<T, ForeignError> {
        self.map_err(|source| ForeignError::Io {
            operation,
            path: path.to_owned(),
            source,
        })
    }
}
