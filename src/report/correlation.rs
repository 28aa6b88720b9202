//! Which quantity goes with test accuracy: the rank correlation of every quantity that cells have at their end.

use super::number;
use super::run::{Cell, Measure, Run};
use crate::quantity::{self, Format, Kept, LAMBDA_MAX, Line, Quantity, Subject, TEST_ACCURACY, TEST_LOSS};
use crate::statistics::{Kendall, kendall};

/// A quantity at the end of cells, on one probe if it belongs to probes.
#[derive(Clone, Copy)]
pub(super) struct AtEnd {
    quantity: &'static Quantity,
    probe: usize,
}

/// The cells over which a correlation is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// All compared cells.
    All,
    /// The compared cells with this level of this axis.
    Level { axis: usize, level: usize },
}

impl AtEnd {
    /// Returns λ_max on a probe.
    pub(super) fn lambda(probe: usize) -> Self {
        Self {
            quantity: &LAMBDA_MAX,
            probe,
        }
    }

    /// Returns every quantity that some compared cell has at its end, in the order of tables.
    pub(super) fn all(run: &Run) -> Vec<Self> {
        let probes = |quantity: &'static Quantity| {
            let probes = match quantity.subject {
                Subject::Cell => 1,
                Subject::Probe => run.probes.len(),
            };
            (0..probes).map(move |probe| Self { quantity, probe })
        };
        let all = quantity::all()
            .filter(|quantity| is_compared(quantity))
            .flat_map(probes);
        all.filter(|own| run.compared().any(|cell| own.value(cell).is_some()))
            .collect()
    }

    pub(super) fn is_lambda(self) -> bool {
        *self.quantity == LAMBDA_MAX
    }

    /// Returns the name of the quantity, with the probe if there are several.
    pub(super) fn words(self, run: &Run) -> String {
        match (self.quantity.subject, run.probes.get(self.probe)) {
            (Subject::Probe, Some(probe)) if run.probes.len() > 1 => format!("{} ({probe})", self.quantity.label),
            _ => self.quantity.label.to_owned(),
        }
    }

    /// Returns the name for figures, which have little room: with the number of the probe.
    pub(super) fn short_words(self, run: &Run) -> String {
        match self.quantity.subject {
            Subject::Probe if run.probes.len() > 1 => format!("{}, probe {}", self.quantity.label, self.probe),
            _ => self.quantity.label.to_owned(),
        }
    }

    fn value(self, cell: &Cell) -> Option<f64> {
        if self.is_lambda() {
            cell.value(Measure::Lambda(self.probe))
        } else {
            cell.at_end(self.quantity, self.probe)
        }
    }

    /// Returns the rank correlation of the quantity with test accuracy; `None` if it is not defined.
    pub(super) fn correlation(self, run: &Run, place: Place) -> Option<Kendall> {
        let cells = run.compared().filter(|cell| place.has(cell));
        let pairs = cells.filter_map(|cell| Some((self.value(cell)?, cell.value(Measure::TestAccuracy)?)));
        kendall(&pairs.collect::<Vec<_>>())
    }
}

/// Returns whether values of a quantity are compared between cells. Limits and times say nothing about the network; the
/// members of a family (tracked eigenvalues) are numbered within a cell, so that the same number means different things
/// in different cells.
fn is_compared(quantity: &Quantity) -> bool {
    quantity.told.kept >= Kept::InCsv
        && !matches!(quantity.line, Line::Limit | Line::Family)
        && quantity.format != Format::Seconds
        && *quantity != TEST_ACCURACY
        && *quantity != TEST_LOSS
}

impl Place {
    /// Returns all cells, then every level of every axis.
    pub(super) fn every(run: &Run) -> Vec<Self> {
        let levels = (0..run.axes.len()).flat_map(|axis| Self::levels(run, axis));
        std::iter::once(Self::All).chain(levels).collect()
    }

    /// Returns the places that sentences and the figure show: all cells, and every level of the batch size, or of the
    /// first axis if the sweep does not vary the batch size.
    pub(super) fn shown(run: &Run) -> Vec<Self> {
        let axis = (0..run.axes.len())
            .find(|&axis| run.axes[axis].has_batch_size())
            .or((!run.axes.is_empty()).then_some(0));
        let levels = axis.into_iter().flat_map(|axis| Self::levels(run, axis));
        std::iter::once(Self::All).chain(levels).collect()
    }

