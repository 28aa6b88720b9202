//! Cells that are added to a run after it began: one more seed of a cell, or more values of an axis.

use std::collections::HashSet;
use std::path::Path;

use super::document::{ADD, parse_added};
use super::schema::{ron_options, text};
use super::settings::Overrides;
use super::sweep::{Axis, TOGETHER};
use super::validate::{self, Refusal};
use super::{Added, Cell, ConfigError, Experiment, FilesHold, MAX_CELLS, Settings};

/// The settings that decide which examples a run has. The marks of the data in `run.json` are those of the first start,
/// so no later start may read others.
const FIXED: [&str; 4] = ["data", "train_examples", "test_examples", "subset"];

impl Experiment {
    /// Returns a copy of the cell at index `base` with another seed, or `None` if there is no such cell.
    #[must_use]
    pub fn with_seed(&self, base: usize, seed: u64) -> Option<Cell> {
        let mut cell = self.cells.get(base)?.clone();
        cell.settings.seed = seed;
        put(&mut cell.swept, "seed", seed.to_string());
        Some(cell)
    }

    /// Returns the next unused seed for the cell at index `base`: one more than the largest seed among the cells that
    /// equal it in all other settings. Returns `None` if there is no such cell or no larger seed.
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

    /// Appends cells to the experiment. Messages name `path`, the file in which they are listed.
    ///
    /// # Errors
    /// Fails if a cell is like one that does not exist before it, or if its values are not allowed.
    pub fn with_added(self, added: impl IntoIterator<Item = Added>, path: &Path) -> Result<Self, ConfigError> {
        self.with_all(added).map_err(|refusal| refusal.in_file(path))
    }

    pub(super) fn with_all(mut self, added: impl IntoIterator<Item = Added>) -> Result<Self, Refusal> {
        for added in added {
            let place = format!("added[{}]", self.added.len());
            let cell = self.cell_of(&added).map_err(|refusal| refusal.at(&place))?;
            self.cells.push(cell);
            self.added.push(added);
        }
        Ok(self)
    }

    /// Returns the cell that `added` describes.
    fn cell_of(&self, added: &Added) -> Result<Cell, Refusal> {
        let none = || {
            Refusal::new(
                "",
                format!("like is {}; it must be below {}", added.like, self.cells.len()),
            )
        };
        if added.values.is_empty() {
            return self.with_seed(added.like, added.seed).ok_or_else(none);
        }
        let like = self.cells.get(added.like).ok_or_else(none)?;
        let values: Overrides = ron_options()
            .from_str(&added.values)
            .map_err(|error| Refusal::new("", format!("values is not a list of settings: {}", error.code)))?;
        let mut cell = self.changed(like, &values)?;
        if cell.settings.seed != added.seed {
            cell.settings.seed = added.seed;
            put(&mut cell.swept, "seed", added.seed.to_string());
        }
        Ok(cell)
    }

    /// Returns a copy of a cell with other values, after checking it.
    fn changed(&self, like: &Cell, values: &Overrides) -> Result<Cell, Refusal> {
        let mut cell = like.clone();
        values.onto(&mut cell.settings);
        for (name, value) in values.entries() {
            put(&mut cell.swept, name, value);
        }
        if let Some(steps) = self.cut_at_steps {
            cell.settings.cut_at(steps.get());
        }
        let hold = FilesHold::of(&cell.settings.data, &self.files_hold);
        validate::settings(&cell.settings, hold.as_ref())?;
        Ok(cell)
    }

    /// Returns the cells that are to be added for more values of axes, such as `seed: [5, 6]`: one for each value and
    /// combination of the other settings that has no cell yet, one value after the other.
    ///
    /// # Errors
    /// Fails if the text is not RON, if a name is no setting or not an axis of this experiment, if a value has all its
    /// cells already or is not allowed, or if there would be too many cells. Messages begin with `--add`.
    pub fn additions(&self, text: &str) -> Result<Vec<Added>, ConfigError> {
        let refuse = |refusal: Refusal| refusal.without_sweep().in_file(Path::new(ADD));
        let more = parse_added(text)?;
        validate::sweep(&more).map_err(refuse)?;
        let mut all = self.clone();
        let mut additions = Vec::new();
        for axis in &more.axes {
            self.may_grow(axis).map_err(refuse)?;
            let new = all.along(axis).map_err(refuse)?;
            all = all.with_all(new.iter().cloned()).map_err(refuse)?;
            additions.extend(new);
        }
        if additions.is_empty() {
            return Err(refuse(Refusal::new(
                "",
                "names no values; list some, such as `seed: [5, 6]`",
            )));
        }
        Ok(additions)
    }

