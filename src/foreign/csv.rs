//! CSV: a table with a column of steps and one column per curve. One file is one run, or has the runs in the columns `run`
//! and `cell`, as this program's export.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::At;
use super::{ForeignError, Format, Found, Grown, Reader, Row, Time, visible};
use crate::record;

/// Columns with the step, the most precise one first.
const STEPS: [&str; 7] = ["step", "global_step", "_step", "steps", "iteration", "iter", "epoch"];

/// Fields that mean: not measured.
const EMPTY: [&str; 6] = ["", "NA", "N/A", "null", "None", "-"];

/// The most columns: each is a curve that is looked for in every row.
const MOST_COLUMNS: usize = 4_096;

/// A last line without an end is taken as complete once the file has not changed for this long.
const COMPLETE_AFTER: Duration = Duration::from_secs(10);

/// The format.
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "CSV files"
    }

    fn is_file(&self, name: &str) -> bool {
        name.to_ascii_lowercase().ends_with(".csv")
    }

    fn run_of(&self, below: &Path) -> PathBuf {
        below.with_extension("")
    }

    fn reader(&self, file: &Path) -> Box<dyn Reader> {
        Box::new(Table {
            path: file.to_owned(),
            read: 0,
            lines: 0,
            inode: None,
            columns: None,
            took_open_line: false,
        })
    }
}

/// A table that is being read.
struct Table {
    path: PathBuf,
    /// Number of bytes and lines that were read.
    read: u64,
    lines: u64,
    /// The file that was read: another one may take its place.
    inode: Option<u64>,
    columns: Option<Columns>,
    /// Whether the last line that was read had no end.
    took_open_line: bool,
}

struct Columns {
    separator: char,
    all: Vec<(String, Column)>,
}

/// What a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Step,
    /// The epoch, beside a column of steps or as the step.
    Epoch {
        is_step: bool,
    },
    Seconds,
    TimeOfDay,
    /// The name of the run, or the number of the cell.
    Run,
    Cell,
    Probe,
    ProbeWords,
    Setting,
    Value,
    /// It is not read.
    Nothing,
}

impl Reader for Table {
    fn read(&mut self, take: &mut dyn FnMut(Found)) -> Result<Grown, ForeignError> {
        let about = std::fs::metadata(&self.path).at("read", &self.path)?;
        let is_other = self.inode.is_some_and(|inode| inode != about.ino());
        if is_other || about.len() < self.read || (self.took_open_line && about.len() > self.read) {
            return Ok(Grown::Anew);
        }
        self.inode = Some(about.ino());
        if about.len() == self.read {
            return Ok(Grown::No);
        }
        let mut file = File::open(&self.path).at("open", &self.path)?;
        file.seek(SeekFrom::Start(self.read)).at("read", &self.path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).at("read", &self.path)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let is_complete = || record::age(&self.path).is_some_and(|age| age >= COMPLETE_AFTER);
        // A number at the end may be cut.
        let end = if whole < bytes.len() && is_complete() {
            self.took_open_line = true;
            bytes.len()
        } else {
            whole
        };
        if end == 0 {
            return Ok(Grown::No);
        }
        let text = std::str::from_utf8(&bytes[..end]).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = self.lines + before.split(|byte| *byte == b'\n').count() as u64;
            self.wrong(line, "it is not text in UTF-8".to_owned())
        })?;
        for line in text.lines() {
            self.lines += 1;
            let line = line
                .strip_prefix('\u{feff}')
                .filter(|_| self.lines == 1)
                .unwrap_or(line);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            match &self.columns {
                None => self.columns = Some(self.header(line)?),
                Some(columns) => self.row(columns, line, take)?,
            }
        }
        self.read += end as u64;
        Ok(Grown::Yes)
    }
}

impl Table {
    fn wrong(&self, line: u64, what: String) -> ForeignError {
        ForeignError::Table {
            path: self.path.clone(),
            line,
            what,
        }
    }

