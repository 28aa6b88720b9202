//! Suggests a known name for a misspelt one.

/// The largest length in bytes of a word that is compared with the known names.
const LONGEST_SLIP: usize = 100;

/// Returns the known name nearest to `found` if it is near enough for a typing error.
pub(crate) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    // All known names are much shorter, and a file can hold a word of a million characters.
    if found.len() > LONGEST_SLIP {
        return None;
    }
    let found = found.to_lowercase();
    let distance = |name: &str| edits(&found, &name.to_lowercase());
    let name = known.iter().copied().min_by_key(|name| distance(name))?;
    // Up to a third of the letters may be wrong; with more, it is another word.
    (distance(name) <= (name.chars().count() / 3).max(1)).then_some(name)
}

/// Counts the letters that must be inserted, deleted, replaced or swapped with their neighbour (optimal string
/// alignment distance).
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let replaced = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut fewest = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                let swapped: usize = before[j - 2];
                fewest = fewest.min(swapped + 1);
            }
            row.push(fewest);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_insertions_deletions_replacements_and_swaps() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("form", "from"), 1);
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
