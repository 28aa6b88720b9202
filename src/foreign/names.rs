//! The rule by which the tags and columns of other programs are declared quantities.
//!
//! A tag is a quantity if it is its key, or its key behind the key of its chart (`loss/test_loss`, as this program exports);
//! or else if its last part is the key (`metrics/lambda_max`); or else if its words are those of [`WORDS`] in any order. Its
//! words are what letters and digits between other characters spell, in lower case, after [`SAME`] was applied. If several
//! tags are the same quantity, the first of these rules wins, then the tag with fewer replaced words, then the first by name.

use crate::quantity::{
    self, GRADIENT_NORM, LAMBDA_MAX, LEARNING_RATE, Quantity, TEST_ACCURACY, TEST_LOSS, TRAIN_ACCURACY, TRAIN_LOSS,
};

/// Quantities with the words of tags that mean them, in alphabetical order.
static WORDS: &[(&Quantity, &[&[&str]])] = &[
    (&TRAIN_LOSS, &[&["loss", "train"]]),
    (&TRAIN_ACCURACY, &[&["accuracy", "train"]]),
    (&TEST_LOSS, &[&["loss", "test"]]),
    (&TEST_ACCURACY, &[&["accuracy", "test"]]),
    (
        &LEARNING_RATE,
        &[
            &["learning", "rate"],
            &["learning", "rate", "train"],
            &["lr"],
            &["lr", "train"],
        ],
    ),
    (&GRADIENT_NORM, &[&["gradient", "norm"], &["gradient", "norm", "train"]]),
    (
        &LAMBDA_MAX,
        &[
            &["lambda", "max"],
            &["sharpness"],
            &["eigenvalue", "max"],
            &["eigenvalue", "top"],
        ],
    ),
];

/// Words that mean the same.
const SAME: &[(&str, &[&str])] = &[
    ("train", &["training"]),
    (
        "test",
        &["val", "valid", "validation", "eval", "evaluation", "dev", "testing"],
    ),
    ("accuracy", &["acc", "acc1", "top1"]),
    ("gradient", &["grad"]),
];

/// What a tag has of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Value,
    /// Its possible error.
    Error,
    /// Whether the search for it converged.
    Converged,
}

/// A tag that is a declared quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Meaning {
    pub(super) quantity: &'static Quantity,
    pub(super) part: Part,
    /// Whether people must be told, because the tag is not the quantity's own name.
    pub(super) is_guess: bool,
}

/// Returns the meaning of each tag; none for a tag that is no declared quantity, or for which another tag stands.
pub(super) fn meanings(tags: &[&str]) -> Vec<Option<Meaning>> {
    let candidates: Vec<Option<(usize, &str, Meaning)>> = tags
        .iter()
        .map(|tag| candidate(tag).map(|(rank, meaning)| (rank, *tag, meaning)))
        .collect();
    let is_best = |(rank, tag, meaning): &(usize, &str, Meaning)| {
        let same = candidates
            .iter()
            .flatten()
            .filter(|(.., other)| other.quantity == meaning.quantity && other.part == meaning.part);
        let best = same.map(|(rank, tag, _)| (*rank, *tag)).min();
        best == Some((*rank, *tag))
    };
    candidates
        .iter()
        .map(|found| found.filter(is_best).map(|(.., meaning)| meaning))
        .collect()
}

/// Returns what a tag means if no other tag means it better, and how far it is from the quantity's own name.
fn candidate(tag: &str) -> Option<(usize, Meaning)> {
    let meaning = |(quantity, part), is_guess| Meaning {
        quantity,
        part,
        is_guess,
    };
    let last = tag.rsplit('/').next().unwrap_or(tag);
    if let Some((quantity, part)) = of_key(last) {
        let before = tag.strip_suffix(last).unwrap_or_default();
        let is_own = before.is_empty() || before.strip_suffix('/') == Some(quantity.chart.key);
        return Some((usize::from(!is_own), meaning((quantity, part), !is_own)));
    }
    let (words, replaced) = words(tag);
    let (quantity, _) = WORDS
        .iter()
        .find(|(_, all)| all.iter().any(|own| words.iter().eq(own.iter())))?;
    Some((2 + replaced, meaning((*quantity, Part::Value), true)))
}

