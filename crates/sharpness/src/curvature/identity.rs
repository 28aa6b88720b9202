//! Numbers of eigenvectors that stay the same from one measurement to the next.

/// If the squared overlap of two unit vectors is below this, they count as different eigenvectors. Above one half the match
/// would be unique; a lower bound also follows vectors that turn fast.
const SAME: f64 = 0.25;

/// An eigenvector of the last measurement.
pub(super) struct Former {
    /// Its number.
    pub(super) number: u32,
    /// Its squared overlap with each eigenvector of this measurement.
    pub(super) overlaps: Vec<f64>,
}

/// Returns the numbers of `count` eigenvectors, in descending order of their eigenvalues: different numbers below
/// `count`.
///
/// An eigenvector has the number of the one that it overlaps most with, the largest overlaps first. What is not matched
/// gets the free numbers, in order: `former` is in descending order of its eigenvalues, too, and a number that nobody had
/// comes last.
pub(super) fn numbered(former: &[Former], count: usize) -> Vec<u32> {
    let known: Vec<&Former> = former.iter().filter(|old| (old.number as usize) < count).collect();
    let mut candidates: Vec<(f64, u32, usize)> = known
        .iter()
        .flat_map(|old| {
            let overlaps = old.overlaps.iter().take(count).enumerate();
            overlaps.map(|(index, &overlap)| (overlap, old.number, index))
        })
        .filter(|&(overlap, ..)| overlap > SAME)
        .collect();
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut numbers: Vec<Option<u32>> = vec![None; count];
    for (_, number, index) in candidates {
        if numbers[index].is_none() && !numbers.contains(&Some(number)) {
            numbers[index] = Some(number);
        }
    }
    let mut all: Vec<u32> = known.iter().map(|old| old.number).collect();
    all.extend((0..count as u32).filter(|number| known.iter().all(|old| old.number != *number)));
    let mut free = all
        .into_iter()
        .filter(|number| !numbers.contains(&Some(*number)))
        .collect::<Vec<_>>()
        .into_iter();
    numbers
        .iter()
        .filter_map(|number| number.or_else(|| free.next()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn former(overlaps: &[(u32, &[f64])]) -> Vec<Former> {
        let former = overlaps.iter().map(|&(number, overlaps)| Former {
            number,
            overlaps: overlaps.to_vec(),
        });
        former.collect()
    }

    #[test]
    fn the_first_measurement_is_numbered_in_order() {
        assert_eq!(numbered(&[], 3), [0, 1, 2]);
    }

    #[test]
    fn crossing_vectors_keep_their_numbers() {
        let former = former(&[(0, &[0.02, 0.97, 0.0]), (1, &[0.98, 0.01, 0.0]), (2, &[0.0, 0.0, 1.0])]);
        assert_eq!(numbered(&former, 3), [1, 0, 2]);
    }

    #[test]
    fn a_newcomer_takes_the_number_of_the_one_that_fell_out() {
        let former = former(&[(2, &[0.0, 1.0, 0.0]), (0, &[0.0, 0.0, 1.0]), (1, &[0.0, 0.0, 0.0])]);
        assert_eq!(numbered(&former, 3), [1, 2, 0]);
    }

    #[test]
    fn two_newcomers_take_free_numbers_in_the_order_of_the_former_values() {
        let former = former(&[(1, &[0.1, 0.0, 0.1]), (2, &[0.0, 1.0, 0.0]), (0, &[0.2, 0.0, 0.0])]);
        assert_eq!(numbered(&former, 3), [1, 2, 0]);
    }

    #[test]
    fn the_largest_overlap_wins() {
        let former = former(&[(0, &[0.45, 0.3]), (1, &[0.5, 0.4])]);
        assert_eq!(numbered(&former, 2), [1, 0]);
    }

    #[test]
    fn numbers_from_a_time_with_more_eigenvalues_are_dropped() {
        let former = former(&[(4, &[1.0, 0.0]), (1, &[0.0, 1.0])]);
        assert_eq!(numbered(&former, 2), [0, 1]);
        assert_eq!(numbered(&super::tests::former(&[(1, &[1.0])]), 2), [1, 0]);
    }
}
