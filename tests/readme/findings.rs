//! The tables of the book's findings, computed from the summaries that are kept beside the page. A table is declared on the page,
//! by its marker:
//!
//! | marker | table |
//! |---|---|
//! | `change SETTING A B [by GROUP…] in FILE` | λ_max and test accuracy at two levels, for each level of GROUP, and by how much each gain is larger than that at the last level |
//! | `levels SETTING in FILE` | means at every level, over the cells that reached their aim |
//! | `correlations [by GROUP] in FILE` | τ-b of each quantity at the end with test accuracy |
//! | `probes SETTING A B by GROUP… in FILE` | λ_max of every probe at two levels |
//! | `edge in FILE` | when λ_max reached its threshold, and where it was in the second half |
//! | `trials in FILE` | means of trials on other problems, which are named in the column `problem` |

#[path = "findings/numbers.rs"]
mod numbers;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use numbers::{Interval, differences, mean, significant, written};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/findings.md");
const SUMMARIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/findings/");

/// The quantities at the end of training that are compared with test accuracy.
const QUANTITIES: [&str; 6] = [
    "lambda_max",
    HELD_OUT,
    "gauss_newton_lambda_max",
    "trace",
    "batch_sharpness",
    "alignment",
];

/// The column for λ_max of a held-out probe. Summaries have λ_max of the first probe only.
const HELD_OUT: &str = "lambda_max held out";

type Row = BTreeMap<String, String>;

/// Returns the table that a marker declares; none if the marker declares no table of findings.
pub fn computed(marker: &str) -> Option<String> {
    let (what, file) = marker.split_once(" in ").unwrap_or((marker, ""));
    let (what, groups) = what.split_once(" by ").unwrap_or((what, ""));
    let groups: Vec<&str> = groups.split_whitespace().collect();
    let table = match what.split(' ').collect::<Vec<_>>()[..] {
        ["change", setting, a, b] => {
            let mut rows = rows(file);
            rows.retain(|row| [a, b].contains(&row[setting].as_str()));
            change(&all_done(rows), (setting, [a, b]), &groups)
        }
        ["levels", setting] => levels(&rows(file), setting),
        ["correlations"] => correlations(&with_held_out(all_done(rows(file)), file), &groups),
        ["probes", setting, a, b] => probes(&rows(file), (setting, [a, b]), &groups),
        ["edge"] => edge(&rows(file)),
        ["trials"] => trials(&rows(file)),
        _ => return None,
    };
    Some(table)
}

/// Returns the rows of a kept table, as texts by the names of the columns.
fn rows(file: &str) -> Vec<Row> {
    let text = fs::read_to_string(Path::new(SUMMARIES).join(file)).unwrap();
    let mut lines = text.lines().map(|line| {
        // The only quoted fields are the names of probes, which have commas.
        let (mut fields, mut quoted) = (vec![String::new()], false);
        for letter in line.chars() {
            match letter {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                _ => fields.last_mut().unwrap().push(letter),
            }
        }
        fields
    });
    let head = lines.next().unwrap();
    lines.map(|fields| head.iter().cloned().zip(fields).collect()).collect()
}

/// Returns rows of a summary, of which every cell must have reached its aim, and converged.
fn all_done(rows: Vec<Row>) -> Vec<Row> {
    for row in &rows {
        let stands = ["state", "reached_aim", "changed_by_hand", "lambda_converged"].map(|name| row[name].as_str());
        assert_eq!(stands, ["finished", "true", "false", "true"], "cell {}", row["cell"]);
    }
    rows
}

