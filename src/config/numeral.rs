//! Recognizes numbers in a notation that configs do not allow: decimal commas, separated thousands, printed minus
//! signs, percentages, arithmetic.

use crate::number::is_dash;

/// A number in a notation that configs do not allow.
#[derive(Debug, PartialEq)]
pub(super) struct Numeral<'t> {
    /// The byte at which it begins.
    pub(super) at: usize,
    /// The text in the file.
    pub(super) written: &'t str,
    /// What to write, and why.
    pub(super) advice: String,
}

/// Finds the number that the parser failed to read. `at` is the first byte of the word that the parser rejected, or the
/// byte after the part of the number that it accepted.
pub(super) fn misspelt(text: &str, at: usize) -> Option<Numeral<'_>> {
    let readings: [fn(&str, usize) -> Option<Numeral<'_>>; 6] =
        [decimal_comma, printed_sign, pointed, parted, in_per_cent, sum];
    readings.iter().find_map(|reading| reading(text, at))
}

/// Finds two values of a list that are probably one number with a decimal comma or a separator between thousands:
/// `0,05`, `1,024`. The second part begins with 0: as a value of its own, it would have a leading zero. A list in which
/// all numbers have leading zeros is accepted.
pub(super) fn split_in_two(text: &str) -> Option<Numeral<'_>> {
    let code = code(text);
    let is_digit = |at: usize| code.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    code.match_indices(",0").map(|(comma, _)| comma).find_map(|comma| {
        let (start, end) = (start_of_digits(&code, comma), end_of_digits(&code, comma + 1));
        let (first, second) = (code.get(start..comma)?, code.get(comma + 1..end)?);
        let before = code[..start].trim_end().chars().next_back()?;
        let whole = is_digit(comma + 2) && "[,-".contains(before) && !code[end..].starts_with('.');
        let is_decimal = first == "0" && second.len() > 1;
        let is_thousand = (1..=3).contains(&first.len()) && !first.starts_with('0') && second.len() == 3;
        let is_one = whole && (is_decimal || is_thousand);
        is_one.then(|| numeral(text, start, end, comma_advice(&text[start..end])))?
    })
}

/// Returns whether the list of values of a swept setting has a comma directly between two digits.
pub(super) fn has_tight_comma(text: &str, setting: &str) -> bool {
    let code = code(text);
    let lists = code.match_indices(setting).filter_map(|(at, _)| {
        let rest = code[at + setting.len()..].trim_start().strip_prefix(':')?.trim_start();
        rest.strip_prefix('[')?.split(']').next()
    });
    lists.flat_map(|list| list.as_bytes().windows(3)).any(|three| {
        let [before, comma, after] = three else { return false };
        *comma == b',' && before.is_ascii_digit() && after.is_ascii_digit()
    })
}

/// Recognizes `0,1`, `1,000` or `1.000,5` for a setting that takes one value.
fn decimal_comma(text: &str, at: usize) -> Option<Numeral<'_>> {
    let before = text[..at].strip_suffix(',')?;
    if !(before.ends_with(|letter: char| letter.is_ascii_digit()) && starts_with_digit(&text[at..])) {
        return None;
    }
    let is_part = |letter: char| letter.is_ascii_digit() || ".,_-+".contains(letter);
    let start = before.trim_end_matches(is_part).len();
    // In a list or a pair, a comma separates values.
    let around = text[..start].trim_end();
    let in_variant = around
        .strip_suffix('(')
        .is_some_and(|rest| rest.ends_with(|letter: char| letter.is_alphanumeric()));
    if !(around.ends_with(':') || in_variant) {
        return None;
    }
    let mut end = at;
    for (offset, letter) in text[at..].char_indices() {
        let next = &text[at + offset + letter.len_utf8()..];
        if letter.is_ascii_alphanumeric() || ".+-_".contains(letter) || (letter == ',' && starts_with_digit(next)) {
            end = at + offset + letter.len_utf8();
        } else {
            break;
        }
    }
    numeral(text, start, end, comma_advice(&text[start..end]))
}

