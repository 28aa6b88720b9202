//! CSV: one row per measurement.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::run::{Cell, Run, Sink};
use super::series::{Part, Series};
use super::{Ended, ExportError, Follow, Host, Request, anew_words, at, say_what_is_left, say_what_is_missing};
use crate::event::Point;
use crate::record::{csv_line, csv_number, rfc3339_millis};

/// The columns before the swept settings and after them, before those of the quantities.
const FIRST: [&str; 6] = ["run", "cell", "step", "epoch", "seconds", "timestamp"];
const OF_PROBE: [&str; 2] = ["probe", "lambda_on"];

/// Prints the rows of a run.
pub(super) fn print(
    run: &mut Run,
    run_dir: &Path,
    out: &mut dyn Write,
    host: &mut dyn Host,
) -> Result<Ended, ExportError> {
    let columns = survey(run)?;
    say_what_is_missing(run, run_dir, host)?;
    run.rewind();
    let printed = Rows::new(columns, out, None).and_then(|mut rows| {
        run.read(&mut rows)?;
        rows.flush()?;
        Ok(rows.is_void)
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
        if rows.is_void || rows.columns.swept != swept(run) || (has_ended && grew) {
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
        let columns = survey(run)?;
        run.rewind();
        let mut rows = Rows::new(columns, Aside::create(file)?, Some(file.to_owned()))?;
        run.read(&mut rows)?;
        rows.flush()?;
        if !rows.is_void {
            return Ok(rows);
        }
    }
}

/// The columns of a table.
struct Columns {
    swept: Vec<String>,
    /// Every series, with whether the table has it.
    series: Vec<(Series, bool)>,
}

/// Finds the columns that the measurements of a run need.
fn survey(run: &mut Run) -> Result<Columns, ExportError> {
    let series = Series::all().into_iter().map(|series| (series, false)).collect();
    let mut columns = Columns {
        swept: swept(run),
        series,
    };
    run.read(&mut columns)?;
    Ok(columns)
}

fn swept(run: &Run) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in run.cells.iter().flat_map(|cell| &cell.swept) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

impl Sink for Columns {
    fn begin(&mut self, _: &Run, _: &Cell, _: bool) -> Result<(), ExportError> {
        Ok(())
    }

    fn point(&mut self, _: &Run, _: &Cell, point: &Point) -> Result<(), ExportError> {
        for (series, is_here) in self.series.iter_mut().filter(|(_, is_here)| !is_here) {
            *is_here = series.number(point).is_some();
        }
        Ok(())
    }
}

impl Columns {
    fn header(&self) -> String {
        let of = self.series.iter().filter(|(_, is_here)| *is_here);
        let keys: Vec<&str> = of.map(|(series, _)| series.key).collect();
        // As in `summary.csv`: a sweep over `step` must not produce two columns with the same name.
        let is_own = |name: &&String| {
            let name = name.as_str();
            FIRST.contains(&name) || OF_PROBE.contains(&name) || keys.contains(&name)
        };
        let swept = self.swept.iter().map(|name| {
            if is_own(&name) {
                format!("set_{name}")
            } else {
                name.clone()
            }
        });
        let first = FIRST.iter().map(ToString::to_string);
        let last = OF_PROBE.iter().chain(&keys).map(ToString::to_string);
        csv_line(first.chain(swept).chain(last))
    }

    fn row(&self, run: &Run, cell: &Cell, point: &Point) -> String {
        let time = cell.clock.time(point.seconds).and_then(rfc3339_millis);
        let first = [
            run.name.clone(),
            cell.index.to_string(),
            point.step.to_string(),
            csv_number(Some(point.epoch)),
            csv_number(Some(point.seconds)),
            time.unwrap_or_default(),
        ];
        let swept = self.swept.iter().map(|name| {
            let found = cell.swept.iter().find(|(swept, _)| swept == name);
            found.map_or_else(String::new, |(_, value)| value.clone())
        });
        let lambda = point.lambda.as_ref();
        let of_probe = [
            lambda.map_or_else(String::new, |lambda| lambda.lambda_probe.to_string()),
            lambda.map_or_else(String::new, |lambda| lambda.lambda_on.clone()),
        ];
        let values = self.series.iter().filter(|(_, is_here)| *is_here).map(|(series, _)| {
            let number = series.number(point);
            match series.part {
                Part::Converged => number.map_or_else(String::new, |truth| (truth != 0.0).to_string()),
                Part::Value | Part::Error => csv_number(number),
            }
        });
        csv_line(first.into_iter().chain(swept).chain(of_probe).chain(values))
    }
}

/// A table that is being written.
struct Rows<W> {
    columns: Columns,
    out: W,
    /// The file that it is written to; none for standard output.
    file: Option<PathBuf>,
    count: u64,
    /// Whether rows are void, or need a column that the table does not have.
    is_void: bool,
}

impl<W: Write> Rows<W> {
    fn new(columns: Columns, out: W, file: Option<PathBuf>) -> Result<Self, ExportError> {
        let header = columns.header();
        let (count, is_void) = (0, false);
        let mut rows = Self {
            columns,
            out,
            file,
            count,
            is_void,
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
        self.is_void |= is_anew;
        Ok(())
    }

    fn point(&mut self, run: &Run, cell: &Cell, point: &Point) -> Result<(), ExportError> {
        let needs = |(series, is_here): &(Series, bool)| !is_here && series.number(point).is_some();
        self.is_void |= self.columns.series.iter().any(needs);
        if self.is_void {
            return Ok(());
        }
        self.count += 1;
        let row = self.columns.row(run, cell, point);
        self.write(|out| out.write_all(row.as_bytes()))
    }
}

/// A file that takes the place of another one when it is settled, and may be written on.
struct Aside {
    written: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
    is_settled: bool,
}

impl Aside {
    fn create(path: &Path) -> Result<Self, ExportError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let written = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
        if path.is_dir() {
            return at(Err(ErrorKind::IsADirectory.into()), "write", path);
        }
        let file = at(File::create(&written), "write", path)?;
        Ok(Self {
            written,
            path: path.to_owned(),
            file: BufWriter::new(file),
            is_settled: false,
        })
    }

    fn settle(&mut self) -> Result<(), ExportError> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        let settled = synced.and_then(|()| fs::rename(&self.written, &self.path));
        self.is_settled = settled.is_ok();
        at(settled, "write", &self.path)
    }
}

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.is_settled {
            let _ = fs::remove_file(&self.written);
        }
    }
}
