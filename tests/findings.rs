//! The numbers of the book's findings are those of the summaries that are kept beside it, computed here once more with formulas of
//! our own: paired differences with Student's t, and Kendall's τ-b.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

use std::collections::BTreeMap;
use std::fs;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/findings.md");
const SUMMARIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/findings/");

/// The 0.975 quantile of Student's t with 4 degrees of freedom, from a table.
const T_OF_FIVE_SEEDS: f64 = 2.776_445;

/// The rows of the summary of 45 cells that all reached their aim, as texts by the names of the columns.
fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(format!("{SUMMARIES}{name}.csv")).unwrap();
    let mut lines = text.lines().map(|line| {
        // The only quoted fields are the names of probes.
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

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// Returns the values of a column in the cells with this batch size and this level of a setting, in the order of the
/// seeds.
fn of_seeds(rows: &[BTreeMap<String, String>], batch: &str, (setting, level): (&str, &str), column: &str) -> Vec<f64> {
    let chosen = rows
        .iter()
        .filter(|row| row["batch_size"] == batch && row[setting] == level);
    chosen.map(|row| number(row, column)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns mean, lower and upper end of the 95 % interval of five values.
fn interval(values: &[f64]) -> [f64; 3] {
    assert_eq!(values.len(), 5);
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let half = T_OF_FIVE_SEEDS * (squares / 4.0 / 5.0).sqrt();
    [mean, mean - half, mean + half]
}

fn kendall(x: &[f64], y: &[f64]) -> f64 {
    let (mut score, mut of_x, mut of_y) = (0.0, 0.0_f64, 0.0);
    let sign = |difference: f64| if difference == 0.0 { 0.0 } else { difference.signum() };
    for i in 0..x.len() {
        for j in 0..i {
            let (a, b) = (sign(x[i] - x[j]), sign(y[i] - y[j]));
            score += a * b;
            of_x += a.abs();
            of_y += b.abs();
        }
    }
    score / (of_x * of_y).sqrt()
}

/// Writes a number as the book does, with the sign of minus.
fn written(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}").replace('-', "−")
}

/// Returns how many decimals give three digits to a number.
fn decimals(value: f64) -> usize {
    (2 - value.abs().log10().floor() as i32).max(0) as usize
}

fn significant(value: f64) -> String {
    written(value, decimals(value))
}

/// Checks the table of a setting's two levels at each batch size, and the difference of the gains at the smallest and the largest.
fn assert_contrast(page: &str, rows: &[BTreeMap<String, String>], setting: &str, levels: [&str; 2]) {
    let mut gains = BTreeMap::new();
    for (batch, name) in [("16", "16"), ("128", "128"), ("Full", "full")] {
        let pair = |column: &str| levels.map(|level| of_seeds(rows, batch, (setting, level), column));
        let differences =
            |[low, high]: &[Vec<f64>; 2]| -> Vec<f64> { high.iter().zip(low).map(|(b, a)| b - a).collect() };
        let lambdas = pair("lambda_max");
        let change = interval(&differences(&lambdas));
        // As many decimals as give three digits to the change.
        let [change, low, high] = change.map(|value| written(value, decimals(change[0])));
        let lambda = format!(
            "{} → {}, {change} [{low}, {high}]",
            significant(mean(&lambdas[0])),
            significant(mean(&lambdas[1]))
        );
        let accuracies =
            pair("test_accuracy").map(|values| values.iter().map(|share| 100.0 * share).collect::<Vec<f64>>());
        let gain = differences(&accuracies);
        let [change, low, high] = interval(&gain).map(|value| written(value, 2));
        let accuracy = format!(
            "{:.2} % → {:.2} %, +{change} points [{low}, {high}]",
            mean(&accuracies[0]),
            mean(&accuracies[1])
        );
        let row = format!("| {name} | {lambda} | {accuracy} |");
        assert!(page.contains(&row), "{row}");
        gains.insert(batch, gain);
    }
    let difference: Vec<f64> = gains["16"].iter().zip(&gains["Full"]).map(|(a, b)| a - b).collect();
    let [change, low, high] = interval(&difference).map(|value| written(value, 2));
    let contrast = format!("is {change} points [{low}, {high}]");
    assert!(page.contains(&contrast), "{contrast}");
}

fn page() -> String {
    fs::read_to_string(PAGE).unwrap().replace('\n', " ")
}

#[test]
fn the_gain_from_sam_on_fashion_mnist_is_that_of_its_summary() {
    assert_contrast(&page(), &rows("fashion_mnist_sam"), "rho", ["0.0", "0.2"]);
}

#[test]
fn the_numbers_of_fashion_mnist_are_those_of_its_summary() {
    let page = page();
    let rows = rows("fashion_mnist_learning_rate");
    assert_contrast(&page, &rows, "learning_rate", ["0.02", "0.1"]);
    let columns = |column: &str, batch: Option<&str>| -> Vec<f64> {
        let chosen = rows
            .iter()
            .filter(|row| batch.is_none_or(|batch| row["batch_size"] == batch));
        chosen.map(|row| number(row, column)).collect()
    };
    for (column, name) in [
        ("lambda_max", "λ_max"),
        ("gauss_newton_lambda_max", "λ_max of the Gauss–Newton matrix"),
        ("trace", "trace"),
        ("batch_sharpness", "batch sharpness"),
        ("alignment", "alignment"),
    ] {
        let [all, full] = [None, Some("Full")]
            .map(|batch| written(kendall(&columns(column, batch), &columns("test_accuracy", batch)), 2));
        let starts = format!("| {name} | {all} [");
        let row = page.split(&starts).nth(1).unwrap_or_else(|| panic!("{starts}"));
        let rest = row.split(" |").nth(1).unwrap();
        assert!(rest.starts_with(&format!(" {full} [")), "{name}: {full}, not{rest}");
    }
}
