//! Whatever a file holds, its reader does not panic, takes little memory, and says where the fault is.
//!
//! Each target begins with the files of `tests/corpus/TARGET`, then changes them at random for `SHARPTUI_FUZZ_SECONDS`
//! (2 by default) from the seed `SHARPTUI_FUZZ_SEED` (1 by default). Files named `valid…` must be accepted, all others
//! refused. What fails is kept in `target/fuzz-failures`, to be copied into the corpus once it is mended.
//!
//! A new target takes a corpus and a function of bytes: see [`campaign::run`].

// All of this is tests; clippy only knows it of the functions marked so.
#![allow(clippy::unwrap_used)]

#[path = "fuzz/campaign.rs"]
mod campaign;
#[path = "fuzz/config.rs"]
mod config;
#[path = "fuzz/data.rs"]
mod data;
#[path = "fuzz/live.rs"]
mod live;
#[path = "fuzz/memory.rs"]
mod memory;
#[path = "fuzz/mutation.rs"]
mod mutation;
#[path = "fuzz/record.rs"]
mod record;
