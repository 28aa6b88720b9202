//! Reading of a typed number: it is read exactly as typed, or refused with the reason and what to type instead.

use std::fmt;

use crate::number::{is_dash, is_invisible};
use crate::tui::keys::prompt::CUT;

/// Why a text is not a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoNumber {
    why: String,
    /// The number that was probably meant.
    pub(super) instead: Option<String>,
}

impl fmt::Display for NoNumber {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.why)?;
        match &self.instead {
            Some(instead) => write!(f, ": type {instead}"),
            None => Ok(()),
        }
    }
}

/// Reads the number in `typed`; blanks around it do not matter.
///
/// No character of the number is skipped or guessed: `0,05` is not 5, and `1 000` is not 1.
///
/// # Errors
/// If the text is not a number, or the number is not finite: the reason in words.
pub(super) fn read(typed: &str) -> Result<f64, NoNumber> {
    let refused = |why: &str| NoNumber {
        why: why.to_owned(),
        instead: None,
    };
    let text = typed.trim();
    if text.ends_with(CUT) {
        return Err(refused("this line is too long, and was cut"));
    }
    let word = text.trim_start_matches(['+', '-']).to_lowercase();
    if ["inf", "infinity", "nan"].contains(&word.as_str()) {
        return Err(refused("the number must be finite"));
    }
    if let Some(stranger) = text.chars().find(|letter| !belongs(*letter)) {
        return Err(NoNumber {
            why: format!("{} does not belong in a number", said(stranger)),
            instead: instead(text),
        });
    }
    let value: f64 = text
        .parse()
        .map_err(|_| refused("this is not a number; 0.05 and 5e-2 are"))?;
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    if value.is_infinite() {
        return Err(refused("this is too large: no number is above 1.8e308"));
    }
    if value == 0.0 && digits.contains(|letter| ('1'..='9').contains(&letter)) {
        return Err(refused("this is too small: it would be read as 0"));
    }
    Ok(value)
}

/// Returns whether the character can be part of a number.
fn belongs(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E' | '+' | '-')
}

/// Names a character that does not belong in a number, so that people recognize it even if it is invisible.
fn said(letter: char) -> String {
    let code = letter as u32;
    match letter {
        ',' => "a comma".to_owned(),
        '_' => "an underscore".to_owned(),
        ' ' => "a blank".to_owned(),
        _ if letter.is_whitespace() => format!("a blank (U+{code:04X})"),
        _ if letter.is_ascii_graphic() => format!("`{letter}`"),
        _ if letter.is_alphanumeric() || is_dash(letter) => format!("`{letter}` (U+{code:04X})"),
        _ => format!("the character U+{code:04X}"),
    }
}

/// The zero of every script whose digits keyboards and input methods produce.
const ZEROS: [u32; 5] = [0x0660, 0x06f0, 0x0966, 0x09e6, 0xff10];

/// Returns the number that was probably meant, if there is one. It is only suggested, never used.
fn instead(text: &str) -> Option<String> {
    let plain: String = text.chars().filter_map(plain).collect();
    let is_number = |text: &String| text.parse::<f64>().is_ok_and(f64::is_finite);
    let (commas, points) = (plain.matches(',').count(), plain.matches('.').count());
    let without = |separator: char| plain.replace(separator, "");
    let candidates = match (commas, points) {
        (0, _) => vec![plain],
        (1, 0) => {
            let point = plain.replace(',', ".");
            // 1,000 means a thousand in some countries and one in others.
            if is_thousands(&plain) {
                vec![point, without(',')]
            } else {
                vec![point]
            }
        }
        (_, 0) => vec![without(',')],
        (_, 1) if plain.rfind('.') > plain.rfind(',') => vec![without(',')],
        (1, _) => vec![without('.').replace(',', ".")],
        _ => vec![],
    };
    let numbers: Vec<String> = candidates.into_iter().filter(is_number).collect();
    (!numbers.is_empty()).then(|| numbers.join(" or "))
}

