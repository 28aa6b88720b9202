//! What the user wants of every screen: one file, `screen.ron`, checked like a configuration.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ratatui::style::Color;
use serde::{Deserialize, Serialize};

use crate::quantity;
use crate::tui::keys::keymap::KeyMap;
use crate::tui::state::across::Across;
use crate::tui::state::charts::Charts;
use crate::tui::theme::{Colours, Glyphs, Role, Theme};
use crate::tui::words::said;
use crate::user_folders::{Kind, user_folder};

/// Frames a second that may be asked for.
const FRAMES: std::ops::RangeInclusive<u32> = 1..=10;

/// Most frames a second that nobody pressed a key for, unless the user wants another number: what a slow line bears all day,
/// and no slower than numbers can be read.
pub(super) const FRAMES_PER_SECOND: u32 = 5;

/// A file that is larger is none of ours.
const MOST_BYTES: u64 = 1 << 20;

/// Which colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColourChoice {
    /// What the terminal says that it takes.
    #[default]
    Auto,
    /// None.
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
    /// What the locale says.
    #[default]
    Auto,
    /// Nothing but ASCII.
    Ascii,
    /// Braille dots, rules, arrows.
    Unicode,
}

/// The file as it is written.
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

/// What the user wants of every screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Preferences {
    /// Which colours are used.
    pub colours: ColourChoice,
    /// Which characters are used.
    pub glyphs: GlyphChoice,
    /// The most frames that are drawn in a second while nobody presses a key.
    pub frames_per_second: u32,
    /// Whether the mouse is listened to.
    pub mouse: bool,
    /// Which charts there are at the start.
    pub charts: Charts,
    /// What goes across them at the start.
    pub across: Across,
    /// Which keys do what.
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

/// A file of preferences that is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum PreferencesError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}: {what}; `sharptui screen` prints a file with every default", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, and where.
        what: String,
    },
}

/// Where the file is, with environment variables from `variable`; none without a home.
pub fn usual_path<V: Into<PathBuf>>(variable: impl Fn(&str) -> Option<V>) -> Option<PathBuf> {
    user_folder(Kind::Config, variable).map(|folder| folder.join("screen.ron"))
}

fn chart_keys() -> String {
    let keys: Vec<&str> = quantity::charts().iter().map(|chart| chart.key).collect();
    keys.join(", ")
}

/// The charts of these names, which have to be different.
fn charts_named(names: (String, String, String)) -> Result<Charts, String> {
    let all = quantity::charts();
    let names = [names.0, names.1, names.2];
    let named = |name: &String| {
        let found = all.iter().find(|chart| chart.key == name);
        found
            .copied()
            .ok_or_else(|| format!("charts has `{}`; there are {}", said(name), chart_keys()))
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
    found.ok_or_else(|| format!("across is `{}`; there are {}", said(name), all()))
}

impl Preferences {
    /// Reads the file; where there is none, the defaults hold.
    ///
    /// # Errors
    /// A file that cannot be read, or is wrong.
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

    /// Checks the text of a file.
    ///
    /// # Errors
    /// The first thing that is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = ron::from_str(text).map_err(|error| {
            let at = error.span.start;
            format!("line {}, column {}: {}", at.line, at.col, said(&error.code.to_string()))
        })?;
        if !FRAMES.contains(&file.frames_per_second) {
            return Err(format!(
                "frames_per_second is {}, it has to be from {} to {}",
                file.frames_per_second,
                FRAMES.start(),
                FRAMES.end()
            ));
        }
        let mut palette = Vec::new();
        for (name, value) in &file.palette {
            let role = Role::named(name).ok_or_else(|| {
                format!(
                    "palette has `{}`; there are {}",
                    said(name),
                    Role::ALL.map(Role::name).join(", ")
                )
            })?;
            let colour: Color = value.parse().map_err(|_| {
                format!(
                    "palette.{name} is `{}`; a colour is \"#rrggbb\", 0 to 255, or a name such as \"blue\"",
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

    /// A file with every default, to be edited.
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
            "// The screen of sharptui. What is left out has its default; what is here has it, too.\n(\n    \
             // Auto, None, Sixteen, Indexed (256) or True (24 bits)\n    colours: {:?},\n    \
             // Auto, Ascii or Unicode\n    glyphs: {:?},\n    \
             // from {} to {}\n    frames_per_second: {},\n    \
             // clicks and the wheel; text is then selected with shift held down\n    mouse: {},\n    \
             // the chart above, on the left and on the right, of {}\n    charts: {:?},\n    \
             // what goes across them: {}\n    across: {:?},\n    \
             // \"#rrggbb\", 0 to 255, or a name, for {}\n    palette: {{}},\n    \
             // every key of an action\n    keys: {{\n{}    }},\n)\n",
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

    /// The theme for the environment, as far as it decides; ASCII alone where `ascii` is wished.
    #[must_use]
    pub fn theme(&self, ascii: bool, variable: impl Fn(&str) -> Option<String>) -> Theme {
        let (colours, glyphs) = Theme::of_environment(variable);
        let colours = match self.colours {
            // Who sets NO_COLOR wants none in any program.
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
                "frames_per_second is 0, it has to be from 1 to 10",
            ),
            (
                "(palette: {\"lamda\": \"red\"})",
                "palette has `lamda`; there are lambda, threshold",
            ),
            ("(palette: {\"lambda\": \"reddish\"})", "palette.lambda is `reddish`"),
            ("(keys: {\"explode\": [\"x\"]})", "keys has `explode`"),
            ("(keys: {\"abort\": [\"q\"]})", "`q` is both of abort and of quit"),
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
