//! Colours and glyphs of the screen, with fewer colours or plain ASCII if the terminal needs it.
//!
//! The colours are mid-tones with a contrast of at least 3:1 on black and on white. The colours of curves can be told
//! apart with normal sight and without red, green or blue cones. No colour carries meaning alone: curves also differ in
//! their line pattern, and states in their glyph and word.

pub(super) mod panel;

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};

pub use crate::characters::Glyphs;
pub(super) use crate::characters::ascii;

/// The colours that the terminal supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// 24 bits.
    True,
    /// The 256-colour palette.
    Indexed,
    /// The terminal's own 16.
    Basic,
    /// No colours, because the user set `NO_COLOR`.
    None,
}

/// The meaning of a colour that the preferences can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// λ_max.
    Lambda,
    /// The stability threshold.
    Threshold,
    /// The test set.
    Test,
    /// The training set.
    Train,
    /// Cells that ended earlier.
    Past,
    /// Explanations, rules, axes.
    Dim,
    /// Running or successful.
    Good,
    /// Warnings.
    Warning,
    /// Failures.
    Bad,
    /// Names of keys.
    Key,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 10] = [
        Self::Lambda,
        Self::Threshold,
        Self::Test,
        Self::Train,
        Self::Past,
        Self::Dim,
        Self::Good,
        Self::Warning,
        Self::Bad,
        Self::Key,
    ];

    /// Returns the name of the role in the preferences file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Threshold => "threshold",
            Self::Test => "test",
            Self::Train => "train",
            Self::Past => "past",
            Self::Dim => "dim",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Key => "key",
        }
    }

    /// Returns the role with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The styles of the screen, by meaning.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Which characters may be used.
    pub glyphs: Glyphs,
    /// Which colours may be used.
    pub colours: Colours,
    /// Names and current values.
    pub strong: Style,
    /// Explanations, rules, axes.
    pub dim: Style,
    /// λ_max.
    pub lambda: Style,
    /// The stability threshold, and a cell above it.
    pub threshold: Style,
    /// The test set.
    pub test: Style,
    /// The training set.
    pub train: Style,
    /// Cells that ended earlier.
    pub past: Style,
    /// Running or successful.
    pub good: Style,
    /// Warnings.
    pub warning: Style,
    /// Failures.
    pub bad: Style,
    /// The chosen row.
    pub chosen: Style,
    /// Names of keys.
    pub key: Style,
}

impl Theme {
    /// Creates the theme for these colours and characters.
    #[must_use]
    pub fn new(colours: Colours, glyphs: Glyphs) -> Self {
        let pick = |indexed: u8, basic: Color| match colours {
            Colours::True => {
                let [red, green, blue] = rgb(indexed);
                Style::new().fg(Color::Rgb(red, green, blue))
            }
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
            colours,
            strong: bold,
            dim: pick(244, Color::DarkGray).patch(faint),
            lambda: pick(68, Color::Blue),
            threshold: pick(161, Color::Red),
            test: pick(93, Color::Magenta),
            train: pick(136, Color::Cyan),
            past: pick(245, Color::DarkGray).patch(faint),
            good: pick(29, Color::Green),
            warning: pick(166, Color::Yellow),
            bad: pick(160, Color::Red),
            chosen: Style::new().add_modifier(Modifier::BOLD),
            key: pick(68, Color::Blue).add_modifier(Modifier::BOLD),
        }
    }

    /// Gives a role another colour.
    pub(super) fn recolour(&mut self, role: Role, colour: Color) {
        let style = match role {
            Role::Lambda => &mut self.lambda,
            Role::Threshold => &mut self.threshold,
            Role::Test => &mut self.test,
            Role::Train => &mut self.train,
            Role::Past => &mut self.past,
            Role::Dim => &mut self.dim,
            Role::Good => &mut self.good,
            Role::Warning => &mut self.warning,
            Role::Bad => &mut self.bad,
            Role::Key => &mut self.key,
        };
        style.fg = Some(colour);
    }

