//! Findings in plain sentences, each with the intervals that support it.

use super::comparison::{Comparison, Step, Stratum};
use super::number;
use super::run::{Cell, Measure, Run, Standing};
use crate::characters::{capitalized, uncapitalized};
use crate::quantity::TRAIN_ACCURACY;

/// The direction of a change: up, down, or unknown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Up,
    Down,
    Unclear,
}

impl Verdict {
    fn of(sign: Option<f64>) -> Self {
        match sign {
            Some(sign) if sign > 0.0 => Self::Up,
            Some(_) => Self::Down,
            None => Self::Unclear,
        }
    }
}

/// Returns why there are no findings; `None` if cells are compared.
pub(super) fn why_none(run: &Run) -> Option<&'static str> {
    let has_finished = |cell: &Cell| matches!(cell.standing, Standing::Compared | Standing::Unreached);
    if !run.cells.iter().any(has_finished) {
        return Some("No cell has finished, so there are no findings yet.");
    }
    let why =
        "No cell reached its aim (target), so no cells are compared: comparisons need cells that fit equally well.";
    run.compared().next().is_none().then_some(why)
}

/// Returns the findings about one setting, one text per measure.
pub(super) fn of_setting(run: &Run, comparisons: &[Comparison], axis: usize) -> Vec<String> {
    let own = comparisons.iter().filter(|comparison| comparison.axis == axis);
    own.map(|comparison| about(run, comparison).join(" "))
        .filter(|words| !words.is_empty())
        .collect()
}

/// Returns how equal the fit of the compared cells is; `None` if cells have an aim or no training accuracy is known.
pub(super) fn of_fit(run: &Run) -> Option<String> {
    if run.has_aim {
        return None;
    }
    let last = run
        .compared()
        .filter_map(|cell| cell.summary.as_ref()?.last(&TRAIN_ACCURACY));
    let (low, high) = last.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), share| {
        (share.min(low), share.max(high))
    });
    (low <= high).then(|| {
        format!(
            "Cells are compared at the end of their budgets, not at an equal fit: neither until_train_accuracy nor \
             until_train_loss is set, and final training accuracies are between {} and {}.",
            number::percent(low),
            number::percent(high)
        )
    })
}

/// Most combinations that one sentence lists.
pub(super) const MOST_NAMED: usize = 8;

/// Returns the sentences about one setting and one measure.
pub(super) fn about(run: &Run, comparison: &Comparison) -> Vec<String> {
    let axis = &run.axes[comparison.axis];
    let compared: Vec<(&Stratum, Step)> = comparison
        .strata
        .iter()
        .filter_map(|stratum| Some((stratum, stratum.ends?)))
        .collect();
    let is_first = comparison.measure == Measure::Lambda(0);
    if compared.is_empty() {
        // Only the first measure reports this, because the other measures lack the same cells.
        let why = format!(
            "{}: no comparison, because fewer than two of its levels have usable values.",
            capitalized(&axis.noun())
        );
        return if is_first { vec![why] } else { Vec::new() };
    }
    let verdicts: Vec<Verdict> = compared.iter().map(|(_, ends)| Verdict::of(ends.sign())).collect();
    let parts: Vec<String> = [Verdict::Up, Verdict::Down, Verdict::Unclear]
        .into_iter()
        .filter_map(|verdict| {
            let matching = compared.iter().zip(&verdicts).filter(|(_, own)| **own == verdict);
            let strata: Vec<&(&Stratum, Step)> = matching.map(|(stratum, _)| stratum).collect();
            let place = place(run, comparison, &strata, compared.len())?;
            Some((verdict, place))
        })
        .enumerate()
        .map(|(place, (verdict, at))| part(run, comparison, verdict, place == 0, &at))
        .collect();
    let mut sentences = vec![parts.join("; ") + "."];
    let (missing, total) = (comparison.strata.len() - compared.len(), comparison.strata.len());
    if missing > 0 && is_first {
        sentences.push(format!(
            "At {missing} of {total} combinations of the other settings there is no comparison, because fewer than two \
             levels have usable values."
        ));
    }
    sentences.extend(
        compared
            .iter()
            .filter_map(|(stratum, _)| turn(run, comparison, stratum)),
    );
    sentences
}

