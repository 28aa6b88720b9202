//! The real program in a real pseudo-terminal, controlled by keys: the screen, the actions, and the files on disk
//! afterwards.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // Clippy does not recognize the helpers of these tests as test code.

#[path = "pty/numbers.rs"]
mod numbers;
#[path = "pty/seat.rs"]
#[allow(dead_code)] // Other tests use the rest.
mod seat;

use std::fs;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use numbers::shows;
use portable_pty::CommandBuilder;
use seat::{Seat, Size};
use serde_json::Value;
use sharptui::event::{CellEnding, StopReason};
use sharptui::live::{Request, connect};
use sharptui::record::{CellFound, RunState, read_cells, read_metrics, read_run};

/// One cell that ends within a second, and two that would take hours.
const LONG: &str = "(
    model: Mlp(widths: [8]), batch_size: 50, train_examples: 200, test_examples: 100,
    evaluate_every: Steps(20), lambda_every: Steps(20), audit_every: 0,
    probes: [(examples: 50), (from: Training, examples: 60)],
    sweep: (together: [
        (learning_rate: 0.1, steps: 40),
        (learning_rate: 0.2, steps: 900000000),
        (learning_rate: 0.05, steps: 900000000),
    ]),
)";

/// A sweep that takes a second.
const SHORT: &str = "(
    model: Mlp(widths: [8]), batch_size: 50, steps: 30, train_examples: 200, test_examples: 100,
    learning_rate: 0.1, probes: [(examples: 50)], sweep: (seed: [0, 1]),
)";

/// A sweep whose steps keep every core busy for a while.
const HEAVY: &str = "(
    model: Mlp(widths: [512, 512, 512]), batch_size: Full, steps: 100000, learning_rate: 0.01,
    lambda_every: Steps(2), probes: [(examples: 1000)],
)";

const SMALL: Size = (80, 24);
const MIDDLE: Size = (120, 40);

/// The program in a terminal, in its own folder.
struct Program {
    seat: Seat,
    folder: tempfile::TempDir,
}

impl Program {
    fn on(config: &str, size: Size) -> Self {
        Self::with(config, size, &[])
    }

    fn with(config: &str, size: Size, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("live.ron"), config).unwrap();
        let seat = start(&folder, &["live.ron", "--runners", "1"], size, variables);
        Self { seat, folder }
    }

    /// Resumes the same sweep in a new terminal.
    fn resumed(mut self) -> Self {
        self.seat = start(&self.folder, &["resume", "runs/live"], SMALL, &[]);
        self
    }

    /// Attaches another screen to the same run.
    fn attached(&self, run_dir: &str) -> Seat {
        start(&self.folder, &["attach", run_dir], SMALL, &[])
    }

    /// Waits until no process is training.
    fn wait_until_nobody_trains(&self) {
        self.wait_until("the end of the training", |_| connect(&self.run_dir()).is_err());
    }

    fn run_dir(&self) -> PathBuf {
        self.folder.path().join("runs/live")
    }

    fn cells(&self) -> Vec<CellFound> {
        read_cells(&self.run_dir()).unwrap()
    }

    /// Returns how a cell ended, according to the files.
    fn ending(&self, cell: usize) -> Option<CellEnding> {
        let found = self.cells().into_iter().find(|found| found.cell == cell);
        found.and_then(|found| found.ended).map(|ended| ended.ending)
    }

    /// Returns the row of a cell in the table.
    fn row(&self, cell: usize) -> String {
        let start = format!("{cell}  ");
        let shown = self.shown();
        let row = shown
            .lines()
            .find(|line| line.trim_start_matches(['›', ' ']).starts_with(&start));
        row.unwrap_or_default().to_owned()
    }

    fn wait_for_row(&self, cell: usize, words: &str) {
        self.wait_until(words, |_| self.row(cell).contains(words));
    }

    /// Returns the step in the header.
    fn step(&self) -> Option<u64> {
        let shown = self.shown();
        let (_, rest) = shown.lines().nth(1)?.split_once("step ")?;
        let (step, _) = rest.split_once(" of ")?;
        step.replace(' ', "").parse().ok()
    }

    /// Waits until the first number after `words` is `value`.
    fn wait_until_shown(&self, words: &str, value: f64) {
        self.wait_until(&format!("{words}{value}"), |seat| shows(&seat.shown(), words, value));
    }

    /// Waits until the second cell is training.
    fn wait_for_training(&self) {
        self.wait_for_row(1, "running");
        self.wait_until("the first steps", |_| self.step() > Some(0));
    }
}

