//! Why a filter shows nothing: a term is not understood, or no cell meets it.

use crate::monitor::Monitor;
use crate::suggest::nearest;
use crate::tui::words;

use super::name::{Name, Number, all_numbers};
use super::{Comparison, Filter, Relation, Term, has};

/// Maximum number of values listed for a setting.
const MOST_VALUES: usize = 8;

impl Filter {
    /// Returns a message about the first term that is not understood or that no cell of this sweep meets. Returns
    /// `None` if every term is met by some cell, even if no cell meets all of them.
    #[must_use]
    pub fn complaint(&self, monitor: &Monitor) -> Option<String> {
        if monitor.cells.is_empty() {
            return None;
        }
        self.terms.iter().find_map(|term| match term {
            Term::Word(word) => (!is_met(term, monitor)).then(|| of_word(word, monitor)),
            Term::Compared(comparison) => of_comparison(comparison, term, monitor),
        })
    }
}

fn is_met(term: &Term, monitor: &Monitor) -> bool {
    let name = term.name(monitor);
    (0..monitor.cells.len()).any(|cell| term.holds(cell, name.as_ref(), monitor))
}

fn of_word(word: &str, monitor: &Monitor) -> String {
    if Name::of(word, true, monitor).is_some() {
        return format!("`{word}` needs a comparison, as in {word}=1");
    }
    let settings = monitor.cells.iter().flat_map(|cell| &cell.plan.settings);
    let of_this_value = settings.into_iter().find(|(_, value)| has(value, word));
    let instead = of_this_value.map_or_else(String::new, |(name, _)| format!("; type {name}={word}"));
    format!("no cell has `{word}` in its state or swept settings{instead}")
}

fn of_comparison(comparison: &Comparison, term: &Term, monitor: &Monitor) -> Option<String> {
    let Comparison { name, relation, limit } = comparison;
    let sign = relation.sign();
    if name.is_empty() {
        return Some(format!(
            "the name before {sign} {} is missing, as in acc>0.8",
            limit.word
        ));
    }
    let Some(meant) = comparison.name(monitor) else {
        return Some(unknown(name, monitor));
    };
    if limit.word.is_empty() {
        return Some(format!("{name} {sign} needs a value, as in acc>0.8"));
    }
    match (&meant, &limit.number) {
        (Name::Number(_), Err(why)) => return Some(format!("{name} {sign} {}: {why}", limit.word)),
        (Name::Number(number), Ok(limit)) if number.is_share() && *limit > 1.0 => {
            return Some(format!("{name} is at most 100 %"));
        }
        (Name::State, _) if relation.is_order() => return Some("state is a word: compare it with = or !=".to_owned()),
        (Name::Setting(_), Err(why)) if relation.is_order() => {
            return Some(format!("{name} {sign} {}: {why}", limit.word));
        }
        (Name::Setting(setting), Ok(_)) if relation.is_order() && !has_numbers(setting, monitor) => {
            return Some(format!(
                "{name} is {}: compare it with = or !=",
                values(setting, monitor)
            ));
        }
        _ => {}
    }
    let equal = Term::Compared(Comparison {
        relation: Relation::Equal,
        ..comparison.clone()
    });
    match meant {
        // A != with a value that no cell has is a typing error, too.
        Name::Setting(setting) if !relation.is_order() && !is_met(&equal, monitor) => {
            let why = limit.number.as_ref().err().filter(|why| why.instead.is_some());
            let why = why.map_or_else(String::new, |why| format!("; {why}"));
            Some(format!(
                "no cell has {name} {}: it is {}{why}",
                limit.word,
                values(&setting, monitor)
            ))
        }
        _ if is_met(term, monitor) => None,
        Name::Setting(setting) => Some(format!(
            "no cell has {name} {sign} {}: it is {}",
            limit.word,
            values(&setting, monitor)
        )),
        Name::Number(number) => Some(format!(
            "no cell has {name} {sign} {}{}",
            limit.word,
            range(number, monitor)
        )),
        Name::State => Some(format!("no cell has the state {sign} {}", limit.word)),
    }
}

fn unknown(name: &str, monitor: &Monitor) -> String {
    let known = Name::all(monitor);
    match nearest(name, &known) {
        Some(meant) => format!("there is no `{name}`; did you mean {meant}?"),
        None => format!(
            "there is no `{name}`; the names are {} and every setting, like learning_rate",
            all_numbers()
        ),
    }
}

fn has_numbers(setting: &str, monitor: &Monitor) -> bool {
    let values = monitor.cells.iter().filter_map(|cell| cell.plan.setting(setting));
    values.into_iter().any(|value| value.parse::<f64>().is_ok())
}

/// Lists the values of a setting over the cells, each once.
fn values(setting: &str, monitor: &Monitor) -> String {
    let mut found: Vec<&str> = Vec::new();
    for value in monitor.cells.iter().filter_map(|cell| cell.plan.setting(setting)) {
        if found.len() > MOST_VALUES {
            break;
        }
        if !found.contains(&value) {
            found.push(value);
        }
    }
    if found.len() > MOST_VALUES {
        found[MOST_VALUES] = "…";
    }
    found.join(", ")
}

/// Describes the range of a number over the cells.
fn range(number: Number, monitor: &Monitor) -> String {
    let known = monitor.cells.iter().enumerate();
    let known = known.filter_map(|(index, cell)| number.of(index, cell).filter(|value| !value.is_nan()));
    let ends = known.fold(None, |ends: Option<(f64, f64)>, value| {
        Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    });
    let say = |value: f64| match number {
        Number::Cell | Number::Steps => format!("{value}"),
        _ if number.is_share() => words::percent(Some(value)),
        _ => words::value(value, 3),
    };
    match ends {
        None => ": it is not measured yet".to_owned(),
        Some((low, high)) => format!(": it goes from {} to {}", say(low), say(high)),
    }
}
