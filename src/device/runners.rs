//! The value of `--runners`.

use std::fmt;
use std::str::FromStr;

use super::DeviceChoice;

/// What the user asked for with `--runners`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RunnerChoice {
    /// As many as make the sweep fastest.
    #[default]
    Auto,
    /// This many, on the device of the sweep.
    Count(usize),
    /// This many on each of these devices.
    On(Vec<(DeviceChoice, usize)>),
}

impl RunnerChoice {
    /// The largest number of runners that may be asked for.
    pub const MOST: usize = 1024;
}

/// The largest number of runners that may be asked for.
const MOST: usize = RunnerChoice::MOST;

/// The text is not a value of `--runners`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected auto, a number from 1 to {MOST}, or devices with numbers such as libtorch:cuda:0*4,libtorch:cuda:1*4: {0}"
)]
pub struct RunnerChoiceError(String);

impl FromStr for RunnerChoice {
    type Err = RunnerChoiceError;

    fn from_str(text: &str) -> Result<Self, RunnerChoiceError> {
        let count = |text: &str| {
            let found = text.parse().ok().filter(|count| (1..=MOST).contains(count));
            found.ok_or_else(|| RunnerChoiceError(format!("`{text}` is not a number from 1 to {MOST}")))
        };
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return count(text).map(Self::Count);
        }
        let part = |part: &str| {
            let (device, number) = part
                .split_once('*')
                .map_or((part, Ok(1)), |(device, number)| (device, count(number)));
            let device = device.parse().map_err(|error| RunnerChoiceError(format!("{error}")))?;
            if device == DeviceChoice::Auto {
                return Err(RunnerChoiceError("`auto` is not one device".to_owned()));
            }
            Ok((device, number?))
        };
        text.split(',').map(part).collect::<Result<_, _>>().map(Self::On)
    }
}

impl fmt::Display for RunnerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Count(count) => write!(f, "{count}"),
            Self::On(devices) => {
                let parts: Vec<String> = devices
                    .iter()
                    .map(|(device, count)| format!("{device}*{count}"))
                    .collect();
                f.write_str(&parts.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_devices_are_read_as_they_are_shown() {
        for text in ["auto", "4", "flex*2", "libtorch:cuda:0*8,libtorch:cuda:1*8"] {
            assert_eq!(text.parse::<RunnerChoice>().unwrap().to_string(), text);
        }
        let one = RunnerChoice::On(vec![(DeviceChoice::LibTorch, 1)]);
        assert_eq!("libtorch".parse::<RunnerChoice>(), Ok(one));
    }

    #[test]
    fn what_is_no_number_of_runners_is_refused_with_what_is_allowed() {
        for (text, part) in [
            ("", "`` is not a number"),
            ("0", "`0` is not a number from 1 to 1024"),
            ("1025", "`1025` is not a number"),
            ("-1", "`-1` is not a device"),
            ("flex*0", "`0` is not a number"),
            ("flex*x", "`x` is not a number"),
            ("auto*2", "`auto` is not one device"),
            ("flex*2,", "`` is not a device"),
            ("cuda:0*2", "`cuda:0` is not a device"),
        ] {
            let error = text.parse::<RunnerChoice>().unwrap_err().to_string();
            assert!(
                error.contains(part) && error.contains("libtorch:cuda:0*4"),
                "{text}: {error}"
            );
        }
    }
}
