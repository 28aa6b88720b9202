//! The interactions of settings.

use super::{Adjusted, place, words_of};
use crate::report::interaction::Interactions;
use crate::report::number;
use crate::report::page::Page;
use crate::report::run::Run;

/// Adds the table of all interactions, with plain and adjusted intervals and p-values.
pub(in crate::report) fn interactions(page: &mut Page, run: &Run, interactions: &Interactions) {
    let (family, count) = Adjusted::family(interactions.found.iter().map(|found| &found.difference));
    if interactions.found.is_empty() {
        return;
    }
    page.paragraph(format!(
        "Interactions: does the effect of one setting depend on another? The effect is the difference between the \
         lowest and the highest level, seed by seed. It is compared between the lowest and the highest level of the other \
         setting: first minus second. Levels without at least two seeds that have all four cells are left out. \
         Bonferroni intervals and p (Holm) are adjusted for the family of {count} interactions that have a p-value.",
    ));
    let header = [
        "effect of",
        "first − second",
        "at",
        "measure",
        "difference and 95 % interval",
        "p",
        "p (Holm)",
        "Bonferroni interval",
        "first, second",
        "seeds",
    ];
    let rows = interactions.found.iter().zip(&family).map(|(found, adjusted)| {
        let (change, between) = (&run.axes[found.change.axis], &run.axes[found.between.axis]);
        let [p_value, holm, bonferroni] = adjusted.fields(found.measure, &found.difference);
        let [first, second] = found.effects_in_words();
        vec![
            format!(
                "{} {} → {}",
                change.noun(),
                change.level(found.change.low),
                change.level(found.change.high)
            ),
            format!(
                "{} {} − {}",
                between.noun(),
                between.level(found.between.low),
                between.level(found.between.high)
            ),
            place(&found.others_in_words(run)),
            words_of(run, found.measure),
            number::difference(found.measure, &found.difference),
            p_value,
            holm,
            bonferroni,
            format!("{first}, {second}"),
            found.difference.count.to_string(),
        ]
    });
    let rows = rows.collect();
    page.table(header.map(str::to_owned).to_vec(), rows);
}
