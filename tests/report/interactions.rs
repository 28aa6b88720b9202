//! Interactions: whether the effect of one setting depends on another.

use sharptui::event::CellEnding;

use crate::bench::{Bench, FINISHED, says};

/// Returns 0.1 times a number that depends only on the seed; three of them have the standard deviation 0.1.
fn wobble(value: &dyn Fn(&str) -> String) -> f64 {
    0.1 * (value("seed").parse::<f64>().unwrap() - 1.0)
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_gain_that_is_larger_at_one_level_of_another_setting_is_said_with_its_interval() {
    let bench = Bench::ended(
        "batch_size: 32, sweep: (learning_rate: [0.3, 0.1], batch_size: [Full, 32], seed: [0, 1, 2])",
        |value| {
            let (small, fast) = (value("batch_size") == "32", value("learning_rate") == "0.3");
            // Gains: 1.9, 2.0, 2.1 points at batch size 32, and none at Full. Changes of λ_max: −10, −10, −10 at 32, and
            // −4.9, −5.0, −5.1 at Full.
            let (gain, drop) = match (fast, small) {
                (false, _) => (0.0, 0.0),
                (true, true) => (2.0 + wobble(value), 10.0),
                (true, false) => (0.0, 5.0 + wobble(value)),
            };
            (FINISHED, 30.0 - drop, 70.0 + 20.0 * wobble(value) + gain)
        },
    );
    let report = bench.report();
    // The batch size is the setting at whose levels effects are compared, wherever it is in the sweep. The interval of
    // three differences of standard deviation 0.1 is ± 4.302653·0.1/√3 = ± 0.248414. p and the interval for one of two
    // comparisons are 2·scipy.stats.t.sf(2/(0.1/√3), 2) = 0.00083 and scipy.stats.t.ppf(1 − 0.05/4, 2)·0.1/√3 = 0.358;
    // p of λ_max is 0.00013, so that its p (Holm) is 0.00027.
    says(
        &report,
        &[
            "### Interactions",
            "- The change in λ_max from learning rate 0.1 to 0.3 was 5.00 [4.75, 5.25] lower at batch size 32 than at batch \
             size Full (−10.00 and −5.00).",
            "- The gain in test accuracy from learning rate 0.3 over 0.1 was 2.00 points [1.75, 2.25] larger at batch size \
             32 than at batch size Full (+2.00 points and 0.00 points).",
            "p (Holm) are adjusted for the family of 2 interactions",
            "| learning rate 0.1 → 0.3 | batch size 32 − Full | – | λ_max | −5.00 [−5.25, −4.75] | 0.00013 | 0.00027 \
             | [−5.36, −4.64] | −10.00, −5.00 | 3 |",
            "| learning rate 0.1 → 0.3 | batch size 32 − Full | – | test accuracy | +2.00 points [1.75, 2.25] | 0.00083 \
             | 0.00083 | [1.64, 2.36] | +2.00 points, 0.00 points | 3 |",
        ],
    );
    assert_eq!(count(&report, "The gain in test accuracy"), 1);
}

#[test]
fn interactions_are_estimated_within_each_combination_of_the_other_settings() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (dropout: [0.0, 0.5], momentum: [0.0, 0.9], batch_norm: [false, true], seed: [0, 1, 2])",
        |value| {
            let (dropout, momentum) = (value("dropout") == "0.5", value("momentum") == "0.9");
            let both = dropout && momentum;
            let is_on = value("batch_norm") == "true";
            // With batch norm, the gain from momentum is 3 points larger without dropout; without, only noise differs.
            let gain = match (both, is_on) {
                (false, _) => 0.0,
                (true, true) => -3.0 + wobble(value),
                (true, false) => 5.0 * wobble(value),
            };
            (FINISHED, 20.0, 70.0 + gain)
        },
    );
    let report = bench.report();
    says(
        &report,
        &[
            "- At batch norm true, the gain in test accuracy from momentum 0.9 over 0.0 was 3.00 points [2.75, 3.25] larger \
             at dropout 0.0 than at dropout 0.5 (0.00 points and −3.00 points). Cannot tell whether the gain in test \
             accuracy from momentum 0.9 over 0.0 differed between dropout 0.0 and dropout 0.5 at batch norm false (0.0 \
             points and 0.0 points: 0.0 points [−1.2, 1.2]).",
            // λ_max is the same everywhere.
            "- Cannot tell whether the change in λ_max from momentum 0.0 to 0.9 differed between dropout 0.0 and dropout 0.5 \
             at batch norm false (0 and 0: 0, no interval from 3 equal values); at batch norm true (0 and 0: 0, no interval \
             from 3 equal values).",
            "| batch norm false → true | dropout 0.0 − 0.5 | momentum 0.0 | λ_max | 0, no interval from 3 equal values | – | – \
             | – | 0, 0 | 3 |",
        ],
    );
    assert_eq!(count(&report, "cannot be estimated"), 0);
}

