//! Tests the queue: aborted, failed and remaining cells, and how a resume treats them.

#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

#[path = "sweep/races.rs"]
mod races;
#[path = "sweep/table.rs"]
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::unbounded;
use sharptui::config::Experiment;
use sharptui::device::{DeviceChoice, open};
use sharptui::event::{Activity, CellEnding, Cells, Command, Event, SweepEnding};
use sharptui::record::{RunDir, read_cells, read_metrics};
use sharptui::sweep::{Datasets, Ended, Running, Sweep, told_by_disk};
use sharptui::train::Outbox;

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

    /// Returns the sweep of what is left of `config` in this run directory.
    fn sweep(&self, config: &str) -> Sweep {
        let run_dir = if self.run_dir().exists() {
            RunDir::open(&self.run_dir()).unwrap()
        } else {
            RunDir::create(self.folder.path(), "sweep").unwrap()
        };
        let experiment = Experiment::parse(config, Path::new("sweep.ron")).unwrap();
        run_dir.write_config(&experiment.to_ron().unwrap()).unwrap();
        let device = open(DeviceChoice::Flex).unwrap();
        let datasets = Datasets::new(device.device.clone(), Some(self.folder.path().to_owned()));
        let running = Running {
            choice: DeviceChoice::Flex,
            runners: None,
            keep_every: Duration::from_mins(1),
            cells: None,
            take_over: false,
            add: Vec::new(),
        };
        Sweep::new(experiment, device, run_dir, datasets, &running).unwrap()
    }

    /// Runs what is left of `config` in this run directory, after sending `commands`.
    fn run(&self, config: &str, commands: &[Command]) -> (Ended, Vec<Event>) {
        self.run_with(config, commands, |_| [])
    }

    /// Does the same, and sends the commands that `answer` returns for an event.
    fn run_with<Answer: IntoIterator<Item = Command>>(
        &self,
        config: &str,
        commands: &[Command],
        answer: impl Fn(&Event) -> Answer + Send + 'static,
    ) -> (Ended, Vec<Event>) {
        let sweep = self.sweep(config);
        let (to_trainer, commands_out) = unbounded();
        for &command in commands {
            to_trainer.send(command).unwrap();
        }
        let (events_in, events) = unbounded();
        let watcher = std::thread::spawn(move || {
            let mut seen: Vec<Event> = Vec::new();
            for event in events {
                for command in answer(&event) {
                    to_trainer.send(command).unwrap();
                }
                seen.push(event);
            }
            seen
        });
        let ended = sweep.run(&commands_out, &mut Outbox::new(events_in));
        (ended, watcher.join().unwrap())
    }

    /// Returns how each cell that has a folder ended.
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
fn an_abort_outlives_a_kill_that_comes_before_its_turn() {
    let place = Place::new();
    place.run_with(THREE, &[], |event| {
        matches!(event, Event::SweepStarted(_)).then_some(Command::Abort(2))
    });
    let queue = std::fs::read_to_string(place.run_dir().join("queue.json")).unwrap();
    assert!(queue.contains("left_out"), "{queue}");

    let place = Place::new();
    place.run(THREE, &[Command::Quit]);
    std::fs::write(
        place.run_dir().join("queue.json"),
        r#"{"order":[0,1,2],"added":[],"left_out":[1]}"#,
    )
    .unwrap();
    let told = sharptui::sweep::told_by_disk(&place.run_dir()).unwrap();
    let Event::SweepStarted(plan) = &told[0] else {
        panic!("{told:?}")
    };
    assert_eq!(plan.cells[1].ended.as_ref().unwrap().0, CellEnding::Aborted);
    let (ended, events) = place.run(THREE, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0, 2]);
    assert_eq!(place.endings()[1], (1, CellEnding::Aborted));
    // The cell runs only when it is asked for again.
    let (_, events) = place.run(THREE, &[Command::Retry(1)]);
    assert_eq!(started(&events), [1]);
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
    let words = "it was running when an earlier process ended without a last checkpoint, perhaps killed because memory ran out; it begins again after the others";
    assert!(notices(&events).contains(&words), "{:?}", notices(&events));
}

#[test]
fn what_a_killed_process_left_in_the_folder_of_a_cell_that_had_ended_is_removed_by_the_next_one() {
    let place = Place::new();
    place.run(THREE, &[Command::Quit]);
    place.run(THREE, &[Command::Abort(1)]);
    let left = ["checkpoint-a", "checkpoint-b", ".checkpoint-a.new", "attempts.json"];
    let whole = |cell: usize| place.run_dir().join(format!("cells/{cell:03}"));
    for cell in 0..3 {
        for name in left {
            fs::write(whole(cell).join(name), "{\"attempts\": 2}").unwrap();
        }
    }
    // The checkpoints of a failed cell are kept: the cell continues from them.
    let summary = whole(2).join("summary.json");
    let failed = fs::read_to_string(&summary).unwrap();
    let failed = failed.replace("\"Finished\": \"Steps\"", "\"Failed\": \"the disk broke\"");
    assert!(failed.contains("broke"), "{failed}");
    fs::write(&summary, failed).unwrap();
    drop(place.sweep(THREE));
    let there = |cell: usize| left.map(|name| whole(cell).join(name).exists());
    assert_eq!([0, 1].map(there), [[false; 4]; 2]);
    assert_eq!(there(2), [true, true, true, false]);
}

