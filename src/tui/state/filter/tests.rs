//! Filters on a half-finished sweep: the cells that they show, and the message if they show nothing.

use super::*;
use crate::tui::fixture::Fixture;

fn shown(fixture: &Fixture, text: &str) -> Vec<CellIndex> {
    let filter = Filter::parse(text);
    (0..6).filter(|cell| filter.holds(*cell, &fixture.monitor)).collect()
}

#[track_caller]
fn said(fixture: &Fixture, text: &str) -> String {
    let complaint = Filter::parse(text).complaint(&fixture.monitor);
    complaint.unwrap_or_else(|| panic!("nothing is said of {text:?}"))
}

#[test]
fn the_heads_of_the_columns_are_understood() {
    for (typed, same) in [
        ("train acc<0.9", "train_acc<0.9"),
        ("Train Loss > 1", "train_loss > 1"),
        ("test acc >= 30 %", "acc >= 30 %"),
        ("test loss<2 tanh", "loss<2 tanh"),
        ("edge of stability>0.9", "edge>0.9"),
    ] {
        assert_eq!(Filter::parse(typed).terms, Filter::parse(same).terms, "{typed}");
    }
    assert_ne!(
        Filter::parse("train acc").terms,
        Filter::parse("train_acc").terms,
        "without a relation they are words"
    );
}

#[test]
fn words_are_looked_for_in_states_and_settings_and_all_have_to_hold() {
    let fixture = Fixture::half_way();
    for (text, cells) in [
        ("", &[0, 1, 2, 3, 4, 5][..]),
        ("queued", &[3, 4, 5]),
        ("TANH", &[0, 2, 4]),
        ("finished tanh", &[0]),
        ("done", &[0, 1]),
        ("waiting", &[3, 4, 5]),
        ("training", &[2]),
        ("0.05", &[2, 3]),
        ("nothing", &[]),
    ] {
        assert_eq!(shown(&fixture, text), cells, "{text}");
    }
}

#[test]
fn numbers_are_compared_and_what_was_not_measured_compares_to_nothing() {
    let fixture = Fixture::half_way();
    for (text, cells) in [
        ("learning_rate=0.05", &[2, 3][..]),
        ("learning_rate>0.05", &[0, 1]),
        ("learning_rate<0.05 activation=relu", &[5]),
        ("lambda>30", &[2]),
        ("acc>50%", &[0, 1, 2]),
        ("acc<0.5", &[]),
        ("edge>0.9", &[0, 1, 2]),
        ("cell>3", &[4, 5]),
        ("nonsense>1", &[]),
        ("lambda=", &[]),
    ] {
        assert_eq!(shown(&fixture, text), cells, "{text}");
    }
}

