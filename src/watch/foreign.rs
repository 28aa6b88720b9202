//! Showing runs of another program, whose files are all that there is.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use crossbeam_channel::{Receiver, unbounded};

use super::{Look, has_screen, look_on};
use crate::foreign::{self, Folder, Until};
use crate::signals::Signal;
use crate::tui;

/// Shows a folder of runs, on the screen or as plain lines.
pub(super) fn show(path: &Path, look: &Look, signals: Receiver<Signal>) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(path)?;
    if !has_screen() {
        let events = foreign::follow(folder, Until::Still).context("cannot start a thread")?;
        look_on(&events, signals)?;
        return Ok(ExitCode::SUCCESS);
    }
    let events = foreign::follow(folder, Until::Left).context("cannot start a thread")?;
    // Nobody takes commands.
    let (commands, _nowhere) = unbounded();
    let options = look.options();
    tui::run(&events, &commands, &signals, &options)?;
    Ok(ExitCode::SUCCESS)
}
