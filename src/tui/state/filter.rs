//! The filter of the table: words, and comparisons of numbers.
//!
//! `diverged dropout=0.5 acc>0.8` shows the cells that diverged, have this dropout and a test accuracy above 80 %.

mod complaint;
mod name;

use crate::event::{CellEnding, CellIndex, Finish};
use crate::monitor::{Cell, CellState, Monitor};

use super::number::{self, NoNumber};
pub(in crate::tui) use name::NUMBERS;
use name::Name;

/// A condition on cells. Every cell meets an empty filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    /// A part of the state, or of a swept setting's name or value.
    Word(String),
    /// A comparison of a named number, setting or state with a value.
    Compared(Comparison),
}

#[derive(Clone, Debug, PartialEq)]
struct Comparison {
    /// The name as it was typed, in lower case.
    name: String,
    relation: Relation,
    limit: Limit,
}

/// The right-hand side of a comparison: a word, which may be a number.
#[derive(Clone, Debug, PartialEq)]
struct Limit {
    /// The word in lower case.
    word: String,
    /// The number, or why the word is not a number.
    number: Result<f64, NoNumber>,
}

impl Limit {
    fn new(word: &str, name: &str) -> Self {
        let bare = word.strip_suffix('%');
        let is_share = Name::is_accuracy(name);
        let number = number::read(bare.unwrap_or(word)).map(|number| {
            // An accuracy is at most 1, so 35 means 35 %.
            if bare.is_some() || (is_share && number > 1.0) {
                number / 100.0
            } else {
                number
            }
        });
        Self {
            number,
            word: word.to_lowercase(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Equal,
    Differs,
    AtLeast,
    Greater,
}

/// Spellings of the relations. A longer spelling comes before a shorter one that begins alike.
const RELATIONS: [(&str, Relation); 13] = [
    ("<=", Relation::AtMost),
    ("=<", Relation::AtMost),
    ("≤", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("=>", Relation::AtLeast),
    ("≥", Relation::AtLeast),
    ("==", Relation::Equal),
    ("!=", Relation::Differs),
    ("<>", Relation::Differs),
    ("≠", Relation::Differs),
    ("<", Relation::Less),
    (">", Relation::Greater),
    ("=", Relation::Equal),
];

impl Relation {
    fn holds(self, found: f64, limit: f64) -> bool {
        let is_equal = (found - limit).abs() <= 1e-12 * limit.abs();
        match self {
            Self::Less => found < limit,
            Self::AtMost => found <= limit || is_equal,
            Self::Equal => is_equal,
            Self::Differs => !is_equal && !found.is_nan(),
            Self::AtLeast => found >= limit || is_equal,
            Self::Greater => found > limit,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::Differs => "!=",
            Self::AtLeast => ">=",
            Self::Greater => ">",
        }
    }

    /// Returns whether the relation needs an order, which words do not have.
    fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Differs)
    }
}

/// A word or a relation in the typed text.
#[derive(Clone, Copy)]
enum Token<'a> {
    Word(&'a str),
    Relation(Relation),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for part in text.split_whitespace() {
        let mut rest = part;
        while !rest.is_empty() {
            let next = rest
                .char_indices()
                .find_map(|(at, _)| relation_at(&rest[at..]).map(|found| (at, found)));
            let (at, found) = next.map_or((rest.len(), None), |(at, found)| (at, Some(found)));
            if at > 0 {
                tokens.push(Token::Word(&rest[..at]));
            }
            let Some((written, relation)) = found else { break };
            tokens.push(Token::Relation(relation));
            rest = &rest[at + written.len()..];
        }
    }
    tokens
}

fn relation_at(text: &str) -> Option<(&'static str, Relation)> {
    RELATIONS.into_iter().find(|(written, _)| text.starts_with(written))
}

/// Column heads of several words, and the name of each in a filter.
const HEADS: [(&[&str], &str); 5] = [
    (&["train", "acc"], "train_acc"),
    (&["train", "loss"], "train_loss"),
    (&["test", "acc"], "acc"),
    (&["test", "loss"], "loss"),
    (&["edge", "of", "stability"], "edge"),
];

/// Replaces every column head that is compared by its name.
fn with_heads<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut named = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let [first, others @ ..] = rest {
        let head = HEADS.iter().find(|(words, _)| {
            let is_word = |(token, word): (&Token, &&str)| matches!(token, Token::Word(typed) if typed.eq_ignore_ascii_case(word));
            rest.len() > words.len()
                && rest.iter().zip(words.iter()).all(is_word)
                && matches!(rest[words.len()], Token::Relation(_))
        });
        if let Some((words, name)) = head {
            named.push(Token::Word(name));
            rest = &rest[words.len()..];
        } else {
            named.push(*first);
            rest = others;
        }
    }
    named
}

impl Filter {
    /// Parses the typed text. A cell must meet every term. Blanks around a relation or before `%` do not matter.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut tokens = with_heads(&tokens(text)).into_iter().peekable();
        while let Some(token) = tokens.next() {
            let (name, relation) = match token {
                Token::Relation(relation) => ("", relation),
                Token::Word(word) => {
                    let next = tokens.next_if(|next| matches!(next, Token::Relation(_)));
                    let Some(Token::Relation(relation)) = next else {
                        terms.push(Term::Word(word.to_lowercase()));
                        continue;
                    };
                    (word, relation)
                }
            };
            let mut limit = match tokens.next_if(|next| matches!(next, Token::Word(_))) {
                Some(Token::Word(word)) => word.to_owned(),
                _ => String::new(),
            };
            if tokens.next_if(|next| matches!(next, Token::Word("%"))).is_some() {
                limit.push('%');
            }
            let name = name.to_lowercase();
            let limit = Limit::new(&limit, &name);
            terms.push(Term::Compared(Comparison { name, relation, limit }));
        }
        Self {
            text: text.trim().to_owned(),
            terms,
        }
    }