#[test]
fn whoever_looks_at_a_run_has_the_sizes_of_its_cells_from_run_json_and_none_where_an_earlier_version_wrote_it() {
    let place = Place::new();
    place.run(THREE, &[Command::AddSeed(1)]);
    let sizes = || {
        let events = told_by_disk(&place.run_dir()).unwrap();
        let Some(Event::SweepStarted(plan)) = events.into_iter().next() else {
            panic!("no plan");
        };
        plan.cells.into_iter().map(|cell| cell.size).collect::<Vec<_>>()
    };
    let found = sizes();
    let parameters = 784 * 4 + 4 + 4 * 10 + 10;
    assert!(
        found.len() == 4 && found.iter().all(|size| size.unwrap().parameters == parameters),
        "{found:?}"
    );
    let run = place.run_dir().join("run.json");
    let mut info: serde_json::Value = serde_json::from_str(&fs::read_to_string(&run).unwrap()).unwrap();
    info["sizes"] = serde_json::json!([{"cells": 1, "parameters": 7, "memory_bytes": 8}, {"cells": 1, "parameters": 9, "memory_bytes": 8}]);
    fs::write(&run, info.to_string()).unwrap();
    let parameters: Vec<Option<u64>> = sizes().into_iter().map(|size| Some(size?.parameters)).collect();
    assert_eq!(parameters, [Some(7), Some(9), None, Some(9)]);
    info.as_object_mut().unwrap().remove("sizes");
    fs::write(&run, info.to_string()).unwrap();
    assert_eq!(sizes(), [None; 4]);
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
    assert_eq!(started(&events), [2, 3], "a failed cell is tried again");
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
        let loss = summary.values.get("train_loss").unwrap();
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

fn queues(events: &[Event]) -> Vec<Vec<usize>> {
    let queues = events.iter().filter_map(|event| match event {
        Event::Queue { order, .. } => Some(order.clone()),
        _ => None,
    });
    queues.collect()
}

fn notices(events: &[Event]) -> Vec<&str> {
    let notices = events.iter().filter_map(|event| match event {
        Event::Notice { words, .. } => Some(words.as_str()),
        _ => None,
    });
    notices.collect()
}

#[test]
fn cells_are_run_in_the_order_they_were_moved_to_and_a_resume_keeps_it() {
    let place = Place::new();
    let moves = [Command::Move { cell: 2, by: -9 }, Command::Move { cell: 0, by: 1 }];
    let (_, events) = place.run(THREE, &[moves[0], moves[1], Command::Quit]);
    assert!(started(&events).is_empty());
    assert_eq!(queues(&events).last(), Some(&vec![2, 1, 0]));
    let (ended, events) = place.run(THREE, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [2, 1, 0]);
}

#[test]
fn a_cell_that_is_held_out_is_not_run_and_a_resume_runs_it() {
    let place = Place::new();
    let (ended, events) = place.run(THREE, &[Command::Hold(0), Command::Hold(1), Command::Release(1)]);
    assert_eq!(ended.ending, SweepEnding::Stopped);
    assert_eq!(started(&events), [1, 2]);
    assert!(
        notices(&events)
            .iter()
            .any(|words| words.contains("held and not run: cells 0;"))
    );
    let (ended, events) = place.run(THREE, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0]);
}

#[test]
fn a_seed_is_added_at_the_end_and_is_a_cell_like_any_other_from_then_on() {
    let place = Place::new();
    let (_, events) = place.run(THREE, &[Command::AddSeed(1), Command::AddSeed(1), Command::Quit]);
    let added: Vec<(String, String)> = events
        .iter()
        .filter_map(|event| match event {
            Event::CellAdded(plan) => plan.swept.last().cloned(),
            _ => None,
        })
        .collect();
    let seed = |value: &str| ("seed".to_owned(), value.to_owned());
    assert_eq!(added, [seed("3"), seed("4")]);
    let (ended, events) = place.run(THREE, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0, 1, 2, 3, 4]);
    let settings =
        |cell: usize| sharptui::record::read_settings(&place.run_dir().join(format!("cells/{cell:03}"))).unwrap();
    let (like, added) = (settings(1), settings(4));
    let differing: Vec<&str> = like
        .iter()
        .zip(&added)
        .filter(|(a, b)| a != b)
        .map(|(a, _)| a.0.as_str())
        .collect();
    assert_eq!(differing, ["seed"]);
    let table = std::fs::read_to_string(place.run_dir().join("summary.csv")).unwrap();
    assert_eq!(table.lines().count(), 6, "{table}");
    let told = sharptui::sweep::told_by_disk(&place.run_dir()).unwrap();
    let Event::SweepStarted(plan) = &told[0] else {
        panic!("{told:?}")
    };
    assert_eq!(plan.cells.len(), 5);
    let took = plan
        .cells
        .iter()
        .filter_map(|cell| cell.ended.as_ref())
        .map(|(_, summary)| summary.seconds);
    assert!(plan.earlier_seconds > 0.0 && (plan.earlier_seconds - took.sum::<f64>()).abs() < 1e-9);
}