    fn levels(run: &Run, axis: usize) -> impl Iterator<Item = Self> {
        (0..run.axes[axis].len()).map(move |level| Self::Level { axis, level })
    }

    fn has(self, cell: &Cell) -> bool {
        match self {
            Self::All => true,
            Self::Level { axis, level } => cell.levels[axis] == level,
        }
    }

    /// Returns "all cells" or "batch size 32".
    pub(super) fn words(self, run: &Run) -> String {
        match self {
            Self::All => "all cells".to_owned(),
            Self::Level { axis, level } => run.axes[axis].at(level),
        }
    }
}

/// Returns whether λ_max and test accuracy are correlated: over all cells, and within each level of each setting.
pub(super) fn of_lambda(run: &Run, probe: usize) -> Vec<String> {
    let lambda = run.lambda_words(probe);
    let Some(overall) = AtEnd::lambda(probe).correlation(run, Place::All) else {
        return vec![format!(
            "Cannot tell whether {lambda} and test accuracy are correlated: fewer than two cells have both, or one of \
             the two is the same in all cells."
        )];
    };
    let words = number::correlation(&overall);
    let overall = match overall.told_sign() {
        Some(sign) if sign < 0.0 => format!("Over all cells, lower {lambda} went with higher test accuracy: {words}."),
        Some(_) => format!("Over all cells, higher {lambda} went with higher test accuracy: {words}."),
        None => format!("Cannot tell, over all cells, whether {lambda} and test accuracy are correlated: {words}."),
    };
    let mut sentences = vec![overall];
    if has_sentences_of_levels(run) {
        sentences.extend((0..run.axes.len()).map(|axis| within(run, axis, probe)));
    }
    sentences
}

/// With one setting, the cells within a level differ only in their seed. Only the table shows that correlation.
fn has_sentences_of_levels(run: &Run) -> bool {
    run.axes.len() > 1
}

/// Returns "Within each batch size: at 32 lower λ_max with higher accuracy (…); at Full cannot tell (…)."
fn within(run: &Run, axis: usize, probe: usize) -> String {
    let parts: Vec<String> = (0..run.axes[axis].len())
        .map(|level| {
            let kendall = AtEnd::lambda(probe).correlation(run, Place::Level { axis, level });
            let level = run.axes[axis].level(level);
            let Some(kendall) = kendall else {
                return format!("at {level} no correlation can be computed");
            };
            let said = match kendall.told_sign() {
                Some(sign) if sign < 0.0 => "lower λ_max with higher accuracy",
                Some(_) => "higher λ_max with higher accuracy",
                None => "cannot tell",
            };
            format!("at {level} {said} ({})", number::correlation(&kendall))
        })
        .collect();
    format!("Within each {}: {}.", run.axes[axis].noun(), parts.join("; "))
}

/// Returns the sentences about the quantities other than λ_max: "Other quantities, over all cells: higher test accuracy
/// went with lower train loss (…); cannot tell for gradient norm."
pub(super) fn of_others(run: &Run) -> Option<String> {
    let others: Vec<AtEnd> = AtEnd::all(run).into_iter().filter(|own| !own.is_lambda()).collect();
    let places = Place::shown(run).into_iter();
    let places = places.filter(|place| *place == Place::All || has_sentences_of_levels(run));
    let sentences: Vec<String> = places.filter_map(|place| of_place(run, &others, place)).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn of_place(run: &Run, others: &[AtEnd], place: Place) -> Option<String> {
    let (mut told, mut unclear) = (Vec::new(), Vec::new());
    for own in others {
        let Some(kendall) = own.correlation(run, place) else {
            continue;
        };
        let words = own.words(run);
        match kendall.told_sign() {
            Some(sign) => {
                let which = if sign > 0.0 { "higher" } else { "lower" };
                told.push(format!("{which} {words} ({})", number::correlation(&kendall)));
            }
            None => unclear.push(words),
        }
    }
    let told = (!told.is_empty()).then(|| format!("higher test accuracy went with {}", told.join(", ")));
    let unclear = (!unclear.is_empty()).then(|| format!("cannot tell for {}", unclear.join(", ")));
    let parts: Vec<String> = told.into_iter().chain(unclear).collect();
    let at = match place {
        Place::All => "Other quantities, over all cells".to_owned(),
        Place::Level { .. } => format!("At {}", place.words(run)),
    };
    (!parts.is_empty()).then(|| format!("{at}: {}.", parts.join("; ")))
}
