//! A small decoder of TensorBoard's event files.

use std::fs;
use std::path::{Path, PathBuf};

/// A number of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    pub tag: String,
    pub step: u64,
    pub wall_time: f64,
    pub value: f32,
}

/// Returns the event files in a folder, by name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_events = |path: &PathBuf| path.to_str().unwrap().contains("tfevents");
    let mut files: Vec<PathBuf> = entries.filter(is_events).collect();
    files.sort();
    files
}

/// Returns the numbers in an event file, and the names of all other values. Checks every checksum.
pub fn read(file: &Path) -> (Vec<Scalar>, Vec<String>) {
    let bytes = fs::read(file).unwrap();
    let (mut scalars, mut others) = (Vec::new(), Vec::new());
    let mut rest = &bytes[..];
    let mut is_first = true;
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let data = &rest[12..12 + length];
        for (checked, at) in [(&rest[..8], 8), (data, 12 + length)] {
            let crc = u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            assert_eq!(crc, crc32c(checked).rotate_right(15).wrapping_add(0xa282_ead8));
        }
        rest = &rest[16 + length..];
        let event = fields(data);
        if is_first {
            assert_eq!(event[1], (3, Field::Bytes(b"brain.Event:2")));
            is_first = false;
        }
        let Some(summary) = event.iter().find_map(|field| field.bytes(5)) else {
            continue;
        };
        for (_, value) in fields(summary) {
            let Field::Bytes(value) = value else { panic!() };
            let value = fields(value);
            let tag = value.iter().find_map(|field| field.bytes(1)).unwrap();
            let tag = String::from_utf8(tag.to_vec()).unwrap();
            let number = value.iter().find_map(|(field, value)| match value {
                Field::Float(number) if *field == 2 => Some(*number),
                _ => None,
            });
            let [(1, Field::Double(wall_time)), (2, Field::Number(step)), ..] = event[..] else {
                panic!("{event:?}");
            };
            match number {
                Some(value) => scalars.push(Scalar {
                    tag,
                    step,
                    wall_time,
                    value,
                }),
                None => others.push(tag),
            }
        }
    }
    (scalars, others)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Field<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
    Float(f32),
}

trait Has<'a> {
    fn bytes(&self, field: u64) -> Option<&'a [u8]>;
}

impl<'a> Has<'a> for (u64, Field<'a>) {
    fn bytes(&self, field: u64) -> Option<&'a [u8]> {
        match self {
            (own, Field::Bytes(bytes)) if *own == field => Some(bytes),
            _ => None,
        }
    }
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (taken, rest) = bytes.split_at(length);
        *bytes = rest;
        let parts = taken.iter().enumerate();
        parts.fold(0, |number, (at, byte)| number | u64::from(byte & 0x7f) << (7 * at))
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => {
                found.push((key >> 3, Field::Number(varint(&mut bytes))));
                continue;
            }
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            other => panic!("{other}"),
        };
        let (taken, rest) = bytes.split_at(length);
        bytes = rest;
        let value = match key & 7 {
            1 => Field::Double(f64::from_le_bytes(taken.try_into().unwrap())),
            5 => Field::Float(f32::from_le_bytes(taken.try_into().unwrap())),
            _ => Field::Bytes(taken),
        };
        found.push((key >> 3, value));
    }
    found
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
        }
    }
    !crc
}
