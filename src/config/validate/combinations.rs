//! Rules for settings that must fit together.

use super::{Refusal, Verdict, in_range};
use crate::config::schema;
use crate::config::{Cell, Extent, Optimizer, Precision, Probe, Settings, Split, Statistics, Subset};

pub(super) const RULES: &[fn(&Settings) -> Verdict] = &[
    some_limit,
    aim_below_loss_limit,
    warm_up_ends,
    momentum_fits_the_optimizer,
    tolerance_within_precision,
    probe_examples,
    probe_groups,
    running_statistics_have_no_groups,
    probes_differ,
    no_batch_of_one_under_batch_norm,
    no_training_group_of_one_under_batch_norm,
    no_probe_group_of_one_under_batch_norm,
    fastest_or_same_bits,
];

/// The smallest tolerance in 32 bits. Below this relative residual, rounding decides when Lanczos stops, because the
/// Hessian-vector product itself has this error.
const F32_TOLERANCE: f64 = 1e-5;

/// Refuses `deterministic` with `cudnn_autotune`: measured times decide which algorithm autotuning chooses.
fn fastest_or_same_bits(settings: &Settings) -> Verdict {
    if !(settings.deterministic && settings.cudnn_autotune) {
        return Ok(());
    }
    let message =
        "true cannot be combined with `cudnn_autotune: true`, whose choice depends on measured times; leave one out";
    Err(Refusal::new("deterministic", message).because_of(&["cudnn_autotune"]))
}

fn some_limit(settings: &Settings) -> Verdict {
    if settings.steps.is_some() || settings.epochs.is_some() {
        return Ok(());
    }
    let goal = match (settings.until_train_loss, settings.until_train_accuracy) {
        (None, None) => "",
        _ => "; a cell may never reach its `until_…`",
    };
    Err(Refusal::new(
        "",
        format!("nothing ends the training: set `steps`, `epochs` or both{goal}"),
    )
    .because_of(&["steps", "epochs"]))
}

fn aim_below_loss_limit(settings: &Settings) -> Verdict {
    let limit = settings.loss_limit;
    let Some(aim) = settings.until_train_loss.filter(|aim| *aim > limit) else {
        return Ok(());
    };
    let message = format!(
        "{aim:?} is above `loss_limit`, {limit:?}, above which a cell has diverged; lower it or raise the limit"
    );
    Err(Refusal::new("until_train_loss", message).because_of(&["loss_limit"]))
}

fn warm_up_ends(settings: &Settings) -> Verdict {
    let (warm_up, planned) = (settings.warm_up_steps(), settings.planned_steps());
    if warm_up <= planned {
        return Ok(());
    }
    let message = format!(
        "{} is {warm_up} steps, longer than the {planned} planned steps of the cell, so `learning_rate` is never \
         reached; shorten it or raise `steps` or `epochs`",
        schema::text(&settings.warm_up)
    );
    Err(Refusal::new("warm_up", message).because_of(&["steps", "epochs", "batch_size", "train_examples"]))
}

fn momentum_fits_the_optimizer(settings: &Settings) -> Verdict {
    let momentum = settings.momentum;
    match settings.optimizer {
        Optimizer::Nesterov if momentum == 0.0 => {
            let message = "Nesterov needs a `momentum` above 0, which is 0 here; set it or use `Sgd`";
            Err(Refusal::new("optimizer", message).because_of(&["momentum"]))
        }
        Optimizer::Adam { .. } | Optimizer::AdamW { .. } if momentum > 0.0 => {
            let message = format!(
                "{momentum:?} does nothing with `optimizer: {}`, whose average of gradients has `beta1` instead; leave it out",
                schema::text(&settings.optimizer)
            );
            Err(Refusal::new("momentum", message).because_of(&["optimizer"]))
        }
        _ => Ok(()),
    }
}

