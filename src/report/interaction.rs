//! Interactions: whether the effect of one setting depends on another, as a difference of differences.

use super::findings::MOST_NAMED;
use super::number;
use super::run::{Measure, Run};
use crate::characters::capitalized;
use crate::number::count::counted;
use crate::statistics::{Estimate, Square, difference_of_differences};

/// The interaction of two settings in one measure, within one combination of the others.
pub(super) struct Interaction {
    pub(super) measure: Measure,
    /// The axis of which the effect is measured, and its lowest and highest level.
    pub(super) change: End,
    /// The axis at whose levels the effect is compared, and its lowest and highest level.
    pub(super) between: End,
    /// The level of every axis; the entries of the two axes have no meaning.
    pub(super) others: Vec<usize>,
    /// The mean effect at the lowest and at the highest level of `between`.
    pub(super) effects: (f64, f64),
    /// The effect at the lowest level minus that at the highest, over the seeds that have all four cells.
    pub(super) difference: Estimate,
}

/// An axis with two of its levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) axis: usize,
    pub(super) low: usize,
    pub(super) high: usize,
}

/// Every interaction of a run.
pub(super) struct Interactions {
    /// Those with at least two seeds, by pair of axes, measure and combination.
    pub(super) found: Vec<Interaction>,
    /// The number of those with fewer.
    pub(super) missing: usize,
}

impl Interactions {
    pub(super) fn of(run: &Run) -> Self {
        let mut all = Self {
            found: Vec::new(),
            missing: 0,
        };
        for (change, between) in pairs(run) {
            for measure in run.measures() {
                for others in combinations(run, change, between) {
                    match interaction(run, measure, change, between, others) {
                        Some(found) => all.found.push(found),
                        None => all.missing += 1,
                    }
                }
            }
        }
        all
    }

    /// Returns the findings, one text per pair of settings and measure.
    pub(super) fn findings(&self, run: &Run) -> Vec<String> {
        let same = |a: &Interaction, b: &Interaction| {
            (a.measure, a.change.axis, a.between.axis) == (b.measure, b.change.axis, b.between.axis)
        };
        let mut texts: Vec<String> = self.found.chunk_by(same).map(|group| sentences(run, group)).collect();
        if self.missing > 0 {
            let all = counted((self.found.len() + self.missing) as u64, "interaction");
            texts.push(format!(
                "{} of {all} cannot be estimated, because fewer than two seeds have all four cells that are compared.",
                self.missing
            ));
        }
        texts
    }
}

/// Returns every pair of axes with at least two levels each: the one whose effect is measured, and the one at whose
/// levels the effect is compared. The latter is the batch size, if it is one of the two, else the first.
fn pairs(run: &Run) -> Vec<(usize, usize)> {
    let axes: Vec<usize> = (0..run.axes.len()).filter(|&axis| run.axes[axis].len() > 1).collect();
    let mut pairs = Vec::new();
    for (n, &first) in axes.iter().enumerate() {
        for &second in &axes[n + 1..] {
            let is_turned = run.axes[second].has_batch_size();
            pairs.push(if is_turned { (first, second) } else { (second, first) });
        }
    }
    pairs
}

/// Returns the combinations of the levels of all other axes, sorted.
fn combinations(run: &Run, change: usize, between: usize) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = run.cells.iter().map(|cell| cell.levels.clone()).collect();
    for levels in &mut found {
        (levels[change], levels[between]) = (0, 0);
    }
    found.sort();
    found.dedup();
    found
}

/// Returns the interaction between the ends: the lowest and highest levels for which at least two seeds have all four
/// cells. `None` if there are no such levels.
fn interaction(run: &Run, measure: Measure, change: usize, between: usize, others: Vec<usize>) -> Option<Interaction> {
    // The values of each cell, by its levels of the two axes.
    let values_at = |at: usize, of: usize| -> Vec<(u64, f64)> {
        let mut levels = others.clone();
        (levels[change], levels[between]) = (of, at);
        let cells = run.compared().filter(|cell| cell.levels == levels);
        cells
            .filter_map(|cell| Some((cell.seed, cell.value(measure)?)))
            .collect()
    };
    let values: Vec<Vec<Vec<(u64, f64)>>> = (0..run.axes[between].len())
        .map(|at| (0..run.axes[change].len()).map(|of| values_at(at, of)).collect())
        .collect();
    let squares = |between: End, change: End| -> Vec<Square> {
        let of = |at: usize, of: usize, seed: u64| values[at][of].iter().find(|(own, _)| *own == seed);
        let at = |at: usize, seed: u64| Some((of(at, change.low, seed)?.1, of(at, change.high, seed)?.1));
        let seeds = values[between.low][change.low].iter();
        let square = |&(seed, _): &(u64, f64)| {
            Some(Square {
                first: at(between.low, seed)?,
                second: at(between.high, seed)?,
            })
        };
        seeds.filter_map(square).collect()
    };
    let changes = ends(run, change);
    for between in ends(run, between) {
        for change in &changes {
            let squares = squares(between, *change);
            if squares.len() < 2 {
                continue;
            }
            let mean = |effect: fn(&Square) -> f64| squares.iter().map(effect).sum::<f64>() / squares.len() as f64;
            return Some(Interaction {
                measure,
                change: *change,
                between,
                others,
                effects: (
                    mean(|square| square.first.1 - square.first.0),
                    mean(|square| square.second.1 - square.second.0),
                ),
                difference: difference_of_differences(&squares)?,
            });
        }
    }
    None
}

