mod foreign;
mod several;

use std::time::Instant;

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::*;
use crate::event::{Activity, Cells, Event, SweepEnding};
use crate::tui::fixture::{Fixture, script};

fn press(fixture: &mut Fixture, key: char) -> Option<Effect> {
    let event = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
    fixture.view.key(&event, &fixture.monitor)
}

/// An activity of the running cell.
fn busy(activity: Activity) -> Event {
    let cell = Some(2);
    Event::Activity { cell, activity }
}

fn tell(fixture: &mut Fixture, event: Event) {
    fixture.monitor.apply(event, Instant::now());
    fixture.view.follow(&fixture.monitor);
}

#[test]
fn pause_is_wished_at_once_and_done_when_the_trainer_says_so() {
    let mut fixture = Fixture::half_way();
    assert_eq!(press(&mut fixture, ' '), Some(Effect::Send(Command::Pause(Cells::All))));
    tell(&mut fixture, busy(Activity::MeasuringLambda));
    assert_eq!(fixture.view.asked_to_pause, Some((Cells::All, true)));
    tell(&mut fixture, busy(Activity::Paused));
    assert_eq!(fixture.view.asked_to_pause, None);
    assert_eq!(
        press(&mut fixture, 'p'),
        Some(Effect::Send(Command::Resume(Cells::All)))
    );
}

#[test]
fn a_second_press_takes_the_pause_back_before_it_began() {
    let mut fixture = Fixture::half_way();
    press(&mut fixture, ' ');
    assert_eq!(
        press(&mut fixture, ' '),
        Some(Effect::Send(Command::Resume(Cells::All)))
    );
}

#[test]
fn quitting_asks_first_and_a_second_time_leaves_at_once() {
    let mut fixture = Fixture::half_way();
    assert_eq!(press(&mut fixture, 'q'), None);
    assert_eq!(fixture.view.overlay, Some(Overlay::Question(Question::Quit)));
    assert_eq!(press(&mut fixture, 'x'), None);
    assert_eq!(press(&mut fixture, 'n'), None);
    assert_eq!(fixture.view.overlay, None);
    press(&mut fixture, 'q');
    assert_eq!(press(&mut fixture, 'y'), Some(Effect::Send(Command::Quit)));
    assert_eq!(press(&mut fixture, 'q'), Some(Effect::Leave));
}

#[test]
fn control_c_confirms_quitting_but_never_an_abort() {
    let mut fixture = Fixture::half_way();
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    press(&mut fixture, 'a');
    assert_eq!(fixture.view.key(&control_c, &fixture.monitor), None);
    assert_eq!(fixture.view.overlay, Some(Overlay::Question(Question::Quit)));
    assert_eq!(
        fixture.view.key(&control_c, &fixture.monitor),
        Some(Effect::Send(Command::Quit))
    );
}

#[test]
fn once_the_sweep_has_ended_quitting_asks_nothing() {
    let mut fixture = Fixture::half_way();
    press(&mut fixture, 'q');
    tell(&mut fixture, Event::SweepEnded(SweepEnding::Complete));
    assert_eq!(fixture.view.overlay, None);
    assert_eq!(press(&mut fixture, 'q'), Some(Effect::Leave));
}

#[test]
fn aborting_is_about_the_chosen_cell_and_only_if_it_has_not_ended() {
    let mut fixture = Fixture::half_way();
    press(&mut fixture, 'k');
    press(&mut fixture, 'a');
    assert_eq!(fixture.view.overlay, None, "cell 0 is finished");
    press(&mut fixture, 'j');
    press(&mut fixture, 'j');
    press(&mut fixture, 'a');
    assert_eq!(fixture.view.overlay, Some(Overlay::Question(Question::Abort(3))));
    assert_eq!(press(&mut fixture, 'y'), Some(Effect::Send(Command::Abort(3))));
    assert!(fixture.view.aborting.contains(&3));
}

