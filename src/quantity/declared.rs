//! The declarations of all quantities and charts.

mod eigenvalues;
mod gauges;

use super::{
    Chart, ChartOf, ChartSpan, Format, Kept, Line, Lines, Outcome, Quantity, Source, Subject, Told, Uncertainty,
};

pub use eigenvalues::*;
pub use gauges::*;

/// Every quantity, in the order of tables.
pub(super) static ALL: &[&Quantity] = &[
    &LAMBDA_MAX,
    &TEST_ACCURACY,
    &TEST_LOSS,
    &TRAIN_LOSS,
    &TRAIN_ACCURACY,
    &GRADIENT_NORM,
    &THRESHOLD,
    &PRECONDITIONED_SHARPNESS,
    &PRECONDITIONED_THRESHOLD,
    &EIGENVALUES_ABOVE,
    &BATCH_SHARPNESS,
    &RATIO_OF_MEANS,
    &STEP_SHARPNESS,
    &BATCH_THRESHOLD,
    &BATCH_THRESHOLD_SMALL,
    &ALIGNMENT,
    &BATCH_ALIGNMENT,
    &STEP_CURVATURE,
    &STEP_CURVATURE_ON_BATCH,
    &GAUSS_NEWTON,
    &BEYOND_GAUSS_NEWTON,
    &TRACE,
    &LAMBDA_MIN,
    &LAYER_LAMBDA_MAX,
    &LEARNING_RATE,
    &PRODUCT_SECONDS,
];

/// λ_max and its threshold.
pub static LAMBDA: Chart = Chart {
    key: "lambda",
    title: "λ_max",
    span: ChartSpan::Lambda,
    of: ChartOf::All,
    also: &[],
};

/// Preconditioned sharpness and its threshold.
pub static PRECONDITIONED: Chart = Chart {
    key: "preconditioned",
    title: "preconditioned sharpness",
    span: ChartSpan::Eigenvalues,
    of: ChartOf::Measured,
    also: &[],
};

/// Losses.
pub static LOSS: Chart = Chart {
    key: "loss",
    title: "loss",
    span: ChartSpan::Positive,
    of: ChartOf::All,
    also: &[],
};

/// Accuracies.
pub static ACCURACY: Chart = Chart {
    key: "accuracy",
    title: "accuracy",
    span: ChartSpan::Shares,
    of: ChartOf::All,
    also: &[],
};

/// Norms of gradients.
pub static GRADIENT: Chart = Chart {
    key: "gradient_norm",
    title: "gradient norm",
    span: ChartSpan::Positive,
    of: ChartOf::All,
    also: &[],
};

/// Learning rates.
pub static RATE: Chart = Chart {
    key: "learning_rate",
    title: "learning rate",
    span: ChartSpan::Positive,
    of: ChartOf::All,
    also: &[],
};

/// Times of Hessian-vector products.
pub static PRODUCT: Chart = Chart {
    key: "product_time",
    title: "time per HVP",
    span: ChartSpan::Positive,
    of: ChartOf::All,
    also: &[],
};

/// Mean loss over the training set.
pub static TRAIN_LOSS: Quantity = Quantity {
    key: "train_loss",
    label: "train loss",
    column: "train loss",
    on_chart: "train",
    names: &[],
    format: Format::Number,
    subject: Subject::Cell,
    source: Source::Recorded,
    uncertainty: Uncertainty::None,
    chart: &LOSS,
    line: Line::Second,
    told: Told {
        kept: Kept::InTables,
        in_lines: Lines::All,
        largest_first: false,
    },
    meaning: "the mean {loss} over the training set of the cell (run), in evaluation mode: no dropout, no \
              augmentation, running statistics of batch norm.",
};

/// Fraction of the training set that is classified correctly.
pub static TRAIN_ACCURACY: Quantity = Quantity {
    key: "train_accuracy",
    label: "train accuracy",
    column: "train acc",
    on_chart: "train",
    names: &["train_acc"],
    format: Format::Share,
    chart: &ACCURACY,
    told: Told {
        kept: Kept::InTables,
        in_lines: Lines::None,
        largest_first: true,
    },
    meaning: "the fraction of the training set classified correctly.",
    ..TRAIN_LOSS
};

/// Mean loss over the test set.
pub static TEST_LOSS: Quantity = Quantity {
    key: "test_loss",
    label: "test loss",
    column: "test loss",
    on_chart: "test",
    names: &["loss"],
    line: Line::Main,
    told: Told {
        kept: Kept::InTables,
        in_lines: Lines::End,
        largest_first: false,
    },
    meaning: "the mean {loss} over the test set, in evaluation mode.",
    ..TRAIN_LOSS
};

/// Fraction of the test set that is classified correctly.
pub static TEST_ACCURACY: Quantity = Quantity {
    key: "test_accuracy",
    label: "test accuracy",
    column: "test acc",
    on_chart: "test",
    names: &["acc", "accuracy", "test_acc"],
    line: Line::Main,
    told: Told {
        kept: Kept::InTables,
        in_lines: Lines::All,
        largest_first: true,
    },
    meaning: "the fraction of the test set (held out) classified correctly.",
    ..TRAIN_ACCURACY
};

/// The name of the residual of λ_max on disk.
pub const LAMBDA_RESIDUAL: &str = "lambda_residual";

