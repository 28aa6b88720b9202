//! Random changes of inputs that often reveal errors in readers: truncated, repeated, spliced or nested text, and
//! numbers at the ends of their ranges.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The largest size of a changed input, in bytes.
const MOST_BYTES: usize = 1 << 21;

/// Numbers in text that often cause errors.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "-0.0",
    "1e400",
    "-1e400",
    "1e-400",
    "NaN",
    "inf",
    "-inf",
    "null",
    "255",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1000000000000000000000000000000",
    "0x10",
    "1_000",
    "0.1.2",
    "1e",
];

/// Sizes in binary headers, to be written in either order of bytes.
const WORDS: &[u64] = &[
    0,
    1,
    0x7fff_ffff,
    0xffff_ffff,
    0x8000_0000,
    0x0001_0000,
    u64::MAX,
    1 << 40,
    1 << 63,
];

/// Opening brackets without a closing one, and the reverse.
const BRACKETS: &[&str] = &[
    "(", "[", "{", "/*", "Some(", "[[", "{\"a\":", "[(", "\"", ")", "]", "r#\"", "(sweep:", "//",
];

/// Returns a random number below `most`, or 0 if `most` is 0.
pub fn below(rng: &mut ChaCha8Rng, most: usize) -> usize {
    let drawn = usize::try_from(rng.next_u64() >> 1).unwrap_or(0);
    drawn.checked_rem(most).unwrap_or(0)
}

fn one_of<'a, T: ?Sized>(rng: &mut ChaCha8Rng, all: &[&'a T]) -> &'a T {
    all[below(rng, all.len())]
}

/// Returns one of `seeds` with one or a few changes. With many changes, most inputs would fail at the first check.
pub fn mutated(rng: &mut ChaCha8Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[below(rng, seeds.len())].clone();
    for _ in 0..*one_of(rng, &[&1, &1, &1, &2, &3, &5]) {
        change(rng, &mut bytes, seeds);
        bytes.truncate(MOST_BYTES);
    }
    bytes
}

fn change(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let length = bytes.len();
    let at = below(rng, length + 1);
    // Most parts are short: a token, a field, a line.
    let longest = if below(rng, 4) == 0 { length } else { 24 };
    let end = (at + below(rng, longest + 1)).min(length);
    match below(rng, 11) {
        0 if at < length => bytes[at] ^= 1 << below(rng, 8),
        1 if at < length => bytes[at] = rng.next_u64() as u8,
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => repeat(rng, bytes, at, end),
        5 => {
            let other = &seeds[below(rng, seeds.len())];
            let from = below(rng, other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        6 => number(rng, bytes, at),
        7 => word(rng, bytes, at),
        8 => {
            let bracket = one_of(rng, BRACKETS);
            let most = one_of(rng, &[&1, &10, &200, &20_000]);
            insert(bytes, at, bracket.repeat(1 + below(rng, *most)).as_bytes());
        }
        9 => {
            let part = bytes[at..end].to_vec();
            let to = below(rng, length + 1);
            insert(bytes, to, &part);
        }
        _ => {
            let letter = one_of(
                rng,
                &["é", "\u{1b}", "\0", "\u{feff}", "\u{202e}", "\n", "λ_max", "'", "#"],
            );
            insert(bytes, at, letter.as_bytes());
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.splice(at..at, what.iter().copied());
}

/// Repeats the part once or more, up to about ten thousand times.
fn repeat(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>, at: usize, end: usize) {
    let part = bytes[at..end].to_vec();
    let most = *one_of(rng, &[&1, &8, &300, &30_000]);
    let times = (1 + below(rng, most)).min(MOST_BYTES / part.len().max(1));
    insert(bytes, end, &part.repeat(times));
}

/// Replaces the next number in the text by another one.
fn number(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>, at: usize) {
    let numeric = |byte: &u8| byte.is_ascii_digit() || b".+-eE_".contains(byte);
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|start| at + start) else {
        return;
    };
    let end = bytes[start..].iter().position(|byte| !numeric(byte));
    let end = end.map_or(bytes.len(), |end| start + end);
    bytes.splice(start..end, one_of(rng, NUMBERS).bytes());
}

/// Overwrites one, two, four or eight bytes with a number. Half of the places are near the beginning, where headers
/// are.
fn word(rng: &mut ChaCha8Rng, bytes: &mut [u8], at: usize) {
    let at = if below(rng, 2) == 0 { at % 32 } else { at };
    let word = WORDS[below(rng, WORDS.len())];
    let size = 1 << below(rng, 4);
    let mut digits = word.to_be_bytes()[8 - size..].to_vec();
    if below(rng, 2) == 0 {
        digits.reverse();
    }
    if let Some(place) = bytes.get_mut(at..at + size) {
        place.copy_from_slice(&digits);
    }
}
