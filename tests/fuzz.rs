//! Fuzz tests: for a file with any content, the reader does not panic, uses little memory, and its error names the
//! place.
//!
//! Each target begins with the files of `tests/corpus/TARGET`, then changes them at random for `SHARPTUI_FUZZ_SECONDS`
//! (2 by default) from the seed `SHARPTUI_FUZZ_SEED` (1 by default). Files named `valid…` must be accepted, all others
//! must be refused. An input that fails is kept in `target/fuzz-failures`. After the fix, copy it into the corpus.
//!
//! A new target needs a corpus and a function that reads bytes: see [`campaign::run`].

// Clippy allows `unwrap` only in functions marked as tests, not in their helpers.
#![allow(clippy::unwrap_used)]

#[path = "fuzz/campaign.rs"]
mod campaign;
#[path = "fuzz/config.rs"]
mod config;
#[path = "fuzz/data.rs"]
mod data;
#[path = "fuzz/foreign.rs"]
mod foreign;
#[path = "fuzz/live.rs"]
mod live;
#[path = "fuzz/memory.rs"]
mod memory;
#[path = "fuzz/mutation.rs"]
mod mutation;
#[path = "fuzz/record.rs"]
mod record;
