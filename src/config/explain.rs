//! Explains why a text is not a config. The messages of the RON parser are replaced, because they name types of this
//! program.

use std::path::Path;

use ron::error::{Error, Position, SpannedError};

use super::error::{LONGEST_MESSAGE, shortened};
use super::numeral::{has_tight_comma, misspelt, quoted_text_len, split_in_two};
use super::{ConfigError, Settings};
use crate::number::is_invisible;
use crate::suggest::nearest;

/// Converts a parser error into a config error: what was found, where, and what was expected there.
pub(super) fn malformed(path: &Path, text: &str, mut field: String, error: &SpannedError) -> ConfigError {
    let (mut at, broken_off) = fault(text, error);
    if let Error::DuplicateStructField { field: name, .. } = &error.code {
        field = if field.is_empty() {
            (*name).to_owned()
        } else {
            format!("{field}.{name}")
        };
    }
    // These errors are about missing or extra characters, not about the spelling of a number.
    let is_about_a_value = !matches!(
        error.code,
        Error::Eof | Error::TrailingCharacters | Error::UnclosedBlockComment | Error::ExpectedStringEnd
    );
    let misspelt = misspelt(text, at).filter(|_| is_about_a_value);
    let message = if let Some(numeral) = misspelt {
        at = numeral.at;
        if field.is_empty() {
            name_before(&text[..at]).clone_into(&mut field);
        }
        format!(
            "expected a number, found {}; {}",
            quoted(numeral.written),
            numeral.advice
        )
    } else {
        message(&error.code, &text[at..], &field, broken_off)
            + &look_alike(&text[at..])
            + &sweep_hint(&text[at..], &field)
    };
    refused_at(path, text, at, &field, &message)
}

/// Finds values that the parser accepts but that are probably a mistake: `0,05` is two values in a list.
pub(super) fn misread(path: &Path, text: &str) -> Option<ConfigError> {
    let numeral = split_in_two(text)?;
    let message = format!(
        "found {}, which is two values; {}, or put a space between the two",
        quoted(numeral.written),
        numeral.advice
    );
    let list = text[..numeral.at].rfind('[').unwrap_or_default();
    Some(refused_at(path, text, numeral.at, name_before(&text[..list]), &message))
}

/// Adds a hint to a refused value in a list of fractions if the author may have written a comma as the decimal mark.
pub(super) fn refused(error: ConfigError, text: &str) -> ConfigError {
    let ConfigError::Refused { path, field, message } = error else {
        return error;
    };
    let list = field.strip_prefix("sweep.").and_then(|rest| rest.split_once('['));
    let is_fraction = |word: &str| {
        word.trim_end_matches([',', ';']).contains('.')
            && word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-')
    };
    let hint = match list {
        Some((setting, _)) if message.split(' ').any(is_fraction) && has_tight_comma(text, setting) => {
            "; the decimal mark is a point: a comma ends the value before it"
        }
        _ => "",
    };
    ConfigError::Refused {
        path,
        field,
        message: message + hint,
    }
}

fn refused_at(path: &Path, text: &str, at: usize, field: &str, message: &str) -> ConfigError {
    let before = &text[..at];
    ConfigError::Malformed {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
        message: shortened(message, LONGEST_MESSAGE),
        // The field may end in an unknown name of any length.
        field: shortened(field, LONGEST_MESSAGE),
    }
}

/// Returns the name whose value begins after `text`, or an empty string.
fn name_before(text: &str) -> &str {
    let name = text.trim_end().strip_suffix(':').unwrap_or_default().trim_end();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    &name[name.trim_end_matches(is_part).len()..]
}

/// Returns the byte at which the wrong word begins, and whether the parser accepted a part of that word. The parser
/// reports only the positions before and after its last token.
fn fault(text: &str, error: &SpannedError) -> (usize, bool) {
    let (start, end) = (offset(text, error.span.start), offset(text, error.span.end));
    let at = match &error.code {
        // The error is at the end of the text.
        Error::Eof => text.trim_end().len(),
        Error::TrailingCharacters => end,
        Error::UnclosedBlockComment => unclosed_comment(text).unwrap_or(start),
        // The parser read the whole value before it checked it.
        Error::InvalidValueForType { found, .. } if text[..end].trim_end().ends_with(found.trim_matches('`')) => {
            text[..end].trim_end().len() - found.trim_matches('`').len()
        }
        _ => {
            let token = start + leading_space(&text[start..]);
            let word = text[..token].trim_end_matches(in_word);
            if text[token..].starts_with(in_word) {
                return (word.len(), word.len() < token);
            }
            token
        }
    };
    (at, false)
}

