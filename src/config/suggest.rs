//! The known name that someone may have meant.

/// The known name nearest to the one found, if it is near enough to be a slip.
pub(super) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let found = found.to_lowercase();
    let distance = |name: &str| edits(&found, &name.to_lowercase());
    let name = known.iter().copied().min_by_key(|name| distance(name))?;
    // A third of the letters wrong is still a slip; more is another word.
    (distance(name) <= (name.chars().count() / 3).max(1)).then_some(name)
}

/// Levenshtein's distance: how many letters must be put in, taken out or replaced.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, from_letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to_letter) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(from_letter != *to_letter);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_insertions_deletions_and_replacements() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", "abc"), 0);
    }

    #[test]
    fn a_slip_is_recognized_and_another_word_is_not() {
        let known = ["dropout", "learning_rate", "seed"];
        assert_eq!(nearest("droput", &known), Some("dropout"));
        assert_eq!(nearest("Learning_Rate", &known), Some("learning_rate"));
        assert_eq!(nearest("temperature", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
