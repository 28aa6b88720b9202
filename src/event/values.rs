//! Numbers by quantity key, as stored in points and summaries.

use std::fmt;
use std::sync::{OnceLock, PoisonError, RwLock};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Numbers by quantity key, each key at most once, in insertion order.
///
/// A non-finite number is written as null, and null is read as NaN, so "measured but not finite" stays distinct from
/// "not measured". Other JSON values are ignored.
#[derive(Clone, Debug, Default)]
pub struct Values(Vec<(&'static str, f64)>);

/// Equality ignores the order.
impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl Values {
    /// Returns the number with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<f64> {
        let found = self.0.iter().find(|(known, _)| *known == key);
        found.map(|(_, value)| *value)
    }

    /// Sets a number, replacing an existing one.
    pub fn set(&mut self, key: &'static str, value: f64) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.0.push((key, value)),
        }
    }

    /// Sets every number of `later`.
    pub fn take_in(&mut self, later: &Self) {
        for (key, value) in later.iter() {
            self.set(key, value);
        }
    }

    /// Removes a number.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(known, _)| *known != key);
    }

    /// Iterates over all keys and numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().copied()
    }

    /// Returns whether there are no numbers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const N: usize> From<[(&'static str, f64); N]> for Values {
    fn from(values: [(&'static str, f64); N]) -> Self {
        let mut all = Self::default();
        for (key, value) in values {
            all.set(key, value);
        }
        all
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.iter() {
            // JSON has no NaN. serde_json writes null for non-finite numbers, other formats would not.
            map.serialize_entry(key, &value.is_finite().then_some(value))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Numbers)
    }
}

struct Numbers;

impl<'de> Visitor<'de> for Numbers {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("numbers by the keys of quantities")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Entry {
            Number(f64),
            Null(()),
            Other(IgnoredAny),
        }
        let mut values = Values::default();
        while let Some(key) = map.next_key::<std::borrow::Cow<str>>()? {
            let value = match map.next_value()? {
                Entry::Number(value) => value,
                Entry::Null(()) => f64::NAN,
                Entry::Other(_) => continue,
            };
            if let Some(key) = kept(&key) {
                values.set(key, value);
            }
        }
        Ok(values)
    }
}

/// Limit of the keys that are kept until the process ends, so a file with ever new keys cannot fill the memory.
const MOST_KEYS: usize = 1_024;

/// Interns a key until the process ends: a run of a million points repeats the same few keys. Returns none if there are
/// too many keys or the key is too long.
fn kept(key: &str) -> Option<&'static str> {
    static KEYS: OnceLock<RwLock<Vec<&'static str>>> = OnceLock::new();
    let keys = KEYS.get_or_init(RwLock::default);
    let find = |keys: &[&'static str]| keys.iter().copied().find(|known| *known == key);
    if let Some(known) = find(&keys.read().unwrap_or_else(PoisonError::into_inner)) {
        return Some(known);
    }
    let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
    find(&keys).or_else(|| {
        (keys.len() < MOST_KEYS && key.len() <= 256).then(|| {
            let key: &'static str = Box::leak(key.to_owned().into_boxed_str());
            keys.push(key);
            key
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_finite_is_null_in_json_and_nan_when_it_is_read() {
        let values = Values::from([("loss", f64::NAN), ("norm", 0.1), ("top", f64::INFINITY)]);
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(text, r#"{"loss":null,"norm":0.1,"top":null}"#);
        let back: Values = serde_json::from_str(&text).unwrap();
        assert!(back.get("loss").unwrap().is_nan() && back.get("top").unwrap().is_nan());
        assert_eq!((back.get("norm"), back.get("other")), (Some(0.1), None));
    }

    #[test]
    fn what_is_no_number_is_passed_over() {
        let text = r#"{"a":1,"words":"x","truth":true,"list":[1,2],"map":{"b":2},"c":-2.5e-3}"#;
        let values: Values = serde_json::from_str(text).unwrap();
        assert_eq!(values, Values::from([("a", 1.0), ("c", -2.5e-3)]));
    }
}
