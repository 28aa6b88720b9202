//! Errors in a config. Each message says how to fix the error.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// The largest length of a message in characters. A message may quote a value, and a value can be as long as the file.
pub(super) const LONGEST_MESSAGE: usize = 600;

/// The reason why a config is refused.
///
/// Each message is one line. It begins with the file and the place in the file, and says what was found and what is
/// allowed.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    // The cause is part of the message and not a `source`: otherwise some callers would print it twice and others
    // never.
    #[error("{}: cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// The file is too large to be a config.
    #[error("{}: larger than {limit_bytes} bytes, the limit for a config; is this the file you meant?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size allowed, in bytes.
        limit_bytes: u64,
    },
    /// The file is not text.
    #[error("{}:{line}:{column}: is not UTF-8 text; save the file as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line of the first invalid byte, counted from 1.
        line: usize,
        /// The column of that byte in characters, counted from 1.
        column: usize,
    },
    /// The file is not RON, or a value has the wrong type, or a name is unknown.
    #[error("{}:{line}:{column}: {}{message}", path.display(), prefix(field))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
        /// The dotted field, such as `sweep.dropout[1]`; empty if the error concerns the whole file.
        field: String,
        /// What is wrong and what is allowed.
        message: String,
    },
    /// The file can be parsed, but a value in it is not allowed.
    #[error("{}: {}{message}", path.display(), prefix(field))]
    Refused {
        /// The file.
        path: PathBuf,
        /// The dotted field, such as `sweep.dropout[1]`.
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

/// Returns `text` for use in a message: control characters are replaced, and the text is cut after `longest`
/// characters.
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
