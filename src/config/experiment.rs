//! An experiment: a config file that is read, checked and expanded into cells.

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
use super::{Added, Cell, ConfigError, Export, FilesHold};

/// The largest size of a config file, in bytes: far above any config that a person writes. A larger file is not a
/// config.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A sweep, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its name. The run directory gets this name.
    pub name: String,
    /// Its cells in queue order; at least one.
    pub cells: Vec<Cell>,
    /// The largest number of steps of every cell, if one was given (`--steps`).
    pub cut_at_steps: Option<NonZeroU64>,
    /// The numbers of examples in the files, for the data sets whose numbers are not fixed, as far as they are known.
    pub files_hold: Vec<FilesHold>,
    /// The exports that are kept up to date while the sweep trains.
    pub export: Vec<Export>,
    pub(super) base: Overrides,
    pub(super) sweep: Sweep,
    /// The cells that were added, which are the last ones of `cells`.
    pub(super) added: Vec<Added>,
}

impl Experiment {
    /// Reads, checks and expands a config file.
    ///
    /// # Errors
    /// Returns the first error in the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&read_text(path)?, path)
    }

    /// Parses, checks and expands the text of a config. Messages name `path`. If the text has no `name`, the experiment
    /// is named after `path`.
    ///
    /// # Errors
    /// Returns the first error in the text.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let document = parse(text, path)?;
        let refuse = |refusal: Refusal| explain::refused(refusal.in_file(path), text);
        let name = validate::name(document.name.as_deref(), path).map_err(refuse)?;
        validate::sweep(&document.sweep).map_err(refuse)?;
        validate::files_hold(&document.files_hold).map_err(refuse)?;
        validate::export(&document.export).map_err(refuse)?;

        let mut base = document.base();
        base.fill_defaults();
        let Document {
            cut_at_steps,
            files_hold,
            export,
            sweep,
            ..
        } = document;
        let cells = expand(&base, &sweep, &files_hold).map_err(refuse)?;
        let uncut = Self {
            name,
            cells,
            cut_at_steps: None,
            files_hold,
            export,
            base,
            sweep,
            added: Vec::new(),
        };
        Ok(cut_at_steps.into_iter().fold(uncut, Self::cut_at))
    }

    /// Limits every cell to `steps` optimizer steps. An earlier, lower limit stays.
    #[must_use]
    pub fn cut_at(mut self, steps: NonZeroU64) -> Self {
        self.cut_at_steps = Some(self.cut_at_steps.map_or(steps, |own| own.min(steps)));
        for cell in &mut self.cells {
            cell.settings.cut_at(steps.get());
        }
        self
    }

    /// Applies the known numbers of examples in the files: `Full` becomes all of them, and every rule is checked again.
    /// Messages name `path`.
    ///
    /// # Errors
    /// Fails if the files hold too few examples for a cell, or if their numbers differ from those recorded in the
    /// config.
    pub fn settled(mut self, files_hold: &[FilesHold], path: &Path) -> Result<Self, ConfigError> {
        for hold in files_hold {
            match self.files_hold.iter().find(|then| then.data.is_same(&hold.data)) {
                Some(then) => validate::files_unchanged(then, hold).map_err(|refusal| refusal.in_file(path))?,
                None => self.files_hold.push(hold.clone()),
            }
        }
        self.cells = expand(&self.base, &self.sweep, &self.files_hold).map_err(|refusal| refusal.in_file(path))?;
        let (cut, added) = (self.cut_at_steps.take(), std::mem::take(&mut self.added));
        let settled = cut.into_iter().fold(self, Self::cut_at);
        settled.with_all(added).map_err(|refusal| refusal.in_file(path))
    }

    /// Returns, for each axis of the sweep, the settings that it varies: one setting, or several that change together.
    /// A cell's [`swept`](Cell::swept) has them in the same order.
    #[must_use]
    pub fn axes(&self) -> Vec<Vec<&'static str>> {
        self.sweep.axes.iter().map(Axis::names).collect()
    }

    /// Returns the resolved config, with defaults filled in, as the text of a config file. It expands to the same
    /// cells.
    ///
    /// # Errors
    /// No failure is known: plain data is written to a string.
    pub fn to_ron(&self) -> Result<String, ron::Error> {
        let document = Document::new(
            self.name.clone(),
            self.cut_at_steps,
            self.files_hold.clone(),
            self.export.clone(),
            self.base.clone(),
            self.sweep.clone(),
        );
        // Each field of the file and each axis of the sweep gets its own line; deeper values stay on that line.
        let layout = PrettyConfig::new().depth_limit(2).compact_arrays(true);
        Ok(ron_options().to_string_pretty(&document, layout)? + "\n")
    }
}

/// Returns every cell in queue order, after checking each.
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
        let hold = FilesHold::of(&settings.data, files_hold);
        if let Some(hold) = &hold {
            settings.count_out(hold);
        }
        validate::settings(&settings, hold.as_ref()).map_err(|refusal| refusal.in_cell(sweep, pick))?;
        cells.push(Cell { settings, swept });
    }
    validate::idle(&cells).map_err(|(index, refusal)| refusal.in_cell(sweep, &picks[index]))?;
    Ok(cells)
}

/// Reads the text of a config file. The path `-` means standard input.
///
/// # Errors
/// Fails if the file cannot be read, is too large for a config, or is not text.
pub fn read_text(path: &Path) -> Result<String, ConfigError> {
    if path.as_os_str() == "-" {
        return read_text_from(io::stdin().lock(), path);
    }
    let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
    read_text_from(file, path)
}

/// Reads the text of a config from a stream. Messages name `path`.
///
/// # Errors
/// The same as for [`read_text`].
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