    /// Returns the typed text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the filter has no terms, so that every cell meets it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Returns whether this cell meets the filter.
    #[must_use]
    pub fn holds(&self, cell: CellIndex, monitor: &Monitor) -> bool {
        self.among(monitor)(cell)
    }

    /// Returns a function that tells whether a cell meets the filter. The names are resolved once, not for each of ten
    /// thousand cells.
    pub fn among<'a>(&'a self, monitor: &'a Monitor) -> impl Fn(CellIndex) -> bool + 'a {
        let named = |term: &'a Term| (term, term.name(monitor));
        let terms: Vec<(&Term, Option<Name>)> = self.terms.iter().map(named).collect();
        move |cell| {
            terms
                .iter()
                .all(|(term, name)| term.holds(cell, name.as_ref(), monitor))
        }
    }
}

impl Term {
    /// Resolves the name of a comparison in this sweep; `None` for a word and for an unknown name.
    fn name(&self, monitor: &Monitor) -> Option<Name> {
        match self {
            Self::Word(_) => None,
            Self::Compared(comparison) => comparison.name(monitor),
        }
    }

    /// Returns whether a cell meets the term, whose name was resolved to `name`.
    fn holds(&self, index: CellIndex, name: Option<&Name>, monitor: &Monitor) -> bool {
        let Some(cell) = monitor.cells.get(index) else {
            return false;
        };
        match self {
            Self::Word(word) => {
                states(&monitor.state(index), cell).any(|said| said.contains(word.as_str()))
                    || monitor
                        .swept
                        .iter()
                        .any(|swept| has(&swept.name, word) || has(swept.value(index), word))
            }
            Self::Compared(comparison) => comparison.holds(index, cell, name, monitor),
        }
    }
}

impl Comparison {
    /// Resolves the name in this sweep.
    fn name(&self, monitor: &Monitor) -> Option<Name> {
        Name::of(&self.name, self.limit.number.is_ok(), monitor)
    }

    fn holds(&self, index: CellIndex, cell: &Cell, name: Option<&Name>, monitor: &Monitor) -> bool {
        let limit = &self.limit;
        if limit.word.is_empty() {
            return false;
        }
        match name {
            None => false,
            Some(Name::Number(number)) => match (number.of(index, cell), &limit.number) {
                (Some(found), Ok(limit)) => self.relation.holds(found, *limit),
                _ => false,
            },
            Some(Name::Setting(name)) => {
                let Some(value) = cell.plan.setting(name) else {
                    return false;
                };
                match (value.parse(), &limit.number) {
                    (Ok(found), Ok(limit)) => self.relation.holds(found, *limit),
                    _ => self.relation.holds_for_words([value].into_iter(), &limit.word),
                }
            }
            Some(Name::State) => self
                .relation
                .holds_for_words(states(&monitor.state(index), cell), &limit.word),
        }
    }
}

impl Relation {
    fn holds_for_words<'a>(self, mut values: impl Iterator<Item = &'a str>, word: &str) -> bool {
        match self {
            Self::Equal => values.any(|value| has(value, word)),
            Self::Differs => !values.any(|value| has(value, word)),
            _ => false,
        }
    }
}

/// Returns whether `text` contains `word`, ignoring case; `word` is in lower case.
fn has(text: &str, word: &str) -> bool {
    text.contains(word) || (text.contains(char::is_uppercase) && text.to_lowercase().contains(word))
}

/// Returns the words for a cell's state: those of the tables, and others that people search for.
fn states(state: &CellState, cell: &Cell) -> impl Iterator<Item = &'static str> {
    let words: &[&str] = match state {
        CellState::Queued => &["queued", "waiting", "pending"],
        CellState::Running => &["running", "training"],
        CellState::Paused => &["paused", "running"],
        CellState::Ended(ending) => match ending {
            CellEnding::Finished(_) => &["done", "complete"],
            CellEnding::Diverged | CellEnding::Aborted => &["done"],
            CellEnding::Interrupted => &["queued", "stopped"],
            CellEnding::Failed(_) => &["done", "error"],
        },
    };
    let ended = match state {
        CellState::Ended(ending) => Some(ending.word()),
        CellState::Queued | CellState::Running | CellState::Paused => None,
    };
    let standing = cell.standing.as_ref().filter(|_| !state.is_done());
    let standing = standing.map(|standing| standing.kind.word());
    let held = cell.is_held.then_some("held");
    let hand = cell.changed_by_hand.then(|| Finish::ByHand.words());
    let missed = cell.summary().is_some_and(|last| last.reached_aim == Some(false));
    let missed = missed.then(|| Finish::AimMissed.words());
    words
        .iter()
        .copied()
        .chain(ended)
        .chain(standing)
        .chain(held)
        .chain(hand)
        .chain(missed)
}

#[cfg(test)]
mod tests;
