//! A run directory, read for a report: its cells, whether each is compared, and the last measurements of each.

use std::path::Path;

use super::axis::Axis;
use crate::config::{Cell as Planned, Experiment, MeasuredOn};
use crate::event::{CellEnding, CellIndex, Finish, Point, Summary};
use crate::quantity::{self, LAMBDA_MAX, Quantity, Subject, TEST_ACCURACY};
use crate::record::{self, CellFound, CellSummary, RecordError, RunInfo};

/// A sweep, finished or not, as its run directory shows it.
pub(super) struct Run {
    /// The name of the sweep.
    pub(super) name: String,
    /// `run.json`, if it can be read.
    pub(super) info: Option<RunInfo>,
    /// The axes of the sweep, in their order, without the seed.
    pub(super) axes: Vec<Axis>,
    /// Every cell in queue order.
    pub(super) cells: Vec<Cell>,
    /// The probes, described in words. Each has its own λ_max; most tables show the first.
    pub(super) probes: Vec<String>,
    /// Whether cells have an aim (target): a training loss or accuracy at which they stop.
    pub(super) has_aim: bool,
    /// Messages about files and lines that could not be read.
    pub(super) gaps: Vec<String>,
}

/// A cell (run of the sweep).
pub(super) struct Cell {
    /// The index, from 0: the name of its folder and its `cell` in `summary.csv`.
    pub(super) index: usize,
    /// The index of its level on each axis.
    pub(super) levels: Vec<usize>,
    /// The seed.
    pub(super) seed: u64,
    /// Whether it is compared.
    pub(super) standing: Standing,
    /// Whether it counts in the mean over the seeds of its combination: not if it ran with other settings, if its learning
    /// rate was changed by hand, or if it is to be run again.
    pub(super) is_of_combination: bool,
    /// Whether it has finished, so that its last values hold from there on.
    pub(super) is_complete: bool,
    /// The last values, if the cell has ended.
    pub(super) summary: Option<Summary>,
    /// The last measured λ_max on each probe.
    pub(super) lambdas: Vec<Option<Lambda>>,
    /// The points of its curves.
    pub(super) points: Vec<Point>,
}

/// Whether a cell is compared. The screen uses the same rule: see [`CellEnding::finish`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// It finished and is compared with other cells.
    Compared,
    /// It used up its budget before it reached its aim. It is shown, but not compared, because other cells fit better.
    Unreached,
    /// It is listed as left out, with this reason.
    LeftOut(String),
}

/// A measurement of λ_max.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lambda {
    pub(super) value: f64,
    pub(super) converged: bool,
    /// Whether it is used: it converged and was measured after the last step.
    pub(super) counts: bool,
}

/// A measure by which cells are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// λ_max on a probe.
    Lambda(usize),
    /// The part of the test set that is classified correctly, in percent.
    TestAccuracy,
}

impl Cell {
    /// Returns a measure at the end of the cell; `None` if it was not measured or is not usable.
    pub(super) fn value(&self, measure: Measure) -> Option<f64> {
        let value = match measure {
            Measure::Lambda(probe) => self.lambdas.get(probe)?.filter(|lambda| lambda.counts)?.value,
            Measure::TestAccuracy => self.summary.as_ref()?.last(&TEST_ACCURACY)? * 100.0,
        };
        value.is_finite().then_some(value)
    }

    /// Returns the value of a quantity at the end of the cell, on a probe if it belongs to probes. `None` if it was not
    /// measured after the last step, did not converge or is not finite. Without curves, the summary is taken, which has
    /// the last value on the first probe.
    pub(super) fn at_end(&self, quantity: &Quantity, probe: usize) -> Option<f64> {
        let summary = self.summary.as_ref()?;
        let has = |point: &&Point| {
            let is_own = quantity.subject == Subject::Cell || quantity::probe_of(point) == probe;
            is_own && quantity.value(point).is_some()
        };
        let is_search = quantity.converged_key().is_some();
        let (value, converged) = match self.points.iter().rev().find(has) {
            Some(point) if point.step == summary.steps => {
                let converged = quantity.outcome(point).map(|outcome| outcome.converged);
                (quantity.value(point)?, converged)
            }
            None if probe == 0 => (summary.last(quantity)?, summary.converged(quantity)),
            _ => return None,
        };
        (value.is_finite() && (!is_search || converged == Some(true))).then_some(value)
    }
}

