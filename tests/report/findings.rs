//! The findings of a report, and where it says that it cannot tell.

use sharptui::event::{CellEnding, StopReason};

use crate::bench::{Bench, FINISHED, says};

/// A small number that depends only on the seed.
fn wobble(value: &dyn Fn(&str) -> String) -> f64 {
    match value("seed").as_str() {
        "0" => -0.1,
        "1" => 0.0,
        _ => 0.1,
    }
}

#[test]
fn a_setting_that_acts_everywhere_is_said_to_and_one_that_does_so_in_part_is_told_apart() {
    let bench = Bench::ended(
        "batch_size: 32, sweep: (batch_size: [Full, 32], learning_rate: [0.3, 0.1], seed: [0, 1, 2])",
        |value| {
            let small = value("batch_size") == "32";
            let fast = value("learning_rate") == "0.3";
            // Differences by seed, in order: −10.1, −10, −9.9 at batch size 32, and −4.9, −5, −5.1 at Full.
            let own = if small { wobble(value) } else { -wobble(value) };
            let drop = if small { 10.0 } else { 5.0 };
            let lambda = 30.0 + 3.0 * wobble(value) - if fast { drop - own } else { 0.0 };
            let gain = if small {
                2.0 + wobble(value)
            } else {
                5.0 * wobble(value)
            };
            let accuracy = 80.0 + 20.0 * wobble(value) + if fast { gain } else { 0.0 };
            (FINISHED, lambda, accuracy)
        },
    );
    // The interval of three differences of standard deviation 0.1 is ± 4.302653·0.1/√3 = ± 0.248414.
    says(
        &bench.report(),
        &[
            "- Larger learning rates (0.1 → 0.3) lowered λ_max at every batch size (32: 30.00 → 20.00, −10.00 [−10.25, −9.75]; \
             Full: 30.00 → 25.00, −5.00 [−5.25, −4.75]).",
            "- Test accuracy rose at batch size 32 (80.00 % → 82.00 %, +2.00 points [1.75, 2.25]); cannot tell at batch size \
             Full (80.0 % → 80.0 %, ",
            "points [−1.2, 1.2])",
            "### Learning rate, 0.1 → 0.3",
            "12 cells in 4 combinations: 12 compared.",
            "Cells are compared at the end of their budgets, not at an equal fit: neither until_train_accuracy nor \
             until_train_loss is set, and final training accuracies are between 95.00 % and 95.00 %.",
            "Within each batch size: at 32 ",
            "Within each learning rate: at 0.1 ",
            "| batch_size | learning_rate | cells | λ_max |",
        ],
    );
}

#[test]
fn one_setting_needs_no_place_and_its_correlation_says_which_way() {
    // The six cells are perfectly ordered: higher λ_max goes with lower accuracy.
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (dropout: [0.0, 0.3], seed: [0, 1, 2])",
        |value| {
            let shift = if value("dropout") == "0.3" { 8.0 } else { 0.0 } + 3.0 * wobble(value);
            (FINISHED, 20.0 - shift - wobble(value), 70.0 + shift)
        },
    );
    says(
        &bench.report(),
        &[
            // Every seed has the same difference, so there is no interval and no direction is reported.
            "Cannot tell whether more dropout (0.0 → 0.3) changed λ_max (20.0 → 12.0, −8.00, no interval from 3 equal values).",
            "Over all cells, lower λ_max went with higher test accuracy: τ-b −1.00 [−1.00, −0.65], 6 cells.",
        ],
    );
}

#[test]
fn a_peak_between_the_ends_is_not_hidden_by_them() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (dropout: [0.0, 0.2, 0.5], seed: [0, 1, 2])",
        |value| {
            let level = value("dropout");
            let own = if level == "0.2" { wobble(value) } else { 0.0 };
            let peak = match level.as_str() {
                "0.0" => 0.0,
                "0.2" => 4.0,
                _ => 3.0 * wobble(value),
            };
            (
                FINISHED,
                10.0 + own + wobble(value) * peak,
                70.0 + 10.0 * wobble(value) + peak + own,
            )
        },
    );
    says(
        &bench.report(),
        &[
            "Cannot tell whether test accuracy changed (70.00 % → 70.00 %, ",
            "The first and last levels hide a change: from 0.0 to 0.2 test accuracy changed by +4.00 points [3.75, 4.25], \
             and from there to 0.5 it changed by −4.00 points",
            "| dropout | – | test accuracy | 0.0: 70.00 % | 0.2: 74.00 % | +4.00 points [3.75, 4.25] | pairs of seeds | higher | – |",
        ],
    );
}

