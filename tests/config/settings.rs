//! Values that are derived from the settings of a cell.

use std::path::Path;

use sharptui::config::{Data, Experiment, Extent, FilesHold, Optimizer, Settings, Split};
use sharptui::setup;

use super::{cells, with};

fn settings(given: &str) -> Settings {
    cells(given).remove(0).settings
}

#[test]
fn what_is_left_out_has_its_documented_default() {
    let entries = settings("epochs: 3").entries();
    let text: Vec<String> = entries.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    data: FashionMnistSubset
    train_examples: Full
    test_examples: Full
    subset: First
    augment: Off
    model: Mlp(widths:[64])
    activation: Relu
    dropout: 0.0
    batch_norm: false
    loss: CrossEntropy
    learning_rate: 0.05
    schedule: Constant
    warm_up: None
    optimizer: Sgd
    momentum: 0.0
    weight_decay: 0.0
    rho: 0.0
    batch_size: 32
    seed: 0
    steps: None
    epochs: 3
    until_train_loss: None
    until_train_accuracy: None
    loss_limit: 1000000.0
    evaluate_every: Epochs(1)
    lambda_every: Epochs(1)
    lambda_tolerance: 0.01
    lambda_max_products: 200
    audit_every: 10
    eigenvalues: 1
    probes: [(from:HeldOut,examples:1000,statistics:Batch,group:Full)]
    gauges: []
    keep_checkpoints: None
    chunk_size: 1000
    statistics_group: Full
    precision: F32
    tf32: false
    search_tf32: false
    cudnn_autotune: false
    deterministic: false
    ");
}

#[test]
fn entries_name_every_setting_once() {
    let names: Vec<&str> = settings("epochs: 3")
        .entries()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, Settings::NAMES);
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
}

#[test]
fn a_last_smaller_batch_counts_as_a_step() {
    assert_eq!(
        settings("epochs: 3, train_examples: 100, batch_size: 32").steps_per_epoch(),
        4
    );
    assert_eq!(
        settings("epochs: 3, train_examples: 96, batch_size: 32").steps_per_epoch(),
        3
    );
    assert_eq!(settings("epochs: 3, batch_size: Full").steps_per_epoch(), 1);
    assert_eq!(settings("epochs: 3, batch_size: 1").steps_per_epoch(), 2000);
}

#[test]
fn planned_steps_are_the_earlier_of_both_limits() {
    assert_eq!(settings("epochs: 3, train_examples: 100").planned_steps(), 12);
    assert_eq!(settings("epochs: 3, train_examples: 100, steps: 5").planned_steps(), 5);
    assert_eq!(
        settings("epochs: 3, train_examples: 100, steps: 50").planned_steps(),
        12
    );
    assert_eq!(settings("steps: 50").planned_steps(), 50);
    assert_eq!(
        settings("epochs: 1000000000000, batch_size: 1, data: Mnist").planned_steps(),
        60_000_000_000_000_000
    );
}

#[test]
fn examples_in_use_are_those_asked_for_or_all_of_the_data_set() {
    let all = settings("steps: 1, data: Mnist");
    assert_eq!((all.train_len(), all.test_len()), (60_000, 10_000));
    let some = settings("steps: 1, data: Mnist, train_examples: 500, test_examples: 1000");
    assert_eq!((some.train_len(), some.test_len()), (500, 1000));
}

