//! Which characters a terminal takes, and how ours are spelled where it takes nothing but ASCII: on the screen, in plain
//! lines, and in everything else that is printed. What is written to files is UTF-8.

use std::borrow::Cow;
use std::sync::OnceLock;

/// Which characters the terminal takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Braille dots, rules, arrows.
    Unicode,
    /// Nothing but ASCII.
    Ascii,
}

/// What the user wants of all that this process prints.
static WANTED: OnceLock<Glyphs> = OnceLock::new();

/// From here on this process prints nothing but ASCII if that is wanted, and what the locale says else.
pub fn settle(ascii: bool) {
    // A second call changes nothing: what was printed before it cannot be changed either.
    let _ = WANTED.set(if ascii { Glyphs::Ascii } else { of_this_locale() });
}

fn of_this_locale() -> Glyphs {
    Glyphs::of_locale(|name| std::env::var(name).ok())
}

impl Glyphs {
    /// Those of the locale (`LC_ALL`, `LC_CTYPE`, `LANG`), looked up with `variable`.
    #[must_use]
    pub fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        // The first one that is set decides, as in the C library.
        let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") {
            Self::Unicode
        } else {
            Self::Ascii
        }
    }

    /// Those of what this process prints; see [`settle`].
    #[must_use]
    pub fn of_output() -> Self {
        WANTED.get().copied().unwrap_or_else(of_this_locale)
    }

    /// `text` in these characters: unchanged, or with its symbols spelled out in ASCII.
    #[must_use]
    pub fn spelled<'a>(self, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let text = text.into();
        if self == Self::Unicode || text.is_ascii() {
            return text;
        }
        Cow::Owned(text.chars().map(ascii).collect::<Vec<_>>().concat())
    }
}

/// The ASCII spelling of one character of ours.
#[must_use]
pub fn ascii(character: char) -> String {
    let spelled = match character {
        'λ' => "lambda",
        'η' => "eta",
        'β' => "beta",
        'ρ' => "rho",
        'ε' => "epsilon",
        'τ' => "tau",
        'μ' | 'µ' => "mu",
        '√' => "sqrt",
        '±' => "+/-",
        '²' => "^2",
        '½' => "1/2",
        '°' => "deg ",
        '·' | '–' | '—' | '─' | '╌' | '−' => "-",
        '…' => "...",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '│' | '┤' | '‖' => "|",
        '▶' | '›' => ">",
        '●' => "*",
        '○' => "o",
        '▲' | '△' => "^",
        '✓' | '└' | '╭' | '╮' | '╰' | '╯' => "+",
        '✗' | '×' => "x",
        '█' | '■' | '□' => "#",
        '░' => ".",
        '↑' => "up",
        '↓' => "down",
        '←' => "left",
        '→' => "right",
        '’' => "'",
        '“' | '”' => "\"",
        '\u{a0}' | '\u{202f}' => " ",
        other if other.is_ascii() => return other.to_string(),
        _ => "?",
    };
    spelled.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Glyphs {
        Glyphs::of_locale(|name| {
            let set = variables.iter().find(|(known, _)| *known == name);
            set.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_variable_of_the_locale_that_is_set_decides() {
        assert_eq!(of(&[("LANG", "en_US.UTF-8")]), Glyphs::Unicode);
        assert_eq!(of(&[("LC_ALL", ""), ("LANG", "C.utf8")]), Glyphs::Unicode);
        assert_eq!(of(&[("LC_CTYPE", "de_DE.UTF-8"), ("LANG", "C")]), Glyphs::Unicode);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]), Glyphs::Ascii);
        assert_eq!(of(&[("LANG", "de_DE.ISO-8859-1")]), Glyphs::Ascii);
        assert_eq!(of(&[]), Glyphs::Ascii);
    }

    #[test]
    fn symbols_are_spelled_out_in_ascii_and_left_alone_in_utf8() {
        let text = "λ_max 41 ± 0.2 · (2+2β)/η − wd";
        assert_eq!(Glyphs::Unicode.spelled(text), text);
        assert_eq!(
            Glyphs::Ascii.spelled(text),
            "lambda_max 41 +/- 0.2 - (2+2beta)/eta - wd"
        );
        assert_eq!(Glyphs::Ascii.spelled("schärfe"), "sch?rfe");
    }
}