impl Run {
    /// Reads a run directory without its lock, so the run may continue meanwhile. The cells of `again` are left out,
    /// because they are to be run again.
    pub(super) fn read(path: &Path, experiment: &Experiment, again: &[CellIndex]) -> Result<Self, RecordError> {
        let mut gaps = Vec::new();
        let info = record::read_run(path)
            .map_err(|error| gaps.push(error.to_string()))
            .ok();
        let found = record::read_cells(path)?;
        let all_axes = Axis::of(experiment);
        let mut cells = Vec::with_capacity(experiment.cells.len());
        for (index, planned) in experiment.cells.iter().enumerate() {
            let found = found.iter().find(|found| found.cell == index);
            let mut cell = read_cell(index, planned, found, &mut gaps);
            if again.contains(&index) {
                cell.standing = Standing::LeftOut("to be run again".to_owned());
                cell.is_of_combination = false;
            }
            cell.levels = all_axes.iter().map(|axis| axis.level_of(&planned.swept)).collect();
            cells.push(cell);
        }
        // Seeds are repetitions of a combination, not a setting to compare.
        let kept: Vec<bool> = all_axes.iter().map(|axis| !axis.is_seed()).collect();
        for cell in &mut cells {
            let mut keep = kept.iter();
            cell.levels.retain(|_| keep.next() == Some(&true));
        }
        Ok(Self {
            name: experiment.name.clone(),
            info,
            axes: all_axes.into_iter().filter(|axis| !axis.is_seed()).collect(),
            cells,
            probes: probe_words(experiment),
            has_aim: experiment.cells.iter().any(|planned| planned.settings.has_aim()),
            gaps,
        })
    }

    /// Returns the cells that are compared with each other.
    pub(super) fn compared(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| cell.standing == Standing::Compared)
    }

    /// Returns the axis that comes first and colours curves: the learning rate, because thresholds depend on it, else the
    /// first axis.
    pub(super) fn main_axis(&self) -> Option<usize> {
        let is_rate = |axis: &usize| self.axes[*axis].names.iter().any(|name| name == "learning_rate");
        (0..self.axes.len())
            .find(is_rate)
            .or((!self.axes.is_empty()).then_some(0))
    }

    /// Returns every measure of the findings: λ_max on the first probe, test accuracy, then λ_max on the other probes.
    pub(super) fn measures(&self) -> Vec<Measure> {
        let further = (1..self.probes.len()).map(Measure::Lambda);
        [Measure::Lambda(0), Measure::TestAccuracy]
            .into_iter()
            .chain(further)
            .collect()
    }

    /// Returns the name of λ_max, with the probe if there are several.
    pub(super) fn lambda_words(&self, probe: usize) -> String {
        match self.probes.get(probe) {
            Some(words) if self.probes.len() > 1 => format!("λ_max ({words})"),
            _ => "λ_max".to_owned(),
        }
    }
}

