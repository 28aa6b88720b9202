//! Rules for each setting by itself.

use super::{Refusal, Verdict, in_range};
use crate::config::ranges::{self, Range};
use crate::config::{Augment, Cadence, Extent, Gauge, Keep, Model, Optimizer, Schedule, Settings, Tracking, When};

/// The rules in the order of the settings, so that the reported error is the first one in most files.
pub(super) const RULES: &[fn(&Settings) -> Verdict] = &[
    augment,
    model,
    dropout,
    learning_rate,
    schedule,
    warm_up,
    optimizer,
    momentum,
    weight_decay,
    rho,
    batch_size,
    steps,
    epochs,
    until_train_loss,
    until_train_accuracy,
    loss_limit,
    evaluate_every,
    lambda_every,
    lambda_tolerance,
    lambda_max_products,
    eigenvalues,
    probes,
    gauges,
    keep_checkpoints,
    chunk_size,
    statistics_group,
];

/// Refuses a number outside the declared range of its setting.
fn within(range: Range, setting: &str, number: f64, value: impl std::fmt::Debug) -> Verdict {
    in_range(range.contains(number), setting, value, range)
}

fn augment(settings: &Settings) -> Verdict {
    let Augment::CropAndFlip { pad } = settings.augment else {
        return Ok(());
    };
    let [_, height, width] = settings.input_shape();
    let side = height.min(width);
    let range = format!(
        "at least 1 and below {side}, the side of the images of {}",
        settings.data
    );
    in_range((1..side).contains(&pad), "augment", pad, range)
        .map_err(|refusal| refusal.of_part(".pad").because_of(&["data"]))
}

fn model(settings: &Settings) -> Verdict {
    match &settings.model {
        Model::Mlp { widths } => {
            let range = format!("at most {} hidden layers", ranges::MOST_LAYERS);
            in_range(widths.len() <= ranges::MOST_LAYERS, "model", widths.len(), range)
                .map_err(|refusal| refusal.of_part(".widths"))?;
            sizes(widths, ranges::LAYER_WIDTH, ".widths")
        }
        Model::Cnn {
            channels: (first, second),
        } => sizes(&[*first, *second], ranges::CHANNELS, ".channels"),
        Model::Vgg11 { width } | Model::ResNet18 { width } => size(*width, ranges::WIDE_NETWORK, ".width"),
        Model::ResNet20 { width } => size(*width, ranges::NARROW_NETWORK, ".width"),
    }
}

fn sizes(sizes: &[usize], range: Range, part: &str) -> Verdict {
    for (index, number) in sizes.iter().enumerate() {
        size(*number, range, &format!("{part}[{index}]"))?;
    }
    Ok(())
}

fn size(size: usize, range: Range, part: &str) -> Verdict {
    within(range, "model", size as f64, size).map_err(|refusal| refusal.of_part(part))
}

fn dropout(settings: &Settings) -> Verdict {
    number("dropout", settings.dropout, ranges::BELOW_ONE)
}

fn number(setting: &str, value: f64, range: Range) -> Verdict {
    within(range, setting, value, value)
}

fn learning_rate(settings: &Settings) -> Verdict {
    number("learning_rate", settings.learning_rate, ranges::POSITIVE)
}

fn schedule(settings: &Settings) -> Verdict {
    match settings.schedule {
        Schedule::Constant => Ok(()),
        Schedule::Step { every, factor } => {
            cadence("schedule", every).map_err(|refusal| refusal.of_part(".every"))?;
            number("schedule", factor, ranges::FACTOR).map_err(|refusal| refusal.of_part(".factor"))
        }
        Schedule::Cosine { to } => number("schedule", to, ranges::COSINE_END).map_err(|refusal| refusal.of_part(".to")),
    }
}

fn warm_up(settings: &Settings) -> Verdict {
    settings.warm_up.map_or(Ok(()), |length| cadence("warm_up", length))
}

fn optimizer(settings: &Settings) -> Verdict {
    let constants: &[(&str, f64, Range)] = match settings.optimizer {
        Optimizer::Sgd | Optimizer::Nesterov => &[],
        Optimizer::RmsProp { alpha, eps } => &[(".alpha", alpha, ranges::BELOW_ONE), (".eps", eps, ranges::EPS)],
        Optimizer::Adam { beta1, beta2, eps } | Optimizer::AdamW { beta1, beta2, eps } => &[
            (".beta1", beta1, ranges::BELOW_ONE),
            (".beta2", beta2, ranges::BELOW_ONE),
            (".eps", eps, ranges::EPS),
        ],
    };
    constants.iter().try_for_each(|&(part, value, range)| {
        number("optimizer", value, range).map_err(|refusal| refusal.of_part(part))
    })
}

fn momentum(settings: &Settings) -> Verdict {
    number("momentum", settings.momentum, ranges::BELOW_ONE)
}

fn weight_decay(settings: &Settings) -> Verdict {
    number("weight_decay", settings.weight_decay, ranges::NOT_NEGATIVE)
}

fn rho(settings: &Settings) -> Verdict {
    number("rho", settings.rho, ranges::NOT_NEGATIVE)
}

fn batch_size(settings: &Settings) -> Verdict {
    let available = settings.train_len();
    let size = settings.batch_size.of(available);
    let range = ranges::BATCH.up_to(available);
    in_range((1..=available).contains(&size), "batch_size", size, range)
        .map_err(|refusal| refusal.because_of(&["train_examples", "data"]))
}

