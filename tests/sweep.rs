//! The queue: what is aborted, what fails, what is left, and what a resume makes of it.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::unbounded;
use sharptui::config::Experiment;
use sharptui::device::{DeviceChoice, open};
use sharptui::event::{CellEnding, Command, Event, SweepEnding};
use sharptui::record::{RunDir, read_cells, read_metrics};
use sharptui::sweep::{Datasets, Ended, Sweep};
use sharptui::train::{Control, Outbox};

const THREE: &str = "(
    model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 20, steps: 3, train_examples: 60, test_examples: 40,
    probes: [(examples: 20)], sweep: (seed: [0, 1, 2]),
)";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn run_dir(&self) -> PathBuf {
        self.folder.path().join("sweep")
    }

    /// Runs what is left of `config` here, with `commands` given beforehand.
    fn run(&self, config: &str, commands: &[Command]) -> (Ended, Vec<Event>) {
        let run_dir = if self.run_dir().exists() {
            RunDir::open(&self.run_dir()).unwrap()
        } else {
            RunDir::create(self.folder.path(), "sweep").unwrap()
        };
        let experiment = Experiment::parse(config, Path::new("sweep.ron")).unwrap();
        run_dir.write_config(&experiment.to_ron().unwrap()).unwrap();
        let device = open(DeviceChoice::Flex).unwrap();
        let datasets = Datasets::new(device.device.clone(), Some(self.folder.path().to_owned()));
        let sweep = Sweep::new(experiment, device, run_dir, datasets, Duration::from_mins(1)).unwrap();
        let (to_trainer, commands_out) = unbounded();
        for &command in commands {
            to_trainer.send(command).unwrap();
        }
        let (events_in, events) = unbounded();
        let ended = sweep.run(&mut Control::new(commands_out), &mut Outbox::new(events_in));
        (ended, events.try_iter().collect())
    }

    /// How each cell that has a folder ended.
    fn endings(&self) -> Vec<(usize, CellEnding)> {
        let cells = read_cells(&self.run_dir()).unwrap().into_iter();
        cells
            .filter_map(|found| Some((found.cell, found.ended?.ending)))
            .collect()
    }
}

fn started(events: &[Event]) -> Vec<usize> {
    let cells = events.iter().filter_map(|event| match event {
        Event::CellStarted { cell } => Some(*cell),
        _ => None,
    });
    cells.collect()
}

#[test]
fn a_cell_aborted_before_its_turn_is_left_out_for_good() {
    let place = Place::new();
    let (ended, events) = place.run(THREE, &[Command::Abort(1)]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0, 2]);
    assert_eq!(place.endings()[1], (1, CellEnding::Aborted));

    let (ended, events) = place.run(THREE, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert!(started(&events).is_empty());
}

#[test]
fn an_abort_outlives_a_stop_that_comes_before_its_turn() {
    let place = Place::new();
    let (ended, events) = place.run(THREE, &[Command::Abort(2), Command::Quit]);
    assert_eq!(ended.ending, SweepEnding::Stopped);
    assert!(started(&events).is_empty());
    assert_eq!(place.endings(), [(2, CellEnding::Aborted)]);

    let (ended, events) = place.run(THREE, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0, 1]);
}

#[test]
fn a_cell_during_which_the_process_died_does_not_keep_the_others_from_their_turn() {
    let place = Place::new();
    place.run(THREE, &[Command::Quit]);
    let run_dir = RunDir::open(&place.run_dir()).unwrap();
    drop(run_dir.begin_cell(0, &[]).unwrap());
    drop(run_dir);
    let (ended, events) = place.run(THREE, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [1, 2, 0]);
}

#[test]
fn a_cell_that_fails_says_why_and_neither_ends_the_sweep_nor_counts_as_done() {
    let place = Place::new();
    let config = THREE.replace("seed: [0, 1, 2]", "data: [FashionMnistSubset, Mnist], seed: [0, 1]");
    let (ended, events) = place.run(&config, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0, 1, 2, 3]);
    let failed: Vec<usize> = ended.failed.iter().map(|(cell, _)| *cell).collect();
    assert_eq!(failed, [2, 3]);
    assert!(
        ended.failed[0].1.contains("train-images-idx3-ubyte"),
        "{}",
        ended.failed[0].1
    );

    let (_, events) = place.run(&config, &[]);
    assert_eq!(started(&events), [2, 3], "what failed is tried again");
}

#[test]
fn a_cell_that_diverges_keeps_its_metrics_and_the_sweep_goes_on() {
    let place = Place::new();
    let config = THREE.replace(
        "seed: [0, 1, 2]",
        "together: [
            (learning_rate: 1e30, loss_limit: 1e6),
            (learning_rate: 100, loss_limit: 3.0),
            (learning_rate: 0.1, loss_limit: 1e6),
        ]",
    );
    let (ended, events) = place.run(&config, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert!(ended.failed.is_empty());
    let finished = CellEnding::Finished(sharptui::event::StopReason::Steps);
    assert_eq!(
        place.endings(),
        [(0, CellEnding::Diverged), (1, CellEnding::Diverged), (2, finished)]
    );
    for (cell, found) in read_cells(&place.run_dir()).unwrap().iter().enumerate() {
        let metrics = read_metrics(&found.path).unwrap();
        assert!(metrics.torn.is_none() && metrics.points.len() >= 2, "cell {cell}");
        let summary = &found.ended.as_ref().unwrap().summary;
        let loss = summary.train_loss.unwrap();
        match cell {
            0 => assert!(loss.is_nan() || loss > 1e6, "{loss}"),
            1 => assert!(loss > 3.0, "{loss}"),
            _ => assert!(loss < 3.0 && summary.lambda_converged == Some(true), "{loss}"),
        }
        let told = events.iter().find_map(|event| match event {
            Event::CellEnded {
                cell: ended, summary, ..
            } if *ended == cell => Some(summary),
            _ => None,
        });
        assert_eq!(told.unwrap().lambda_step, summary.lambda_step);
    }
    let table = std::fs::read_to_string(place.run_dir().join("summary.csv")).unwrap();
    assert_eq!(table.matches(",diverged,").count(), 2, "{table}");

    // A diverged cell is a result: it is not run again.
    assert!(started(&place.run(&config, &[]).1).is_empty());
    assert_eq!(
        std::fs::read_to_string(place.run_dir().join("summary.csv")).unwrap(),
        table
    );
}
