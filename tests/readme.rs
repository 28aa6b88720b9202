//! Tests that the README and the book are correct: commands, keys, options, settings, files and links.
//!
//! `UPDATE_BOOK=1 cargo test --test readme` writes the parts of the book between `<!-- generated: … -->` and
//! `<!-- end -->`.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

#[path = "readme/commands.rs"]
mod commands;
#[path = "readme/findings.rs"]
mod findings;
#[path = "readme/links.rs"]
mod links;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{CommandFactory, Parser};
use sharptui::cli::Cli;
use sharptui::config::{self, Experiment};
use sharptui::quantity;
use sharptui::tui::keys;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// Returns the paths of the book's pages, sorted.
fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs/src")).unwrap();
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages.sort();
    pages
}

/// Returns a page, with included files inserted.
fn page(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let mut whole = String::new();
    for line in text.lines() {
        let included = line
            .strip_prefix("{{#include ")
            .and_then(|rest| rest.strip_suffix("}}"));
        match included {
            Some(name) => whole += &fs::read_to_string(path.with_file_name(name)).unwrap(),
            None => whole += line,
        }
        whole.push('\n');
    }
    whole
}

/// Returns the text of README and book together.
fn everything() -> String {
    let pages = pages().into_iter().map(|page| fs::read_to_string(page).unwrap());
    std::iter::once(readme()).chain(pages).collect::<Vec<_>>().join("\n")
}

/// Returns the output of the program.
fn program(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
    command.env("LC_ALL", "C.UTF-8");
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the names of the program's commands.
fn subcommands() -> Vec<String> {
    let commands = Cli::command();
    commands
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| command.get_name().to_owned())
        .collect()
}

fn help(arguments: &[String]) -> String {
    let arguments = arguments.iter().map(String::as_str);
    program(&arguments.chain(["--help"]).collect::<Vec<_>>())
}

/// Returns the code blocks in one of these languages.
fn blocks(text: &str, languages: &[&str]) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<(bool, String)> = None;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(language)) => block = Some((languages.contains(&language.trim()), String::new())),
            (Some(_), Some(_)) => blocks.extend(block.take().filter(|(wanted, _)| *wanted).map(|(_, text)| text)),
            (Some((_, text)), None) => text.push_str(&[line, "\n"].concat()),
            (None, None) => {}
        }
    }
    blocks
}

/// Returns the lines of the shell code blocks, in order.
fn commands(text: &str) -> Vec<String> {
    let blocks = blocks(text, &["sh", "bash", "console"]).concat();
    let lines = blocks
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default().trim());
    let commands = lines.filter(|command| !command.is_empty() && !command.starts_with('#'));
    commands
        .map(|command| command.trim_start_matches("$ ").to_owned())
        .collect()
}

/// Splits `text` at characters that cannot be part of an option or a path.
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
fn the_readme_is_short_and_leads_into_the_book() {
    let readme = readme();
    assert!(readme.len() <= 9_000, "{} bytes", readme.len());
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        // The first page of the book has the same content as the README; two pages include files of the top folder.
        let elsewhere = ["index.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].contains(&name);
        assert!(elsewhere || readme.contains(&format!("(docs/src/{name})")), "{name}");
    }
}

