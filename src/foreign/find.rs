//! The search for files of a known format below a folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::At;
use super::{FORMATS, ForeignError, Format};
use crate::record;

/// Limits of the search below a folder. A folder with more is not a folder of runs.
const MOST_ENTRIES: usize = 100_000;
const DEEPEST: usize = 8;

/// Returns the first format of which there are files, with the files and their runs, ordered by name.
pub(super) fn find(path: &Path) -> Result<Option<FoundFiles>, ForeignError> {
    let mut all = Vec::new();
    if path.is_file() {
        all.push(path.to_owned());
    } else {
        let (mut seen, mut count) = (BTreeSet::new(), 0);
        search(path, DEEPEST, &mut seen, &mut count, &mut all)?;
    }
    let below = if path.is_file() {
        path.parent().unwrap_or(path)
    } else {
        path
    };
    for format in FORMATS {
        let is_of = |file: &&PathBuf| {
            file.file_name()
                .is_some_and(|name| format.is_file(&name.to_string_lossy()))
        };
        let mut files: Vec<(String, PathBuf)> = all
            .iter()
            .filter(is_of)
            .map(|file| {
                let run = format.run_of(file.strip_prefix(below).unwrap_or(file));
                (run.to_string_lossy().into_owned(), file.clone())
            })
            .collect();
        if !files.is_empty() {
            files.sort_by(|(run, file), (other_run, other)| natural(run, other_run).then_with(|| file.cmp(other)));
            return Ok(Some((format, files)));
        }
    }
    Ok(None)
}

/// A format, and its files with their runs.
pub(super) type FoundFiles = (&'static dyn Format, Vec<(String, PathBuf)>);

fn search(
    folder: &Path,
    depth: usize,
    seen: &mut BTreeSet<PathBuf>,
    count: &mut usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), ForeignError> {
    // The tables of a run directory are no curves of another program.
    if depth < DEEPEST && record::find_config(folder).is_ok() {
        return Ok(());
    }
    // A link may lead back.
    if !seen.insert(folder.canonicalize().at("open", folder)?) {
        return Ok(());
    }
    for entry in fs::read_dir(folder).at("list", folder)? {
        let path = entry.at("list", folder)?.path();
        *count += 1;
        if *count > MOST_ENTRIES {
            let (path, limit) = (folder.to_owned(), MOST_ENTRIES);
            return Err(ForeignError::TooMany { path, limit });
        }
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden {
            continue;
        }
        // A file may vanish meanwhile.
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() && depth > 0 => match search(&path, depth - 1, seen, count, found) {
                // A folder of somebody else.
                Err(ForeignError::Io { .. }) => {}
                other => other?,
            },
            Ok(about) if about.is_file() => found.push(path),
            _ => {}
        }
    }
    Ok(())
}

/// Orders names so that "run 2" comes before "run 10".
pub(crate) fn natural(one: &str, other: &str) -> std::cmp::Ordering {
    fn parts(name: &str) -> Vec<(&str, Option<u128>)> {
        let is_digit = |letter: char| letter.is_ascii_digit();
        let mut parts = Vec::new();
        let mut rest = name;
        while let Some(first) = rest.chars().next() {
            let end = rest
                .find(|letter| is_digit(letter) != is_digit(first))
                .unwrap_or(rest.len());
            let (part, others) = rest.split_at(end);
            parts.push((part, part.parse().ok()));
            rest = others;
        }
        parts
    }
    let (one_parts, other_parts) = (parts(one), parts(other));
    for (a, b) in one_parts.iter().zip(&other_parts) {
        let order = match (a.1, b.1) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.0.cmp(b.0),
        };
        if order.is_ne() {
            return order;
        }
    }
    one_parts.len().cmp(&other_parts.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_ordered_by_their_size() {
        let mut names = ["run_10", "run_2", "a/2", "a/10", "a", "run_02", "b1c", "b1"];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(names, ["a", "a/2", "a/10", "b1", "b1c", "run_02", "run_2", "run_10"]);
    }
}
