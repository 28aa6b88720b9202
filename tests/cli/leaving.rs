//! Tests a process that must end immediately while it computes: libraries must not be torn down while it does.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Command;

use super::{Place, text};

/// One step of full-batch gradient descent takes many seconds on a CPU.
const ENDLESS: &str = "(
    model: Mlp(widths: [4096, 4096, 4096]), learning_rate: 0.01, batch_size: Full, chunk_size: 2000, steps: 1000,
    loss_limit: 1e30, lambda_every: Ends, probes: [(examples: 1000)],
)";

/// A library that writes a file when it is torn down. LibTorch tears down many static objects in the same way.
const LIBRARY: &str = r#"
#include <stdio.h>
#include <stdlib.h>
__attribute__((destructor)) static void take_down(void) {
    const char *path = getenv("TAKEN_DOWN");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) fclose(file);
}
"#;

/// Compiles the library, if there is a compiler.
fn library(folder: &Path) -> Option<std::path::PathBuf> {
    let (source, library) = (folder.join("down.c"), folder.join("libdown.so"));
    fs::write(&source, LIBRARY).unwrap();
    let mut compiler = Command::new("cc");
    let made = compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
    made.status().is_ok_and(|status| status.success()).then_some(library)
}

#[test]
fn what_libraries_have_made_is_not_taken_down_under_a_training_thread() {
    let place = Place::with(ENDLESS);
    let Some(library) = library(place.folder.path()) else {
        eprintln!("skipped: there is no C compiler");
        return;
    };
    let taken_down = place.path("taken-down");
    let command = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("LD_PRELOAD", &library).env("TAKEN_DOWN", &taken_down);
        command
    };
    // A normal exit tears the library down.
    assert!(command(&["--version"]).output().unwrap().status.success());
    if fs::remove_file(&taken_down).is_err() {
        eprintln!("skipped: LD_PRELOAD does not work here");
        return;
    }
    let mut child = command(&["--plain", "--device", "flex", "small.ron"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("begins") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it began");
    }
    let ask = || {
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    };
    ask();
    while !line.contains("interrupt again to leave immediately") {
        line.clear();
        assert!(
            lines.read_line(&mut line).unwrap() > 0,
            "it ended before it was asked twice"
        );
    }
    ask();
    let output = child.wait_with_output().unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}");
    let words = text(&output.stderr);
    assert_eq!(
        words,
        "stopped immediately; `sharptui resume` goes on from the last checkpoint\n"
    );
    assert!(!taken_down.exists(), "{rest}");
}
