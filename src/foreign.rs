//! Runs of other programs: a folder of TensorBoard's event files or of CSV files, as cells with points, without control.
//!
//! ```text
//! files ─ tensorboard, csv ─▶ Found ─ runs, names ─▶ cells with points ─▶ follow: events for a screen
//!                                                                     └─▶ report
//! ```
//!
//! What the files do not say is left out: thresholds, planned steps, states, and settings unless they are in the files. A
//! format is a `Format` in `FORMATS`; nothing else names one.

mod csv;
mod error;
mod find;
mod follow;
mod names;
mod own;
mod runs;
mod tensorboard;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::event::{CellPlan, Point};
use crate::record;

pub use error::ForeignError;
pub use follow::{STILL_AFTER, Until, follow, told};
pub use runs::Run;
use runs::Runs;

use find::find;
pub(crate) use find::natural;

/// Every format. If a folder has files of several, the first one is read.
static FORMATS: [&dyn Format; 2] = [&tensorboard::EventFiles, &csv::Csv];

/// Interval between searches for new files. It lists every folder, which takes long on a network.
const SEARCH_EVERY: Duration = Duration::from_secs(5);

/// A format of files with curves.
trait Format: Sync {
    /// The name for people: "TensorBoard's event files".
    fn name(&self) -> &'static str;

    /// Returns whether a file with this name is of this format.
    fn is_file(&self, name: &str) -> bool;

    /// Returns the run of a file, from its path below the folder of all runs.
    fn run_of(&self, below: &Path) -> PathBuf;

    /// Returns a reader of a file from its beginning on.
    fn reader(&self, file: &Path) -> Box<dyn Reader>;
}

/// The reader of one file, which may grow.
trait Reader: Send {
    /// Passes everything that was added to the file since the last call to `take`.
    ///
    /// # Errors
    /// The file cannot be read, or is not of the format.
    fn read(&mut self, take: &mut dyn FnMut(Found)) -> Result<Grown, ForeignError>;
}

/// How a file has changed since it was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grown {
    /// It has not.
    No,
    /// Something was added.
    Yes,
    /// It is another file, or lines that were read have changed: everything must be read again.
    Anew,
}

/// Something that a file says.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    /// Numbers at a step.
    Row(Row),
    /// A setting of the run.
    Setting {
        /// The part of the file's run, if the file has several runs.
        part: Option<String>,
        name: String,
        value: String,
    },
    /// The examples of a probe.
    Probe {
        part: Option<String>,
        probe: usize,
        words: String,
    },
    /// Numbers that were read before are void from this step on: the run went on from an earlier checkpoint.
    Void(u64),
    /// A tag whose values are not numbers.
    NotANumber(String),
}

/// Returns text of a file without characters that would control a terminal, and not longer than a line.
fn visible(text: &str) -> String {
    const LONGEST: usize = 300;
    let safe = text
        .chars()
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter });
    safe.take(LONGEST).collect()
}

/// Numbers at a step of a run.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    /// The part of the file's run, if the file has several runs.
    part: Option<String>,
    step: u64,
    epoch: Option<f64>,
    time: Option<Time>,
    /// The probe of the numbers that belong to probes.
    probe: Option<usize>,
    /// The numbers by tag.
    values: Vec<(String, f64)>,
}

/// When numbers were measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Time {
    /// Seconds that the run had trained.
    Seconds(f64),
    /// Time of day, in seconds since any moment.
    OfDay(f64),
}

/// A folder of runs of another program, or one of its files.
pub struct Folder {
    path: PathBuf,
    format: &'static dyn Format,
    files: Vec<Source>,
    runs: Runs,
    /// When new files were searched for last.
    searched: Instant,
}

struct Source {
    path: PathBuf,
    /// The name of its run; empty for the folder itself.
    run: String,
    reader: Box<dyn Reader>,
    /// Why it is read no further, if it is damaged.
    damage: Option<ForeignError>,
}

/// What a look at the files found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Whether all runs must be told again: there are other runs, or numbers have another meaning than before.
    pub whole: bool,
    /// The runs whose files have grown, by index.
    pub grown: BTreeSet<usize>,
    /// What is wrong with files that are damaged since, and are read no further.
    pub damaged: Vec<String>,
}

/// Returns whether a path has files of a format that this room reads.
#[must_use]
pub fn is_foreign(path: &Path) -> bool {
    matches!(find(path), Ok(Some(_)))
}

