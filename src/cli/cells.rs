//! A list of cells, such as `3-7,12`.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The largest number of cells in a list; a sweep has at most 10,000.
const MOST: usize = 1_000_000;

/// Cells of a run, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellList(Vec<RangeInclusive<usize>>);

impl CellList {
    /// Returns the numbers of the cells.
    pub fn numbers(&self) -> BTreeSet<usize> {
        self.0.iter().cloned().flatten().collect()
    }
}

impl FromStr for CellList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected numbers and ranges of cells, such as 3-7,12".to_owned();
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong());
            let (first, last) = (number(first)?, number(last)?);
            if first > last || last >= MOST {
                return Err(wrong());
            }
            ranges.push(first..=last);
        }
        Ok(Self(ranges))
    }
}

impl fmt::Display for CellList {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let parts = self.0.iter().map(|range| {
            let (first, last) = (range.start(), range.end());
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        });
        f.write_str(&parts.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_read_and_everything_else_is_refused() {
        let list: CellList = "3-7,12".parse().unwrap();
        assert_eq!(list.numbers().into_iter().collect::<Vec<_>>(), [3, 4, 5, 6, 7, 12]);
        assert_eq!(list.to_string(), "3-7,12");
        assert_eq!("0".parse::<CellList>().unwrap().numbers().len(), 1);
        for wrong in [
            "",
            "a",
            "3-",
            "-3",
            "7-3",
            "1,,2",
            "1.5",
            "0-99999999999",
            "99999999999999999999",
        ] {
            assert!(wrong.parse::<CellList>().is_err(), "{wrong}");
        }
    }
}
