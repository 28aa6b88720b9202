//! Tests `--runners`, and what a run records about it.

use super::*;

const SHORT: &str = "(
    name: \"crew\", model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 20, steps: 40, train_examples: 60,
    test_examples: 40, probes: [(examples: 20)], sweep: (seed: [0, 1, 2]),
)";

/// Runs the program with two processors, or what counts as such.
fn run(place: &Place, arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
    command.args(arguments).arg("--plain").env("RAYON_NUM_THREADS", "2");
    text(command.current_dir(place.folder.path()).output().unwrap())
}

#[test]
fn threads_are_recorded_and_a_resume_keeps_them_whatever_the_number_of_runners() {
    for (runners, threads) in [("1", 2), ("2", 1), ("flex*2", 1), ("flex,flex", 1), ("3", 1)] {
        let place = Place::with(SHORT);
        let (written, status) = run(&place, &["crew.ron", "--device", "flex", "--runners", runners]);
        assert_eq!(status, Some(0), "{runners}: {written}");
        assert_eq!(read_run(&place.run_dir()).unwrap().threads, Some(threads), "{runners}");
        for cell in 0..3 {
            assert!(matches!(place.ending(cell), Some(CellEnding::Finished(_))), "{runners}");
        }
        for again in ["1", "2", "auto"] {
            fs::remove_file(place.cell(1).join("summary.json")).unwrap();
            let (written, status) = run(&place, &["resume", "runs/crew", "--runners", again]);
            assert_eq!(status, Some(0), "{runners}, then {again}: {written}");
            assert_eq!(read_run(&place.run_dir()).unwrap().threads, Some(threads));
        }
    }
}

#[test]
fn the_variables_of_another_back_end_do_not_count_as_threads() {
    let place = Place::with(SHORT);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
    command.args(["crew.ron", "--plain", "--device", "flex", "--runners", "1"]);
    command.env_remove("RAYON_NUM_THREADS").env("OMP_NUM_THREADS", "1");
    let (written, status) = text(command.current_dir(place.folder.path()).output().unwrap());
    assert_eq!(status, Some(0), "{written}");
    let threads = std::thread::available_parallelism().unwrap().get();
    assert_eq!(read_run(&place.run_dir()).unwrap().threads, Some(threads));
}

#[test]
fn a_wrong_number_of_runners_is_refused_with_what_is_allowed() {
    let place = Place::with(SHORT);
    for (value, words) in [
        ("0", "`0` is not a number from 1 to 1024"),
        ("flex*0", "`0` is not a number from 1 to 1024"),
        ("gpu*2", "`gpu` is not a device"),
    ] {
        let (written, status) = run(&place, &["crew.ron", "--runners", value]);
        assert_eq!(status, Some(2), "{written}");
        assert!(written.contains(words), "{written}");
        assert!(!place.run_dir().exists());
    }
}
