//! The quantities of several tracked eigenvalues.

use super::super::{
    Chart, ChartOf, ChartSpan, Format, Kept, Line, Lines, Quantity, Source, Subject, Told, Uncertainty, recorded,
};
use super::{LAMBDA_MAX, THRESHOLD};

/// The largest eigenvalues, as a family of curves.
pub static EIGENVALUES_CHART: Chart = Chart {
    key: "eigenvalues",
    title: "eigenvalues",
    span: ChartSpan::Eigenvalues,
    of: ChartOf::Gauged,
    also: &[&THRESHOLD],
};

/// Numbers of eigenvalues above the threshold.
pub static ABOVE: Chart = Chart {
    key: "eigenvalues_above",
    title: "eigenvalues above the threshold",
    span: ChartSpan::Positive,
    of: ChartOf::Measured,
    also: &[],
};

/// The largest number of eigenvalues that a cell can track.
pub const MOST_EIGENVALUES: usize = 16;

macro_rules! eigenvalues {
    ($($number:literal)*) => {
        /// The eigenvalue of each tracked eigenvector.
        pub static EIGENVALUES: [Quantity; MOST_EIGENVALUES] = [$( Quantity {
            key: concat!("eigenvalue_", $number),
            label: concat!("eigenvalue ", $number),
            column: concat!("λ of v", $number),
            on_chart: $number,
            names: &[],
            format: Format::Number,
            subject: Subject::Probe,
            source: Source::Recorded,
            uncertainty: Uncertainty::Residual {
                key: concat!("eigenvalue_", $number, "_residual"),
                source: Source::Recorded,
                converged: concat!("eigenvalue_", $number, "_converged"),
                outcome: |point| recorded(point, concat!("eigenvalue_", $number, "_converged")),
            },
            chart: &EIGENVALUES_CHART,
            line: Line::Family,
            told: Told {
                kept: Kept::InCsv,
                in_lines: Lines::None,
                largest_first: true,
            },
            meaning: concat!(
                "the eigenvalue of tracked eigenvector ", $number, " of the Hessian of λ_max, with `eigenvalues: k` for k of at \
                 least ", $number, ". The k largest eigenvalues are measured together; λ_max is the largest of them. An \
                 eigenvector keeps its number, by its overlap with those of the last measurement, also if its curve \
                 crosses others; one that falls out of the k largest leaves its number to the one that comes in."
            ),
        }, )*];
    };
}

eigenvalues!("1" "2" "3" "4" "5" "6" "7" "8" "9" "10" "11" "12" "13" "14" "15" "16");

/// The number of tracked eigenvalues above the threshold.
pub static EIGENVALUES_ABOVE: Quantity = Quantity {
    key: "eigenvalues_above_threshold",
    label: "eigenvalues above the threshold",
    column: "above",
    on_chart: "",
    names: &["above"],
    format: Format::Number,
    source: Source::Recorded,
    uncertainty: Uncertainty::None,
    chart: &ABOVE,
    told: Told {
        kept: Kept::InCsv,
        in_lines: Lines::None,
        largest_first: true,
    },
    meaning: "how many of the `eigenvalues: k` largest eigenvalues are above the threshold of λ_max. If all k are, there may be \
              more. It is not measured with an adaptive optimizer, whose threshold is one of preconditioned sharpness.",
    ..LAMBDA_MAX
};