/// Finds the first `/*` that is never closed. Comments nest; no comment begins inside quotes or after `//`. The parser
/// reports only the end of the file.
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

fn offset(text: &str, position: Position) -> usize {
    let line_start: usize = text.split_inclusive('\n').take(position.line - 1).map(str::len).sum();
    let line = &text[line_start..];
    line_start
        + line
            .char_indices()
            .nth(position.col - 1)
            .map_or(line.len(), |(at, _)| at)
}

/// Returns the length in bytes of the leading white space that RON accepts. Other spaces, such as the no-break space,
/// do not count.
fn leading_space(text: &str) -> usize {
    let is_space =
        |letter: char| letter.is_ascii_whitespace() || "\u{B}\u{85}\u{200E}\u{200F}\u{2028}\u{2029}".contains(letter);
    text.len() - text.trim_start_matches(is_space).len()
}

/// Returns whether the character can be part of a name or a number.
fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_.+-".contains(letter)
}

fn message(code: &Error, rest: &str, field: &str, broken_off: bool) -> String {
    let found = found(rest);
    let expected = |what: &str| format!("expected {what}{}, found {found}", example(field));
    match code {
        Error::Eof => "the file ends too early; was it cut off, or is a `)` or `]` missing?".to_owned(),
        Error::ExpectedComma if broken_off && word(rest).parse::<f64>().is_ok() => {
            format!("expected a whole number, found {found}")
        }
        Error::ExpectedComma if broken_off => format!("expected a number, found {found}"),
        Error::ExpectedComma => {
            let begins_a_value = rest.starts_with(|letter| in_word(letter) || "\"[({".contains(letter));
            let question = if begins_a_value {
                "; is the comma before it missing?"
            } else {
                ""
            };
            format!("expected a comma or a closing bracket, found {found}{question}")
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
        // The parser quotes the whole value in backquotes if it read the whole value.
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

/// Returns the rejected word, quoted for a message.
fn found(rest: &str) -> String {
    let rest = &rest[leading_space(rest)..];
    let Some(first) = rest.chars().next() else {
        return "the end of the file".to_owned();
    };
    if !first.is_ascii() && (first.is_whitespace() || is_invisible(first)) {
        return format!("U+{:04X}", u32::from(first));
    }
    let line = rest.lines().next().unwrap_or_default();
    quoted(match first {
        '"' => line[1..].find('"').map_or(line, |end| &line[..end + 2]),
        _ if in_word(first) => word(line),
        _ => &line[..first.len_utf8()],
    })
}

/// Quotes a piece of the file: cut to fit a line, without control characters.
fn quoted(piece: &str) -> String {
    const LONGEST: usize = 40;
    format!("`{}`", shortened(piece, LONGEST))
}

/// Explains how to sweep a setting, if a list was given for a setting that takes one value.
fn sweep_hint(rest: &str, field: &str) -> String {
    if rest.starts_with('[') && field != "probes" && Settings::NAMES.contains(&field) {
        format!("; values to try one after another are listed as `sweep: ( {field}: […] )`")
    } else {
        String::new()
    }
}

fn word(rest: &str) -> &str {
    &rest[..rest.find(|letter| !in_word(letter)).unwrap_or(rest.len())]
}

/// Says what to type instead of a character that looks like another one or is invisible.
fn look_alike(rest: &str) -> String {
    let Some(letter) = rest.chars().next() else {
        return String::new();
    };
    let meant = match letter {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '‘' | '’' | '＂' => "`\"`",
        '，' | '、' => "`,`",
        '：' => "`:`",
        '（' => "`(`",
        '）' => "`)`",
        '［' | '【' => "`[`",
        '］' | '】' => "`]`",
        '．' | '。' => "`.`",
        '\0' => {
            return "; it is the character U+0000, as in UTF-16 or a file that is not text: save it as UTF-8"
                .to_owned();
        }
        letter if !letter.is_ascii() && letter.is_whitespace() => "a space",
        letter if is_invisible(letter) => return "; it is invisible: delete it".to_owned(),
        _ => return String::new(),
    };
    format!("; it only looks like {meant}: type {meant} instead")
}

/// Returns an example for a setting whose value is more than a number. `field` is the dotted field; its last name
/// decides.
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
        "optimizer" => "Adam(beta1: 0.9, beta2: 0.999, eps: 1e-8)",
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