    fn header(&self, line: &str) -> Result<Columns, ForeignError> {
        let separators = [',', '\t', ';'];
        let separator = separators.into_iter().max_by_key(|separator| {
            // Of equally many, the first one.
            (line.matches(*separator).count(), u32::MAX - *separator as u32)
        });
        let separator = separator.filter(|separator| line.contains(*separator)).unwrap_or(',');
        let names: Vec<String> = fields(line, separator)
            .ok_or_else(|| self.wrong(self.lines, "a quotation mark has no partner".to_owned()))?
            .iter()
            .map(|name| visible(name.trim()))
            .collect();
        if names.len() > MOST_COLUMNS {
            let what = format!("{} columns; at most {MOST_COLUMNS} are read", names.len());
            return Err(self.wrong(self.lines, what));
        }
        let place = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(self.wrong(self.lines, format!("two columns have the name `{}`", twice.1)));
        }
        let Some((step_name, step)) = STEPS.iter().find_map(|name| Some((*name, place(name)?))) else {
            return Err(self.wrong(
                self.lines,
                format!(
                    "no column has the steps ({}); the columns are {}",
                    STEPS.join(", "),
                    visible(&names.join(", "))
                ),
            ));
        };
        // Between these columns, an export of this program has the settings.
        let settings = place("timestamp").zip(place("probe"));
        let kind = |at: usize, name: &str| match name.to_ascii_lowercase().as_str() {
            "epoch" => Column::Epoch {
                is_step: step_name == "epoch",
            },
            _ if at == step => Column::Step,
            "seconds" => Column::Seconds,
            "wall time" | "wall_time" | "_timestamp" => Column::TimeOfDay,
            "run" => Column::Run,
            "cell" => Column::Cell,
            "probe" => Column::Probe,
            "lambda_on" => Column::ProbeWords,
            "timestamp" => Column::Nothing,
            "seed" => Column::Setting,
            name if name.starts_with("set_") => Column::Setting,
            _ if settings.is_some_and(|(after, before)| after < at && at < before) => Column::Setting,
            // A column of an index that pandas wrote.
            "" | "unnamed: 0" => Column::Nothing,
            _ => Column::Value,
        };
        let all = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.clone(), kind(at, name)));
        Ok(Columns {
            separator,
            all: all.collect(),
        })
    }

    fn row(&self, columns: &Columns, line: &str, take: &mut dyn FnMut(Found)) -> Result<(), ForeignError> {
        let fields = fields(line, columns.separator)
            .ok_or_else(|| self.wrong(self.lines, "a quotation mark has no partner".to_owned()))?;
        if fields.len() != columns.all.len() {
            let what = format!("{} fields, but the header has {}", fields.len(), columns.all.len());
            return Err(self.wrong(self.lines, what));
        }
        let mut row = Row::default();
        let (mut run, mut cell, mut on) = (None, None, None);
        let mut settings = Vec::new();
        let mut has_step = false;
        for ((name, column), field) in columns.all.iter().zip(&fields) {
            let field = field.trim();
            let is_empty = EMPTY.contains(&field);
            let number = |expected| self.number(name, field, expected);
            match column {
                _ if is_empty && !matches!(column, Column::Step | Column::Epoch { is_step: true }) => {}
                Column::Step => (row.step, has_step) = (self.whole(name, field)?, true),
                Column::Epoch { is_step: true } => {
                    (row.step, has_step) = (self.whole(name, field)?, true);
                    row.epoch = Some(row.step as f64);
                }
                Column::Epoch { is_step: false } => row.epoch = Some(number(NUMBER)?),
                Column::Seconds => row.time = Some(Time::Seconds(number(NUMBER)?)),
                Column::TimeOfDay => row.time = row.time.or(Some(Time::OfDay(number(NUMBER)?))),
                Column::Run => run = Some(visible(field)),
                Column::Cell => cell = Some(format!("cell {}", visible(field))),
                Column::Probe => {
                    let probe = usize::try_from(self.whole(name, field)?).unwrap_or(usize::MAX);
                    row.probe = Some(probe);
                }
                Column::ProbeWords => on = Some(visible(field)),
                Column::Setting => {
                    let name = name.strip_prefix("set_").unwrap_or(name);
                    settings.push((name.to_owned(), visible(field)));
                }
                Column::Value => row.values.push((name.clone(), number(VALUE)?)),
                Column::Nothing => {}
            }
        }
        debug_assert!(has_step);
        let parts: Vec<String> = [run, cell].into_iter().flatten().collect();
        row.part = (!parts.is_empty()).then(|| parts.join("/"));
        for (name, value) in settings {
            let part = row.part.clone();
            take(Found::Setting { part, name, value });
        }
        if let Some((words, probe)) = on.zip(row.probe) {
            let part = row.part.clone();
            take(Found::Probe { part, probe, words });
        }
        take(Found::Row(row));
        Ok(())
    }

    fn number(&self, column: &str, field: &str, expected: &'static str) -> Result<f64, ForeignError> {
        let truth = || match field.to_ascii_lowercase().as_str() {
            "true" => Some(1.0),
            "false" => Some(0.0),
            _ => None,
        };
        field
            .parse()
            .ok()
            .or_else(truth)
            .ok_or_else(|| self.bad_field(column, field, expected))
    }

    fn whole(&self, column: &str, field: &str) -> Result<u64, ForeignError> {
        /// The largest whole number up to which floats have every one.
        const MOST: f64 = 9_007_199_254_740_992.0;
        let number = field.parse::<f64>().ok();
        let whole = number.filter(|number| number.fract() == 0.0 && (0.0..=MOST).contains(number));
        whole
            .map(|number| number as u64)
            .ok_or_else(|| self.bad_field(column, field, "a whole number from 0 on"))
    }

    fn bad_field(&self, column: &str, field: &str, expected: &'static str) -> ForeignError {
        ForeignError::Field {
            path: self.path.clone(),
            line: self.lines,
            column: column.to_owned(),
            value: visible(field),
            expected,
        }
    }
}

const NUMBER: &str = "a number";
const VALUE: &str = "a number, or nothing; a column with a setting is named `set_…`";

/// Splits a line into its fields, which may be quoted as in RFC 4180. Returns none if a quotation mark has no partner.
fn fields(line: &str, separator: char) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match (letter, fields.last_mut()) {
            ('"', Some(field)) if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            ('"', _) => is_quoted = !is_quoted,
            (letter, _) if letter == separator && !is_quoted => fields.push(String::new()),
            (letter, Some(field)) => field.push(letter),
            (_, None) => {}
        }
    }
    (!is_quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_are_one_field() {
        assert_eq!(fields(r#"a,"b, ""c""",,d"#, ',').unwrap(), ["a", "b, \"c\"", "", "d"]);
        assert_eq!(fields("", ',').unwrap(), [""]);
        assert_eq!(fields(r#"a,"b"#, ','), None);
    }
}
