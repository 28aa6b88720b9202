//! Another learning rate for the running cell: halved, doubled, as it was, or typed.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::event::CellIndex;
use crate::monitor::Cell;

use super::scene::Scene;
use super::{panel, words};

/// The longest number that is taken; no float needs more.
const LONGEST: usize = 24;

/// What was typed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatePrompt {
    /// Which cell is meant.
    pub cell: CellIndex,
    typed: String,
}

/// What a key at the prompt leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    /// This learning rate.
    Rate(f64),
    /// None: the prompt is closed.
    Never,
    /// Not known yet.
    Pending,
}

impl RatePrompt {
    pub(super) fn new(cell: CellIndex) -> Self {
        Self {
            cell,
            typed: String::new(),
        }
    }

    /// Takes in a key, where the cell is trained as `cell` says.
    pub(super) fn key(&mut self, event: &KeyEvent, cell: &Cell) -> Answer {
        if event.kind == KeyEventKind::Release || event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::CONTROL)
        {
            return Answer::Pending;
        }
        let now = cell.latest.learning_rate;
        let chosen = match event.code {
            KeyCode::Esc => return Answer::Never,
            KeyCode::Char('h') => now.map(|rate| rate / 2.0),
            KeyCode::Char('d') => now.map(|rate| rate * 2.0),
            KeyCode::Char('u') => last_change(cell),
            KeyCode::Enter => self.value(),
            KeyCode::Backspace => {
                self.typed.pop();
                None
            }
            KeyCode::Char(letter @ ('0'..='9' | '.' | 'e' | '-')) if self.typed.len() < LONGEST => {
                self.typed.push(letter);
                None
            }
            _ => None,
        };
        chosen.map_or(Answer::Pending, Answer::Rate)
    }

    /// What is typed, if it is a learning rate.
    fn value(&self) -> Option<f64> {
        let value = self.typed.parse::<f64>().ok();
        value.filter(|value| value.is_finite() && *value > 0.0)
    }
}

/// The learning rate before it was last changed by hand.
fn last_change(cell: &Cell) -> Option<f64> {
    cell.rate_changes.last().map(|(_, change)| change.from)
}

/// Draws the prompt over the screen.
pub(super) fn render(scene: &Scene, prompt: &RatePrompt, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let Some(cell) = scene.monitor.cells.get(prompt.cell) else {
        return;
    };
    let threshold = cell.latest.threshold.zip(cell.latest.learning_rate);
    // With SAM, or weight decay, the threshold is not proportional to 1/η; there no number is better than a wrong one.
    let is_proportional = cell.plan.threshold_label == "2/η" || cell.plan.threshold_label == "(2+2β)/η";
    let at = |rate: f64| match threshold.filter(|_| is_proportional) {
        Some((threshold, now)) => {
            let edge = words::value(threshold * now / rate, 3);
            format!("{}  ({} {edge})", words::value(rate, 3), cell.plan.threshold_label)
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
    if let Some(now) = cell.latest.learning_rate {
        lines.push(raw(format!("η of the next step is {}.", at(now))));
        lines.push(Line::default());
        lines.push(choice("h", format!("halve it   {}", at(now / 2.0))));
        lines.push(choice("d", format!("double it  {}", at(now * 2.0))));
    }
    if let Some(before) = last_change(cell) {
        lines.push(choice("u", format!("as it was  {}", at(before))));
    }
    lines.push(choice("0–9 e", "or type a value, then Enter:".to_owned()));
    let doubt = if prompt.typed.is_empty() || prompt.value().is_some() {
        prompt
            .value()
            .map(|value| format!("  {}", at(value)))
            .unwrap_or_default()
    } else {
        "  a number above 0 is wanted".to_owned()
    };
    lines.push(Line::from(vec![
        Span::raw("      "),
        Span::styled(format!("{}_", prompt.typed), theme.strong),
        Span::styled(theme.text(doubt).into_owned(), theme.dim),
    ]));
    lines.push(Line::default());
    for words in [
        "It holds from the next step on; a schedule goes on in its shape.",
        "The cell is marked as changed by hand, and is not compared.",
    ] {
        lines.push(Line::styled(words, theme.dim));
    }
    lines.push(choice("Esc", "leave it as it is".to_owned()));
    let title = format!("learning rate of cell {}", prompt.cell + 1);
    panel::overlay(screen, buffer, theme, &title, lines);
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn drawn_with(typed: &str, size: (u16, u16)) -> String {
        let mut fixture = Fixture::half_way();
        let mut prompt = RatePrompt::new(2);
        let cell = fixture.monitor.cells[2].clone();
        for letter in typed.chars() {
            let event = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            assert_eq!(prompt.key(&event, &cell), Answer::Pending);
        }
        fixture.view.overlay = Some(super::super::Overlay::Rate(prompt));
        fixture.drawn(super::super::screen::render, size)
    }

    #[test]
    fn the_prompt_says_where_the_threshold_goes() {
        insta::assert_snapshot!(drawn_with("", (80, 24)));
        let typed = drawn_with("0.0125", (80, 24));
        assert!(typed.contains("0.0125_  0.0125  (2/η 160)"), "{typed}");
    }

    #[test]
    fn what_is_no_learning_rate_is_not_taken() {
        let cell = Fixture::half_way().monitor.cells[2].clone();
        for typed in ["", "-1", "0", "1e999", "e", "0.1.2", "--"] {
            let mut prompt = RatePrompt::new(2);
            for letter in typed.chars() {
                prompt.key(&KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE), &cell);
            }
            let enter = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
            assert_eq!(prompt.key(&enter, &cell), Answer::Pending, "{typed}");
        }
        assert!(drawn_with("0.1.2", (80, 24)).contains("a number above 0 is wanted"));
    }
}
