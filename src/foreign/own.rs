//! Quantities for tags that are no declared quantity: each is drawn on a chart of its own, under its own name.

use crate::quantity::{
    self, Chart, ChartOf, ChartSpan, Format, Kept, Line, Lines, Quantity, Source, Subject, Told, Uncertainty,
};

/// Limit of such quantities: each is kept until the process ends, and every point is searched for each of them.
pub(super) const MOST: usize = 64;

/// Of more quantities, plain lines about a measurement show only these first ones.
const MOST_IN_LINES: usize = 4;

/// The longest tag. Files with longer ones are no files of curves.
const LONGEST: usize = 200;

/// Returns the quantity of a tag, and declares it if it is new. Returns none if there are too many.
pub(super) fn quantity(tag: &str) -> Option<&'static Quantity> {
    let own = |found: &&'static Quantity| found.key == tag;
    let added: Vec<&'static Quantity> = quantity::added();
    if let Some(known) = added.iter().copied().find(own) {
        return Some(known);
    }
    if added.len() >= MOST || tag.len() > LONGEST || tag.is_empty() {
        return None;
    }
    let key: &'static str = Box::leak(tag.to_owned().into_boxed_str());
    let column: &'static str = Box::leak(column(tag).into_boxed_str());
    let chart: &'static Chart = Box::leak(Box::new(Chart {
        key,
        title: key,
        span: ChartSpan::Any,
        of: ChartOf::Measured,
        also: &[],
    }));
    let in_lines = if added.len() < MOST_IN_LINES {
        Lines::All
    } else {
        Lines::End
    };
    let quantity: &'static Quantity = Box::leak(Box::new(Quantity {
        key,
        label: key,
        column,
        on_chart: "",
        names: &[],
        format: Format::Number,
        subject: Subject::Cell,
        source: Source::Recorded,
        uncertainty: Uncertainty::None,
        chart,
        line: Line::Main,
        told: Told {
            kept: Kept::InTables,
            in_lines,
            largest_first: true,
        },
        meaning: "a curve of another program, under the name that it has there.",
    }));
    quantity::add(quantity);
    Some(quantity)
}

/// Returns the head of a column: the last ten characters of the tag, which tell more than the first ones.
fn column(tag: &str) -> String {
    const WIDTH: usize = 10;
    let count = tag.chars().count();
    tag.chars().skip(count.saturating_sub(WIDTH)).collect()
}