/// Returns one part of a sentence: the verdict and the combinations `at` which it holds.
fn part(run: &Run, comparison: &Comparison, verdict: Verdict, first: bool, at: &str) -> String {
    let axis = &run.axes[comparison.axis];
    let span = format!("({} → {})", axis.level(0), axis.level(axis.len() - 1));
    let more = axis.more();
    match (comparison.measure, verdict, first) {
        (Measure::TestAccuracy, Verdict::Up, true) => format!("Test accuracy rose{at}"),
        (Measure::TestAccuracy, Verdict::Down, true) => format!("Test accuracy fell{at}"),
        (Measure::TestAccuracy, Verdict::Unclear, true) => format!("Cannot tell whether test accuracy changed{at}"),
        (Measure::TestAccuracy, Verdict::Down, false) => format!("it fell{at}"),
        (Measure::Lambda(probe), Verdict::Up, true) => format!("{more} {span} raised {}{at}", run.lambda_words(probe)),
        (Measure::Lambda(probe), Verdict::Down, true) => {
            format!("{more} {span} lowered {}{at}", run.lambda_words(probe))
        }
        (Measure::Lambda(probe), Verdict::Unclear, true) => {
            let more = uncapitalized(&more);
            format!(
                "Cannot tell whether {more} {span} changed {}{at}",
                run.lambda_words(probe)
            )
        }
        (Measure::Lambda(_), Verdict::Down, false) => format!("lowered it{at}"),
        (_, Verdict::Up, false) => format!("up{at}"),
        (_, Verdict::Unclear, false) => format!("cannot tell{at}"),
    }
}

/// Returns the combinations where a verdict holds: " at every batch size (32: …; Full: …)", " at batch size 32 (…)".
/// `None` if it holds for no combination.
fn place(run: &Run, comparison: &Comparison, strata: &[&(&Stratum, Step)], of: usize) -> Option<String> {
    if strata.is_empty() {
        return None;
    }
    let others: Vec<usize> = (0..run.axes.len()).filter(|&axis| axis != comparison.axis).collect();
    let detail = |(_, ends): &(&Stratum, Step)| step_words(run, comparison, ends);
    if others.is_empty() {
        return Some(format!(" ({})", detail(strata[0])));
    }
    let level = |stratum: &Stratum| {
        let levels: Vec<String> = others
            .iter()
            .map(|&axis| run.axes[axis].level_in_words(stratum.others[axis]))
            .collect();
        levels.join(", ")
    };
    let nouns: Vec<String> = others.iter().map(|&axis| run.axes[axis].noun()).collect();
    let nouns = nouns.join(" and ");
    let combination = if others.len() == 1 { "" } else { "combination of " };
    let each = |around: fn(String, String) -> String| -> Vec<String> {
        let words = strata.iter().map(|stratum| around(level(stratum.0), detail(stratum)));
        words.collect()
    };
    Some(if strata.len() == of && of > 1 {
        let all = each(|level, detail| format!("{level}: {detail}"));
        format!(" at every {combination}{nouns} ({})", listed(&all, "; "))
    } else {
        let all = each(|level, detail| format!("{level} ({detail})"));
        format!(" at {nouns} {}", listed(&all, "; "))
    })
}

/// Joins the first [`MOST_NAMED`] items and the number of the remaining ones. The tables list all of them.
fn listed(all: &[String], between: &str) -> String {
    let named = all[..all.len().min(MOST_NAMED)].join(between);
    match all.len().saturating_sub(MOST_NAMED) {
        0 => named,
        more => format!("{named}{between}and {more} more"),
    }
}

/// Returns "42.4 → 11.6, −30.8 [−43.1, −18.5]", preceded by the levels if they are not the ends of the axis.
fn step_words(run: &Run, comparison: &Comparison, step: &Step) -> String {
    let (axis, measure) = (&run.axes[comparison.axis], comparison.measure);
    let whole = step.from.0 == 0 && step.to.0 == axis.len() - 1;
    let span = if whole {
        String::new()
    } else {
        format!("only {} → {}, ", axis.level(step.from.0), axis.level(step.to.0))
    };
    format!(
        "{span}{} → {}, {}",
        number::value(measure, step.from.1, &step.difference),
        number::value(measure, step.to.1, &step.difference),
        number::difference(measure, &step.difference)
    )
}

/// Returns a sentence about a change at a middle level that a comparison of the first and last levels hides.
fn turn(run: &Run, comparison: &Comparison, stratum: &Stratum) -> Option<String> {
    let (from, to) = stratum.turn()?;
    let axis = &run.axes[comparison.axis];
    let measure = comparison.measure;
    let name = match measure {
        Measure::Lambda(probe) => run.lambda_words(probe),
        Measure::TestAccuracy => "test accuracy".to_owned(),
    };
    let at: Vec<String> = (0..run.axes.len())
        .filter(|&other| other != comparison.axis)
        .map(|other| run.axes[other].at(stratum.others[other]))
        .collect();
    let at = if at.is_empty() {
        String::new()
    } else {
        format!(" at {}", at.join(" and "))
    };
    let said = |step: &Step| {
        if step.sign().is_some() {
            "changed by"
        } else {
            "may have changed by"
        }
    };
    Some(format!(
        "The first and last levels hide a change{at}: from {} to {} {name} {} {}, and from there to {} it {} {}.",
        axis.level(from.from.0),
        axis.level(from.to.0),
        said(&from),
        number::difference(measure, &from.difference),
        axis.level(to.to.0),
        said(&to),
        number::difference(measure, &to.difference),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_a_few_and_counts_the_rest() {
        let all: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        assert_eq!(listed(&all[..2], "; "), "0; 1");
        assert_eq!(listed(&all, "; "), "0; 1; 2; 3; 4; 5; 6; 7; and 2 more");
    }
}