#[test]
fn a_question_about_a_cell_that_has_ended_meanwhile_is_withdrawn() {
    let mut fixture = Fixture::half_way();
    press(&mut fixture, 'a');
    assert_eq!(fixture.view.overlay, Some(Overlay::Question(Question::Abort(2))));
    let ending = crate::event::CellEnding::Diverged;
    tell(&mut fixture, crate::tui::fixture::script::ended(2, 725, ending));
    // An answer that comes too late does not add a seed.
    let drawn = fixture.drawn(crate::tui::screen::render, (60, 16));
    assert!(drawn.contains("Cell 2 was not aborted"), "{drawn}");
    assert_eq!(press(&mut fixture, 'x'), None);
    assert!(matches!(fixture.view.overlay, Some(Overlay::Withdrawn(_))));
    assert_eq!(press(&mut fixture, 'n'), None);
    assert_eq!(fixture.view.overlay, None);
}

#[test]
fn the_program_is_stopped_by_its_key_wherever_something_is_asked() {
    for keys in ["", "r", "r0.05", "/", ":", "q", "a"] {
        let mut fixture = Fixture::half_way();
        for key in keys.chars() {
            press(&mut fixture, key);
        }
        let stop = KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL);
        assert_eq!(
            fixture.view.key(&stop, &fixture.monitor),
            Some(Effect::Suspend),
            "{keys}"
        );
    }
}

#[test]
fn a_number_of_runners_is_typed_at_the_palette() {
    let mut fixture = Fixture::half_way();
    let type_it = |fixture: &mut Fixture| {
        press(fixture, ':');
        fixture.view.paste("runners 4");
        let enter = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        fixture.view.key(&enter, &fixture.monitor)
    };
    assert_eq!(type_it(&mut fixture), Some(Effect::Send(Command::SetRunners(4))));
    assert_eq!(fixture.view.overlay, None);
    tell(&mut fixture, Event::Elsewhere("on another-machine".to_owned()));
    assert!(matches!(type_it(&mut fixture), Some(Effect::Say(_))));
}

#[test]
fn a_filter_is_typed_where_it_is_seen() {
    let mut fixture = Fixture::half_way();
    press(&mut fixture, '4');
    press(&mut fixture, '/');
    press(&mut fixture, 'q');
    assert_eq!(fixture.view.page, Page::Cells);
    assert!(fixture.drawn(crate::tui::screen::render, (80, 24)).contains("/q"));
}

#[test]
fn a_run_that_is_trained_elsewhere_is_left_by_a_key_and_gets_commands_about_single_cells_only() {
    let mut fixture = Fixture::half_way();
    tell(&mut fixture, Event::Elsewhere("on another-machine".to_owned()));
    for key in ['n', 'R', 'F', 'x', '[', ']', 'u'] {
        let said = press(&mut fixture, key);
        assert!(
            matches!(&said, Some(Effect::Say(words)) if words.contains("trained on another-machine")),
            "{key}: {said:?}"
        );
    }
    assert_eq!(press(&mut fixture, ' '), Some(Effect::Send(Command::Pause(Cells::All))));
    assert_eq!(press(&mut fixture, 'A'), Some(Effect::Send(Command::Audit(2))));
    assert_eq!(press(&mut fixture, 'a'), None);
    assert_eq!(press(&mut fixture, 'y'), Some(Effect::Send(Command::Abort(2))));
    // Nothing is shown as asked for: there may be no answer.
    tell(&mut fixture, Event::Elsewhere("on another-machine".to_owned()));
    assert!(fixture.view.aborting.is_empty() && fixture.view.asked_to_audit.is_empty());
    assert_eq!(fixture.view.asked_to_pause, None);
    assert_eq!(press(&mut fixture, 'q'), Some(Effect::Detach));
    // The screen that started the sweep can stop it.
    fixture.view.owns = true;
    assert_eq!(press(&mut fixture, 'q'), None);
    assert_eq!(fixture.view.overlay, Some(Overlay::Question(Question::Quit)));
}

#[test]
fn choosing_stays_within_the_queue_and_following_takes_it_back() {
    let mut fixture = Fixture::half_way();
    for _ in 0..20 {
        press(&mut fixture, 'j');
    }
    assert_eq!(fixture.view.chosen(&fixture.monitor), 5);
    for _ in 0..20 {
        press(&mut fixture, 'k');
    }
    assert_eq!(fixture.view.chosen(&fixture.monitor), 0);
    press(&mut fixture, 'f');
    assert_eq!(fixture.view.chosen(&fixture.monitor), 2);
}

