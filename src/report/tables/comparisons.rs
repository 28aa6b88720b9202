//! The comparison of every level with the lowest, and the same comparisons adjusted for their number.

use super::{Adjusted, place, words_of};
use crate::report::comparison::{Comparison, Step};
use crate::report::number;
use crate::report::page::Page;
use crate::report::run::Run;
use crate::statistics::Kendall;

/// One comparison of two levels.
struct Row<'a> {
    comparison: &'a Comparison,
    at: String,
    step: &'a Step,
    trend: Option<Kendall>,
}

/// Adds the table that compares every level with the lowest and has the trend over all levels, and the table of the
/// same comparisons with adjusted intervals and p-values.
pub(in crate::report) fn comparisons(page: &mut Page, run: &Run, comparisons: &[Comparison]) {
    let mut rows = Vec::new();
    for comparison in comparisons {
        for stratum in &comparison.strata {
            let at: Vec<String> = (0..run.axes.len())
                .filter(|&other| other != comparison.axis)
                .map(|other| run.axes[other].at(stratum.others[other]))
                .collect();
            let steps: Vec<&Step> = stratum
                .between
                .iter()
                .map(|(from, _)| from)
                .chain(&stratum.ends)
                .collect();
            let last = steps.len().saturating_sub(1);
            rows.extend(steps.into_iter().enumerate().map(|(n, step)| Row {
                comparison,
                at: place(&at),
                step,
                trend: stratum.trend.filter(|_| n == last),
            }));
        }
    }
    if rows.is_empty() {
        return;
    }
    page.paragraph(
        "Each level is compared with the lowest level that has values, within each combination of the other settings. \
         Trend: the rank correlation of level and measure over all levels, if there are three or more.",
    );
    let header = [
        "setting",
        "at",
        "measure",
        "from",
        "to",
        "difference and 95 % interval",
        "method",
        "result",
        "trend",
    ];
    let plain = rows.iter().map(|row| row.plain(run)).collect();
    page.table(header.map(str::to_owned).to_vec(), plain);
    adjusted(page, run, &rows);
}

fn adjusted(page: &mut Page, run: &Run, rows: &[Row]) {
    let (family, count) = Adjusted::family(rows.iter().map(|row| &row.step.difference));
    if count == 0 {
        return;
    }
    let header = [
        "setting",
        "at",
        "measure",
        "difference and 95 % interval",
        "p",
        "p (Holm)",
        "Bonferroni interval",
    ];
    let rows = rows
        .iter()
        .zip(&family)
        .filter(|(_, adjusted)| adjusted.of_family.is_some());
    let rows = rows.map(|(row, adjusted)| {
        let (measure, step) = (row.comparison.measure, row.step);
        let axis = &run.axes[row.comparison.axis];
        let mut fields = vec![
            format!(
                "{} {} → {}",
                axis.name(),
                axis.level(step.from.0),
                axis.level(step.to.0)
            ),
            row.at.clone(),
            words_of(run, measure),
            number::difference(measure, &step.difference),
        ];
        fields.extend(adjusted.fields(measure, &step.difference));
        fields
    });
    let rows = rows.collect();
    page.folded(
        format!("These comparisons, adjusted for their number: a family of {count}"),
        header.map(str::to_owned).to_vec(),
        rows,
    );
}

impl Row<'_> {
    fn plain(&self, run: &Run) -> Vec<String> {
        let (measure, step) = (self.comparison.measure, self.step);
        let axis = &run.axes[self.comparison.axis];
        let end = |(level, mean): (usize, f64)| {
            format!(
                "{}: {}",
                axis.level(level),
                number::value(measure, mean, &step.difference)
            )
        };
        vec![
            axis.name(),
            self.at.clone(),
            words_of(run, measure),
            end(step.from),
            end(step.to),
            number::difference(measure, &step.difference),
            if step.paired { "pairs of seeds" } else { "groups" }.to_owned(),
            match step.sign() {
                Some(sign) if sign > 0.0 => "higher",
                Some(_) => "lower",
                None => "cannot tell",
            }
            .to_owned(),
            self.trend
                .map_or_else(|| "–".to_owned(), |trend| number::correlation(&trend)),
        ]
    }
}