impl Deref for Program {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.seat
    }
}

impl DerefMut for Program {
    fn deref_mut(&mut self) -> &mut Seat {
        &mut self.seat
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test must not leave a training process behind.
        if let Ok(link) = connect(&self.run_dir()) {
            let _ = link.requests.send(Request::EndNow);
            while link.events.recv().is_ok() {}
        }
    }
}

/// Returns the lines in the metrics of a cell in which λ_max was measured on this probe.
fn measured(program: &Program, cell: usize, probe: u64) -> Vec<Value> {
    let path = program.run_dir().join(format!("cells/{cell:03}/metrics.jsonl"));
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["lambda_probe"] == probe).collect()
}

/// Returns whether the chart of λ_max has a number in its title.
fn has_measured(seat: &Seat) -> bool {
    let shown = seat.shown();
    let after = shown.split("λ_max ").nth(1).and_then(|rest| rest.chars().next());
    after.is_some_and(|first| first.is_ascii_digit())
}

fn start(folder: &tempfile::TempDir, arguments: &[&str], size: Size, variables: &[(&str, &str)]) -> Seat {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sharptui"));
    command.args(arguments);
    command.cwd(folder.path());
    Seat::start(command, size, variables)
}

#[test]
fn the_screen_shows_the_sweep_and_what_is_measured_in_it() {
    let program = Program::on(LONG, SMALL);
    program.wait_for_training();
    program.wait_for_row(0, "finished");
    program.wait_until("a measurement", has_measured);
    let shown = program.shown();
    for words in [
        "live",
        "cell 1 · ",
        "runs/live",
        "2/η 10.0",
        "held-out, 50 examples (1 of 2)",
        "loss",
        "accuracy",
        "1 of 3 done",
        "learning_rate",
        "following the running cell",
        "space pause",
        "q quit",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(program.row(2).contains("queued"), "{shown}");
}

/// Returns the numbers of a metrics line that chart titles show: the text before each number, and the number.
fn titles(line: &Value) -> [(&'static str, f64); 5] {
    [
        ("⠤⠤ λ_max ", "lambda_max"),
        ("loss ⠤⠤ test ", "test_loss"),
        ("⠤⠄ train ", "train_loss"),
        ("accuracy ⠤⠤ test ", "test_accuracy"),
        ("2/η ", "threshold"),
    ]
    .map(|(words, key)| (words, line[key].as_f64().unwrap()))
}

/// Returns a number of steps as the screen writes it: "2 680".
fn grouped(steps: u64) -> String {
    let digits = steps.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_numbers_on_the_screen_are_those_of_the_metrics() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    program.wait_until("some measurements", |_| measured(&program, 1, 0).len() > 3);
    program.press(" ");
    program.wait_for("‖ paused");
    program.wait_for_row(1, "paused");
    let [first, second] = [0, 1].map(|probe| measured(&program, 1, probe));
    let last = &first[first.len() - 1];
    for (words, value) in titles(last) {
        program.wait_until_shown(words, value);
    }
    program.wait_until_shown("± ", last["lambda_residual"].as_f64().unwrap());
    let (step, last_step) = (program.step().unwrap(), last["step"].as_u64().unwrap());
    assert!((last_step..last_step + 20).contains(&step), "{step} {last_step}");

    // The row of the cell shows λ_max, test accuracy, the ratio of λ_max to 2/η, and test loss.
    let row = program.row(1);
    let numbers = row.split_once(" 0% ").unwrap().1.split_whitespace();
    let numbers: Vec<&str> = numbers
        .filter(|word| word.trim_end_matches('%').parse::<f64>().is_ok())
        .collect();
    let number = |key: &str| last[key].as_f64().unwrap();
    let expected = [
        number("lambda_max"),
        number("test_accuracy"),
        number("lambda_max") / number("threshold"),
        number("test_loss"),
    ];
    assert_eq!(numbers.len(), expected.len(), "{row}");
    for (shown, value) in numbers.into_iter().zip(expected) {
        assert!(shows(shown, "", value), "{value}: {row}");
    }

    // The cursor starts at the current step of training, and moves back to the previous measurement.
    program.press("\u{1b}[D");
    program.wait_for(&format!("at step {}:", grouped(step)));
    for (words, value) in titles(last) {
        program.wait_until_shown(words, value);
    }
    let mut at = step;
    while at >= last_step {
        program.press("\u{1b}[D");
        program.wait_until("the cursor at an earlier step", |seat| read_at(seat) < Some(at));
        at = read_at(&program).unwrap();
    }
    // After many steps, a column of the chart stands for several measurements; the cursor shows the last one up to its step.
    let before = first.iter().rfind(|line| line["step"].as_u64().unwrap() <= at).unwrap();
    for (words, value) in titles(before) {
        program.wait_until_shown(words, value);
    }

    program.press("\u{1b}");
    program.wait_until("no cursor", |seat| read_at(seat).is_none());
    program.press("\t");
    program.wait_for("(2 of 2)");
    program.wait_until_shown("⠤⠤ λ_max ", second[second.len() - 1]["lambda_max"].as_f64().unwrap());
    // Another cell, which has ended.
    program.press("k");
    program.wait_for("looking at cell 0");
    let ended = measured(&program, 0, 1);
    program.wait_until_shown("⠤⠤ λ_max ", ended[ended.len() - 1]["lambda_max"].as_f64().unwrap());
}

/// Returns the step of the cursor.
fn read_at(seat: &Seat) -> Option<u64> {
    let shown = seat.shown();
    let (step, _) = shown.split_once("at step ")?.1.split_once(':')?;
    step.replace(' ', "").parse().ok()
}

#[test]
fn a_pause_shows_at_once_stands_still_and_ends_when_asked() {
    let mut program = Program::on(LONG, SMALL);
    program.wait_for_training();
    program.press(" ");
    program.wait_for("‖ paused");
    program.wait_for_row(1, "paused");
    program.wait_for("space resume");
    let (step, length) = (
        program.step(),
        read_metrics(&program.cells()[1].path).unwrap().points.len(),
    );
    program.wait_for("paused for 2s in all");
    assert_eq!(program.step(), step);
    assert_eq!(read_metrics(&program.cells()[1].path).unwrap().points.len(), length);
    program.press("p");
    program.wait_for("▶ training");
    program.wait_until("further steps", |_| program.step() > step);
}

#[test]
fn any_cell_can_be_looked_at_while_another_trains() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    program.press("j");
    program.wait_for("looking at cell 2");
    program.wait_for("nothing measured yet");
    program.press("d");
    program.wait_for("cells/002");
    program.wait_for("batch_size");
    // The details follow the selected cell.
    program.press("kk");
    program.wait_for("cells/000");
    program.wait_for("finished: all steps taken");
    program.press("d");
    program.wait_until("closed details", |seat| !seat.shown().contains("cells/000"));
    program.press("\r");
    program.wait_for("following the running cell");
}

#[test]
fn axes_probes_and_help_answer_to_their_keys() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    program.press("L");
    program.wait_for("· log");
    program.press("l");
    program.wait_for(" linear ");
    program.press("Ll");
    program.wait_until("the axes as before", |seat| {
        !seat.shown().contains("· log") && !seat.shown().contains(" linear ")
    });
    program.press("\t");
    program.wait_for("training, 60 examples (2 of 2)");
    program.press("?");
    program.wait_for("audit: check λ_max from a cold start");
    program.press("\u{1b}");
    program.wait_until("closed help", |seat| !seat.shown().contains("from a cold start"));
}

