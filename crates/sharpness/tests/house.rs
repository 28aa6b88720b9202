//! The structure of the library: which module may import which, no circular imports, and what no module may do.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the text of every source file by its module path: `model::layers::conv`.
fn modules() -> BTreeMap<String, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut modules) = (vec![source.clone()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let within = path.strip_prefix(&source).unwrap().with_extension("");
            let name = within.to_str().unwrap().replace('/', "::");
            modules.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    assert!(modules.len() > 30, "{:?}", modules.keys());
    modules
}

/// Returns the paths that the `use` statements of a text import, without those of `pub use`.
fn imports(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let statements = text.split("\nuse ").skip(1);
    for statement in statements.map(|rest| rest.split(';').next().unwrap()) {
        expand("", &statement.replace(['\n', ' '], ""), &mut paths);
    }
    paths
}

/// Expands `a::{b, c::{d, e}}` into its paths.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((before, inside)) = tree.split_once('{') else {
        return paths.push(format!("{prefix}{tree}"));
    };
    let inside = inside.strip_suffix('}').unwrap();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inside.char_indices().chain([(inside.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&format!("{prefix}{before}"), &inside[start..at], paths);
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// Returns the files of the library that a file imports from.
fn known(module: &str, text: &str, modules: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for path in imports(text) {
        let mut here: Vec<&str> = module.split("::").collect();
        let mut segments = path.split("::").peekable();
        match segments.next() {
            Some("crate") => here.clear(),
            Some("super") => drop(here.pop()),
            _ => continue,
        }
        while segments.next_if_eq(&"super").is_some() {
            here.pop();
        }
        let deeper = |here: &[&str], next: &str| [here, &[next]].concat().join("::");
        while let Some(next) = segments.next_if(|next| modules.contains_key(&deeper(&here, next))) {
            here.push(next);
        }
        known.insert(here.join("::"));
    }
    known
}

#[test]
fn each_room_imports_only_the_rooms_it_may_know() {
    let may_know: &[(&str, &[&str])] = &[
        ("curvature", &["model", "tensor"]),
        ("lib", &[]),
        ("model", &["random", "tensor"]),
        ("optimizer", &["tensor"]),
        ("random", &[]),
        ("schedule", &[]),
        ("tensor", &[]),
    ];
    let modules = modules();
    let room = |module: &str| module.split("::").next().unwrap().to_owned();
    let rooms: BTreeSet<String> = modules.keys().map(|module| room(module)).collect();
    assert!(
        rooms.iter().eq(may_know.iter().map(|(room, _)| room)),
        "every room is listed here"
    );
    for (module, text) in &modules {
        let own = room(module);
        let (_, may_know) = may_know.iter().find(|(room, _)| *room == own).unwrap();
        for other in known(module, text, &modules) {
            let other = room(&other);
            assert!(
                other == own || may_know.contains(&other.as_str()),
                "{module} knows {other}"
            );
        }
    }
}

#[test]
fn no_files_import_one_another_in_a_circle() {
    let modules = modules();
    let mut left: BTreeMap<String, BTreeSet<String>> = modules
        .iter()
        .map(|(module, text)| (module.clone(), known(module, text, &modules)))
        .collect();
    assert!(left["model::network"].contains("model::layer"), "imports are seen");
    // Files that import no remaining file are removed; a circle remains.
    loop {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, known| !known.is_disjoint(&names));
        if left.len() == names.len() {
            break;
        }
    }
    assert!(left.is_empty(), "a circle among {left:#?}");
}

#[test]
fn it_prints_nothing_ends_nothing_and_reads_neither_environment_nor_files() {
    for (module, text) in modules() {
        for word in [
            "print!",
            "println!",
            "dbg!",
            "process::",
            "env::",
            "std::fs",
            "fs::",
            "std::net",
            "std::io",
            "Instant",
            "SystemTime",
        ] {
            let line = text
                .lines()
                .find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            assert!(line.is_none(), "{module} has `{word}`: {}", line.unwrap_or_default());
        }
    }
}
