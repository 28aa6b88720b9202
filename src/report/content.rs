//! The content of a report, in order: the first sheet, findings, figures, tables, and how the numbers were computed.

use super::comparison::Comparison;
use super::figures::Figure;
use super::interaction::Interactions;
use super::page::Page;
use super::run::Run;
use super::{correlation, figures, findings, methods, sheet, tables};
use crate::characters::capitalized;
use crate::curve::Across;

/// Returns the whole page.
pub(super) fn page(run: &Run, across: Across) -> Page {
    let mut page = Page {
        title: format!("{}: λ_max and test accuracy", run.name),
        blocks: Vec::new(),
        figures: Vec::new(),
    };
    let comparisons: Vec<Comparison> = (0..run.axes.len())
        .flat_map(|axis| run.measures().into_iter().map(move |measure| (axis, measure)))
        .map(|(axis, measure)| Comparison::of(run, axis, measure))
        .collect();
    let interactions = Interactions::of(run);
    let mut levels = figures::levels(run, &comparisons);
    let mut curves = figures::curves(run, across);
    sheet::sweep(&mut page, run);
    sheet::found(&mut page, run, &comparisons, &interactions);
    if let Some(figure) = main_figure(run, &mut levels, &mut curves) {
        page.figure(figure);
    }
    sheet::failed(&mut page, run);
    page.end_sheet();
    page.heading("Findings");
    if let Some(why) = findings::why_none(run) {
        page.paragraph(why);
    } else {
        for axis in 0..run.axes.len() {
            let own = &run.axes[axis];
            page.subheading(&format!(
                "{}, {} → {}",
                capitalized(&own.noun()),
                own.level(0),
                own.level(own.len() - 1)
            ));
            page.points(findings::of_setting(run, &comparisons, axis));
        }
        let found = interactions.findings(run);
        if !found.is_empty() {
            page.subheading("Interactions");
            page.points(found);
        }
        page.subheading("Which quantity goes with test accuracy");
        let of_lambda = (0..run.probes.len()).map(|probe| correlation::of_lambda(run, probe).join(" "));
        let others = correlation::of_others(run).into_iter().chain(findings::of_fit(run));
        page.points(of_lambda.chain(others).collect());
        if run.axes.is_empty() {
            page.paragraph("The sweep varies nothing but the seed, so there are no settings to compare.");
        } else {
            page.paragraph(
                "Brackets contain 95 % confidence intervals, not adjusted for multiple comparisons; the tables have \
                 adjusted ones. “Cannot tell” means that the interval includes 0, that there are too few cells for an interval, or that the \
                 p-value of τ-b is 0.05 or more.",
            );
        }
    }
    for (_, figure) in levels {
        page.figure(figure);
    }
    let scatters = figures::scatters(run);
    if !scatters.is_empty() {
        page.heading("Test accuracy against λ_max");
        for figure in scatters {
            page.figure(figure);
        }
    }
    if let Some(figure) = figures::correlations(run) {
        page.heading("Which quantity goes with test accuracy");
        page.figure(figure);
        tables::correlations(&mut page, run);
    }
    if !curves.is_empty() {
        page.heading("Curves");
        if curves.len() == figures::MOST_COMBINATIONS {
            page.paragraph(format!(
                "At most {} combinations of settings are shown. Each cell's metrics.jsonl has the data of its curves.",
                figures::MOST_COMBINATIONS
            ));
        }
        for figure in curves {
            page.figure(figure);
        }
    }
    let multiples = figures::multiples(run, across);
    if !multiples.is_empty() {
        page.heading("Single cells");
        for figure in multiples {
            page.figure(figure);
        }
    }
    if let Some(figure) = figures::spectra(run) {
        page.heading("Spectral densities");
        page.figure(figure);
    }
    tables::layers(&mut page, run);
    page.heading("Means over seeds");
    tables::combinations(&mut page, run);
    tables::comparisons(&mut page, run, &comparisons);
    tables::interactions(&mut page, run, &interactions);
    page.heading("Cells");
    tables::cells(&mut page, run);
    page.heading("How these numbers were computed");
    methods::methods(&mut page, run);
    page
}

/// Takes the figure that is shown first: λ_max and test accuracy against the main setting, else the first curves.
fn main_figure(run: &Run, levels: &mut Vec<(usize, Figure)>, curves: &mut Vec<Figure>) -> Option<Figure> {
    let main = levels.iter().position(|(axis, _)| Some(*axis) == run.main_axis());
    match main.or((!levels.is_empty()).then_some(0)) {
        Some(place) => Some(levels.remove(place).1),
        None => (!curves.is_empty()).then(|| curves.remove(0)),
    }
}