#[test]
fn a_settled_cell_counts_what_the_files_hold_and_not_the_official_numbers() {
    let config =
        "epochs: 2, batch_size: 100, data: Cifar10, probes: [(from: Training, examples: Full), (examples: 500)]";
    let before = with(config).unwrap();
    assert_eq!(before.cells[0].settings.planned_steps(), 1000);

    let hold = |train, test| FilesHold {
        data: Data::Cifar10,
        train,
        test,
        shape: None,
    };
    let settle = |hold| before.clone().settled(&[hold], Path::new("test.ron"));
    let settled = settle(hold(4950, 500)).unwrap();
    let settings = &settled.cells[0].settings;
    assert_eq!((settings.train_len(), settings.test_len()), (4950, 500));
    assert_eq!((settings.steps_per_epoch(), settings.planned_steps()), (50, 100));
    assert_eq!(settings.probes[0].describe(settings), "training, all 4950 examples");
    assert_eq!(settings.probes[1].describe(settings), "held-out, all 500 examples");
    assert!(settings.entries().contains(&("train_examples", "4950".to_owned())));
    assert_eq!(
        settle(hold(70_000, 10_000)).unwrap().cells[0].settings.train_len(),
        70_000
    );
    assert_eq!(settle(hold(50_000, 10_000)).unwrap().cells, before.cells);

    let message = settle(hold(4950, 499)).unwrap_err().to_string();
    assert_eq!(
        message,
        "test.ron: probes[1].examples: 500 is out of range: it must be `Full` or 1 to 499, the test examples in use; the \
         files of Cifar10 hold 4950 training and 499 test examples"
    );
    // The written config keeps the numbers of examples.
    let again = Experiment::parse(&settled.to_ron().unwrap(), Path::new("test.ron")).unwrap();
    assert_eq!(again, settled);
    let message = again
        .settled(&[hold(5000, 500)], Path::new("a.ron"))
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(
            "a.ron: files_hold: the files of Cifar10 hold 5000 training and 500 test examples, expected 4950 and 500"
        ),
        "{message}"
    );
}

#[test]
fn settling_keeps_a_cut_and_what_tells_cells_apart() {
    let experiment = with("epochs: 9, data: Cifar10, sweep: ( train_examples: [Full, 100] )").unwrap();
    let hold = FilesHold {
        data: Data::Cifar10,
        train: 320,
        test: 1000,
        shape: None,
    };
    let cut = experiment.cut_at(std::num::NonZeroU64::new(50).unwrap());
    let settled = cut.settled(&[hold], Path::new("test.ron")).unwrap();
    let steps: Vec<u64> = settled.cells.iter().map(|cell| cell.settings.planned_steps()).collect();
    assert_eq!(steps, [50, 36]);
    assert_eq!(
        settled.cells[0].swept,
        [("train_examples".to_owned(), "Full".to_owned())]
    );
    assert_eq!(settled.cells[0].settings.train_examples, Extent::Count(320));
}

#[test]
fn the_stability_threshold_follows_momentum_and_weight_decay() {
    let threshold = |given: &str| {
        let optimizer = setup::optimizer(&settings(&format!("steps: 1, {given}")));
        (optimizer.threshold(0.05), optimizer.threshold_formula())
    };
    let assert_near = |(value, label): (Option<f64>, String), expected: f64, words: &str| {
        assert!((value.unwrap() - expected).abs() < 1e-9, "{value:?} is not {expected}");
        assert_eq!(label, words);
    };
    assert_near(threshold(""), 40.0, "2/η");
    assert_near(threshold("momentum: 0.9"), 76.0, "(2+2β)/η");
    assert_near(threshold("weight_decay: 0.5"), 39.5, "2/η − wd");
    assert_near(threshold("momentum: 0.9, weight_decay: 0.5"), 75.5, "(2+2β)/η − wd");
    assert_eq!(threshold("rho: 0.1"), (None, "SAM edge".to_owned()), "needs ‖g‖");
    let nesterov = "momentum: 0.5, optimizer: Nesterov";
    assert_near(threshold(nesterov), 30.0, "(2+2β)/((1+2β)η)");
    for (given, words) in [
        ("optimizer: RmsProp()", "2/η"),
        ("optimizer: RmsProp(), momentum: 0.5, weight_decay: 0.1", "(2+2β)/η"),
        ("optimizer: Adam(), weight_decay: 0.1", "38/η"),
        ("optimizer: AdamW(beta1: 0.0)", "2/η"),
        ("optimizer: AdamW(), weight_decay: 0.1", "38/η − 19wd"),
        ("optimizer: Adam(), rho: 0.1", "none known"),
    ] {
        assert_eq!(threshold(given), (None, words.to_owned()), "of λ_max, with {given}");
    }
}

