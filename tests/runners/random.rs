//! Tests several runners under random kills.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A sweep with everything that has state: random order, dropout, momentum, batch norm, SAM, augmentation, warm starts.
const EVERYTHING: &str = "(
    name: \"crew\", model: Cnn(channels: (4, 6)), batch_norm: true, statistics_group: 50, momentum: 0.9, weight_decay: 0.001,
    learning_rate: 0.05, steps: 30, train_examples: 100, test_examples: 50,
    evaluate_every: Steps(3), lambda_every: Steps(4), lambda_max_products: 12, audit_every: 3,
    probes: [(examples: 20), (from: Training, examples: 30)],
    sweep: (seed: [1, 2], together: [
        (dropout: 0.3, rho: 0.0, augment: CropAndFlip(pad: 2), batch_size: 30),
        (dropout: 0.2, rho: 0.1, augment: Off, batch_size: 40),
        (dropout: 0.0, rho: 0.05, augment: CropAndFlip(pad: 1), batch_size: Full),
    ]),
)";

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Kills runners and the process of the sweep at random moments. `SHARPTUI_KILLS` sets how often, `SHARPTUI_KILL_SEED`
/// the random seed.
#[test]
fn sweeps_killed_at_random_end_with_the_same_numbers_whatever_the_number_of_runners() {
    let (kills, seed) = (number("SHARPTUI_KILLS", 40), number("SHARPTUI_KILL_SEED", 1));
    let whole = Place::with(EVERYTHING);
    whole.finish("1");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for count in ["2", "3"] {
        let unhurt = Place::with(EVERYTHING);
        unhurt.finish(count);
        assert_same(&unhurt, &whole);
        let hurt = Place::with(EVERYTHING);
        let mut left = kills;
        while left > 0 {
            let mut sweep = hurt.start(count, &["--checkpoint-every", "0"]);
            while left > 0 && sweep.try_wait().unwrap().is_none() {
                sleep(Duration::from_millis(rng.random_range(5..150)));
                let signal = [Signal::KILL, Signal::TERM, Signal::ABORT, Signal::SEGV][rng.random_range(0..4)];
                let runners = runners(&sweep);
                if runners.is_empty() || rng.random_bool(0.2) {
                    let to_sweep = if signal == Signal::TERM { signal } else { Signal::KILL };
                    kill(Pid::from_child(&sweep), to_sweep);
                    left -= 1;
                    break;
                }
                kill(runners[rng.random_range(0..runners.len())], signal);
                left -= 1;
            }
            let (written, status) = text(sweep.wait_with_output().unwrap());
            // Killed, stopped, complete, or with cells that failed because they were killed twice.
            assert!(
                matches!(status, None | Some(0 | 1 | 130)),
                "seed {seed}: {status:?}: {written}"
            );
        }
        hurt.finish(count);
        assert_same(&hurt, &whole);
    }
}