#[test]
fn between_two_cells_the_last_one_stays_in_view() {
    let mut fixture = Fixture::half_way();
    fixture.view.follow(&fixture.monitor);
    let ending = crate::event::CellEnding::Diverged;
    tell(&mut fixture, crate::tui::fixture::script::ended(2, 725, ending));
    assert_eq!(fixture.view.chosen(&fixture.monitor), 2);
    tell(&mut fixture, Event::CellStarted { cell: 3 });
    assert_eq!(fixture.view.chosen(&fixture.monitor), 3);
}

#[test]
fn a_signal_stops_without_asking() {
    let mut fixture = Fixture::half_way();
    assert_eq!(fixture.view.stop(&fixture.monitor), Effect::Send(Command::Quit));
    assert_eq!(fixture.view.stop(&fixture.monitor), Effect::Leave);
}

#[test]
fn an_audit_is_to_come_until_it_is_made() {
    let mut fixture = Fixture::half_way();
    assert_eq!(press(&mut fixture, 'A'), Some(Effect::Send(Command::Audit(2))));
    tell(&mut fixture, busy(Activity::Paused));
    assert!(fixture.view.asked_to_audit.contains_key(&2));
    let mut point = crate::tui::fixture::script::point(2, 725, 0);
    point.lambda.as_mut().unwrap().lambda_audited = true;
    tell(
        &mut fixture,
        Event::Measured {
            cell: 2,
            point: Box::new(point),
        },
    );
    assert!(fixture.view.asked_to_audit.is_empty());
}

#[test]
fn the_scatter_goes_through_the_swept_settings_and_away() {
    let mut fixture = Fixture::half_way();
    let mut seen = Vec::new();
    for _ in 0..4 {
        fixture.view.act(Action::Scatter, &fixture.monitor);
        seen.push(fixture.view.scatter);
    }
    assert_eq!(seen, [Some(0), Some(1), None, Some(0)]);
}

#[test]
fn a_page_is_ten_cells_and_stays_within_the_queue() {
    let mut fixture = Fixture::half_way().with_cells(30);
    let mut page = |code| {
        let event = KeyEvent::new(code, KeyModifiers::NONE);
        fixture.view.key(&event, &fixture.monitor);
        fixture.view.chosen(&fixture.monitor)
    };
    let chosen = [KeyCode::PageDown, KeyCode::PageDown, KeyCode::PageDown].map(&mut page);
    assert_eq!(chosen, [12, 22, 29]);
    assert_eq!([KeyCode::PageUp; 3].map(page), [19, 9, 0]);
}

#[test]
fn a_learning_rate_is_asked_for_at_a_prompt_that_takes_its_keys() {
    let rate = |learning_rate| Some(Effect::Send(Command::SetLearningRate { cell: 2, learning_rate }));
    let mut fixture = Fixture::half_way();
    for (keys, expected) in [("rh", rate(0.025)), ("rd", rate(0.1))] {
        let mut effect = None;
        for key in keys.chars() {
            effect = press(&mut fixture, key);
        }
        assert_eq!(effect, expected);
        assert_eq!(fixture.view.overlay, None);
    }
    for key in "r1e-3".chars() {
        assert_eq!(press(&mut fixture, key), None);
    }
    let enter = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
    assert_eq!(fixture.view.key(&enter, &fixture.monitor), rate(1e-3));
}

#[test]
fn the_prompt_of_a_cell_that_has_ended_is_closed() {
    let mut fixture = Fixture::half_way();
    press(&mut fixture, 'r');
    assert!(matches!(fixture.view.overlay, Some(Overlay::Rate(_))));
    tell(&mut fixture, Event::SweepEnded(SweepEnding::Complete));
    assert!(matches!(fixture.view.overlay, Some(Overlay::Withdrawn(_))));
    // The rest of the typed input does nothing.
    press(&mut fixture, 'd');
    press_code(&mut fixture, KeyCode::Enter);
    assert_eq!(fixture.view.overlay, None);
    assert!(matches!(press(&mut fixture, 'r'), Some(Effect::Say(_))));
    assert_eq!(fixture.view.overlay, None);
}

fn press_code(fixture: &mut Fixture, code: KeyCode) {
    let event = KeyEvent::new(code, KeyModifiers::NONE);
    assert_eq!(fixture.view.key(&event, &fixture.monitor), None);
}