/// Returns whether the comma may separate thousands: one to three digits before it, the first not 0, and three after
/// it.
fn is_thousands(plain: &str) -> bool {
    plain.split_once(',').is_some_and(|(before, behind)| {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (1..=3).contains(&before.len())
            && !before.starts_with('0')
            && behind.len() == 3
            && digits(before)
            && digits(behind)
    })
}

/// Converts a character to its plain form in numbers; `None` for one that only separates digits.
fn plain(letter: char) -> Option<char> {
    let digit = ZEROS.iter().find_map(|zero| {
        let value = (letter as u32).checked_sub(*zero).filter(|value| *value < 10)?;
        char::from_digit(value, 10)
    });
    match letter {
        _ if digit.is_some() => digit,
        '\u{066b}' | '\u{ff0e}' => Some('.'),
        '\u{066c}' | '\u{ff0c}' => Some(','),
        _ if is_dash(letter) => Some('-'),
        '_' | '\'' | '’' => None,
        _ if letter.is_whitespace() || is_invisible(letter) => None,
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_exactly() {
        for (typed, number) in [
            ("0.05", 0.05),
            (" 0.05 ", 0.05),
            (".5", 0.5),
            ("5.", 5.0),
            ("+0.1", 0.1),
            ("5e-2", 0.05),
            ("5E-2", 0.05),
            ("-1", -1.0),
            ("0", 0.0),
            ("0e5", 0.0),
            ("1e308", 1e308),
            ("5e-324", 5e-324),
            ("0.1000000000000000055511151231257827021181583404541015625", 0.1),
        ] {
            assert_eq!(read(typed), Ok(number), "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_the_reason_and_what_to_type_instead() {
        for (typed, reason) in [
            ("0,05", "a comma does not belong in a number: type 0.05"),
            ("1,000", "a comma does not belong in a number: type 1.000 or 1000"),
            ("1,000,000", "a comma does not belong in a number: type 1000000"),
            ("1,000.5", "a comma does not belong in a number: type 1000.5"),
            ("1.000,5", "a comma does not belong in a number: type 1000.5"),
            ("0,1,2.3.4", "a comma does not belong in a number"),
            ("1 000", "a blank does not belong in a number: type 1000"),
            (
                "1\u{202f}000",
                "a blank (U+202F) does not belong in a number: type 1000",
            ),
            ("0.05 0.1", "a blank does not belong in a number"),
            ("1_000", "an underscore does not belong in a number: type 1000"),
            ("5e−2", "`−` (U+2212) does not belong in a number: type 5e-2"),
            ("5–2", "`–` (U+2013) does not belong in a number"),
            ("０.０５", "`０` (U+FF10) does not belong in a number: type 0.05"),
            ("٠٫٠٥", "`٠` (U+0660) does not belong in a number: type 0.05"),
            (
                "0.0\u{200b}5",
                "the character U+200B does not belong in a number: type 0.05",
            ),
            ("0.05d", "`d` does not belong in a number"),
            ("0x10", "`x` does not belong in a number"),
            ("1/10", "`/` does not belong in a number"),
            ("5%", "`%` does not belong in a number"),
            ("inf", "the number must be finite"),
            ("-Infinity", "the number must be finite"),
            ("NaN", "the number must be finite"),
            ("1e999", "this is too large: no number is above 1.8e308"),
            ("1e-999", "this is too small: it would be read as 0"),
            ("", "this is not a number; 0.05 and 5e-2 are"),
            ("e", "this is not a number; 0.05 and 5e-2 are"),
            ("0.1.2", "this is not a number; 0.05 and 5e-2 are"),
            ("--1", "this is not a number; 0.05 and 5e-2 are"),
            ("1e", "this is not a number; 0.05 and 5e-2 are"),
            ("1000…", "this line is too long, and was cut"),
        ] {
            assert_eq!(read(typed).unwrap_err().to_string(), reason, "{typed:?}");
        }
    }
}
