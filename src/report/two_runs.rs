//! The comparison of two runs: the same cells of both, seed by seed.
//!
//! A setting that has one value in all cells of a run and another value in all cells of the other run is what is compared.
//! Cells with equal values of all other settings are the same cells. Values count as in a report of one run.

use std::collections::BTreeMap;

use super::number;
use super::page::Page;
use super::run::{Cell, Measure, Run, Standing};
use crate::characters::capitalized;
use crate::config::Experiment;
use crate::number::count::{counted, plural};
use crate::quantity::{self, Format, Kept, LAMBDA_MAX, Quantity, Subject, TEST_ACCURACY};
use crate::statistics::{Estimate, holm, mean, paired_difference, welch_difference};

/// One of the two runs.
pub(super) struct Side {
    /// Its name on the page: "A" or "B".
    pub(super) letter: &'static str,
    /// Its run directory, for people.
    pub(super) place: String,
    pub(super) run: Run,
    pub(super) experiment: Experiment,
}

/// The settings of a cell by name.
type Settings = BTreeMap<&'static str, String>;

/// Cells with equal settings except the seed.
struct Combination<'a> {
    /// The settings in which combinations differ, as text.
    levels: Vec<String>,
    /// The compared cells of each run, by seed.
    cells: [BTreeMap<u64, &'a Cell>; 2],
}

/// A quantity, on a probe if it belongs to probes.
#[derive(Clone, Copy)]
enum Compared {
    Quantity(&'static Quantity, usize),
    Steps,
    Seconds,
}

/// Returns the whole page.
pub(super) fn page(sides: &[Side; 2]) -> Page {
    let mut page = Page {
        title: format!("{} and {} compared", sides[0].place, sides[1].place),
        blocks: Vec::new(),
        figures: Vec::new(),
    };
    for side in sides {
        page.paragraph(provenance(side));
    }
    let settings = sides.each_ref().map(|side| {
        let cells = side.experiment.cells.iter();
        cells
            .map(|cell| cell.settings.entries().into_iter().collect())
            .collect::<Vec<Settings>>()
    });
    let differing = differing(&settings);
    page.heading("What differs");
    what_differs(&mut page, sides, &differing);
    let axes = axes(&settings, &differing);
    let combinations = combinations(sides, &settings, &differing, &axes);
    let shared: Vec<&Combination> = combinations
        .iter()
        .filter(|found| found.cells.iter().all(|cells| !cells.is_empty()))
        .collect();
    let rows: Vec<(Compared, Vec<Row>)> = all(sides)
        .into_iter()
        .map(|what| (what, rows(what, &shared)))
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    page.heading("The same cells");
    page.paragraph(format!(
        "{} of settings {} cells that finished in both runs; a difference is B minus A. {}",
        counted(shared.len() as u64, "combination"),
        if shared.len() == 1 { "has" } else { "have" },
        "If both runs have a seed, the difference is that of this seed, and differences are means over such seeds.",
    ));
    page.points(left_out(sides, &settings, &differing, &combinations));
    if shared.is_empty() {
        page.paragraph("So there is nothing to compare.");
        return page;
    }
    let found: Vec<String> = rows
        .iter()
        .flat_map(|(what, rows)| findings(*what, rows, sides, &axes))
        .collect();
    page.heading("Findings");
    if found.is_empty() {
        page.paragraph("No difference of λ_max or test accuracy is clear: no 95 % interval excludes 0.");
    }
    page.points(found);
    for (what, rows) in &rows {
        page.heading(&capitalized(&what.words(sides)));
        table(&mut page, *what, rows, &axes);
    }
    page.heading("How these numbers were computed");
    methods(&mut page);
    page
}

fn provenance(side: &Side) -> String {
    let (letter, place) = (side.letter, &side.place);
    let cells = counted(side.run.cells.len() as u64, "cell");
    match &side.run.info {
        Some(info) => format!(
            "{letter} is {place}: {cells}, started {} by sharptui {} on {} of {}.",
            info.started, info.version, info.device, info.host
        ),
        None => format!("{letter} is {place}: {cells}."),
    }
}

/// Returns the settings that have one value in all cells of a run and another one in all cells of the other, with both.
fn differing(settings: &[Vec<Settings>; 2]) -> BTreeMap<&'static str, [Option<String>; 2]> {
    let names = settings.iter().flatten().flat_map(BTreeMap::keys).copied();
    let mut found = BTreeMap::new();
    for name in names {
        let of_run = |cells: &Vec<Settings>| {
            let mut values = cells.iter().map(|cell| cell.get(name));
            let first = values.next()?;
            values.all(|value| value == first).then(|| first.cloned())
        };
        if let [Some(first), Some(second)] = settings.each_ref().map(of_run)
            && first != second
        {
            found.insert(name, [first, second]);
        }
    }
    found
}

