//! Tests of runs of other programs: event files as PyTorch writes them, CSV files, damaged files, and files that grow.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crossbeam_channel::Receiver;
use sharptui::event::{Event, Point};
use sharptui::foreign::{Folder, Until, follow};
use sharptui::monitor::Monitor;
use sharptui::quantity::{self, LAMBDA_MAX, Quantity, TEST_ACCURACY, TRAIN_LOSS};

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign/events")
}

/// Returns a quantity over the steps of a run.
fn curve(points: &[Point], quantity: &Quantity) -> Vec<(u64, f64)> {
    let values = points
        .iter()
        .filter_map(|point| Some((point.step, quantity.value(point)?)));
    values.collect()
}

fn own(key: &str) -> &'static Quantity {
    quantity::of_key(key).unwrap()
}

/// Returns the points of the run with this index.
fn points(folder: &Folder, run: usize) -> Vec<Point> {
    folder.points(folder.runs().nth(run).unwrap()).collect()
}

#[test]
fn event_files_of_pytorch_have_the_values_that_tensorboard_reads() {
    let folder = Folder::open(&events()).unwrap();
    let plans = folder.plans();
    // In the order of their numbers, with the hyperparameters that `add_hparams` put into folders of their own.
    let setting = |run: usize, name: &str| plans[run].setting(name).unwrap_or_default().to_owned();
    assert_eq!([0, 1].map(|run| setting(run, "run")), ["run_2", "run_10"]);
    assert_eq!([0, 1].map(|run| setting(run, "learning_rate")), ["0.5", "0.25"]);
    assert_eq!(
        (setting(0, "optimizer"), setting(1, "nesterov")),
        ("Adam".into(), "0".into())
    );
    assert_eq!(plans[0].swept, [("learning_rate".to_owned(), "0.5".to_owned())]);
    assert_eq!((plans[0].planned_steps, plans[0].threshold.is_unknown), (0, true));

    let (old, new) = (points(&folder, 0), points(&folder, 1));
    let losses = [
        2.0,
        0.181_818_187_236_785_9,
        0.095_238_097_012_043,
        0.064_516_127_109_527_59,
        0.048_780_485_987_663_27,
    ];
    let steps = [0, 10, 20, 30, 40];
    assert_eq!(
        curve(&old, &TRAIN_LOSS),
        steps.into_iter().zip(losses).collect::<Vec<_>>()
    );
    let accuracies = [0.8, 0.8125, 0.825, 0.8375, 0.85];
    assert_eq!(
        curve(&old, &TEST_ACCURACY),
        steps.into_iter().zip(accuracies).collect::<Vec<_>>()
    );
    let lambdas = [10.0, 15.0, 20.0, 25.0, 30.0];
    assert_eq!(
        curve(&old, &LAMBDA_MAX),
        steps.into_iter().zip(lambdas).collect::<Vec<_>>()
    );
    // Tensors, of 32 and of 64 bits.
    assert_eq!(curve(&new, &TRAIN_LOSS)[1], (10, f64::from(1.0_f32 / 11.0)));
    assert_eq!(curve(&new, &LAMBDA_MAX)[1], (10, 20.0 + 10.0 / 3.0));

    let reward = curve(&old, own("reward/mean"));
    assert!(reward[2].1.is_nan(), "{reward:?}");
    assert_eq!((reward[1], reward[4]), ((10, -0.625), (40, -2.5)));
    assert_eq!(curve(&new, own("hparam/accuracy")), [(0, 0.875)]);
    assert_eq!(
        old.iter().map(|point| point.seconds).collect::<Vec<_>>(),
        [0.0, 2.5, 5.0, 7.5, 10.0]
    );
    assert_eq!(
        folder.notes(),
        [
            "test accuracy is `val/acc`, taken as per cent because it exceeds 1",
            "train loss is `train/loss`",
            "under their own names: hparam/accuracy, reward/mean",
            "left out, because they are not numbers: notes/text_summary, weights",
        ]
    );
}

/// A folder that a test writes.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    /// Makes a file look as if it was written an hour ago.
    fn make_old(&self, name: &str) {
        let file = File::options().append(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    }

    fn refused(&self) -> String {
        Folder::open(self.0.path()).unwrap_err().to_string()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.env("LC_ALL", "C.UTF-8").args(arguments);
        command.current_dir(self.0.path()).output().unwrap()
    }
}

