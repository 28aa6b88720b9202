//! Tests commands to several runners, sent as a screen sends them.

use sharptui::event::{Cells, Command as Order};
use sharptui::live::{Request, connect};

use super::*;

/// Sends a command to the sweep.
fn send(place: &Place, order: Order) {
    let link = connect(&place.run_dir()).unwrap();
    link.requests.send(Request::Command(order)).unwrap();
    // The line has arrived when its effect is in the log; the caller waits for that.
    std::mem::forget(link);
}

#[test]
fn an_abort_holds_even_if_the_runner_dies_before_it_obeys() {
    let hurt = Place::with(UNEVEN);
    let sweep = hurt.start("2", &EVERY_SECOND);
    let runner = hurt.runner_of(0, &sweep);
    wait_for("a checkpoint", || has_checkpoint(&hurt.cell(0)));
    kill(runner, Signal::STOP);
    send(&hurt, Order::Abort(0));
    hurt.wait_for_log("\"ByHand\",\"words\":\"abort\"");
    kill(runner, Signal::KILL);
    finished(sweep, &hurt);
    assert_eq!(hurt.ending(0), Some(CellEnding::Aborted));
    assert!(!has_checkpoint(&hurt.cell(0)));
}

#[test]
fn runners_are_added_and_taken_away_while_the_sweep_is_paused_starting_or_stopping() {
    let whole = Place::with(UNEVEN);
    whole.finish("1");
    let hurt = Place::with(UNEVEN);
    let sweep = hurt.start("1", &["--checkpoint-every", "3600"]);
    wait_for("a socket", || connect(&hurt.run_dir()).is_ok());
    // Perhaps before the first runner is ready.
    send(&hurt, Order::SetRunners(3));
    hurt.wait_for_log("runners: 3");
    let first = [0, 1].map(|cell| hurt.runner_of(cell, &sweep));
    assert_ne!(first[0], first[1]);
    send(&hurt, Order::Pause(Cells::All));
    hurt.wait_for_log("\"pause\"");
    send(&hurt, Order::SetRunners(1));
    wait_for("a single runner", || runners(&sweep).len() == 1);
    send(&hurt, Order::SetRunners(2));
    wait_for("two runners", || runners(&sweep).len() == 2);
    send(&hurt, Order::Resume(Cells::All));
    hurt.wait_for_log("\"continue\"");
    send(&hurt, Order::Quit);
    let (written, status) = text(sweep.wait_with_output().unwrap());
    assert!(matches!(status, Some(0 | 130)), "{status:?}: {written}");
    hurt.finish("2");
    assert_same(&hurt, &whole);
    assert!(!hurt.log().contains("lost"), "no runner died: {}", hurt.log());
}
