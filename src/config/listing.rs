//! The cells of an experiment as plain text, as `sharptui check` prints them.
//!
//! ```text
//! dropout: 4 cells, 12000 steps planned in all
//!
//! in every cell
//!   data                  FashionMnistSubset
//!   …
//!
//! cell  dropout  seed  planned steps
//! 000   0.0      0     3000
//! …
//! ```

use super::{Cell, Experiment};
use crate::number::count::counted;

impl Experiment {
    /// Returns the largest number of steps that all cells together can take.
    #[must_use]
    pub fn planned_steps(&self) -> u64 {
        self.cells
            .iter()
            .map(|cell| cell.settings.planned_steps())
            .fold(0, u64::saturating_add)
    }

    /// Returns the settings that are the same in every cell, because no axis varies them, as (name, value).
    #[must_use]
    pub fn shared_entries(&self) -> Vec<(&'static str, String)> {
        let Some(Cell { settings, swept }) = self.cells.first() else {
            return Vec::new();
        };
        let is_swept = |name| swept.iter().any(|(swept, _)| swept == name);
        settings
            .entries()
            .into_iter()
            .filter(|(name, _)| !is_swept(*name))
            .collect()
    }

    /// Returns a listing for people: the settings that all cells share, and a table of those that differ.
    #[must_use]
    pub fn listing(&self) -> String {
        let shared: Vec<_> = self
            .shared_entries()
            .into_iter()
            .map(|(name, value)| vec![name.to_owned(), value])
            .collect();
        let is_known = self.cells.iter().all(|cell| planned(cell).is_some());
        let steps = if is_known {
            counted(self.planned_steps(), "step")
        } else {
            "? steps".to_owned()
        };
        format!(
            "{}: {}, {} planned in all\n{}{}\nin every cell\n{}\n{}",
            self.name,
            counted(self.cells.len() as u64, "cell"),
            steps,
            if is_known {
                ""
            } else {
                "? stands for steps that a run counts when it reads the files of the data\n"
            },
            self.cut_at_steps
                .map(|steps| format!("every cell is cut at {steps} steps\n"))
                .unwrap_or_default(),
            aligned(&shared, "  "),
            aligned(&self.table(), ""),
        )
    }

    /// Returns the header and one row per cell.
    fn table(&self) -> Vec<Vec<String>> {
        let names = self
            .cells
            .first()
            .into_iter()
            .flat_map(|cell| cell.swept.iter().map(|(name, _)| name.clone()));
        let header = ["cell".to_owned()]
            .into_iter()
            .chain(names)
            .chain(["planned steps".to_owned()])
            .collect();
        let rows = self.cells.iter().enumerate().map(|(index, cell)| {
            let values = cell.swept.iter().map(|(_, value)| value.clone());
            let steps = planned(cell).map_or_else(|| "?".to_owned(), |steps| steps.to_string());
            // Three digits, as in the names of the cells' directories.
            [format!("{index:03}")]
                .into_iter()
                .chain(values)
                .chain([steps])
                .collect()
        });
        [header].into_iter().chain(rows).collect()
    }
}

/// Returns the planned steps of a cell; `None` if epochs limit them and the number of examples is not known yet.
fn planned(cell: &Cell) -> Option<u64> {
    let is_known = cell.settings.train_len() > 0 || cell.settings.epochs.is_none();
    is_known.then(|| cell.settings.planned_steps())
}

/// Formats rows with left-aligned columns.
fn aligned(rows: &[Vec<String>], indent: &str) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text += format!("{indent}{}", cells.join("  ")).trim_end();
        text.push('\n');
    }
    text
}
