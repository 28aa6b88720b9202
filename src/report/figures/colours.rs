//! The colours of the levels of a setting.

use crate::report::axis::Axis;

/// Okabe and Ito's colours, which colour-blind people can distinguish, without yellow, which is hard to see on white.
const COLOURS: [&str; 7] = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
];

/// The dark part of the viridis colour map (van der Walt and Smith 2015): its lightness rises evenly, also for
/// colour-blind people and on grey paper.
const RAMP: [[f64; 3]; 5] = [
    [68.0, 1.0, 84.0],
    [65.0, 68.0, 135.0],
    [42.0, 120.0, 142.0],
    [34.0, 168.0, 132.0],
    [109.0, 205.0, 89.0],
];

/// Fewest levels of an ordered setting that get a ramp: fewer are easier to tell apart by hue.
const FEWEST_OF_RAMP: usize = 4;

/// Returns the colour with index `n`. From the eighth on, colours repeat, first greyer, then paler.
pub(super) fn colour(n: usize) -> String {
    let own = COLOURS[n % COLOURS.len()];
    match n / COLOURS.len() % 3 {
        0 => own.to_owned(),
        1 => mixed(own, [90.0; 3], 0.5),
        _ => tint(own),
    }
}

/// Returns the colour of a level: on a ramp from dark to light if the setting is ordered and has many levels.
pub(super) fn of_level(axis: &Axis, level: usize) -> String {
    if !axis.ordered || axis.len() < FEWEST_OF_RAMP {
        return colour(level);
    }
    let along = level as f64 / (axis.len() - 1) as f64 * (RAMP.len() - 1) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It is between 0 and the length of the ramp.
    let from = (along.floor() as usize).min(RAMP.len() - 2);
    let share = along - from as f64;
    text([0, 1, 2].map(|part| RAMP[from][part] + share * (RAMP[from + 1][part] - RAMP[from][part])))
}

/// Returns a paler colour, for what lies behind.
pub(super) fn tint(colour: &str) -> String {
    mixed(colour, [255.0; 3], 0.55)
}

/// Returns a colour mixed with a share of another one.
fn mixed(colour: &str, other: [f64; 3], share: f64) -> String {
    let part = |n: usize| {
        let digits = colour.get(1 + 2 * n..3 + 2 * n).unwrap_or("0");
        f64::from(u8::from_str_radix(digits, 16).unwrap_or(0))
    };
    text([0, 1, 2].map(|n| part(n) + share * (other[n] - part(n))))
}

fn text(parts: [f64; 3]) -> String {
    let [red, green, blue] = parts.map(f64::round);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The parts are from 0 to 255.
    let [red, green, blue] = [red as u8, green as u8, blue as u8];
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_one_colours_differ_and_a_tint_is_paler() {
        let mut all: Vec<String> = (0..21).map(colour).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 21);
        assert_eq!((&*tint("#000000"), &*tint("#0072B2")), ("#8C8C8C", "#8CC0DC"));
    }
}
