//! Cells cut into slices, one a task.

use crate::event::CellIndex;

/// The cells of each task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slices(Vec<Vec<CellIndex>>);

impl Slices {
    /// Cuts cells into slices of `each`, in order; the last one may be shorter.
    #[must_use]
    pub fn of(cells: &[CellIndex], each: usize) -> Self {
        Self(cells.chunks(each.max(1)).map(<[CellIndex]>::to_vec).collect())
    }

    /// Returns each slice as text: "3-7,12".
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(|cells| text(cells)).collect()
    }
}

/// Returns ascending cells as text: consecutive ones as a range.
fn text(cells: &[CellIndex]) -> String {
    let ranges = cells.chunk_by(|one, next| one + 1 == *next);
    let words = ranges.filter_map(|range| match (range.first()?, range.last()?) {
        (first, last) if first == last => Some(first.to_string()),
        (first, last) => Some(format!("{first}-{last}")),
    });
    words.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_cut_in_order_and_consecutive_ones_are_written_as_ranges() {
        let texts = |cells: &[CellIndex], each| Slices::of(cells, each).texts();
        assert_eq!(texts(&[0, 1, 2, 3, 4], 2), ["0-1", "2-3", "4"]);
        assert_eq!(texts(&[3, 4, 5, 6, 7, 12], 6), ["3-7,12"]);
        assert_eq!(texts(&[1, 3, 5], 2), ["1,3", "5"]);
        assert_eq!(texts(&[], 2), [""; 0]);
        assert_eq!(texts(&[9], 0), ["9"]);
    }
}
