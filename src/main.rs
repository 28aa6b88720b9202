//! argv → run → exit code.

use std::process::ExitCode;

use sharptui::characters::{self, Glyphs};
use sharptui::cli;

fn main() -> ExitCode {
    // Before the arguments are understood: what is wrong with them is printed, too.
    characters::settle(std::env::args_os().any(|argument| argument == "--ascii"));
    sharptui::run(&cli::parse()).unwrap_or_else(|error| {
        let words = format!("error: {}", sharptui::with_causes(error.as_ref()));
        eprintln!("{}", Glyphs::of_output().spelled(words));
        sharptui::status_of(&error)
    })
}