fn of_key(key: &str) -> Option<(&'static Quantity, Part)> {
    quantity::declared().find_map(|quantity| {
        let parts = [
            (Some(quantity.key), Part::Value),
            (quantity.error_key(), Part::Error),
            (quantity.converged_key(), Part::Converged),
        ];
        let part = parts.into_iter().find(|(own, _)| *own == Some(key))?.1;
        Some((quantity, part))
    })
}

/// Returns the words of a tag in alphabetical order, and how many were replaced by others.
fn words(tag: &str) -> (Vec<String>, usize) {
    let lower = tag.to_lowercase();
    let all = lower.split(|letter: char| !letter.is_alphanumeric());
    let mut replaced = 0;
    let mut words: Vec<String> = all
        .filter(|word| !word.is_empty())
        .map(|word| {
            let same = SAME.iter().find(|(_, others)| others.contains(&word));
            replaced += usize::from(same.is_some());
            same.map_or(word, |(own, _)| own).to_owned()
        })
        .collect();
    words.sort();
    (words, replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tags: &[&str]) -> Vec<&'static str> {
        let meanings = meanings(tags);
        meanings
            .iter()
            .map(|meaning| meaning.map_or("", |meaning| meaning.quantity.key))
            .collect()
    }

    #[test]
    fn the_names_of_declared_quantities_and_common_ones_are_known() {
        for (tag, expected) in [
            ("lambda_max", "lambda_max"),
            ("loss/test_loss", "test_loss"),
            ("metrics/trace", "trace"),
            ("loss/train", "train_loss"),
            ("Loss/Training", "train_loss"),
            ("train_loss", "train_loss"),
            ("val/acc", "test_accuracy"),
            ("accuracy/test", "test_accuracy"),
            ("eval/loss", "test_loss"),
            ("train-acc1", "train_accuracy"),
            ("train/learning_rate", "learning_rate"),
            ("lr", "learning_rate"),
            ("Sharpness", "lambda_max"),
            ("grad_norm", "gradient_norm"),
            // Nobody knows of which data these are, and of what these are.
            ("loss", ""),
            ("acc", ""),
            ("train_loss_step", ""),
            ("loss/train/classification", ""),
            ("reward", ""),
            ("", ""),
        ] {
            assert_eq!(key(&[tag]), [expected], "{tag}");
        }
    }

    #[test]
    fn of_several_tags_for_one_quantity_the_nearest_stands_for_it_and_the_others_for_themselves() {
        assert_eq!(
            key(&["val/acc", "test/acc", "test_accuracy"]),
            ["", "", "test_accuracy"]
        );
        assert_eq!(key(&["val/acc", "test/acc"]), ["", "test_accuracy"]);
        assert_eq!(
            key(&["final/test_accuracy", "accuracy/test_accuracy"]),
            ["", "test_accuracy"]
        );
        assert_eq!(key(&["b/lr", "lr"]), ["", "learning_rate"]);
    }

    #[test]
    fn errors_and_whether_a_search_converged_are_known_by_their_keys() {
        let found = meanings(&["lambda_residual", "lambda/lambda_converged", "trace_error"]);
        let parts: Vec<_> = found
            .iter()
            .flatten()
            .map(|found| (found.quantity.key, found.part))
            .collect();
        assert_eq!(
            parts,
            [
                ("lambda_max", Part::Error),
                ("lambda_max", Part::Converged),
                ("trace", Part::Error)
            ]
        );
        assert!(found.iter().flatten().all(|found| !found.is_guess));
    }

    #[test]
    fn every_word_of_the_table_can_be_found() {
        for (quantity, all) in WORDS {
            for own in *all {
                assert!(own.is_sorted(), "{own:?}");
                assert_eq!(key(&[&own.join(" ")]), [quantity.key]);
            }
        }
    }
}
