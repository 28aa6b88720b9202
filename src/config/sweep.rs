//! The `sweep` of a config: its axes, in the order in which they are written.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::settings::{Overrides, Settings};

/// The most cells a sweep may have: more would not end in a lifetime, and a typing error can ask for millions.
pub const MAX_CELLS: usize = 10_000;

/// Key of the axes that vary several settings at once.
pub(super) const TOGETHER: &str = "together";

/// Every combination of the axes' entries is a cell; the first axis is outermost, the last one fastest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sweep {
    pub(super) axes: Vec<Axis>,
}

/// One direction of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    /// The setting it varies, or [`TOGETHER`].
    pub(super) key: &'static str,
    /// What each of its entries gives.
    pub(super) entries: Vec<Overrides>,
}

impl Axis {
    /// The settings it varies. Entries of a checked axis all name the same, so the first speaks for all.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.entries.first().map(Overrides::names).unwrap_or_default()
    }

    /// Where the file gives this setting in that entry: `sweep.dropout[3]` or `sweep.together[1].dropout`.
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

    /// How many cells it expands to, if that can be counted at all.
    pub(super) fn cell_count(&self) -> Option<usize> {
        self.axes
            .iter()
            .try_fold(1_usize, |count, axis| count.checked_mul(axis.entries.len()))
    }

    /// Where the file gives a swept setting of a cell, and its value there; `None` if it is not swept.
    pub(super) fn origin(&self, pick: &[usize], setting: &str) -> Option<(String, String)> {
        self.axes.iter().zip(pick).find_map(|(axis, &entry)| {
            let entries = axis.entries.get(entry)?.entries();
            let (_, value) = entries.into_iter().find(|(name, _)| *name == setting)?;
            Some((axis.path(entry, setting), value))
        })
    }

    /// For every cell in queue order, which entry of each axis it takes.
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

/// More values than are kept of a sweep that has too many cells, one axis or all of them; fewer are told by their number.
/// A list of a million is refused before it takes some hundred times the memory of its text.
const TOO_MANY: usize = 2 * MAX_CELLS;

fn too_many<E: Error>() -> E {
    E::custom(format!(
        "lists more than {TOO_MANY} values, and at most {MAX_CELLS} cells are allowed"
    ))
}

/// The entries of an axis.
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

/// What an axis may be called.
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
