//! From one list of settings: the settings of a cell, and the forms in which a file gives some of them.

use ron::Options;
use ron::extensions::Extensions;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How configs are read and written: `epochs: 5` stands for `epochs: Some(5)`.
pub(super) fn ron_options() -> Options {
    Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

/// A value as compact RON text.
pub(super) fn text<T: Serialize>(value: &T) -> String {
    // Plain data written to a string cannot fail; should it ever, the reason is shown where the value would be.
    ron_options()
        .to_string(value)
        .unwrap_or_else(|error| format!("({error})"))
}

/// Reads a value that is given: `None` for a setting that may be off is a value too, unlike leaving it out.
pub(super) fn read_given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Writes a value that is given, as [`read_given`] reads it.
// The signature is serde's.
#[allow(clippy::ref_option)]
pub(super) fn write_given<S: Serializer, T: Serialize>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(to),
        None => to.serialize_none(),
    }
}

/// Generates [`Settings`](super::Settings), `Overrides` and `Document` from one list of settings.
///
/// A setting without a default must be given, by the file or by its sweep. What stands in brackets behind `=>` is the range of its
/// values, in words.
macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident: $type:ty $(= $default:expr)? $(=> [$($range:expr),+ $(,)?])?,
    )*) => {
        /// Everything that decides what one cell computes; defaults filled in, nothing left open.
        #[derive(Clone, Debug, PartialEq, Serialize)]
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

            /// Every setting as the book shows it, in the same order.
            pub(super) fn reference() -> Vec<$crate::config::reference::Entry> {
                vec![$( $crate::config::reference::Entry {
                    name: stringify!($name),
                    form: <$type as $crate::config::reference::Form>::form(),
                    ranges: vec![$( $( $range.to_string(), )+ )?],
                    default: [$( $crate::config::schema::text::<$type>(&$default), )?].into_iter().next(),
                    meaning: concat!($( $doc, )*).trim(),
                }, )*]
            }

            /// Every setting with its value as compact RON text; a limit that is not set is `None`.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, String)> {
                vec![$( (stringify!($name), $crate::config::schema::text(&self.$name)), )*]
            }

            /// The same settings with this one at its default; `None` if it has none. A default is what programs did that
            /// did not have the setting yet.
            #[must_use]
            pub fn with_default(&self, name: &str) -> Option<Self> {
                match name {
                    $( $( stringify!($name) => Some(Self { $name: $default, ..self.clone() }), )? )*
                    _ => None,
                }
            }
        }

        /// Some of the settings: those a file gives for all cells, or those one entry of a sweep gives.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        // `None` in the outer option is "not given", in the inner one "given as off".
        #[allow(clippy::option_option)]
        pub(super) struct Overrides {
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[serde(deserialize_with = "super::schema::read_given", serialize_with = "super::schema::write_given")]
                $name: Option<$type>,
            )*
        }

        impl Overrides {
            /// The names of the settings that are given.
            pub(super) fn names(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $( if self.$name.is_some() { names.push(stringify!($name)); } )*
                names
            }

            /// The given settings with their values as compact RON text.
            pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
                let mut entries = Vec::new();
                $(
                    if let Some(value) = &self.$name {
                        entries.push((stringify!($name), $crate::config::schema::text(value)));
                    }
                )*
                entries
            }

            /// Takes over what the other one gives.
            pub(super) fn apply(&mut self, other: &Self) {
                $( if other.$name.is_some() { self.$name.clone_from(&other.$name); } )*
            }

            /// Gives every setting that has a default and is not given yet.
            pub(super) fn fill_defaults(&mut self) {
                $( $( self.$name.get_or_insert_with(|| $default); )? )*
            }

            /// The settings, once all are given.
            ///
            /// # Errors
            /// The name of the first that is not.
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

            /// Writes the list of values of one swept setting, as [`read_axis`](Self::read_axis) reads it.
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
            /// Name of the experiment; that of the file if it is left out.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) name: Option<String>,
            /// Where every cell is cut; a resolved config remembers `--steps` by it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) cut_at_steps: Option<std::num::NonZeroU64>,
            /// How many examples the files of data sets of open length hold; a resolved config remembers it.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub(super) files_hold: Vec<super::FilesHold>,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[serde(deserialize_with = "super::schema::read_given", serialize_with = "super::schema::write_given")]
                $name: Option<$type>,
            )*
            /// What the cells differ in.
            #[serde(default, skip_serializing_if = "super::sweep::Sweep::is_empty")]
            pub(super) sweep: super::sweep::Sweep,
        }

        impl Document {
            /// Puts a file together from what it says.
            pub(super) fn new(
                name: String,
                cut_at_steps: Option<std::num::NonZeroU64>,
                files_hold: Vec<super::FilesHold>,
                base: Overrides,
                sweep: super::sweep::Sweep,
            ) -> Self {
                Self { name: Some(name), cut_at_steps, files_hold, $( $name: base.$name, )* sweep }
            }

            /// The settings given for all cells.
            pub(super) fn base(&self) -> Overrides {
                Overrides { $( $name: self.$name.clone(), )* }
            }
        }
    };
}

pub(super) use settings;