/// Adds the settings in which the runs differ, and other things that may change numbers.
fn what_differs(page: &mut Page, sides: &[Side; 2], differing: &BTreeMap<&'static str, [Option<String>; 2]>) {
    let mut rows: Vec<Vec<String>> = differing
        .iter()
        .map(|(name, values)| {
            let shown = values
                .each_ref()
                .map(|value| value.clone().unwrap_or_else(|| "–".to_owned()));
            std::iter::once((*name).to_owned()).chain(shown).collect()
        })
        .collect();
    if let [Some(first), Some(second)] = sides.each_ref().map(|side| side.run.info.as_ref()) {
        let threads = |threads: Option<usize>| threads.map_or_else(|| "–".to_owned(), |threads| threads.to_string());
        for (what, values) in [
            ("version of sharptui", [first.version.clone(), second.version.clone()]),
            (
                "version of its rounding",
                [first.rounding.to_string(), second.rounding.to_string()],
            ),
            ("device", [first.device.clone(), second.device.clone()]),
            ("threads of a runner", [threads(first.threads), threads(second.threads)]),
        ] {
            if values[0] != values[1] {
                rows.push(std::iter::once(what.to_owned()).chain(values).collect());
            }
        }
        for mark in &first.data {
            let other = second
                .data
                .iter()
                .find(|other| other.set == mark.set && other.crc32 != mark.crc32);
            if let Some(other) = other {
                let what = format!("contents of {}", mark.set);
                rows.push(vec![what, mark.crc32.clone(), other.crc32.clone()]);
            }
        }
    }
    if rows.is_empty() {
        page.paragraph("No setting differs in all cells.");
        return;
    }
    let header = std::iter::once("what".to_owned()).chain(sides.iter().map(|side| side.letter.to_owned()));
    page.table(header.collect(), rows);
}

/// Returns the settings in which combinations differ: those with several values, except the seed.
fn axes(settings: &[Vec<Settings>; 2], differing: &BTreeMap<&'static str, [Option<String>; 2]>) -> Vec<&'static str> {
    let names = settings.iter().flatten().flat_map(BTreeMap::keys).copied();
    let mut names: Vec<&'static str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| {
        let mut values = settings.iter().flatten().map(|cell| cell.get(name));
        let first = values.next();
        *name != "seed" && !differing.contains_key(name) && values.any(|value| Some(value) != first)
    });
    names
}

/// Returns every combination of either run, in the order in which the runs have them.
fn combinations<'a>(
    sides: &'a [Side; 2],
    settings: &[Vec<Settings>; 2],
    differing: &BTreeMap<&'static str, [Option<String>; 2]>,
    axes: &[&'static str],
) -> Vec<Combination<'a>> {
    let mut found: Vec<(Settings, Combination)> = Vec::new();
    for (at, side) in sides.iter().enumerate() {
        for (cell, settings) in side.run.cells.iter().zip(&settings[at]) {
            let mut key = settings.clone();
            key.retain(|name, _| *name != "seed" && !differing.contains_key(name));
            let place = found.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
                let level = |name: &&str| key.get(name).cloned().unwrap_or_else(|| "–".to_owned());
                let combination = Combination {
                    levels: axes.iter().map(level).collect(),
                    cells: [BTreeMap::new(), BTreeMap::new()],
                };
                found.push((key, combination));
                found.len() - 1
            });
            if cell.standing == Standing::Compared {
                found[place].1.cells[at].insert(cell.seed, cell);
            }
        }
    }
    found.into_iter().map(|(_, combination)| combination).collect()
}

