//! TensorBoard's event files: one sub-folder per cell with its curves, and the sweep for the HPARAMS tab.

mod folder;
mod hparams;
mod tags;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::run::{Cell, Run, Sink};
use super::{Ended, ExportError, Follow, Host, Request, anew_words, say_what_is_left, say_what_is_missing};
use crate::event::{CellIndex, Finish, Point};
use crate::event_files::{scalar, summary_event};
use crate::quantity::{TEST_ACCURACY, probe_of};
use crate::record::CellSummary;
use folder::Folder;
use hparams::Settings;
use tags::{FINAL_ACCURACY, Tags, description};

/// Writes the event files of a run, and goes on until the run ends if that is wanted.
pub(super) fn write(
    run: &mut Run,
    request: &Request,
    folder: &Path,
    host: &mut dyn Host,
) -> Result<Ended, ExportError> {
    let mut curves = Curves {
        folder: Folder::open(folder, run)?,
        tags: Tags::of(run),
        settings: Settings::of(run),
        files: BTreeMap::new(),
    };
    curves.begin_sweep(run)?;
    run.read(&mut curves)?;
    curves.folder.flush()?;
    if request.follow == Follow::No {
        say_what_is_missing(run, request.run_dir, host)?;
    }
    // TensorBoard may be reading them: they are replaced, not changed.
    curves.folder.remove_earlier()?;
    host.written(folder);
    if request.follow == Follow::No {
        return Ok(Ended::Complete);
    }
    loop {
        let Some(has_ended) = request.follow.wait(run, host) else {
            return Ok(Ended::Stopped);
        };
        let anew = run.read(&mut curves)?;
        curves.folder.flush()?;
        if !anew.is_empty() {
            host.note(&anew_words(&anew, "its curves are written again"));
        }
        if has_ended {
            say_what_is_left(run, request.follow, host);
            return Ok(Ended::Complete);
        }
    }
}

/// The event files that are being written.
struct Curves {
    folder: Folder,
    tags: Tags,
    settings: Settings,
    files: BTreeMap<CellIndex, CellFile>,
}

struct CellFile {
    path: PathBuf,
    /// The last step of each curve that has begun.
    begun: BTreeMap<String, u64>,
    /// The last λ_max on each probe: value, whether it converged, step.
    lambdas: BTreeMap<usize, (f64, bool, u64)>,
}

impl Curves {
    fn begin_sweep(&mut self, run: &Run) -> Result<(), ExportError> {
        let began = run.cells.iter().filter_map(|cell| cell.clock.began());
        let began = began.reduce(f64::min).unwrap_or(0.0);
        let file = self.folder.begin(None, began)?;
        let sweep = self.settings.experiment(run, &self.tags);
        self.folder.write(&file, &summary_event(began, 0, &[sweep]))
    }
}

impl Sink for Curves {
    fn begin(&mut self, _: &Run, cell: &Cell, _: bool) -> Result<(), ExportError> {
        let name = folder::name(cell);
        let began = cell.clock.began().unwrap_or(0.0);
        let path = self.folder.begin(Some(&name), began)?;
        let start = self.settings.start(cell, &name, began);
        self.folder.write(&path, &summary_event(began, 0, &[start]))?;
        let file = CellFile {
            path,
            begun: BTreeMap::new(),
            lambdas: BTreeMap::new(),
        };
        match self.files.insert(cell.index, file) {
            // The points in it are void.
            Some(old) => self.folder.remove(&old.path),
            None => Ok(()),
        }
    }

    fn point(&mut self, _: &Run, cell: &Cell, point: &Point) -> Result<(), ExportError> {
        let Some(file) = self.files.get_mut(&cell.index) else {
            return Ok(());
        };
        if let Some(lambda) = &point.lambda {
            let last = (lambda.lambda_max, lambda.lambda_converged, point.step);
            file.lambdas.insert(lambda.lambda_probe, last);
        }
        let mut values = Vec::new();
        for (series, tag, number) in self.tags.numbers(point) {
            let last = file.begun.insert(tag.clone(), point.step);
            // Points of further probes repeat what belongs to the cell.
            if last == Some(point.step) && !series.is_of_probe() && probe_of(point) > 0 {
                continue;
            }
            let words = last.is_none().then(|| description(series, point));
            values.push(scalar(&tag, number, words.as_deref()));
        }
        for layer in &point.layers {
            let converged = f64::from(u8::from(layer.converged));
            let numbers = [
                ("lambda_max", layer.lambda_max),
                ("residual", layer.residual),
                ("converged", converged),
            ];
            for (key, number) in numbers {
                values.push(scalar(&format!("layers/{key}/{}", layer.name), number, None));
            }
        }
        let time = cell.clock.time(point.seconds).unwrap_or(0.0);
        self.folder.write(&file.path, &summary_event(time, point.step, &values))
    }

    fn end(&mut self, _: &Run, cell: &Cell) -> Result<(), ExportError> {
        let (Some(file), Some(ended)) = (self.files.get(&cell.index), &cell.ended) else {
            return Ok(());
        };
        let CellSummary { ending, summary } = ended;
        let time = cell.clock.time(summary.seconds).unwrap_or(0.0);
        let mut values = vec![hparams::end(ending, time)];
        // As in reports: cells that did not finish as their settings say are not compared, nor is an unconverged λ_max.
        let has_finished = matches!(ending.finish(summary), Some(Finish::AsPlanned | Finish::AimMissed));
        let mut result = |tag: &str, value: Option<f64>| {
            let value = value.filter(|_| has_finished).unwrap_or(f64::NAN);
            values.push(scalar(tag, value, Some("The value at the end of the cell.")));
        };
        result(FINAL_ACCURACY, summary.last(&TEST_ACCURACY));
        for probe in 0..self.tags.probes() {
            let last = file.lambdas.get(&probe);
            let last = last.filter(|(_, converged, step)| summary.compares_lambda(*converged, Some(*step)));
            result(&self.tags.final_lambda(probe), last.map(|(value, _, _)| *value));
        }
        self.folder
            .write(&file.path, &summary_event(time, summary.steps, &values))
    }
}
