//! The user's preferences for the screen: one file, `screen.ron`, checked like a configuration.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ratatui::style::Color;
use serde::{Deserialize, Serialize};

use crate::curve::Across;
use crate::quantity;
use crate::tui::keys::keymap::KeyMap;
use crate::tui::state::charts::Charts;
use crate::tui::theme::{Colours, Glyphs, Role, Theme};
use crate::tui::words::said;
use crate::user_folders::{Kind, user_folder};

/// Allowed numbers of frames per second.
const FRAMES: std::ops::RangeInclusive<u32> = 1..=10;

/// Default maximum of frames per second while no key is pressed: low enough for a slow connection, and as fast as
/// people can read numbers.
pub(super) const FRAMES_PER_SECOND: u32 = 5;

/// Maximum size of the file, in bytes; a larger file is not a file of preferences.
const MOST_BYTES: u64 = 1 << 20;

/// Which colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColourChoice {
    /// The colours that the environment says the terminal supports.
    #[default]
    Auto,
    /// No colours.
    None,
    /// The terminal's own 16.
    Sixteen,
    /// The 256-colour palette.
    Indexed,
    /// 24-bit colours.
    True,
}

/// Which characters are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GlyphChoice {
    /// Unicode or ASCII, as the locale says.
    #[default]
    Auto,
    /// ASCII only.
    Ascii,
    /// Braille dots, rules, arrows.
    Unicode,
}

/// The fields of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    colours: ColourChoice,
    glyphs: GlyphChoice,
    frames_per_second: u32,
    mouse: bool,
    charts: (String, String, String),
    across: String,
    palette: BTreeMap<String, String>,
    keys: BTreeMap<String, Vec<String>>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            colours: ColourChoice::Auto,
            glyphs: GlyphChoice::Auto,
            frames_per_second: FRAMES_PER_SECOND,
            mouse: true,
            charts: Charts::default().shown().map(|chart| chart.key.to_owned()).into(),
            across: Across::default().name().to_owned(),
            palette: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }
}

/// The user's preferences for the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Preferences {
    /// Which colours are used.
    pub colours: ColourChoice,
    /// Which characters are used.
    pub glyphs: GlyphChoice,
    /// Maximum number of frames per second while no key is pressed.
    pub frames_per_second: u32,
    /// Whether mouse events are handled.
    pub mouse: bool,
    /// The charts at the start.
    pub charts: Charts,
    /// The horizontal axis of the charts at the start.
    pub across: Across,
    /// The keys of every action.
    pub keys: KeyMap,
    palette: Vec<(Role, Color)>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            colours: ColourChoice::Auto,
            glyphs: GlyphChoice::Auto,
            frames_per_second: File::default().frames_per_second,
            mouse: true,
            charts: Charts::default(),
            across: Across::default(),
            keys: KeyMap::default(),
            palette: Vec::new(),
        }
    }
}

/// An error in the file of preferences.
#[derive(Debug, thiserror::Error)]
pub enum PreferencesError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Something in the file is wrong.
    #[error("{}: {what}; `sharptui screen` prints a file with every default", path.display())]
    Wrong {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
}

/// Returns the path of the file, with environment variables from `variable`; `None` without a home folder.
pub fn usual_path<V: Into<PathBuf>>(variable: impl Fn(&str) -> Option<V>) -> Option<PathBuf> {
    user_folder(Kind::Config, variable).map(|folder| folder.join("screen.ron"))
}

fn chart_keys() -> String {
    let keys: Vec<&str> = quantity::charts().iter().map(|chart| chart.key).collect();
    keys.join(", ")
}

/// Returns the charts of these names, which must differ.
fn charts_named(names: (String, String, String)) -> Result<Charts, String> {
    let all = quantity::charts();
    let names = [names.0, names.1, names.2];
    let named = |name: &String| {
        let found = all.iter().find(|chart| chart.key == name);
        found
            .copied()
            .ok_or_else(|| format!("charts has `{}`; a chart is one of {}", said(name), chart_keys()))
    };
    let [above, left, right] = [named(&names[0])?, named(&names[1])?, named(&names[2])?];
    if above == left || left == right || above == right {
        return Err(format!("charts has the same chart twice: {}", names.join(", ")));
    }
    Ok(Charts::new([above, left, right]))
}

fn across_named(name: &str) -> Result<Across, String> {
    let found = Across::ALL.into_iter().find(|across| across.name() == name);
    let all = || Across::ALL.map(Across::name).join(", ");
    found.ok_or_else(|| format!("across is `{}`; it must be one of {}", said(name), all()))
}

impl Preferences {
    /// Reads the file; returns the defaults if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read, or something in it is wrong.
    pub fn load(path: &Path) -> Result<Self, PreferencesError> {
        let unreadable = |source| PreferencesError::Unreadable {
            path: path.to_owned(),
            source,
        };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
            Ok(found) if found.len() > MOST_BYTES => {
                return Err(PreferencesError::Wrong {
                    path: path.to_owned(),
                    what: format!("it is larger than {MOST_BYTES} bytes"),
                });
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text).map_err(|what| PreferencesError::Wrong {
            path: path.to_owned(),
            what,
        })
    }

