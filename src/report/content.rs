//! The content of a report, in order: findings, figures, tables, and how the numbers were computed.

use super::comparison::{Comparison, combinations};
use super::interaction::Interactions;
use super::page::Page;
use super::run::{Measure, Run, Standing};
use super::{correlation, figures, findings, methods, tables};
use crate::event::SweepEnding;
use crate::number::count::{counted, plural};
use crate::record::RunInfo;

/// Returns the whole page.
pub(super) fn page(run: &Run) -> Page {
    let mut page = Page {
        title: format!("{}: λ_max and test accuracy", run.name),
        blocks: Vec::new(),
        figures: Vec::new(),
    };
    header(&mut page, run);
    let comparisons: Vec<Comparison> = (0..run.axes.len())
        .flat_map(|axis| run.measures().into_iter().map(move |measure| (axis, measure)))
        .map(|(axis, measure)| Comparison::of(run, axis, measure))
        .collect();
    let interactions = Interactions::of(run);
    page.heading("Findings");
    let finished = run
        .cells
        .iter()
        .filter(|cell| matches!(cell.standing, Standing::Compared | Standing::Unreached));
    if finished.count() == 0 {
        page.paragraph("No cell has finished, so there are no findings yet.");
    } else if run.compared().next().is_none() {
        page.paragraph(
            "No cell reached its aim (target), so no cells are compared: comparisons need cells that fit equally well.",
        );
    } else {
        for axis in 0..run.axes.len() {
            let own = &run.axes[axis];
            page.subheading(&format!(
                "{}, {} → {}",
                findings::capital(&own.noun()),
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
    for figure in figures::levels(run, &comparisons) {
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
    let curves = figures::curves(run);
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

fn header(page: &mut Page, run: &Run) {
    if let Some(info) = &run.info {
        page.paragraph(provenance(info));
    }
    let count = |standing: fn(&Standing) -> bool| run.cells.iter().filter(|cell| standing(&cell.standing)).count();
    let compared = count(|standing| *standing == Standing::Compared);
    let unreached = count(|standing| *standing == Standing::Unreached);
    let left_out = run.cells.len() - compared - unreached;
    let unreached = if run.has_aim {
        format!(", {unreached} shown but not compared, because they did not reach their aim within their budget")
    } else {
        String::new()
    };
    page.paragraph(format!(
        "{} in {}: {compared} compared{unreached}, {left_out} left out.",
        counted(run.cells.len() as u64, "cell"),
        counted(combinations(run, None).len() as u64, "combination"),
    ));
    page.points(named(run));
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
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut put = |why: String, index: usize| {
        let name = format!("{index:03}");
        match groups.iter_mut().find(|(own, _)| *own == why) {
            Some((_, cells)) => cells.push(name),
            None => groups.push((why, vec![name])),
        }
    };
    for cell in &run.cells {
        match &cell.standing {
            Standing::LeftOut(why) => put(format!("Left out, {why}"), cell.index),
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
        .map(|(why, all)| format!("{why}: {} {}.", plural(all.len() as u64, "cell"), all.join(", ")));
    let gaps = run.gaps.iter().map(|gap| format!("Not read: {gap}."));
    named.chain(gaps).collect()
}
