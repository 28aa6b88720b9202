//! The first sheet of a report, which says it all: the sweep in a sentence, what was found, the main figure, what failed.
//!
//! It must fit on one sheet of paper, so its lists are short. The sections behind it say everything.

use super::axis::Axis;
use super::comparison::{Comparison, combinations};
use super::correlation;
use super::findings;
use super::interaction::Interactions;
use super::number;
use super::page::Page;
use super::run::{Measure, Run, Standing};
use crate::event::SweepEnding;
use crate::number::count::{counted, plural};
use crate::record::RunInfo;

/// Most combinations whose differences are listed one by one.
const MOST_LISTED: usize = 3;

/// Most settings with a finding of their own.
const MOST_SETTINGS: usize = 3;

/// Most levels of a setting that the sentence about the sweep lists.
const MOST_LEVELS: usize = 8;

/// Most reasons for which cells failed or are left out.
const MOST_REASONS: usize = 8;

/// Most cells that are listed one by one; of more, consecutive ones are joined.
const MOST_CELLS: usize = 12;

/// Longest reason for which cells are left out, in characters. A message of an error may be long.
const LONG_REASON: usize = 300;

/// Adds what the sweep is: its settings, when and where it ran, how many cells are compared.
pub(super) fn sweep(page: &mut Page, run: &Run) {
    page.paragraph(in_a_sentence(run));
    if let Some(info) = &run.info {
        page.paragraph(provenance(info));
    }
}

/// Adds what was found about λ_max and test accuracy.
pub(super) fn found(page: &mut Page, run: &Run, comparisons: &[Comparison], interactions: &Interactions) {
    page.heading("What was found");
    if let Some(why) = findings::why_none(run) {
        page.paragraph(why);
        return;
    }
    let mut axes: Vec<usize> = (0..run.axes.len()).collect();
    axes.sort_by_key(|axis| Some(*axis) != run.main_axis());
    let mut points = Vec::new();
    for axis in axes.iter().take(MOST_SETTINGS) {
        for measure in [Measure::Lambda(0), Measure::TestAccuracy] {
            let own = comparisons
                .iter()
                .find(|own| own.axis == *axis && own.measure == measure);
            points.extend(own.map(|own| of_setting(run, own)).filter(|words| !words.is_empty()));
        }
    }
    if axes.len() > MOST_SETTINGS {
        let more = axes.len() - MOST_SETTINGS;
        points.push(format!("Findings has {}.", counted(more as u64, "more setting")));
    }
    let clear = interactions
        .found
        .iter()
        .filter(|own| own.difference.told_sign().is_some());
    let of = interactions.found.len();
    if of > 0 {
        points.push(format!(
            "Whether the effect of one setting depends on another: {} of {} clear (see Findings).",
            clear.count(),
            if of == 1 {
                "1 interaction is".to_owned()
            } else {
                format!("{of} interactions are")
            },
        ));
    }
    points.extend(correlation::of_lambda(run, 0).into_iter().next());
    points.extend(findings::of_fit(run));
    page.points(points);
}

/// Adds the cells that failed or are left out, and what is missing.
pub(super) fn failed(page: &mut Page, run: &Run) {
    page.heading("What failed or is left out");
    let mut named = named(run);
    if named.is_empty() {
        page.paragraph("Nothing: every cell finished and is compared.");
        return;
    }
    let more = named.len().saturating_sub(MOST_REASONS);
    named.truncate(MOST_REASONS);
    if more > 0 {
        named.push(format!(
            "And {}: see the table of cells.",
            counted(more as u64, "more reason")
        ));
    }
    page.points(named);
}

/// Returns what the sweep varies, and how many cells it has: "Swept: learning rate (0.1, 0.2), with 3 seeds each."
fn in_a_sentence(run: &Run) -> String {
    let varied: Vec<String> = run.axes.iter().map(levels).collect();
    let seeds: std::collections::BTreeSet<u64> = run.cells.iter().map(|cell| cell.seed).collect();
    let combinations = combinations(run, None).len();
    let swept = match (&varied[..], seeds.len()) {
        ([], 0 | 1) => "No setting was swept.".to_owned(),
        ([], seeds) => format!("Swept: the seed ({seeds} seeds)."),
        (_, 0 | 1) => format!("Swept: {}, with one seed.", varied.join(" × ")),
        (_, seeds) => format!("Swept: {}, with {seeds} seeds.", varied.join(" × ")),
    };
    let count = |standing: fn(&Standing) -> bool| run.cells.iter().filter(|cell| standing(&cell.standing)).count();
    let compared = count(|standing| *standing == Standing::Compared);
    let unreached = count(|standing| *standing == Standing::Unreached);
    let left_out = run.cells.len() - compared - unreached;
    let mut counts = vec![format!("{compared} compared")];
    if unreached > 0 {
        counts.push(format!(
            "{unreached} shown but not compared, because they did not reach their aim within their budget"
        ));
    }
    if left_out > 0 {
        counts.push(format!("{left_out} left out"));
    }
    format!(
        "{swept} {} in {}: {}.",
        counted(run.cells.len() as u64, "cell"),
        counted(combinations as u64, "combination"),
        counts.join(", "),
    )
}

fn levels(axis: &Axis) -> String {
    let levels: Vec<String> = if axis.len() > MOST_LEVELS && axis.ordered {
        vec![format!(
            "{} levels, {} to {}",
            axis.len(),
            axis.level(0),
            axis.level(axis.len() - 1)
        )]
    } else if axis.len() > MOST_LEVELS {
        vec![format!("{} levels", axis.len())]
    } else {
        (0..axis.len()).map(|level| axis.level_label(level)).collect()
    };
    format!("{} ({})", axis.label(), levels.join(", "))
}

