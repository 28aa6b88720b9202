//! `.cargo/package` packs a program with all that belongs to it. The programs here are scripts in place of one that took
//! minutes to build.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program of this build prints the pages, whatever is packed.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sharptui");

fn python_is_missing() -> bool {
    let missing = Command::new("python3").arg("--version").output().is_err();
    if missing {
        eprintln!("skipped: there is no python3");
    }
    missing
}

/// Runs `.cargo/package KIND` on a script, and returns what it printed.
fn package(kind: &[&str], script: &str, out: &Path) -> Output {
    let program = out.join("program");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.cargo/package"))
        .args(kind)
        .args(["--pages-of", PROGRAM, "--program"])
        .arg(&program)
        .arg("--out")
        .arg(out.join("packages"))
        .env("SOURCE_DATE_EPOCH", "1000000000")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn only_file(folder: &Path, ending: &str) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = files.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_archive_has_the_program_its_pages_configurations_and_licences_and_is_the_same_each_time() {
    if python_is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let packages = folder.path().join("packages");
    let script = "#!/bin/sh\necho \"packed: $*\"\n";
    package(&["binary"], script, folder.path());
    let first = fs::read(only_file(&packages, ".tar.gz")).unwrap();
    package(&["binary"], script, folder.path());
    let archive = only_file(&packages, ".tar.gz");
    assert!(
        first == fs::read(&archive).unwrap(),
        "two archives of the same files differ"
    );
    let name = archive
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .strip_suffix(".tar.gz")
        .unwrap();
    assert!(
        name.starts_with(concat!("sharptui-", env!("CARGO_PKG_VERSION"), "-")),
        "{name}"
    );

    run("sha256sum", &["--check", "--strict", "SHA256SUMS"], &packages);
    run("tar", &["xzf", archive.to_str().unwrap()], &packages);
    let root = packages.join(name);
    let said = run(root.join("sharptui").to_str().unwrap(), &["a", "b"], &packages);
    assert_eq!(said, "packed: a b\n");
    let names = |place: &str| {
        let entries = fs::read_dir(root.join(place)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let pages = names("share/man/man1");
    for page in ["sharptui.1", "sharptui-resume.1", "sharptui-export.1"] {
        assert!(pages.iter().any(|name| name == page), "{page} of {pages:?}");
    }
    for completion in [
        "bash-completion/completions/sharptui",
        "zsh/site-functions/_sharptui",
        "fish/vendor_completions.d/sharptui.fish",
    ] {
        assert!(
            fs::read_to_string(root.join("share").join(completion))
                .unwrap()
                .contains("resume")
        );
    }
    assert!(names("configs").iter().any(|name| name == "dropout.ron"));
    let licences = fs::read_to_string(root.join("LICENSES-OF-CRATES")).unwrap();
    assert!(licences.contains("\nratatui ") && licences.contains("Permission is hereby granted"));
    assert!(
        !licences.contains("\ntch ") && !licences.contains("\ninsta "),
        "a crate that is not in the program"
    );
}

#[test]
fn the_version_says_the_back_ends() {
    let said = run(PROGRAM, &["--version"], Path::new("."));
    let back_ends: &[&str] = if cfg!(feature = "tch") {
        &["flex", "libtorch "]
    } else {
        &["flex"]
    };
    assert!(
        said.starts_with(concat!("sharptui ", env!("CARGO_PKG_VERSION"), " (")),
        "{said}"
    );
    assert!(back_ends.iter().all(|back_end| said.contains(back_end)), "{said}");
}
