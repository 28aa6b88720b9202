//! Rules for the file: its name, missing settings, and the form of the sweep.

use std::collections::HashMap;
use std::path::Path;

use super::{Refusal, Verdict};
use crate::config::MAX_CELLS;
use crate::config::error::shortened;
use crate::config::sweep::{Axis, Sweep, TOGETHER};

/// The largest length of a name: short enough for a directory on every file system.
const LONGEST_NAME: usize = 64;

/// Returns the given name, or else the file's name without its extension.
pub(in crate::config) fn name(given: Option<&str>, path: &Path) -> Result<String, Refusal> {
    const ALLOWED: &str = "1 to 64 of the letters a-z and A-Z, digits, `-`, `_` and `.`, not beginning with `.`, since it names a directory";
    let is_pipe = path.as_os_str() == "-"
        || ["/dev/fd", "/proc/self/fd"]
            .iter()
            .any(|folder| path.starts_with(folder));
    let stem = if is_pipe {
        "stdin".into()
    } else {
        path.file_stem().unwrap_or_default().to_string_lossy()
    };
    let name = given.unwrap_or(&stem);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('.') {
        return Ok(name.to_owned());
    }
    let name = shortened(name, 2 * LONGEST_NAME);
    let message = match given {
        Some(_) => format!("{name:?} is not a name: it must be {ALLOWED}"),
        None => format!("is missing, and the file's name, {name:?}, cannot be used: it must be {ALLOWED}"),
    };
    Err(Refusal::new("name", message))
}

/// Returns the refusal for a setting that has no default and is not given.
pub(in crate::config) fn missing(setting: &'static str) -> Refusal {
    let example = match setting {
        "model" => "Mlp(widths: [256, 256])",
        "learning_rate" => "0.05",
        _ => "…",
    };
    Refusal::new(
        setting,
        format!("is missing; set it, such as `{setting}: {example}`, or sweep it"),
    )
}

/// Checks the form of a sweep. The settings of its cells are checked later, cell by cell.
pub(in crate::config) fn sweep(sweep: &Sweep) -> Verdict {
    for axis in &sweep.axes {
        has_entries(axis)?;
        entries_name_the_same(axis)?;
    }
    each_setting_once(sweep)?;
    few_enough_cells(sweep)?;
    sweep.axes.iter().try_for_each(entries_differ)
}

fn has_entries(axis: &Axis) -> Verdict {
    if axis.entries.is_empty() {
        let message = "is an empty list, which gives no cell; list values or leave it out";
        return Err(Refusal::new(format!("sweep.{}", axis.key), message));
    }
    Ok(())
}

fn entries_name_the_same(axis: &Axis) -> Verdict {
    let first = axis.names();
    for (index, entry) in axis.entries.iter().enumerate() {
        let field = format!("sweep.{}[{index}]", axis.key);
        if entry.names().is_empty() {
            return Err(Refusal::new(
                field,
                "sets nothing; name the settings that change together",
            ));
        }
        if entry.names() != first {
            let message = format!(
                "sets {}, but sweep.{TOGETHER}[0] sets {}: all entries of one `{TOGETHER}` must set the same settings",
                listed(&entry.names()),
                listed(&first)
            );
            return Err(Refusal::new(field, message));
        }
    }
    Ok(())
}

fn entries_differ(axis: &Axis) -> Verdict {
    let mut seen = HashMap::new();
    for (index, entry) in axis.entries.iter().enumerate() {
        let values = entry
            .entries()
            .into_iter()
            // −0 and 0 mean the same for every setting.
            .map(|(_, value)| if value == "-0.0" { "0.0".to_owned() } else { value })
            .collect::<Vec<_>>()
            .join(", ");
        if let Some(first) = seen.get(&values) {
            let key = axis.key;
            let message = format!("is the same as sweep.{key}[{first}], {values}; leave one out");
            return Err(Refusal::new(format!("sweep.{key}[{index}]"), message));
        }
        seen.insert(values, index);
    }
    Ok(())
}

fn each_setting_once(sweep: &Sweep) -> Verdict {
    let mut seen = Vec::new();
    for axis in &sweep.axes {
        for name in axis.names() {
            if seen.contains(&name) {
                let message = format!("`{name}` is swept a second time; list its values in one place");
                return Err(Refusal::new(format!("sweep.{}", axis.key), message));
            }
            seen.push(name);
        }
    }
    Ok(())
}

fn few_enough_cells(sweep: &Sweep) -> Verdict {
    let sizes: Vec<String> = sweep.axes.iter().map(|axis| axis.entries.len().to_string()).collect();
    let count = match sweep.cell_count() {
        Some(count) if count <= MAX_CELLS => return Ok(()),
        Some(count) => count.to_string(),
        None => "more cells than can be counted".to_owned(),
    };
    let message = format!(
        "makes {} = {count} cells, and at most {MAX_CELLS} are allowed",
        sizes.join(" × ")
    );
    Err(Refusal::new("sweep", message))
}

fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
