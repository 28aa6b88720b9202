//! Messages in the terminal after the screen was left or the run has ended.

use std::path::Path;

use crate::characters::as_typed;
use crate::event::SweepEnding;
use crate::{plain, sweep};

/// Returns the message for a sweep that continues without the screen.
pub(crate) fn detached_line(run_dir: &Path) -> String {
    let place = as_typed(run_dir);
    format!("training goes on in {place}: `sharptui attach {place}` shows it")
}

/// Returns the message for a run for which no socket can be made.
pub(crate) fn without_socket_line(run_dir: &Path, why: &std::io::Error) -> String {
    let (place, pid) = (as_typed(run_dir), std::process::id());
    format!(
        "this run has no socket ({why}): `sharptui attach {place}` shows what it writes, and sends commands about its \
         cells through the run directory; `kill {pid}` stops it with a checkpoint"
    )
}

/// Returns the message for a sweep that continues and needs this process to stay.
pub(crate) fn staying_line(run_dir: &Path) -> String {
    let place = as_typed(run_dir);
    format!(
        "training goes on in {place}; this is the first process of its container, and the container would end with it, \
         so it stays: `sharptui attach {place}` in the container shows the screen, a signal or Ctrl-C stops the sweep"
    )
}

/// Returns the message after the screen has closed and the sweep has ended.
pub(crate) fn closing_line(ended: &sweep::Ended, cells: usize, run_dir: &Path) -> String {
    let place = as_typed(run_dir);
    let failed = ended.failed.len();
    let cells = plain::counted(cells);
    match ended.ending {
        SweepEnding::Complete if failed > 0 => {
            format!("ended: {failed} of {cells} failed; `sharptui resume {place}` runs them again")
        }
        SweepEnding::Complete => format!("complete: {cells} in {place}"),
        SweepEnding::Stopped => format!("stopped with cells unfinished: `sharptui resume {place}` goes on with them"),
        SweepEnding::Failed(_) => format!("failed: the finished cells are in {place}"),
    }
}