#[test]
fn an_audit_is_made_when_it_is_asked_for() {
    let mut program = Program::on(LONG, SMALL);
    program.wait_for_training();
    program.press("A");
    program.wait_until("an audit", |_| {
        let metrics = read_metrics(&program.cells()[1].path).unwrap();
        let audited = |point: &sharptui::event::Point| point.lambda.as_ref().is_some_and(|l| l.lambda_audited);
        metrics.points.iter().any(|point| point.step > 0 && audited(point))
    });
}

#[test]
fn a_cell_is_aborted_after_a_question_and_the_next_one_starts() {
    let mut program = Program::on(LONG, SMALL);
    program.wait_for_training();
    program.press("a");
    program.wait_for("abort cell 1?");
    program.press("n");
    program.wait_until("no question", |seat| !seat.shown().contains("abort cell 1?"));
    assert!(program.row(1).contains("running"), "{}", program.shown());
    program.press("a");
    program.wait_for("abort cell 1?");
    program.press("y");
    program.wait_for_row(1, "aborted");
    program.wait_for_row(2, "running");
    assert_eq!(program.ending(1), Some(CellEnding::Aborted));
    assert!(program.cells()[1].path.join("model.safetensors").is_file());
    program.wait_for("2 of 3 done");
}

#[test]
fn a_window_of_any_size_is_drawn_or_told_what_it_lacks() {
    let program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    let whole = |seat: &Seat, size: Size| {
        let shown = seat.shown();
        let lines: Vec<&str> = shown.lines().collect();
        lines.len() == usize::from(size.1) && lines[usize::from(size.1) - 1].contains("q quit")
    };
    for size in [SMALL, (200, 60), (60, 15), SMALL, (200, 60)] {
        program.resize(size);
        if size == (60, 15) {
            program.wait_for("This window is 60 x 15.");
            program.wait_for("The screen needs 60 x 16.");
        } else {
            program.wait_until("all of the screen", |seat| whole(seat, size));
        }
    }
    // From 150 columns on, the settings are shown beside the charts.
    program.wait_for("lambda_max_products");
}

