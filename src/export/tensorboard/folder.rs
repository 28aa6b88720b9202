//! The folder of event files: one sub-folder per cell, and a note that says of which run they are.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::run::{Cell, Run};
use super::super::{ExportError, at};
use crate::event_files::{Message, first_event, record, start_event};
use crate::record;

/// The file that says of which run the event files are.
const NOTE: &str = "sharptui.json";

/// The beginning and the end of the names of our event files, around a number of ten digits. TensorBoard reads the files of
/// a folder in the order of their names.
const BEFORE: &str = "events.out.tfevents.";
const AFTER: &str = ".sharptui";

/// The longest name of a sub-folder, in bytes. File systems allow 255.
const LONGEST: usize = 150;

/// The contents of the note.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The name of the sweep.
    sweep: String,
    /// When the run started.
    started: String,
}

/// A folder that this process writes event files to.
pub(super) struct Folder {
    path: PathBuf,
    /// Number of the next file.
    next: u64,
    /// Event files of earlier exports of the run.
    earlier: Vec<PathBuf>,
    /// The file that was written last.
    open: Option<(PathBuf, BufWriter<File>)>,
}

impl Folder {
    /// Creates the folder if it does not exist, and finds the event files of earlier exports.
    pub(super) fn open(path: &Path, run: &Run) -> Result<Self, ExportError> {
        let own = Note {
            sweep: run.sweep.clone(),
            started: run.started.clone(),
        };
        let note = path.join(NOTE);
        match fs::read(&note).map(|bytes| serde_json::from_slice::<Note>(&bytes)) {
            Ok(Ok(other)) if other != own => {
                return Err(ExportError::OtherRun {
                    folder: path.to_owned(),
                    run: format!("{} of {}", other.sweep, other.started),
                });
            }
            Ok(Ok(_)) => {}
            // A note that cannot be read, or none.
            Ok(Err(_)) | Err(_) => {
                record::make_folder(path)?;
                let text = serde_json::to_string(&own).unwrap_or_default();
                record::replace_unlocked(&note, (text + "\n").as_bytes())?;
            }
        }
        let earlier = earlier(path);
        let last = earlier.iter().filter_map(|file| number(file.file_name()?)).max();
        Ok(Self {
            path: path.to_owned(),
            next: last.map_or(1, |last| last + 1),
            earlier,
            open: None,
        })
    }

    /// Begins a file in the sub-folder with this name, or in the folder itself, and returns its path.
    pub(super) fn begin(&mut self, name: Option<&str>, wall_time: f64) -> Result<PathBuf, ExportError> {
        let folder = name.map_or_else(|| self.path.clone(), |name| self.path.join(name));
        record::make_folder(&folder)?;
        let file = folder.join(format!("{BEFORE}{:010}{AFTER}", self.next));
        self.next += 1;
        self.flush()?;
        let new = at(
            OpenOptions::new().write(true).create_new(true).open(&file),
            "create",
            &file,
        )?;
        self.open = Some((file.clone(), BufWriter::new(new)));
        self.write(&file, &first_event(wall_time))?;
        self.write(&file, &start_event(wall_time))?;
        Ok(file)
    }

    /// Appends an event to a file that was begun.
    pub(super) fn write(&mut self, file: &Path, event: &Message) -> Result<(), ExportError> {
        if self.open.as_ref().is_none_or(|(open, _)| open != file) {
            self.flush()?;
            let again = at(OpenOptions::new().append(true).open(file), "append to", file)?;
            self.open = Some((file.to_owned(), BufWriter::new(again)));
        }
        match &mut self.open {
            Some((_, open)) => at(open.write_all(&record(event.as_bytes())), "write", file),
            None => Ok(()),
        }
    }

    /// Writes what is buffered, and closes the file.
    pub(super) fn flush(&mut self) -> Result<(), ExportError> {
        match self.open.take() {
            Some((file, mut open)) => at(open.flush(), "write", &file),
            None => Ok(()),
        }
    }

    /// Removes the files of earlier exports, and sub-folders that are then empty.
    pub(super) fn remove_earlier(&mut self) -> Result<(), ExportError> {
        for file in std::mem::take(&mut self.earlier) {
            self.remove(&file)?;
        }
        Ok(())
    }

    /// Removes one of our files.
    pub(super) fn remove(&self, file: &Path) -> Result<(), ExportError> {
        at(fs::remove_file(file), "remove", file)?;
        if let Some(folder) = file.parent().filter(|folder| *folder != self.path) {
            // Fails if it has other files.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

/// Returns our event files in a folder and in its sub-folders for cells.
fn earlier(path: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
    };
    let is_of_cell = |folder: &PathBuf| {
        let name = folder.file_name().and_then(OsStr::to_str);
        name.is_some_and(|name| name.starts_with("cell ")) && folder.is_dir()
    };
    let folders = entries(path).filter(is_of_cell).chain([path.to_owned()]);
    let files = folders.flat_map(|folder| entries(&folder).collect::<Vec<_>>());
    files
        .filter(|file| file.file_name().and_then(number).is_some())
        .collect()
}

/// Returns the number in the name of one of our files.
fn number(name: &OsStr) -> Option<u64> {
    let digits = name.to_str()?.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    let is_number = digits.len() == 10 && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Returns the name of the sub-folder of a cell: `cell 003 learning_rate=0.1 seed=0`. TensorBoard shows it as the name of
/// the run.
pub(super) fn name(cell: &Cell) -> String {
    let pairs = cell.swept.iter().map(|(name, value)| format!(" {name}={value}"));
    let mut safe = format!("cell {:03}", cell.index);
    for letter in pairs.collect::<String>().chars() {
        let letter = if letter.is_ascii_alphanumeric() || " ._-+=".contains(letter) {
            letter
        } else {
            '_'
        };
        if safe.len() < LONGEST && !(letter == '_' && safe.ends_with('_')) {
            safe.push(letter);
        }
    }
    safe.trim_end_matches([' ', '.', '_']).to_owned()
}
