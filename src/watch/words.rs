//! What stands in the terminal of a run that is left, or that has ended.

use std::path::Path;

use crate::characters::as_typed;
use crate::event::SweepEnding;
use crate::{plain, sweep};

/// What stands in the terminal where the sweep goes on.
pub(crate) fn detached_line(run_dir: &Path) -> String {
    let place = as_typed(run_dir);
    format!("training goes on in {place}: `sharptui attach {place}` shows it")
}

/// What is said where no socket can be made for a run.
pub(crate) fn without_socket_line(run_dir: &Path, why: &std::io::Error) -> String {
    let (place, pid) = (as_typed(run_dir), std::process::id());
    format!(
        "this run has no socket ({why}), so no screen can steer it: `sharptui attach {place}` shows what it writes, `kill {pid}` \
         stops it with a checkpoint"
    )
}

/// The same where this process has to stay for it.
pub(crate) fn staying_line(run_dir: &Path) -> String {
    let place = as_typed(run_dir);
    format!(
        "training goes on in {place}; this is the first process of its container, which would end with it, so it stays: \
         `sharptui attach {place}` in the container shows the screen, a signal or Ctrl-C stops the sweep"
    )
}

/// What stands in the terminal once the screen is gone.
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
        SweepEnding::Failed(_) => format!("failed: what is finished is in {place}"),
    }
}
