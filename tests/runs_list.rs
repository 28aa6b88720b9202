//! Tests of the list of the runs in a folder.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

#[path = "pty/seat.rs"]
#[allow(dead_code)] // Other tests use all of it.
mod seat;

use std::fs;
use std::path::Path;
use std::process::Command;

use portable_pty::CommandBuilder;
use seat::Seat;

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_folder_of_runs_is_listed_with_states_progress_and_best_values_and_one_that_is_torn_says_why() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let place = tempfile::tempdir().unwrap();
    for name in ["finished", "stopped", "killed"] {
        copy(&fixtures.join("runs").join(name), &place.path().join(name));
    }
    copy(&fixtures.join("foreign/events"), &place.path().join("logs"));
    fs::create_dir(place.path().join("torn")).unwrap();
    fs::write(place.path().join("torn/config.ron"), "(model: Mlp(").unwrap();
    fs::create_dir(place.path().join("empty")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sharptui"))
        .env("LC_ALL", "C.UTF-8")
        .arg("attach")
        .arg(place.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let row = |name: &str| -> Vec<String> {
        let line = printed.lines().find(|line| line.starts_with(&format!("{name}  ")));
        let line = line.unwrap_or_else(|| panic!("{name}\n{printed}"));
        line.split("  ")
            .map(str::trim)
            .filter(|field| !field.is_empty())
            .map(str::to_owned)
            .collect()
    };
    println!("{printed}");
    assert_eq!(row("finished")[1], "complete");
    assert_eq!(row("stopped")[1], "stopped");
    assert_eq!(row("logs")[2..], ["2", "-", "85.00 % (cell 0)", "-", "30 to 33.33"]);
    assert_eq!(row("torn")[1], "unreadable");
    assert!(
        printed.contains("torn: ") && printed.contains("torn/config.ron"),
        "{printed}"
    );
    assert!(!printed.contains("empty"), "{printed}");
}

#[test]
fn a_run_is_opened_from_the_list_and_left_for_it_again() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let place = tempfile::tempdir().unwrap();
    copy(&fixtures.join("runs/finished"), &place.path().join("finished"));
    copy(&fixtures.join("foreign/events"), &place.path().join("logs"));
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sharptui"));
    command.args(["attach", place.path().to_str().unwrap()]);
    let mut seat = Seat::start(command, (100, 30), &[]);
    seat.wait_for("complete");
    seat.wait_for("30.0 to 33.3");
    seat.press("\r");
    seat.wait_for("3 of 3 cells done");
    seat.press("\u{1b}");
    seat.wait_for("Enter open");
    seat.press("j");
    seat.press("\r");
    seat.wait_for("this program does not control it");
    seat.press("a");
    seat.wait_for("another program trains this run: `abort` does nothing here");
    seat.press("q");
    seat.wait_for("Enter open");
    seat.press("q");
    assert_eq!(seat.wait_for_the_end(), 0);
}
