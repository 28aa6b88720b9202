//! A macro that generates, from one list of settings, the settings of a cell and the forms in which a file gives some
//! of them.

use ron::Options;
use ron::extensions::Extensions;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Returns the options for reading and writing configs: `epochs: 5` means `epochs: Some(5)`.
pub(super) fn ron_options() -> Options {
    Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

/// Returns a value as compact RON text.
pub(super) fn text<T: Serialize>(value: &T) -> String {
    // Writing plain data to a string should never fail. If it does, the error appears in place of the value.
    ron_options()
        .to_string(value)
        .unwrap_or_else(|error| format!("({error})"))
}

/// Reads a value that is given. For an optional setting, `None` is a value, too; it differs from leaving the setting
/// out.
pub(super) fn read_given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Writes a value that is given, in the form that [`read_given`] reads.
// The signature is serde's.
#[allow(clippy::ref_option)]
pub(super) fn write_given<S: Serializer, T: Serialize>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(to),
        None => to.serialize_none(),
    }
}

/// A value within another format, as compact RON text: RON's identifiers have no counterpart in JSON.
pub mod as_ron {
    use super::{Deserialize, Deserializer, Serialize, Serializer, ron_options, text};
    use serde::de::{DeserializeOwned, Error};

    /// Writes the value as a string.
    ///
    /// # Errors
    /// Returns the error of the other format.
    pub fn serialize<T: Serialize, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        text(value).serialize(to)
    }

    /// Reads the value from a string.
    ///
    /// # Errors
    /// Returns an error if the string is not such a value.
    pub fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        let text = String::deserialize(from)?;
        ron_options().from_str(&text).map_err(D::Error::custom)
    }
}

