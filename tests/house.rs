//! Tests of the architecture: which room (top-level module) may import which, and that files do not import one another
//! in a circle.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

#[path = "house/imports.rs"]
mod imports;
#[path = "house/tokens.rs"]
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use imports::{Module, Source, circles, named_of_root};

fn source() -> Source {
    Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// Returns every source file of a room: `src/ROOM.rs` and the files in `src/ROOM/`.
fn files(room: &str) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![source.join(format!("{room}.rs"))];
    let mut folders = vec![source.join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.retain(|file| file.is_file());
    assert!(!files.is_empty(), "there is no room `{room}`");
    files
}

fn rooms() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names = fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path());
    let mut rooms: Vec<String> = names
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect();
    rooms.sort();
    rooms
}

/// Fails if a file of `room` contains `word` outside comments.
fn knows_nothing_of(room: &str, word: &str) {
    for file in files(room) {
        let text = fs::read_to_string(&file).unwrap();
        let line = text
            .lines()
            .find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
        assert!(
            line.is_none(),
            "{} uses `{word}`: {}",
            file.display(),
            line.unwrap_or_default()
        );
    }
}

/// The top-level modules, with those that each may import.
const MAY_KNOW: &[(&str, &[&str])] = &[
    (
        "answering",
        &["cli", "config", "device", "export", "signals", "sweep", "watch"],
    ),
    ("book", &["suggest"]),
    ("characters", &[]),
    ("cli", &["characters", "curve", "device"]),
    ("config", &["number", "suggest"]),
    ("curve", &["event", "quantity"]),
    ("data", &["config", "suggest", "user_folders"]),
    ("device", &["relaunch"]),
    ("event", &[]),
    ("event_files", &[]),
    ("export", &["config", "event", "event_files", "quantity", "record"]),
    ("exporting", &["config", "event", "export", "sweep", "train"]),
    ("foreign", &["event", "event_files", "quantity", "record"]),
    (
        "live",
        &[
            "event",
            "monitor",
            "record",
            "relaunch",
            "signals",
            "train",
            "user_folders",
        ],
    ),
    ("machine", &[]),
    ("monitor", &["curve", "event", "quantity", "statistics"]),
    ("number", &[]),
    ("plain", &["characters", "event", "monitor", "number", "quantity"]),
    ("programs", &[]),
    ("quantity", &["event"]),
    ("record", &["event", "number", "programs", "quantity"]),
    ("relaunch", &[]),
    (
        "report",
        &[
            "characters",
            "config",
            "curve",
            "event",
            "foreign",
            "number",
            "quantity",
            "record",
            "statistics",
        ],
    ),
    (
        "sending",
        &[
            "characters",
            "cli",
            "config",
            "event",
            "number",
            "submit",
            "sweep",
            "watch",
        ],
    ),
    ("setup", &["config", "event"]),
    ("signals", &[]),
    ("statistics", &[]),
    ("submit", &["event", "programs"]),
    ("suggest", &[]),
    (
        "sweep",
        &[
            "config", "data", "device", "event", "number", "quantity", "record", "relaunch", "setup", "signals",
            "train",
        ],
    ),
    ("train", &["config", "data", "event", "number", "quantity", "setup"]),
    (
        "tui",
        &[
            "characters",
            "curve",
            "event",
            "machine",
            "monitor",
            "number",
            "quantity",
            "signals",
            "statistics",
            "suggest",
            "user_folders",
        ],
    ),
    ("user_folders", &[]),
    (
        "watch",
        &[
            "characters",
            "cli",
            "event",
            "foreign",
            "live",
            "machine",
            "monitor",
            "number",
            "plain",
            "programs",
            "record",
            "signals",
            "submit",
            "sweep",
            "tui",
        ],
    ),
];

