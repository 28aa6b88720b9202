//! argv → run → exit code.

use std::process::ExitCode;

use sharptui::characters::{self, Glyphs};
use sharptui::cli;

fn main() -> ExitCode {
    // Set before the arguments are parsed: errors about arguments are printed in these characters, too.
    characters::settle(std::env::args_os().any(|argument| argument == "--ascii"));
    sharptui::run(&cli::parse()).unwrap_or_else(|error| {
        let words = format!("error: {}", sharptui::with_causes(error.as_ref()));
        eprintln!("{}", Glyphs::of_output().spelled(words));
        sharptui::status_of(&error)
    })
}
