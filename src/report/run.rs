//! A run directory, read for a report: its cells, what each of them counts for, and what it measured last.

use std::path::Path;

use super::axis::Axis;
use crate::config::{Cell as Planned, Experiment, MeasuredOn};
use crate::event::{CellEnding, CellIndex, Finish, Point, Summary};
use crate::quantity::{LAMBDA_MAX, TEST_ACCURACY};
use crate::record::{self, CellFound, RecordError, RunInfo};

/// A run, as far as it is.
pub(super) struct Run {
    /// The name of the sweep.
    pub(super) name: String,
    /// `run.json`, if it can be read.
    pub(super) info: Option<RunInfo>,
    /// What the sweep varies besides the seed, in the order of its axes.
    pub(super) axes: Vec<Axis>,
    /// Every cell in queue order.
    pub(super) cells: Vec<Cell>,
    /// In words, what each λ_max is measured on; the first is the one that tables show.
    pub(super) probes: Vec<String>,
    /// Whether cells train until something is reached.
    pub(super) has_aim: bool,
    /// What could not be read.
    pub(super) gaps: Vec<String>,
}

/// A cell.
pub(super) struct Cell {
    /// Its place in the queue, from 0, as its folder and `summary.csv` have it.
    pub(super) index: usize,
    /// Which level of each axis it has.
    pub(super) levels: Vec<usize>,
    /// Its seed.
    pub(super) seed: u64,
    /// What it counts for.
    pub(super) standing: Standing,
    /// Its last values, if it has ended.
    pub(super) summary: Option<Summary>,
    /// λ_max on each probe, as last measured.
    pub(super) lambdas: Vec<Option<Lambda>>,
    /// Its curves.
    pub(super) points: Vec<Point>,
}

/// What a cell counts for, by the rule that the screen has, too: see [`CellEnding::finish`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// It finished, and is compared with others.
    Compared,
    /// It used up its budget before it reached its aim: shown, but not compared with cells that fit better.
    Unreached,
    /// It is named and left out; why.
    LeftOut(String),
}

/// A measurement of λ_max.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lambda {
    pub(super) value: f64,
    pub(super) converged: bool,
    /// Whether it converged, after the last step.
    pub(super) counts: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// λ_max on a probe.
    Lambda(usize),
    /// Share of the test set classified correctly, in percent.
    TestAccuracy,
}

impl Cell {
    /// A measure at the end of the cell, if it was made and is worth something.
    pub(super) fn value(&self, measure: Measure) -> Option<f64> {
        let value = match measure {
            Measure::Lambda(probe) => self.lambdas.get(probe)?.filter(|lambda| lambda.counts)?.value,
            Measure::TestAccuracy => self.summary.as_ref()?.last(&TEST_ACCURACY)? * 100.0,
        };
        value.is_finite().then_some(value)
    }
}

impl Run {
    /// Reads a run directory, without its lock, so that it may go on meanwhile. What the cells of `again` came to does not count.
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
            }
            cell.levels = all_axes.iter().map(|axis| axis.level_of(&planned.swept)).collect();
            cells.push(cell);
        }
        // The seed is what a combination is repeated over, not what is studied.
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

    /// The cells that are compared with each other.
    pub(super) fn compared(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| cell.standing == Standing::Compared)
    }

    /// Every measure that findings are about, the first probe's λ_max and the accuracy first.
    pub(super) fn measures(&self) -> Vec<Measure> {
        let further = (1..self.probes.len()).map(Measure::Lambda);
        [Measure::Lambda(0), Measure::TestAccuracy]
            .into_iter()
            .chain(further)
            .collect()
    }

    /// λ_max in words, with its probe where there are several.
    pub(super) fn lambda_words(&self, probe: usize) -> String {
        match self.probes.get(probe) {
            Some(words) if self.probes.len() > 1 => format!("λ_max ({words})"),
            _ => "λ_max".to_owned(),
        }
    }
}

fn read_cell(index: usize, planned: &Planned, found: Option<&CellFound>, gaps: &mut Vec<String>) -> Cell {
    let ended = found.and_then(|found| found.ended.clone()).map(|mut ended| {
        // Written since cells have aims.
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
                        "cell {index:03}: line {} of metrics.jsonl is not whole and was not read",
                        torn.line
                    ));
                }
                points = metrics.points;
            }
            Err(error) => gaps.push(format!("cell {index:03} has no curves: {error}")),
        }
    }
    let standing = match (found, &ended) {
        (Some(found), Some(ended)) => standing(planned, found, &ended.ending, &ended.summary),
        (Some(_), None) => Standing::LeftOut("unfinished".to_owned()),
        (None, _) => Standing::LeftOut("not begun".to_owned()),
    };
    let summary = ended.map(|ended| ended.summary);
    Cell {
        index,
        levels: Vec::new(),
        seed: planned.settings.seed,
        standing,
        lambdas: lambdas(planned.settings.probes.len(), summary.as_ref(), &points),
        summary,
        points,
    }
}

fn standing(planned: &Planned, found: &CellFound, ending: &CellEnding, summary: &Summary) -> Standing {
    let Some(finish) = ending.finish(summary) else {
        let why = ending.failure().map_or_else(String::new, |why| format!(": {why}"));
        return Standing::LeftOut(format!("{}{why}", ending.word()));
    };
    // A cell that ran under other settings than the configuration gives answers another question.
    let own = record::read_settings(&found.path).ok();
    let asked = planned.settings.entries();
    let changed = own.into_iter().flatten().find_map(|(name, value)| {
        let (_, asked) = asked.iter().find(|(asked, text)| *asked == name && *text != value)?;
        Some(format!("ran with {name} {value}, where the configuration has {asked}"))
    });
    match (changed, finish) {
        (Some(changed), _) => Standing::LeftOut(changed),
        (None, Finish::ByHand) => Standing::LeftOut("its learning rate was changed by hand".to_owned()),
        (None, Finish::AimMissed) => Standing::Unreached,
        (None, Finish::AsPlanned) => Standing::Compared,
    }
}

/// λ_max on each probe: the first as `summary.csv` has it, the others as last measured.
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

/// In words, each probe; all that there are, where cells differ in them.
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