#[test]
fn a_key_is_answered_while_every_core_trains() {
    let mut program = Program::on(HEAVY, SMALL);
    program.wait_for("cell 0 · ");
    for _ in 0..5 {
        program.press("?");
        program.wait_for("─ keys of page charts ─");
        program.press("?");
        program.wait_until("closed help", |seat| !seat.shown().contains("─ keys of page charts ─"));
    }
    program.press("qy");
    assert_eq!(program.wait_for_the_end(), 130);
}

#[test]
fn quitting_asks_and_leaves_terminal_and_run_directory_whole_and_resume_goes_on() {
    let mut program = Program::on(LONG, SMALL);
    program.wait_for_training();
    program.press("q");
    program.wait_for("2 cells are unfinished.");
    program.press("n");
    program.wait_until("no question", |seat| !seat.shown().contains("unfinished"));
    let step = program.step();
    program.wait_until("further steps", |_| program.step() > step);
    program.press("q");
    program.wait_for("stop the sweep");
    program.press("y");
    assert_eq!(program.wait_for_the_end(), 130);
    program.wait_for("`sharptui resume runs/live` goes on with them");
    assert!(!program.is_taken() && !program.hides_cursor());
    assert!(program.modes().contains("ICANON"), "{}", program.modes());

    assert_eq!(read_run(&program.run_dir()).unwrap().state, RunState::Stopped);
    assert_eq!(program.ending(0), Some(CellEnding::Finished(StopReason::Steps)));
    assert_eq!(program.ending(1), Some(CellEnding::Interrupted));
    let cells = program.cells();
    assert_eq!(cells.len(), 2);
    for cell in &cells {
        assert!(read_metrics(&cell.path).unwrap().torn.is_none());
        assert!(cell.path.join("model.safetensors").is_file());
    }
    let table = fs::read_to_string(program.run_dir().join("summary.csv")).unwrap();
    assert_eq!(table.lines().count(), 4, "{table}");

    let finished = fs::read(cells[0].path.join("metrics.jsonl")).unwrap();
    let mut program = program.resumed();
    program.wait_for_training();
    let shown = program.shown();
    assert!(shown.contains("1 of 3 done"), "{shown}");
    assert!(program.row(0).contains("finished"), "{shown}");
    assert_eq!(fs::read(cells[0].path.join("metrics.jsonl")).unwrap(), finished);
    program.press("\u{3}");
    program.wait_for("stop the sweep");
    program.press("\u{3}");
    assert_eq!(program.wait_for_the_end(), 130);
}

