//! `queue.json`: the cells still to run, written once somebody has changed the queue.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::read::read_json;
use super::{RecordError, names};
use crate::event::CellIndex;

/// Size limit of the file; ten thousand cells and ten thousand added ones take less.
const MOST_BYTES: u64 = 4 << 20;

/// A cell that was added after the cells of the configuration. Added cells keep the order of this list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    /// Index of the cell whose settings it shares, except for the following.
    pub like: CellIndex,
    /// Its seed.
    pub seed: u64,
    /// Other settings in which it differs, as RON text, such as `(learning_rate:0.1)`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub values: String,
}

/// The cells still to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueFile {
    /// Cells that were queued when the file was written, the next one first. Unfinished cells that are not listed had
    /// already started.
    pub order: Vec<CellIndex>,
    /// Cells that had ended and will run again.
    #[serde(default)]
    pub again: Vec<CellIndex>,
    /// Cells that were added.
    pub added: Vec<Added>,
    /// Queued cells that were aborted before their turn. They are skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<CellIndex>,
}

/// Reads `queue.json` for a configuration with this number of cells. A missing file means an unchanged queue.
///
/// # Errors
/// The file cannot be read, has unexpected contents, or names cells that do not exist.
pub fn read_queue(run_dir: &Path, cells: usize) -> Result<QueueFile, RecordError> {
    let path = run_dir.join(names::QUEUE);
    if !path.exists() {
        return Ok(QueueFile::default());
    }
    let queue: QueueFile = read_json(&path, MOST_BYTES)?;
    let wrong = |reason: String| RecordError::Queue {
        path: path.clone(),
        reason,
    };
    for (at, added) in queue.added.iter().enumerate() {
        let before = cells + at;
        if added.like >= before {
            let like = added.like;
            return Err(wrong(format!("added[{at}].like is {like}; it must be below {before}")));
        }
    }
    let all = cells + queue.added.len();
    for (field, listed) in [
        ("order", &queue.order),
        ("again", &queue.again),
        ("left_out", &queue.left_out),
    ] {
        let mut seen = BTreeSet::new();
        for cell in listed {
            if *cell >= all {
                return Err(wrong(format!(
                    "{field} has cell {cell}; the run has cells 0 to {}",
                    all.saturating_sub(1)
                )));
            }
            if !seen.insert(cell) {
                return Err(wrong(format!("{field} has cell {cell} twice")));
            }
        }
    }
    Ok(queue)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<QueueFile, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(names::QUEUE), text).unwrap();
        read_queue(folder.path(), 3).map_err(|error| error.to_string())
    }

    #[test]
    fn what_nobody_changed_is_empty_and_what_was_changed_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_queue(folder.path(), 3).unwrap(), QueueFile::default());
        let text = r#"{"order":[3,1],"added":[{"like":0,"seed":7}]}"#;
        let expected = QueueFile {
            order: vec![3, 1],
            again: vec![],
            added: vec![Added {
                like: 0,
                seed: 7,
                values: String::new(),
            }],
            left_out: vec![],
        };
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn what_names_no_cell_or_one_twice_is_refused_by_its_place() {
        for (text, words) in [
            (
                r#"{"order":[3],"added":[]}"#,
                "order has cell 3; the run has cells 0 to 2",
            ),
            (r#"{"order":[1,1],"added":[]}"#, "order has cell 1 twice"),
            (r#"{"order":[],"again":[9],"added":[]}"#, "again has cell 9"),
            (r#"{"order":[],"added":[{"like":3,"seed":1}]}"#, "added[0].like is 3"),
            (r#"{"order":[],"added":[],"more":1}"#, "unknown field `more`"),
            ("[", "queue.json"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words) && error.contains("queue.json"), "{error}");
        }
    }
}
