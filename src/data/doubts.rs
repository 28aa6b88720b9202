//! Warnings about a data set that can be read but is probably wrong: files that are damaged, padded with zeros, or
//! written by a faulty script. Without a warning, such files train without an error and give a λ_max.

use super::{Dataset, Images};

/// Returns a sentence for each sign that the data set is wrong, and none for a sound data set.
pub(super) fn doubts(set: &Dataset) -> Vec<String> {
    let mut found = Vec::new();
    for (kind, half) in [("training", &set.train), ("test", &set.test)] {
        // One example cannot differ from others.
        if half.len() > 1 {
            let all = format!("{}: all {} {kind} examples", set.name, half.len());
            found.extend(of_images(set, half).map(|words| format!("{all} have {words}; are the files damaged?")));
            found.extend(of_labels(half).map(|words| format!("{all} {words}")));
        }
    }
    if set.train == set.test {
        found.push(format!(
            "{}: the test examples are the training examples, so test accuracy says nothing about new examples",
            set.name
        ));
    }
    found
}

/// Describes images that are all equal or of a single colour, or that have a constant channel.
fn of_images(set: &Dataset, half: &Images) -> Option<String> {
    let [channels, height, width] = set.shape;
    let plane = height * width;
    let images = half.pixels.chunks_exact(channels * plane);
    let is_one_colour = |image: &[f32]| image.chunks_exact(plane).all(are_alike);
    let first = half.pixels.get(..channels * plane)?;
    if !set.has_images {
        // Tables often have a column in which all values are equal.
        return images
            .clone()
            .all(|image| image == first)
            .then(|| "the same features".to_owned());
    }
    if images.clone().all(|image| image == first) {
        let blank = if is_one_colour(first) { ", which is blank" } else { "" };
        return Some(format!("the same image{blank}"));
    }
    if images.clone().all(is_one_colour) {
        return Some("an image of a single colour".to_owned());
    }
    let is_blank = |channel: usize| {
        let mut planes = half.pixels.chunks_exact(plane).skip(channel).step_by(channels);
        planes.all(|pixels| are_alike(pixels) && pixels.first() == half.pixels.get(channel * plane))
    };
    // Blank images with one channel were found above.
    let channel = (0..channels).find(|&channel| is_blank(channel))?;
    let colour = ["red", "green", "blue"].get(channel).filter(|_| channels == 3);
    Some(match colour {
        Some(colour) => format!("the same value in every {colour} pixel"),
        None => format!("the same value in every pixel of channel {channel}, counted from 0"),
    })
}

fn of_labels(half: &Images) -> Option<String> {
    let first = half.labels.first()?;
    are_alike(&half.labels).then(|| format!("are of class {first}"))
}

fn are_alike<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}