#[test]
fn the_cursor_begins_at_the_last_step_stays_on_the_charts_and_goes_with_esc() {
    let mut fixture = Fixture::half_way();
    press_code(&mut fixture, KeyCode::Left);
    assert_eq!(fixture.view.cursor, Some(720));
    press_code(&mut fixture, KeyCode::Right);
    assert_eq!(fixture.view.cursor, Some(720));
    for _ in 0..999 {
        press_code(&mut fixture, KeyCode::Left);
    }
    assert_eq!(fixture.view.cursor, Some(0));
    press_code(&mut fixture, KeyCode::Esc);
    assert_eq!(fixture.view.cursor, None);
}

#[test]
fn zooming_goes_around_the_cursor_and_without_one_follows_the_latest_steps() {
    let mut fixture = Fixture::half_way();
    press(&mut fixture, '+');
    assert_eq!(fixture.view.zoom, Zoom::Latest(500));
    press(&mut fixture, '0');
    press_code(&mut fixture, KeyCode::Left);
    press(&mut fixture, '+');
    press(&mut fixture, '+');
    assert!(fixture.view.window(&fixture.monitor).holds(720));
    assert_eq!(fixture.view.window(&fixture.monitor).width(), 250);
    press(&mut fixture, '<');
    assert_eq!(fixture.view.window(&fixture.monitor).from, 720 - 125 - 62);
    for _ in 0..5 {
        press(&mut fixture, '-');
    }
    assert_eq!(fixture.view.zoom, Zoom::Whole);
}

fn chosen(fixture: &mut Fixture, cell: usize) {
    fixture.view.pinned = Some(cell);
}

#[test]
fn a_queued_cell_is_moved_held_and_added_and_each_is_taken_back_in_turn() {
    let mut fixture = Fixture::half_way();
    chosen(&mut fixture, 4);
    let sent = |command| Some(Effect::Send(command));
    assert_eq!(press(&mut fixture, '['), sent(Command::Move { cell: 4, by: -1 }));
    assert_eq!(press(&mut fixture, 'x'), sent(Command::Hold(4)));
    assert_eq!(press(&mut fixture, 'n'), sent(Command::AddSeed(4)));
    let plan = fixture.monitor.cells[4].plan.clone();
    tell(&mut fixture, Event::CellAdded(Box::new(plan)));
    let mut taken_back = Vec::new();
    while let Some(Effect::SendAndSay(command, _)) = press(&mut fixture, 'u') {
        taken_back.push(command);
    }
    let expected = [Command::Abort(6), Command::Release(4), Command::Move { cell: 4, by: 1 }];
    assert_eq!(taken_back, expected);
}

#[test]
fn what_cannot_be_changed_is_said_and_sends_nothing() {
    let mut fixture = Fixture::half_way();
    for (cell, key, words) in [
        (0, '[', "cell 0 is not queued: it cannot be moved"),
        (3, '[', "cell 3 is already the next one"),
        (5, ']', "cell 5 is already the last one"),
        (2, 'x', "cell 2 is not queued: it cannot be held"),
        (0, 'S', "cell 0 has ended: it cannot be skipped"),
        (4, 't', "cell 4 has not ended: it cannot be run again"),
        (0, 'a', "cell 0 has ended: it cannot be aborted"),
        (0, 'u', "there is nothing to undo"),
    ] {
        chosen(&mut fixture, cell);
        assert_eq!(press(&mut fixture, key), Some(Effect::Say(words.to_owned())), "{key}");
    }
}

#[test]
fn a_change_that_the_sweep_has_overtaken_is_not_taken_back() {
    let mut fixture = Fixture::half_way();
    chosen(&mut fixture, 3);
    press(&mut fixture, ']');
    tell(&mut fixture, Event::CellStarted { cell: 3 });
    let words = "cell 3 was moved: this can no longer be undone";
    assert_eq!(press(&mut fixture, 'u'), Some(Effect::Say(words.to_owned())));
}

#[test]
fn a_skipped_cell_is_taken_back_to_the_front_of_the_queue() {
    let mut fixture = Fixture::half_way();
    assert_eq!(press(&mut fixture, 'S'), Some(Effect::Send(Command::Skip(2))));
    let ending = crate::event::CellEnding::Interrupted;
    tell(&mut fixture, crate::tui::fixture::script::ended(2, 725, ending));
    assert_eq!(fixture.monitor.turns.queue, [3, 4, 5, 2]);
    let back = press(&mut fixture, 'u');
    let Some(Effect::SendAndSay(Command::Move { cell: 2, by: -3 }, _)) = back else {
        panic!("{back:?}")
    };
}

