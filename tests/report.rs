//! Reports of run directories that are written here, with known numbers.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

#[path = "report/bench.rs"]
mod bench;
#[path = "report/compared.rs"]
mod compared;
#[path = "report/findings.rs"]
mod findings;
#[path = "report/gaps.rs"]
mod gaps;
#[path = "report/pages.rs"]
mod pages;