#[test]
fn only_seeds_with_all_four_cells_count_and_ends_without_two_of_them_are_passed_over() {
    let bench = Bench::ended(
        "batch_size: 32, sweep: (batch_size: [32, Full], learning_rate: [0.1, 0.2, 0.4], seed: [0, 1, 2, 3])",
        |value| {
            let (rate, seed) = (value("learning_rate"), value("seed"));
            let large = value("batch_size") == "Full";
            // Only one seed trains at the largest rate and Full. Seed 3 does not train at all at Full.
            let failed = large && ((rate == "0.4" && seed != "0") || seed == "3");
            let ending = if failed { CellEnding::Diverged } else { FINISHED };
            let gain = if rate == "0.2" && !large {
                1.0 + wobble(value)
            } else {
                0.0
            };
            // Seed 3 would change the mean.
            let gain = if seed == "3" { 100.0 * gain } else { gain };
            (ending, 10.0, 70.0 + gain)
        },
    );
    says(
        &bench.report(),
        &[
            "- The gain in test accuracy from learning rate 0.2 over 0.1 was 1.00 points [0.75, 1.25] larger at batch size 32 \
             than at batch size Full (+1.00 points and 0.00 points).",
        ],
    );
}

#[test]
fn too_few_seeds_for_interactions_are_said_once() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (dropout: [0.0, 0.5], momentum: [0.0, 0.9], batch_norm: [false, true])",
        |_| (FINISHED, 20.0, 70.0),
    );
    let report = bench.report();
    says(
        &report,
        &[
            "- 12 of 12 interactions cannot be estimated, because fewer than two seeds have all four cells that are compared.",
        ],
    );
    assert_eq!(count(&report, "cannot be estimated"), 1);
    assert_eq!(count(&report, "| effect of |"), 0);
}

#[test]
fn one_setting_has_no_interaction() {
    let bench = Bench::ended("learning_rate: 0.1, sweep: (dropout: [0.0, 0.5], seed: [0, 1])", |_| {
        (FINISHED, 20.0, 70.0)
    });
    let report = bench.report();
    assert_eq!(count(&report, "nteraction"), 0, "{report}");
}

#[test]
fn comparisons_have_p_values_and_intervals_adjusted_for_their_number() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (dropout: [0.0, 0.5], seed: [0, 1, 2])",
        |value| {
            let on = value("dropout") == "0.5";
            let lambda = if on { 10.0 + wobble(value) } else { 12.0 };
            let accuracy = if on { 70.2 + wobble(value) } else { 70.0 };
            (FINISHED, lambda, accuracy)
        },
    );
    let report = bench.report();
    // t = ∓2/(0.1/√3) and 0.2/(0.1/√3) with 2 degrees of freedom.
    says(
        &report,
        &[
            "These comparisons, adjusted for their number: a family of 2.",
            "| dropout 0.0 → 0.5 | – | λ_max | −2.00 [−2.25, −1.75] | 0.00083 | 0.0017 | [−2.36, −1.64] |",
            "| dropout 0.0 → 0.5 | – | test accuracy | +0.20 points [−0.05, 0.45] | 0.074 | 0.074 | [−0.16, 0.56] |",
        ],
    );
    let html = std::fs::read_to_string(bench.run.path().join("report.html")).unwrap();
    says(
        &html,
        &["<details>\n<summary>These comparisons, adjusted for their number: a family of 2</summary>"],
    );
}