#[test]
fn a_sweep_that_ends_stays_on_the_screen_until_it_is_left() {
    let mut program = Program::on(SHORT, SMALL);
    program.wait_for("✓ complete");
    program.wait_for("2 of 2 done");
    // The screen still answers keys, and other cells can be selected.
    program.press("k");
    program.wait_for("›  0");
    assert!(program.runs() && program.is_taken());
    program.press("q");
    assert_eq!(program.wait_for_the_end(), 0);
    program.wait_for("complete: 2 cells in runs/live");
    assert!(!program.is_taken() && !program.hides_cursor());
    assert_eq!(read_run(&program.run_dir()).unwrap().state, RunState::Complete);
}

#[test]
fn a_signal_stops_the_sweep_without_a_question() {
    for signal in ["TERM", "USR1", "QUIT"] {
        let mut program = Program::on(LONG, SMALL);
        program.wait_for_training();
        program.signal(signal);
        assert_eq!(program.wait_for_the_end(), 130, "{signal}");
        program.wait_for("stopped with cells unfinished");
        assert!(!program.is_taken() && !program.hides_cursor());
        assert_eq!(read_run(&program.run_dir()).unwrap().state, RunState::Stopped);
        assert_eq!(program.ending(1), Some(CellEnding::Interrupted));
    }
}

#[test]
fn a_terminal_that_hangs_up_leaves_training_alone_and_another_one_shows_it_whole() {
    let mut program = Program::on(LONG, SMALL);
    program.wait_for_training();
    program.hang_up();
    program.wait_for_the_end();
    let length = |program: &Program| read_metrics(&program.cells()[1].path).unwrap().points.len();
    let before = length(&program);
    program.wait_until("further points", |_| length(&program) > before);
    let mut second = program.attached("runs/live");
    second.wait_for("cell 1 · ");
    second.wait_for("1 of 3 done");
    second.wait_until("a measurement", has_measured);
    // The history of a cell that had ended earlier is shown, too.
    second.press("k");
    second.wait_for("looking at cell 0");
    let last = measured(&program, 0, 0).pop().unwrap();
    for (words, value) in titles(&last) {
        second.wait_until(words, |seat| shows(&seat.shown(), words, value));
    }
    second.press("qy");
    assert_eq!(second.wait_for_the_end(), 130);
    assert_eq!(read_run(&program.run_dir()).unwrap().state, RunState::Stopped);
    assert_eq!(program.ending(1), Some(CellEnding::Interrupted));
    assert!(read_metrics(&program.cells()[1].path).unwrap().torn.is_none());
}

#[test]
fn detaching_gives_the_shell_back_and_several_screens_may_look_at_once() {
    let mut program = Program::on(LONG, SMALL);
    program.wait_for_training();
    program.press("D");
    assert_eq!(program.wait_for_the_end(), 0);
    program.wait_for("`sharptui attach");
    assert!(!program.is_taken() && !program.hides_cursor());
    let mut screens = [program.attached("runs/live"), program.attached("runs/live")];
    for screen in &screens {
        screen.wait_for("▶ training");
    }
    screens[0].press(" ");
    for screen in &screens {
        screen.wait_for("‖ paused");
    }
    // A signal to an attached screen ends that screen only.
    screens[1].signal("USR2");
    assert_eq!(screens[1].wait_for_the_end(), 0);
    screens[0].press(" ");
    screens[0].wait_for("▶ training");
    let mode = |name: &str| fs::metadata(program.run_dir().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(".live"), mode(".live/socket")), (0o700, 0o600));
    screens[0].press("qd");
    assert_eq!(screens[0].wait_for_the_end(), 0);
    assert!(connect(&program.run_dir()).is_ok());
}

#[test]
fn a_run_can_be_looked_at_after_its_end_where_it_was_moved_to_and_read_only() {
    let program = Program::on(SHORT, SMALL);
    program.wait_for("✓ complete");
    program.wait_until_nobody_trains();
    let place = program.folder.path().join("elsewhere");
    fs::rename(program.run_dir(), &place).unwrap();
    let set = |mode| fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
    set(0o555);
    let mut screen = program.attached("elsewhere");
    screen.wait_for("✓ complete");
    screen.wait_until("a measurement", has_measured);
    screen.press("q");
    assert_eq!(screen.wait_for_the_end(), 0);
    set(0o755);
}

