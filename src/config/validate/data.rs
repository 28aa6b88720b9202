//! Rules for the data set. They need nothing from its files.

use super::{Refusal, Verdict, in_range};
use crate::config::ranges;
use crate::config::{Augment, Data, Model, Settings};

pub(super) const RULES: &[fn(&Settings) -> Verdict] = &[
    files_are_named,
    classes,
    first_label,
    shape,
    features_have_no_neighbours,
    features_are_not_augmented,
    images_survive_the_pools,
];

/// The least side of images for `Cnn`: each of its two pools halves it.
const CNN_SIDE: usize = 4;

fn files_are_named(settings: &Settings) -> Verdict {
    let (Data::Idx { files, .. } | Data::Csv { files, .. } | Data::Safetensors { files, .. }) = &settings.data else {
        return Ok(());
    };
    if files.is_empty() || files.contains('\0') {
        let message = format!("{files:?} names no files: give their folder, or the beginning of their names");
        return Err(Refusal::new("data", message).of_part(".files"));
    }
    Ok(())
}

fn classes(settings: &Settings) -> Verdict {
    let classes = settings.data.classes();
    let is_allowed = ranges::CLASSES.contains(classes as f64);
    in_range(is_allowed, "data", classes, ranges::CLASSES).map_err(|refusal| refusal.of_part(".classes"))
}

/// Refuses a first label with which the last one would not fit into the 32 bits that labels have in IDX files.
fn first_label(settings: &Settings) -> Verdict {
    let (Data::Idx { first_label, .. } | Data::Csv { first_label, .. } | Data::Safetensors { first_label, .. }) =
        &settings.data
    else {
        return Ok(());
    };
    let range = format!("at most {}", ranges::FIRST_LABEL);
    in_range(*first_label <= ranges::FIRST_LABEL, "data", first_label, range)
        .map_err(|refusal| refusal.of_part(".first_label"))
}

fn shape(settings: &Settings) -> Verdict {
    let Some(shape) = settings.data.shape() else {
        return Ok(());
    };
    let part = if settings.data.is_images() {
        ".shape"
    } else {
        ".features"
    };
    in_range(!shape.contains(&0), "data", shape, "made of numbers of at least 1")
        .map_err(|refusal| refusal.of_part(part))
}

/// Refuses networks with convolutions on features: they take neighbouring pixels together, and features have none.
fn features_have_no_neighbours(settings: &Settings) -> Verdict {
    if settings.data.is_images() || matches!(settings.model, Model::Mlp { .. }) {
        return Ok(());
    }
    let message = format!(
        "has convolutions, which need images, but {} holds features; use `Mlp(widths: […])`",
        settings.data
    );
    Err(Refusal::new("model", message).because_of(&["data"]))
}

fn features_are_not_augmented(settings: &Settings) -> Verdict {
    if settings.data.is_images() || settings.augment == Augment::Off {
        return Ok(());
    }
    let message = format!("changes images, but {} holds features; leave it out", settings.data);
    Err(Refusal::new("augment", message).because_of(&["data"]))
}

/// Refuses images of which the pools of `Cnn` leave nothing. The other networks leave out such pools.
fn images_survive_the_pools(settings: &Settings) -> Verdict {
    let Some([_, height, width]) = settings.data.shape() else {
        return Ok(());
    };
    if !matches!(settings.model, Model::Cnn { .. }) || height.min(width) >= CNN_SIDE {
        return Ok(());
    }
    let message = format!(
        "has two pools, which need images of at least {CNN_SIDE}×{CNN_SIDE}, but those of {} have {height}×{width}; use \
         another network",
        settings.data
    );
    Err(Refusal::new("model", message).because_of(&["data"]))
}