#[test]
fn the_trend_over_all_levels_is_a_rank_correlation_of_its_own() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (momentum: [0.9, 0.0, 0.5], seed: [0, 1])",
        |value| {
            let momentum: f64 = value("momentum").parse().unwrap();
            (FINISHED, 20.0 - 10.0 * momentum + wobble(value), 70.0 + wobble(value))
        },
    );
    // scipy.stats.kendalltau([0, 0, 1, 1, 2, 2], [19.9, 20, 14.9, 15, 10.9, 11]) is −0.894427.
    says(
        &bench.report(),
        &[
            "| momentum | – | λ_max | 0.0: 19.9 | 0.9: 10.9 | ",
            "| τ-b −0.89 [−0.98, −0.48], 6 cells |",
        ],
    );
}

#[test]
fn settings_that_move_together_are_one() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (together: [(batch_size: 64, learning_rate: 0.2), (batch_size: 32, learning_rate: 0.1)], \
         seed: [0, 1, 2])",
        |value| {
            let large = value("batch_size") == "64";
            let lambda = 10.0 + 5.0 * wobble(value) + if large { 3.0 + wobble(value) } else { 0.0 };
            (FINISHED, lambda, 70.0 + wobble(value))
        },
    );
    says(
        &bench.report(),
        &[
            "Raising learning rate with batch size (0.1, 32 → 0.2, 64) raised λ_max (10.00 → 13.00, +3.00 [2.75, 3.25]).",
            "| learning_rate with batch_size | cells |",
        ],
    );
}

#[test]
fn without_seeds_nothing_is_claimed() {
    let bench = Bench::ended("learning_rate: 0.1, sweep: (dropout: [0.0, 0.5])", |value| {
        let shift = if value("dropout") == "0.5" { 5.0 } else { 0.0 };
        (FINISHED, 20.0 - shift, 70.0 + shift)
    });
    says(
        &bench.report(),
        &[
            "Cannot tell whether more dropout (0.0 → 0.5) changed λ_max (20.0 → 15.0, −5.00, no interval from 1 seed).",
            "Cannot tell whether test accuracy changed (70.0 % → 75.0 %, +5.0 points, no interval from 1 seed).",
            "Cannot tell, over all cells, whether λ_max and test accuracy are correlated: τ-b −1.00, no interval from 2 cells.",
        ],
    );
}

#[test]
fn settings_without_an_order_are_changed_and_have_no_trend() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (activation: [Tanh, Relu], seed: [0, 1, 2])",
        |value| {
            let shift = if value("activation") == "Relu" {
                5.0 + wobble(value)
            } else {
                0.0
            };
            (FINISHED, 20.0 + shift + wobble(value), 70.0 + wobble(value))
        },
    );
    says(
        &bench.report(),
        &["Changing activation (Tanh → Relu) raised λ_max (20.00 → 25.00, +5.00 [4.75, 5.25])."],
    );
}

#[test]
fn levels_with_other_seeds_are_compared_as_groups() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (batch_norm: [false, true], seed: [0, 1, 2])",
        |value| {
            let on = value("batch_norm") == "true";
            let ending = if on && value("seed") == "2" {
                CellEnding::Diverged
            } else {
                FINISHED
            };
            let lambda = if on { 30.0 } else { 10.0 } + wobble(value);
            (ending, lambda, 70.0 + wobble(value))
        },
    );
    let report = bench.report();
    // The interval of scipy.stats.ttest_ind(equal_var=False) for (9.9, 10, 10.1) and (29.9, 30).
    says(
        &report,
        &[
            "Batch norm (false → true) raised λ_max (10.00 → 29.95, +19.95 [19.70, 20.20]).",
            "Left out, diverged: cell 005.",
            "| groups | higher |",
        ],
    );
}

#[test]
fn cells_that_did_not_reach_their_aim_are_shown_but_not_compared() {
    let bench = Bench::ended(
        "learning_rate: 0.1, until_train_accuracy: 0.99, sweep: (dropout: [0.0, 0.2, 0.5], seed: [0, 1, 2])",
        |value| {
            let level = value("dropout");
            let ending = match level.as_str() {
                "0.5" => FINISHED,
                _ => CellEnding::Finished(StopReason::TrainAccuracy),
            };
            let shift = match level.as_str() {
                "0.0" => 0.0,
                "0.2" => 5.0 + wobble(value),
                _ => 50.0,
            };
            (ending, 90.0 - shift + wobble(value), 70.0 + wobble(value))
        },
    );
    says(
        &bench.report(),
        &[
            "9 cells in 3 combinations: 6 compared, 3 shown but not compared, because they did not reach their aim \
             within their budget.",
            "Not compared, aim not reached: cells 006, 007, 008.",
            "More dropout (0.0 → 0.5) lowered λ_max (only 0.0 → 0.2, 90.00 → 85.00, −5.00 [−5.25, −4.75]).",
            "| 0.5 | 3 | 40.00 ± ",
            "| not reached |",
            "| no: aim not reached |",
        ],
    );
}