#[test]
fn a_window_that_is_made_as_small_as_can_be_and_large_again_hundreds_of_times_is_drawn() {
    let program = Program::on(LONG, SMALL);
    program.wait_for_training();
    for _ in 0..200 {
        program.resize((1, 1));
        program.resize(SMALL);
    }
    program.wait_until("all of the screen", |seat| seat.shown().contains("q quit"));
    let step = program.step();
    program.wait_until("further steps", |_| program.step() > step);
}

#[test]
fn a_terminal_that_takes_nothing_costs_no_training() {
    let program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    let length = |program: &Program| {
        fs::metadata(program.cells()[1].path.join("metrics.jsonl"))
            .unwrap()
            .len()
    };
    program.stall();
    std::thread::sleep(std::time::Duration::from_secs(1));
    for _ in 0..3 {
        let before = length(&program);
        program.wait_until("further points", |_| length(&program) > before);
    }
    // Another screen is not affected.
    program.attached("runs/live").wait_for("▶ training");
}

#[test]
fn a_process_that_is_killed_is_missed_by_its_screen_and_gone_on_with() {
    let mut program = Program::on(LONG, SMALL);
    program.wait_for_training();
    let link = connect(&program.run_dir()).unwrap();
    link.requests.send(Request::EndNow).unwrap();
    program.wait_for("the training process exited");
    program.press("q");
    assert_eq!(program.wait_for_the_end(), 1);
    program.wait_for("goes on from the last checkpoint");
    let mut viewer = program.attached("runs/live");
    viewer.wait_for("the training process exited unexpectedly");
    viewer.press("q");
    viewer.wait_for_the_end();
    // A cell without a checkpoint may have caused the crash, so the other cells run first.
    let program = program.resumed();
    program.wait_for("▶ training");
    program.wait_for_row(2, "running");
}

#[test]
fn no_color_means_no_colour() {
    let colours = |program: &Program| String::from_utf8_lossy(&program.bytes()).matches("\u{1b}[38;").count();
    let plain = Program::with(LONG, SMALL, &[("NO_COLOR", "1")]);
    plain.wait_for_training();
    assert_eq!(colours(&plain), 0);
    let coloured = Program::on(LONG, SMALL);
    coloured.wait_for_training();
    assert!(colours(&coloured) > 0);
}

#[test]
fn lines_are_shown_instead_where_the_screen_is_not_wanted() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("live.ron"), SHORT).unwrap();
    let mut seat = start(&folder, &["live.ron", "--plain", "--runners", "1"], MIDDLE, &[]);
    assert_eq!(seat.wait_for_the_end(), 0);
    seat.wait_for("complete: 2 cells");
    assert!(!seat.is_taken());
}

#[test]
fn a_learning_rate_that_is_typed_holds_is_drawn_and_is_still_in_force_after_a_resume() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_row(1, "running");
    program.wait_for("2/η 10.0");
    program.press("r");
    program.wait_for("learning rate of cell 1");
    program.press("0.05\r");
    program.wait_for("the learning rate was changed by hand, from 0.2 to 0.05");
    program.wait_for("2/η 40.0");
    program.wait_for("η changed by hand");
    let mut other = program.attached("runs/live");
    other.wait_for("2/η 40.0");
    other.press("D");
    program.press("q");
    program.wait_for("y stop the sweep");
    program.press("y");
    program.wait_for_the_end();
    let points = |program: &Program| read_metrics(&program.run_dir().join("cells/001")).unwrap().points;
    let before = points(&program);
    let changes: Vec<_> = before.iter().filter_map(|point| point.changed_by_hand).collect();
    assert_eq!(changes, [sharptui::event::RateChange { from: 0.2, to: 0.05 }]);
    let count = before.len();
    let program = program.resumed();
    program.wait_until("measurements after the resume", |_| points(&program).len() > count + 3);
    let later = points(&program)
        .into_iter()
        .skip(count)
        .filter_map(|point| point.values.get("learning_rate"));
    let later: Vec<f64> = later.collect();
    assert!(
        !later.is_empty() && later.iter().all(|rate| rate.to_bits() == 0.05_f64.to_bits()),
        "{later:?}"
    );
}

