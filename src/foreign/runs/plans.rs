//! The runs as cells: their names, and their settings as far as the files have them.

use std::collections::BTreeSet;

use super::{Place, Run, Runs};
use crate::event::{CellPlan, Threshold};
use crate::quantity::{PRECONDITIONED_THRESHOLD, Subject, THRESHOLD};

/// Why the threshold of a run of another program has no formula.
const NO_THRESHOLD: &str = "the files do not say which optimizer trained this run";

impl Runs {
    /// Returns the runs as cells.
    pub(in crate::foreign) fn plans(&self) -> Vec<CellPlan> {
        let names = self.names();
        let varied = self.varied();
        // Settings that tell the runs apart are enough.
        let of = |run: &Run| -> Vec<(String, String)> {
            let own = run.settings.iter().filter(|(name, _)| varied.contains(name));
            own.cloned().collect()
        };
        let mut all: Vec<Vec<(String, String)>> = self.shown().map(of).collect();
        all.sort();
        let tell_apart = !varied.is_empty() && all.windows(2).all(|pair| pair[0] != pair[1]);
        self.shown()
            .zip(names)
            .map(|(run, name)| {
                let named = ("run".to_owned(), name);
                let own = of(run);
                let swept = if tell_apart {
                    own
                } else {
                    std::iter::once(named.clone()).chain(own).collect()
                };
                let settings = std::iter::once(named).chain(run.settings.clone()).collect();
                CellPlan {
                    swept,
                    settings,
                    probes: self.probes(run),
                    threshold: self.threshold(),
                    ..CellPlan::default()
                }
            })
            .collect()
    }

    /// Returns what is known about thresholds: their values, if the files have them.
    fn threshold(&self) -> Threshold {
        let limits = [&THRESHOLD, &PRECONDITIONED_THRESHOLD];
        let has_one = self.tags.iter().any(|tag| match tag.place {
            Place::Declared(meaning) => limits.contains(&meaning.quantity),
            _ => false,
        });
        let (formula, meaning) = if has_one {
            ("threshold", "it was read from the files")
        } else {
            ("unknown", NO_THRESHOLD)
        };
        Threshold {
            formula: formula.to_owned(),
            meaning: meaning.to_owned(),
            is_unknown: !has_one,
            ..Threshold::default()
        }
    }

    /// Returns the settings in which runs differ; an empty list if a run has none.
    fn varied(&self) -> Vec<String> {
        if self.shown().any(|run| run.settings.is_empty()) {
            return Vec::new();
        }
        let mut names: Vec<String> = Vec::new();
        for (name, _) in self.shown().flat_map(|run| &run.settings) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let value = |run: &Run, name: &str| {
            let found = run.settings.iter().find(|(own, _)| own == name);
            found.map(|(_, value)| value.clone())
        };
        names.retain(|name| {
            let values: BTreeSet<_> = self.shown().map(|run| value(run, name)).collect();
            values.len() > 1
        });
        names
    }

    /// Returns the names of the runs, without the folders that all have in common.
    fn names(&self) -> Vec<String> {
        let paths: Vec<Vec<&str>> = self
            .shown()
            .map(|run| run.path.split('/').filter(|part| !part.is_empty()).collect())
            .collect();
        let mut common = 0;
        while let Some(first) = paths.first().and_then(|path| path.get(common)) {
            let is_of_all = paths
                .iter()
                .all(|path| path.len() > common + 1 && path[common] == *first);
            if !is_of_all {
                break;
            }
            common += 1;
        }
        let name = |path: &Vec<&str>| match path.get(common..) {
            Some(own @ [_, ..]) => own.join("/"),
            _ => ".".to_owned(),
        };
        paths.iter().map(name).collect()
    }

    /// Returns the description of each probe of a run; a single probe has none unless the files have one.
    fn probes(&self, run: &Run) -> Vec<String> {
        let tagged = self.tags.iter().filter_map(|tag| match tag.place {
            Place::Declared(meaning) if meaning.quantity.subject == Subject::Probe => tag.probe,
            _ => None,
        });
        let Some(last) = tagged.chain(run.probes.keys().copied()).max() else {
            return Vec::new();
        };
        let words = |probe| run.probes.get(&probe).cloned();
        if last == 0 && words(0).is_none() {
            return Vec::new();
        }
        // Nobody measures on more.
        (0..=last.min(63))
            .map(|probe| words(probe).unwrap_or_else(|| format!("probe {probe}")))
            .collect()
    }
}
