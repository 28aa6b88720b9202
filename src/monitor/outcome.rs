//! The outcomes of finished cells: how sharp each is, how well it generalizes, and whether the two are correlated.

use super::{Cell, Monitor};
use crate::event::{CellIndex, Finish};
use crate::quantity::{LAMBDA_MAX, TEST_ACCURACY};
use crate::statistics::{Kendall, kendall};

/// Sharpness and generalization of a finished cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Which cell.
    pub cell: CellIndex,
    /// λ_max on its first probe, at the final iterate.
    pub lambda_max: f64,
    /// Test accuracy at the final iterate, from 0 to 1.
    pub test_accuracy: f64,
    /// Whether it is compared with the other cells. Reports use the same rule, see
    /// [`CellEnding::finish`](crate::event::CellEnding::finish) and
    /// [`Summary::compares_its_lambda`](crate::event::Summary::compares_its_lambda).
    pub is_comparable: bool,
}

impl Outcome {
    fn of(cell: CellIndex, known: &Cell) -> Option<Self> {
        let (ending, summary) = known.plan.ended.as_ref()?;
        let finish = ending.finish(summary)?;
        let (lambda_max, test_accuracy) = (summary.last(&LAMBDA_MAX)?, summary.last(&TEST_ACCURACY)?);
        (lambda_max.is_finite() && test_accuracy.is_finite()).then(|| Self {
            cell,
            lambda_max,
            test_accuracy,
            is_comparable: finish == Finish::AsPlanned && summary.compares_its_lambda(),
        })
    }
}

impl Monitor {
    /// Returns the outcomes of the finished cells, in queue order.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let cells = self.cells.iter().enumerate();
        cells.filter_map(|(cell, known)| Outcome::of(cell, known))
    }

    /// Returns Kendall's τ-b between λ_max and test accuracy over the comparable cells; none if it is undefined.
    ///
    /// The value is computed on demand, once after each cell that ends.
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