#[test]
fn while_paused_a_learning_rate_is_taken_on_at_once_and_training_stays_where_it_is() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    program.press("p");
    program.wait_for("‖ paused");
    program.press("r");
    program.wait_for("learning rate of cell 1");
    program.press("0.05\r");
    program.wait_for("the learning rate was changed by hand, from 0.2 to 0.05");
    program.wait_for("2/η 40.0");
    program.wait_for("‖ paused");
    let points = |program: &Program| read_metrics(&program.run_dir().join("cells/001")).unwrap().points;
    let before = points(&program).len();
    program.press("m");
    program.wait_for("training is paused: λ_max is measured after the next step");
    program.wait_for("‖ paused");
    let after = points(&program);
    assert_eq!(after.len(), before);
    let changed = after
        .iter()
        .rfind(|point| point.changed_by_hand.is_some())
        .unwrap()
        .step;
    program.press("p");
    program.wait_for("▶ training");
    // The first step after the pause is measured, as requested.
    program.wait_until("a further step", |_| {
        points(&program)
            .iter()
            .any(|point| point.step == changed + 1 && point.lambda.is_some())
    });
}

#[test]
fn who_has_never_seen_the_screen_is_welcomed_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("live.ron"), SHORT).unwrap();
    let state = folder.path().join("state").display().to_string();
    let variables = [("XDG_STATE_HOME", state.as_str())];
    let mut seat = start(&folder, &["live.ron", "--runners", "1"], SMALL, &variables);
    seat.wait_for("welcome to sharptui");
    seat.press("2");
    seat.wait_until("page 2", |seat| !seat.shown().contains("welcome"));
    seat.press("\u{3}\u{3}");
    seat.wait_for_the_end();
    let seat = start(&folder, &["live.ron", "--runners", "1"], SMALL, &variables);
    seat.wait_for("✓ complete");
    assert!(!seat.shown().contains("welcome"), "{}", seat.shown());
}

#[test]
fn the_curves_are_read_out_and_the_screen_is_saved_by_key() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_row(1, "running");
    program.wait_for("2/η 10.0");
    program.press("\u{1b}[D");
    program.wait_for("at step ");
    program.press("w");
    program.wait_for("pictures/screen-001.svg");
    let picture = fs::read_to_string(program.run_dir().join("pictures/screen-001.svg")).unwrap();
    assert!(
        picture.contains("at step") && picture.ends_with("</svg>\n"),
        "{picture}"
    );
}

#[test]
fn the_queue_is_changed_by_key_and_taken_back_and_the_log_tells_it() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    program.press("2");
    program.wait_until("the table alone", |seat| !seat.shown().contains("loss  test"));
    program.press("jn");
    program.wait_for("cells 1 of 4 done");
    program.press("x");
    program.wait_for("‖ held");
    program.press("u");
    program.wait_until("a cell that is released", |seat| !seat.shown().contains("‖ held"));
    program.press("]");
    program.press("/cell=3");
    program.wait_for("/cell=3_ 1 shown");
    program.press("\u{1b}");
    program.wait_until("every cell", |seat| !seat.shown().contains("/cell=3"));
    program.press("o");
    program.wait_for("by λ_max ↓");
    program.press("4");
    for words in [
        "add a cell like it with a new seed",
        "hold the cell",
        "release the cell",
        "run later",
        "begins",
    ] {
        program.wait_for(words);
    }
    program.press("3");
    program.wait_for("τ: too few cells");
    program.press("i");
    program.wait_for("what the numbers mean");
    program.press("\u{1b}");
    program.wait_until("no explanation", |seat| !seat.shown().contains("what the numbers mean"));
    program.press("1:undo");
    program.wait_for("undo the last change");
    program.press("\r");
    program.wait_for("was moved: undone");
    let queue = fs::read_to_string(program.run_dir().join("queue.json")).unwrap();
    assert!(queue.contains("\"seed\": 1"), "{queue}");
    program.press("\rS");
    program.wait_until("the skipped cell behind the others", |_| {
        program.ending(1) == Some(CellEnding::Interrupted)
    });
}

