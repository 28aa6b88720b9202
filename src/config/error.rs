//! What can be wrong with a config, said so that it can be mended.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Letters of a message at the most: a value that it quotes can be as long as the file.
pub(super) const LONGEST_MESSAGE: usize = 600;

/// Why a config was not taken.
///
/// Each message is one line that opens with the file and says where in it, what was found and what is allowed.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    // The cause is part of the line and not a `source`, so that no way of printing leaves it out or says it twice.
    #[error("{}: cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is no config at all, by its size.
    #[error("{}: larger than {limit_bytes} bytes, which no config is; is this the file you meant?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read.
        limit_bytes: u64,
    },
    /// The file is not text.
    #[error("{}:{line}:{column}: is not UTF-8 text; save the file as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line of the first byte that is not, counted from 1.
        line: usize,
        /// Column of that byte in characters, counted from 1.
        column: usize,
    },
    /// The file is not RON, or a value has the wrong type, or a name is not known.
    #[error("{}:{line}:{column}: {}{message}", path.display(), prefix(field))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column in characters, counted from 1.
        column: usize,
        /// The dotted field, `sweep.dropout[1]`; empty for the file as a whole.
        field: String,
        /// What is wrong and what is allowed.
        message: String,
    },
    /// The file reads well, but asks for something that is not allowed.
    #[error("{}: {}{message}", path.display(), prefix(field))]
    Refused {
        /// The file.
        path: PathBuf,
        /// The dotted field, `sweep.dropout[1]`.
        field: String,
        /// What is wrong and what is allowed.
        message: String,
    },
}

fn prefix(field: &str) -> String {
    if field.is_empty() {
        String::new()
    } else {
        format!("{field}: ")
    }
}

/// Text from a file, or about it, as it may stand in a message: no control characters, and so many letters at the most.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    let mut letters = text.chars().map(|letter| {
        if letter.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            letter
        }
    });
    let mut short: String = letters.by_ref().take(longest).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}
