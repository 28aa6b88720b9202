//! What can go wrong with a run directory.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

/// A run directory that cannot be written or read, and why.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The operating system refused: no space, no permission, no such file.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was tried, to stand before the path: "write", "create the folder".
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file that would have to be larger than a file may be: waiting does not help.
    #[error("cannot {operation} {}: {}", path.display(), largest(*limit_bytes))]
    FileLimit {
        /// What was tried, to stand before the path.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// The largest file that this process may write; none where the limit is the file system's.
        limit_bytes: Option<u64>,
    },
    /// A name of a run that cannot be a folder's.
    #[error(
        "the name {name:?} cannot be that of a folder: expected one part of a path, of 1 to 200 bytes, without control \
         characters, that does not begin with a dot"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Another process has the run directory.
    #[error("{} is being written by another process: wait for it, or stop it first", path.display())]
    Locked {
        /// The run directory.
        path: PathBuf,
    },
    /// A folder that is no run directory.
    #[error("{} is no run directory: it has no config.ron", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A line of metrics, not the last, that is no point.
    #[error("{}, line {line}: {reason}; remove the line to go on without it", path.display())]
    MetricsLine {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A JSON file that is not what it should be.
    #[error("{}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        reason: String,
    },
    /// A file that is larger than any of its kind.
    #[error("{}: larger than {limit_bytes} bytes, which no such file is; is it damaged, or another file?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit_bytes: u64,
    },
    /// A `summary.json` that is not what it should be: whether its cell ended is not known.
    #[error("{}: {reason}; remove the file to run the cell again", path.display())]
    Summary {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        reason: String,
    },
    /// A `queue.json` that does not fit the run.
    #[error("{}: {reason}; put it right, or remove the file to go on in the order of the configuration", path.display())]
    Queue {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the field.
        reason: String,
    },
    /// Tensors that cannot be written, or a file of tensors that cannot be read.
    #[error("{}: {reason}", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl RecordError {
    /// Whether there is no such file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }

    /// Whether it may pass while this process waits, as a full disk does, a quota, a file system that is gone or read-only
    /// for a while, or rights that somebody gives back. A limit of the process, a name that is too long and what a file
    /// system cannot do stay as they are.
    #[must_use]
    pub fn can_pass(&self) -> bool {
        match self {
            Self::Io { source, .. } => !matches!(source.kind(), ErrorKind::InvalidFilename | ErrorKind::Unsupported),
            _ => false,
        }
    }
}

/// Which limit of a file's size was met, and what to do.
fn largest(limit_bytes: Option<u64>) -> String {
    match limit_bytes {
        Some(bytes) => format!(
            "no file of this process may be larger than {bytes} bytes (RLIMIT_FSIZE); raise that limit, with `ulimit -f` or \
             where the job is described"
        ),
        None => "its file system takes no file that large; use another one".to_owned(),
    }
}

/// Says what was tried where, when it failed.
pub(super) trait At<T> {
    /// `operation` stands before the path in the message: "write", "create the folder".
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

/// JSON that is not what it should be.
pub(super) fn json(path: &Path, error: &serde_json::Error) -> RecordError {
    RecordError::Json {
        path: path.to_owned(),
        reason: shortened(&error.to_string()),
    }
}

/// Text from a file, or about it, as it may stand in a message: a line without control characters.
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