#[test]
fn the_values_under_the_cursor_go_to_the_clipboard() {
    let mut program = Program::on(LONG, SMALL);
    program.wait_for_training();
    program.press("\u{1b}[D");
    program.wait_for("at step");
    program.press("y");
    program.wait_for("lines are copied");
    assert!(String::from_utf8_lossy(&program.bytes()).contains("\u{1b}]52;c;"));
}

/// Returns the first chart axis with step numbers.
fn steps_shown(seat: &Seat) -> String {
    let shown = seat.shown();
    let axis = shown.lines().find(|line| line.contains('└'));
    axis.unwrap_or_default().trim().to_owned()
}

#[test]
fn steps_are_zoomed_curves_smoothed_and_cells_laid_over_one_another_by_key_and_by_mouse() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    program.press("k");
    program.wait_for("looking at cell 0");
    program.wait_until("its curves", |seat| {
        has_measured(seat) && steps_shown(seat).starts_with("└0")
    });
    let whole = steps_shown(&program);
    for (key, back) in [("+", "-"), ("++", "0"), ("+<", "0")] {
        program.press(key);
        program.wait_until("other steps", |seat| steps_shown(seat) != whole);
        program.press(back);
        program.wait_until("all of them", |seat| steps_shown(seat) == whole);
    }
    program.press("+");
    program.wait_until("the latest steps", |seat| steps_shown(seat) != whole);
    let shown = steps_shown(&program);
    program.press("<");
    program.wait_until("earlier ones", |seat| steps_shown(seat) != shown);
    program.press(">0");
    program.wait_until("all of them", |seat| steps_shown(seat) == whole);
    for mean in ["mean of 9", "mean of 41"] {
        program.press("z");
        program.wait_for(mean);
    }
    program.press("z");
    program.wait_until("the points alone", |seat| !seat.shown().contains("mean of"));
    program.press("v");
    program.wait_for("cell 0 is overlaid on other cells' charts");
    program.press("\r");
    program.wait_for(" 0: 0.1 40 ");
    program.press("V");
    program.wait_until("no other cell", |seat| !seat.shown().contains(" 0: 0.1 40 "));
    program.press("s");
    program.wait_for("test accuracy % against λ_max");
    program.press("ss");
    program.wait_until("loss and accuracy again", |seat| {
        !seat.shown().contains("against λ_max")
    });
    // A click in the chart, with the left button and with the right one.
    program.press("\u{1b}[<0;20;10M\u{1b}[<0;20;10m");
    program.wait_for("at step ");
    program.press("\u{1b}[<2;20;10M\u{1b}[<2;20;10m");
    program.wait_until("no cursor", |seat| !seat.shown().contains("at step "));
    program.press("\u{1b}[6~");
    program.wait_for("looking at cell 2");
    program.press("\u{1b}[5~");
    program.wait_for("looking at cell 0");
}

#[test]
fn a_cell_is_run_again_after_a_question_and_moved_and_a_measurement_is_made_when_asked_for() {
    let mut program = Program::on(LONG, MIDDLE);
    program.wait_for_training();
    // A requested measurement may fall on a step at which one is due anyway.
    for _ in 0..4 {
        program.press("m");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    program.wait_until("a measurement between those that are due", |_| {
        let points = read_metrics(&program.run_dir().join("cells/001")).unwrap().points;
        points
            .iter()
            .any(|point| point.lambda.is_some() && point.step % 20 != 0)
    });
    program.press("kt");
    program.wait_for("run cell 0 again?");
    program.press("n");
    program.wait_until("no question", |seat| !seat.shown().contains("again?"));
    assert!(program.row(0).contains("finished"), "{}", program.shown());
    program.press("t");
    program.wait_for("run cell 0 again?");
    program.press("y");
    program.wait_for_row(0, "queued");
    program.press("[");
    let order = |program: &Program| {
        let queue = sharptui::record::read_queue(&program.run_dir(), 3);
        queue.map(|queue| queue.order).unwrap_or_default()
    };
    program.wait_until("it is moved before the other", |_| order(&program) == [0, 2]);
    program.press("oO");
    program.wait_for("by λ_max ↑");
}
