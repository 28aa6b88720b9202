//! argv → run → exit code.

use std::process::ExitCode;

use clap::Parser;
use sharptui::cli::Cli;

fn main() -> ExitCode {
    sharptui::run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!("error: {}", sharptui::with_causes(error.as_ref()));
        sharptui::status_of(&error)
    })
}