#[test]
fn each_room_imports_only_the_rooms_it_may_know() {
    let may_know = MAY_KNOW;
    let listed: Vec<&str> = may_know.iter().map(|(room, _)| *room).collect();
    assert_eq!(rooms(), listed, "every room is listed here");
    let source = source();
    for (room, known) in may_know {
        let is_unknown = |other: &str| listed.contains(&other) && other != *room && !known.contains(&other);
        for file in files(room) {
            let named = named_of_root(&fs::read_to_string(&file).unwrap());
            let unknown = named.iter().find(|other| is_unknown(other));
            assert_eq!(unknown, None, "{} may not import this room", file.display());
        }
        // Imports through `super::super`.
        for (module, path) in source
            .paths()
            .filter(|(module, _)| module.first().is_some_and(|name| name == room))
        {
            let is_known = path.first().is_none_or(|other| !is_unknown(other));
            assert!(
                is_known,
                "{} may not import {}",
                source.path(module).display(),
                path.join("::")
            );
        }
    }
}

/// The rooms of the screen, each with the rooms that it may import. The state does not import the drawing code.
#[test]
fn each_room_of_the_screen_imports_only_the_rooms_it_may_know() {
    let may_know: &[(&str, &[&str])] = &[
        ("words", &[]),
        ("page", &[]),
        ("theme", &["words"]),
        ("plot", &["theme", "words"]),
        ("keys", &["page", "words"]),
        ("state", &["keys", "page", "plot", "theme", "words"]),
        ("preferences", &["keys", "state", "theme", "words"]),
        ("charts", &["plot", "state", "theme", "words"]),
        ("panels", &["keys", "state", "theme", "words"]),
        ("overlays", &["keys", "panels", "state", "theme", "words"]),
        ("screen", &["charts", "overlays", "panels", "state", "theme"]),
        ("terminal", &[]),
        ("driver", &["charts", "preferences", "screen", "state", "terminal"]),
        ("list", &["terminal", "theme", "words"]),
    ];
    let source = source();
    let room_of = |module: &Module| match module.as_slice() {
        [screen, room, ..] if screen == "tui" => Some(room.clone()),
        _ => None,
    };
    for (module, imported) in source.imports() {
        let Some(room) = room_of(&module) else { continue };
        let (_, known) = may_know
            .iter()
            .find(|(name, _)| **name == room)
            .unwrap_or_else(|| panic!("`{room}` is not listed here"));
        for other in imported.iter().filter_map(room_of).filter(|other| *other != room) {
            assert!(
                known.contains(&other.as_str()),
                "{} may not import `{other}`",
                source.path(&module).display()
            );
        }
    }
}

#[test]
fn no_files_import_one_another_in_a_circle() {
    // In these rooms, the files with the traits of layers and operators also combine their implementations.
    const LEFT_OUT: [&str; 2] = ["curvature", "model"];
    let source = source();
    let mut imports = source.imports();
    for (module, imported) in &mut imports {
        let room = module.first();
        let is_left_out = room.is_some_and(|room| LEFT_OUT.contains(&room.as_str()));
        imported.retain(|other| !(is_left_out && other.first() == room));
    }
    let shown = circles(&imports).into_iter().map(|way| {
        let files: Vec<String> = way
            .iter()
            .chain(way.first())
            .map(|file| source.path(file).display().to_string())
            .collect();
        files.join("\n    imports ")
    });
    let shown: Vec<String> = shown.collect();
    assert!(
        shown.is_empty(),
        "files that import one another:\n{}",
        shown.join("\nand\n")
    );
}

fn imports_of(edges: &[(&str, &str)]) -> BTreeMap<Module, BTreeSet<Module>> {
    let module = |path: &str| -> Module { path.split("::").map(str::to_owned).collect() };
    let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (from, to) in edges {
        imports.entry(module(from)).or_default().insert(module(to));
        imports.entry(module(to)).or_default();
    }
    imports
}