/// Returns what is not compared, and why.
fn left_out(
    sides: &[Side; 2],
    settings: &[Vec<Settings>; 2],
    differing: &BTreeMap<&'static str, [Option<String>; 2]>,
    combinations: &[Combination],
) -> Vec<String> {
    let mut points = Vec::new();
    for (at, side) in sides.iter().enumerate() {
        let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for cell in &side.run.cells {
            let why = match &cell.standing {
                Standing::Compared => continue,
                Standing::Unreached => "its aim was not reached".to_owned(),
                Standing::LeftOut(why) => why.clone(),
            };
            reasons.entry(why).or_default().push(format!("{:03}", cell.index));
        }
        points.extend(reasons.iter().map(|(why, cells)| {
            let noun = plural(cells.len() as u64, "cell");
            format!("Left out of {}, {why}: {noun} {}.", side.letter, cells.join(", "))
        }));
        let other = &settings[1 - at];
        let has_partner = |own: &Settings| {
            let same = |cell: &Settings| {
                own.iter().all(|(name, value)| {
                    *name == "seed" || differing.contains_key(name) || cell.get(name) == Some(value)
                })
            };
            other.iter().any(same)
        };
        let alone = settings[at].iter().filter(|cell| !has_partner(cell)).count();
        if alone > 0 {
            let (letter, count) = (side.letter, counted(alone as u64, "cell"));
            points.push(format!(
                "{count} of {letter} {} settings that no cell of the other run has.",
                if alone == 1 { "has" } else { "have" }
            ));
        }
    }
    let unpaired = combinations.iter().filter(|found| {
        let [first, second] = &found.cells;
        !first.is_empty() && !second.is_empty() && !first.keys().eq(second.keys())
    });
    let count = unpaired.count();
    if count > 0 {
        points.push(format!(
            "In {}, the runs have different seeds: where they share some, only these are compared; where they share none, two groups are.",
            counted(count as u64, "combination")
        ));
    }
    let gaps = sides.iter().flat_map(|side| {
        side.run
            .gaps
            .iter()
            .map(|gap| format!("Not read of {}: {gap}.", side.letter))
    });
    points.extend(gaps);
    points
}

/// A combination's values of a quantity, and their difference.
struct Row {
    levels: Vec<String>,
    means: [Estimate; 2],
    difference: Estimate,
    is_paired: bool,
}

/// Returns everything that may be compared.
fn all(sides: &[Side; 2]) -> Vec<Compared> {
    let probes = sides.iter().map(|side| side.run.probes.len()).min().unwrap_or(0);
    let kept = quantity::declared().filter(|quantity| quantity.told.kept >= Kept::InCsv);
    let of_cells = kept.flat_map(|quantity| {
        let count = match quantity.subject {
            Subject::Cell => 1,
            Subject::Probe => probes,
        };
        (0..count).map(move |probe| Compared::Quantity(quantity, probe))
    });
    of_cells.chain([Compared::Steps, Compared::Seconds]).collect()
}

impl Compared {
    fn words(self, sides: &[Side; 2]) -> String {
        match self {
            Self::Quantity(quantity, probe) => {
                let run = &sides[0].run;
                match (quantity.subject, run.probes.get(probe)) {
                    (Subject::Probe, Some(on)) if run.probes.len() > 1 => format!("{} ({on})", quantity.label),
                    _ => quantity.label.to_owned(),
                }
            }
            Self::Steps => "steps".to_owned(),
            Self::Seconds => "seconds of training".to_owned(),
        }
    }

    /// Returns the kind of number, which decides its digits and its unit.
    fn measure(self) -> Measure {
        match self {
            Self::Quantity(quantity, _) if quantity.format == Format::Share => Measure::TestAccuracy,
            _ => Measure::Lambda(0),
        }
    }

    fn value(self, cell: &Cell) -> Option<f64> {
        let summary = cell.summary.as_ref()?;
        let value = match self {
            Self::Quantity(quantity, probe) => cell.at_end(quantity, probe)?,
            Self::Steps => summary.steps as f64,
            Self::Seconds => summary.seconds,
        };
        let scale = if self.measure() == Measure::TestAccuracy {
            100.0
        } else {
            1.0
        };
        value.is_finite().then_some(value * scale)
    }
}

