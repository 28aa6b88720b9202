//! The prompt for a new learning rate, with the threshold that each choice leads to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::event::cell_name;
use crate::quantity::LEARNING_RATE;
use crate::tui::keys::prompt;
use crate::tui::state::rate::{RatePrompt, last_change, times};
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;
use crate::tui::words;

/// Indent of the typed value below the keys, in columns.
const INDENT: usize = 6;

/// Maximum width of a reason, in columns.
const WIDEST: usize = 60;

/// Draws the prompt over the screen.
pub(in crate::tui) fn render(scene: &Scene, prompt: &RatePrompt, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let Some(cell) = scene.monitor.cells.get(prompt.cell) else {
        return;
    };
    let threshold = cell.threshold().zip(cell.latest.first(&LEARNING_RATE));
    // With SAM or weight decay the threshold is not proportional to 1/η. Then show none rather than a wrong one.
    let is_proportional = cell.plan.threshold.is_inverse_in_rate;
    let at = |rate: f64| match threshold.filter(|_| is_proportional) {
        Some((threshold, now)) => {
            let edge = words::value(threshold * now / rate, 3);
            format!("{}  ({} {edge})", words::value(rate, 3), cell.plan.threshold.formula)
        }
        None => words::value(rate, 3),
    };
    let raw = |text: String| Line::raw(theme.text(text).into_owned());
    let choice = |key: &str, text: String| {
        Line::from(vec![
            Span::styled(theme.text(format!("{key:<6}")).into_owned(), theme.key),
            Span::raw(theme.text(text).into_owned()),
        ])
    };
    let mut lines = vec![];
    if let Some(now) = cell.latest.first(&LEARNING_RATE) {
        lines.push(raw(format!("η of the next step is {}.", at(now))));
        lines.push(Line::default());
        lines.push(choice("h", format!("halve it   {}", at(now / 2.0))));
        lines.push(choice("d", format!("double it  {}", at(now * 2.0))));
    }
    if let Some(before) = last_change(cell) {
        lines.push(choice("u", format!("previous   {}", at(before))));
    }
    lines.push(choice("0–9 e", "or type a value, then Enter:".to_owned()));
    let room = usize::from(screen.width).saturating_sub(6 + INDENT).min(WIDEST);
    let typed = prompt::shown(prompt.typed(), room);
    let (beside, below) = beside_and_below(prompt, cell.latest.first(&LEARNING_RATE), at);
    // A long value has the whole line.
    let fits = usize::from(panel::width(&typed) + panel::width(&beside)) <= room;
    lines.push(Line::from(vec![
        Span::raw(" ".repeat(INDENT)),
        Span::styled(typed, theme.strong),
        Span::styled(
            theme.text(if fits { beside.as_str() } else { "" }).into_owned(),
            theme.dim,
        ),
    ]));
    for words in below.iter().flat_map(|words| panel::wrapped(words, room)) {
        let words = format!("{}{words}", " ".repeat(INDENT));
        lines.push(Line::styled(theme.text(words).into_owned(), theme.warning));
    }
    lines.push(Line::default());
    for words in [
        "It applies from the next step on; a schedule keeps its shape.",
        "The cell is marked as changed by hand, and is not compared.",
    ] {
        lines.push(Line::styled(words, theme.dim));
    }
    lines.push(choice("Esc", "keep the present rate".to_owned()));
    let title = format!("learning rate of {}", cell_name(prompt.cell));
    panel::overlay(screen, buffer, theme, &title, lines);
}