#[test]
fn running_a_cell_again_asks_first() {
    let mut fixture = Fixture::half_way();
    chosen(&mut fixture, 1);
    assert_eq!(press(&mut fixture, 't'), None);
    assert_eq!(fixture.view.overlay, Some(Overlay::Question(Question::Retry(1))));
    assert_eq!(press(&mut fixture, 'y'), Some(Effect::Send(Command::Retry(1))));
}

#[test]
fn a_filter_is_in_force_while_it_is_typed_and_esc_takes_it_back() {
    let mut fixture = Fixture::half_way();
    for key in "/relu".chars() {
        assert_eq!(press(&mut fixture, key), None);
    }
    assert_eq!(fixture.view.rows.shown(&fixture.monitor), [1, 3, 5]);
    press_code(&mut fixture, KeyCode::Enter);
    press(&mut fixture, 'j');
    assert_eq!(
        fixture.view.chosen(&fixture.monitor),
        1,
        "from a hidden cell the first row is chosen"
    );
    press(&mut fixture, 'j');
    assert_eq!(fixture.view.chosen(&fixture.monitor), 3);
    for key in "/x".chars() {
        press(&mut fixture, key);
    }
    assert!(fixture.view.rows.shown(&fixture.monitor).is_empty());
    press_code(&mut fixture, KeyCode::Esc);
    assert_eq!(fixture.view.rows.shown(&fixture.monitor), [1, 3, 5]);
}

#[test]
fn the_palette_does_what_is_found() {
    let mut fixture = Fixture::half_way();
    for key in ":audit".chars() {
        assert_eq!(press(&mut fixture, key), None);
    }
    let enter = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
    assert_eq!(
        fixture.view.key(&enter, &fixture.monitor),
        Some(Effect::Send(Command::Audit(2)))
    );
    assert_eq!(fixture.view.overlay, None);
}

#[test]
fn the_log_is_scrolled_by_the_same_keys_and_enter_goes_to_its_end() {
    let mut fixture = Fixture::half_way();
    for _ in 0..30 {
        let entry = crate::event::LogEntry {
            at: 0.0,
            cell: None,
            kind: crate::event::LogKind::Notice,
            words: String::new(),
        };
        tell(&mut fixture, Event::Logged(entry));
    }
    press(&mut fixture, '4');
    press_code(&mut fixture, KeyCode::PageUp);
    press_code(&mut fixture, KeyCode::Up);
    press_code(&mut fixture, KeyCode::Down);
    assert_eq!((fixture.view.log_back, fixture.view.pinned), (10, None));
    press_code(&mut fixture, KeyCode::Enter);
    assert_eq!(fixture.view.log_back, 0);
}

#[test]
fn seeds_are_shown_together_only_where_a_combination_has_several() {
    let mut fixture = Fixture::half_way();
    let only = "cell 2 is the only seed of its combination";
    assert_eq!(press(&mut fixture, 'g'), Some(Effect::Say(only.into())));
    assert!(fixture.view.together(&fixture.monitor).is_empty());
    press(&mut fixture, 'g');
    for (seed, cell) in fixture.monitor.cells.iter_mut().enumerate().skip(2) {
        cell.plan.swept = vec![("seed".into(), seed.to_string())];
        cell.plan.settings.clone_from(&cell.plan.swept);
    }
    fixture.monitor.know_settings();
    let four = "the charts show the 4 seeds of the combination together";
    assert_eq!(press(&mut fixture, 'g'), Some(Effect::Say(four.into())));
    assert_eq!(fixture.view.together(&fixture.monitor), [2, 3, 4, 5]);
    assert_eq!(
        press(&mut fixture, 'g'),
        Some(Effect::Say("the charts show the chosen cell alone".into()))
    );
    assert!(fixture.view.together(&fixture.monitor).is_empty());
}

