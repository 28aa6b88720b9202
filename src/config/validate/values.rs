//! Rules for each setting by itself.

use super::{Refusal, Verdict, in_range};
use crate::config::{Augment, Cadence, Extent, Model, Schedule, Settings, Tracking};

/// In the order of the settings, so that the first error is the first in most files.
pub(super) const RULES: &[fn(&Settings) -> Verdict] = &[
    augment,
    model,
    dropout,
    learning_rate,
    schedule,
    warm_up,
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
    probes,
    chunk_size,
    statistics_group,
];

/// A trillion steps at a million a second take twelve days; a larger number is a typing error.
const MOST_STEPS: u64 = 1_000_000_000_000;
/// One such layer after another already has more parameters than the machines this is for can hold.
const WIDEST_LAYER: usize = 65_536;
const MOST_LAYERS: usize = 64;
const MOST_CHANNELS: usize = 4096;
/// Each probe costs a measurement of its own and a curve of its own on the screen.
const MOST_PROBES: usize = 8;

fn augment(settings: &Settings) -> Verdict {
    let Augment::CropAndFlip { pad } = settings.augment else {
        return Ok(());
    };
    let side = settings.data.side();
    let range = format!(
        "at least 1 and below {side}, the side of the images of {:?}",
        settings.data
    );
    in_range((1..side).contains(&pad), "augment", pad, range)
        .map_err(|refusal| refusal.of_part(".pad").because_of(&["data"]))
}

fn model(settings: &Settings) -> Verdict {
    match &settings.model {
        Model::Mlp { widths } => {
            let range = format!("at most {MOST_LAYERS} hidden layers");
            in_range(widths.len() <= MOST_LAYERS, "model", widths.len(), range)
                .map_err(|refusal| refusal.of_part(".widths"))?;
            sizes(widths, WIDEST_LAYER, ".widths")
        }
        Model::Cnn {
            channels: (first, second),
        } => sizes(&[*first, *second], MOST_CHANNELS, ".channels"),
        // The last convolutions of these have 8 and 4 times as many channels.
        Model::Vgg11 { width } | Model::ResNet18 { width } => channel_width(*width, MOST_CHANNELS / 8),
        Model::ResNet20 { width } => channel_width(*width, MOST_CHANNELS / 4),
    }
}

fn channel_width(width: usize, most: usize) -> Verdict {
    in_range((1..=most).contains(&width), "model", width, format!("1 to {most}"))
        .map_err(|refusal| refusal.of_part(".width"))
}

fn sizes(sizes: &[usize], most: usize, part: &str) -> Verdict {
    for (index, size) in sizes.iter().enumerate() {
        in_range((1..=most).contains(size), "model", size, format!("1 to {most}"))
            .map_err(|refusal| refusal.of_part(format!("{part}[{index}]")))?;
    }
    Ok(())
}

fn dropout(settings: &Settings) -> Verdict {
    in_range(
        (0.0..1.0).contains(&settings.dropout),
        "dropout",
        settings.dropout,
        "at least 0 and below 1",
    )
}

fn learning_rate(settings: &Settings) -> Verdict {
    let rate = settings.learning_rate;
    in_range(
        rate > 0.0 && rate.is_finite(),
        "learning_rate",
        rate,
        "above 0 and finite",
    )
}

fn schedule(settings: &Settings) -> Verdict {
    let Schedule::Step { every, factor } = settings.schedule else {
        let Schedule::Cosine { to } = settings.schedule else {
            return Ok(());
        };
        return in_range(
            (0.0..=1.0).contains(&to),
            "schedule",
            to,
            "0 to 1, the part of the learning rate that the cosine ends at",
        )
        .map_err(|refusal| refusal.of_part(".to"));
    };
    cadence("schedule", every).map_err(|refusal| refusal.of_part(".every"))?;
    in_range(
        factor > 0.0 && factor <= 1.0,
        "schedule",
        factor,
        "above 0 and at most 1",
    )
    .map_err(|refusal| refusal.of_part(".factor"))
}