/// Adds λ_max on held-out images from the table of all probes, where there is one.
fn with_held_out(mut cells: Vec<Row>, file: &str) -> Vec<Row> {
    let probes = file.replace(".csv", "_probes.csv");
    if Path::new(SUMMARIES).join(&probes).exists() {
        let mut found = rows(&probes);
        found.retain(|row| row["lambda_on"].starts_with("held-out"));
        for (cell, probe) in cells.iter_mut().zip(found) {
            assert_eq!(cell["cell"], probe["cell"]);
            cell.insert(HELD_OUT.to_owned(), probe["lambda_max"].clone());
        }
    }
    cells
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// Returns the levels of a setting, in the order of the rows.
fn levels_of(rows: &[Row], setting: &str) -> Vec<String> {
    let mut levels: Vec<String> = Vec::new();
    for row in rows {
        if !levels.contains(&row[setting]) {
            levels.push(row[setting].clone());
        }
    }
    levels
}

/// Returns a column of the rows that have these levels. Within them, rows are in the order of the seeds.
fn column(rows: &[Row], at: &[(&str, &str)], column: &str) -> Vec<f64> {
    let chosen = rows
        .iter()
        .filter(|row| at.iter().all(|(setting, level)| row[*setting] == *level));
    chosen.map(|row| number(row, column)).collect()
}

fn percent(shares: &[f64]) -> Vec<f64> {
    shares.iter().map(|share| 100.0 * share).collect()
}

fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |fields: &[String]| format!("| {} |\n", fields.join(" | "));
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let rows: String = rows.iter().map(|fields| line(fields)).collect();
    line(&head) + &rule + &rows
}

/// The name of a setting or quantity on the page.
fn named(name: &str) -> &str {
    match name {
        "batch_size" => "batch size",
        "learning_rate" => "η",
        "rho" => "ρ",
        "batch_norm" => "batch norm",
        "lambda_max" => "λ_max",
        HELD_OUT => "λ_max on held-out images",
        "gauss_newton_lambda_max" => "λ_max of the Gauss–Newton matrix",
        "batch_sharpness" => "batch sharpness",
        _ => name,
    }
}

fn level_named<'a>(setting: &str, level: &'a str) -> &'a str {
    match (setting, level) {
        (_, "Full") => "full",
        ("batch_norm", "false") => "without",
        ("batch_norm", "true") => "with",
        (_, level) => level.strip_suffix(".0").unwrap_or(level),
    }
}

fn change_of_lambda(lambdas: &[Vec<f64>; 2]) -> String {
    let [a, b] = [0, 1].map(|side| significant(mean(&lambdas[side])));
    let change = Interval::of_mean(&differences(lambdas)).significant();
    format!("{a} → {b}, {change}")
}

/// Levels of several settings that occur together, with the setting of each.
type Place<'a> = Vec<(&'a str, String)>;

/// Returns every combination of the levels of these settings.
fn places<'a>(rows: &[Row], settings: &[&'a str]) -> Vec<Place<'a>> {
    let mut places = vec![Vec::new()];
    for setting in settings {
        let extended = |place: &Place<'a>| -> Vec<Place<'a>> {
            let levels = levels_of(rows, setting).into_iter();
            levels
                .map(|level| [&place[..], &[(*setting, level)]].concat())
                .collect()
        };
        places = places.iter().flat_map(extended).collect();
    }
    places
}

fn place_named(place: &Place) -> String {
    let names: Vec<&str> = place
        .iter()
        .map(|(setting, level)| level_named(setting, level))
        .collect();
    if names.is_empty() {
        "all".to_owned()
    } else {
        names.join(", ")
    }
}

/// Returns a column at a place and at each of the two ends of a setting.
fn at_ends(rows: &[Row], place: &Place, (setting, ends): (&str, [&str; 2]), name: &str) -> [Vec<f64>; 2] {
    let of = |name: &str| ends.map(|end| column(rows, &[&levels_at(place)[..], &[(setting, end)]].concat(), name));
    let [before, after] = of("seed");
    assert_eq!(before, after, "the differences are those of the same seeds");
    of(name)
}

fn levels_at<'a>(place: &'a Place) -> Vec<(&'a str, &'a str)> {
    place
        .iter()
        .map(|(setting, level)| (*setting, level.as_str()))
        .collect()
}

/// Names the change, and the settings of the places, for the head of a table.
fn head_of((setting, ends): (&str, [&str; 2]), groups: &[&str]) -> String {
    let [a, b] = ends.map(|end| level_named(setting, end));
    let what = format!("{} {a} → {b}", named(setting));
    let groups: Vec<&str> = groups.iter().map(|group| named(group)).collect();
    if groups.is_empty() {
        what
    } else {
        format!("{what} at {}", groups.join(", "))
    }
}