#[test]
fn a_record_that_is_cut_is_still_being_written_and_one_that_is_damaged_is_named_with_its_place() {
    let whole = fs::read(events().join("run_2/events.out.tfevents.2.fixture")).unwrap();
    let place = Place::new();
    place.write("a.tfevents", &whole[..whole.len() - 7]);
    let mut folder = Folder::open(place.0.path()).unwrap();
    let name = folder.plans()[0].setting("run").unwrap().to_owned();
    assert_eq!(name, ".");
    let count = points(&folder, 0).len();
    assert!(!folder.look().unwrap().whole);
    place.append("a.tfevents", &whole[whole.len() - 7..]);
    // The rest is the end of the last record, which has text.
    assert_eq!(
        (folder.look().unwrap().damaged, points(&folder, 0).len()),
        (vec![], count)
    );

    let mut damaged = whole.clone();
    let at = damaged.len() / 2;
    damaged[at] ^= 1;
    place.write("b/b.tfevents", &damaged);
    // Its numbers before the damage are there, and so is the other run.
    let folder = Folder::open(place.0.path()).unwrap();
    assert_eq!(points(&folder, 0).len(), count);
    let damaged = folder.damaged();
    let [message] = &damaged[..] else { panic!("{damaged:?}") };
    // Where no other file is, it is refused.
    let alone = Place::new();
    alone.write("c.tfevents", [7; 40]);
    assert!(alone.refused().contains("c.tfevents: the record at byte 0 is damaged"));
    let byte: usize = message
        .split("byte ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        message.contains("b/b.tfevents: the record at byte ") && message.contains("checksum"),
        "{message}"
    );
    assert!(
        byte <= at && at < byte + 6000 && whole[byte + 4..byte + 8] == [0; 4],
        "{message}"
    );

    // Nor does a file that is damaged while it is followed end the others.
    fs::remove_file(place.path("b/b.tfevents")).unwrap();
    let mut folder = Folder::open(place.0.path()).unwrap();
    place.append("a.tfevents", [7; 40]);
    let news = folder.look().unwrap();
    assert!(
        news.damaged[0].contains(&format!("the record at byte {} is damaged", whole.len())),
        "{news:?}"
    );
    assert_eq!(
        (folder.look().unwrap().damaged, points(&folder, 0).len()),
        (vec![], count)
    );
}

