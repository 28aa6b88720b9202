//! The runs of a folder, collected from what its files say.

mod notes;
mod plans;
mod points;

use std::collections::{BTreeMap, BTreeSet};

use super::names::{self, Meaning, Part};
use super::{Found, Row, Time, own};
use crate::event::CellPlan;
use crate::quantity::{Format, LAMBDA_MAX, Quantity, Source};

/// Every run that the files have.
#[derive(Default)]
pub(super) struct Runs {
    all: Vec<Run>,
    tags: Vec<Tag>,
    /// Tags whose values are not numbers.
    not_numbers: BTreeSet<String>,
    /// The runs that are shown, by index, those first that were found first.
    shown: Vec<usize>,
    grown: BTreeSet<usize>,
}

/// A run.
#[derive(Default)]
pub struct Run {
    /// Its path below the folder of all runs.
    path: String,
    settings: Vec<(String, String)>,
    rows: BTreeMap<u64, Numbers>,
    /// The steps at which something was read since the last look.
    new: BTreeSet<u64>,
    /// Whether numbers that were told are void.
    is_void: bool,
    /// The examples of its probes.
    probes: BTreeMap<usize, String>,
    /// The earliest time of day at which something was measured.
    began: Option<f64>,
    /// The run to which everything belongs that this one has.
    part_of: Option<usize>,
}

/// The numbers at a step.
#[derive(Default)]
struct Numbers {
    epoch: Option<f64>,
    /// When they were measured, on each probe if the files say so.
    times: Vec<(Option<usize>, Time)>,
    /// The numbers, with the index of their tag.
    values: Vec<(usize, f64)>,
}

/// A name under which the files have numbers.
struct Tag {
    name: String,
    /// The probe that the numbers belong to, if the files say so.
    probe: Option<usize>,
    /// The largest number.
    most: f64,
    place: Place,
}

/// The place of a tag's numbers in a point.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// Not decided yet.
    New,
    Declared(Meaning),
    Own(&'static Quantity),
    /// It is left out, because there are too many.
    None,
}

/// What must stay the same so that runs that were told need not be told again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    plans: Vec<CellPlan>,
    places: Vec<(Place, bool)>,
}

impl Run {
    /// Returns the steps at which something was measured.
    pub(super) fn steps(&self) -> impl Iterator<Item = u64> {
        self.rows.keys().copied()
    }

    /// Returns the steps at which something was read since the last call, and whether everything must be told again.
    pub(super) fn take_new(&mut self) -> (BTreeSet<u64>, bool) {
        (std::mem::take(&mut self.new), std::mem::take(&mut self.is_void))
    }

    /// Returns its settings, as far as the files have them.
    #[must_use]
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }
}