fn read_cell(index: usize, planned: &Planned, found: Option<&CellFound>, gaps: &mut Vec<String>) -> Cell {
    let ended = found.and_then(|found| found.ended.clone()).map(|mut ended| {
        // Files of earlier versions, in which cells had no aims, lack this field.
        let summary = &mut ended.summary;
        summary.reached_aim = summary
            .reached_aim
            .or(ended.ending.reached_aim(planned.settings.has_aim()));
        ended
    });
    let mut points = Vec::new();
    if let Some(found) = found {
        match record::read_metrics(&found.path) {
            Ok(metrics) => {
                if let Some(torn) = metrics.torn {
                    gaps.push(format!(
                        "cell {index:03}: line {} of metrics.jsonl is incomplete and was not read",
                        torn.line
                    ));
                }
                points = metrics.points;
            }
            Err(error) => gaps.push(format!("cell {index:03} has no curves: {error}")),
        }
    }
    let changed = found.and_then(|found| changed(planned, found));
    let standing = match (found, &ended) {
        (Some(_), Some(ended)) => standing(changed.clone(), &ended.ending, &ended.summary),
        (Some(_), None) => Standing::LeftOut("unfinished".to_owned()),
        (None, _) => Standing::LeftOut("not started".to_owned()),
    };
    let by_hand = points.iter().any(|point| point.changed_by_hand.is_some());
    let is_complete = |ended: &CellSummary| matches!(ended.ending, CellEnding::Finished(_));
    Cell {
        index,
        levels: Vec::new(),
        seed: planned.settings.seed,
        standing,
        is_of_combination: changed.is_none()
            && !by_hand
            && ended.as_ref().is_none_or(|ended| !ended.summary.changed_by_hand),
        is_complete: ended.as_ref().is_some_and(is_complete),
        lambdas: lambdas(
            planned.settings.probes.len(),
            ended.as_ref().map(|ended| &ended.summary),
            &points,
        ),
        summary: ended.map(|ended| ended.summary),
        points,
    }
}

/// Returns what differs between the settings with which a cell ran and those of the configuration.
fn changed(planned: &Planned, found: &CellFound) -> Option<String> {
    let own = record::read_settings(&found.path).ok();
    let asked = planned.settings.entries();
    own.into_iter().flatten().find_map(|(name, value)| {
        let (_, asked) = asked.iter().find(|(asked, text)| *asked == name && *text != value)?;
        Some(format!("ran with {name} {value}, but the configuration has {asked}"))
    })
}

fn standing(changed: Option<String>, ending: &CellEnding, summary: &Summary) -> Standing {
    let Some(finish) = ending.finish(summary) else {
        let why = ending.failure().map_or_else(String::new, |why| format!(": {why}"));
        return Standing::LeftOut(format!("{}{why}", ending.word()));
    };
    match (changed, finish) {
        // A cell that ran with settings other than those of the configuration is not comparable.
        (Some(changed), _) => Standing::LeftOut(changed),
        (None, Finish::ByHand) => Standing::LeftOut("its learning rate was changed by hand during training".to_owned()),
        (None, Finish::AimMissed) => Standing::Unreached,
        (None, Finish::AsPlanned) => Standing::Compared,
    }
}

/// Returns λ_max on each probe: the first from the cell's summary, the others from the last points.
fn lambdas(probes: usize, summary: Option<&Summary>, points: &[Point]) -> Vec<Option<Lambda>> {
    let first = summary.and_then(|last| {
        Some(Lambda {
            value: last.last(&LAMBDA_MAX)?,
            converged: last.lambda_converged?,
            counts: last.compares_its_lambda(),
        })
    });
    let further = (1..probes).map(|probe| {
        let (point, lambda) = points.iter().rev().find_map(|point| {
            let lambda = point.lambda.as_ref().filter(|lambda| lambda.lambda_probe == probe)?;
            Some((point, lambda))
        })?;
        Some(Lambda {
            value: lambda.lambda_max,
            converged: lambda.lambda_converged,
            counts: summary.is_some_and(|last| last.compares_lambda(lambda.lambda_converged, Some(point.step))),
        })
    });
    std::iter::once(first).chain(further).collect()
}

/// Returns the description of each probe. If cells differ in a probe, it lists all variants, separated by " / ".
fn probe_words(experiment: &Experiment) -> Vec<String> {
    let mut probes: Vec<Vec<MeasuredOn>> = Vec::new();
    for planned in &experiment.cells {
        for (place, probe) in planned.settings.probes.iter().enumerate() {
            let measured_on = probe.measured_on(&planned.settings);
            if probes.len() <= place {
                probes.push(Vec::new());
            }
            if !probes[place].contains(&measured_on) {
                probes[place].push(measured_on);
            }
        }
    }
    let told = |all: Vec<MeasuredOn>| {
        let is_said = |one: &MeasuredOn| all.iter().any(|other| one.lacks_only_the_statistics_of(other));
        let whole = all.iter().filter(|one| !is_said(one)).map(ToString::to_string);
        whole.collect::<Vec<_>>().join(" / ")
    };
    probes.into_iter().map(told).collect()
}
