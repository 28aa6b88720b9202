//! CSV: fields quoted as in RFC 4180, lines ended by a line feed.

use crate::number::unsigned_zero;

/// Formats the shortest text that parses to the same number, with an exponent if that is shorter. No number is an empty
/// field, a non-finite one is NaN or inf.
#[must_use]
pub fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{:?}", unsigned_zero(value)))
}

pub(super) fn truth(value: Option<bool>) -> String {
    text(value.as_ref())
}

pub(super) fn text(value: Option<&impl ToString>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

/// Formats one line.
#[must_use]
pub fn line(fields: impl Iterator<Item = String>) -> String {
    fields.map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

fn quoted(field: String) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}