/// The largest algebraic eigenvalue of the Hessian of the mean loss.
pub static LAMBDA_MAX: Quantity = Quantity {
    key: "lambda_max",
    label: "λ_max",
    column: "λ_max",
    on_chart: "λ_max",
    names: &["lambda", "λ_max", "λ", "sharpness"],
    format: Format::Number,
    subject: Subject::Probe,
    source: Source::Lambda(|lambda| Some(lambda.lambda_max)),
    uncertainty: Uncertainty::Residual {
        key: LAMBDA_RESIDUAL,
        source: Source::Lambda(|lambda| Some(lambda.lambda_residual)),
        converged: "lambda_converged",
        outcome: |point| {
            let lambda = point.lambda.as_ref()?;
            Some(Outcome {
                converged: lambda.lambda_converged,
                corrected: lambda.lambda_corrected_from.is_some(),
            })
        },
    },
    chart: &LAMBDA,
    line: Line::Main,
    told: Told {
        kept: Kept::InTables,
        in_lines: Lines::All,
        largest_first: true,
    },
    meaning: "sharpness: the largest algebraic eigenvalue of the Hessian of the mean loss ({loss}) over all \
              parameters, at the weights of that step. It is measured on {probes}, without dropout or augmentation. \
              Method: Lanczos from the last eigenvector (warm start), exact Hessian-vector products (HVPs) in \
              {precision}.",
};

/// The largest λ_max at which the optimizer is stable.
pub static THRESHOLD: Quantity = Quantity {
    key: "threshold",
    label: "threshold",
    column: "threshold",
    on_chart: "threshold",
    names: &[],
    subject: Subject::Cell,
    source: Source::Recorded,
    uncertainty: Uncertainty::None,
    line: Line::Limit,
    told: Told {
        kept: Kept::No,
        in_lines: Lines::None,
        largest_first: true,
    },
    meaning: "the edge of stability: the optimizer is unstable on a quadratic loss with a λ_max above it. It is 2/η \
              for gradient descent with learning rate η, and changes with the learning rate.",
    ..LAMBDA_MAX
};

/// The largest eigenvalue of P⁻¹(H + μI), for an adaptive optimizer.
pub static PRECONDITIONED_SHARPNESS: Quantity = Quantity {
    key: "preconditioned_sharpness",
    label: "preconditioned sharpness",
    column: "prec. λ",
    on_chart: "",
    names: &["preconditioned"],
    source: Source::Preconditioned(|found| Some(found.preconditioned_sharpness)),
    uncertainty: Uncertainty::Residual {
        key: "preconditioned_residual",
        source: Source::Preconditioned(|found| Some(found.preconditioned_residual)),
        converged: "preconditioned_converged",
        outcome: |point| {
            let found = point.preconditioned.as_ref()?;
            Some(Outcome {
                converged: found.preconditioned_converged,
                corrected: found.preconditioned_corrected_from.is_some(),
            })
        },
    },
    chart: &PRECONDITIONED,
    told: Told {
        kept: Kept::InCsv,
        // Lines about a measurement have their own text for it, as for λ_max.
        in_lines: Lines::End,
        largest_first: true,
    },
    meaning: "the largest eigenvalue of P^−½ (H + wd·I) P^−½, which is that of P⁻¹(H + wd·I): the sharpness that an \
              adaptive optimizer (RMSProp, Adam, AdamW) sees. H is the Hessian of λ_max; P is the diagonal by which the \
              last step divided; wd is the weight decay, if it is part of the gradient. It is measured with λ_max on \
              {probes}, from the first step on.",
    ..LAMBDA_MAX
};

/// The largest preconditioned sharpness at which the optimizer is stable.
pub static PRECONDITIONED_THRESHOLD: Quantity = Quantity {
    key: "preconditioned_threshold",
    label: "preconditioned threshold",
    on_chart: "threshold",
    chart: &PRECONDITIONED,
    meaning: "the edge of stability of an adaptive optimizer: with a constant P it is unstable on a \
              quadratic loss with a preconditioned sharpness above it. It is 2/η for RMSProp and 38/η for Adam with β₁ = 0.9.",
    ..THRESHOLD
};

/// Learning rate η of the next step.
pub static LEARNING_RATE: Quantity = Quantity {
    key: "learning_rate",
    label: "learning rate",
    column: "η",
    on_chart: "",
    names: &[],
    chart: &RATE,
    line: Line::Main,
    meaning: "η of the next step, with the schedule applied.",
    ..THRESHOLD
};

/// Euclidean norm of the gradient on the last step's batch.
pub static GRADIENT_NORM: Quantity = Quantity {
    key: "gradient_norm",
    label: "gradient norm",
    column: "grad norm",
    on_chart: "",
    names: &["gradient", "grad_norm"],
    chart: &GRADIENT,
    told: Told {
        kept: Kept::InTables,
        in_lines: Lines::None,
        largest_first: true,
    },
    meaning: "the Euclidean norm of the gradient of the mean loss on the last step's batch, in training mode.",
    ..LEARNING_RATE
};

/// Time of a λ_max measurement per Hessian-vector product, in seconds.
pub static PRODUCT_SECONDS: Quantity = Quantity {
    key: "lambda_product_seconds",
    label: "time per HVP",
    column: "product",
    on_chart: "",
    names: &["product_seconds", "product"],
    format: Format::Seconds,
    subject: Subject::Probe,
    source: Source::Lambda(|lambda| {
        let products = lambda.lambda_hvps;
        (products > 0).then(|| lambda.lambda_seconds / products as f64)
    }),
    chart: &PRODUCT,
    told: Told {
        kept: Kept::InCsv,
        in_lines: Lines::None,
        largest_first: true,
    },
    meaning: "the time of a λ_max measurement divided by its HVP count.",
    ..GRADIENT_NORM
};