#[test]
fn a_click_chooses_a_row_or_a_step_and_the_wheel_scrolls_and_zooms() {
    let window = ratatui::layout::Rect::new(0, 0, 80, 24);
    let mut fixture = Fixture::half_way();
    let mut mouse = |kind, column, row| {
        let event = MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        };
        fixture.view.mouse(&event, &fixture.monitor, window);
        (fixture.view.pinned, fixture.view.cursor, fixture.view.zoom)
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    // The last row of the table at the bottom is the fifth cell.
    assert_eq!(mouse(click, 10, 22).0, Some(4));
    assert_eq!(mouse(MouseEventKind::ScrollUp, 10, 22).0, Some(3));
    assert_eq!(mouse(click, 10, 0).0, Some(3), "the header takes no click");
    mouse(MouseEventKind::ScrollUp, 10, 22);
    let (_, cursor, _) = mouse(click, 7 + 73 / 4, 6);
    assert!(cursor.is_some_and(|step| (240..260).contains(&step)), "{cursor:?}");
    assert_eq!(
        mouse(click, 79, 6).1,
        Some(720),
        "there is nothing to read out beyond the last step"
    );
    assert_eq!(mouse(MouseEventKind::Down(MouseButton::Right), 30, 6).1, None);
    let (_, _, zoom) = mouse(MouseEventKind::ScrollUp, 7 + 73 / 2, 6);
    let Zoom::Fixed(shown) = zoom else { panic!("{zoom:?}") };
    assert_eq!(shown.width(), 500);
    assert!(shown.holds(500));
    assert_eq!(mouse(MouseEventKind::ScrollDown, 30, 6).2, Zoom::Whole);
}

/// Checks what must hold for a view after any keys, clicks and events: it shows and acts on existing things only.
fn assert_sound(Fixture { view, monitor, .. }: &Fixture) {
    let is_cell = |cell: &CellIndex| *cell < monitor.cells.len();
    assert!(view.pinned.as_ref().is_none_or(is_cell), "{:?}", view.pinned);
    assert!(view.rows.shown(monitor).iter().all(is_cell));
    let overlaid: BTreeSet<CellIndex> = view.overlaid.iter().copied().collect();
    assert!(overlaid.iter().all(is_cell) && overlaid.len() == view.overlaid.len());
    assert!(overlaid.len() <= MOST_OVERLAID, "{overlaid:?}");
    assert!(
        view.cursor.is_none_or(|step| step <= script::STEPS),
        "{:?}",
        view.cursor
    );
    let window = view.window(monitor);
    assert!(window.from < window.to, "{window:?}");
    let probes = monitor.cells[view.chosen(monitor)].plan.probes.len();
    assert!(view.probe < probes, "probe {} of {probes}", view.probe);
    assert!(view.log_back <= monitor.log.len(), "{}", view.log_back);
    assert!(view.undo.len() <= 100);
}

/// A half-finished sweep that has a log to scroll.
fn with_a_log() -> Fixture {
    let mut fixture = Fixture::half_way();
    for minute in 0..40 {
        let entry = crate::event::LogEntry {
            at: 60.0 * f64::from(minute),
            cell: None,
            kind: crate::event::LogKind::Notice,
            words: format!("minute {minute}"),
        };
        tell(&mut fixture, Event::Logged(entry));
    }
    fixture
}

fn mouse(fixture: &mut Fixture, kind: MouseEventKind, (column, row): (u16, u16), size: (u16, u16)) {
    let event = MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    };
    let window = ratatui::layout::Rect::new(0, 0, size.0, size.1);
    fixture.view.mouse(&event, &fixture.monitor, window);
}

const PAGES: [&str; 5] = ["1", "2", "3", "4", "1s"];

#[test]
fn clicks_and_the_wheel_choose_and_scroll_within_what_there_is_and_change_nothing_else() {
    let mut fixture = with_a_log();
    let mut seen = BTreeSet::new();
    for page in PAGES {
        for letter in page.chars() {
            press(&mut fixture, letter);
        }
        let View { page, rows, .. } = fixture.view.clone();
        for size in [(5, 5), (60, 16), (80, 24), (200, 50)] {
            for at in 0..size.0 * size.1 {
                for kind in [
                    MouseEventKind::Down(MouseButton::Left),
                    MouseEventKind::ScrollUp,
                    MouseEventKind::ScrollDown,
                ] {
                    mouse(&mut fixture, kind, (at % size.0, at / size.0), size);
                    assert_sound(&fixture);
                    let view = &fixture.view;
                    assert_eq!((view.page, &view.rows, &view.overlay), (page, &rows, &None));
                    assert!(view.undo.is_empty() && view.aborting.is_empty() && !view.stopping);
                    seen.extend(view.pinned);
                }
            }
        }
    }
    // Each of the six cells was chosen at some time.
    assert_eq!(seen, BTreeSet::from([0, 1, 2, 3, 4, 5]));
}

