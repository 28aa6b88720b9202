//! Tests of the report, on run directories that the tests write with known numbers.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

#[path = "report/bench.rs"]
mod bench;
#[path = "report/browser.rs"]
mod browser;
#[path = "report/chromium.rs"]
mod chromium;
#[path = "report/compared.rs"]
mod compared;
#[path = "report/correlations.rs"]
mod correlations;
#[path = "report/findings.rs"]
mod findings;
#[path = "report/gaps.rs"]
mod gaps;
#[path = "report/interactions.rs"]
mod interactions;
#[path = "report/pages.rs"]
mod pages;
#[path = "report/spectra.rs"]
mod spectra;
#[path = "report/two.rs"]
mod two;