fn steps(settings: &Settings) -> Verdict {
    settings.steps.map_or(Ok(()), |steps| count("steps", steps))
}

fn epochs(settings: &Settings) -> Verdict {
    settings.epochs.map_or(Ok(()), |epochs| count("epochs", epochs))
}

fn count(name: &str, value: u64) -> Verdict {
    within(ranges::COUNT, name, value as f64, value)
}

fn until_train_loss(settings: &Settings) -> Verdict {
    settings
        .until_train_loss
        .map_or(Ok(()), |loss| number("until_train_loss", loss, ranges::POSITIVE))
}

fn until_train_accuracy(settings: &Settings) -> Verdict {
    settings
        .until_train_accuracy
        .map_or(Ok(()), |share| number("until_train_accuracy", share, ranges::ACCURACY))
}

fn loss_limit(settings: &Settings) -> Verdict {
    number("loss_limit", settings.loss_limit, ranges::POSITIVE)
}

fn evaluate_every(settings: &Settings) -> Verdict {
    cadence("evaluate_every", settings.evaluate_every)
}

fn cadence(name: &str, value: Cadence) -> Verdict {
    match value {
        Cadence::Steps(number) | Cadence::Epochs(number) => count(name, number),
    }
}

fn lambda_every(settings: &Settings) -> Verdict {
    match settings.lambda_every {
        Tracking::Steps(every) | Tracking::Epochs(every) => count("lambda_every", every),
        Tracking::Share(share) => in_range(
            ranges::SHARE.contains(share),
            "lambda_every",
            share,
            format!("a share of the time {}", ranges::SHARE),
        ),
        Tracking::Ends => Ok(()),
    }
}

fn lambda_tolerance(settings: &Settings) -> Verdict {
    number("lambda_tolerance", settings.lambda_tolerance, ranges::TOLERANCE)
}

fn lambda_max_products(settings: &Settings) -> Verdict {
    let products = settings.lambda_max_products;
    within(ranges::PRODUCTS, "lambda_max_products", products as f64, products)
}

fn probes(settings: &Settings) -> Verdict {
    let range = format!("{}: λ_max is measured on each", ranges::PROBES);
    let count = settings.probes.len();
    if !ranges::PROBES.contains(count as f64) {
        return Err(Refusal::new(
            "probes",
            format!("there are {count}, and there must be {range}"),
        ));
    }
    Ok(())
}

fn eigenvalues(settings: &Settings) -> Verdict {
    let count = settings.eigenvalues;
    within(ranges::EIGENVALUES, "eigenvalues", count as f64, count)
}

fn gauges(settings: &Settings) -> Verdict {
    check_gauges(&settings.gauges)
}

pub(super) fn check_gauges(gauges: &[Gauge]) -> Verdict {
    let every = |index: usize, gauge: &Gauge| {
        let cadence = match gauge.every() {
            When::Steps(n) => Cadence::Steps(n),
            When::Epochs(n) => Cadence::Epochs(n),
            When::WithLambda | When::Ends => return Ok(()),
        };
        self::cadence("gauges", cadence).map_err(|refusal| refusal.of_part(format!("[{index}].every")))
    };
    for (index, gauge) in gauges.iter().enumerate() {
        if let Some(first) = gauges[..index].iter().position(|other| other.name() == gauge.name()) {
            let message =
                format!("is the same gauge as gauges[{first}], whose values it would overwrite; leave one out");
            return Err(Refusal::new("gauges", message).of_part(format!("[{index}]")));
        }
        every(index, gauge)?;
        let count = |part, number: u64, range| (part, within(range, "gauges", number as f64, number));
        let verdicts = match *gauge {
            Gauge::BatchSharpness { error, batches, .. } => vec![
                (".error", self::number("gauges", error, ranges::RELATIVE_ERROR)),
                count(".batches", batches, ranges::BATCHES),
            ],
            Gauge::Trace { products, .. } => vec![count(".products", products, ranges::TRACE_PRODUCTS)],
            Gauge::Spectrum { vectors, steps, .. } => vec![
                count(".vectors", vectors, ranges::SPECTRUM_VECTORS),
                count(".steps", steps, ranges::SPECTRUM_STEPS),
            ],
            Gauge::Alignment {} | Gauge::GaussNewton { .. } | Gauge::Layers { .. } => Vec::new(),
        };
        for (part, verdict) in verdicts {
            verdict.map_err(|refusal| refusal.of_part(format!("[{index}]{part}")))?;
        }
    }
    Ok(())
}

fn keep_checkpoints(settings: &Settings) -> Verdict {
    match settings.keep_checkpoints {
        Some(Keep::Every(every)) => cadence("keep_checkpoints", every),
        None | Some(Keep::Last) => Ok(()),
    }
}

fn chunk_size(settings: &Settings) -> Verdict {
    let size = settings.chunk_size;
    within(ranges::AT_LEAST_ONE, "chunk_size", size as f64, size)
}

fn statistics_group(settings: &Settings) -> Verdict {
    let available = settings.train_len();
    let size = settings.statistics_group.of(available);
    let group = settings.statistics_group;
    let range = ranges::GROUP.up_to(available);
    in_range(
        group == Extent::Full || (2..=available).contains(&size),
        "statistics_group",
        size,
        range,
    )
    .map_err(|refusal| refusal.because_of(&["train_examples", "data"]))
}