#[test]
fn a_circle_counts_unless_it_is_a_file_with_the_modules_beneath_it() {
    let round = |edges: &[(&str, &str)]| circles(&imports_of(edges)).first().map_or(0, Vec::len);
    assert_eq!(round(&[("a", "b"), ("b", "c"), ("a", "c")]), 0);
    assert_eq!(round(&[("a", "b"), ("b", "c"), ("c", "a")]), 3);
    assert_eq!(round(&[("a", "a::b"), ("a::b", "a")]), 0, "one thing in two files");
    assert_eq!(
        round(&[("a", "a::b"), ("a::b", "a::c"), ("a::c", "a")]),
        0,
        "one thing in three"
    );
    assert_eq!(
        round(&[("a::b", "a::c"), ("a::c", "a::b"), ("a", "a::b"), ("a::b", "a")]),
        2
    );
    assert_eq!(
        round(&[("a", "b"), ("b", "a::c"), ("a::c", "a")]),
        3,
        "it leaves the folder"
    );
}

#[test]
fn rooms_are_seen_in_every_form_of_a_path() {
    let text = r##"
        use crate::{config, event::{Event, Point as Measured}, number::fixed};
        pub(crate) use crate::plain::*; // crate::cli
        /* crate::data */ const WORDS: &str = r#"crate::live"#;
        fn f<'a>(letter: &'a crate::tui::Scene) -> char { println!("{}", crate::sweep::told()); '"' }
        #[cfg(test)]
        mod tests { use crate::report; }
    "##;
    let named: Vec<String> = named_of_root(text).into_iter().collect();
    assert_eq!(named, ["config", "event", "number", "plain", "report", "sweep", "tui"]);
}

#[test]
fn tensors_stay_out_of_the_screen_and_the_screen_out_of_everything_else() {
    for room in [
        "book",
        "characters",
        "cli",
        "config",
        "curve",
        "event",
        "event_files",
        "export",
        "foreign",
        "monitor",
        "number",
        "plain",
        "record",
        "relaunch",
        "report",
        "signals",
        "statistics",
        "suggest",
        "tui",
        "user_folders",
        "watch",
    ] {
        knows_nothing_of(room, "burn");
    }
    for room in rooms().iter().filter(|room| *room != "report") {
        knows_nothing_of(room, "kuva");
    }
    for room in rooms().iter().filter(|room| *room != "tui") {
        knows_nothing_of(room, "ratatui");
        knows_nothing_of(room, "crossterm");
    }
    for room in rooms().iter().filter(|room| *room != "device") {
        knows_nothing_of(room, "Device::");
    }
}

#[test]
fn the_library_is_met_by_the_rooms_that_compute_and_libtorch_where_devices_are_chosen() {
    for room in rooms() {
        if !["setup", "sweep", "train"].contains(&room.as_str()) {
            knows_nothing_of(&room, "sharpness::");
        }
        if room != "device" {
            knows_nothing_of(&room, "sharptui_libtorch");
        }
        knows_nothing_of(&room, " tch::");
        knows_nothing_of(&room, "torch_sys");
    }
}

#[test]
fn no_duration_hangs_on_a_clock_that_can_be_set() {
    for room in rooms()
        .iter()
        .filter(|room| !["record", "sweep", "report"].contains(&room.as_str()))
    {
        knows_nothing_of(room, "SystemTime");
    }
}

#[test]
fn nobody_ends_the_process_under_a_training_thread_but_the_one_who_does_it_with_care() {
    for room in rooms() {
        // `cli` rejects arguments before anything runs.
        if room != "cli" {
            knows_nothing_of(&room, "process::exit");
        }
        knows_nothing_of(&room, "process::abort");
        if room != "signals" {
            knows_nothing_of(&room, "low_level::exit");
        }
    }
    for file in ["src/lib.rs", "src/main.rs"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(
            !text.contains("process::exit") && !text.contains("low_level::exit"),
            "{file}"
        );
    }
}
