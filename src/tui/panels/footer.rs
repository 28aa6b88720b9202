//! The footer: the keys, or for some seconds the last notice.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::event::Cells;
use crate::monitor::Note;
use crate::tui::keys::{self, Action, Hint};
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;

/// How long a notice replaces the keys, if the footer has only one line. The help lists the last notices.
const NOTICE_SHOWN: Duration = Duration::from_secs(8);

/// A notice that comes sooner than this after the one before does not replace the keys. Otherwise frequent notices
/// would hide the keys all the time. A notice that answers a key does, and so do those that follow it: one of them may
/// say what became of a command.
const KEYS_SHOWN: Duration = Duration::from_secs(20);

/// Draws the footer. If it has two lines, one of them is for the last notice.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let last = Rect {
        y: area.bottom().saturating_sub(1),
        height: 1,
        ..area
    };
    let own_line = area.height > 1;
    match notice(scene, own_line, usize::from(area.width)) {
        Some(notice) if own_line => {
            buffer.set_line(area.x, area.y, &notice, area.width);
            buffer.set_line(last.x, last.y, &hints(scene, area.width), last.width);
        }
        Some(notice) => {
            buffer.set_line(last.x, last.y, &notice, last.width);
        }
        None => {
            buffer.set_line(last.x, last.y, &hints(scene, area.width), last.width);
        }
    }
}

fn notice(scene: &Scene, own_line: bool, width: usize) -> Option<Line<'static>> {
    let theme = scene.theme();
    let notices = &scene.monitor.notices;
    let shown = if own_line {
        notices.len().checked_sub(1)?
    } else {
        (0..notices.len()).rev().find(|index| takes_the_line(scene, *index))?
    };
    let (at, words) = (notices[shown].at, notices[shown].text());
    let fresh = scene.now.saturating_duration_since(at) < NOTICE_SHOWN;
    let style = if fresh { theme.warning } else { theme.dim };
    let words = panel::cut(&theme.text(format!(" {words}")), width);
    (fresh || own_line).then(|| Line::styled(theme.text(words).into_owned(), style))
}

fn takes_the_line(scene: &Scene, index: usize) -> bool {
    let notices = &scene.monitor.notices;
    let Some(before) = index.checked_sub(1) else {
        return true;
    };
    let is_soon = |other: &Note| notices[index].at.saturating_duration_since(other.at) < KEYS_SHOWN;
    let mut lately = notices.range(..=index).rev().take_while(|note| is_soon(note));
    !is_soon(&notices[before]) || lately.any(|note| note.is_reply)
}

/// From this width on, there is room for every hint.
const WIDE: u16 = 120;

fn hints(scene: &Scene, width: u16) -> Line<'static> {
    let theme = scene.theme();
    let mut entries: Vec<[Span; 2]> = Vec::new();
    for binding in keys::BINDINGS {
        let first = scene.view.keys.first(binding.action);
        let (Some(hint), Some(first)) = (hint(binding, scene, width), first) else {
            continue;
        };
        let name = match (binding.action, first.as_str()) {
            (Action::Next, "↓") => "↑/↓".to_owned(),
            (Action::CursorLeft, "←") => "←/→".to_owned(),
            (Action::ZoomIn, "+") => "+/-".to_owned(),
            (Action::PageCharts, "1") => "1-4".to_owned(),
            _ => first,
        };
        entries.push([
            Span::styled(theme.text(name).into_owned(), theme.key),
            Span::styled(theme.text(format!(" {hint}  ")).into_owned(), theme.dim),
        ]);
    }
    let room = usize::from(width.saturating_sub(1));
    let taken = |entries: &[[Span; 2]]| entries.iter().flatten().map(Span::width).sum::<usize>();
    // The last two entries, help and quit, always stay: the help explains all other keys.
    while entries.len() > 2 && taken(&entries) > room + 2 {
        entries.remove(entries.len() - 3);
    }
    let mut spans = vec![Span::raw(" ")];
    spans.extend(entries.into_iter().flatten());
    let skipped = scene.monitor.skipped_points;
    if skipped > 0 {
        spans.push(Span::styled(format!("{skipped} points only on disk"), theme.dim));
    }
    Line::from(spans)
}