impl Runs {
    /// Takes in what a file of this run says.
    pub(super) fn take(&mut self, run: &str, found: Found) {
        match found {
            Found::Row(row) => {
                let index = self.index(run, row.part.as_deref());
                self.row(index, row);
            }
            Found::Setting { part, name, value } => {
                let index = self.index(run, part.as_deref());
                let settings = &mut self.all[index].settings;
                match settings.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = value,
                    None => settings.push((name, value)),
                }
            }
            Found::Probe { part, probe, words } => {
                let index = self.index(run, part.as_deref());
                self.all[index].probes.insert(probe, words);
            }
            Found::Void(from) => {
                let index = self.index(run, None);
                let index = self.all[index].part_of.unwrap_or(index);
                let run = &mut self.all[index];
                let void = run.rows.split_off(&from);
                run.is_void |= !void.is_empty();
                run.new.retain(|step| *step < from);
            }
            Found::NotANumber(tag) => {
                self.not_numbers.insert(tag);
            }
        }
    }

    fn index(&mut self, run: &str, part: Option<&str>) -> usize {
        let path = match (run, part) {
            (run, None) => run.to_owned(),
            (run, Some(part)) => format!("{run}/{part}"),
        };
        self.all.iter().position(|known| known.path == path).unwrap_or_else(|| {
            self.all.push(Run { path, ..Run::default() });
            self.all.len() - 1
        })
    }

    fn row(&mut self, index: usize, row: Row) {
        let target = self.all[index].part_of.unwrap_or(index);
        let mut values = Vec::with_capacity(row.values.len());
        for (name, value) in row.values {
            values.push((self.tag(&name, row.probe, value), value));
        }
        let run = &mut self.all[target];
        if let Some(Time::OfDay(at)) = row.time {
            // Seconds count from the first measurement; an earlier one moves them all.
            if run.began.is_some_and(|began| at < began) {
                run.is_void = true;
            }
            run.began = Some(run.began.map_or(at, |began| began.min(at)));
        }
        let numbers = run.rows.entry(row.step).or_default();
        numbers.epoch = row.epoch.or(numbers.epoch);
        if let Some(time) = row.time {
            numbers.times.retain(|(probe, _)| *probe != row.probe);
            numbers.times.push((row.probe, time));
        }
        for (tag, value) in values {
            match numbers.values.iter_mut().find(|(known, _)| *known == tag) {
                Some((_, known)) => {
                    // A value that was told is replaced by a later one at the same step.
                    run.is_void |= !run.new.contains(&row.step) && known.to_bits() != value.to_bits();
                    *known = value;
                }
                None => numbers.values.push((tag, value)),
            }
        }
        run.new.insert(row.step);
        self.grown.insert(target);
    }

    /// Returns the index of a tag. The name may end with the probe, as in exports of this program.
    fn tag(&mut self, name: &str, probe: Option<usize>, value: f64) -> usize {
        let in_name = name
            .rsplit_once("/probe_")
            .and_then(|(base, number)| Some((base, number.parse().ok()?)));
        let (base, probe) = in_name.map_or((name, probe), |(base, number)| (base, Some(number)));
        let found = self.tags.iter().position(|tag| tag.name == base && tag.probe == probe);
        let index = found.unwrap_or_else(|| {
            self.tags.push(Tag {
                name: base.to_owned(),
                probe,
                most: f64::NEG_INFINITY,
                place: Place::New,
            });
            self.tags.len() - 1
        });
        // Infinity is no percentage.
        if value.is_finite() {
            self.tags[index].most = self.tags[index].most.max(value);
        }
        index
    }

    /// Decides which runs are shown and what each tag means, after the files were read.
    pub(super) fn settle(&mut self) {
        self.fold();
        let mut names: Vec<&str> = self.tags.iter().map(|tag| tag.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let meanings = names::meanings(&names);
        let meaning = |tag: &Tag| {
            let at = names.binary_search(&tag.name.as_str()).ok()?;
            meanings[at]
        };
        let has_lambda = self
            .tags
            .iter()
            .filter_map(meaning)
            .any(|meaning| *meaning.quantity == LAMBDA_MAX && meaning.part == Part::Value);
        // The parts of a measurement of λ_max have no place without it.
        let has_place = |meaning: &Meaning| {
            let is_of_lambda = matches!(meaning.quantity.source, Source::Lambda(_));
            !is_of_lambda || has_lambda
        };
        let places: Vec<Place> = self
            .tags
            .iter()
            .map(|tag| match meaning(tag).filter(has_place) {
                Some(meaning) => Place::Declared(meaning),
                None => own::quantity(&own_name(tag)).map_or(Place::None, Place::Own),
            })
            .collect();
        for (tag, place) in self.tags.iter_mut().zip(places) {
            tag.place = place;
        }
        for index in 0..self.all.len() {
            let run = &self.all[index];
            if !run.rows.is_empty() && run.part_of.is_none() && !self.shown.contains(&index) {
                self.shown.push(index);
            }
        }
    }

    /// Moves the runs that hold only hyperparameters of the run in the folder above into that run: `add_hparams` of
    /// PyTorch makes a folder of its own for them.
    fn fold(&mut self) {
        for index in 0..self.all.len() {
            let run = &self.all[index];
            if run.settings.is_empty() || run.part_of.is_some() || self.shown.contains(&index) {
                continue;
            }
            let above = run.path.rsplit_once('/').map_or("", |(above, _)| above);
            let parent = self
                .all
                .iter()
                .position(|other| other.path == above && !other.rows.is_empty());
            let Some(parent) = parent.filter(|parent| *parent != index && !run.path.is_empty()) else {
                continue;
            };
            let (rows, settings) = (
                std::mem::take(&mut self.all[index].rows),
                self.all[index].settings.clone(),
            );
            let began = self.all[parent].began;
            self.all[index].part_of = Some(parent);
            self.grown.remove(&index);
            for (step, numbers) in rows {
                let run = &mut self.all[parent];
                run.new.insert(step);
                let own = run.rows.entry(step).or_default();
                if own.times.is_empty() {
                    own.times = numbers.times;
                }
                own.values.extend(numbers.values);
            }
            let run = &mut self.all[parent];
            (run.settings, run.began) = (settings, began);
        }
    }

    /// Returns the runs that are shown.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Run> {
        self.shown.iter().map(|index| &self.all[*index])
    }

    /// Returns a run that is shown.
    pub(super) fn shown_mut(&mut self, place: usize) -> Option<&mut Run> {
        let index = *self.shown.get(place)?;
        self.all.get_mut(index)
    }

    /// Returns the place among the shown runs of the run that a file belongs to. A file with several runs belongs to the
    /// first.
    pub(super) fn place(&self, path: &str) -> Option<usize> {
        let is_of =
            |run: &Run| run.path == path || run.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        self.shown.iter().position(|index| is_of(&self.all[*index]))
    }

    /// Returns the runs that have grown since the last call, by their places among those that are shown.
    pub(super) fn take_grown(&mut self) -> BTreeSet<usize> {
        let grown = std::mem::take(&mut self.grown);
        let places = self.shown.iter().enumerate();
        places
            .filter(|(_, index)| grown.contains(index))
            .map(|(place, _)| place)
            .collect()
    }

    /// Returns what must stay the same so that runs need not be told again.
    pub(super) fn shape(&self) -> Shape {
        Shape {
            plans: self.plans(),
            places: self.tags.iter().map(|tag| (tag.place, tag.is_percent())).collect(),
        }
    }
}

impl Tag {
    /// Returns whether its numbers are per cent: those of a fraction never exceed 1.
    fn is_percent(&self) -> bool {
        let is_share = matches!(self.place, Place::Declared(meaning)
            if meaning.part == Part::Value && meaning.quantity.format == Format::Share);
        is_share && self.most > 1.0
    }
}

/// Returns the name under which a tag is drawn that is no declared quantity.
fn own_name(tag: &Tag) -> String {
    match tag.probe {
        None | Some(0) => tag.name.clone(),
        Some(probe) => format!("{}/probe_{probe}", tag.name),
    }
}
