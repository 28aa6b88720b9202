//! Colours and glyphs: what the screen is drawn with, and what is left of it without colours or without UTF-8.
//!
//! The colours are mid-tones that keep about a 4:1 contrast on black and on white alike. None of them carries meaning
//! alone: curves differ in their line pattern, states in their glyph and word.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};

/// Which colours the terminal takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// The 256-colour palette.
    Indexed,
    /// The terminal's own 16.
    Basic,
    /// None at all, by wish (`NO_COLOR`).
    None,
}

/// Which characters the terminal takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Braille dots, rules, arrows.
    Unicode,
    /// Nothing but ASCII.
    Ascii,
}

/// The styles of the screen, by what they say.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Which characters may be used.
    pub glyphs: Glyphs,
    /// Names and current values.
    pub strong: Style,
    /// Explanations, rules, axes.
    pub dim: Style,
    /// λ_max.
    pub lambda: Style,
    /// The stability threshold, and what is not converged.
    pub threshold: Style,
    /// The test set.
    pub test: Style,
    /// The training set.
    pub train: Style,
    /// Cells that ended earlier.
    pub past: Style,
    /// Going on, or gone well.
    pub good: Style,
    /// Worth a look.
    pub warning: Style,
    /// Gone wrong.
    pub bad: Style,
    /// The chosen row.
    pub chosen: Style,
    /// A key, where it is explained.
    pub key: Style,
}

impl Theme {
    /// The theme for these colours and characters.
    #[must_use]
    pub fn new(colours: Colours, glyphs: Glyphs) -> Self {
        let pick = |indexed: u8, basic: Color| match colours {
            Colours::Indexed => Style::new().fg(Color::Indexed(indexed)),
            Colours::Basic => Style::new().fg(basic),
            Colours::None => Style::new(),
        };
        let bold = Style::new().fg(Color::Reset).add_modifier(Modifier::BOLD);
        let faint = if colours == Colours::None {
            Style::new().add_modifier(Modifier::DIM)
        } else {
            Style::new()
        };
        Self {
            glyphs,
            strong: bold,
            dim: pick(244, Color::DarkGray).patch(faint),
            lambda: pick(33, Color::Blue),
            threshold: pick(166, Color::Red),
            test: pick(134, Color::Magenta),
            train: pick(30, Color::Cyan),
            past: pick(245, Color::DarkGray).patch(faint),
            good: pick(29, Color::Green),
            warning: pick(166, Color::Yellow),
            bad: pick(160, Color::Red),
            chosen: Style::new().add_modifier(Modifier::BOLD),
            key: pick(33, Color::Blue).add_modifier(Modifier::BOLD),
        }
    }

    /// The theme for the environment: `NO_COLOR`, the locale (`LC_ALL`, `LC_CTYPE`, `LANG`), `TERM` and `COLORTERM`,
    /// looked up with `variable`.
    #[must_use]
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        // The first one that is set decides, as in the C library.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| set(name))
            .unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let glyphs = if locale.contains("utf-8") || locale.contains("utf8") {
            Glyphs::Unicode
        } else {
            Glyphs::Ascii
        };
        let many = set("COLORTERM").is_some() || set("TERM").is_some_and(|term| term.contains("256color"));
        let colours = match (set("NO_COLOR").is_some(), many) {
            (true, _) => Colours::None,
            (false, true) => Colours::Indexed,
            (false, false) => Colours::Basic,
        };
        Self::new(colours, glyphs)
    }

    /// `text` in the characters of the terminal: unchanged, or with its symbols spelled out in ASCII.
    #[must_use]
    pub fn text<'a>(&self, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let text = text.into();
        if self.glyphs == Glyphs::Unicode || text.is_ascii() {
            return text;
        }
        Cow::Owned(text.chars().map(ascii).collect::<Vec<_>>().concat())
    }
}

/// The ASCII spelling of one character of ours.
pub(super) fn ascii(character: char) -> String {
    let spelled = match character {
        'λ' => "lambda",
        'η' => "eta",
        'β' => "beta",
        'ρ' => "rho",
        'ε' => "epsilon",
        '√' => "sqrt",
        '±' => "+/-",
        '·' | '–' | '—' | '─' | '╌' | '−' => "-",
        '…' => "...",
        '≤' => "<=",
        '│' | '┤' | '‖' => "|",
        '▶' | '›' => ">",
        '●' => "*",
        '○' => "o",
        '▲' | '△' => "^",
        'τ' => "tau",
        '✓' | '└' => "+",
        '✗' | '×' => "x",
        '█' | '■' | '□' => "#",
        '░' => ".",
        '↑' => "up",
        '↓' => "down",
        '←' => "left",
        '→' => "right",
        other if other.is_ascii() => return other.to_string(),
        _ => "?",
    };
    spelled.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(variables: &[(&str, &str)]) -> Theme {
        Theme::from_environment(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn braille_needs_a_utf8_locale_and_the_first_variable_that_is_set_decides() {
        assert_eq!(theme(&[("LANG", "en_US.UTF-8")]).glyphs, Glyphs::Unicode);
        assert_eq!(theme(&[("LC_ALL", ""), ("LANG", "C.utf8")]).glyphs, Glyphs::Unicode);
        assert_eq!(theme(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]).glyphs, Glyphs::Ascii);
        assert_eq!(theme(&[]).glyphs, Glyphs::Ascii);
    }

    #[test]
    fn no_color_leaves_no_colour_in_any_style() {
        let terminal = ("TERM", "xterm-256color");
        let bare = theme(&[terminal, ("NO_COLOR", "1")]);
        let styles = [
            bare.dim,
            bare.lambda,
            bare.threshold,
            bare.test,
            bare.train,
            bare.past,
            bare.good,
        ];
        assert!(
            styles.iter().all(|style| style.fg.is_none() && style.bg.is_none()),
            "{styles:?}"
        );
        assert_ne!(theme(&[terminal, ("NO_COLOR", "")]).lambda.fg, None);
    }

    #[test]
    fn symbols_are_spelled_out_in_ascii() {
        let theme = Theme::new(Colours::None, Glyphs::Ascii);
        assert_eq!(
            theme.text("λ_max 41 ± 0.2 · (2+2β)/η"),
            "lambda_max 41 +/- 0.2 - (2+2beta)/eta"
        );
    }
}
