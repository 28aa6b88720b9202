//! Tables of numbers as CSV (RFC 4180), gzipped or not: a first line with the names of the columns, then one example a
//! line, with commas between the values.

use std::path::Path;

use super::DataError;
use super::bytes::{of_file, whole};
use super::half::{Half, classes_of, highest};
use super::images::{RawImages, Values};
use super::numbers::{ALLOWED, is_allowed, quoted, whole_number};
use crate::suggest::nearest;

/// The largest number of columns. The widest public tables, of gene expressions, have half of it.
const MOST_COLUMNS: usize = 100_000;

/// A file as it was read.
pub(super) struct Table {
    file: String,
    columns: Vec<String>,
    /// The text after the first line.
    rows: String,
    /// The number of the first line of `rows`.
    first_line: usize,
}

impl Table {
    /// Reads a file and the names of its columns.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let file = path.display().to_string();
        let text = String::from_utf8(whole(&file, &of_file(path)?)?).map_err(|error| {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
                .split(|byte| *byte == b'\n')
                .count();
            unexpected(&file, format!("line {line}"), "bytes that are not text", "UTF-8 text")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let before = text.len() - text.trim_start_matches(['\r', '\n']).len();
        let (header, rows) = text[before..].split_once('\n').unwrap_or((&text[before..], ""));
        let line = text[..before].matches('\n').count() + 1;
        let columns: Vec<String> = fields(header).take(MOST_COLUMNS + 1).collect();
        let place = || format!("line {line}");
        if columns.len() > MOST_COLUMNS {
            let expected = format!("at most {MOST_COLUMNS} of them");
            return Err(unexpected(&file, place(), "more columns", &expected));
        }
        if columns.len() < 2 {
            let expected = "the names of a column of labels and of columns of features, with commas between them";
            return Err(unexpected(&file, place(), "a single column", expected));
        }
        let mut sorted: Vec<&String> = columns.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let found = format!("two columns with the name {}", quoted(pair[0]));
            let expected = "another name for each column; does the file begin with the names of its columns?";
            return Err(unexpected(&file, place(), &found, expected));
        }
        Ok(Self {
            rows: rows.to_owned(),
            first_line: line + 1,
            file,
            columns,
        })
    }

    /// Refuses a table whose columns differ from those of the training table.
    pub(super) fn has_columns_of(&self, test: &Self) -> Result<(), DataError> {
        if self.columns == test.columns {
            return Ok(());
        }
        let differs = self
            .columns
            .iter()
            .zip(&test.columns)
            .position(|(train, test)| train != test);
        let (found, expected) = match differs {
            Some(at) => (
                format!("{} as column {}", quoted(&test.columns[at]), at + 1),
                quoted(&self.columns[at]),
            ),
            None => (
                format!("{} columns", test.columns.len()),
                self.columns.len().to_string(),
            ),
        };
        let expected = format!("{expected}, as in {}", self.file);
        Err(unexpected(&test.file, "line 1".to_owned(), &found, &expected))
    }

    /// Returns the examples. The labels are in the column `label` and begin at `first`.
    pub(super) fn half(self, label: &str, (first, classes): (u32, usize)) -> Result<Half, DataError> {
        let file = self.file.clone();
        let Some(label_at) = self.columns.iter().position(|column| column == label) else {
            return Err(self.no_label(label));
        };
        let width = self.columns.len();
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for (index, row) in self.rows.lines().enumerate() {
            if row.trim().is_empty() {
                continue;
            }
            let line = self.first_line + index;
            let mut count = 0;
            for (column, field) in fields(row).take(width + 1).enumerate() {
                count += 1;
                let Some(name) = self.columns.get(column) else { break };
                let number = field.trim().parse::<f64>().ok();
                let place = || format!("line {line}, column {}", quoted(name));
                let found = || {
                    if field.trim().is_empty() {
                        "nothing".to_owned()
                    } else {
                        quoted(&field)
                    }
                };
                if column == label_at {
                    let whole = number.and_then(whole_number);
                    let expected = format!("a label from {first} to {}", highest(first, classes));
                    labels.push(whole.ok_or_else(|| unexpected(&file, place(), &found(), &expected))?);
                } else {
                    let allowed = number.filter(|number| is_allowed(*number));
                    let number = allowed.ok_or_else(|| unexpected(&file, place(), &found(), ALLOWED))?;
                    values.push(number);
                }
            }
            if count != width {
                let found = if count > width {
                    "more columns".to_owned()
                } else {
                    format!("{count} columns")
                };
                let expected = format!("{width}, as in the first line");
                return Err(unexpected(&file, format!("line {line}"), &found, &expected));
            }
        }
        let images = RawImages {
            count: labels.len(),
            channels: width - 1,
            height: 1,
            width: 1,
            values: Values::Numbers(values),
        };
        Ok(Half {
            labels: classes_of(&file, labels.into_iter(), first, classes)?,
            images_file: file.clone(),
            labels_file: file,
            images,
        })
    }

    fn no_label(&self, label: &str) -> DataError {
        let names: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let meant =
            nearest(label, &names).map_or_else(|| ".".to_owned(), |name| format!("; did you mean {}?", quoted(name)));
        let some: Vec<String> = names.iter().take(8).map(|name| quoted(name)).collect();
        let more = if names.len() > some.len() { ", …" } else { "" };
        let found = format!("the columns {}{more}", some.join(", "));
        let expected = format!(
            "a column {label:?} of labels{meant} The first line must have the names of the columns, and `label: \"…\"` \
             in the configuration names the column of labels"
        );
        unexpected(&self.file, "line 1".to_owned(), &found, &expected)
    }
}

fn unexpected(file: &str, place: String, found: &str, expected: &str) -> DataError {
    DataError::Unexpected {
        file: file.to_owned(),
        place,
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

/// Splits a line at its commas. A field may stand in double quotes; within them, two double quotes stand for one.
fn fields(line: &str) -> impl Iterator<Item = String> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let Some(inside) = line.trim_start().strip_prefix('"') else {
            let (field, after) = line
                .split_once(',')
                .map_or((line, None), |(field, after)| (field, Some(after)));
            rest = after;
            return Some(field.trim().to_owned());
        };
        let mut field = String::new();
        let mut letters = inside.char_indices().peekable();
        let mut end = inside.len();
        while let Some((at, letter)) = letters.next() {
            if letter != '"' {
                field.push(letter);
            } else if letters.next_if(|(_, next)| *next == '"').is_some() {
                field.push('"');
            } else {
                end = at + 1;
                break;
            }
        }
        // What follows the closing quote belongs to the field, so that it is not lost without a message.
        let (tail, after) = inside[end..]
            .split_once(',')
            .map_or((&inside[end..], None), |(t, a)| (t, Some(a)));
        field.push_str(tail.trim());
        rest = after;
        Some(field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        fields(line).collect()
    }

    #[test]
    fn fields_are_split_at_commas_outside_quotes() {
        assert_eq!(split("a,b ,\r"), ["a", "b", ""]);
        assert_eq!(split(r#""a, b",c,"d ""e""""#), ["a, b", "c", r#"d "e""#]);
        assert_eq!(split(r#""a"b,"c"#), ["ab", "c"]);
        assert_eq!(split(""), [""]);
        assert_eq!(split(",,"), ["", "", ""]);
    }
}