#[test]
fn the_threshold_of_an_adaptive_optimizer_is_one_of_preconditioned_sharpness_or_says_why_there_is_none() {
    let of = |given: &str| setup::threshold(&settings(&format!("steps: 1, {given}")));
    let adam = of("optimizer: Adam(), weight_decay: 0.1");
    assert!(adam.is_preconditioned && adam.is_inverse_in_rate && !adam.is_unknown);
    assert!(
        adam.meaning
            .contains("preconditioned sharpness is below (2+2β₁)/((1−β₁)η)")
    );
    let decoupled = of("optimizer: AdamW(), weight_decay: 0.1");
    assert!(decoupled.is_preconditioned && !decoupled.is_inverse_in_rate);
    assert_eq!((decoupled.weight_decay, adam.weight_decay), (0.0, 0.1));
    let sam = of("optimizer: RmsProp(), rho: 0.1");
    assert!(sam.is_preconditioned && sam.is_unknown);
    assert!(
        sam.meaning.starts_with("no threshold is known for SAM with"),
        "{}",
        sam.meaning
    );
    let plain = of("momentum: 0.9");
    assert!(!plain.is_preconditioned && !plain.is_unknown);
}

#[test]
fn a_file_without_an_optimizer_means_what_it_meant_and_constants_have_the_defaults_of_pytorch() {
    assert_eq!(settings("steps: 1, momentum: 0.9").optimizer, Optimizer::Sgd);
    let adam = |given: &str| settings(&format!("steps: 1, optimizer: {given}")).optimizer;
    assert_eq!(
        adam("Adam(eps: 1e-6)"),
        Optimizer::Adam {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-6
        }
    );
    assert_eq!(adam("RmsProp()"), Optimizer::RmsProp { alpha: 0.99, eps: 1e-8 });
}

/// Returns the learning rate at each step.
fn rates(given: &str) -> Vec<f64> {
    let settings = settings(&format!("train_examples: 64, {given}, sweep: (learning_rate: [1])"));
    let schedule = setup::schedule(&settings);
    (0..settings.planned_steps())
        .map(|step| schedule.learning_rate(settings.learning_rate, step))
        .collect()
}

fn assert_rates(given: &str, expected: &[f64]) {
    let found = rates(given);
    assert_eq!(found.len(), expected.len(), "{given}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{given}: {found} is not {expected}");
    }
}

