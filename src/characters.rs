//! The characters that a terminal supports, and ASCII spellings of all other characters for terminals that support only
//! ASCII. They apply to the screen, to plain lines and to all other printed text. Files are always UTF-8.

use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use os_display::Quotable;

/// The characters that the terminal supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Unicode: braille dots, lines, arrows.
    Unicode,
    /// ASCII only.
    Ascii,
}

/// Returns words with a capital at their beginning, for the start of a sentence. Symbols such as λ stay.
#[must_use]
pub fn capitalized(words: &str) -> String {
    with_first(words, |first| first.to_ascii_uppercase())
}

/// Returns words without a capital at their beginning, to continue a sentence.
#[must_use]
pub fn uncapitalized(words: &str) -> String {
    with_first(words, |first| first.to_ascii_lowercase())
}

fn with_first(words: &str, change: fn(char) -> char) -> String {
    let mut letters = words.chars();
    letters.next().map(change).into_iter().chain(letters).collect()
}

/// The characters for everything that this process prints.
static WANTED: OnceLock<Glyphs> = OnceLock::new();

/// Decides which characters this process prints: only ASCII if `ascii` is true, else those of the locale.
pub fn settle(ascii: bool) {
    // A second call has no effect, so that all output uses the same characters.
    let _ = WANTED.set(if ascii { Glyphs::Ascii } else { of_this_locale() });
}

fn of_this_locale() -> Glyphs {
    Glyphs::of_locale(|name| std::env::var(name).ok())
}

impl Glyphs {
    /// Returns the characters of the locale (`LC_ALL`, `LC_CTYPE`, `LANG`). `variable` looks up an environment
    /// variable.
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

    /// Returns the characters that this process prints; see [`settle`].
    #[must_use]
    pub fn of_output() -> Self {
        WANTED.get().copied().unwrap_or_else(of_this_locale)
    }

    /// Returns `text` in these characters: unchanged, or with its symbols spelled out in ASCII.
    #[must_use]
    pub fn spelled<'a>(self, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let text = text.into();
        if self == Self::Unicode || text.is_ascii() {
            return text;
        }
        Cow::Owned(text.chars().map(ascii).collect::<Vec<_>>().concat())
    }
}

/// Formats a path for typing into a shell: quoted if necessary, in the characters that this process prints.
#[must_use]
pub fn as_typed(path: &Path) -> String {
    typed_in(Glyphs::of_output(), path)
}

fn typed_in(glyphs: Glyphs, path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    // A path that begins with a hyphen would be read as an option.
    let dotted = Path::new(".").join(path);
    let path = if bytes.first() == Some(&b'-') { &dotted } else { path };
    if glyphs == Glyphs::Unicode || bytes.is_ascii() {
        return path.maybe_quote().to_string();
    }
    let typed = path.as_os_str().as_bytes().iter().map(|&byte| match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    });
    format!("$'{}'", typed.collect::<String>())
}

/// Returns the ASCII spelling of one character.
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

    #[test]
    fn a_sentence_begins_with_a_capital_unless_it_begins_with_a_symbol() {
        let all = ["", "cell 3", "λ_max", "More dropout"];
        assert_eq!(all.map(capitalized), ["", "Cell 3", "λ_max", "More dropout"]);
        assert_eq!(uncapitalized("More dropout"), "more dropout");
    }

    #[test]
    fn a_path_is_told_as_a_shell_takes_it() {
        for (path, unicode, ascii) in [
            ("runs/a", "runs/a", "runs/a"),
            ("my runs/a", "'my runs/a'", "'my runs/a'"),
            ("-x/a", "./-x/a", "./-x/a"),
            ("ü λ/a", "'ü λ/a'", r"$'\xC3\xBC \xCE\xBB/a'"),
            ("it's ü", "\"it's ü\"", r"$'it\'s \xC3\xBC'"),
        ] {
            assert_eq!(typed_in(Glyphs::Unicode, Path::new(path)), unicode);
            assert_eq!(typed_in(Glyphs::Ascii, Path::new(path)), ascii);
        }
    }

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
