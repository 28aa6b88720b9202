//! Calls of Slurm's programs.

use std::path::Path;
use std::process::Command;

use super::SubmitError;

/// Returns the largest number of tasks of an array on this cluster, if it can be asked.
pub(super) fn largest_array() -> Option<usize> {
    let output = Command::new("scontrol").args(["show", "config"]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("MaxArraySize"))?;
    // The setting is one more than the largest index, and arrays begin at 0.
    let size: usize = line.trim_start_matches([' ', '=']).trim().parse().ok()?;
    Some(size.max(1))
}

/// Sends an array of `tasks` tasks whose slices begin at `offset`. Returns the number of the job.
pub(super) fn sbatch(script: &Path, tasks: usize, offset: usize, arguments: &[String]) -> Result<u64, SubmitError> {
    let mut command = Command::new("sbatch");
    command.arg("--parsable").arg(format!("--array=0-{}", tasks - 1));
    command.args(arguments).arg(script).arg(offset.to_string());
    let output = command.output().map_err(|why| SubmitError::NoSlurm {
        program: "sbatch".to_owned(),
        why,
    })?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let refused = |said: String| SubmitError::Refused { said };
    if !output.status.success() {
        return Err(refused(said(&output.stderr)));
    }
    // "17", or "17;cluster" on a federation.
    let text = said(&output.stdout);
    let number = text.split(';').next().unwrap_or_default();
    number
        .parse()
        .map_err(|_| refused(format!("no number of a job in `{text}`")))
}