fn points(change: Interval) -> String {
    change.written(2).replacen(" [", " points [", 1)
}

fn change(rows: &[Row], ends: (&str, [&str; 2]), groups: &[&str]) -> String {
    let places = places(rows, groups);
    let mut lines = Vec::new();
    let mut gains = Vec::new();
    for place in &places {
        let accuracies = at_ends(rows, place, ends, "test_accuracy").map(|shares| percent(&shares));
        let gain = differences(&accuracies);
        let [before, after] = [0, 1].map(|side| written(mean(&accuracies[side]), 2));
        lines.push(vec![
            place_named(place),
            change_of_lambda(&at_ends(rows, place, ends, "lambda_max")),
            format!("{before} % → {after} %, {}", points(Interval::of_mean(&gain))),
        ]);
        gains.push(gain);
    }
    if let ([before @ .., last], [_]) = (&gains[..], groups) {
        for (gain, place) in before.iter().zip(&places) {
            let difference = Interval::of_mean(&differences(&[last.clone(), gain.clone()]));
            let [this, that] = [place, &places[before.len()]].map(place_named);
            lines.push(vec![format!("{this} minus {that}"), String::new(), points(difference)]);
        }
    }
    table(&[&head_of(ends, groups), "λ_max", "test accuracy"], &lines)
}

fn levels(rows: &[Row], setting: &str) -> String {
    let lines = levels_of(rows, setting).into_iter().map(|level| {
        let at = [(setting, level.as_str()), ("reached_aim", "true")];
        let of = |name: &str| column(rows, &at, name);
        vec![
            level_named(setting, &level).to_owned(),
            significant(mean(&of("lambda_max"))),
            format!("{} %", written(mean(&percent(&of("test_accuracy"))), 2)),
            written(mean(&of("steps")), 0),
            format!("{} of {}", of("steps").len(), column(rows, &at[..1], "steps").len()),
        ]
    });
    let head = [
        named(setting),
        "λ_max",
        "test accuracy",
        "steps",
        "cells that reached 99 %",
    ];
    table(&head, &lines.collect::<Vec<_>>())
}

fn correlations(rows: &[Row], groups: &[&str]) -> String {
    let mut parts: Vec<Place> = vec![Vec::new()];
    if !groups.is_empty() {
        parts.extend(places(rows, groups));
    }
    let of_quantity = |name: &&str| {
        let of = |place: &Place| {
            let at = levels_at(place);
            let tau = Interval::of_rank_correlation(&column(rows, &at, name), &column(rows, &at, "test_accuracy"));
            tau.written(2)
        };
        std::iter::once(named(name).to_owned())
            .chain(parts.iter().map(of))
            .collect()
    };
    let lines: Vec<Vec<String>> = QUANTITIES
        .iter()
        .filter(|name| rows[0].contains_key(**name))
        .map(of_quantity)
        .collect();
    let heads: Vec<String> = parts[1..]
        .iter()
        .map(|place| format!("{} {}", named(place[0].0), place_named(place)))
        .collect();
    let all = format!("all {} cells", rows.len());
    let head: Vec<&str> = ["τ-b with test accuracy", &all]
        .into_iter()
        .chain(heads.iter().map(String::as_str))
        .collect();
    table(&head, &lines)
}

/// The file has a row for each cell and probe.
fn probes(rows: &[Row], ends: (&str, [&str; 2]), groups: &[&str]) -> String {
    let probes = levels_of(rows, "probe");
    let lines = places(rows, groups).into_iter().map(|place| {
        let of_probe = |probe: &String| {
            let mut place = place.clone();
            place.push(("probe", probe.clone()));
            change_of_lambda(&at_ends(rows, &place, ends, "lambda_max"))
        };
        std::iter::once(place_named(&place))
            .chain(probes.iter().map(of_probe))
            .collect()
    });
    let what = head_of(ends, groups);
    // Only the last cells have batch norm, of which the name speaks.
    let name = |probe: &String| rows.iter().rfind(|row| row["probe"] == *probe).unwrap()["lambda_on"].as_str();
    let head: Vec<&str> = std::iter::once(what.as_str()).chain(probes.iter().map(name)).collect();
    table(&head, &lines.collect::<Vec<_>>())
}

