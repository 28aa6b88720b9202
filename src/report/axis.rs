//! The axes of a sweep: the settings that it varies, their levels in order, and their names for people.

use crate::config::Experiment;

/// One axis of a sweep: a setting, or several settings that change together.
pub(super) struct Axis {
    /// The settings.
    pub(super) names: Vec<String>,
    /// The values of each level: lowest first if the levels are ordered, else in the order of the configuration.
    levels: Vec<Vec<String>>,
    /// Whether the levels are ordered, so that "larger" has a meaning.
    pub(super) ordered: bool,
}

impl Axis {
    /// Returns the axes of a sweep.
    pub(super) fn of(experiment: &Experiment) -> Vec<Self> {
        let mut axes = Vec::new();
        let mut from = 0;
        for names in experiment.axes() {
            let to = from + names.len();
            let mut levels: Vec<Vec<String>> = Vec::new();
            for cell in &experiment.cells {
                let values: Vec<String> = cell.swept[from..to].iter().map(|(_, value)| value.clone()).collect();
                if !levels.contains(&values) {
                    levels.push(values);
                }
            }
            let ordered = levels.iter().flatten().all(|value| rank(value).is_some());
            if ordered {
                let ranks = |values: &[String]| values.iter().filter_map(|value| rank(value)).collect::<Vec<f64>>();
                levels.sort_by(|a, b| {
                    ranks(a)
                        .iter()
                        .zip(ranks(b))
                        .map(|(a, b)| a.total_cmp(&b))
                        .find(|order| order.is_ne())
                        .unwrap_or(std::cmp::Ordering::Equal)
                });
            }
            let names = names.into_iter().map(str::to_owned).collect();
            axes.push(Self { names, levels, ordered });
            from = to;
        }
        axes
    }

    /// Returns an axis whose levels are names in this order, without a meaning of "larger".
    pub(super) fn named(name: &str, levels: Vec<String>) -> Self {
        Self {
            names: vec![name.to_owned()],
            levels: levels.into_iter().map(|level| vec![level]).collect(),
            ordered: false,
        }
    }

    /// Returns whether the axis is the seed alone.
    pub(super) fn is_seed(&self) -> bool {
        self.names == ["seed"]
    }

    /// Returns whether the axis varies the batch size, alone or with other settings.
    pub(super) fn has_batch_size(&self) -> bool {
        self.names.iter().any(|name| name == "batch_size")
    }

    /// Returns the number of levels.
    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// Returns the index of a cell's level, from the cell's swept settings.
    pub(super) fn level_of(&self, swept: &[(String, String)]) -> usize {
        let has = |name: &String, value: &String| swept.iter().any(|(n, v)| n == name && v == value);
        let is = |values: &Vec<String>| self.names.iter().zip(values).all(|(name, value)| has(name, value));
        self.levels.iter().position(is).unwrap_or_default()
    }

    /// Returns the text of a level, for use beside the name of the axis.
    pub(super) fn level(&self, level: usize) -> String {
        self.levels
            .get(level)
            .map(|values| values.join(", "))
            .unwrap_or_default()
    }

    /// Returns the name for tables: "batch_size with learning_rate".
    pub(super) fn name(&self) -> String {
        self.names.join(" with ")
    }

    /// Returns the name for sentences: "batch size with learning rate".
    pub(super) fn noun(&self) -> String {
        let nouns: Vec<String> = self.names.iter().map(|name| noun(name)).collect();
        nouns.join(" with ")
    }

    /// Returns the name for figures, which have little room.
    pub(super) fn label(&self) -> String {
        match &self.names[..] {
            [first, others @ ..] if others.len() > 1 => format!("{} and {} more", noun(first), others.len()),
            _ => self.noun(),
        }
    }

    /// Returns the name for use in a file name. File names have at most 255 bytes, so long names are shortened.
    pub(super) fn file_name(&self) -> String {
        let name = self.names.join("-");
        match self.names.first() {
            Some(first) if name.len() > LONG_NAME => format!("{first}-and-{}-more", self.names.len() - 1),
            _ => name,
        }
    }

    /// Returns the text of a level for figures: the level itself, or a number that [`key`](Self::key) explains if some
    /// level is long.
    pub(super) fn level_label(&self, level: usize) -> String {
        if self.has_long_levels() {
            format!("#{}", level + 1)
        } else {
            self.level(level)
        }
    }

    /// Returns a level with the name of the axis, for figures.
    pub(super) fn at_label(&self, level: usize) -> String {
        format!("{} {}", self.label(), self.level_label(level))
    }

    /// Returns the explanation of the numbers of [`level_label`](Self::level_label), and the names that
    /// [`label`](Self::label) omits. Empty if there is nothing to explain.
    pub(super) fn key(&self) -> String {
        let label = self.label();
        let names = (label != self.noun()).then(|| format!("{label}: {}", self.names.join(", ")));
        let levels = (0..self.len()).filter(|_| self.has_long_levels());
        let levels = levels.map(|level| format!("{label} {} is {}", self.level_label(level), self.level(level)));
        names.into_iter().chain(levels).collect::<Vec<_>>().join("; ")
    }

    fn has_long_levels(&self) -> bool {
        (0..self.len()).any(|level| self.level(level).chars().count() > LONG_LEVEL)
    }

    /// Returns a level for a sentence that already names the axis: "32", "no batch norm".
    pub(super) fn level_in_words(&self, level: usize) -> String {
        match (&self.names[..], self.level(level).as_str()) {
            ([name], "true") => noun(name),
            ([name], "false") => format!("no {}", noun(name)),
            (_, other) => other.to_owned(),
        }
    }

    /// Returns a level with the name of the axis, for sentences: "batch size 32".
    pub(super) fn at(&self, level: usize) -> String {
        format!("{} {}", self.noun(), self.level(level))
    }

    /// Returns the subject of a sentence about the change from the first level to the last: "Larger learning rates".
    pub(super) fn more(&self) -> String {
        let [name] = &self.names[..] else {
            return if self.ordered {
                format!("Raising {}", self.noun())
            } else {
                format!("Changing {}", self.noun())
            };
        };
        let words = match name.as_str() {
            "learning_rate" => "Larger learning rates",
            "batch_size" => "Larger batches",
            "rho" => "A larger SAM radius ρ",
            "dropout" => "More dropout",
            "batch_norm" => "Batch norm",
            "momentum" => "More momentum",
            "weight_decay" => "More weight decay",
            "train_examples" => "More training examples",
            "epochs" | "steps" => "Longer training",
            _ if self.ordered => return format!("A larger {}", self.noun()),
            _ => return format!("Changing {}", self.noun()),
        };
        words.to_owned()
    }
}

/// Longest name that is used unchanged in a file name, in bytes.
const LONG_NAME: usize = 100;

/// Longest level that is used unchanged in a figure, in characters.
const LONG_LEVEL: usize = 28;

/// Returns the rank of a value among the values of its setting: numbers by size, `Full` above all numbers, true above
/// false. `None` if the value has no order.
fn rank(value: &str) -> Option<f64> {
    match value {
        "Full" => Some(f64::INFINITY),
        "false" => Some(0.0),
        "true" => Some(1.0),
        _ => value.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

fn noun(name: &str) -> String {
    match name {
        "rho" => "SAM radius ρ".to_owned(),
        _ => name.replace('_', " "),
    }
}
