//! Several cells run at the same time: cell 2 was started first, then cell 1, then cell 3, which is paused.

use super::*;

fn runs(cell: CellIndex, activity: Activity) -> Event {
    let cell = Some(cell);
    Event::Activity { cell, activity }
}

fn ends(cell: CellIndex) -> Event {
    crate::tui::fixture::script::ended(cell, 725, crate::event::CellEnding::Diverged)
}

#[test]
fn the_charts_stay_with_the_cell_they_follow_until_it_ends() {
    let mut fixture = Fixture::three_at_once();
    let mut chosen = Vec::new();
    for event in [
        runs(2, Activity::Training),
        Event::CellStarted { cell: 4 },
        ends(2),
        Event::CellStarted { cell: 5 },
        ends(3),
        ends(1),
        ends(5),
        ends(4),
    ] {
        tell(&mut fixture, event);
        chosen.push(fixture.view.chosen(&fixture.monitor));
    }
    assert_eq!(chosen, [2, 2, 1, 1, 1, 4, 4, 4]);
}

#[test]
fn keys_act_on_the_chosen_cell_if_it_runs_and_on_the_followed_one_else() {
    let mut fixture = Fixture::three_at_once();
    for (pinned, cell) in [(None, 2), (Some(1), 1), (Some(3), 3), (Some(0), 2), (Some(5), 2)] {
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
        let paused = sent(press(&mut fixture, ' ')).0;
        if cell == 3 {
            assert_eq!(paused, Command::Resume(Cells::One(3)));
        } else {
            assert_eq!(paused, Command::Pause(Cells::One(cell)));
        }
        // A second press undoes this.
        press(&mut fixture, ' ');
        fixture.view.asked_to_pause = None;
        press(&mut fixture, 'r');
        assert!(matches!(&fixture.view.overlay, Some(Overlay::Rate(prompt)) if prompt.cell == cell));
        // The cell whose rate is changed is shown.
        assert_eq!(fixture.view.chosen(&fixture.monitor), cell);
        fixture.view.overlay = None;
    }
}

#[test]
fn a_cell_that_was_to_be_paused_and_ended_is_waited_for_no_longer() {
    let mut fixture = Fixture::three_at_once();
    press(&mut fixture, ' ');
    assert_eq!(fixture.view.asked_to_pause, Some((Cells::One(2), true)));
    tell(&mut fixture, runs(1, Activity::Paused));
    assert_eq!(fixture.view.asked_to_pause, Some((Cells::One(2), true)));
    tell(&mut fixture, ends(2));
    assert_eq!(fixture.view.asked_to_pause, None);
    // The two cells that are left are both paused.
    assert!(fixture.view.is_to_resume(&fixture.monitor));
    assert!(fixture.monitor.is_paused(Cells::All));
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
