//! A config file, read, checked and expanded into cells.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::path::Path;

use ron::ser::PrettyConfig;

use super::document::parse;
use super::explain;
use super::schema::ron_options;
use super::settings::{Document, Overrides};
use super::sweep::{Axis, Sweep};
use super::validate::{self, Refusal};
use super::{Cell, ConfigError, FilesHold};

/// Far above any config written by hand; what is larger is another file.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A sweep, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its name, which its run directory takes.
    pub name: String,
    /// Its cells in queue order; at least one.
    pub cells: Vec<Cell>,
    /// Where every cell is cut, if it was asked for.
    pub cut_at_steps: Option<NonZeroU64>,
    /// How many examples the files of data sets of open length hold, as far as that is known.
    pub files_hold: Vec<FilesHold>,
    base: Overrides,
    sweep: Sweep,
}

impl Experiment {
    /// Reads, checks and expands a config file.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&read_text(path)?, path)
    }

    /// Checks and expands the text of a config; `path` is what messages call it, and names it if it does not.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let document = parse(text, path)?;
        let refuse = |refusal: Refusal| explain::refused(refusal.in_file(path), text);
        let name = validate::name(document.name.as_deref(), path).map_err(refuse)?;
        validate::sweep(&document.sweep).map_err(refuse)?;
        validate::files_hold(&document.files_hold).map_err(refuse)?;

        let mut base = document.base();
        base.fill_defaults();
        let Document {
            cut_at_steps,
            files_hold,
            sweep,
            ..
        } = document;
        let cells = expand(&base, &sweep, &files_hold).map_err(refuse)?;
        let uncut = Self {
            name,
            cells,
            cut_at_steps: None,
            files_hold,
            base,
            sweep,
        };
        Ok(cut_at_steps.into_iter().fold(uncut, Self::cut_at))
    }

    /// The same experiment with every cell cut at so many steps, or where it is cut already if that is earlier.
    #[must_use]
    pub fn cut_at(mut self, steps: NonZeroU64) -> Self {
        self.cut_at_steps = Some(self.cut_at_steps.map_or(steps, |own| own.min(steps)));
        for cell in &mut self.cells {
            cell.settings.cut_at(steps.get());
        }
        self
    }

    /// A cell that differs from the one at `base` in its seed alone; none where there is no such cell.
    #[must_use]
    pub fn with_seed(&self, base: usize, seed: u64) -> Option<Cell> {
        let mut cell = self.cells.get(base)?.clone();
        cell.settings.seed = seed;
        let value = seed.to_string();
        match cell.swept.iter_mut().find(|(name, _)| name == "seed") {
            Some((_, swept)) => *swept = value,
            None => cell.swept.push(("seed".to_owned(), value)),
        }
        Some(cell)
    }

    /// The same experiment with further cells at its end, each like the one at an index but for its seed.
    #[must_use]
    pub fn with_added(mut self, added: impl IntoIterator<Item = (usize, u64)>) -> Self {
        for (like, seed) in added {
            self.cells.extend(self.with_seed(like, seed));
        }
        self
    }

    /// The smallest seed above those of all cells that are otherwise as the one at `base`; none where there is no such
    /// cell, or no seed.
    #[must_use]
    pub fn next_seed(&self, base: usize) -> Option<u64> {
        let of = self.cells.get(base)?;
        let alike = self.cells.iter().filter(|cell| {
            let mut settings = cell.settings.clone();
            settings.seed = of.settings.seed;
            settings == of.settings
        });
        alike.map(|cell| cell.settings.seed).max()?.checked_add(1)
    }

    /// The same experiment once it is known how many examples the files of its data sets hold: `Full` is all of them,
    /// and every rule is looked at again. `path` is what messages call the config.
    ///
    /// # Errors
    /// A cell that the files are too small for, or files that held something else when the config was settled before.
    pub fn settled(mut self, files_hold: &[FilesHold], path: &Path) -> Result<Self, ConfigError> {
        for &hold in files_hold {
            match self.files_hold.iter().find(|then| then.data == hold.data) {
                Some(&then) => validate::files_unchanged(then, hold).map_err(|refusal| refusal.in_file(path))?,
                None => self.files_hold.push(hold),
            }
        }
        self.cells = expand(&self.base, &self.sweep, &self.files_hold).map_err(|refusal| refusal.in_file(path))?;
        let cut = self.cut_at_steps.take();
        Ok(cut.into_iter().fold(self, Self::cut_at))
    }

    /// The settings that each axis of the sweep varies: one, or those that move together. A cell's
    /// [`swept`](Cell::swept) has them in the same order.
    #[must_use]
    pub fn axes(&self) -> Vec<Vec<&'static str>> {
        self.sweep.axes.iter().map(Axis::names).collect()
    }

    /// The config as resolved, defaults filled in: a config file that gives the same cells.
    ///
    /// # Errors
    /// None that is known: plain data written to a string does not fail.
    pub fn to_ron(&self) -> Result<String, ron::Error> {
        let document = Document::new(
            self.name.clone(),
            self.cut_at_steps,
            self.files_hold.clone(),
            self.base.clone(),
            self.sweep.clone(),
        );
        // Fields of the file and axes of the sweep on lines of their own, what is deeper stays on its line.
        let layout = PrettyConfig::new().depth_limit(2).compact_arrays(true);
        Ok(ron_options().to_string_pretty(&document, layout)? + "\n")
    }
}

/// Every cell in queue order, each of them checked.
fn expand(base: &Overrides, sweep: &Sweep, files_hold: &[FilesHold]) -> Result<Vec<Cell>, Refusal> {
    let picks = sweep.picks();
    let mut cells = Vec::with_capacity(picks.len());
    for pick in &picks {
        let mut given = base.clone();
        let mut swept = Vec::new();
        for (axis, &entry) in sweep.axes.iter().zip(pick) {
            given.apply(&axis.entries[entry]);
            swept.extend(
                axis.entries[entry]
                    .entries()
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value)),
            );
        }
        let mut settings = given.settle().map_err(validate::missing)?;
        let hold = FilesHold::of(settings.data, files_hold);
        settings.count_out(hold);
        validate::settings(&settings, hold).map_err(|refusal| refusal.in_cell(sweep, pick))?;
        cells.push(Cell { settings, swept });
    }
    validate::idle(&cells).map_err(|(index, refusal)| refusal.in_cell(sweep, &picks[index]))?;
    Ok(cells)
}

/// Reads the text of a config file; the path `-` is standard input.
///
/// # Errors
/// A file that cannot be read, is too large for a config, or is no text.
pub fn read_text(path: &Path) -> Result<String, ConfigError> {
    if path.as_os_str() == "-" {
        return read_text_from(io::stdin().lock(), path);
    }
    let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
    read_text_from(file, path)
}

/// The same from wherever it comes; `path` is what messages call it.
///
/// # Errors
/// As [`read_text`].
pub fn read_text_from(from: impl Read, path: &Path) -> Result<String, ConfigError> {
    let mut bytes = Vec::new();
    from.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|cause| unreadable(path, cause))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            limit_bytes: MAX_FILE_BYTES,
        });
    }
    String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))
}

fn unreadable(path: &Path, cause: io::Error) -> ConfigError {
    ConfigError::Unreadable {
        path: path.to_owned(),
        cause,
    }
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> ConfigError {
    let readable = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
    let last_line = readable.rsplit('\n').next().unwrap_or_default();
    ConfigError::NotUtf8 {
        path: path.to_owned(),
        line: readable.matches('\n').count() + 1,
        column: last_line.chars().count() + 1,
    }
}
