//! Tests that `summary.csv` is up to date while a cell trains.

use std::collections::BTreeMap;
use std::fs;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};

use super::*;

/// The timeout, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A cell that ends immediately, and one that would take hours.
const STALE: &str = "(
    model: Mlp(widths: [4]), learning_rate: 0.01, batch_size: 20, train_examples: 60, test_examples: 40,
    lambda_every: Steps(50), evaluate_every: Steps(50), probes: [(examples: 20)], sweep: (steps: [5, 900000000]),
)";

/// A sweep that is running.
struct Going {
    place: Place,
    commands: Sender<Command>,
    events: Receiver<Event>,
    thread: JoinHandle<Ended>,
}

impl Going {
    fn on(config: &str) -> Self {
        let place = Place::new();
        let (commands, commands_out) = unbounded();
        let (events_in, events) = unbounded();
        let sweep = place.sweep(config);
        let thread = thread::spawn(move || sweep.run(&commands_out, &mut Outbox::new(events_in)));
        Self {
            place,
            commands,
            events,
            thread,
        }
    }

    fn ask(&self, command: Command) {
        self.commands.send(command).unwrap();
    }

    /// Returns the table: for each row, a map from titles to values.
    fn table(&self) -> Vec<BTreeMap<String, String>> {
        let text = fs::read_to_string(self.place.run_dir().join("summary.csv")).unwrap_or_default();
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
        let Some(titles) = lines.next() else {
            return Vec::new();
        };
        let titles: Vec<String> = titles.collect();
        lines
            .map(|values| titles.iter().cloned().zip(values).collect())
            .collect()
    }

    fn wait_for(&self, what: &str, is_so: impl Fn(&[BTreeMap<String, String>]) -> bool) {
        let since = Instant::now();
        while !is_so(&self.table()) {
            assert!(since.elapsed() < PATIENCE, "no {what}: {:?}", self.table());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the rows have these states, in this order.
    fn wait_for_states(&self, states: &[&str]) {
        self.wait_for(&format!("{states:?}"), |rows| {
            let now: Vec<&str> = rows.iter().map(|row| row["state"].as_str()).collect();
            now == states
        });
    }
}

#[test]
fn the_table_says_what_runs_what_has_ended_and_how_far_it_is_while_a_cell_goes_on() {
    let going = Going::on(STALE);
    going.wait_for_states(&["finished", "running"]);
    let steps = |row: &BTreeMap<String, String>| row["steps"].parse::<u64>().unwrap();
    going.wait_for("steps", |rows| steps(&rows[1]) > 100);
    going.wait_for("values", |rows| {
        let known = ["train_loss", "test_accuracy", "lambda_max", "lambda_step"];
        known.iter().all(|title| !rows[1][*title].is_empty())
    });
    let before = steps(&going.table()[1]);
    going.wait_for("further steps", |rows| steps(&rows[1]) > before);
    going.ask(Command::Quit);
    assert_eq!(going.thread.join().unwrap().ending, SweepEnding::Stopped);
}

#[test]
fn what_is_changed_by_hand_is_in_the_table_while_a_cell_goes_on_or_is_paused() {
    let going = Going::on(STALE);
    going.wait_for_states(&["finished", "running"]);
    for pausing in [None, Some(Command::Pause(Cells::All))] {
        if let Some(pause) = pausing {
            going.ask(pause);
        }
        let added = going.table().len();
        let mut states = vec!["finished", "running"];
        states.resize(added, "aborted");
        let mut wait_for = |command, state| {
            going.ask(command);
            states.truncate(added);
            states.push(state);
            going.wait_for_states(&states);
        };
        wait_for(Command::AddSeed(0), "queued");
        wait_for(Command::Hold(added), "held");
        wait_for(Command::Release(added), "queued");
        wait_for(Command::Abort(added), "aborted");
    }
    going.ask(Command::Retry(0));
    going.wait_for_states(&["queued", "running", "aborted", "aborted"]);
    // The values of the earlier attempt are not shown for the cell that will run again.
    assert_eq!(going.table()[0]["train_loss"], "");
    going.ask(Command::Quit);
    going.thread.join().unwrap();
}

#[test]
fn a_table_that_cannot_be_written_makes_training_wait_and_is_whole_in_the_end() {
    let going = Going::on(&STALE.replace("900000000", "20000"));
    // The table is first written under this name.
    let aside = going.place.run_dir().join(".summary.csv.new");
    let told = |words: &str| {
        let since = Instant::now();
        loop {
            let event = going.events.recv_timeout(PATIENCE).unwrap();
            if matches!(event, Event::Notice { words: said, .. } if said.contains(words)) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "no `{words}`");
        }
    };
    while fs::create_dir(&aside).is_err() {}
    told("training waits until writing succeeds");
    fs::remove_dir(&aside).unwrap();
    told("can be written again");
    let ended = going.thread.join().unwrap();
    assert_eq!(ended.ending, SweepEnding::Complete);
    let text = fs::read_to_string(going.place.run_dir().join("summary.csv")).unwrap();
    assert_eq!(text.matches(",finished,").count(), 2, "{text}");
}
