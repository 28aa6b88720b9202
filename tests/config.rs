//! What configs promise: what is right loads, expands and is written back; what is wrong is refused in plain words.

// All of this is tests; clippy only knows it of the functions marked so.
#![allow(clippy::unwrap_used)]

#[path = "config/expansion.rs"]
mod expansion;
#[path = "config/files.rs"]
mod files;
#[path = "config/settings.rs"]
mod settings;

use std::path::{Path, PathBuf};

use sharptui::config::{ConfigError, Experiment};

/// The RON files of a folder of the repository, sorted.
fn configs_in(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ron"));
    paths.sort();
    assert!(!paths.is_empty(), "no configs in {}", folder.display());
    paths
}

/// Reads a config of which only a part matters: the rest is given.
fn with(settings: &str) -> Result<Experiment, ConfigError> {
    let text = format!("( model: Mlp(widths: [64]), learning_rate: 0.05, {settings} )");
    Experiment::parse(&text, Path::new("test.ron"))
}

fn cells(settings: &str) -> Vec<sharptui::config::Cell> {
    with(settings).unwrap().cells
}