#[test]
fn where_no_cell_reached_its_aim_nothing_is_compared() {
    let bench = Bench::ended(
        "learning_rate: 0.1, until_train_accuracy: 0.99, sweep: (seed: [0, 1])",
        |_| (FINISHED, 10.0, 70.0),
    );
    says(
        &bench.report(),
        &["No cell reached its aim (target), so no cells are compared"],
    );
}

#[test]
fn every_probe_has_its_own_findings() {
    let bench = Bench::ended(
        "learning_rate: 0.1, probes: [(examples: 50), (from: Training, examples: 60)], \
         sweep: (dropout: [0.0, 0.5], seed: [0, 1, 2])",
        |value| {
            let shift = if value("dropout") == "0.5" {
                1.0 + 0.1 * wobble(value)
            } else {
                0.0
            };
            (FINISHED, 8.0 - shift + wobble(value), 70.0 + wobble(value))
        },
    );
    says(
        &bench.report(),
        &[
            "lowered λ_max (held-out, 50 examples) (8.000 → 7.000, −1.000 [−1.025, −0.975])",
            "lowered λ_max (training, 60 examples) (80.00 → 70.00, −10.00 [−10.25, −9.75])",
            "figures/scatter-dropout-probe-1.svg",
            "| dropout | cells | λ_max (held-out, 50 examples) | λ_max (training, 60 examples) |",
        ],
    );
}

/// The words of a page; each is a number or a name.
fn words(report: &str) -> impl Iterator<Item = &str> {
    report.split(|letter: char| letter.is_whitespace() || "()[]|,;".contains(letter))
}

#[test]
fn numbers_however_small_or_large_have_significant_digits() {
    for (size, mean, span, alone) in [
        (
            1e-7,
            "(2.00 ± 0.25)e−7",
            "(2.00e−7 → 3.00e−7, +1.00e−7 [0.50e−7, 1.50e−7])",
            "2.0000e−7",
        ),
        (
            1e30,
            "(2.00 ± 0.25)e30",
            "(2.00e30 → 3.00e30, +1.00e30 [0.50e30, 1.50e30])",
            "2.0000e30",
        ),
        (1e-200, "(2.00 ± 0.25)e−200", "[0.50e−200, 1.50e−200])", "2.0000e−200"),
        (1e200, "(2.00 ± 0.25)e200", "[0.50e200, 1.50e200])", "2.0000e200"),
    ] {
        let bench = Bench::ended(
            "learning_rate: 0.1, sweep: (dropout: [0.0, 0.3], seed: [0, 1, 2])",
            |value| {
                let more = if value("dropout") == "0.3" {
                    1.0 + 2.0 * wobble(value)
                } else {
                    0.0
                };
                (FINISHED, (2.0 - wobble(value) + more) * size, 70.0)
            },
        );
        let report = bench.report();
        says(&report, &[mean, span, alone]);
        for word in words(&report) {
            assert!(
                !word.contains("0.000000") && word.chars().count() < 40,
                "{word} in {report}"
            );
        }
    }
}

#[test]
fn no_zero_has_a_sign() {
    let bench = Bench::ended(
        "learning_rate: 0.1, sweep: (dropout: [0.0, 0.3], seed: [0, 1, 2])",
        |value| {
            let lambda = if value("dropout") == "0.3" { -1e-9 } else { -0.0 };
            (FINISHED, lambda * (1.0 + wobble(value)), 0.0)
        },
    );
    for cell in 0..6 {
        let summary = bench.cell_path(cell).join("summary.json");
        let text = std::fs::read_to_string(&summary).unwrap();
        let losses = text.replace("\"test_loss\": 0.5", "\"test_loss\": -0.0");
        assert_ne!(losses, text);
        std::fs::write(summary, losses).unwrap();
    }
    let report = bench.report();
    says(&report, &["| 0.0 | 3 | 0 | 0.00 % | 0 | 0.1000 | 95.00 % | 20 |"]);
    for word in words(&report) {
        let digits = word.trim_start_matches(['−', '-', '±', '+']);
        let is_zero = digits.contains('0') && digits.chars().all(|letter| "0.".contains(letter));
        assert!(!is_zero || digits == word, "{word} in {report}");
    }
}
