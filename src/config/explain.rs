//! Where a text is not a config, in words for whoever wrote it: the parser's own name the types of this program.

use std::path::Path;

use ron::error::{Error, Position, SpannedError};

use super::error::{LONGEST_MESSAGE, shortened};
use super::suggest::nearest;
use super::{ConfigError, Settings};

/// What was not understood, where, and what is expected there.
pub(super) fn malformed(path: &Path, text: &str, mut field: String, error: &SpannedError) -> ConfigError {
    let at = fault(text, error);
    if let Error::DuplicateStructField { field: name, .. } = &error.code {
        field = if field.is_empty() {
            (*name).to_owned()
        } else {
            format!("{field}.{name}")
        };
    }
    let before = &text[..at];
    ConfigError::Malformed {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
        message: shortened(&message(&error.code, &text[at..], &field), LONGEST_MESSAGE)
            + &sweep_hint(&text[at..], &field),
        // It may end in a name that nobody knows.
        field: shortened(&field, LONGEST_MESSAGE),
    }
}

/// The byte at which the offending word begins. The parser knows where it stood before and after its last token.
fn fault(text: &str, error: &SpannedError) -> usize {
    let (start, end) = (offset(text, error.span.start), offset(text, error.span.end));
    match &error.code {
        // The text runs out there.
        Error::Eof => text.trim_end().len(),
        Error::TrailingCharacters => end,
        Error::UnclosedBlockComment => unclosed_comment(text).unwrap_or(start),
        // The value was read as a whole before it was looked at.
        Error::InvalidValueForType { found, .. } if text[..end].trim_end().ends_with(found.trim_matches('`')) => {
            text[..end].trim_end().len() - found.trim_matches('`').len()
        }
        _ => {
            let token = start + leading_space(&text[start..]);
            let word = text[..token].trim_end_matches(in_word);
            if text[token..].starts_with(in_word) {
                word.len()
            } else {
                token
            }
        }
    }
}

/// The first `/*` that is never closed; comments nest, and none begins in a text in quotes or behind `//`. The parser
/// only knows where the file ended.
fn unclosed_comment(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        at += if rest.starts_with("/*") {
            open.push(at);
            2
        } else if rest.starts_with("*/") {
            open.pop();
            2
        } else if open.is_empty() && rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if open.is_empty() && letter == '"' {
            quoted_text_len(rest)
        } else {
            letter.len_utf8()
        };
    }
    open.first().copied()
}

/// The length of the text in quotes that begins here, both quotes included.
fn quoted_text_len(text: &str) -> usize {
    let mut escaped = false;
    let closing = text[1..].find(|letter| {
        let closes = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        closes
    });
    closing.map_or(text.len(), |end| end + 2)
}

fn offset(text: &str, position: Position) -> usize {
    let line_start: usize = text.split_inclusive('\n').take(position.line - 1).map(str::len).sum();
    let line = &text[line_start..];
    line_start
        + line
            .char_indices()
            .nth(position.col - 1)
            .map_or(line.len(), |(at, _)| at)
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Whether the letter can be part of a name or a number.
fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_.+-".contains(letter)
}

