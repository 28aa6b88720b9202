//! Which cells are to be shown: words, and numbers that are compared.
//!
//! `diverged dropout=0.5 acc>0.8` are the cells that diverged, with this dropout, and with more than 80 % right.

use crate::event::CellIndex;
use crate::monitor::{Cell, CellState, Monitor};

/// Numbers that can be compared, beside the swept settings.
pub(super) const NUMBERS: &str = "lambda, edge, acc, loss, steps, seconds, cell";

/// A condition that a cell meets or not; an empty one is met by all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    /// A part of the state, or of a swept setting's name or value.
    Word(String),
    /// A number or setting of this name compares like this to the value.
    Compared(String, Relation, Limit),
}

/// What is compared to: a word, which may be a number.
#[derive(Clone, Debug, PartialEq)]
struct Limit {
    word: String,
    number: Option<f64>,
}

impl Limit {
    fn new(word: &str) -> Self {
        let number: Option<f64> = word.trim_end_matches('%').parse().ok();
        Self {
            number: number.map(|number| if word.ends_with('%') { number / 100.0 } else { number }),
            word: word.to_lowercase(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Less,
    Equal,
    Greater,
}

impl Filter {
    /// What was typed, word by word; every one has to hold.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let terms = text.split_whitespace().map(|word| {
            let relation = word.find(['<', '=', '>']).filter(|at| *at > 0);
            let Some(at) = relation else {
                return Term::Word(word.to_lowercase());
            };
            let relation = match &word[at..=at] {
                "<" => Relation::Less,
                ">" => Relation::Greater,
                _ => Relation::Equal,
            };
            Term::Compared(word[..at].to_lowercase(), relation, Limit::new(&word[at + 1..]))
        });
        Self {
            text: text.trim().to_owned(),
            terms: terms.collect(),
        }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds for every cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it holds for this cell.
    #[must_use]
    pub fn holds(&self, cell: CellIndex, monitor: &Monitor) -> bool {
        let Some(known) = monitor.cells.get(cell) else {
            return false;
        };
        self.terms.iter().all(|term| match term {
            Term::Word(word) => {
                words_of(&monitor.state(cell), known).any(|said| said.contains(word.as_str()))
                    || monitor
                        .swept
                        .iter()
                        .any(|swept| has(&swept.name, word) || has(swept.value(cell), word))
            }
            Term::Compared(name, relation, limit) => {
                let swept = monitor.swept.iter().find(|swept| swept.name.eq_ignore_ascii_case(name));
                compared(
                    cell,
                    known,
                    name,
                    swept.map(|swept| swept.value(cell)),
                    *relation,
                    limit,
                )
            }
        })
    }
}

/// Whether a text, which may have capitals, has a word, which has none.
fn has(text: &str, word: &str) -> bool {
    text.contains(word) || (text.contains(char::is_uppercase) && text.to_lowercase().contains(word))
}

/// `swept` is the value of the swept setting of this name, if one is.
fn compared(index: CellIndex, cell: &Cell, name: &str, swept: Option<&str>, relation: Relation, limit: &Limit) -> bool {
    let found = match name {
        "lambda" | "lambda_max" | "λ_max" | "λ" => cell
            .latest
            .lambda
            .first()
            .and_then(Option::as_ref)
            .map(|lambda| lambda.lambda_max),
        "edge" => cell.edge(),
        "acc" | "accuracy" | "test_accuracy" => cell.latest.test_accuracy,
        "loss" | "test_loss" => cell.latest.test_loss,
        "steps" if swept.is_none() => Some(cell.progress.step as f64),
        "seconds" => Some(cell.progress.seconds),
        "cell" | "#" => Some(index as f64 + 1.0),
        _ => None,
    };
    let found = found.or_else(|| swept.and_then(|value| value.parse().ok()));
    match (found, limit.number) {
        (Some(found), Some(limit)) => match relation {
            Relation::Less => found < limit,
            Relation::Equal => (found - limit).abs() <= 1e-12 * limit.abs(),
            Relation::Greater => found > limit,
        },
        _ => relation == Relation::Equal && swept.is_some_and(|known| has(known, &limit.word)),
    }
}

/// What can be said of a cell's state.
fn words_of(state: &CellState, cell: &Cell) -> impl Iterator<Item = &'static str> {
    let (word, further) = match state {
        CellState::Queued => ("queued", None),
        CellState::Running => ("running", None),
        CellState::Paused => ("paused", Some("running")),
        CellState::Finished(_) => ("finished", None),
        CellState::Diverged => ("diverged", None),
        CellState::Aborted => ("aborted", None),
        CellState::Interrupted => ("interrupted", Some("queued")),
        CellState::Failed(_) => ("failed", None),
    };
    let held = cell.is_held.then_some("held");
    let hand = cell.changed_by_hand.then_some("by hand");
    std::iter::once(word).chain(further).chain(held).chain(hand)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn shown(fixture: &Fixture, text: &str) -> Vec<CellIndex> {
        let filter = Filter::parse(text);
        (0..6).filter(|cell| filter.holds(*cell, &fixture.monitor)).collect()
    }

    #[test]
    fn words_are_looked_for_in_states_and_settings_and_all_have_to_hold() {
        let fixture = Fixture::half_way();
        for (text, cells) in [
            ("", &[0, 1, 2, 3, 4, 5][..]),
            ("queued", &[3, 4, 5]),
            ("TANH", &[0, 2, 4]),
            ("finished tanh", &[0]),
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
            ("cell>4", &[4, 5]),
            ("nonsense>1", &[]),
            ("lambda=", &[]),
        ] {
            assert_eq!(shown(&fixture, text), cells, "{text}");
        }
    }
}