/// Returns the text beside the typed value, and the error or warning below it.
fn beside_and_below(prompt: &RatePrompt, now: Option<f64>, at: impl Fn(f64) -> String) -> (String, Option<String>) {
    match prompt.value() {
        None => (String::new(), None),
        Some(Err(why)) => (String::new(), Some(why)),
        Some(Ok(rate)) => {
            let enter = if prompt.is_doubted() {
                "Enter once more"
            } else {
                "Enter twice"
            };
            let doubt = times(rate, now)
                .map(|times| format!("{} times the present rate: {enter} sets it", words::value(times, 3)));
            (format!("  {}", at(rate)), doubt)
        }
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::tui::fixture::Fixture;
    use crate::tui::state::rate::Answer;

    fn drawn_with(typed: &str, size: (u16, u16)) -> String {
        let mut fixture = Fixture::half_way();
        let mut prompt = RatePrompt::new(2);
        let cell = fixture.monitor.cells[2].clone();
        for letter in typed.chars() {
            let event = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            assert_eq!(prompt.key(&event, &cell), Answer::Pending);
        }
        fixture.view.overlay = Some(crate::tui::Overlay::Rate(prompt));
        fixture.drawn(crate::tui::screen::render, size)
    }

    #[test]
    fn the_prompt_says_where_the_threshold_goes() {
        insta::assert_snapshot!(drawn_with("", (80, 24)));
        let typed = drawn_with("0.0125", (80, 24));
        assert!(typed.contains("0.0125_  0.0125  (2/η 160)"), "{typed}");
    }

    fn enter() -> KeyEvent {
        KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE)
    }

    /// Returns the answer to Enter after these letters, and the screen that is then drawn.
    fn entered(typed: &str) -> (Answer, String) {
        let mut fixture = Fixture::half_way();
        let cell = fixture.monitor.cells[2].clone();
        let mut prompt = RatePrompt::new(2);
        for letter in typed.chars() {
            let event = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            assert_eq!(prompt.key(&event, &cell), Answer::Pending, "{typed}");
        }
        let answer = prompt.key(&enter(), &cell);
        fixture.view.overlay = Some(crate::tui::Overlay::Rate(prompt));
        (answer, fixture.drawn(crate::tui::screen::render, (80, 24)))
    }

    #[test]
    fn what_is_no_learning_rate_is_shown_as_it_is_and_refused_with_the_reason() {
        for (typed, reason) in [
            ("0,05", "a comma does not belong in a number: type 0.05"),
            ("1 000", "a blank does not belong in a number: type 1000"),
            ("5e−2", "`−` (U+2212) does not belong in a number: type 5e-2"),
            ("1_000", "an underscore does not belong in a number: type 1000"),
            ("0.05d", "`d` does not belong in a number"),
            ("0.05h", "`h` does not belong in a number"),
            ("-1", "a learning rate has to be above 0"),
            ("0", "a learning rate has to be above 0"),
            ("inf", "the number must be finite"),
            ("1e999", "this is too large: no number is above 1.8e308"),
            ("0.1.2", "this is not a number; 0.05 and 5e-2 are"),
        ] {
            let (answer, drawn) = entered(typed);
            assert_eq!(answer, Answer::Pending, "{typed}");
            assert!(drawn.contains(&format!("{typed}_")), "{typed}: {drawn}");
            assert!(drawn.contains(reason), "{typed}: {drawn}");
        }
        assert_eq!(entered("").0, Answer::Pending);
        assert_eq!(entered(" +.5 ").0, Answer::Rate(0.5));
        let exact = "0.1000000000000000055511151231257827021181583404541015625";
        assert_eq!(entered(exact).0, Answer::Rate(0.1), "no digit is cut off");
    }

    #[test]
    fn nothing_that_is_pasted_acts_and_a_line_that_is_too_long_is_no_number() {
        let cell = Fixture::half_way().monitor.cells[2].clone();
        for (pasted, expected) in [
            ("d", Answer::Pending),
            ("half", Answer::Pending),
            ("0.02\n", Answer::Rate(0.02)),
            ("0.02\n0.03\n", Answer::Pending),
            ("0,02", Answer::Pending),
            ("5\u{8}e-2", Answer::Pending),
        ] {
            let mut prompt = RatePrompt::new(2);
            prompt.paste(pasted);
            assert_eq!(prompt.key(&enter(), &cell), expected, "{pasted:?}");
        }
        let mut prompt = RatePrompt::new(2);
        prompt.paste(&format!("0.0{}e-9", "1".repeat(10_000)));
        assert_eq!(prompt.key(&enter(), &cell), Answer::Pending);
        let mut fixture = Fixture::half_way();
        fixture.view.overlay = Some(crate::tui::Overlay::Rate(prompt));
        let drawn = fixture.drawn(crate::tui::screen::render, (60, 16));
        assert!(drawn.contains("111…_") && drawn.contains("too long"), "{drawn}");
    }

    #[test]
    fn a_rate_far_above_the_present_one_is_taken_at_the_second_enter() {
        let cell = Fixture::half_way().monitor.cells[2].clone();
        let (answer, drawn) = entered("50");
        assert_eq!(answer, Answer::Pending);
        assert!(
            drawn.contains("1000 times the present rate: Enter once more sets it"),
            "{drawn}"
        );
        let mut prompt = RatePrompt::new(2);
        prompt.paste("50");
        assert_eq!(prompt.key(&enter(), &cell), Answer::Pending);
        let back = KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE);
        prompt.key(&back, &cell);
        prompt.paste("1");
        assert_eq!(
            prompt.key(&enter(), &cell),
            Answer::Pending,
            "another rate needs a second Enter again"
        );
        assert_eq!(prompt.key(&enter(), &cell), Answer::Rate(51.0));
    }
}