    /// Returns the colours and characters for the environment variables `NO_COLOR`, `LC_ALL`, `LC_CTYPE`, `LANG`,
    /// `TERM` and `COLORTERM`. `variable` looks one up.
    #[must_use]
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> (Colours, Glyphs) {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let glyphs = Glyphs::of_locale(&variable);
        let all = set("COLORTERM").is_some_and(|kind| kind == "truecolor" || kind == "24bit");
        let many = set("COLORTERM").is_some() || set("TERM").is_some_and(|term| term.contains("256color"));
        let colours = match (all, many) {
            _ if set("NO_COLOR").is_some() => Colours::None,
            (true, _) => Colours::True,
            (false, true) => Colours::Indexed,
            (false, false) => Colours::Basic,
        };
        (colours, glyphs)
    }

    /// Returns `text` in the characters of the terminal: unchanged, or with its symbols spelled out in ASCII.
    #[must_use]
    pub fn text<'a>(&self, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        self.glyphs.spelled(text)
    }
}

/// Returns red, green and blue of a palette colour from 16 to 255. Every terminal shows these colours in the same way.
pub(super) fn rgb(indexed: u8) -> [u8; 3] {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match indexed.saturating_sub(16) {
        grey @ 216.. => [8 + 10 * (grey - 216); 3],
        cube => [cube / 36, cube / 6 % 6, cube % 6].map(|step| STEPS[usize::from(step)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(variables: &[(&str, &str)]) -> Theme {
        let (colours, glyphs) = Theme::of_environment(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        });
        Theme::new(colours, glyphs)
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

    /// Matrices from a colour in linear light to the colour that a person sees, with all cones and without the cones of
    /// one kind: Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
    /// Deficiency" (2009), severity 1.
    const SIGHTS: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ];

    fn linear(rgb: [u8; 3]) -> [f64; 3] {
        rgb.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// Converts linear sRGB to CIELAB under D65.
    fn lab([red, green, blue]: [f64; 3]) -> [f64; 3] {
        let curve = |t: f64| {
            if t > 216.0 / 24_389.0 {
                t.cbrt()
            } else {
                (24_389.0 / 27.0 * t + 16.0) / 116.0
            }
        };
        let x = curve((0.412_456_4 * red + 0.357_576_1 * green + 0.180_437_5 * blue) / 0.950_47);
        let y = curve(0.212_672_9 * red + 0.715_152_2 * green + 0.072_175 * blue);
        let z = curve((0.019_333_9 * red + 0.119_192 * green + 0.950_304_1 * blue) / 1.088_83);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn colour_of(style: Style) -> [u8; 3] {
        match style.fg {
            Some(Color::Rgb(red, green, blue)) => [red, green, blue],
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn curves_are_told_apart_with_and_without_every_kind_of_cone() {
        let theme = Theme::new(Colours::True, Glyphs::Unicode);
        let curves = [theme.lambda, theme.threshold, theme.test, theme.train].map(colour_of);
        for sight in SIGHTS {
            let seen = curves.map(|rgb| {
                let light = linear(rgb);
                let seen = sight.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0));
                lab(seen)
            });
            for (at, one) in seen.iter().enumerate() {
                for other in &seen[..at] {
                    let apart = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    // 2.3 is a just noticeable difference; lines of dots must be told apart at a glance.
                    assert!(apart > 40.0, "{apart} of {curves:?}");
                }
            }
        }
    }

    #[test]
    fn every_colour_is_readable_on_black_and_on_white() {
        let theme = Theme::new(Colours::True, Glyphs::Unicode);
        let styles = [
            theme.lambda,
            theme.threshold,
            theme.test,
            theme.train,
            theme.past,
            theme.dim,
            theme.good,
            theme.warning,
            theme.bad,
            theme.key,
        ];
        for style in styles {
            let [red, green, blue] = linear(colour_of(style));
            let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
            let (on_black, on_white) = ((luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05));
            // WCAG requires this contrast for graphics and large text.
            assert!(on_black >= 3.0 && on_white >= 3.0, "{style:?}: {on_black} {on_white}");
        }
    }

    #[test]
    fn colours_are_as_many_as_the_terminal_says() {
        let of = |variables: &[(&str, &str)]| theme(variables).lambda.fg;
        assert_eq!(of(&[("COLORTERM", "truecolor")]), Some(Color::Rgb(95, 135, 215)));
        assert_eq!(of(&[("TERM", "xterm-256color")]), Some(Color::Indexed(68)));
        assert_eq!(of(&[("TERM", "vt220")]), Some(Color::Blue));
        assert_eq!(rgb(244), [128, 128, 128]);
    }
}
