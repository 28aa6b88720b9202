//! Tests `sharptui measure` on kept checkpoints.

use std::fs;

use sharptui::record::{read_metrics, read_tensors};

use super::{Place, text};

/// Adam with minibatches: P, the last gradient and the last step matter.
const CONFIG: &str = "(
    train_examples: 60, test_examples: 20, model: Mlp(widths: [5]), activation: Tanh, learning_rate: 0.01,
    optimizer: Adam(), batch_size: 20, steps: 7, lambda_every: Steps(3), eigenvalues: 2, precision: F64,
    lambda_tolerance: 1e-8, lambda_max_products: 5000, probes: [(from: Training, examples: Full), (examples: 20)],
    gauges: [Alignment(), GaussNewton(), Trace(products: 12), Spectrum(vectors: 1, steps: 4, every: WithLambda), Layers()],
    keep_checkpoints: Every(Steps(3)),
)";

/// Returns the folder of the trained cell.
fn trained() -> (Place, String) {
    let place = Place::with(CONFIG);
    let output = place.run(&["small.ron", "--plain"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let cell = place.path("runs/small/cells/000").to_str().unwrap().to_owned();
    (place, cell)
}

#[test]
fn what_was_measured_in_training_is_measured_again_at_every_kept_checkpoint() {
    let (place, cell) = trained();
    let cell = cell.as_str();
    let points = read_metrics(cell.as_ref()).unwrap().points;
    for (step, args) in [(3, vec!["--step", "3"]), (6, vec!["--step", "6"]), (7, vec![])] {
        let output = place.run(&[&["measure", cell, "--json", "--tolerance", "1e-10"], &args[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        let again: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(again.len(), 2, "one line for each probe");
        let then = points
            .iter()
            .find(|point| point.step == step && point.lambda.is_some())
            .unwrap();
        let same = |key: &str, then: f64| {
            let now = again[0][key].as_f64().unwrap();
            assert!(
                (now - then).abs() < 1e-6 * then.abs().max(1.0),
                "{key} at step {step}: {now} and not {then}"
            );
        };
        same("lambda_max", then.lambda.as_ref().unwrap().lambda_max);
        same(
            "preconditioned_sharpness",
            then.preconditioned.as_ref().unwrap().preconditioned_sharpness,
        );
        for key in [
            "preconditioned_threshold",
            "alignment",
            "batch_alignment",
            "step_curvature",
            "step_curvature_on_batch",
            "gauss_newton_lambda_max",
            "beyond_gauss_newton",
            "lambda_min",
            "gradient_norm",
        ] {
            if let Some(then) = then.values.get(key) {
                same(key, then);
            }
        }
        // Spectrum and layers are there, too.
        assert!(again[0]["layers"].as_array().unwrap().len() == 2 && again[0]["spectrum"].is_object());
        assert!(again[1]["lambda_max"].is_number() && again[1].get("alignment").is_none());
    }
}

#[test]
fn chosen_gauges_are_measured_as_far_as_what_was_kept_allows() {
    let (place, cell) = trained();
    let cell = cell.as_str();
    // In words, with a file for others.
    let dump = place.path("dump.safetensors");
    let asked = [
        "measure",
        cell,
        "--gauges",
        "[Trace(products: 40)]",
        "--dump",
        dump.to_str().unwrap(),
    ];
    let output = place.run(&asked);
    let words = text(&output.stdout);
    assert!(
        words.contains("standard error") && words.contains("with the optimizer's state"),
        "{words}"
    );
    assert!(!words.contains("gauss_newton"), "{words}");
    let names: Vec<String> = read_tensors(&dump)
        .unwrap()
        .tensors
        .into_iter()
        .map(|tensor| tensor.name)
        .collect();
    for name in [
        "fc1.weight",
        "probe.images",
        "probe.labels",
        "state.gradient",
        "state.before",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    assert!(
        names.iter().any(|name| name.starts_with("state.optimizer.")),
        "{names:?}"
    );

    // Without the checkpoint, what needs the optimizer's state is left out.
    for (args, words) in [
        (vec!["--step", "5"], "those after these steps were kept: 0, 3, 6, 7"),
        (
            vec!["--gauges", "[Trace(products: 1)]"],
            "[0].products: 1 is out of range: it must be 4 to 10000",
        ),
        (vec!["--gauges", "[Traces()]"], "Trace"),
    ] {
        let output = place.run(&[&["measure", cell], &args[..]].concat());
        let error = text(&output.stderr);
        assert!(
            output.status.code() == Some(2) && error.contains(words),
            "{args:?}: {error}"
        );
    }
    for step in [0, 3, 6, 7] {
        fs::remove_file(format!("{cell}/checkpoint-{step:09}.safetensors")).unwrap();
    }
    let output = place.run(&["measure", cell]);
    let words = text(&output.stdout);
    assert!(
        words.contains("lambda_max ") && words.contains("the parameters alone"),
        "{words}"
    );
    assert!(
        !words.contains("preconditioned_sharpness") && !words.contains("step_curvature"),
        "{words}"
    );
    let output = place.run(&["measure", cell, "--step", "7"]);
    assert!(
        text(&output.stderr).contains("none was kept"),
        "{}",
        text(&output.stderr)
    );
}