fn warm_up(settings: &Settings) -> Verdict {
    settings.warm_up.map_or(Ok(()), |length| cadence("warm_up", length))
}

fn momentum(settings: &Settings) -> Verdict {
    in_range(
        (0.0..1.0).contains(&settings.momentum),
        "momentum",
        settings.momentum,
        "at least 0 and below 1",
    )
}

fn weight_decay(settings: &Settings) -> Verdict {
    let decay = settings.weight_decay;
    in_range(
        decay >= 0.0 && decay.is_finite(),
        "weight_decay",
        decay,
        "at least 0 and finite",
    )
}

fn rho(settings: &Settings) -> Verdict {
    let rho = settings.rho;
    in_range(rho >= 0.0 && rho.is_finite(), "rho", rho, "at least 0 and finite")
}

fn batch_size(settings: &Settings) -> Verdict {
    let available = settings.train_len();
    let size = settings.batch_size.of(available);
    let range = format!("`Full` or 1 to {available}, the training examples in use");
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
    in_range(
        (1..=MOST_STEPS).contains(&value),
        name,
        value,
        format!("1 to {MOST_STEPS}"),
    )
}

fn until_train_loss(settings: &Settings) -> Verdict {
    let Some(loss) = settings.until_train_loss else {
        return Ok(());
    };
    in_range(
        loss > 0.0 && loss.is_finite(),
        "until_train_loss",
        loss,
        "above 0 and finite",
    )
}

fn until_train_accuracy(settings: &Settings) -> Verdict {
    let Some(share) = settings.until_train_accuracy else {
        return Ok(());
    };
    in_range(
        share > 0.0 && share <= 1.0,
        "until_train_accuracy",
        share,
        "above 0 and at most 1, where 1 is all correct",
    )
}

fn loss_limit(settings: &Settings) -> Verdict {
    let limit = settings.loss_limit;
    in_range(
        limit > 0.0 && limit.is_finite(),
        "loss_limit",
        limit,
        "above 0 and finite",
    )
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
        // Training must get a part of the time, or the cell never ends.
        Tracking::Share(share) => in_range(
            share > 0.0 && share <= 0.9,
            "lambda_every",
            share,
            "a share of the time above 0 and at most 0.9",
        ),
        Tracking::Ends => Ok(()),
    }
}

fn lambda_tolerance(settings: &Settings) -> Verdict {
    let tolerance = settings.lambda_tolerance;
    in_range(
        (1e-12..=0.5).contains(&tolerance),
        "lambda_tolerance",
        tolerance,
        "1e-12 to 0.5",
    )
}

fn lambda_max_products(settings: &Settings) -> Verdict {
    let products = settings.lambda_max_products;
    in_range(
        (2..=10_000).contains(&products),
        "lambda_max_products",
        products,
        "2 to 10000",
    )
}

fn probes(settings: &Settings) -> Verdict {
    let range = format!("1 to {MOST_PROBES}: λ_max is measured on each");
    let count = settings.probes.len();
    if !(1..=MOST_PROBES).contains(&count) {
        return Err(Refusal::new(
            "probes",
            format!("there are {count}, and there must be {range}"),
        ));
    }
    Ok(())
}

fn chunk_size(settings: &Settings) -> Verdict {
    in_range(
        settings.chunk_size >= 1,
        "chunk_size",
        settings.chunk_size,
        "at least 1",
    )
}

fn statistics_group(settings: &Settings) -> Verdict {
    let available = settings.train_len();
    let size = settings.statistics_group.of(available);
    let group = settings.statistics_group;
    let range = format!("`Full`, or at least 2 and at most {available}, the training examples in use");
    in_range(
        group == Extent::Full || (2..=available).contains(&size),
        "statistics_group",
        size,
        range,
    )
    .map_err(|refusal| refusal.because_of(&["train_examples", "data"]))
}