/// Says what to write instead of a number with commas. The last comma or point is taken as the decimal mark, unless
/// that character occurs more than once.
fn comma_advice(written: &str) -> Option<String> {
    const POINT: &str = "the decimal mark is a point";
    const THOUSANDS: &str = "thousands have no separator";
    let digits: String = written.chars().filter(|letter| *letter != ',').collect();
    let (commas, points) = (written.matches(',').count(), written.matches('.').count());
    let (number, why) = match (commas, points) {
        (1, 0) => {
            let decimal = written.replace(',', ".");
            let (first, second) = written.split_once(',')?;
            let is_thousand = second.len() == 3 && !first.trim_start_matches('-').starts_with('0');
            if is_thousand && digits.parse::<u64>().is_ok() {
                return Some(format!("write `{decimal}` or `{digits}`: {POINT}, and {THOUSANDS}"));
            }
            (decimal, POINT)
        }
        (1, _) if written.rfind(',') > written.rfind('.') => (written.replace('.', "").replace(',', "."), POINT),
        _ => (digits, THOUSANDS),
    };
    number.parse::<f64>().ok()?;
    Some(format!("write `{number}`: {why}"))
}

/// Recognizes `5e−2`, whose minus sign is a dash or another character of printed text.
fn printed_sign(text: &str, at: usize) -> Option<Numeral<'_>> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter) || is_dash(letter);
    let rest = &text[at..];
    let written = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
    let dash = written.chars().find(|letter| is_dash(*letter))?;
    let number = written.replace(is_dash, "-");
    number.parse::<f64>().ok()?;
    let sign = u32::from(dash);
    let advice = format!("write `{number}`: its minus sign is U+{sign:04X} instead of `-`");
    numeral(text, at, at + written.len(), Some(advice))
}

/// Recognizes `1.000.000`.
fn pointed(text: &str, at: usize) -> Option<Numeral<'_>> {
    let rest = &text[at..];
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
    let written = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
    let (_, groups) = written
        .split_once('.')
        .filter(|(first, _)| (1..=3).contains(&first.len()))?;
    let is_thousands = groups.contains('.') && groups.split('.').all(|group| group.len() == 3);
    let number = written.replace('.', "");
    let advice = format!("write `{number}`: thousands have no separator");
    is_thousands.then(|| numeral(text, at, at + written.len(), Some(advice)))?
}

/// Recognizes `1 000`, `1'000` or `1e - 4`: a number that is interrupted by another character.
fn parted(text: &str, at: usize) -> Option<Numeral<'_>> {
    let is_gap = |letter: char| " '’_".contains(letter) || is_wide_blank(letter);
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
    // The rejected byte may be the gap itself or the byte after the gap.
    let gap = text[..at].trim_end_matches(is_gap).len();
    let start = text[..gap].trim_end_matches(is_part).len();
    let first = &text[start..gap];
    let after = text[gap..].trim_start_matches(is_gap);
    let gap_end = text.len() - after.len();
    if gap_end > gap && (1..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_digit()) {
        let second = &after[..after
            .find(|letter| !(is_part(letter) || is_gap(letter)))
            .unwrap_or(after.len())];
        let second = second.trim_end_matches(is_gap);
        let whole = second.split('.').next().unwrap_or_default();
        if whole
            .split(is_gap)
            .all(|group| group.len() == 3 && starts_with_digit(group))
        {
            let end = gap_end + second.len();
            let number: String = text[start..end].chars().filter(|letter| !is_gap(*letter)).collect();
            number.parse::<f64>().ok()?;
            let advice = format!("is a comma missing? One number is written `{number}`: thousands have no separator");
            return numeral(text, start, end, Some(advice));
        }
    }
    // An exponent with spaces around its sign.
    let rest = &text[at..];
    let mantissa = &rest[..rest.find(['e', 'E'])?];
    let exponent = rest[mantissa.len() + 1..].trim_start_matches(' ');
    let sign = exponent
        .chars()
        .next()
        .filter(|sign| "+-".contains(*sign) || is_dash(*sign))?;
    let digits = exponent[sign.len_utf8()..].trim_start_matches(' ');
    let length = digits
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(digits.len());
    let end = text.len() - digits.len() + length;
    if mantissa.parse::<f64>().is_err() || length == 0 || !text[at..end].contains(' ') {
        return None;
    }
    let sign = if sign == '+' { "" } else { "-" };
    let number = format!("{mantissa}e{sign}{}", &digits[..length]);
    numeral(text, at, end, Some(format!("write `{number}`, without spaces")))
}

/// Recognizes `50%`. Configs write shares from 0 to 1.
fn in_per_cent(text: &str, at: usize) -> Option<Numeral<'_>> {
    let before = text[..at].trim_end_matches(' ');
    text[at..].starts_with('%').then_some(())?;
    let start = before
        .trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.')
        .len();
    let value: f64 = before[start..].parse().ok()?;
    let advice = format!("write `{}`: it is a share, not a percentage", rounded(value / 100.0));
    numeral(text, start, at + 1, Some(advice))
}