fn message(code: &Error, rest: &str, field: &str) -> String {
    let found = found(rest);
    let expected = |what: &str| format!("expected {what}{}, found {found}", example(field));
    match code {
        Error::Eof => "the file ends too early; was it cut off, or is a `)` or `]` missing?".to_owned(),
        Error::ExpectedComma if number_goes_on(rest) => format!("expected a whole number, found {found}"),
        Error::ExpectedComma => {
            format!("expected a comma or a closing bracket, found {found}; is the comma before it missing?")
        }
        Error::ExpectedMapColon => expected("`:` between a name and its value"),
        Error::ExpectedBoolean => expected("`true` or `false`"),
        Error::ExpectedInteger | Error::IntegerOutOfBounds | Error::InvalidIntegerDigit { .. } => {
            expected("a whole number from 0 to 2^64-1, in digits (`1000000`, not `1e6`)")
        }
        Error::ExpectedFloat | Error::FloatUnderscore => expected("a number"),
        Error::ExpectedString => expected("text in double quotes"),
        Error::ExpectedStringEnd => "the text that begins here has no closing quote".to_owned(),
        Error::ExpectedArray => expected("a list in brackets `[…]`"),
        Error::ExpectedArrayEnd => expected("`]`"),
        Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_) => expected("a name without quotes"),
        Error::ExpectedNamedStructLike("Document")
        | Error::ExpectedDifferentStructName {
            expected: "Document", ..
        } => expected(
            "a config in parentheses, such as `( model: Mlp(widths: [256, 256]), learning_rate: 0.05, epochs: 10 )`",
        ),
        Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) | Error::ExpectedDifferentStructName { .. } => {
            expected("parentheses `(…)`")
        }
        Error::ExpectedStructLikeEnd => expected("`)`"),
        Error::ExpectedDifferentLength { expected, found } => {
            format!("expected {expected}{}, found a length of {found}", example(field))
        }
        Error::TrailingCharacters => format!("expected the file to end with the config's closing `)`, found {found}"),
        Error::UnclosedBlockComment => "a comment that was opened with `/*` is never closed with `*/`".to_owned(),
        Error::InvalidValueForType { expected, .. } if expected.contains("nonzero") => {
            format!("expected a whole number of at least 1, found {found}")
        }
        // A value that was read as a whole is told as a whole.
        Error::InvalidValueForType { expected, found: whole } if whole.starts_with('`') => {
            format!("expected {expected}, found {}", quoted(whole.trim_matches('`')))
        }
        Error::InvalidValueForType { expected, .. } => format!("expected {expected}, found {found}"),
        Error::UnexpectedChar(_) => expected("a value"),
        Error::NoSuchStructField { expected, found, .. } => unknown("setting", found, expected),
        Error::NoSuchEnumVariant { expected, found, .. } => unknown("value", found, expected),
        Error::MissingStructField { field: name, .. } => format!("`{name}` must be given{}", example(field)),
        Error::DuplicateStructField { field: name, .. } => format!("`{name}` is given a second time; keep one"),
        Error::ExceededRecursionLimit => "is nested too deeply".to_owned(),
        other => other.to_string(),
    }
}

fn unknown(kind: &str, found: &str, known: &[&str]) -> String {
    let meant = nearest(found, known)
        .map(|name| format!(", did you mean `{name}`?"))
        .unwrap_or_default();
    let known = known
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    format!("there is no {kind} {} here{meant} (allowed: {known})", quoted(found))
}

/// The offending word.
fn found(rest: &str) -> String {
    let rest = rest.trim_start();
    let Some(first) = rest.chars().next() else {
        return "the end of the file".to_owned();
    };
    let line = rest.lines().next().unwrap_or_default();
    quoted(match first {
        '"' => line[1..].find('"').map_or(line, |end| &line[..end + 2]),
        _ if in_word(first) => &line[..line.find(|letter| !in_word(letter)).unwrap_or(line.len())],
        _ => &line[..first.len_utf8()],
    })
}

/// A piece of the file, cut to a length that fits a line, and harmless to a terminal.
fn quoted(piece: &str) -> String {
    const LONGEST: usize = 40;
    format!("`{}`", shortened(piece, LONGEST))
}

/// What to do with a list of values where a setting takes one.
fn sweep_hint(rest: &str, field: &str) -> String {
    if rest.starts_with('[') && field != "probes" && Settings::NAMES.contains(&field) {
        format!("; values to try one after another are listed as `sweep: ( {field}: […] )`")
    } else {
        String::new()
    }
}

/// Whether a number was broken off at a point: `2` was read of `2.5`.
fn number_goes_on(rest: &str) -> bool {
    let word = &rest[..rest.find(|letter| !in_word(letter)).unwrap_or(rest.len())];
    word.contains('.') && word.parse::<f64>().is_ok()
}

/// How a setting is written whose form is more than a number, by the last name of the dotted field.
fn example(field: &str) -> String {
    let name = field.rsplit('.').next().unwrap_or_default();
    let form = match name.split('[').next().unwrap_or_default() {
        "data" => "FashionMnistSubset",
        "subset" => "Balanced(seed: 0)",
        "augment" => "CropAndFlip(pad: 4)",
        "model" if field.ends_with(']') => return ", such as `Mlp(widths: [256, 256])`".to_owned(),
        "model" => "Mlp(widths: [256, 256])",
        "widths" => "[256, 256]",
        "channels" => "(8, 16)",
        "activation" => "Relu",
        "loss" => "CrossEntropy",
        "precision" => "F32",
        "evaluate_every" => "Epochs(1)",
        "lambda_every" => "Steps(10)",
        "probes" => "[ (from: HeldOut, examples: 1000) ]",
        "from" => "Training",
        "statistics" => "Running",
        "together" => "[ (batch_size: 32, learning_rate: 0.05), (batch_size: 64, learning_rate: 0.1) ]",
        "sweep" => "( dropout: [0.0, 0.1], seed: [0, 1, 2] )",
        _ => return String::new(),
    };
    format!(", such as `{}: {form}`", name.split('[').next().unwrap_or_default())
}