/// Returns every two levels of an axis, the farthest apart first.
fn ends(run: &Run, axis: usize) -> Vec<End> {
    let count = run.axes[axis].len();
    let mut ends = Vec::new();
    for apart in (1..count).rev() {
        ends.extend((0..count - apart).map(|low| End {
            axis,
            low,
            high: low + apart,
        }));
    }
    ends
}

/// Returns the sentences about one pair of settings and one measure: one for each combination where the two effects
/// differ, and one for all others between the same levels.
fn sentences(run: &Run, group: &[Interaction]) -> String {
    let named = &group[..group.len().min(MOST_NAMED)];
    let mut sentences: Vec<String> = named.iter().filter_map(|own| own.told(run)).collect();
    let unclear = |own: &&Interaction| own.difference.told_sign().is_none();
    let unclear: Vec<&Interaction> = named.iter().filter(unclear).collect();
    let same = |a: &&Interaction, b: &&Interaction| (a.change, a.between) == (b.change, b.between);
    for alike in unclear.chunk_by(same) {
        let [low, high] = alike[0].places(run);
        let all: Vec<String> = alike.iter().map(|own| own.unclear(run)).collect();
        sentences.push(format!(
            "Cannot tell whether {} differed between {low} and {high}{}.",
            alike[0].effect(run),
            all.join(";")
        ));
    }
    if let more @ 1.. = group.len() - named.len() {
        sentences.push(format!("The table has {more} more."));
    }
    sentences.join(" ")
}

impl Interaction {
    /// Returns the sentence about two effects that differ; `None` if the interval does not tell.
    fn told(&self, run: &Run) -> Option<String> {
        let sign = self.difference.told_sign()?;
        let (mut places, mut effects) = (self.places(run), self.effects_in_words());
        let word = match self.measure {
            Measure::TestAccuracy => {
                // The gain is larger at one of the two places, which is named first.
                if sign < 0.0 {
                    places.reverse();
                    effects.reverse();
                }
                "larger"
            }
            // A change may be negative at both places, so that "larger" would not be clear.
            Measure::Lambda(_) if sign > 0.0 => "higher",
            Measure::Lambda(_) => "lower",
        };
        let ([here, there], [first, second]) = (places, effects);
        let others = self.others_in_words(run);
        let effect = if others.is_empty() {
            self.effect(run)
        } else {
            format!("at {}, {}", others.join(" and "), self.effect(run))
        };
        Some(format!(
            "{} was {} {word} at {here} than at {there} ({first} and {second}).",
            capitalized(&effect),
            number::size(self.measure, &self.difference)
        ))
    }

    /// Returns " at dropout 0.1 (+0.4 points and −0.2 points: +0.6 points [−0.1, 1.3])".
    fn unclear(&self, run: &Run) -> String {
        let [first, second] = self.effects_in_words();
        let difference = number::difference(self.measure, &self.difference);
        let others = self.others_in_words(run);
        let at = if others.is_empty() {
            String::new()
        } else {
            format!(" at {}", others.join(" and "))
        };
        format!("{at} ({first} and {second}: {difference})")
    }

    /// Returns "the gain in test accuracy from learning rate 0.2 over 0.05".
    fn effect(&self, run: &Run) -> String {
        let axis = &run.axes[self.change.axis];
        let (low, high) = (axis.level(self.change.low), axis.level(self.change.high));
        let noun = axis.noun();
        match self.measure {
            Measure::TestAccuracy => format!("the gain in test accuracy from {noun} {high} over {low}"),
            Measure::Lambda(probe) => {
                let lambda = run.lambda_words(probe);
                format!("the change in {lambda} from {noun} {low} to {high}")
            }
        }
    }

    /// Returns the two levels at which the effect is compared, with the name of the axis.
    fn places(&self, run: &Run) -> [String; 2] {
        [self.between.low, self.between.high].map(|level| run.axes[self.between.axis].at(level))
    }

    /// Returns the effect at the first level and at the second.
    pub(super) fn effects_in_words(&self) -> [String; 2] {
        [self.effects.0, self.effects.1].map(|effect| number::change(self.measure, effect, &self.difference))
    }

    /// Returns the levels of the other axes.
    pub(super) fn others_in_words(&self, run: &Run) -> Vec<String> {
        let others = (0..run.axes.len()).filter(|&axis| axis != self.change.axis && axis != self.between.axis);
        others.map(|axis| run.axes[axis].at(self.others[axis])).collect()
    }
}