/// Recognizes `1/10`, `2^-3` or `10*3`.
fn sum(text: &str, at: usize) -> Option<Numeral<'_>> {
    let before = text[..at].trim_end_matches(' ');
    let operator = text[at..].chars().next().filter(|letter| "/^*".contains(*letter))?;
    let after = text[at + 1..].trim_start_matches(['*', ' ']);
    let start = before
        .trim_end_matches(|letter: char| letter.is_ascii_digit() || ".e-".contains(letter))
        .len();
    let length = after.find(|letter: char| !(letter.is_ascii_digit() || ".e-".contains(letter)));
    let second = &after[..length.unwrap_or(after.len())];
    let (first, second): (f64, f64) = (before[start..].parse().ok()?, second.parse().ok()?);
    let is_power = operator == '^' || text[at..].starts_with("**");
    let value = match operator {
        '/' => first / second,
        _ if is_power => first.powf(second),
        _ => first * second,
    };
    let advice = format!("write `{}`: configs do no arithmetic", rounded(value));
    let end = text.len() - after.len() + length.unwrap_or(after.len());
    value.is_finite().then(|| numeral(text, start, end, Some(advice)))?
}

fn numeral(text: &str, at: usize, end: usize, advice: Option<String>) -> Option<Numeral<'_>> {
    let (written, advice) = (text.get(at..end)?, advice?);
    Some(Numeral { at, written, advice })
}

/// Rounds a computed number to 13 significant digits, to remove rounding errors.
fn rounded(value: f64) -> f64 {
    format!("{value:.12e}").parse().unwrap_or(value)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
}

fn start_of_digits(code: &str, end: usize) -> usize {
    code[..end]
        .trim_end_matches(|letter: char| letter.is_ascii_digit())
        .len()
}

fn end_of_digits(code: &str, start: usize) -> usize {
    code.len()
        - code[start..]
            .trim_start_matches(|letter: char| letter.is_ascii_digit())
            .len()
}

/// Returns whether the character is a space other than the ASCII ones, as in printed text.
fn is_wide_blank(letter: char) -> bool {
    letter.is_whitespace() && !letter.is_ascii()
}

/// Returns the text with a space in place of each byte of comments, of quoted text, and of characters outside ASCII.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(inner) = rest.strip_prefix("/*") {
            inner.find("*/").map_or(rest.len(), |end| end + 4)
        } else if letter == '"' {
            quoted_text_len(rest)
        } else {
            0
        };
        if skipped > 0 || !letter.is_ascii() {
            let skipped = skipped.max(letter.len_utf8());
            code.extend(std::iter::repeat_n(' ', skipped));
            rest = &rest[skipped..];
        } else {
            code.push(letter);
            rest = &rest[1..];
        }
    }
    code
}

/// Returns the length in bytes of the quoted text at the start of `text`, both quotes included.
pub(super) fn quoted_text_len(text: &str) -> usize {
    let mut escaped = false;
    let closing = text[1..].find(|letter| {
        let closes = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        closes
    });
    closing.map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what `split_in_two` found and its advice.
    fn advice(text: &str) -> Option<String> {
        split_in_two(text).map(|found| format!("{}: {}", found.written, found.advice))
    }

    #[test]
    fn two_values_that_are_one_number_are_found_and_others_are_let_be() {
        for (text, begins) in [
            ("( rho: [0,05] )", "0,05: write `0.05`"),
            ("( rho: [0.1, 0,05, 0.2] )", "0,05: write `0.05`"),
            ("( rho: [-0,05] )", "0,05: write `0.05`"),
            ("( widths: [1,024] )", "1,024: write `1.024` or `1024`"),
        ] {
            assert!(advice(text).unwrap().starts_with(begins), "{text}");
        }
        for text in [
            "( seed: [0,1,2] )",
            "( seed: [00,01,02] )",
            "( rho: [0, 05] )",
            "( rho: [1,0,5] )",
            "( rho: [0,0.5] )",
            "( rho: [10,0] )",
            "// [0,05]\n( /* 0,05 */ name: \"0,05\" )",
        ] {
            assert_eq!(advice(text), None, "{text}");
        }
    }

    #[test]
    fn code_has_the_length_of_its_text() {
        for text in ["a // b\nc", "/* λ */ \"λ\\\"\" λ", "\"open", "/* open", ""] {
            let code = code(text);
            assert_eq!(code.len(), text.len());
            assert!(!code.contains(['b', 'λ', '"']));
        }
    }
}
