//! Formats times for people.

use std::time::Duration;

use super::narrow;

/// Formats a duration in its two largest units: "8s", "4m 05s", "2h 07m", "3d 04h".
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// Formats a number of seconds from a file like [`duration`]. A number that is not a valid duration counts as 0.
#[must_use]
pub fn duration_of(seconds: f64) -> String {
    duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Formats a short time in a suitable unit: "1.20 ms". The time must be finite.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    let (scale, unit) = match seconds.abs() {
        ..1e-3 => (1e6, "µs"),
        ..1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    format!("{} {unit}", narrow(seconds * scale, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_their_two_largest_units() {
        for (seconds, expected) in [
            (8.9, "8s"),
            (245.0, "4m 05s"),
            (7_620.0, "2h 07m"),
            (273_600.0, "3d 04h"),
            (f64::NAN, "0s"),
            (-1.0, "0s"),
        ] {
            assert_eq!(duration_of(seconds), expected);
        }
    }

    #[test]
    fn short_times_have_the_unit_that_fits() {
        for (time, expected) in [
            (0.0, "0 µs"),
            (1.26e-5, "12.6 µs"),
            (0.0012, "1.20 ms"),
            (0.25, "250 ms"),
            (12.34, "12.3 s"),
        ] {
            assert_eq!(seconds(time), expected);
        }
    }
}
