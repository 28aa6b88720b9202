//! Several cells run at the same time: cell 2 was started first, then cell 1, then cell 3, which is paused.

use super::*;
use crate::event::cell_name;

fn runs(cell: CellIndex, activity: Activity) -> Event {
    let cell = Some(cell);
    Event::Activity { cell, activity }
}

fn ends(cell: CellIndex) -> Event {
    crate::tui::fixture::script::ended(cell, 725, crate::event::CellEnding::Diverged)
}

#[test]
fn the_charts_stay_with_the_cell_they_follow_until_it_ends_and_then_with_its_runner() {
    let mut fixture = Fixture::three_at_once();
    let mut chosen = Vec::new();
    for event in [
        runs(2, Activity::Training),
        ends(1),
        Event::Assigned { cell: 4, runner: 1 },
        Event::CellStarted { cell: 4 },
        ends(2),
        Event::Assigned { cell: 5, runner: 0 },
        runs(5, Activity::Preparing),
        ends(3),
        Event::CellStarted { cell: 5 },
        ends(4),
        ends(5),
    ] {
        tell(&mut fixture, event);
        chosen.push(fixture.view.chosen(&fixture.monitor));
    }
    assert_eq!(chosen, [2, 2, 2, 2, 2, 2, 2, 2, 5, 5, 5]);
}

#[test]
fn keys_for_a_running_cell_act_on_the_chosen_one() {
    let mut fixture = Fixture::three_at_once();
    for (pinned, cell) in [(None, 2), (Some(1), 1), (Some(3), 3)] {
        fixture.view.pinned = pinned;
        let sent = |effect| match effect {
            Some(Effect::Send(command)) => (command, String::new()),
            Some(Effect::SendAndSay(command, words)) => (command, words),
            other => panic!("{other:?}"),
        };
        let (command, words) = sent(press(&mut fixture, 'A'));
        assert_eq!(command, Command::Audit(cell));
        assert!(words.contains(&cell_name(cell)), "{words}");
        assert_eq!(words.contains("paused"), cell == 3, "{words}");
        assert!(fixture.view.asked_to_audit.contains_key(&cell));
        assert_eq!(sent(press(&mut fixture, 'm')).0, Command::Measure(cell));
        let paused = sent(press(&mut fixture, 'P')).0;
        if cell == 3 {
            assert_eq!(paused, Command::Resume(Cells::One(3)));
        } else {
            assert_eq!(paused, Command::Pause(Cells::One(cell)));
        }
        // A second press undoes this.
        press(&mut fixture, 'P');
        fixture.view.asked_to_pause = None;
        press(&mut fixture, 'r');
        assert!(matches!(&fixture.view.overlay, Some(Overlay::Rate(prompt)) if prompt.cell == cell));
        fixture.view.overlay = None;
    }
}

#[test]
fn keys_for_a_running_cell_say_that_the_chosen_one_does_not_run() {
    let mut fixture = Fixture::three_at_once();
    for (pinned, key, words) in [
        (
            0,
            'A',
            "cell 0 does not run, so it cannot be audited; Enter follows cell 2",
        ),
        (
            5,
            'm',
            "cell 5 does not run, so it cannot be measured; Enter follows cell 2",
        ),
        (
            5,
            'P',
            "cell 5 does not run, so it cannot be paused; Enter follows cell 2",
        ),
        (
            0,
            'r',
            "cell 0 does not run, so it cannot be given another learning rate; Enter follows cell 2",
        ),
        (0, 'a', "cell 0 has ended: it cannot be aborted"),
        (0, 'S', "cell 0 has ended: it cannot be skipped"),
        (1, 't', "cell 1 has not ended: it cannot be run again"),
    ] {
        fixture.view.pinned = Some(pinned);
        assert_eq!(press(&mut fixture, key), Some(Effect::Say(words.to_owned())));
        assert_eq!(fixture.view.overlay, None);
    }
}

#[test]
fn the_pause_key_is_for_all_cells_and_resumes_once_all_are_paused() {
    let mut fixture = Fixture::three_at_once();
    let pause = Some(Effect::Send(Command::Pause(Cells::All)));
    let resume = Some(Effect::Send(Command::Resume(Cells::All)));
    assert_eq!(press(&mut fixture, ' '), pause);
    assert_eq!(press(&mut fixture, ' '), resume);
    assert_eq!(press(&mut fixture, ' '), pause);
    for cell in [1, 2] {
        tell(&mut fixture, runs(cell, Activity::Paused));
    }
    assert_eq!(fixture.view.asked_to_pause, None);
    assert_eq!(press(&mut fixture, 'p'), resume);
}

#[test]
fn a_cell_that_was_to_be_paused_and_ended_is_waited_for_no_longer() {
    let mut fixture = Fixture::three_at_once();
    press(&mut fixture, 'P');
    assert_eq!(fixture.view.asked_to_pause, Some((Cells::One(2), true)));
    tell(&mut fixture, runs(1, Activity::Paused));
    assert_eq!(fixture.view.asked_to_pause, Some((Cells::One(2), true)));
    tell(&mut fixture, ends(2));
    assert_eq!(fixture.view.asked_to_pause, None);
    // The two cells that are left are both paused.
    assert!(fixture.view.is_to_resume(Cells::All, &fixture.monitor));
    assert!(fixture.monitor.is_paused(Cells::All));
}

#[test]
fn runners_are_added_and_taken_away_by_keys() {
    let mut fixture = Fixture::three_at_once();
    let set = |count| Some(Effect::Send(Command::SetRunners(count)));
    assert_eq!(press(&mut fixture, 'R'), set(4));
    tell(&mut fixture, crate::tui::fixture::script::runners(4));
    assert_eq!(press(&mut fixture, 'R'), set(5));
    assert_eq!(press(&mut fixture, 'F'), set(3));
    tell(&mut fixture, crate::tui::fixture::script::runners(1));
    let said = press(&mut fixture, 'F');
    assert!(
        matches!(&said, Some(Effect::Say(words)) if words == "one runner is left: space pauses it, q stops the sweep")
    );
    // The cells that are left are held.
    let (order, held) = (vec![4, 5], vec![4, 5]);
    tell(&mut fixture, Event::Queue { order, held });
    let said = press(&mut fixture, 'R');
    assert!(matches!(&said, Some(Effect::Say(words)) if words.starts_with("no cell waits")));
    tell(&mut fixture, Event::SweepEnded(SweepEnding::Stopped));
    assert!(matches!(press(&mut fixture, 'R'), Some(Effect::Say(_))));
}

#[test]
fn aborting_and_skipping_are_about_the_chosen_cell_whichever_runs() {
    let mut fixture = Fixture::three_at_once();
    for cell in [1, 3] {
        fixture.view.pinned = Some(cell);
        press(&mut fixture, 'a');
        assert_eq!(press(&mut fixture, 'y'), Some(Effect::Send(Command::Abort(cell))));
    }
    assert_eq!(fixture.view.aborting, BTreeSet::from([1, 3]));
    assert_eq!(press(&mut fixture, 'S'), Some(Effect::Send(Command::Skip(3))));
    // A question about a cell is withdrawn when that cell ends, and not when another one ends.
    fixture.view.pinned = Some(2);
    press(&mut fixture, 'a');
    tell(&mut fixture, ends(1));
    assert_eq!(fixture.view.overlay, Some(Overlay::Question(Question::Abort(2))));
    tell(&mut fixture, ends(2));
    assert!(matches!(fixture.view.overlay, Some(Overlay::Withdrawn(_))));
}
