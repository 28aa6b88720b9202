//! What the README says is so: its commands, its keys, its options and the files that it names.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use sharptui::cli::Cli;
use sharptui::tui::keys;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The names of the commands that the program has.
fn subcommands() -> Vec<String> {
    let commands = Cli::command();
    commands
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect()
}

fn help(arguments: &[String]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
    command.env("LC_ALL", "C.UTF-8");
    let output = command.args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of the code blocks that are for a shell, in their order.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_shell = None;
    for line in text.lines() {
        match (in_shell, line.strip_prefix("```")) {
            (None, Some(language)) => in_shell = Some(["sh", "bash", "console"].contains(&language.trim())),
            (Some(_), Some(_)) => in_shell = None,
            (Some(true), None) => {
                let command = line.split(" #").next().unwrap_or_default().trim();
                if !command.is_empty() && !command.starts_with('#') {
                    commands.push(command.trim_start_matches("$ ").to_owned());
                }
            }
            _ => {}
        }
    }
    commands
}

/// The pieces of `text` between what cannot be part of an option or of a path.
fn words(text: &str) -> Vec<&str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || "-_./".contains(letter)))
        .collect()
}

#[test]
fn the_first_commands_run_a_shipped_sweep_and_the_tests() {
    let commands = commands(&readme());
    assert_eq!(
        commands[..2],
        ["cargo run --release -- configs/dropout.ron", "cargo test"]
    );
}

#[test]
fn every_configuration_that_is_named_is_shipped() {
    let readme = readme();
    let words = words(&readme).into_iter();
    let named: Vec<&str> = words
        .filter(|word| {
            word.starts_with("configs/") && Path::new(word).extension().is_some_and(|ending| ending == "ron")
        })
        .collect();
    assert!(!named.is_empty());
    for path in named {
        assert!(root().join(path).is_file(), "{path}");
    }
}

#[test]
fn the_table_of_keys_is_that_of_the_program() {
    assert!(
        readme().contains(&keys::markdown_table()),
        "put this into the README:\n{}",
        keys::markdown_table()
    );
}

#[test]
fn every_option_and_every_command_is_mentioned() {
    let readme = readme();
    let mentioned = words(&readme);
    let commands = subcommands();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in std::iter::once(&[][..]).chain(commands.chunks(1)) {
        let help = help(command);
        let options = words(&help).into_iter().filter(|word| word.starts_with("--"));
        for option in options.filter(|option| !["--help", "--version"].contains(option)) {
            assert!(mentioned.contains(&option), "{command:?} {option}");
        }
        let said = command.iter().all(|name| readme.contains(&format!("sharptui {name}")));
        assert!(said, "{command:?}");
    }
}

#[test]
fn libtorch_is_set_up_by_the_script_that_is_named_in_the_version_that_it_installs() {
    let script = fs::read_to_string(root().join(".cargo/libtorch")).unwrap();
    let version = script.lines().find_map(|line| line.strip_prefix("TORCH=")).unwrap();
    assert!(readme().contains(&format!("installs LibTorch {version}")), "{version}");
    assert!(commands(&readme()).iter().any(|command| command == ".cargo/libtorch"));
}

#[test]
fn the_help_is_as_reviewed() {
    insta::assert_snapshot!("sweep", help(&[]));
    for command in subcommands() {
        insta::assert_snapshot!(command.clone(), help(&[command]));
    }
}
