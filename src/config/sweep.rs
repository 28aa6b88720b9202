//! The `sweep` of a config: its axes, in the order of the file.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::settings::{Overrides, Settings};

/// The largest number of cells of a sweep. A larger sweep would take too long, and a typing error can ask for millions
/// of cells.
pub const MAX_CELLS: usize = 10_000;

/// The key of axes that vary several settings together.
pub(super) const TOGETHER: &str = "together";

/// The axes of a sweep. Every combination of their entries is a cell. The first axis varies slowest, the last one
/// fastest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sweep {
    pub(super) axes: Vec<Axis>,
}

/// One axis of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    /// The setting it varies, or [`TOGETHER`].
    pub(super) key: &'static str,
    /// The settings that each of its entries gives.
    pub(super) entries: Vec<Overrides>,
}

impl Axis {
    /// Returns the settings that it varies. All entries of a checked axis name the same settings, so the first entry
    /// decides.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.entries.first().map(Overrides::names).unwrap_or_default()
    }

    /// Returns the place in the file of a setting in an entry: `sweep.dropout[3]` or `sweep.together[1].dropout`.
    pub(super) fn path(&self, entry: usize, setting: &str) -> String {
        let key = self.key;
        if key == TOGETHER {
            format!("sweep.{key}[{entry}].{setting}")
        } else {
            format!("sweep.{key}[{entry}]")
        }
    }
}

impl Sweep {
    pub(super) fn is_empty(&self) -> bool {
        self.axes.is_empty()
    }

    /// Returns the number of cells, or `None` if it overflows.
    pub(super) fn cell_count(&self) -> Option<usize> {
        self.axes
            .iter()
            .try_fold(1_usize, |count, axis| count.checked_mul(axis.entries.len()))
    }

    /// Returns the place in the file of a swept setting of a cell, and its value; `None` if the setting is not swept.
    pub(super) fn origin(&self, pick: &[usize], setting: &str) -> Option<(String, String)> {
        self.axes.iter().zip(pick).find_map(|(axis, &entry)| {
            let entries = axis.entries.get(entry)?.entries();
            let (_, value) = entries.into_iter().find(|(name, _)| *name == setting)?;
            Some((axis.path(entry, setting), value))
        })
    }

    /// Returns, for every cell in queue order, the index of its entry in each axis.
    pub(super) fn picks(&self) -> Vec<Vec<usize>> {
        let mut picks = vec![Vec::new()];
        for axis in &self.axes {
            let with_entry = |pick: &Vec<usize>, entry| pick.iter().copied().chain([entry]).collect();
            picks = picks
                .iter()
                .flat_map(|pick| (0..axis.entries.len()).map(move |entry| with_entry(pick, entry)))
                .collect();
        }
        picks
    }
}

impl<'de> Deserialize<'de> for Sweep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Axes;

        impl<'de> Visitor<'de> for Axes {
            type Value = Sweep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("lists of values by setting, such as ( seed: [0, 1, 2] )")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sweep, A::Error> {
                let mut sweep = Sweep::default();
                let mut entry_count = 0;
                while let Some(Key(key)) = map.next_key()? {
                    let entries = match Overrides::read_axis(key, &mut map)? {
                        Some(entries) => entries,
                        None => map.next_value::<Listed<Overrides>>()?.0,
                    };
                    entry_count += entries.len();
                    if entry_count > TOO_MANY {
                        return Err(too_many());
                    }
                    sweep.axes.push(Axis { key, entries });
                }
                Ok(sweep)
            }
        }

        deserializer.deserialize_struct("sweep", KEYS, Axes)
    }
}

impl Serialize for Sweep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("sweep", self.axes.len())?;
        for axis in &self.axes {
            if axis.key == TOGETHER {
                map.serialize_field(TOGETHER, &axis.entries)?;
            } else {
                Overrides::write_axis(axis.key, &axis.entries, &mut map)?;
            }
        }
        map.end()
    }
}

/// The largest number of values that are read, of one axis and of all axes together. A sweep below this limit that has
/// too many cells is refused later, with the number of its cells. This limit refuses a list of a million values early,
/// because the values would take about a hundred times the memory of their text.
const TOO_MANY: usize = 2 * MAX_CELLS;

fn too_many<E: Error>() -> E {
    E::custom(format!(
        "lists more than {TOO_MANY} values, and at most {MAX_CELLS} cells are allowed"
    ))
}

/// The list of values of an axis.
pub(super) struct Listed<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
            type Value = Listed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list in brackets `[…]`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    if values.len() == TOO_MANY {
                        return Err(too_many());
                    }
                    values.push(value);
                }
                Ok(Listed(values))
            }
        }

        deserializer.deserialize_seq(List(PhantomData))
    }
}

/// The allowed keys of an axis.
const KEYS: &[&str] = &{
    let mut keys = [TOGETHER; Settings::NAMES.len() + 1];
    let mut at = 0;
    while at < Settings::NAMES.len() {
        keys[at] = Settings::NAMES[at];
        at += 1;
    }
    keys
};

/// One of [`KEYS`].
struct Key(&'static str);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a setting")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                let known = KEYS.iter().find(|key| **key == name);
                known.map(|key| Key(key)).ok_or_else(|| E::unknown_field(name, KEYS))
            }
        }

        deserializer.deserialize_identifier(Name)
    }
}