fn tolerance_within_precision(settings: &Settings) -> Verdict {
    let tolerance = settings.lambda_tolerance;
    let reachable = settings.precision == Precision::F64 || tolerance >= F32_TOLERANCE;
    let range = format!("at least {F32_TOLERANCE:?} in 32 bits; for less set `precision: F64`");
    in_range(reachable, "lambda_tolerance", tolerance, range).map_err(|refusal| refusal.because_of(&["precision"]))
}

fn probe_examples(settings: &Settings) -> Verdict {
    for (index, probe) in settings.probes.iter().enumerate() {
        let (kind, source) = match probe.from {
            Split::HeldOut => ("test", &["test_examples", "data"]),
            Split::Training => ("training", &["train_examples", "data"]),
        };
        let (count, available) = (probe.example_count(settings), probe.available(settings));
        let range = format!("`Full` or 1 to {available}, the {kind} examples in use");
        let given = if *probe == Probe::default() {
            ", where 1000 is the default"
        } else {
            ""
        };
        in_range((1..=available).contains(&count), "probes", count, range + given)
            .map_err(|refusal| refusal.of_part(format!("[{index}].examples")).because_of(source))?;
    }
    Ok(())
}

fn probe_groups(settings: &Settings) -> Verdict {
    for (index, probe) in settings.probes.iter().enumerate() {
        let Extent::Count(group) = probe.group else { continue };
        let count = probe.example_count(settings);
        let range = format!("`Full`, or at least 2 and at most {count}, the examples of the probe");
        in_range((2..=count).contains(&group), "probes", group, range)
            .map_err(|refusal| refusal.of_part(format!("[{index}].group")))?;
    }
    Ok(())
}

fn running_statistics_have_no_groups(settings: &Settings) -> Verdict {
    for (index, probe) in settings.probes.iter().enumerate() {
        if let (Statistics::Running, Extent::Count(group)) = (probe.statistics, probe.group) {
            let message =
                format!("{group} does nothing with `statistics: Running`, which has no groups; leave one out");
            return Err(Refusal::new("probes", message).of_part(format!("[{index}].group")));
        }
    }
    Ok(())
}

fn probes_differ(settings: &Settings) -> Verdict {
    let probes = &settings.probes;
    for (index, probe) in probes.iter().enumerate() {
        if let Some(first) = probes[..index].iter().position(|other| other == probe) {
            let message = format!("is the same as probes[{first}] and would be measured twice; leave one out");
            return Err(Refusal::new("probes", message).of_part(format!("[{index}]")));
        }
    }
    Ok(())
}

/// Refuses a batch of one example under batch norm. This includes the smaller last batch of an epoch: without this
/// rule, the error would appear only at the end of the first epoch.
fn no_batch_of_one_under_batch_norm(settings: &Settings) -> Verdict {
    let Extent::Count(size) = settings.batch_size else {
        return Ok(());
    };
    let examples = settings.train_len();
    if !settings.batch_norm || !leaves_one(examples, size) {
        return Ok(());
    }
    let message = if size == 1 {
        "1 cannot be normalized by `batch_norm`: the variance of one example is 0; use at least 2".to_owned()
    } else {
        format!(
            "{size} leaves a last batch of 1 of {examples} training examples, which `batch_norm` cannot normalize: the \
             variance of one example is 0; change `batch_size` or `train_examples`"
        )
    };
    Err(Refusal::new("batch_size", message).because_of(&["batch_norm", "train_examples", "data"]))
}

fn no_training_group_of_one_under_batch_norm(settings: &Settings) -> Verdict {
    let Extent::Count(group) = settings.statistics_group else {
        return Ok(());
    };
    let examples = settings.train_len();
    if !settings.batch_norm || settings.batch_size != Extent::Full || !leaves_one(examples, group) {
        return Ok(());
    }
    let message = format!("{group} {}", leaving_one(examples, "training examples"));
    Err(Refusal::new("statistics_group", message).because_of(&["batch_norm", "train_examples", "data"]))
}