#[test]
fn a_click_on_any_row_chooses_the_cell_whose_number_stands_there() {
    for page in ["1", "2", "3", "2oo"] {
        for size in [(60, 16), (80, 24), (120, 40), (200, 50)] {
            let mut fixture = Fixture::half_way();
            for letter in page.chars() {
                press(&mut fixture, letter);
            }
            let drawn = fixture.drawn(crate::tui::render, size);
            let mut rows = 0;
            for (row, line) in drawn.lines().enumerate() {
                // Each line stands in quotation marks. A row of the table begins with the number of its cell.
                let line = line.trim_start_matches(['"', ' ', '›']);
                let number = line.split_once("  ").and_then(|(first, _)| first.parse().ok());
                let is_state = |word| line.contains(word);
                let Some(cell) = number.filter(|_| ["finished", "running", "queued"].into_iter().any(is_state)) else {
                    continue;
                };
                rows += 1;
                let mut clicked = Fixture::half_way();
                clicked.view = fixture.view.clone();
                let at = (10, u16::try_from(row).unwrap());
                mouse(&mut clicked, MouseEventKind::Down(MouseButton::Left), at, size);
                assert_eq!(
                    clicked.view.pinned,
                    Some(cell),
                    "page {page} at {size:?}, row {row}:\n{drawn}"
                );
            }
            assert!(rows >= 2, "page {page} at {size:?}:\n{drawn}");
        }
    }
}

#[test]
fn what_is_pasted_is_typed_at_a_prompt_and_does_nothing_elsewhere() {
    let mut fixture = Fixture::half_way();
    fixture.view.paste("qy\n");
    assert_eq!(fixture.view.overlay, None);
    press(&mut fixture, '/');
    fixture.view.paste(" relu\n");
    assert!(matches!(&fixture.view.overlay, Some(Overlay::Filter(typed, _)) if typed == "relu"));
    assert_eq!(fixture.view.rows.shown(&fixture.monitor), [1, 3, 5]);
    fixture.view.overlay = None;
    press(&mut fixture, ':');
    fixture.view.paste("audit\n");
    let enter = KeyEvent::from(KeyCode::Enter);
    assert_eq!(
        fixture.view.key(&enter, &fixture.monitor),
        Some(Effect::Send(Command::Audit(2)))
    );
    press(&mut fixture, 'r');
    fixture.view.paste("halve it\nd");
    assert_eq!(fixture.view.key(&enter, &fixture.monitor), None);
    let drawn = fixture.drawn(crate::tui::screen::render, (80, 24));
    assert!(drawn.contains("halve it d_"), "{drawn}");
    assert!(drawn.contains("`h` does not belong in a number"), "{drawn}");
    for _ in 0..20 {
        press_code(&mut fixture, KeyCode::Backspace);
    }
    fixture.view.paste("0.003");
    let learning_rate = 0.003;
    assert_eq!(
        fixture.view.key(&enter, &fixture.monitor),
        Some(Effect::Send(Command::SetLearningRate { cell: 2, learning_rate }))
    );
}

#[test]
fn any_key_takes_the_welcome_away_and_does_what_it_does() {
    let mut fixture = Fixture::half_way();
    for (letter, page) in [('2', Page::Cells), ('4', Page::Log)] {
        fixture.view.overlay = Some(Overlay::Welcome);
        press(&mut fixture, letter);
        assert_eq!((&fixture.view.overlay, fixture.view.page), (&None, page));
    }
    fixture.view.overlay = Some(Overlay::Welcome);
    fixture.view.key(&KeyEvent::from(KeyCode::Esc), &fixture.monitor);
    assert_eq!(fixture.view.overlay, None);
}