#[test]
fn a_cell_that_has_ended_is_run_again_and_what_it_came_to_is_kept_beside_it() {
    let place = Place::new();
    place.run(THREE, &[]);
    let (ended, events) = place.run(THREE, &[Command::Retry(1), Command::Quit]);
    // The cell is left for a resume.
    assert_eq!(ended.ending, SweepEnding::Stopped);
    assert!(events.contains(&Event::CellRetried { cell: 1 }));
    let (ended, events) = place.run(THREE, &[]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [1]);
    assert!(place.run_dir().join("cells/001-old-1/metrics.jsonl").is_file());
    let (_, events) = place.run(THREE, &[]);
    assert!(started(&events).is_empty(), "a cell is run again only once");
    // A sweep with a held cell is not complete either.
    let (ended, _) = place.run(THREE, &[Command::Retry(1), Command::Hold(1)]);
    assert_eq!(ended.ending, SweepEnding::Stopped);
    let (ended, _) = place.run(THREE, &[Command::Retry(2), Command::Abort(2), Command::Abort(1)]);
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert!(started(&place.run(THREE, &[]).1).is_empty());
}

#[test]
fn what_cannot_be_done_to_the_queue_is_said_and_changes_nothing() {
    let place = Place::new();
    let (_, events) = place.run(
        THREE,
        &[
            Command::Move { cell: 77, by: 1 },
            Command::Hold(usize::MAX - 1),
            Command::AddSeed(99),
            Command::Skip(42),
            Command::Quit,
        ],
    );
    assert_eq!(notices(&events).len(), 4, "{:?}", notices(&events));
    assert_eq!(queues(&events), [vec![0, 1, 2]]);
    assert!(!place.run_dir().join("queue.json").exists());
}

#[test]
fn everything_that_happens_is_in_the_log() {
    let place = Place::new();
    place.run(THREE, &[Command::Abort(1), Command::Move { cell: 2, by: -1 }]);
    let log = sharptui::record::read_log(&place.run_dir(), 0).unwrap();
    let words: Vec<&str> = log.entries.iter().map(|entry| entry.words.as_str()).collect();
    assert!(words[0].contains("3 of 3 cells to run"), "{words:?}");
    assert_eq!(words[1..3], ["abort", "run earlier"]);
    assert!(words[3].starts_with("begins"), "{words:?}");
    assert!(words[4].starts_with("finished after"), "{words:?}");
    assert!(words.iter().any(|words| words.starts_with("aborted")), "{words:?}");
    assert_eq!(words.last(), Some(&"complete"));
}

#[test]
fn a_running_cell_that_is_skipped_goes_on_from_its_checkpoint_once_the_others_have_ended() {
    const LONG: &str = "(
        model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 20, steps: 3000, train_examples: 60, test_examples: 40,
        evaluate_every: Steps(1500), lambda_every: Ends, probes: [(examples: 20)], sweep: (seed: [0, 1]),
    )";
    let place = Place::new();
    let paused = std::sync::atomic::AtomicBool::new(false);
    // The pause ensures that the cell has begun and has not ended.
    let (ended, events) = place.run_with(LONG, &[Command::Pause(Cells::All)], move |event| match event {
        Event::Activity {
            activity: Activity::Paused,
            ..
        } => {
            let first = !paused.swap(true, std::sync::atomic::Ordering::Relaxed);
            Some(if first {
                Command::Skip(0)
            } else {
                Command::Resume(Cells::All)
            })
        }
        _ => None,
    });
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0, 1, 0]);
    let endings: Vec<(usize, &CellEnding)> = events
        .iter()
        .filter_map(|event| match event {
            Event::CellEnded { cell, ending, .. } => Some((*cell, ending)),
            _ => None,
        })
        .collect();
    assert_eq!(endings[0], (0, &CellEnding::Interrupted));
    assert_eq!(endings.len(), 3);
    assert!(
        !place.run_dir().join("cells/000-old-1").exists(),
        "it did not begin anew"
    );
    let points = read_metrics(&place.run_dir().join("cells/000")).unwrap().points;
    assert!(points.windows(2).all(|pair| pair[0].step <= pair[1].step));
    assert_eq!(points.last().unwrap().step, 3_000);
}
