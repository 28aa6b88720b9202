//! Expansion of a sweep into cells.

use std::num::NonZeroU64;
use std::path::Path;

use sharptui::config::{Experiment, Extent, Model};

use super::{cells, configs_in, with};

fn swept(cell: &sharptui::config::Cell) -> Vec<String> {
    cell.swept
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

#[test]
fn without_a_sweep_there_is_one_cell_that_differs_in_nothing() {
    let cells = cells("steps: 10");
    assert_eq!(cells.len(), 1);
    assert!(cells[0].swept.is_empty());
}

#[test]
fn the_first_axis_is_outermost_and_the_last_one_fastest_in_the_order_written() {
    let cells = cells("steps: 10, sweep: ( seed: [7, 8], dropout: [0.0, 0.1, 0.3] )");
    let order: Vec<_> = cells
        .iter()
        .map(|cell| (cell.settings.seed, cell.settings.dropout))
        .collect();
    assert_eq!(order, [(7, 0.0), (7, 0.1), (7, 0.3), (8, 0.0), (8, 0.1), (8, 0.3)]);
    assert_eq!(swept(&cells[1]), ["seed=7", "dropout=0.1"]);
}

#[test]
fn settings_swept_together_go_through_their_entries_side_by_side() {
    let path = configs_in("tests/configs/valid")
        .into_iter()
        .find(|path| path.ends_with("two_togethers.ron"))
        .unwrap();
    let cells = Experiment::load(&path).unwrap().cells;
    assert_eq!(cells.len(), 8);
    assert_eq!(
        swept(&cells[1]),
        [
            "learning_rate=0.05",
            "batch_size=32",
            "seed=0",
            "dropout=0.5",
            "weight_decay=0.0"
        ]
    );
    assert_eq!(cells[4].settings.batch_size, Extent::Count(64));
    assert!(
        cells
            .iter()
            .all(|cell| (cell.settings.learning_rate > 0.07) == (cell.settings.batch_size == Extent::Count(64)))
    );
}

#[test]
fn structured_values_are_swept_and_told_in_compact_form() {
    let cells =
        cells("steps: 10, sweep: ( model: [Mlp(widths: [64, 32]), Cnn(channels: (8, 16))], batch_size: [Full, 8] )");
    assert_eq!(swept(&cells[0]), ["model=Mlp(widths:[64,32])", "batch_size=Full"]);
    assert_eq!(swept(&cells[3]), ["model=Cnn(channels:(8,16))", "batch_size=8"]);
    assert_eq!(cells[3].settings.model, Model::Cnn { channels: (8, 16) });
}

#[test]
fn a_sweep_overrides_what_is_given_for_all_cells() {
    let cells = cells("steps: 10, dropout: 0.9, sweep: ( dropout: [0.1] )");
    assert_eq!(cells.len(), 1);
    assert_eq!(cells[0].settings.dropout.to_bits(), 0.1_f64.to_bits());
}

#[test]
fn none_in_a_sweep_takes_a_limit_away() {
    let cells = cells("epochs: 2, steps: 5, sweep: ( steps: [None, 3] )");
    assert_eq!(cells[0].settings.steps, None);
    assert_eq!(cells[1].settings.steps, Some(3));
    assert_eq!(swept(&cells[0]), ["steps=None"]);
}

#[test]
fn the_largest_sweep_allowed_expands_and_one_cell_more_does_not() {
    let seeds = |count: u32| (0..count).map(|seed| seed.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(
        cells(&format!("steps: 1, sweep: ( seed: [{}] )", seeds(10_000))).len(),
        10_000
    );
    let message = with(&format!("steps: 1, sweep: ( seed: [{}] )", seeds(10_001)))
        .unwrap_err()
        .to_string();
    assert!(message.contains("10001 cells"), "{message}");
}

#[test]
fn a_cut_holds_in_every_cell_and_in_what_is_written() {
    let uncut = with("epochs: 2, sweep: ( steps: [None, 20, 100] )").unwrap();
    let cut = uncut.clone().cut_at(NonZeroU64::new(50).unwrap());
    let steps = |experiment: &Experiment| {
        experiment
            .cells
            .iter()
            .map(|cell| cell.settings.planned_steps())
            .collect::<Vec<_>>()
    };
    assert_eq!(steps(&uncut), [126, 20, 100]);
    assert_eq!(steps(&cut), [50, 20, 50]);
    // `swept` keeps the value in the file: with the value after the cut, two cells would look the same.
    assert_eq!(swept(&cut.cells[2]), ["steps=100"]);

    let written = cut.to_ron().unwrap();
    assert_eq!(
        Experiment::parse(&written, Path::new("config.ron")).unwrap(),
        cut,
        "{written}"
    );
}

#[test]
fn of_two_cuts_the_earlier_one_holds() {
    let [early, late] = [10, 90].map(|steps| NonZeroU64::new(steps).unwrap());
    let experiment = with("steps: 100").unwrap();
    let one_way = experiment.clone().cut_at(early).cut_at(late);
    assert_eq!(one_way, experiment.cut_at(late).cut_at(early));
    assert_eq!(one_way.cells[0].settings.planned_steps(), 10);
    assert_eq!(one_way.cut_at_steps, Some(early));
}

#[test]
fn the_name_is_that_of_the_file_unless_it_is_given() {
    assert_eq!(with("steps: 1").unwrap().name, "test");
    assert_eq!(with("steps: 1, name: \"mine-2.a\"").unwrap().name, "mine-2.a");
}

#[test]
fn added_values_make_the_cells_that_are_missing_and_may_change_several_settings_together() {
    let text = "(model: Mlp(widths: [4]), cut_at_steps: 30, steps: 20, learning_rate: 0.1, sweep: (
        together: [(batch_size: 10, learning_rate: 0.1), (batch_size: 20, learning_rate: 0.2)], seed: [0, 1], steps: [10, 20],
    ))";
    let experiment = Experiment::parse(text, Path::new("a.ron")).unwrap();
    assert_eq!(experiment.cells.len(), 8);
    let added = |add: &str| {
        let all = experiment.additions(add).map_err(|error| error.to_string())?;
        let whole = experiment
            .clone()
            .with_added(all.clone(), Path::new("queue.json"))
            .unwrap();
        let cells = &whole.cells[8..];
        let values = |cell: &sharptui::config::Cell| {
            let values: Vec<&str> = cell.swept.iter().map(|(_, value)| value.as_str()).collect();
            values.join(" ")
        };
        assert_eq!(whole.clone().settled(&[], Path::new("a.ron")).unwrap(), whole);
        Ok::<_, String>((
            cells.iter().map(values).collect::<Vec<_>>(),
            cells[0].settings.planned_steps(),
        ))
    };
    let (cells, _) = added("together: [(batch_size: 10, learning_rate: 0.3)]").unwrap();
    assert_eq!(cells, ["0.3 10 0 10", "0.3 10 0 20", "0.3 10 1 10", "0.3 10 1 20"]);
    // The limit of all cells holds for new ones, too.
    let (cells, planned) = added("(steps: [50])").unwrap();
    assert_eq!(
        (&cells[..2], cells.len(), planned),
        (&["0.1 10 0 50".to_owned(), "0.1 10 1 50".to_owned()][..], 4, 30)
    );
    for (add, words) in [
        (
            "together: [(batch_size: 0, learning_rate: 0.3)]",
            "--add: together[0].batch_size: 0 is out of range",
        ),
        (
            "together: [(batch_size: 10)]",
            "--add: together: `batch_size` together is not an axis of this run, which sweeps \
          `learning_rate` and `batch_size` together, `seed`, `steps`",
        ),
        (
            "learning_rate: [0.3]",
            "--add: learning_rate: `learning_rate` is not an axis of this run",
        ),
        (
            "train_examples: [5]",
            "--add: train_examples: no value of `train_examples` can be added: the examples of a run",
        ),
        ("seed: [3], seed: [4]", "`seed` is swept a second time"),
        ("seed: [3, 3]", "--add: seed[1]: is the same as sweep.seed[0], 3"),
        ("seed: [0,5]", "--add"),
        ("seed: [3", "--add:1:9: seed: ends too early; is a `]` or `)` missing?"),
    ] {
        let message = added(add).unwrap_err();
        assert!(message.contains(words), "{words} is not in: {message}");
    }
}