#[test]
fn a_schedule_gives_the_rates_that_pytorch_gives() {
    // Values of StepLR, CosineAnnealingLR and a linearly rising LambdaLR in PyTorch 2.9. One of their steps is one step
    // here.
    assert_rates("steps: 5", &[1.0; 5]);
    assert_rates(
        "steps: 5, schedule: Step(every: Steps(2), factor: 0.1)",
        &[1.0, 1.0, 0.1, 0.1, 0.01],
    );
    assert_rates(
        "epochs: 2, schedule: Step(every: Epochs(1), factor: 0.5)",
        &[1.0, 1.0, 0.5, 0.5],
    );
    assert_rates(
        "steps: 6, schedule: Cosine()",
        &[1.0, 0.933_012_701_9, 0.75, 0.5, 0.25, 0.066_987_298_1],
    );
    assert_rates(
        "steps: 4, schedule: Cosine(to: 0.2)",
        &[1.0, 0.882_842_712_5, 0.6, 0.317_157_287_5],
    );
    assert_rates("steps: 6, warm_up: Steps(4)", &[0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
    assert_rates(
        "steps: 8, warm_up: Epochs(1), schedule: Cosine()",
        &[0.5, 1.0, 1.0, 0.933_012_701_9, 0.75, 0.5, 0.25, 0.066_987_298_1],
    );
}

#[test]
fn the_last_rate_is_that_of_the_last_step() {
    let schedule = setup::schedule(&settings("steps: 4, schedule: Cosine()"));
    let last = schedule.learning_rate(1.0, 3);
    assert!(last > 0.0);
    assert_eq!(schedule.learning_rate(1.0, 4).to_bits(), last.to_bits());
}

#[test]
fn a_probe_says_what_it_is_measured_on() {
    let words = |given: &str| {
        let settings = settings(&format!("steps: 1, {given}"));
        settings
            .probes
            .iter()
            .map(|probe| probe.describe(&settings))
            .collect::<Vec<_>>()
    };
    assert_eq!(words(""), ["held-out, 1000 examples"]);
    assert_eq!(
        words("train_examples: 1000, probes: [(from: Training, examples: Full), (from: Training, examples: 1)]"),
        ["training, all 1000 examples", "training, 1 example"]
    );
    assert_eq!(
        words("batch_norm: true, probes: [(), (group: 250), (group: 1000), (statistics: Running)]"),
        [
            "held-out, 1000 examples, batch statistics of the whole probe",
            "held-out, 1000 examples, batch statistics of groups of 250",
            "held-out, 1000 examples, batch statistics of the whole probe",
            "held-out, 1000 examples, running statistics",
        ]
    );
}

#[test]
fn probes_have_the_documented_defaults() {
    let probe = settings("steps: 1, probes: [()]").probes.remove(0);
    assert_eq!(probe, sharptui::config::Probe::default());
    assert_eq!(
        (probe.from, probe.examples, probe.group),
        (Split::HeldOut, Extent::Count(1000), Extent::Full)
    );
}

#[test]
fn the_listing_shows_what_cells_share_and_a_table_of_what_they_do_not() {
    let experiment =
        with("steps: 120, sweep: ( model: [Mlp(widths: [8]), Cnn(channels: (8, 16))], dropout: [0.0, 0.25] )").unwrap();
    insta::assert_snapshot!(experiment.listing(), @r"
    test: 4 cells, 480 steps planned in all

    in every cell
      data                  FashionMnistSubset
      train_examples        Full
      test_examples         Full
      subset                First
      augment               Off
      activation            Relu
      batch_norm            false
      loss                  CrossEntropy
      learning_rate         0.05
      schedule              Constant
      warm_up               None
      optimizer             Sgd
      momentum              0.0
      weight_decay          0.0
      rho                   0.0
      batch_size            32
      seed                  0
      steps                 120
      epochs                None
      until_train_loss      None
      until_train_accuracy  None
      loss_limit            1000000.0
      evaluate_every        Epochs(1)
      lambda_every          Epochs(1)
      lambda_tolerance      0.01
      lambda_max_products   200
      audit_every           10
      eigenvalues           1
      probes                [(from:HeldOut,examples:1000,statistics:Batch,group:Full)]
      gauges                []
      keep_checkpoints      None
      chunk_size            1000
      statistics_group      Full
      precision             F32
      tf32                  false
      search_tf32           false
      cudnn_autotune        false
      deterministic         false

    cell  model                 dropout  planned steps
    000   Mlp(widths:[8])       0.0      120
    001   Mlp(widths:[8])       0.25     120
    002   Cnn(channels:(8,16))  0.0      120
    003   Cnn(channels:(8,16))  0.25     120
    ");
}

#[test]
fn the_listing_of_a_single_cell_says_so_and_tells_of_a_cut() {
    let listing = with("steps: 120, cut_at_steps: 7").unwrap().listing();
    assert!(
        listing.starts_with("test: 1 cell, 7 steps planned in all\nevery cell is cut at 7 steps\n"),
        "{listing}"
    );
    assert!(listing.ends_with("cell  planned steps\n000   7\n"), "{listing}");
}

#[test]
fn the_listing_has_no_trailing_spaces_and_no_control_characters() {
    for path in super::configs_in("tests/configs/valid") {
        let listing = sharptui::config::Experiment::load(&path).unwrap().listing();
        assert!(listing.lines().all(|line| line.trim_end() == line), "{listing}");
        assert!(
            listing.chars().all(|letter| letter == '\n' || !letter.is_control()),
            "{listing}"
        );
    }
}
