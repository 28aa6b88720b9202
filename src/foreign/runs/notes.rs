//! What people must know to read the curves.

use std::collections::BTreeSet;

use super::super::names::Part;
use super::super::own;
use super::{Place, Runs, own_name};
use crate::quantity::Format;

impl Runs {
    /// Returns which tag is which quantity, and what was left out.
    pub(in crate::foreign) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let (mut own, mut left_out) = (BTreeSet::new(), BTreeSet::new());
        for tag in &self.tags {
            match tag.place {
                Place::Declared(meaning) if meaning.part == Part::Value && (meaning.is_guess || tag.is_percent()) => {
                    let unit = match (meaning.quantity.format, tag.is_percent()) {
                        (Format::Share, true) => ", taken as per cent because it exceeds 1",
                        (Format::Share, false) => ", taken as a fraction of 1",
                        _ => "",
                    };
                    notes.push(format!("{} is `{}`{unit}", meaning.quantity.label, tag.name));
                }
                Place::Declared(_) | Place::New => {}
                Place::Own(_) => drop(own.insert(own_name(tag))),
                Place::None => drop(left_out.insert(own_name(tag))),
            }
        }
        notes.sort();
        notes.dedup();
        let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
        if !own.is_empty() {
            notes.push(format!("under their own names: {}", list(own)));
        }
        if !left_out.is_empty() {
            let most = own::MOST;
            notes.push(format!(
                "left out, because only {most} names that are no quantity of this program are drawn: {}",
                list(left_out)
            ));
        }
        if !self.not_numbers.is_empty() {
            let names: Vec<&str> = self.not_numbers.iter().map(String::as_str).collect();
            notes.push(format!("left out, because they are not numbers: {}", names.join(", ")));
        }
        notes
    }
}