#[test]
fn keys_that_are_mashed_lead_nowhere_that_is_not_and_what_loses_work_is_asked_before() {
    const SIZES: [(u16, u16); 5] = [(20, 5), (60, 16), (80, 24), (120, 40), (250, 70)];
    let special = [
        KeyCode::Esc,
        KeyCode::Enter,
        KeyCode::Tab,
        KeyCode::Backspace,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::F(1),
        KeyCode::Char('λ'),
    ];
    // A linear congruential generator chooses the keys.
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut fixture = with_a_log();
    let mut sent = BTreeSet::new();
    for round in 0..12_000 {
        let code = match next(4) {
            0 => special[next(special.len())],
            // Keys that ask questions, and keys that answer them.
            1 => [KeyCode::Enter, KeyCode::Char('y')]
                .into_iter()
                .chain("atrx5".chars().map(KeyCode::Char))
                .nth(next(7))
                .unwrap(),
            _ => KeyCode::Char(char::from(b' ' + u8::try_from(next(95)).unwrap())),
        };
        let modifiers = [
            KeyModifiers::NONE,
            KeyModifiers::NONE,
            KeyModifiers::CONTROL,
            KeyModifiers::ALT,
        ][next(4)];
        let before = fixture.view.overlay.clone();
        let effect = fixture.view.key(&KeyEvent::new(code, modifiers), &fixture.monitor);
        if let Some(Effect::Send(command) | Effect::SendAndSay(command, _)) = &effect {
            sent.insert(format!("{command:?}").split(['(', ' ']).next().unwrap().to_owned());
            assert_may_be_sent(*command, &fixture);
        }
        // An undo shows a message, and is not the answer to a question.
        let asked = match effect {
            Some(Effect::Send(Command::Quit)) => Some(Question::Quit),
            Some(Effect::Send(Command::Abort(cell))) => Some(Question::Abort(cell)),
            Some(Effect::Send(Command::Retry(cell))) => Some(Question::Retry(cell)),
            _ => None,
        };
        if let Some(asked) = asked {
            assert_eq!(before, Some(Overlay::Question(asked)));
        }
        assert_sound(&fixture);
        // A sweep that was asked to stop takes no other command, so forget that it was asked.
        fixture.view.stopping = false;
        match next(40) {
            0 => tell(&mut fixture, script::came_to(round % 6, 30.0)),
            1 => tell(&mut fixture, Event::CellRetried { cell: round % 6 }),
            2 | 5..8 => tell(&mut fixture, Event::CellStarted { cell: round % 6 }),
            3 => tell(
                &mut fixture,
                Event::Queue {
                    order: vec![round % 6, 5],
                    held: vec![5],
                },
            ),
            4 => tell(
                &mut fixture,
                script::measured(round % 6, 5 * next(200) as u64).remove(1),
            ),
            _ => {}
        }
        if round % 40 == 0 {
            let (width, height) = SIZES[next(SIZES.len())];
            let drawn = fixture.drawn(crate::tui::render, (width, height));
            assert_eq!(drawn.lines().count(), usize::from(height), "{drawn}");
            let is_small = width < 60;
            assert_eq!(drawn.contains("This window"), is_small, "{drawn}");
            let header = drawn.lines().next().unwrap_or_default();
            assert!(
                is_small || fixture.view.overlay.is_some() || header.contains("edge-of-"),
                "{drawn}"
            );
        }
    }
    let every = "Abort AddSeed Audit Hold Measure Move Pause Quit Release Resume Retry SetLearningRate SetRunners Skip";
    assert_eq!(Vec::from_iter(sent).join(" "), every);
}

/// Checks that a command is about an existing cell, and that a request to a running cell is about one that runs.
fn assert_may_be_sent(command: Command, Fixture { monitor, .. }: &Fixture) {
    let is_cell = |cell: CellIndex| cell < monitor.cells.len();
    let holds = match command {
        Command::Pause(Cells::All) | Command::Resume(Cells::All) | Command::Quit => true,
        Command::Pause(Cells::One(cell))
        | Command::Resume(Cells::One(cell))
        | Command::Audit(cell)
        | Command::Measure(cell) => monitor.turns.is_running(cell),
        Command::SetLearningRate { cell, learning_rate } => {
            monitor.turns.is_running(cell) && learning_rate.is_finite() && learning_rate >= 0.0
        }
        Command::Abort(cell)
        | Command::Retry(cell)
        | Command::Skip(cell)
        | Command::Hold(cell)
        | Command::Release(cell)
        | Command::AddSeed(cell) => is_cell(cell),
        Command::Move { cell, by } => is_cell(cell) && by != 0,
        Command::SetRunners(count) => count > 0,
        _ => false,
    };
    assert!(holds, "{command:?}");
}
