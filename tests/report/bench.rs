//! Run directories for tests, from a configuration and the ending and last values of each cell.

use std::fs;
use std::path::{Path, PathBuf};

use sharptui::config::Experiment;
use sharptui::curve::Across;
use sharptui::event::{CellEnding, LambdaPoint, Point, StopReason, Summary};
use sharptui::record::{RunDir, RunInfo, RunState};
use sharptui::report;
use sharptui::setup;
use tempfile::TempDir;

/// The ending of a cell that finished all its epochs.
pub const FINISHED: CellEnding = CellEnding::Finished(StopReason::Epochs);

/// A run directory that is still locked by its writer.
pub struct Bench {
    /// The folder, which is deleted when this value is dropped.
    _folder: TempDir,
    pub run: RunDir,
    pub experiment: Experiment,
}

/// How a cell ended, its last λ_max on the first probe, and its last test accuracy in percent.
pub type Ended = (CellEnding, f64, f64);

impl Bench {
    /// Creates a run directory; `settings` are added to those that every configuration here has.
    pub fn new(settings: &str) -> Self {
        let text = format!("(name: \"made\", model: Mlp(widths: [4]), epochs: 3, {settings})");
        let experiment = Experiment::parse(&text, Path::new("made.ron")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path(), "made").unwrap();
        run.write_config(&experiment.to_ron().unwrap()).unwrap();
        run.write_run(&RunInfo {
            rounding: 2,
            version: "9.8.7".to_owned(),
            device: "abacus".to_owned(),
            host: "desk".to_owned(),
            data_dir: None,
            seeds: vec![0],
            cells: experiment.cells.len(),
            started: "2026-11-24T10:57:03Z".to_owned(),
            ended: None,
            state: RunState::Running,
            config: String::new(),
            data: Vec::new(),
            sizes: Vec::new(),
            threads: None,
        })
        .unwrap();
        Self {
            _folder: folder,
            run,
            experiment,
        }
    }

    /// Creates a run directory in which every cell has ended; `ended` returns how, from the cell's swept settings.
    pub fn ended(settings: &str, ended: impl Fn(&dyn Fn(&str) -> String) -> Ended) -> Self {
        let bench = Self::new(settings);
        for cell in 0..bench.experiment.cells.len() {
            let swept = &bench.experiment.cells[cell].swept;
            let value = |name: &str| swept.iter().find(|(own, _)| own == name).unwrap().1.clone();
            bench.end(cell, &ended(&value));
        }
        bench
    }

    /// Ends a cell, with a curve of three points.
    pub fn end(&self, cell: usize, ended: &Ended) {
        self.end_with(cell, ended, |_| {});
    }

    /// Ends a cell like [`end`](Self::end), with `change` applied to its summary.
    pub fn end_with(&self, cell: usize, ended: &Ended, change: impl FnOnce(&mut Summary)) {
        self.end_measured(cell, ended, |_| {}, change);
    }

    /// Ends a cell like [`end_with`](Self::end_with), with `measure` applied to each point, before the summary has it.
    pub fn end_measured(
        &self,
        cell: usize,
        (ending, lambda, accuracy): &Ended,
        measure: impl Fn(&mut Point),
        change: impl FnOnce(&mut Summary),
    ) {
        let settings = &self.experiment.cells[cell].settings;
        let entries: Vec<(String, String)> = settings
            .entries()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let mut writer = self.run.begin_cell(cell, &entries).unwrap();
        let mut summary = Summary::default();
        for (step, share) in [(0, 2.0), (10, 1.5), (20, 1.0)] {
            for probe in 0..settings.probes.len() {
                // The other probes have ten times the λ_max of the first.
                let lambda = LambdaPoint {
                    lambda_max: lambda * share * if probe == 0 { 1.0 } else { 10.0 },
                    lambda_converged: true,
                    lambda_probe: probe,
                    lambda_on: settings.probes[probe].describe(settings),
                    ..LambdaPoint::default()
                };
                let mut point = Point {
                    step,
                    lambda: Some(lambda),
                    ..Point::default()
                };
                let threshold = setup::optimizer(settings).threshold(settings.learning_rate);
                if let Some(threshold) = threshold {
                    point.values.set("threshold", threshold);
                }
                if probe == 0 {
                    point.values.set("train_loss", 0.1 * share);
                    point.values.set("train_accuracy", 0.95);
                    point.values.set("test_loss", 0.5 * share);
                    point.values.set("test_accuracy", accuracy / 100.0);
                }
                measure(&mut point);
                writer.append(&point).unwrap();
                summary.take_in(&point);
            }
        }
        change(&mut summary);
        writer.finish(ending, &summary).unwrap();
    }

    /// Writes these points of a cell, and its ending if it has one.
    pub fn write(&self, cell: usize, points: &[Point], ending: Option<&CellEnding>) {
        let settings = self.experiment.cells[cell].settings.entries();
        let entries: Vec<(String, String)> = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let mut writer = self.run.begin_cell(cell, &entries).unwrap();
        let mut summary = Summary::default();
        for point in points {
            writer.append(point).unwrap();
            summary.take_in(point);
        }
        if let Some(ending) = ending {
            writer.finish(ending, &summary).unwrap();
        }
    }

    /// Writes the report and returns its Markdown.
    pub fn report(&self) -> String {
        let html = report::write(self.run.path(), None, Across::Steps).unwrap();
        assert_eq!(html, self.run.path().join("report.html"));
        fs::read_to_string(self.run.path().join("report.md")).unwrap()
    }

    pub fn cell_path(&self, cell: usize) -> PathBuf {
        self.run.cell_path(cell)
    }
}

/// Fails unless `report` contains all of `parts`.
pub fn says(report: &str, parts: &[&str]) {
    for part in parts {
        assert!(report.contains(part), "{part}\n\nis not in\n\n{report}");
    }
}
