//! Tests of configs: valid configs load, expand and are written back; invalid configs are refused with a clear message.

// Clippy allows `unwrap` only in functions marked as tests, not in their helpers.
#![allow(clippy::unwrap_used)]

#[path = "config/expansion.rs"]
mod expansion;
#[path = "config/files.rs"]
mod files;
#[path = "config/settings.rs"]
mod settings;

use std::path::{Path, PathBuf};

use sharptui::config::{ConfigError, Experiment};

/// Returns the RON files of a folder of the repository, sorted.
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

/// Parses a config with these settings and fixed values for the mandatory ones.
fn with(settings: &str) -> Result<Experiment, ConfigError> {
    let text = format!("( model: Mlp(widths: [64]), learning_rate: 0.05, {settings} )");
    Experiment::parse(&text, Path::new("test.ron"))
}

fn cells(settings: &str) -> Vec<sharptui::config::Cell> {
    with(settings).unwrap().cells
}
