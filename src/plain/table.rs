//! The table of the cells at the end.

use crate::event::{CellEnding, Summary};

use super::known::{CellKnown, Known};
use super::words;

/// Blanks between columns.
const GAP: &str = "  ";

/// One line a cell below a line of titles, and what λ_max was measured on; nothing if no cell is known.
pub(super) fn table(known: &Known) -> Vec<String> {
    let Some(plan) = known.plan.as_ref().filter(|plan| !plan.cells.is_empty()) else {
        return Vec::new();
    };
    let mut swept: Vec<&str> = Vec::new();
    let mut probes: Vec<&str> = Vec::new();
    for cell in &plan.cells {
        for (name, _) in &cell.swept {
            if !swept.contains(&name.as_str()) {
                swept.push(name);
            }
        }
        if let Some(probe) = cell.probes.first().filter(|probe| !probes.contains(&probe.as_str())) {
            probes.push(probe);
        }
    }
    let results = ["steps", "λ_max", "train loss", "test loss", "test accuracy", "seconds"];
    let titles = ["cell"]
        .into_iter()
        .chain(swept.iter().copied())
        .chain(["state"])
        .chain(results);
    let mut rows: Vec<Vec<String>> = vec![titles.map(str::to_owned).collect()];
    for (index, (plan, cell)) in plan.cells.iter().zip(&known.cells).enumerate() {
        let value = |name: &&str| plan.swept.iter().find(|(swept, _)| swept == name);
        let settings = swept
            .iter()
            .map(|name| value(name).map_or_else(dash, |(_, value)| words::one_line(value)));
        let index = (index + 1).to_string();
        rows.push(
            [index]
                .into_iter()
                .chain(settings)
                .chain([state(cell)])
                .chain(results_of(cell))
                .collect(),
        );
    }
    let mut lines = vec![String::new()];
    lines.extend(aligned(&rows, swept.len() + 2));
    if !probes.is_empty() {
        let unconverged = rows.iter().any(|row| row[swept.len() + 3].ends_with('?'));
        let mark = if unconverged { "; ? did not converge" } else { "" };
        lines.push(format!("λ_max on {}{mark}", probes.join("; ")));
    }
    lines
}

fn state(cell: &CellKnown) -> String {
    let word = match &cell.ended {
        None if cell.begun => "unfinished",
        None => "queued",
        Some((CellEnding::Finished(_), _)) => "finished",
        Some((CellEnding::Diverged, _)) => "diverged",
        Some((CellEnding::Aborted, _)) => "aborted",
        Some((CellEnding::Interrupted, _)) => "interrupted",
        Some((CellEnding::Failed(_), _)) => "failed",
    };
    word.to_owned()
}

/// The numbers of one cell.
fn results_of(cell: &CellKnown) -> [String; 6] {
    let Some((_, summary)) = &cell.ended else {
        return std::array::from_fn(|_| dash());
    };
    let Summary {
        steps,
        seconds,
        train_loss,
        test_loss,
        test_accuracy,
        lambda_max,
        lambda_converged,
        ..
    } = summary;
    let lambda = lambda_max.map(|value| words::lambda_max(value, *lambda_converged == Some(true)));
    [
        steps.to_string(),
        lambda.unwrap_or_else(dash),
        train_loss.map_or_else(dash, words::short),
        test_loss.map_or_else(dash, words::short),
        test_accuracy.map_or_else(dash, words::per_cent),
        format!("{seconds:.1}"),
    ]
}

/// What stands where nothing was measured.
fn dash() -> String {
    "-".to_owned()
}

/// The first `left` columns are flush left, the others flush right.
fn aligned(rows: &[Vec<String>], left: usize) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let field = |(column, text): (usize, &String)| {
        let width = widths[column];
        if column < left {
            format!("{text:<width$}")
        } else {
            format!("{text:>width$}")
        }
    };
    rows.iter()
        .map(|row| row.iter().enumerate().map(field).collect::<Vec<_>>().join(GAP))
        .collect()
}