impl Folder {
    /// Opens a folder, or one file, and reads everything that it has. Damaged files are read up to the damage; [`Folder::damaged`]
    /// names them.
    ///
    /// # Errors
    /// There are no files of a known format, they have no numbers, or each is damaged or cannot be read.
    pub fn open(path: &Path) -> Result<Self, ForeignError> {
        let Some((format, _)) = find(path)? else {
            return Err(ForeignError::Nothing { path: path.to_owned() });
        };
        let mut folder = Self {
            path: path.to_owned(),
            format,
            files: Vec::new(),
            runs: Runs::default(),
            searched: Instant::now(),
        };
        folder.find_files()?;
        folder.read();
        let all_damaged = folder.files.iter().all(|file| file.damage.is_some());
        if all_damaged || folder.runs.shown().next().is_none() {
            let first = folder.files.into_iter().find_map(|file| file.damage);
            return Err(first.unwrap_or_else(|| ForeignError::NoNumbers { path: path.to_owned() }));
        }
        Ok(folder)
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the name of the files' format.
    #[must_use]
    pub fn format(&self) -> &'static str {
        self.format.name()
    }

    /// Returns the runs, those first that were found first.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.shown()
    }

    /// Returns the runs as cells: their settings as far as the files have them.
    #[must_use]
    pub fn plans(&self) -> Vec<CellPlan> {
        self.runs.plans()
    }

    /// Returns the points of a run.
    pub fn points<'a>(&'a self, run: &'a Run) -> impl Iterator<Item = Point> + 'a {
        run.steps().flat_map(move |step| self.runs.points(run, step))
    }

    /// Returns the points of a run, by index, at a step.
    fn points_at(&self, run: usize, step: u64) -> Vec<Point> {
        let found = self.runs.shown().nth(run);
        found.map_or_else(Vec::new, |run| self.runs.points(run, step))
    }

    /// Returns the steps of a run at which something was read since the last call, and whether all its points must be
    /// told again.
    fn take_new(&mut self, run: usize) -> (BTreeSet<u64>, bool) {
        self.runs.shown_mut(run).map(Run::take_new).unwrap_or_default()
    }

    /// Returns what people must know to read the curves: which tag is which quantity, and what was left out.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.runs.notes()
    }

    /// Returns what is wrong with the files that are damaged, which are read no further.
    #[must_use]
    pub fn damaged(&self) -> Vec<String> {
        let damages = self.files.iter().filter_map(|file| file.damage.as_ref());
        damages
            .map(|damage| format!("{damage}; the file is read no further"))
            .collect()
    }

    /// Returns the time since the last write to the files of a run.
    #[must_use]
    pub fn age(&self, run: usize) -> Option<Duration> {
        let of_run = self.files.iter().filter(|file| self.runs.place(&file.run) == Some(run));
        of_run.filter_map(|file| record::age(&file.path)).min()
    }

    /// Reads what was added to the files since the last look. A file that is damaged now is no longer read.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn look(&mut self) -> Result<News, ForeignError> {
        let before = self.runs.shape();
        let known = self.damaged();
        let is_due = self.searched.elapsed() >= SEARCH_EVERY;
        let is_anew = (is_due && self.find_files()?) || self.read();
        if is_anew {
            self.runs = Runs::default();
            self.files.clear();
            self.find_files()?;
            self.read();
        }
        let damaged = self.damaged().into_iter().filter(|words| !known.contains(words));
        Ok(News {
            damaged: damaged.collect(),
            whole: is_anew || self.runs.shape() != before,
            grown: self.runs.take_grown(),
        })
    }

    /// Adds new files. Returns true if a file is gone.
    fn find_files(&mut self) -> Result<bool, ForeignError> {
        self.searched = Instant::now();
        let found = find(&self.path)?.map_or_else(Vec::new, |(_, files)| files);
        let is_there = |file: &Source| found.iter().any(|(_, path)| *path == file.path);
        if !self.files.iter().all(is_there) {
            return Ok(true);
        }
        for (run, path) in found {
            let is_of_format = path
                .file_name()
                .is_some_and(|name| self.format.is_file(&name.to_string_lossy()));
            if is_of_format && !self.files.iter().any(|file| file.path == path) {
                self.files.push(Source {
                    reader: self.format.reader(&path),
                    path,
                    run,
                    damage: None,
                });
            }
        }
        Ok(false)
    }

    /// Reads what was added to the files. Returns true if everything must be read again.
    fn read(&mut self) -> bool {
        for file in self.files.iter_mut().filter(|file| file.damage.is_none()) {
            let runs = &mut self.runs;
            match file.reader.read(&mut |found| runs.take(&file.run, found)) {
                Ok(Grown::Anew) => return true,
                Ok(_) => {}
                // It was removed or replaced.
                Err(ForeignError::Io { .. }) if !file.path.exists() => return true,
                Err(error) => file.damage = Some(error),
            }
        }
        self.runs.settle();
        false
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folder")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