/// The file has a row for each measurement: cell, step, threshold and λ_max.
fn edge(rows: &[Row]) -> String {
    let range = |values: &[f64], decimals: usize| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!("{} to {}", written(low, decimals), written(high, decimals))
    };
    let lines = levels_of(rows, "learning_rate").into_iter().map(|rate| {
        let of_rate: Vec<Row> = rows
            .iter()
            .filter(|row| row["learning_rate"] == rate)
            .cloned()
            .collect();
        let (mut reached, mut ratios) = (Vec::new(), Vec::new());
        for cell in levels_of(&of_rate, "cell") {
            let own: Vec<&Row> = of_rate.iter().filter(|row| row["cell"] == cell).collect();
            let ratio = |row: &Row| number(row, "lambda_max") / number(row, "threshold");
            let first = own.iter().find(|row| ratio(row) >= 1.0).unwrap();
            reached.push(number(first, "step"));
            let end = number(own.last().unwrap(), "step");
            let later = own.iter().filter(|row| number(row, "step") >= end / 2.0);
            ratios.extend(later.map(|row| ratio(row)));
        }
        vec![
            rate,
            significant(number(&of_rate[0], "threshold")),
            range(&reached, 0),
            range(&ratios, 2),
        ]
    });
    let head = [
        "η",
        "2/η",
        "step at which λ_max reached it",
        "λ_max over 2/η in the second half",
    ];
    table(&head, &lines.collect::<Vec<_>>())
}

fn trials(rows: &[Row]) -> String {
    let mut lines = Vec::new();
    for place in places(rows, &["problem", "batch_size"]) {
        let at = levels_at(&place);
        let here: Vec<Row> = rows
            .iter()
            .filter(|row| at.iter().all(|(setting, level)| row[*setting] == *level))
            .cloned()
            .collect();
        let changed = if here.iter().any(|row| row["rho"] != "0.0") {
            "rho"
        } else {
            "learning_rate"
        };
        let of_level = |level: String| {
            let of = |name: &str| column(&here, &[(changed, &level)], name);
            let accuracy = written(mean(&percent(&of("test_accuracy"))), 1);
            let lambda = significant(mean(&of("lambda_max")));
            let cells = of("steps").len();
            format!("{}: {accuracy} % ({lambda}; {cells})", level_named(changed, &level))
        };
        let levels: Vec<String> = levels_of(&here, changed).into_iter().map(of_level).collect();
        let is_done = |row: &Row| row["reached_aim"] == "true" && row["lambda_converged"] == "true";
        assert!(here.iter().all(is_done), "{place:?}");
        if !here.is_empty() {
            let batch = level_named("batch_size", &place[1].1).to_owned();
            lines.push(vec![
                place[0].1.clone(),
                batch,
                format!("{} {}", named(changed), levels.join(", ")),
            ]);
        }
    }
    table(&["data, network", "batch size", "test accuracy (λ_max; cells)"], &lines)
}

/// What the text says beside the tables is in the tables.
#[test]
fn every_interval_in_the_text_of_the_findings_is_one_of_its_tables() {
    let page = fs::read_to_string(PAGE).unwrap();
    let mut tables = String::new();
    let mut text = String::new();
    for (n, part) in page.split("<!-- generated: ").enumerate() {
        let (inside, after) = if n == 0 {
            ("", part)
        } else {
            part.split_once("<!-- end -->").unwrap()
        };
        tables += inside;
        text += after;
    }
    // Lists in code are no intervals.
    let text: String = text.split('`').step_by(2).collect::<String>().replace('\n', " ");
    let mut count = 0;
    for piece in text.split('[').skip(1) {
        let inside = piece.split(']').next().unwrap();
        let is_interval = inside.split_once(", ").is_some_and(|(low, high)| {
            [low, high]
                .iter()
                .all(|end| end.replace('−', "-").parse::<f64>().is_ok())
        });
        if is_interval {
            assert!(tables.contains(&format!("[{inside}]")), "[{inside}] is in no table");
            count += 1;
        }
    }
    assert!(count > 0, "the text has intervals");
}
