//! The shape of the house: which room may know which.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file of a room: `src/ROOM.rs` and what lies in `src/ROOM/`.
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

/// Fails if a file of `room` has `word`.
fn knows_nothing_of(room: &str, word: &str) {
    for file in files(room) {
        let text = fs::read_to_string(&file).unwrap();
        let line = text
            .lines()
            .find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
        assert!(
            line.is_none(),
            "{} knows of `{word}`: {}",
            file.display(),
            line.unwrap_or_default()
        );
    }
}

#[test]
fn each_room_imports_only_the_rooms_it_may_know() {
    let may_know: &[(&str, &[&str])] = &[
        ("characters", &[]),
        ("cli", &["characters", "device"]),
        ("config", &["number", "suggest"]),
        ("curvature", &["model", "number"]),
        ("data", &["config", "user_folders"]),
        ("device", &["relaunch"]),
        ("event", &[]),
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
        ("model", &["config"]),
        ("monitor", &["event", "statistics"]),
        ("number", &[]),
        ("plain", &["characters", "event", "monitor", "number"]),
        ("record", &["event", "number"]),
        ("relaunch", &[]),
        ("report", &["config", "event", "number", "record", "statistics"]),
        ("signals", &[]),
        ("statistics", &[]),
        ("suggest", &[]),
        (
            "sweep",
            &[
                "config",
                "curvature",
                "data",
                "device",
                "event",
                "model",
                "number",
                "record",
                "train",
            ],
        ),
        ("train", &["config", "curvature", "data", "event", "model", "number"]),
        (
            "tui",
            &[
                "characters",
                "event",
                "machine",
                "monitor",
                "number",
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
                "live",
                "machine",
                "monitor",
                "plain",
                "record",
                "signals",
                "sweep",
                "tui",
            ],
        ),
    ];
    let listed: Vec<&str> = may_know.iter().map(|(room, _)| *room).collect();
    assert_eq!(rooms(), listed, "every room is listed here");
    for (room, known) in may_know {
        for other in listed.iter().filter(|other| *other != room && !known.contains(other)) {
            knows_nothing_of(room, &format!("crate::{other}"));
        }
    }
}

#[test]
fn tensors_stay_out_of_the_screen_and_the_screen_out_of_everything_else() {
    for room in [
        "characters",
        "cli",
        "config",
        "event",
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
fn libtorch_is_met_where_operations_are_chosen_and_by_its_crate_alone() {
    for room in rooms() {
        if !["device", "model"].contains(&room.as_str()) {
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
        // Arguments are refused before anything runs.
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
