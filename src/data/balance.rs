//! Subsets with the same number of examples of each class.

use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;

use super::DataError;

/// The first random stream for subsets. Other draws use streams up to a few thousand, so a subset drawn with the same
/// seed is independent of them.
const FIRST_STREAM: u64 = 1 << 32;

/// A class that has too few examples.
pub(super) struct Lack {
    class: usize,
    found: usize,
    needed: usize,
}

impl Lack {
    pub(super) fn in_file(self, file: String, wanted: usize) -> DataError {
        DataError::Class {
            file,
            wanted,
            class: self.class,
            found: self.found,
            needed: self.needed,
        }
    }
}

/// Draws `wanted` examples without replacement and returns their positions in ascending order. Each of the `classes`
/// gets ⌊wanted/classes⌋ examples or one more; the classes with one more are drawn, too.
///
/// # Errors
/// Returns the first class that has too few examples.
pub(super) fn draw(labels: &[u8], classes: usize, wanted: usize, seed: u64, stream: u64) -> Result<Vec<usize>, Lack> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(FIRST_STREAM + stream);
    let (each, over) = (wanted / classes, wanted % classes);
    let one_more = index::sample(&mut rng, classes, over).into_vec();
    let mut drawn = Vec::with_capacity(wanted);
    for class in 0..classes {
        let members: Vec<usize> = (0..labels.len()).filter(|&i| usize::from(labels[i]) == class).collect();
        let needed = each + usize::from(one_more.contains(&class));
        if members.len() < needed {
            return Err(Lack {
                class,
                found: members.len(),
                needed,
            });
        }
        let picks = index::sample(&mut rng, members.len(), needed);
        drawn.extend(picks.into_iter().map(|pick| members[pick]));
    }
    drawn.sort_unstable();
    Ok(drawn)
}
