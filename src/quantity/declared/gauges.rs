//! The quantities of gauges, which are measured where a configuration asks for them.

use super::super::{
    Chart, ChartOf, ChartSpan, Format, Kept, Line, Lines, Quantity, Source, Subject, Told, Uncertainty,
};
use super::{LAMBDA_MAX, THRESHOLD};

/// Batch sharpness and its thresholds.
pub static BATCH: Chart = Chart {
    key: "batch_sharpness",
    title: "batch sharpness",
    span: ChartSpan::Eigenvalues,
    of: ChartOf::Gauged,
    also: &[&LAMBDA_MAX],
};

/// The name of the standard error of batch sharpness on disk.
pub const BATCH_SHARPNESS_ERROR: &str = "batch_sharpness_error";

/// The name of the number of batches on disk.
pub const BATCH_SHARPNESS_BATCHES: &str = "batch_sharpness_batches";

/// The mean curvature of batches along their gradients.
pub static BATCH_SHARPNESS: Quantity = Quantity {
    key: "batch_sharpness",
    label: "batch sharpness",
    column: "batch sh.",
    on_chart: "mean",
    names: &["bs"],
    format: Format::Number,
    subject: Subject::Cell,
    source: Source::Recorded,
    uncertainty: Uncertainty::StandardError {
        key: BATCH_SHARPNESS_ERROR,
    },
    chart: &BATCH,
    line: Line::Main,
    told: Told {
        kept: Kept::InCsv,
        in_lines: Lines::All,
        largest_first: true,
    },
    meaning: "E[gᵀHg/‖g‖²], the mean over fresh batches of the training size, with g and H the gradient and the Hessian of \
              the {loss} of the same batch: batch norm as in a training step, no dropout, no augmentation. Batches are \
              drawn without replacement from the training set, each anew, until the relative standard error is small \
              enough; their number is in `batch_sharpness_batches`. Under plain SGD it rises to 2/η and stays near it, while \
              λ_max stays below (Andreyev and Beneventano 2024, arXiv 2412.20553).",
};

/// The name of the standard error of the ratio of means on disk.
pub const RATIO_OF_MEANS_ERROR: &str = "batch_ratio_of_means_error";

/// The mean of gᵀHg divided by the mean of ‖g‖².
pub static RATIO_OF_MEANS: Quantity = Quantity {
    key: "batch_ratio_of_means",
    label: "batch ratio of means",
    column: "batch r.m.",
    on_chart: "ratio of means",
    names: &[],
    uncertainty: Uncertainty::StandardError {
        key: RATIO_OF_MEANS_ERROR,
    },
    line: Line::Second,
    told: Told {
        kept: Kept::InCsv,
        in_lines: Lines::None,
        largest_first: true,
    },
    meaning: "E[gᵀHg]/E[‖g‖²] over the same batches as batch sharpness. To second order, a step of SGD lowers the loss of \
              its batch in the mean while this is below 2/η. Its standard error is that of the linearized ratio (delta \
              method).",
    ..BATCH_SHARPNESS
};

/// The curvature of the last step's batch along its gradient.
pub static STEP_SHARPNESS: Quantity = Quantity {
    key: "step_sharpness",
    label: "step sharpness",
    column: "step sh.",
    on_chart: "last step",
    names: &[],
    uncertainty: Uncertainty::None,
    line: Line::Third,
    meaning: "gᵀHg/‖g‖² of the last step's batch at the parameters before that step: one sample of batch sharpness, for the \
              batch that was used. Without dropout and augmentation.",
    ..RATIO_OF_MEANS
};

/// The threshold of batch sharpness for large batches.
pub static BATCH_THRESHOLD: Quantity = Quantity {
    key: "batch_threshold",
    label: "batch threshold",
    column: "b. thresh.",
    on_chart: "2(1+β)/η",
    chart: &BATCH,
    meaning: "the value near which batch sharpness settles: 2/η for SGD without momentum. With heavy-ball momentum β there are \
              two: 2(1+β)/η for large batches, and 2(1−β)/η, `batch_threshold_small`, for small ones (Andreyev et al. 2026, arXiv \
              2604.14108). No threshold is known with weight decay, SAM or an adaptive optimizer, so none is drawn.",
    ..THRESHOLD
};

/// The threshold of batch sharpness for small batches, with momentum.
pub static BATCH_THRESHOLD_SMALL: Quantity = Quantity {
    key: "batch_threshold_small",
    label: "batch threshold (small batches)",
    column: "b. thresh.",
    on_chart: "2(1−β)/η",
    meaning: "2(1−β)/η: the value near which batch sharpness settles for small batches under heavy-ball momentum β.",
    ..BATCH_THRESHOLD
};
