//! How the numbers of a report were computed, so that readers can compute them again from `summary.csv`.

use super::page::Page;
use super::run::Run;

/// Adds the last section.
pub(super) fn methods(page: &mut Page, run: &Run) {
    let probes: Vec<String> = run.probes.iter().map(|words| format!("“{words}”")).collect();
    let further = if run.probes.len() > 1 {
        " The first is in summary.csv; the others are the last values in each cell's metrics.jsonl."
    } else {
        ""
    };
    let mut points = vec![
        format!(
            "λ_max is the largest algebraic eigenvalue of the Hessian of the mean loss, measured after the last step, \
             without dropout and without weight decay, on a fixed set of examples (the probe) drawn with the cell's \
             seed: {}.{further}",
            probes.join(", ")
        ),
        "The report leaves out cells that were aborted, diverged, failed, are unfinished, are to be run again, had \
         their learning rate changed by hand, or ran with settings other than those of the configuration. It also \
         leaves out values of λ_max that did not converge or were measured before the last step."
            .to_owned(),
    ];
    if run.has_aim {
        points.push(
            "Cells that used up their budget before their training loss or accuracy reached its aim (target) are \
             shown, but left out of comparisons and correlations, because these need cells that fit equally well."
                .to_owned(),
        );
    }
    if run.axes.len() > 1 {
        points.push(
            "An interaction is a difference of differences: for each seed that has all four cells, the effect of one \
             setting at one level of the other minus its effect at the other level. The interval is that of the mean of these \
             numbers, one per seed, by Student's t with n − 1 degrees of freedom. Effects are differences, not ratios: if λ_max \
             is halved everywhere, but from different values, there is an interaction."
                .to_owned(),
        );
    }
    points.extend(
        [
            "Means over n seeds have the 95 % interval x̄ ± t·s/√n, where t is the 97.5 % quantile of Student's t \
             distribution with n − 1 degrees of freedom. If both levels have the same seeds, differences are paired by \
             seed; otherwise they compare two groups, by Welch's method. Equal values have no interval: an accuracy \
             counts whole examples, so a few seeds can agree by chance.",
            "A direction is reported if its 95 % interval excludes 0. Intervals are not adjusted for multiple \
             comparisons: among twenty comparisons without any effect, about one will seem to show an effect. Where a table \
             has p (Holm) or Bonferroni intervals, its comparisons are one family. p is that of the two-sided t test of the \
             interval. Holm's method multiplies the smallest of m p-values by m, the next by m − 1 and so on, so that without \
             any effect the probability that some p (Holm) is below 0.05 is at most 5 %. A Bonferroni interval has the \
             confidence level 1 − 0.05/m, so that all m contain their true values with a probability of at least 95 %.",
            "The rank correlation is Kendall's τ-b = (C − D)/√((N − T)(N − U)). N = n(n − 1)/2 is the number of pairs \
             of cells. C pairs have the same order in both measures, D the opposite order; T pairs are tied in the first \
             measure, U in the second. For five cells or more, the interval is tanh(artanh τ ± 1.96·√(0.437/(n − 4))) \
             (Fieller, Hartley and Pearson 1957; Bonett and Wright 2000). At τ = ±1, it uses artanh(±(1 − 1/N)) and \
             extends to ±1. A direction is reported if the interval excludes 0 and p < 0.05. p is exact for up to 33 \
             cells without ties; otherwise it comes from the normal distribution with the variance for ties (Kendall \
             1970). Cells with the same seed are not independent of each other; these intervals ignore that.",
            "Rank correlations with test accuracy are those of every quantity of summary.csv that was measured after the \
             last step and, if it comes from a search, converged; test loss, thresholds and times are left out. So are the \
             numbered eigenvalues: the same number may belong to different ranks in different cells. The error of a value \
             that is estimated from samples, such as batch sharpness, brings τ-b closer to 0. Over all cells, a \
             correlation may come from a setting that changes both; within the levels of that setting it then vanishes.",
        ]
        .map(str::to_owned),
    );
    page.points(points);
}
