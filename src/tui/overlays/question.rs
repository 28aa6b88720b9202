//! The questions before work is lost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::characters::capitalized;
use crate::event::{CellIndex, cell_name};
use crate::monitor::CellState;
use crate::tui::state::scene::Scene;
use crate::tui::state::view::Question;
use crate::tui::theme::panel;
use crate::tui::words;

/// Maximum number of running cells that are listed one by one.
const MOST_NAMED: usize = 3;

/// Draws the question over the screen.
pub(in crate::tui) fn render(scene: &Scene, question: Question, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let (title, explanation, yes, no) = match question {
        Question::Quit => ("quit?".to_owned(), quit_words(scene), "stop the sweep", "go on"),
        Question::Abort(cell) => (
            format!("abort {}?", cell_name(cell)),
            abort_words(scene, cell),
            "abort it",
            "keep it",
        ),
        Question::Retry(cell) => (
            format!("run {} again?", cell_name(cell)),
            vec![
                "It starts again from step 0, at the end of the queue.".to_owned(),
                "Its old results stay on disk but no longer count.".to_owned(),
            ],
            "run it again",
            "cancel",
        ),
    };
    let mut lines: Vec<Line> = explanation
        .into_iter()
        .map(|words| Line::raw(theme.text(words).into_owned()))
        .collect();
    lines.push(Line::default());
    let mut answers = vec![
        Span::styled("y", theme.key),
        Span::raw(format!(" {yes}   ")),
        Span::styled("n", theme.key),
        Span::raw(format!(" {no}")),
    ];
    if question == Question::Quit {
        answers.extend([
            Span::styled("   d", theme.key),
            Span::raw(" detach: leave, training goes on"),
        ]);
    }
    lines.push(Line::from(answers));
    panel::overlay(screen, buffer, theme, &title, lines);
}

/// Draws the message that a question or a prompt was withdrawn.
pub(in crate::tui) fn render_withdrawn(scene: &Scene, words: &str, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let lines = vec![
        Line::raw(theme.text(words).into_owned()),
        Line::default(),
        Line::from(vec![Span::styled("Enter", theme.key), Span::raw(" continues")]),
    ];
    panel::overlay(screen, buffer, theme, "too late", lines);
}

fn quit_words(scene: &Scene) -> Vec<String> {
    let monitor = scene.monitor;
    let unfinished = monitor.cells.len() - monitor.done();
    let plural = if unfinished == 1 { "cell is" } else { "cells are" };
    let mut explanation = vec![format!("{unfinished} {plural} unfinished. Finished cells are on disk.")];
    let mut places: Vec<String> = monitor
        .turns
        .running
        .iter()
        .take(MOST_NAMED)
        .map(|cell| {
            let step = words::count(monitor.cells[*cell].progress.step);
            format!("{} is at step {step}", capitalized(&cell_name(*cell)))
        })
        .collect();
    match monitor.turns.running.len().saturating_sub(MOST_NAMED) {
        0 => {}
        1 => places.push("1 more runs".to_owned()),
        more => places.push(format!("{more} more run")),
    }
    explanation.extend(places.into_iter().map(|place| format!("{place}.")));
    explanation.push("`sharptui resume` continues the unfinished cells.".to_owned());
    explanation
}

fn abort_words(scene: &Scene, cell: CellIndex) -> Vec<String> {
    let monitor = scene.monitor;
    if monitor.state(cell) == CellState::Queued {
        return vec![
            "It has not started. It will be left out,".to_owned(),
            "also when the sweep is resumed.".to_owned(),
        ];
    }
    let progress = monitor.cells[cell].progress;
    vec![
        format!(
            "It is at step {} after {}.",
            words::count(progress.step),
            words::duration_of(progress.seconds)
        ),
        "The sweep goes on with the next cell.".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    fn quit(scene: &Scene, screen: Rect, buffer: &mut Buffer) {
        render(scene, Question::Quit, screen, buffer);
    }

    fn abort_running(scene: &Scene, screen: Rect, buffer: &mut Buffer) {
        render(scene, Question::Abort(2), screen, buffer);
    }

    fn abort_queued(scene: &Scene, screen: Rect, buffer: &mut Buffer) {
        render(scene, Question::Abort(5), screen, buffer);
    }

    #[test]
    fn quitting_says_what_would_be_lost() {
        insta::assert_snapshot!(Fixture::half_way().drawn(quit, (80, 9)));
        insta::assert_snapshot!(Fixture::half_way().drawn(quit, (120, 9)));
        insta::assert_snapshot!(Fixture::three_at_once().drawn(quit, (80, 12)));
    }

    #[test]
    fn aborting_says_how_far_the_cell_is() {
        insta::assert_snapshot!(Fixture::half_way().drawn(abort_running, (80, 9)));
        insta::assert_snapshot!(Fixture::half_way().drawn(abort_queued, (80, 9)));
    }
}