    /// Parses and checks the text of a file.
    ///
    /// # Errors
    /// If something in it is wrong: the first error, and its place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = ron::from_str(text).map_err(|error| {
            let at = error.span.start;
            format!("line {}, column {}: {}", at.line, at.col, said(&error.code.to_string()))
        })?;
        if !FRAMES.contains(&file.frames_per_second) {
            return Err(format!(
                "frames_per_second is {}; it must be from {} to {}",
                file.frames_per_second,
                FRAMES.start(),
                FRAMES.end()
            ));
        }
        let mut palette = Vec::new();
        for (name, value) in &file.palette {
            let role = Role::named(name).ok_or_else(|| {
                format!(
                    "palette has `{}`; a name is one of {}",
                    said(name),
                    Role::ALL.map(Role::name).join(", ")
                )
            })?;
            let colour: Color = value.parse().map_err(|_| {
                format!(
                    "palette.{name} is `{}`; a colour is \"#rrggbb\", 0 to 255, or a name, for example \"blue\"",
                    said(value)
                )
            })?;
            palette.push((role, colour));
        }
        Ok(Self {
            colours: file.colours,
            glyphs: file.glyphs,
            frames_per_second: file.frames_per_second,
            mouse: file.mouse,
            charts: charts_named(file.charts)?,
            across: across_named(&file.across)?,
            keys: KeyMap::with(&file.keys)?,
            palette,
        })
    }

    /// Returns a file with every default, for the user to edit.
    #[must_use]
    pub fn template() -> String {
        let file = File::default();
        let keys = KeyMap::default().written();
        let list = |names: &[String]| {
            names
                .iter()
                .map(|name| format!("{name:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let keys = keys
            .iter()
            .map(|(action, names)| format!("        \"{action}\": [{}],\n", list(names)));
        format!(
            "// Preferences for the screen of sharptui, each with its default. You may leave out any of them.\n(\n    \
             // Auto, None, Sixteen, Indexed (256) or True (24 bits)\n    colours: {:?},\n    \
             // Auto, Ascii or Unicode\n    glyphs: {:?},\n    \
             // from {} to {}\n    frames_per_second: {},\n    \
             // clicks and the wheel; if true, hold Shift to select text\n    mouse: {},\n    \
             // the charts above, on the left and on the right, out of {}\n    charts: {:?},\n    \
             // their horizontal axis: {}\n    across: {:?},\n    \
             // a colour (\"#rrggbb\", 0 to 255, or a name) for any of {}\n    palette: {{}},\n    \
             // all keys of each action\n    keys: {{\n{}    }},\n)\n",
            file.colours,
            file.glyphs,
            FRAMES.start(),
            FRAMES.end(),
            file.frames_per_second,
            file.mouse,
            chart_keys(),
            file.charts,
            Across::ALL.map(Across::name).join(", "),
            file.across,
            Role::ALL.map(Role::name).join(", "),
            keys.collect::<String>()
        )
    }

    /// Returns the theme for these preferences and the environment; with `ascii` it has ASCII characters only.
    #[must_use]
    pub fn theme(&self, ascii: bool, variable: impl Fn(&str) -> Option<String>) -> Theme {
        let (colours, glyphs) = Theme::of_environment(variable);
        let colours = match self.colours {
            // NO_COLOR asks every program for no colours, so it overrides the preferences.
            _ if colours == Colours::None => Colours::None,
            ColourChoice::Auto => colours,
            ColourChoice::None => Colours::None,
            ColourChoice::Sixteen => Colours::Basic,
            ColourChoice::Indexed => Colours::Indexed,
            ColourChoice::True => Colours::True,
        };
        let glyphs = match self.glyphs {
            _ if ascii => Glyphs::Ascii,
            GlyphChoice::Auto => glyphs,
            GlyphChoice::Ascii => Glyphs::Ascii,
            GlyphChoice::Unicode => Glyphs::Unicode,
        };
        let mut theme = Theme::new(colours, glyphs);
        if colours != Colours::None {
            for &(role, colour) in &self.palette {
                theme.recolour(role, colour);
            }
        }
        theme
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_as_the_defaults_is_the_defaults() {
        assert_eq!(
            Preferences::parse(&Preferences::template()).unwrap(),
            Preferences::default()
        );
        assert_eq!(Preferences::parse("()").unwrap(), Preferences::default());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_is_allowed() {
        for (text, words) in [
            ("(", "line 1, column"),
            ("(colors: None)", "Unexpected field named `colors`"),
            ("(colours: Many)", "Many"),
            (
                "(frames_per_second: 0)",
                "frames_per_second is 0; it must be from 1 to 10",
            ),
            (
                "(palette: {\"lamda\": \"red\"})",
                "palette has `lamda`; a name is one of lambda, threshold",
            ),
            ("(palette: {\"lambda\": \"reddish\"})", "palette.lambda is `reddish`"),
            ("(keys: {\"explode\": [\"x\"]})", "keys has `explode`"),
            ("(keys: {\"abort\": [\"q\"]})", "`q` is bound to both abort and quit"),
            ("(keys: {\"quit\": []})", "quit needs a key"),
            ("(keys: {\"abort\": [\"Hyper-x\"]})", "keys.abort has `Hyper-x`"),
        ] {
            let error = Preferences::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn colours_and_characters_are_as_wished_and_no_color_goes_before() {
        let wish = |text: &str, ascii, variables: &[(&str, &str)]| {
            let find = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            Preferences::parse(text).unwrap().theme(ascii, find)
        };
        let utf8 = ("LANG", "C.UTF-8");
        assert_eq!(wish("(glyphs: Ascii)", false, &[utf8]).glyphs, Glyphs::Ascii);
        assert_eq!(wish("(glyphs: Unicode)", false, &[]).glyphs, Glyphs::Unicode);
        assert_eq!(wish("(glyphs: Unicode)", true, &[utf8]).glyphs, Glyphs::Ascii);
        let red = "(palette: {\"lambda\": \"#ff0000\"}, colours: True)";
        assert_eq!(wish(red, false, &[]).lambda.fg, Some(Color::Rgb(255, 0, 0)));
        assert_eq!(wish(red, false, &[("NO_COLOR", "1")]).lambda.fg, None);
    }
}
