//! How the numbers of a report were made, so that they can be made again from `summary.csv`.

use super::page::Page;
use super::run::Run;

/// The closing section.
pub(super) fn methods(page: &mut Page, run: &Run) {
    let probes: Vec<String> = run.probes.iter().map(|words| format!("“{words}”")).collect();
    let further = if run.probes.len() > 1 {
        " The first is that of summary.csv; the others are the last in each cell's metrics.jsonl."
    } else {
        ""
    };
    let mut points = vec![
        format!(
            "λ_max is the largest algebraic eigenvalue of the Hessian of the mean loss, after the last step, dropout off, \
             without weight decay, on a fixed set of examples drawn by the cell's seed: {}.{further}",
            probes.join(", ")
        ),
        "Left out are cells that were aborted, diverged, failed, were changed by hand, are unfinished or to be run again, or ran \
         under other settings than the configuration gives; and values of λ_max that did not converge, or were measured before \
         the last step."
            .to_owned(),
    ];
    if run.has_aim {
        points.push(
            "Cells that used up their budget before their training loss or accuracy reached its aim are shown but kept \
             out of comparisons and correlations, which are of cells that fit equally well."
                .to_owned(),
        );
    }
    points.extend(
        [
            "Means over n seeds have the interval x̄ ± t·s/√n with the 97.5 % quantile of Student's t for n − 1 degrees of \
             freedom. Differences are those of pairs with the same seed where both levels have the same seeds; else of \
             two groups, by Welch. Equal values have no interval: accuracies are whole numbers of examples, and their \
             agreement in a few seeds is no certainty.",
            "A direction is told where its 95 % interval excludes 0. Every interval is for itself: of twenty comparisons \
             without any effect, one will look like one.",
            "Rank correlation is Kendall's τ-b = (C − D)/√((N − T)(N − U)), with N = n(n − 1)/2 pairs of cells, C of them \
             in the same order in both, D in opposite order, T and U tied in the one and in the other. Its interval is \
             tanh(artanh τ ± 1.96·√(0.437/(n − 4))) (Fieller, Hartley and Pearson 1957; Bonett and Wright 2000), from \
             five cells on; at τ = ±1, artanh is taken at ±(1 − 1/N), and the interval reaches to ±1. A direction is told \
             where the interval excludes 0 and p < 0.05; p is exact without ties up to 33 cells, else by the normal \
             distribution with its variance under ties (Kendall 1970). Cells that share a seed are not independent of \
             each other, which these intervals do not know.",
        ]
        .map(str::to_owned),
    );
    page.points(points);
}
