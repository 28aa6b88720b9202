//! What finished cells came to: how sharp each is, how well it generalizes, and whether the two go together.

use super::{Cell, CellState, Monitor};
use crate::event::CellIndex;
use crate::quantity::TEST_ACCURACY;
use crate::statistics::{Kendall, kendall};

/// Where a finished cell lies between sharpness and generalization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Which cell.
    pub cell: CellIndex,
    /// λ_max on its first probe, at the final iterate.
    pub lambda_max: f64,
    /// Test accuracy there, from 0 to 1.
    pub test_accuracy: f64,
    /// Whether it may be compared with the others: λ_max converged, what the cell aims at was reached, and nobody changed
    /// its learning rate by hand.
    pub is_comparable: bool,
}

impl Outcome {
    fn of(cell: CellIndex, known: &Cell) -> Option<Self> {
        let lambda = known.latest.lambda.first()?.as_ref()?;
        let test_accuracy = known.latest.first(&TEST_ACCURACY)?;
        let is_finite = lambda.lambda_max.is_finite() && test_accuracy.is_finite();
        (matches!(known.state, CellState::Finished(_)) && is_finite).then(|| Self {
            cell,
            lambda_max: lambda.lambda_max,
            test_accuracy,
            is_comparable: lambda.lambda_converged && known.reached_aim != Some(false) && !known.changed_by_hand,
        })
    }
}

impl Monitor {
    /// Every finished cell, in queue order.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let cells = self.cells.iter().enumerate();
        cells.filter_map(|(cell, known)| Outcome::of(cell, known))
    }

    /// Kendall's τ-b between λ_max and test accuracy of the cells that may be compared; none while there is none.
    ///
    /// It is computed when it is asked for, once for each cell that ends.
    #[must_use]
    pub fn rank_correlation(&self) -> Option<Kendall> {
        *self.rank_correlation.get_or_init(|| {
            let comparable = self.outcomes().filter(|outcome| outcome.is_comparable);
            let pairs: Vec<(f64, f64)> = comparable
                .map(|outcome| (outcome.lambda_max, outcome.test_accuracy))
                .collect();
            kendall(&pairs)
        })
    }
}