#[test]
fn the_keys_of_the_readme_are_keys_of_the_program() {
    let readme = readme();
    let table = keys::markdown_table();
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let named: Vec<&str> = rows.map(|(key, _)| key).collect();
    assert!(named.len() >= 6);
    for key in named {
        assert!(table.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn every_file_of_the_repository_that_is_named_is_there() {
    let text = everything();
    let folders = ["configs/", "tests/", "src/", "benches/", "crates/", ".cargo/", ".ci/"];
    let named: Vec<&str> = words(&text)
        .into_iter()
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| folders.iter().any(|folder| word.starts_with(folder)))
        .collect();
    assert!(named.iter().filter(|word| word.starts_with("configs/")).count() > 5);
    for path in named {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn every_shipped_configuration_is_named() {
    let text = everything();
    for folder in ["configs", "configs/fashion_mnist", "configs/cifar10"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let ron = Path::new(&name).extension().is_some_and(|ending| ending == "ron");
            assert!(!ron || text.contains(&format!("{folder}/{name}")), "{folder}/{name}");
        }
    }
}

#[test]
fn every_configuration_that_is_shown_can_be_run() {
    let shown = blocks(&everything(), &["ron"]);
    assert!(shown.len() > 3);
    for text in shown {
        if let Err(error) = Experiment::parse(&text, Path::new("shown.ron")) {
            panic!("{error}\n{text}");
        }
    }
}

#[test]
fn every_command_of_the_program_that_is_shown_has_arguments_that_it_takes() {
    let commands = commands(&everything());
    let ours = commands.iter().filter_map(|line| {
        ["sharptui ", "cargo run --release -- "]
            .iter()
            .find_map(|start| line.strip_prefix(start))
    });
    let mut count = 0;
    for line in ours {
        let arguments = typed(line.split(['>', '|', '&', '<']).next().unwrap());
        // For clap, `--help` and `--version` are errors that are no mistakes.
        if let Err(error) = Cli::try_parse_from(std::iter::once("sharptui".to_owned()).chain(arguments)) {
            assert!(!error.use_stderr(), "{line}: {error}");
        }
        count += 1;
    }
    assert!(count > 10, "{count}");
}

/// Splits a command into words, as a shell does: what stands in single quotes is one word.
fn typed(line: &str) -> Vec<String> {
    let pieces = line.split('\'').enumerate();
    let words = pieces.flat_map(|(index, piece)| match index % 2 {
        0 => piece.split_whitespace().map(str::to_owned).collect(),
        _ => vec![piece.to_owned()],
    });
    words.collect()
}

/// Returns the text of a generated part of the book. `name` is the text after `generated:`.
fn generated(name: &str) -> String {
    let block = |text: &str| format!("```text\n{}\n```\n", text.trim_end());
    match name.split(' ').collect::<Vec<_>>()[..] {
        ["keys"] => keys::markdown_table(),
        ["quantities"] => quantity::markdown_reference(),
        ["settings"] => config::markdown_reference(),
        ["preferences"] => block(&program(&["screen"])),
        ["help"] => block(&help(&[])),
        ["help", command] => block(&help(&[command.to_owned()])),
        _ => findings::computed(name).unwrap_or_else(|| panic!("nothing generates {name}")),
    }
}

#[test]
fn the_generated_parts_of_the_book_are_those_of_the_program() {
    const BEGIN: &str = "<!-- generated: ";
    const END: &str = "<!-- end -->";
    let mut names = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut parts = text.split(BEGIN);
        let mut fresh = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once(" -->\n").unwrap();
            let (_, after) = rest.split_once(END).unwrap();
            fresh += &[BEGIN, name, " -->\n\n", &generated(name), "\n", END, after].concat();
            names.push(name.to_owned());
        }
        if fresh != text && std::env::var_os("UPDATE_BOOK").is_some() {
            fs::write(&page, &fresh).unwrap();
        } else {
            assert!(
                fresh == text,
                "{} is out of date: UPDATE_BOOK=1 cargo test --test readme",
                page.display()
            );
        }
    }
    let parts = ["keys", "quantities", "settings", "preferences", "help"].map(str::to_owned);
    let helps = subcommands().into_iter().map(|command| format!("help {command}"));
    for name in parts.into_iter().chain(helps) {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn every_value_that_a_setting_can_have_is_told() {
    let reference = config::markdown_reference();
    for setting in [
        "data",
        "subset",
        "augment",
        "model",
        "activation",
        "loss",
        "schedule",
        "warm_up",
        "lambda_every",
        "precision",
    ] {
        let model = if setting == "model" {
            ""
        } else {
            "model: Mlp(widths: [4]), "
        };
        let text = format!("({setting}: Nonsense, {model}learning_rate: 0.1, steps: 1)");
        let error = Experiment::parse(&text, Path::new("shown.ron")).unwrap_err();
        let error = error.to_string();
        let (_, section) = reference.split_once(&format!("### `{setting}`")).unwrap();
        let section = section.split("### ").next().unwrap_or_default();
        let (_, allowed) = error.split_once("allowed:").unwrap_or_else(|| panic!("{error}"));
        let values = allowed
            .split('`')
            .filter(|word| word.starts_with(char::is_uppercase) && *word != "Nonsense");
        let mut count = 0;
        for value in values {
            assert!(section.contains(value), "{setting}: {value} is not in {section}");
            count += 1;
        }
        assert!(count > 1, "{setting}: {error}");
    }
}

#[test]
fn every_option_and_every_command_is_mentioned() {
    let text = everything();
    let mentioned = words(&text);
    let commands = subcommands();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in std::iter::once(&[][..]).chain(commands.chunks(1)) {
        let help = help(command);
        let options = words(&help).into_iter().filter(|word| word.starts_with("--"));
        for option in options.filter(|option| !["--help", "--version"].contains(option)) {
            assert!(mentioned.contains(&option), "{command:?} {option}");
        }
        let said = command.iter().all(|name| text.contains(&format!("sharptui {name}")));
        assert!(said, "{command:?}");
    }
}

#[test]
fn libtorch_is_set_up_by_the_script_that_is_named_in_the_version_that_it_installs() {
    let script = fs::read_to_string(root().join(".cargo/libtorch")).unwrap();
    let version = script.lines().find_map(|line| line.strip_prefix("TORCH=")).unwrap();
    assert!(
        everything().contains(&format!("installs LibTorch {version}")),
        "{version}"
    );
    assert!(
        commands(&everything())
            .iter()
            .any(|command| command == ".cargo/libtorch")
    );
}

/// Returns the value of a field in `[workspace.package]`.
fn shared(field: &str) -> String {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let start = format!("{field} = \"");
    let value = manifest.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
    value.trim_end_matches('"').to_owned()
}

#[test]
fn the_changelog_has_this_version_and_all_crates_have_it() {
    let version = shared("version");
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let mut versions = changelog.lines().filter_map(|line| line.strip_prefix("## ["));
    assert_eq!(versions.next(), Some("Unreleased]"));
    assert!(versions.next().unwrap().starts_with(&format!("{version}]")));
    for crate_name in ["flex", "libtorch", "sharpness"] {
        let manifest = fs::read_to_string(root().join("crates").join(crate_name).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("\nversion.workspace = true\n"), "{crate_name}");
    }
}

#[test]
fn the_oldest_rust_that_is_named_is_the_one_that_cargo_asks_for() {
    let named = format!("[Rust](https://rustup.rs) {} or later", shared("rust-version"));
    let start = fs::read_to_string(root().join("docs/src/start.md")).unwrap();
    assert!(readme().contains(&named) && start.contains(&named), "{named}");
}

#[test]
fn the_help_is_as_reviewed() {
    insta::assert_snapshot!("sweep", help(&[]));
    for command in subcommands() {
        insta::assert_snapshot!(command.clone(), help(&[command]));
    }
}