#[test]
fn csv_files_are_runs_with_their_columns_as_curves() {
    let place = Place::new();
    place.write(
        "b/metrics.csv",
        "epoch,step,train_loss,val_acc,elbo\n0,1,0.5,,-3\n1,5,NaN,0.75,\n1,9,inf,0.5,-1e3\n",
    );
    place.write("a.csv", "\u{feff}iteration;sharpness\r\n0;12.5\r\n2;13\r\n");
    let folder = Folder::open(place.0.path()).unwrap();
    let names: Vec<_> = folder
        .plans()
        .iter()
        .map(|plan| plan.setting("run").unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a", "b/metrics"]);
    let (a, b) = (points(&folder, 0), points(&folder, 1));
    assert_eq!(curve(&a, &LAMBDA_MAX), [(0, 12.5), (2, 13.0)]);
    let lambda = a[0].lambda.as_ref().unwrap();
    assert!(lambda.lambda_residual.is_nan() && lambda.lambda_converged);
    assert_eq!(curve(&b, &TEST_ACCURACY), [(5, 0.75), (9, 0.5)]);
    assert_eq!(curve(&b, own("elbo")), [(1, -3.0), (9, -1e3)]);
    let losses = curve(&b, &TRAIN_LOSS);
    assert!(
        losses[0] == (1, 0.5) && losses[1].1.is_nan() && losses[2].1.is_infinite(),
        "{losses:?}"
    );
    assert_eq!(b.iter().map(|point| point.epoch).collect::<Vec<_>>(), [0.0, 1.0, 1.0]);
}

#[test]
fn a_table_that_is_wrong_is_named_with_line_column_and_value() {
    for (table, expected) in [
        (
            "loss,acc\n1,2\n",
            "t.csv: line 1: no column has the steps (step, global_step, _step, steps, iteration, iter, epoch); the columns are loss, acc",
        ),
        (
            "step,loss\n1,2\n3,4.5.6\n",
            "t.csv: line 3, column `loss`: found `4.5.6`, expected a number, or nothing",
        ),
        (
            "step,loss\n1,2\n1.5,4\n",
            "t.csv: line 3, column `step`: found `1.5`, expected a whole number from 0 on",
        ),
        (
            "step,loss\n-1,2\n",
            "t.csv: line 2, column `step`: found `-1`, expected a whole number",
        ),
        (
            "step,loss\n,2\n",
            "t.csv: line 2, column `step`: found ``, expected a whole number",
        ),
        ("step,loss\n1,2,3\n", "t.csv: line 2: 3 fields, but the header has 2"),
        ("step,loss,loss\n", "t.csv: line 1: two columns have the name `loss`"),
        ("step,loss\n\"1,2\n", "t.csv: line 2: a quotation mark has no partner"),
        ("step,loss\n", "have no numbers yet"),
    ] {
        let place = Place::new();
        place.write("t.csv", table);
        let message = place.refused();
        assert!(message.contains(expected), "{message}");
    }
    let place = Place::new();
    place.write("t.csv", b"step,loss\n1,2\n\xff,3\n");
    assert!(place.refused().contains("t.csv: line 3: it is not text in UTF-8"));
}

#[test]
fn the_last_line_of_a_table_counts_once_it_is_complete() {
    let place = Place::new();
    place.write("t.csv", "step,loss\n1,2\n3,4");
    let mut folder = Folder::open(place.0.path()).unwrap();
    assert_eq!(curve(&points(&folder, 0), own("loss")), [(1, 2.0)]);
    place.append("t.csv", "5\n6,7\n");
    assert_eq!(folder.look().unwrap().grown.len(), 1);
    assert_eq!(curve(&points(&folder, 0), own("loss")), [(1, 2.0), (3, 45.0), (6, 7.0)]);
    // A file that has long not changed is complete, until it grows after all.
    place.append("t.csv", "8,9");
    place.make_old("t.csv");
    folder.look().unwrap();
    assert_eq!(curve(&points(&folder, 0), own("loss")).last(), Some(&(8, 9.0)));
    place.append("t.csv", "1\n");
    assert!(folder.look().unwrap().whole);
    assert_eq!(curve(&points(&folder, 0), own("loss"))[2..], [(6, 7.0), (8, 91.0)]);
    // Another file takes its place.
    place.write("new", "step,loss\n0,1\n");
    fs::rename(place.path("new"), place.path("t.csv")).unwrap();
    assert!(folder.look().unwrap().whole);
    assert_eq!(curve(&points(&folder, 0), own("loss")), [(0, 1.0)]);
}

/// Takes in events until `is_enough`.
fn watch(events: &Receiver<Event>, monitor: &mut Monitor, is_enough: impl Fn(&Monitor) -> bool) {
    while !is_enough(monitor) {
        let event = events.recv_timeout(Duration::from_mins(1)).unwrap();
        monitor.apply(event, std::time::Instant::now());
    }
}

#[test]
fn files_that_grow_are_followed_and_values_that_become_void_are_forgotten() {
    let place = Place::new();
    place.write("one.csv", "step,test_accuracy\n0,0.25\n1,0.5\n");
    let (mut monitor, events) = (
        Monitor::default(),
        follow(Folder::open(place.0.path()).unwrap(), Until::Left).unwrap(),
    );
    let accuracy = |monitor: &Monitor, run: usize| {
        let cell = monitor.cells.get(run)?;
        cell.latest.first(&TEST_ACCURACY)
    };
    watch(&events, &mut monitor, |monitor| accuracy(monitor, 0) == Some(0.5));
    assert!(monitor.foreign.is_some() && monitor.cells.len() == 1);
    place.append("one.csv", "2,0.75\n");
    watch(&events, &mut monitor, |monitor| accuracy(monitor, 0) == Some(0.75));
    assert_eq!(monitor.cells[0].progress.step, 2);
    // A number above 1 shows that all of them are per cent.
    place.append("one.csv", "3,80\n");
    watch(&events, &mut monitor, |monitor| accuracy(monitor, 0) == Some(0.8));
    let curve = monitor.cells[0].curves.of(&TEST_ACCURACY, 0);
    assert_eq!(
        curve.buckets().iter().map(|bucket| bucket.last).collect::<Vec<_>>(),
        [0.0025, 0.005, 0.0075, 0.8]
    );
    // A step that was measured again.
    place.append("one.csv", "1,30\n");
    let at_one = |monitor: &Monitor| Some(monitor.cells[0].curves.of(&TEST_ACCURACY, 0).at(1)?.last);
    watch(&events, &mut monitor, |monitor| at_one(monitor) == Some(0.3));
    // A new run comes behind the known ones.
    place.write("a_second.csv", "step,test_accuracy\n0,10\n");
    watch(&events, &mut monitor, |monitor| accuracy(monitor, 1) == Some(0.1));
    assert_eq!(monitor.cells[1].plan.setting("run"), Some("a_second"));
}

#[test]
fn without_a_terminal_the_lines_and_the_last_values_of_all_runs_are_printed() {
    let place = Place::new();
    place.write(
        "runs/a.csv",
        "step,train_loss,val_acc,elbo\n0,2.5,10,-3\n4,0.5,80,-1.5\n",
    );
    place.write("runs/b.csv", "step,train_loss,val_acc,elbo\n0,3.5,20,-2\n");
    place.make_old("runs/a.csv");
    place.make_old("runs/b.csv");
    let output = place.run(&["attach", "runs"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for words in [
        "runs · 2 cells · CSV files · runs",
        "note: read from CSV files; this program does not control it",
        "note: test accuracy is `val_acc`, taken as per cent because it exceeds 1",
        "note: under their own names: elbo",
        "cell 0 run=a · its files have not grown for 10 minutes; whether it has ended is not known",
        "cell 0 run=a · step 4 · ",
        "2 runs in runs; the files do not say whether training has ended",
    ] {
        assert!(printed.contains(words), "{words}\n{printed}");
    }
    let row: Vec<&str> = printed
        .lines()
        .find(|line| line.starts_with("0  "))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(
        row,
        ["0", "a", "still", "4", "-", "-1.5", "0.5", "80.00", "%", "-"],
        "{printed}"
    );
    assert!(!printed.contains("/0"), "{printed}");

    let output = place.run(&["attach", "nothing"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("not a run directory"), "{message}");
}

#[test]
fn a_report_shows_curves_and_last_values_and_compares_nothing() {
    let place = Place::new();
    let out = place.path("out");
    let output = place.run(&["report", events().to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(out.join("report.md")).unwrap();
    for words in [
        "2 runs, read from TensorBoard's event files",
        "Test accuracy is \\`val/acc\\`, taken as per cent because it exceeds 1.",
        "| run | learning_rate | nesterov | optimizer | steps | λ_max |",
        "| run_2 | 0.5 | 0 | Adam | 40 | 30.000 | 85.00 % | 0.048780 |",
        "| run_10 | λ_max | 20.000 | 0 | 33.333 | 40 |",
        "(figures/curves-0.svg)",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    assert!(!page.contains("Findings") && !page.contains("seed"), "{page}");
    let svg = fs::read_to_string(out.join("figures/curves-0.svg")).unwrap();
    assert!(svg.contains("reward/mean") && svg.contains("run_10"), "{svg}");

    place.write("bad.csv", "loss\n1\n");
    let output = place.run(&["report", "bad.csv"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("error: bad.csv: line 1: no column has the steps") && output.status.code() == Some(1),
        "{message}"
    );
}

#[test]
fn the_tables_of_run_directories_are_no_curves_of_another_program() {
    let place = Place::new();
    place.write("mine/config.ron", "()");
    place.write("mine/summary.csv", "cell,state\n0,finished\n");
    assert!(!sharptui::foreign::is_foreign(place.0.path()));
    assert!(
        place.refused().contains("has neither event files"),
        "{}",
        place.refused()
    );
    place.write("theirs/t.csv", "step,loss\n0,1\n");
    let folder = Folder::open(place.0.path()).unwrap();
    assert_eq!(folder.runs().count(), 1);
}

#[test]
fn a_curve_with_the_name_of_a_field_changes_nothing_for_runs_of_this_program() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("curves.csv"),
        "step,lambda_on,mine/lambda_converged\n1,2,3\n",
    )
    .unwrap();
    assert_eq!(points(&Folder::open(folder.path()).unwrap(), 0).len(), 1);
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/metrics/valid.jsonl");
    fs::copy(corpus, folder.path().join("metrics.jsonl")).unwrap();
    let read = sharptui::record::read_metrics(folder.path());
    assert!(read.is_ok(), "{}", read.unwrap_err());
}