fn no_probe_group_of_one_under_batch_norm(settings: &Settings) -> Verdict {
    for (index, probe) in settings.probes.iter().enumerate() {
        let examples = probe.example_count(settings);
        let group = probe.group.of(examples);
        if !settings.batch_norm || probe.statistics == Statistics::Running || !leaves_one(examples, group) {
            continue;
        }
        let (part, message) = if examples == 1 {
            let message = "1 cannot be normalized by `batch_norm`: the variance of one example is 0; use at least 2";
            ("examples", message.to_owned())
        } else {
            (
                "group",
                format!("{group} {}", leaving_one(examples, "examples of the probe")),
            )
        };
        return Err(Refusal::new("probes", message)
            .of_part(format!("[{index}].{part}"))
            .because_of(&["batch_norm", "train_examples", "test_examples", "data"]));
    }
    Ok(())
}

/// Returns whether the last group has a single example.
fn leaves_one(examples: usize, group: usize) -> bool {
    group == 1 || examples % group == 1
}

fn leaving_one(examples: usize, of_what: &str) -> String {
    format!(
        "leaves a group of 1 of {examples} {of_what}, which `batch_norm` cannot normalize: the variance of one example \
         is 0; choose another number"
    )
}

/// A setting that has no effect in some cells.
struct Idle {
    /// Whether a cell sets it.
    asked: fn(&Settings) -> bool,
    /// Whether it has an effect in that cell.
    acts: fn(&Settings) -> bool,
    setting: &'static str,
    message: &'static str,
}

const IDLE: &[Idle] = &[
    Idle {
        asked: |settings| settings.subset != Subset::First,
        acts: |settings| settings.train_examples != Extent::Full || settings.test_examples != Extent::Full,
        setting: "subset",
        message: "does nothing, since all examples are in use; leave it out or set `train_examples` or `test_examples`",
    },
    Idle {
        asked: |settings| settings.dropout > 0.0,
        acts: |settings| settings.model.has_hidden_layers(),
        setting: "dropout",
        message: "does nothing, since the model has no hidden layer to drop units from; leave it out or add a layer",
    },
    Idle {
        asked: |settings| settings.batch_norm,
        acts: |settings| settings.model.has_hidden_layers(),
        setting: "batch_norm",
        message: "does nothing, since the model has no hidden layer to normalize; leave it out or add a layer",
    },
    Idle {
        asked: |settings| {
            settings
                .probes
                .iter()
                .any(|probe| probe.statistics == Statistics::Running)
        },
        acts: |settings| settings.batch_norm,
        setting: "probes",
        message: "`statistics: Running` does nothing, since no cell has batch norm; leave it out or set `batch_norm: true`",
    },
    Idle {
        asked: |settings| settings.probes.iter().any(|probe| probe.group != Extent::Full),
        acts: |settings| settings.batch_norm,
        setting: "probes",
        message: "`group` does nothing, since no cell has batch norm; leave it out or set `batch_norm: true`",
    },
    Idle {
        asked: |settings| settings.search_tf32,
        acts: |settings| !settings.tf32 && settings.precision == Precision::F32,
        setting: "search_tf32",
        message: "does nothing, since `tf32: true` rounds all products and `precision: F64` rounds none; leave it out",
    },
    Idle {
        asked: |settings| settings.statistics_group != Extent::Full,
        acts: |settings| settings.batch_norm && settings.batch_size == Extent::Full,
        setting: "statistics_group",
        message: "does nothing, since no cell has batch norm and `batch_size: Full`; leave it out or set both",
    },
];

/// Refuses a setting that has no effect in any cell, and names the first cell that sets it.
///
/// A single cell may have a setting without effect: if the model is swept, dropout may have a layer only in other
/// cells.
pub(in crate::config) fn idle(cells: &[Cell]) -> Result<(), (usize, Refusal)> {
    for Idle {
        asked,
        acts,
        setting,
        message,
    } in IDLE
    {
        let mut asking = cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| asked(&cell.settings))
            .peekable();
        let first = asking.peek().map(|(index, _)| *index);
        if let Some(index) = first
            && !asking.any(|(_, cell)| acts(&cell.settings))
        {
            return Err((index, Refusal::new(*setting, *message)));
        }
    }
    Ok(())
}
