//! The key map: the table of [`keys`](crate::tui::keys) with the user's changes.

use std::collections::BTreeMap;

use crossterm::event::{KeyEvent, KeyEventKind};

use super::{Action, BINDINGS, Binding, Chord};
use crate::tui::words::said;

/// Actions that must have a key, so that the user can always get help and leave.
const NEEDED: [Action; 4] = [Action::Quit, Action::Help, Action::Close, Action::Interrupt];

/// The keys of every action, in the order of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMap(Vec<Vec<Chord>>);

impl Default for KeyMap {
    fn default() -> Self {
        Self(BINDINGS.iter().map(|binding| binding.chords.to_vec()).collect())
    }
}

impl KeyMap {
    /// Builds the table with other keys for some of the actions, which are given by name.
    ///
    /// # Errors
    /// If an action or a key does not exist, a key is bound to two actions, or an action that needs a key has none.
    pub(in crate::tui) fn with(changed: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let mut map = Self::default();
        for (name, keys) in changed {
            let at = BINDINGS.iter().position(|binding| binding.action.name() == *name);
            let at = at.ok_or_else(|| format!("keys has `{}`, which is not an action", said(name)))?;
            let chords = keys.iter().map(|key| {
                let wrong = || {
                    let key = said(key);
                    format!("keys.{name} has `{key}`; a key is a letter, \"space\", \"Enter\", \"PgUp\", \"F1\", \"Ctrl-x\" or similar")
                };
                Chord::named(key).ok_or_else(wrong)
            });
            map.0[at] = chords.collect::<Result<_, _>>()?;
        }
        for (binding, chords) in BINDINGS.iter().zip(&map.0) {
            if chords.is_empty() && NEEDED.contains(&binding.action) {
                return Err(format!("keys.{0} is empty, but {0} needs a key", binding.action.name()));
            }
        }
        let all: Vec<(Chord, Action)> = BINDINGS
            .iter()
            .zip(&map.0)
            .flat_map(|(binding, chords)| chords.iter().map(|chord| (*chord, binding.action)))
            .collect();
        for (at, (chord, action)) in all.iter().enumerate() {
            if let Some((_, other)) = all[..at]
                .iter()
                .find(|(before, other)| before == chord && other != action)
            {
                let (one, other) = (action.name(), other.name());
                let (first, second) = if one < other { (one, other) } else { (other, one) };
                return Err(format!(
                    "keys: `{}` is bound to both {first} and {second}",
                    chord.name()
                ));
            }
        }
        Ok(map)
    }

    /// Returns the name and the keys of every action, as they are written in a file.
    pub(in crate::tui) fn written(&self) -> Vec<(String, Vec<String>)> {
        let rows = BINDINGS.iter().zip(&self.0);
        rows.map(|(binding, chords)| (binding.action.name(), chords.iter().map(|chord| chord.name()).collect()))
            .collect()
    }

    /// Returns the action that this key triggers, if any.
    #[must_use]
    pub fn action(&self, event: &KeyEvent) -> Option<Action> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let rows = BINDINGS.iter().zip(&self.0);
        let bound = |(_, chords): &(&Binding, &Vec<Chord>)| chords.iter().any(|chord| chord.matches(event));
        rows.into_iter().find(bound).map(|(binding, _)| binding.action)
    }

    /// Returns the names of the keys of an action, separated by blanks: "space p".
    #[must_use]
    pub fn names(&self, action: Action) -> String {
        let at = BINDINGS.iter().position(|binding| binding.action == action);
        let names = at.into_iter().flat_map(|at| &self.0[at]).map(|chord| chord.name());
        names.collect::<Vec<_>>().join(" ")
    }

    /// Returns the name of the first key of an action.
    #[must_use]
    pub fn first(&self, action: Action) -> Option<String> {
        let at = BINDINGS.iter().position(|binding| binding.action == action)?;
        self.0[at].first().map(|chord| chord.name())
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    #[test]
    fn every_key_of_the_table_is_read_back_by_its_name() {
        for chord in BINDINGS.iter().flat_map(|binding| binding.chords) {
            assert_eq!(Chord::named(&chord.name()), Some(*chord), "{}", chord.name());
        }
        for (name, code) in [
            ("F5", KeyCode::F(5)),
            ("Left", KeyCode::Left),
            ("é", KeyCode::Char('é')),
        ] {
            let event = KeyEvent::new(code, KeyModifiers::NONE);
            assert!(Chord::named(name).unwrap().matches(&event), "{name}");
        }
        for name in ["", "xy", "F0", "F99", "Ctrl-", "Ctrl-Up"] {
            assert_eq!(Chord::named(name), None, "{name}");
        }
    }

    #[test]
    fn an_action_has_its_new_keys_and_no_old_one() {
        let changed = BTreeMap::from([("audit".to_owned(), vec!["F2".to_owned(), "Ctrl-a".to_owned()])]);
        let map = KeyMap::with(&changed).unwrap();
        let press = |code, modifiers| map.action(&KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::F(2), KeyModifiers::NONE), Some(Action::Audit));
        assert_eq!(press(KeyCode::Char('a'), KeyModifiers::CONTROL), Some(Action::Audit));
        assert_eq!(press(KeyCode::Char('A'), KeyModifiers::NONE), None);
        assert_eq!(map.names(Action::Audit), "F2 Ctrl-A");
    }
}