/// Returns a row for each combination in which both runs have a value.
fn rows(what: Compared, shared: &[&Combination]) -> Vec<Row> {
    let row = |found: &&Combination| {
        let values = found.cells.each_ref().map(|cells| {
            let of_seed = cells.iter().filter_map(|(seed, cell)| Some((*seed, what.value(cell)?)));
            of_seed.collect::<BTreeMap<u64, f64>>()
        });
        let both = |(seed, before): (&u64, &f64)| Some((*before, *values[1].get(seed)?));
        let pairs: Vec<(f64, f64)> = values[0].iter().filter_map(both).collect();
        let is_paired = !pairs.is_empty();
        let groups: [Vec<f64>; 2] = if is_paired {
            [
                pairs.iter().map(|(before, _)| *before).collect(),
                pairs.iter().map(|(_, after)| *after).collect(),
            ]
        } else {
            values.each_ref().map(|values| values.values().copied().collect())
        };
        Some(Row {
            levels: found.levels.clone(),
            means: [mean(&groups[0])?, mean(&groups[1])?],
            difference: if is_paired {
                paired_difference(&pairs)?
            } else {
                welch_difference(&groups[0], &groups[1])?
            },
            is_paired,
        })
    };
    shared.iter().filter_map(row).collect()
}

/// Returns sentences about λ_max and test accuracy where the difference is clear.
fn findings(what: Compared, rows: &[Row], sides: &[Side; 2], axes: &[&str]) -> Vec<String> {
    let is_result =
        matches!(what, Compared::Quantity(quantity, _) if [&LAMBDA_MAX, &TEST_ACCURACY].contains(&quantity));
    let clear = rows.iter().filter(|_| is_result);
    clear
        .filter_map(|row| {
            let direction = if row.difference.told_sign()? > 0.0 {
                "higher"
            } else {
                "lower"
            };
            let by = number::size(what.measure(), &row.difference);
            let at = if row.levels.is_empty() {
                String::new()
            } else {
                let levels = axes
                    .iter()
                    .zip(&row.levels)
                    .map(|(name, level)| format!("{name} {level}"));
                format!(" at {}", levels.collect::<Vec<_>>().join(", "))
            };
            let words = capitalized(&what.words(sides));
            Some(format!("{words} was {by} {direction} in B than in A{at}."))
        })
        .collect()
}

fn table(page: &mut Page, what: Compared, rows: &[Row], axes: &[&str]) {
    let mut header: Vec<String> = axes.iter().map(|name| (*name).to_owned()).collect();
    header.extend(["A", "B", "B − A", "seeds", "p", "p (Holm)"].map(str::to_owned));
    let p_values: Vec<f64> = rows.iter().filter_map(|row| row.difference.p_value()).collect();
    let mut adjusted = holm(&p_values).into_iter();
    let rows = rows.iter().map(|row| {
        let mut fields = row.levels.clone();
        fields.extend(row.means.each_ref().map(|mean| number::mean(what.measure(), mean)));
        fields.push(number::difference(what.measure(), &row.difference));
        let [first, second] = row.means.each_ref().map(|mean| mean.count);
        fields.push(if row.is_paired {
            format!("{first}, paired")
        } else {
            format!("{first} and {second}, not paired")
        });
        let p = row.difference.p_value();
        fields.push(p.map_or_else(|| "–".to_owned(), number::p_value));
        let of_family = p.and_then(|_| adjusted.next());
        fields.push(of_family.map_or_else(|| "–".to_owned(), number::p_value));
        fields
    });
    let rows = rows.collect();
    page.table(header, rows);
}

fn methods(page: &mut Page) {
    page.points(
        [
            "Values are those at the end of a cell: measured after its last step and, where they come from a search, converged. \
             Cells count that finished as their settings say, without a change by hand, and reached their aim if they have one.",
            "A and B are means over seeds, with 95 % intervals if there are several. The difference of a combination is the mean of the differences B − A of the seeds that both runs have, with the 95 % interval \
             d̄ ± t·s/√n, where t is the 97.5 % quantile of Student's t distribution with n − 1 degrees of freedom. Seeds that only one run has are \
             not in its means. If the runs share no seed, two groups are compared by Welch's method.",
            "Intervals are not adjusted for their number. p is that of the two-sided t test; p (Holm) is adjusted for the rows of its table.",
            "A difference of the runs in device, version or threads can change numbers in their last bits, and training can amplify that.",
        ]
        .map(str::to_owned)
        .to_vec(),
    );
}
