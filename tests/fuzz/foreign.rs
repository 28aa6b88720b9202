//! Files of other programs: an event behind a right checksum, and a table.

use std::fs;
use std::path::Path;

use sharptui::foreign::{Folder, ForeignError};

use crate::campaign::{Target, run};

/// Memory for a file of at most some megabytes: its text, its fields and its numbers.
const MOST_MEMORY_BYTES: u64 = 64 << 20;

/// Returns the checksum of TFRecord, bit by bit.
fn masked_crc(bytes: &[u8]) -> [u8; 4] {
    let bit = |crc: u32| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0x82f6_3b78
        } else {
            crc >> 1
        }
    };
    let crc = bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| bit(crc)));
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length, &masked_crc(&length)[..], data, &masked_crc(data)].concat()
}

/// Opens a file and makes every point of it. A file without numbers is no error here.
fn open(path: &Path) -> Result<(), String> {
    match Folder::open(path) {
        Ok(folder) => {
            let (plans, notes) = (folder.plans(), folder.notes());
            assert!(plans.len() == folder.runs().count() && notes.len() < 1_000);
            for run in folder.runs() {
                folder.points(run).for_each(drop);
            }
            Ok(())
        }
        Err(ForeignError::NoNumbers { .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn no_event_makes_its_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tfevents");
    let target = Target {
        name: "foreign_event",
        place: "a.tfevents: the record at byte 0 is damaged",
        most_memory_bytes: MOST_MEMORY_BYTES,
        seeds: Vec::new(),
    };
    run(&target, |input| {
        fs::write(&path, record(input)).unwrap();
        open(&path)
    });
}

#[test]
fn no_table_of_curves_makes_its_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let target = Target {
        name: "foreign_table",
        place: "a.csv: line ",
        most_memory_bytes: MOST_MEMORY_BYTES,
        seeds: Vec::new(),
    };
    run(&target, |input| {
        fs::write(&path, input).unwrap();
        open(&path)
    });
}
