//! Tests that the shell commands of README and book run as they are written, in the order of the pages.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{blocks, page, pages, root};

/// A sweep of two cells that takes a second, in place of the configurations that are named.
const SMALL: &str = "(
    model: Mlp(widths: [8]), learning_rate: 0.1, batch_size: 50, epochs: 2,
    train_examples: 200, test_examples: 100, lambda_every: Steps(3), probes: [(examples: 50)],
    sweep: (seed: [0, 1]),
)";

/// Begins the comment that says what a command needs and no test has. A comment on a line of its own is about the rest
/// of its block.
const NEEDS: &str = "# needs ";

/// Commands of developers: of CI, or slow ones that CI runs in another form.
const OF_DEVELOPERS: &[&str] = &[
    "cargo test",
    "cargo test --features tch",
    "cargo bench --bench speed",
    "cargo doc -p sharpness --open",
    "cargo run --release -p sharpness --example lambda_max",
    "cargo run --release -p sharpness --example edge_of_stability",
    "cargo install --path .",
    "cargo install mdbook --locked",
    "mdbook serve docs --open",
    ".cargo/libtorch",
];

/// Returns the lines of the shell blocks of `text`, with their comments, without blocks that need something.
fn lines(text: &str) -> Vec<String> {
    let blocks = blocks(text, &["sh", "bash", "console"]);
    let runnable = blocks.iter().filter(|block| !block.starts_with(NEEDS));
    let lines = runnable.flat_map(|block| block.lines()).map(str::trim);
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A folder with small configurations under the names of the shipped ones, in which a reader types.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fs::create_dir(folder.join("configs")).unwrap();
    for entry in fs::read_dir(root().join("configs")).unwrap() {
        let name = entry.unwrap().file_name();
        if Path::new(&name).extension().is_some() {
            fs::write(folder.join("configs").join(name), SMALL).unwrap();
        }
    }
    for home in [
        ".local/share/bash-completion/completions",
        ".local/share/man/man1",
        ".config/fish/completions",
        "bin",
    ] {
        fs::create_dir_all(folder.join(home)).unwrap();
    }
    // `man` is not on every machine.
    let man = folder.join("bin/man");
    fs::write(&man, "#!/bin/sh\nexec cat\n").unwrap();
    let mut permissions = fs::metadata(&man).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&man, permissions).unwrap();
    place
}

/// Runs a line of a shell in `folder`; returns its exit status and what it printed.
fn shell(line: &str, folder: &Path) -> (bool, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_sharptui")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let bin = folder.join("bin");
    let output = Command::new("bash")
        .args(["-o", "pipefail", "-c", line])
        .current_dir(folder)
        .env("PATH", format!("{}:{}:{path}", bin.display(), program.display()))
        .env("HOME", folder)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn every_command_of_the_book_runs_or_says_what_it_needs() {
    let place = place();
    let folder = place.path();
    // The runs that the pages speak of were made before.
    for name in ["dropout", "edge_of_stability", "learning_rate"] {
        let (ran, printed) = shell(&format!("sharptui configs/{name}.ron"), folder);
        assert!(ran, "{name}: {printed}");
    }
    let (mut run, mut marked) = (0, 0);
    for file in std::iter::once(root().join("README.md")).chain(pages()) {
        for line in lines(&page(&file)) {
            let command = line.split(" #").next().unwrap().trim();
            if line.contains(NEEDS) {
                marked += 1;
                continue;
            }
            if OF_DEVELOPERS.contains(&command) {
                continue;
            }
            let typed = command.replace("cargo run --release -- ", "sharptui ");
            assert!(
                typed.starts_with("sharptui "),
                "{}: {line}: is run by no test",
                file.display()
            );
            let (succeeded, printed) = shell(&typed, folder);
            // Every run here ends too soon to be found in progress.
            let none_in_progress = typed == "sharptui attach" && printed.contains("no run");
            assert!(succeeded || none_in_progress, "{}: {line}\n{printed}", file.display());
            run += 1;
        }
    }
    assert!(run > 25 && marked > 3, "{run} {marked}");
}