/// Returns the hint of a key, or `None` if the key does nothing now or if there is no room for the hint.
fn hint(binding: &keys::Binding, scene: &Scene, width: u16) -> Option<&'static str> {
    let monitor = scene.monitor;
    match binding.action {
        action if !action.is_for(scene.view.page) => None,
        action if action.is_of_training() && monitor.foreign.is_some() => None,
        Action::Undo if scene.view.can_undo(monitor) => Some("undo"),
        Action::PauseOrResume if monitor.is_over() || scene.view.stopping => None,
        Action::Abort if !scene.view.can_abort(scene.chosen(), monitor) => None,
        Action::LearningRate | Action::Audit if !scene.view.can_act(monitor) => None,
        Action::Follow if monitor.is_over() || scene.view.pinned.is_none() => None,
        Action::NextProbe if scene.cell().is_none_or(|cell| cell.plan.probes.len() < 2) => None,
        Action::PauseOrResume if scene.view.is_to_resume(Cells::All, monitor) => Some("resume"),
        Action::Quit if scene.view.stopping && !monitor.is_over() => Some("leave now"),
        _ => match binding.hint? {
            Hint::Always(hint) => Some(hint),
            Hint::Wide(hint) => (width >= WIDE).then_some(hint),
        },
    }
}

/// Returns the last notices, newest first, for the help.
pub(in crate::tui) fn recent(scene: &Scene, most: usize, width: usize) -> Vec<Line<'static>> {
    let theme = scene.theme();
    let ago = |at| crate::tui::words::duration(scene.now.saturating_duration_since(at));
    let words = scene.monitor.notices.iter().rev().take(most);
    words
        .map(|note| {
            let line = theme
                .text(format!("{} ago: {}", ago(note.at), note.text()))
                .into_owned();
            Line::styled(panel::cut(&line, width), theme.dim)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 1)));
    }

    #[test]
    fn on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (120, 2)));
    }

    #[test]
    fn a_notice_takes_the_only_line_for_a_while() {
        let mut fixture = Fixture::half_way();
        fixture
            .monitor
            .note("the log is full".into(), fixture.start + Duration::from_mins(1));
        assert!(fixture.drawn(render, (80, 1)).contains("the log is full"));
        fixture.start += Duration::from_mins(1);
        assert!(fixture.drawn(render, (80, 1)).contains("space pause"));
    }

    #[test]
    fn keys_that_do_nothing_are_not_offered() {
        let mut fixture = Fixture::half_way();
        assert!(fixture.drawn(render, (80, 1)).contains("a abort"));
        fixture.monitor.apply(
            crate::event::Event::SweepEnded(crate::event::SweepEnding::Complete),
            fixture.start,
        );
        let drawn = fixture.drawn(render, (80, 1));
        assert!(
            !drawn.contains("pause") && !drawn.contains("abort") && drawn.contains("q quit"),
            "{drawn}"
        );
    }

    #[test]
    fn many_notices_leave_the_line_to_the_keys() {
        let mut fixture = Fixture::half_way();
        for second in 0..60 {
            let at = fixture.start + Duration::from_secs(second);
            fixture.monitor.note(format!("the audit of second {second}"), at);
        }
        assert!(fixture.drawn(render, (80, 1)).contains("space pause"));
        assert!(fixture.drawn(render, (120, 2)).contains("the audit of second 59"));
    }

    #[test]
    fn the_answer_to_a_key_and_what_follows_it_take_the_line_at_once() {
        let mut fixture = Fixture::half_way();
        let at = |second| fixture.start + Duration::from_secs(second);
        let times = [50, 54, 56, 59].map(at);
        fixture.monitor.note("the log is full".to_owned(), times[0]);
        fixture.monitor.reply("sent".to_owned(), times[1]);
        assert!(fixture.drawn(render, (80, 1)).contains("sent"));
        for (time, words) in [(times[2], "taken up"), (times[3], "done")] {
            fixture.monitor.note(words.to_owned(), time);
            assert!(fixture.drawn(render, (80, 1)).contains(words));
        }
    }

    #[test]
    fn a_notice_that_is_too_long_ends_in_an_ellipsis() {
        let mut fixture = Fixture::half_way();
        let at = fixture.start + Duration::from_mins(1);
        fixture.monitor.note("the log is full. ".repeat(9), at);
        assert!(
            fixture
                .drawn(render, (80, 1))
                .trim_end_matches(['"', '\n'])
                .ends_with('…')
        );
    }
}
