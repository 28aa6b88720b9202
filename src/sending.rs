//! `sharptui submit`: makes the run directory if it is new, and sends its unfinished cells to Slurm.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::characters::as_typed;
use crate::cli::{RunningArgs, SubmitArgs};
use crate::config::{self, Experiment};
use crate::event::{CellIndex, Event};
use crate::number::count::counted;
use crate::submit::{Script, Submission};
use crate::sweep::told_by_disk;
use crate::watch::print;

/// Variables of the environment that a task needs to find the libraries that this process has found.
const LIBRARIES: [&str; 1] = ["LD_LIBRARY_PATH"];

/// Sends cells to Slurm. `make` makes the run directory of a new run from its experiment, and returns it.
pub(crate) fn submit(
    args: &SubmitArgs,
    make: impl FnOnce(Experiment) -> anyhow::Result<PathBuf>,
) -> anyhow::Result<ExitCode> {
    let (run_dir, name, cells) = if args.what.is_dir() {
        let (name, cells) = left(&args.what)?;
        (args.what.clone(), name, cells)
    } else {
        new_run(args, make)?
    };
    let folder = env::current_dir().context("the current folder cannot be found")?;
    let submission = Submission {
        run_dir: std::path::absolute(&run_dir).unwrap_or_else(|_| run_dir.clone()),
        cells,
        cells_per_task: args.cells_per_task.map(|count| count as usize),
        script: Script {
            name,
            program: env::current_exe().context("this program cannot be found")?,
            folder,
            options: options(&args.running),
            environment: LIBRARIES
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), env::var(name).ok()?)))
                .collect(),
        },
        sbatch: args.sbatch.clone(),
    };
    if args.dry_run {
        print(&submission.script_text())?;
        return Ok(ExitCode::SUCCESS);
    }
    for sent in submission.send()? {
        let tasks = counted(sent.slices.len() as u64, "task");
        print(&format!("job {}: {tasks}\n", sent.job))?;
    }
    print(&format!("watch it with: sharptui attach {}\n", as_typed(&run_dir)))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the run directory of a new run, its name and its cells. A trial run makes no folder.
fn new_run(
    args: &SubmitArgs,
    make: impl FnOnce(Experiment) -> anyhow::Result<PathBuf>,
) -> anyhow::Result<(PathBuf, String, Vec<CellIndex>)> {
    let text = config::read_text(&args.what)?;
    let experiment = Experiment::parse(&text, &args.what)?;
    let name = experiment.name.clone();
    let cells = (0..experiment.cells.len()).collect();
    if args.dry_run {
        return Ok((args.out.join(&name), name, cells));
    }
    Ok((make(experiment)?, name, cells))
}

/// Returns the name of a run, and the cells that are left to train.
fn left(run_dir: &Path) -> anyhow::Result<(String, Vec<CellIndex>)> {
    let events = told_by_disk(run_dir)?;
    let again: Vec<CellIndex> = events
        .iter()
        .filter_map(|event| match event {
            Event::CellRetried { cell } => Some(*cell),
            _ => None,
        })
        .collect();
    let plan = events.into_iter().find_map(|event| match event {
        Event::SweepStarted(plan) => Some(plan),
        _ => None,
    });
    let plan = plan.context("the run directory has no plan")?;
    let is_left = |(cell, planned): (CellIndex, &crate::event::CellPlan)| {
        let ended = planned.ended.as_ref();
        let is_over = ended.is_some_and(|(ending, _)| !ending.is_run_again()) && !again.contains(&cell);
        (!is_over).then_some(cell)
    };
    let cells = plan.cells.iter().enumerate().filter_map(is_left).collect();
    Ok((plan.name, cells))
}

/// Returns the options that every task gets.
fn options(args: &RunningArgs) -> Vec<String> {
    let mut options = vec![
        "--device".to_owned(),
        args.place.device.to_string(),
        "--runners".to_owned(),
        args.runners.to_string(),
        "--checkpoint-every".to_owned(),
        args.checkpoint_every.to_string(),
    ];
    if let Some(data) = &args.place.data {
        let data = std::path::absolute(data).unwrap_or_else(|_| data.clone());
        options.extend(["--data".to_owned(), data.display().to_string()]);
    }
    options
}