/// Generates [`Settings`](super::Settings), `Overrides` and `Document` from one list of settings.
///
/// A setting without a default must be given in the file or in its sweep. The brackets after `=>` hold the ranges of
/// its values, as text.
macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident: $type:ty $(= $default:expr)? $(=> [$($range:expr),+ $(,)?])?,
    )*) => {
        /// All settings of one cell, with defaults filled in. They decide everything that the cell computes.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Settings {
            $(
                $(#[doc = $doc])*
                $(#[doc = concat!("\n\nDefault: `", stringify!($default), "`.")])?
                pub $name: $type,
            )*
        }

        impl Settings {
            /// The names of all settings, in the order in which they are documented.
            pub const NAMES: &'static [&'static str] = &[$( stringify!($name), )*];

            /// Returns the book's entry of every setting, in the same order.
            pub(super) fn reference() -> Vec<$crate::config::reference::Entry> {
                vec![$( $crate::config::reference::Entry {
                    name: stringify!($name),
                    form: <$type as $crate::config::reference::Form>::form(),
                    ranges: vec![$( $( $range.to_string(), )+ )?],
                    default: [$( $crate::config::schema::text::<$type>(&$default), )?].into_iter().next(),
                    meaning: concat!($( $doc, )*).trim(),
                }, )*]
            }

            /// Returns every setting with its value as compact RON text. A limit that is not set is `None`.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, String)> {
                vec![$( (stringify!($name), $crate::config::schema::text(&self.$name)), )*]
            }

            /// Returns the same settings with one of them at its default, or `None` if that setting has no default. The
            /// default is the behaviour of older versions of the program, which did not have the setting.
            #[must_use]
            pub fn with_default(&self, name: &str) -> Option<Self> {
                match name {
                    $( $( stringify!($name) => Some(Self { $name: $default, ..self.clone() }), )? )*
                    _ => None,
                }
            }
        }

        /// Some of the settings: those that a file gives for all cells, or those in one entry of a sweep.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        // `None` of the outer option means "not given"; `None` of the inner option means "given as off".
        #[allow(clippy::option_option)]
        pub(super) struct Overrides {
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[serde(deserialize_with = "super::schema::read_given", serialize_with = "super::schema::write_given")]
                $name: Option<$type>,
            )*
        }

        impl Overrides {
            /// Returns the names of the settings that are given.
            pub(super) fn names(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $( if self.$name.is_some() { names.push(stringify!($name)); } )*
                names
            }

            /// Returns the given settings with their values as compact RON text.
            pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
                let mut entries = Vec::new();
                $(
                    if let Some(value) = &self.$name {
                        entries.push((stringify!($name), $crate::config::schema::text(value)));
                    }
                )*
                entries
            }

            /// Overwrites settings with those that `other` gives.
            pub(super) fn apply(&mut self, other: &Self) {
                $( if other.$name.is_some() { self.$name.clone_from(&other.$name); } )*
            }

            /// Replaces those settings of a cell that are given.
            pub(super) fn onto(&self, settings: &mut Settings) {
                $( if let Some(value) = &self.$name { settings.$name.clone_from(value); } )*
            }

            /// Sets every setting that has a default and is not given to its default.
            pub(super) fn fill_defaults(&mut self) {
                $( $( self.$name.get_or_insert_with(|| $default); )? )*
            }

            /// Returns the complete settings.
            ///
            /// # Errors
            /// Returns the name of the first setting that is not given.
            pub(super) fn settle(self) -> Result<Settings, &'static str> {
                Ok(Settings { $( $name: self.$name.ok_or(stringify!($name))?, )* })
            }

            /// Reads the list of values of one swept setting; `None` if there is no such setting.
            pub(super) fn read_axis<'de, A: serde::de::MapAccess<'de>>(
                name: &str,
                from: &mut A,
            ) -> Result<Option<Vec<Self>>, A::Error> {
                match name {
                    $(
                        stringify!($name) => {
                            let $crate::config::sweep::Listed(values) = from.next_value::<$crate::config::sweep::Listed<$type>>()?;
                            let entry = |value| Self { $name: Some(value), ..Self::default() };
                            Ok(Some(values.into_iter().map(entry).collect()))
                        }
                    )*
                    _ => Ok(None),
                }
            }

            /// Writes the list of values of one swept setting, in the form that [`read_axis`](Self::read_axis) reads.
            pub(super) fn write_axis<S: serde::ser::SerializeStruct>(
                name: &'static str,
                entries: &[Self],
                to: &mut S,
            ) -> Result<(), S::Error> {
                match name {
                    $(
                        stringify!($name) => {
                            let values: Vec<&$type> = entries.iter().filter_map(|entry| entry.$name.as_ref()).collect();
                            to.serialize_field(stringify!($name), &values)
                        }
                    )*
                    _ => Ok(()),
                }
            }
        }

        /// A config file, as written.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(clippy::option_option)]
        pub(super) struct Document {
            /// The name of the experiment. The default is the file's name.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) name: Option<String>,
            /// The largest number of steps of every cell. A resolved config stores `--steps` here.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) cut_at_steps: Option<std::num::NonZeroU64>,
            /// The numbers of examples in the files, for data sets whose numbers are not fixed. A resolved config
            /// stores them here.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub(super) files_hold: Vec<super::FilesHold>,
            /// The exports that are kept up to date while the sweep trains.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub(super) export: Vec<super::Export>,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[serde(deserialize_with = "super::schema::read_given", serialize_with = "super::schema::write_given")]
                $name: Option<$type>,
            )*
            /// The settings in which the cells differ.
            #[serde(default, skip_serializing_if = "super::sweep::Sweep::is_empty")]
            pub(super) sweep: super::sweep::Sweep,
        }

        impl Document {
            /// Builds a file from its parts.
            pub(super) fn new(
                name: String,
                cut_at_steps: Option<std::num::NonZeroU64>,
                files_hold: Vec<super::FilesHold>,
                export: Vec<super::Export>,
                base: Overrides,
                sweep: super::sweep::Sweep,
            ) -> Self {
                Self { name: Some(name), cut_at_steps, files_hold, export, $( $name: base.$name, )* sweep }
            }

            /// Returns the settings that are given for all cells.
            pub(super) fn base(&self) -> Overrides {
                Overrides { $( $name: self.$name.clone(), )* }
            }
        }
    };
}

pub(super) use settings;