    /// Checks that this experiment has an axis of the same settings, or that it is one of seeds.
    fn may_grow(&self, axis: &Axis) -> Result<(), Refusal> {
        let names = axis.names();
        let refuse = |message: String| Err(Refusal::new(axis.key, message));
        if let Some(fixed) = names.iter().find(|name| FIXED.contains(name)) {
            return refuse(format!(
                "no value of `{fixed}` can be added: the examples of a run are those with which it began; start a new run"
            ));
        }
        let same = |own: &&Axis| own.names() == names;
        let others: Vec<String> = self.sweep.axes.iter().map(in_words).collect();
        let swept = |name: &&&str| self.sweep.axes.iter().any(|own| own.names().contains(name));
        if self.sweep.axes.iter().any(|own| same(&own)) || (names == ["seed"] && names.iter().find(swept).is_none()) {
            return Ok(());
        }
        let axes = if others.is_empty() {
            "nothing".to_owned()
        } else {
            others.join(", ")
        };
        refuse(format!(
            "{} is not an axis of this run, which sweeps {axes}; values can be added to these{}, and other settings need a \
             new run",
            in_words(axis),
            if others.is_empty() { " or to `seed`" } else { "" }
        ))
    }

    /// Returns the cells to add for the values of one axis.
    fn along(&self, axis: &Axis) -> Result<Vec<Added>, Refusal> {
        let mut known: HashSet<String> = self.cells.iter().map(|cell| key(&cell.settings)).collect();
        let mut additions = Vec::new();
        for (index, entry) in axis.entries.iter().enumerate() {
            let before = additions.len();
            for (like, cell) in self.cells.iter().enumerate() {
                let place = |name: &str| entry.names().contains(&name).then(|| axis.path(index, name));
                let cell = self.changed(cell, entry).map_err(|refusal| refusal.at_setting(place))?;
                if known.insert(key(&cell.settings)) {
                    let is_seed = entry.names() == ["seed"];
                    additions.push(Added {
                        like,
                        seed: cell.settings.seed,
                        values: if is_seed { String::new() } else { text(entry) },
                    });
                }
            }
            if additions.len() == before {
                let values: Vec<String> = entry.entries().into_iter().map(|(_, value)| value).collect();
                let message = format!(
                    "{} has all its cells already; leave it out (`sharptui resume` without it runs those that are left)",
                    values.join(", ")
                );
                return Err(Refusal::new(format!("sweep.{}[{index}]", axis.key), message));
            }
        }
        let cells = self.cells.len() + additions.len();
        if cells > MAX_CELLS {
            let message = format!("the run would have {cells} cells, and at most {MAX_CELLS} are allowed");
            return Err(Refusal::new(axis.key, message));
        }
        Ok(additions)
    }
}

/// Sets a swept setting of a cell.
fn put(swept: &mut Vec<(String, String)>, name: &str, value: String) {
    match swept.iter_mut().find(|(own, _)| own == name) {
        Some((_, own)) => *own = value,
        None => swept.push((name.to_owned(), value)),
    }
}

/// Returns a text that is the same for settings that mean the same.
fn key(settings: &Settings) -> String {
    text(settings).replace(":-0.0,", ":0.0,")
}

/// Names an axis for a message.
fn in_words(axis: &Axis) -> String {
    let names: Vec<String> = axis.names().iter().map(|name| format!("`{name}`")).collect();
    if axis.key == TOGETHER {
        format!("{} together", names.join(" and "))
    } else {
        names.join(" and ")
    }
}