#[test]
fn every_way_to_write_a_comparison_is_understood() {
    let fixture = Fixture::half_way();
    for (text, cells) in [
        ("learning_rate>=0.05", &[0, 1, 2, 3][..]),
        ("learning_rate=>0.05", &[0, 1, 2, 3]),
        ("learning_rate≥0.05", &[0, 1, 2, 3]),
        ("learning_rate<=0.05", &[2, 3, 4, 5]),
        ("learning_rate=<0.05", &[2, 3, 4, 5]),
        ("learning_rate≤0.05", &[2, 3, 4, 5]),
        ("learning_rate==0.05", &[2, 3]),
        ("learning_rate!=0.05", &[0, 1, 4, 5]),
        ("learning_rate<>0.05", &[0, 1, 4, 5]),
        ("learning_rate≠0.05", &[0, 1, 4, 5]),
        ("Learning_Rate > 5e-2  relu", &[1]),
        ("relu lr >0.05", &[1]),
        ("η= .05", &[2, 3]),
        ("lr=+0.050", &[2, 3]),
        ("activation!=tanh", &[1, 3, 5]),
        ("activation == TANH", &[0, 2, 4]),
        ("state=finished", &[0, 1]),
        ("state!=queued", &[0, 1, 2]),
        ("acc>35", &[0, 1, 2]),
        ("ACC >= 35 %", &[0, 1, 2]),
        ("acc>=0.35", &[0, 1, 2]),
        ("acc<=100", &[0, 1, 2]),
        ("train_acc>0.9", &[0, 1, 2]),
        ("accuracy!=1", &[0, 1, 2]),
        ("λ_max>30", &[2]),
        ("lambda>=30", &[2]),
        ("cell==2", &[2]),
        ("#<=1", &[0, 1]),
        // Settings that are the same in every cell.
        ("seed=0 dropout<0.5", &[0, 1, 2, 3, 4, 5]),
        ("batch_size=full cell=0", &[0]),
        ("loss=squarederror cell=0", &[0]),
        ("loss<0.2", &[0, 1, 2]),
        ("steps=1000", &[0, 1]),
    ] {
        assert_eq!(shown(&fixture, text), cells, "{text}");
        assert_eq!(Filter::parse(text).complaint(&fixture.monitor), None, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_said() {
    let fixture = Fixture::half_way();
    for (text, words) in [
        (
            "nosuch>1",
            "there is no `nosuch`; the names are lambda, acc, loss, train_loss, ",
        ),
        ("0.3<acc", "there is no `0.3`; the names are lambda"),
        (
            "learning_rte>1",
            "there is no `learning_rte`; did you mean learning_rate?",
        ),
        ("lamda>1", "there is no `lamda`; did you mean lambda?"),
        (">0.3", "the name before > 0.3 is missing, as in acc>0.8"),
        ("acc>", "acc > needs a value, as in acc>0.8"),
        ("acc > > 0.3", "acc > needs a value"),
        ("acc>0,3", "acc > 0,3: a comma does not belong in a number: type 0.3"),
        (
            "lambda>−1",
            "lambda > −1: `−` (U+2212) does not belong in a number: type -1",
        ),
        ("acc>high", "acc > high: `h` does not belong in a number"),
        ("acc>nan", "acc > nan: the number must be finite"),
        ("acc>350", "acc is at most 100 %"),
        ("0.2<acc<0.5", "there is no `0.2`"),
        ("acc>0.3,tanh", "acc > 0.3,tanh: a comma does not belong in a number"),
        (
            "dropout>0,5",
            "dropout > 0,5: a comma does not belong in a number: type 0.5",
        ),
        ("activation>1", "activation is tanh, relu: compare it with = or !="),
        ("state>1", "state is a word: compare it with = or !="),
    ] {
        let said = said(&fixture, text);
        assert!(said.starts_with(words), "{text}: {said}");
        assert_eq!(shown(&fixture, text), [0; 0], "{text}");
    }
}

#[test]
fn what_no_cell_has_is_said_with_what_there_is() {
    let fixture = Fixture::half_way();
    for (text, words) in [
        ("diverged", "no cell has `diverged` in its state or swept settings"),
        (
            "fashion",
            "no cell has `fashion` in its state or swept settings; type data=fashion",
        ),
        ("acc", "`acc` needs a comparison, as in acc=1"),
        (
            "learning_rate=0,05",
            "no cell has learning_rate 0,05: it is 0.1, 0.05, 0.025; a comma does not belong in a number: type 0.05",
        ),
        ("lr=0.5", "no cell has lr 0.5: it is 0.1, 0.05, 0.025"),
        ("lr>0.1", "no cell has lr > 0.1: it is 0.1, 0.05, 0.025"),
        ("activation=gelu", "no cell has activation gelu: it is tanh, relu"),
        ("dropout=0,5", "no cell has dropout 0,5: it is 0; a comma"),
        ("lambda>1000", "no cell has lambda > 1000: it goes from 20.7 to 39.2"),
        ("acc>99", "no cell has acc > 99: it goes from 86.2% to 87.8%"),
        ("cell>6", "no cell has cell > 6: it goes from 0 to 5"),
        ("state=failed", "no cell has the state = failed"),
    ] {
        let said = said(&fixture, text);
        assert!(said.starts_with(words), "{text}: {said}");
        assert_eq!(shown(&fixture, text), [0; 0], "{text}");
    }
    // A mistyped value would exclude nothing.
    assert!(said(&fixture, "lr!=0.5").starts_with("no cell has lr 0.5"));
    let mut untrained = Fixture::half_way();
    for cell in &mut untrained.monitor.cells {
        cell.latest = crate::monitor::Latest::default();
    }
    assert_eq!(
        said(&untrained, "acc>0.3"),
        "no cell has acc > 0.3: it is not measured yet"
    );
}

#[test]
fn a_setting_that_is_called_like_a_number_is_known_by_what_it_is_compared_to() {
    let mut fixture = Fixture::half_way();
    for (index, cell) in fixture.monitor.cells.iter_mut().enumerate() {
        let steps = if index < 3 { "500" } else { "1000" };
        cell.plan.settings.retain(|(name, _)| name != "steps");
        cell.plan.settings.push(("steps".into(), steps.into()));
        cell.plan.swept.push(("steps".into(), steps.into()));
    }
    fixture.monitor.know_settings();
    assert_eq!(shown(&fixture, "steps=500"), [0, 1, 2]);
    assert_eq!(shown(&fixture, "loss=squared loss<0.2"), [0, 1, 2]);
}
