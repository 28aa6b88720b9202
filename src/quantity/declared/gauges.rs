//! The quantities of gauges, which are measured where a configuration asks for them.

use super::super::{
    Chart, ChartOf, ChartSpan, Format, Kept, Line, Lines, Quantity, Source, Subject, Told, Uncertainty, recorded,
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
              drawn without replacement from the training set, each anew, as many as a small relative standard error needs; their number is in `batch_sharpness_batches`. Under plain SGD it rises to 2/η and stays near it, while \
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

/// Shares of gradients in the space of the tracked eigenvectors.
pub static ALIGNMENT_CHART: Chart = Chart {
    key: "alignment",
    title: "alignment",
    span: ChartSpan::Shares,
    of: ChartOf::Gauged,
    also: &[],
};

/// The share of the full gradient in the space of the tracked eigenvectors.
pub static ALIGNMENT: Quantity = Quantity {
    key: "alignment",
    label: "alignment",
    column: "alignment",
    on_chart: "full",
    names: &[],
    format: Format::Share,
    uncertainty: Uncertainty::None,
    chart: &ALIGNMENT_CHART,
    line: Line::Main,
    meaning: "‖Uᵀg‖²/‖g‖²: the share of the squared gradient that lies in the space of the `eigenvalues: k` tracked eigenvectors U of \
              the first probe (Song et al. 2024, arXiv 2405.16002: \"Does SGD really happen in tiny subspaces?\"). g is the \
              gradient over the whole training set, without dropout and augmentation, with running statistics of batch norm unless \
              the batch is full.",
    ..RATIO_OF_MEANS
};

/// The same share of the last step's gradient.
pub static BATCH_ALIGNMENT: Quantity = Quantity {
    key: "batch_alignment",
    label: "batch alignment",
    column: "b. align.",
    on_chart: "last batch",
    line: Line::Second,
    meaning: "‖Uᵀg‖²/‖g‖² for the gradient g that the last step took on its batch, at the parameters before the step, with U after \
              it.",
    ..ALIGNMENT
};

/// Curvatures along the last step.
pub static STEP_CHART: Chart = Chart {
    key: "step_curvature",
    title: "curvature along the step",
    span: ChartSpan::Eigenvalues,
    of: ChartOf::Gauged,
    also: &[&THRESHOLD],
};

/// The curvature of the probe along the last step.
pub static STEP_CURVATURE: Quantity = Quantity {
    key: "step_curvature",
    label: "step curvature",
    column: "step curv.",
    on_chart: "probe",
    format: Format::Number,
    chart: &STEP_CHART,
    meaning: "sᵀHs/‖s‖² along the last step s, with the Hessian H of the first probe at the parameters before it. It is at most λ_max.",
    ..ALIGNMENT
};

/// The curvature of the last batch along the last step.
pub static STEP_CURVATURE_ON_BATCH: Quantity = Quantity {
    key: "step_curvature_on_batch",
    label: "step curvature on the batch",
    column: "b. curv.",
    on_chart: "batch",
    line: Line::Second,
    meaning: "sᵀHs/‖s‖² along the last step s, with the Hessian H of that step's own batch at the parameters before it, batch norm as in \
              a training step, no dropout, no augmentation.",
    ..STEP_CURVATURE
};

/// λ_max of the Gauss–Newton matrix.
pub static GAUSS_NEWTON_CHART: Chart = Chart {
    key: "gauss_newton",
    title: "Gauss–Newton λ_max",
    span: ChartSpan::Eigenvalues,
    of: ChartOf::Gauged,
    also: &[&LAMBDA_MAX],
};

/// λ_max of the Gauss–Newton matrix.
pub static GAUSS_NEWTON: Quantity = Quantity {
    key: "gauss_newton_lambda_max",
    label: "Gauss–Newton λ_max",
    column: "GN λ_max",
    on_chart: "G",
    names: &["gauss_newton"],
    uncertainty: Uncertainty::Residual {
        key: "gauss_newton_residual",
        source: Source::Recorded,
        converged: "gauss_newton_converged",
        outcome: |point| recorded(point, "gauss_newton_converged"),
    },
    chart: &GAUSS_NEWTON_CHART,
    line: Line::Main,
    meaning: "the largest eigenvalue of the Gauss–Newton matrix G = (1/n) Σ Jᵀ(∂²ℓ/∂z²)J on the first probe, with J = ∂z/∂w for the \
              outputs z: the part of H without the curvature of the network itself (Schraudolph 2002). For cross-entropy it is the \
              Fisher information matrix.",
    ..STEP_CURVATURE
};

/// The share of the top curvature that is not in the Gauss–Newton matrix.
pub static BEYOND_CHART: Chart = Chart {
    key: "beyond_gauss_newton",
    title: "share beyond Gauss–Newton",
    span: ChartSpan::Positive,
    of: ChartOf::Measured,
    also: &[],
};

/// The share of the top curvature that is not in the Gauss–Newton matrix.
pub static BEYOND_GAUSS_NEWTON: Quantity = Quantity {
    key: "beyond_gauss_newton",
    label: "share beyond Gauss–Newton",
    column: "beyond GN",
    on_chart: "",
    names: &[],
    uncertainty: Uncertainty::None,
    chart: &BEYOND_CHART,
    meaning: "uᵀ(H − G)u / uᵀHu along the top eigenvector u of H on the first probe: the share of λ_max that comes from the curvature \
              of the network. It is negative where that curvature lowers λ_max.",
    ..GAUSS_NEWTON
};

/// Traces of the Hessian.
pub static TRACE_CHART: Chart = Chart {
    key: "trace",
    title: "trace",
    span: ChartSpan::Eigenvalues,
    of: ChartOf::Gauged,
    also: &[],
};

/// The name of the standard error of the trace on disk.
pub const TRACE_ERROR: &str = "trace_error";

/// The name of the degrees of freedom of the standard error of the trace on disk.
pub const TRACE_DEGREES_OF_FREEDOM: &str = "trace_degrees_of_freedom";

/// The trace of the Hessian.
pub static TRACE: Quantity = Quantity {
    key: "trace",
    label: "trace",
    column: "trace",
    on_chart: "",
    names: &[],
    uncertainty: Uncertainty::StandardError { key: TRACE_ERROR },
    chart: &TRACE_CHART,
    meaning: "tr H on the first probe, the sum of all eigenvalues, by Hutch++ (Meyer et al. 2021) or Hutchinson's estimator (1990) with \
              vectors of random signs. The standard error is that of the sampled part. A 95 % interval is the value ± t·error with Student's t for \
              `trace_degrees_of_freedom`. The rate of Hutch++ is proved for positive semidefinite matrices only, which a Hessian is \
              not; its standard error holds all the same.",
    ..GAUSS_NEWTON
};

/// The spectral density.
pub static SPECTRUM: Chart = Chart {
    key: "spectrum",
    title: "spectral density",
    span: ChartSpan::Spectrum,
    of: ChartOf::Gauged,
    also: &[],
};

/// The smallest algebraic eigenvalue of the Hessian.
pub static LAMBDA_MIN: Quantity = Quantity {
    key: "lambda_min",
    label: "λ_min",
    column: "λ_min",
    on_chart: "",
    names: &["λ_min"],
    uncertainty: Uncertainty::Residual {
        key: "lambda_min_residual",
        source: Source::Recorded,
        converged: "lambda_min_converged",
        outcome: |point| recorded(point, "lambda_min_converged"),
    },
    chart: &SPECTRUM,
    told: Told {
        kept: Kept::InCsv,
        in_lines: Lines::None,
        largest_first: false,
    },
    meaning: "the smallest algebraic eigenvalue of the Hessian on the first probe; mostly negative. It is measured with the spectral \
              density.",
    ..GAUSS_NEWTON
};

/// λ_max of layers.
pub static LAYERS: Chart = Chart {
    key: "layers",
    title: "λ_max of layers",
    span: ChartSpan::Layers,
    of: ChartOf::Gauged,
    also: &[],
};

/// The largest λ_max of a layer.
pub static LAYER_LAMBDA_MAX: Quantity = Quantity {
    key: "layer_lambda_max",
    label: "λ_max of the sharpest layer",
    column: "layer λ",
    on_chart: "",
    names: &["layer"],
    uncertainty: Uncertainty::Residual {
        key: "layer_lambda_max_residual",
        source: Source::Recorded,
        converged: "layer_lambda_max_converged",
        outcome: |point| recorded(point, "layer_lambda_max_converged"),
    },
    chart: &LAYERS,
    told: Told {
        kept: Kept::InCsv,
        in_lines: Lines::None,
        largest_first: true,
    },
    meaning: "the largest λ_max of a layer's block of the Hessian on the first probe: the Hessian with respect to the parameters of one \
              layer, weights and biases together. It is at most λ_max. `layers` in `metrics.jsonl` has every layer.",
    ..GAUSS_NEWTON
};
