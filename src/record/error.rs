//! Errors of a run directory.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

use crate::event::{CellIndex, cell_name};

/// Why a run directory cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The operating system refused, for example for lack of space or permission, or because a file is missing.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation, as text before the path: "write", "create the folder".
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file would exceed the largest size allowed. Waiting does not help.
    #[error("cannot {operation} {}: {}", path.display(), largest(*limit_bytes))]
    FileLimit {
        /// The operation, as text before the path.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The largest file that this process may write, in bytes; none if the file system sets the limit.
        limit_bytes: Option<u64>,
    },
    /// The name of a run is not a valid folder name.
    #[error(
        "the name {name:?} is not a valid folder name: expected a single path component of 1 to 200 bytes, without \
         control characters, that does not begin with a dot"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Another process is writing the run directory.
    #[error("{} is being written by another process: wait for it, or stop it first", path.display())]
    Locked {
        /// The run directory.
        path: PathBuf,
    },
    /// Another process holds the claim of a cell.
    #[error("cell {cell} is trained by {}", claimed(holder.as_deref(), path))]
    Claimed {
        /// The cell.
        cell: CellIndex,
        /// The process; none if its claim cannot be read.
        holder: Option<String>,
        /// The claim.
        path: PathBuf,
    },
    /// Another process has taken a cell over from this one.
    #[error(
        "cell {cell} was taken over{}; this process writes no more of it ({} is gone)",
        by.as_deref().map_or_else(String::new, |by| format!(" by {by}")),
        path.display()
    )]
    TakenOver {
        /// The cell.
        cell: CellIndex,
        /// The process that has it now; none if that is unknown.
        by: Option<String>,
        /// The claim of this process.
        path: PathBuf,
    },
    /// The folder is not a run directory.
    #[error("{} is not a run directory: it has no config.ron", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A line of the metrics, other than the last, is not a valid point.
    #[error("{}, line {line}: {reason}; remove the line to continue without it", path.display())]
    MetricsLine {
        /// The file.
        path: PathBuf,
        /// The line number, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A JSON file has unexpected contents.
    #[error("{}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The problem, with line and column.
        reason: String,
    },
    /// The file is larger than any valid file of its kind.
    #[error(
        "{}: larger than {limit_bytes} bytes, the limit for this file; is it damaged, or a different file?",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The size limit for reading.
        limit_bytes: u64,
    },
    /// A `summary.json` has unexpected contents, so it is unknown whether the cell ended.
    #[error("{}: {reason}; remove the file to run the cell again", path.display())]
    Summary {
        /// The file.
        path: PathBuf,
        /// The problem, with line and column.
        reason: String,
    },
    /// A `queue.json` does not fit the run.
    #[error("{}: {reason}; correct the file, or remove it to use the order of the configuration", path.display())]
    Queue {
        /// The file.
        path: PathBuf,
        /// The problem, with the field.
        reason: String,
    },
    /// Tensors cannot be written, or a tensor file cannot be read.
    #[error("{}: {reason}", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl RecordError {
    /// Returns whether the file does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }

    /// Returns whether the folder is not a run directory.
    #[must_use]
    pub fn is_not_a_run(&self) -> bool {
        matches!(self, Self::NotARun { .. })
    }

    /// Returns whether another process has the cell.
    #[must_use]
    pub fn is_of_another_process(&self) -> bool {
        matches!(self, Self::Claimed { .. } | Self::TakenOver { .. })
    }

    /// Returns the message without the name of the cell, if the message is about one.
    #[must_use]
    pub fn about_cell(&self) -> String {
        let words = self.to_string();
        match self {
            Self::Claimed { cell, .. } | Self::TakenOver { cell, .. } => words.replacen(&cell_name(*cell), "it", 1),
            _ => words,
        }
    }

    /// Returns whether the error may resolve while this process waits, for example a full disk, a quota, a file system
    /// that is temporarily gone or read-only, or missing permissions. A size limit of the process, a name that is too
    /// long, and an operation that the file system does not support never resolve.
    #[must_use]
    pub fn can_pass(&self) -> bool {
        match self {
            Self::Io { source, .. } => !matches!(source.kind(), ErrorKind::InvalidFilename | ErrorKind::Unsupported),
            _ => false,
        }
    }
}

/// Describes who holds a claim, and what to do.
fn claimed(holder: Option<&str>, path: &Path) -> String {
    match holder {
        Some(holder) => {
            format!("{holder}: wait for it, or stop it there; if it is dead, --take-over takes its cells over")
        }
        None => format!(
            "a process whose claim cannot be read: if no process trains this cell, remove {}",
            path.display()
        ),
    }
}

/// Describes the size limit that was met, and what to do.
fn largest(limit_bytes: Option<u64>) -> String {
    match limit_bytes {
        Some(bytes) => format!(
            "this process may not write files larger than {bytes} bytes (RLIMIT_FSIZE); raise the limit with \
             `ulimit -f` or in the job description"
        ),
        None => "its file system does not support files that large; use another file system".to_owned(),
    }
}

/// Adds the operation and the path to an error.
pub(super) trait At<T> {
    /// Adds `operation`, the text before the path in the message: "write", "create the folder".
    fn at(self, operation: &'static str, path: &Path) -> Result<T, RecordError>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, operation: &'static str, path: &Path) -> Result<T, RecordError> {
        let path = || path.to_owned();
        self.map_err(|source| match source.kind() {
            ErrorKind::FileTooLarge => RecordError::FileLimit {
                operation,
                path: path(),
                limit_bytes: getrlimit(Resource::Fsize).current,
            },
            _ => RecordError::Io {
                operation,
                path: path(),
                source,
            },
        })
    }
}

/// Returns the error for unexpected JSON.
pub(super) fn json(path: &Path, error: &serde_json::Error) -> RecordError {
    RecordError::Json {
        path: path.to_owned(),
        reason: shortened(&error.to_string()),
    }
}

/// Returns the text in a form that is safe in a message: without control characters, and at most 300 characters long.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut letters = text.chars().map(|letter| {
        if letter.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            letter
        }
    });
    let mut short: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}
