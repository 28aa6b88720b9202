//! CSV: one row per measurement.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::aside::Aside;
use super::columns::{Columns, Value};
use super::run::{Cell, Run, Sink};
use super::{Ended, ExportError, Follow, Host, Request, anew_words, at, say_what_is_left, say_what_is_missing};
use crate::event::Point;
use crate::record::{csv_line, csv_number, rfc3339_millis};

/// Prints the rows of a run.
pub(super) fn print(
    run: &mut Run,
    run_dir: &Path,
    out: &mut dyn Write,
    host: &mut dyn Host,
) -> Result<Ended, ExportError> {
    let columns = Columns::survey(run)?;
    say_what_is_missing(run, run_dir, host)?;
    run.rewind();
    let printed = Rows::new(columns, out, None).and_then(|mut rows| {
        run.read(&mut rows)?;
        rows.flush()?;
        Ok(rows.columns.is_void)
    });
    match printed {
        Ok(true) => Err(ExportError::Changed),
        // A reader that closed the pipe has read enough.
        Err(ExportError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(Ended::Complete),
        written => written.map(|_| Ended::Complete),
    }
}

/// Writes the rows of a run to a file, and goes on until the run ends if that is wanted.
///
/// New rows are appended in the order in which they are found. If rows become void or need a new column, and at the end,
/// the whole file is written again: it is then the same as that of an export afterwards.
pub(super) fn write(run: &mut Run, request: &Request, file: &Path, host: &mut dyn Host) -> Result<Ended, ExportError> {
    let mut rows = whole(run, file)?;
    if request.follow == Follow::No {
        say_what_is_missing(run, request.run_dir, host)?;
    }
    rows.out.settle()?;
    host.written(file);
    if request.follow == Follow::No {
        return Ok(Ended::Complete);
    }
    let mut grew = false;
    loop {
        let Some(has_ended) = request.follow.wait(run, host) else {
            return Ok(Ended::Stopped);
        };
        let before = rows.count;
        let anew = run.read(&mut rows)?;
        rows.flush()?;
        grew |= rows.count > before;
        if !anew.is_empty() {
            let what = format!("{} is written again", file.display());
            host.note(&anew_words(&anew, &what));
        }
        if rows.columns.is_void || !rows.columns.are_of(run) || (has_ended && grew) {
            rows = whole(run, file)?;
            rows.out.settle()?;
            grew = false;
        }
        if has_ended {
            say_what_is_left(run, request.follow, host);
            return Ok(Ended::Complete);
        }
    }
}

/// Writes all rows to a new file, which replaces `file` when it is settled.
fn whole(run: &mut Run, file: &Path) -> Result<Rows<Aside>, ExportError> {
    loop {
        run.rewind();
        let columns = Columns::survey(run)?;
        run.rewind();
        let mut rows = Rows::new(columns, Aside::create(file)?, Some(file.to_owned()))?;
        run.read(&mut rows)?;
        rows.flush()?;
        if !rows.columns.is_void {
            return Ok(rows);
        }
    }
}

/// Returns a field as text.
fn text(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        Value::Whole(number) => number.to_string(),
        Value::Number(number) => csv_number(Some(number)),
        Value::Truth(truth) => truth.to_string(),
        Value::Time(seconds) => rfc3339_millis(seconds).unwrap_or_default(),
        Value::Missing => String::new(),
    }
}

/// A table that is being written.
struct Rows<W> {
    columns: Columns,
    out: W,
    /// The file that it is written to; none for standard output.
    file: Option<PathBuf>,
    count: u64,
}

impl<W: Write> Rows<W> {
    fn new(columns: Columns, out: W, file: Option<PathBuf>) -> Result<Self, ExportError> {
        let header = csv_line(columns.names().into_iter());
        let mut rows = Self {
            columns,
            out,
            file,
            count: 0,
        };
        rows.write(|out| out.write_all(header.as_bytes()))?;
        Ok(rows)
    }

    fn write(&mut self, write: impl FnOnce(&mut W) -> io::Result<()>) -> Result<(), ExportError> {
        match (write(&mut self.out), &self.file) {
            (result, Some(file)) => at(result, "write", file),
            (result, None) => result.map_err(ExportError::Output),
        }
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        self.write(W::flush)
    }
}

impl<W: Write> Sink for Rows<W> {
    fn begin(&mut self, _: &Run, _: &Cell, is_anew: bool) -> Result<(), ExportError> {
        self.columns.begin(is_anew);
        Ok(())
    }

    fn point(&mut self, run: &Run, cell: &Cell, point: &Point) -> Result<(), ExportError> {
        let Some(fields) = self.columns.next_row(run, cell, point) else {
            return Ok(());
        };
        self.count += 1;
        let row = csv_line(fields.into_iter().map(text));
        self.write(|out| out.write_all(row.as_bytes()))
    }
}