/// Returns the finding about one setting and one measure: in full if it is short, else as counts of combinations.
fn of_setting(run: &Run, comparison: &Comparison) -> String {
    let steps = || comparison.strata.iter().filter_map(|stratum| stratum.ends);
    let turns = match comparison.strata.iter().filter(|own| own.turn().is_some()).count() {
        0 => "",
        _ => " The first and last levels hide a change between them (see Findings).",
    };
    if comparison.strata.len() <= MOST_LISTED || steps().next().is_none() {
        let first = findings::about(run, comparison).into_iter().next();
        return first.map_or_else(String::new, |first| first + turns);
    }
    let count = |sign: fn(Option<f64>) -> bool| steps().filter(|step| sign(step.sign())).count();
    let (up, down) = (
        count(|sign| sign.is_some_and(|sign| sign > 0.0)),
        count(|sign| sign.is_some_and(|sign| sign < 0.0)),
    );
    let of = steps().count();
    let axis = &run.axes[comparison.axis];
    let name = match comparison.measure {
        Measure::Lambda(probe) => run.lambda_words(probe),
        Measure::TestAccuracy => "test accuracy".to_owned(),
    };
    let extreme = |larger: fn(f64, f64) -> bool| {
        let one = |a: super::comparison::Step, b: super::comparison::Step| {
            if larger(b.difference.value, a.difference.value) {
                b
            } else {
                a
            }
        };
        let step = steps().reduce(one);
        step.map_or_else(String::new, |step| {
            number::change(comparison.measure, step.difference.value, &step.difference)
        })
    };
    format!(
        "{} ({} → {}): of {of} combinations of the other settings, {name} rose at {up}, fell at {down}, cannot tell at {}; \
         changes of the mean from {} to {}.{turns}",
        axis.more(),
        axis.level(0),
        axis.level(axis.len() - 1),
        of - up - down,
        extreme(|a, b| a < b),
        extreme(|a, b| a > b),
    )
}

fn provenance(info: &RunInfo) -> String {
    let state = match (info.state.clone().ending(), &info.ended) {
        (None, _) => "running or killed; this report shows what is on disk".to_owned(),
        (Some(SweepEnding::Complete), Some(ended)) => format!("complete since {ended}"),
        (Some(ending), _) => ending.words(),
    };
    format!(
        "Started {} by sharptui {} on {} of {}; {state}.",
        info.started, info.version, info.device, info.host
    )
}

/// Returns a list of the cells that are left out or not compared, of missing measurements, and of files that could not
/// be read.
fn named(run: &Run) -> Vec<String> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    let mut put = |why: String, index: usize| match groups.iter_mut().find(|(own, _)| *own == why) {
        Some((_, cells)) => cells.push(index),
        None => groups.push((why, vec![index])),
    };
    for cell in &run.cells {
        match &cell.standing {
            Standing::LeftOut(why) => put(format!("Left out, {}", shortened(why)), cell.index),
            Standing::Unreached => put("Not compared, aim not reached".to_owned(), cell.index),
            Standing::Compared => {}
        }
        if matches!(cell.standing, Standing::LeftOut(_)) {
            continue;
        }
        for probe in 0..run.probes.len() {
            let words = run.lambda_words(probe);
            match cell.lambdas.get(probe).copied().flatten() {
                Some(lambda) if !lambda.counts => put(
                    format!("{words} left out, not converged or not measured after the last step"),
                    cell.index,
                ),
                None if probe == 0 || !cell.points.is_empty() => {
                    put(format!("{words} left out, not measured"), cell.index);
                }
                _ => {}
            }
        }
        if cell.value(Measure::TestAccuracy).is_none() {
            put("Test accuracy left out, not measured".to_owned(), cell.index);
        }
    }
    let named = groups
        .iter()
        .map(|(why, all)| format!("{why}: {} {}.", plural(all.len() as u64, "cell"), cells(all)));
    let gaps = run.gaps.iter().map(|gap| format!("Not read: {gap}."));
    named.chain(gaps).collect()
}

/// Lists cells by name; of many, consecutive ones are joined: "000–007, 010".
fn cells(all: &[usize]) -> String {
    if all.len() <= MOST_CELLS {
        let names: Vec<String> = all.iter().map(|index| format!("{index:03}")).collect();
        return names.join(", ");
    }
    let groups = all.chunk_by(|a, b| a + 1 == *b);
    let names: Vec<String> = groups
        .filter_map(|group| match (group.first()?, group.last()?) {
            (first, last) if first == last => Some(format!("{first:03}")),
            (first, last) => Some(format!("{first:03}–{last:03}")),
        })
        .collect();
    match names.len().saturating_sub(MOST_CELLS) {
        0 => names.join(", "),
        more => format!("{} and {more} more groups", names[..MOST_CELLS].join(", ")),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONG_REASON {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONG_REASON).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_cells_are_listed_as_ranges() {
        assert_eq!(cells(&[3, 4, 7]), "003, 004, 007");
        let many: Vec<usize> = (0..20).filter(|index| *index != 5).collect();
        assert_eq!(cells(&many), "000–004, 006–019");
        let apart: Vec<usize> = (0..30).map(|index| 2 * index).collect();
        assert!(cells(&apart).ends_with("022 and 18 more groups"));
    }
}
