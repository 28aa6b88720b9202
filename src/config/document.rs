//! Parses the text of a config, and reports the position of the first error.

use std::fmt::Write as _;
use std::path::Path;

use ron::error::SpannedError;
use serde_path_to_error::Segment;

use super::ConfigError;
use super::explain::{malformed, misread};
use super::schema::ron_options;
use super::settings::Document;
use super::sweep::Sweep;

/// Parses a config.
///
/// # Errors
/// Fails at the first text that is not RON, value of a wrong type, or unknown name. The error has its position and its
/// dotted field.
pub(super) fn parse(text: &str, path: &Path) -> Result<Document, ConfigError> {
    // Some editors open a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut deserializer = ron::Deserializer::from_str_with_options(text, &ron_options())
        .map_err(|error| malformed(path, text, String::new(), &error))?;
    let document = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = dotted(error.path());
        malformed(path, text, field, &deserializer.span_error(error.into_inner()))
    })?;
    deserializer
        .end()
        .map_err(|code| malformed(path, text, String::new(), &deserializer.span_error(code)))?;
    misread(path, text).map_or(Ok(document), Err)
}

/// The name under which messages show the text of `--add`.
pub(super) const ADD: &str = "--add";

/// Parses the values that a user adds to a run, such as `seed: [5, 6]`: the `sweep` of a config, with or without its
/// parentheses.
///
/// # Errors
/// The same as for [`parse`]; the position is the one in `text`.
pub(super) fn parse_added(text: &str) -> Result<Sweep, ConfigError> {
    let path = Path::new(ADD);
    let is_whole = text.trim_start().starts_with('(');
    // On lines of their own, the parentheses move no column.
    let whole = if is_whole {
        text.to_owned()
    } else {
        format!("(\n{text}\n)")
    };
    let refused = |field: String, error: &SpannedError| match malformed(path, &whole, field, error) {
        ConfigError::Malformed {
            path,
            line,
            column,
            field,
            message,
        } if !is_whole => {
            let last = text.lines().count().max(1);
            let is_behind = line - 1 > last;
            ConfigError::Malformed {
                path,
                line: (line - 1).clamp(1, last),
                column: if is_behind {
                    text.lines().last().unwrap_or_default().chars().count() + 1
                } else {
                    column
                },
                field,
                // The closing parenthesis is not the user's.
                message: if is_behind {
                    "ends too early; is a `]` or `)` missing?".to_owned()
                } else {
                    message
                },
            }
        }
        other => other,
    };
    let mut deserializer = ron::Deserializer::from_str_with_options(&whole, &ron_options())
        .map_err(|error| refused(String::new(), &error))?;
    let sweep = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = dotted(error.path());
        refused(field, &deserializer.span_error(error.into_inner()))
    })?;
    deserializer
        .end()
        .map_err(|code| refused(String::new(), &deserializer.span_error(code)))?;
    misread(path, text).map_or(Ok(sweep), Err)
}

/// Formats the path of a field: names and indices, without the names of enum variants.
fn dotted(path: &serde_path_to_error::Path) -> String {
    let mut dotted = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => drop(write!(dotted, "[{index}]")),
            Segment::Map { key } if dotted.is_empty() => dotted.push_str(key),
            Segment::Map { key } => drop(write!(dotted, ".{key}")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    dotted
}
