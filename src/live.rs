//! A run that goes on without a screen, and screens that come and go.
//!
//! ```text
//! training process                                            screen, any number of them
//! trainer ─events─▶ Hub ─▶ Server ═ RUN_DIR/.live/socket ═▶ Link ─▶ History ─events─▶ tui
//!    ▲──────────────commands──────────┘                ◀═══════════commands════════╛
//! ```
//!
//! Over the socket go changes of state only, one JSON value a line. What was measured is read from the run directory, so
//! a screen shows the whole history whenever it comes, and the training process keeps no curves.

mod client;
mod history;
mod hub;
mod launch;
mod server;
mod standing;
mod wire;

pub use client::{Link, LiveError, connect};
pub use history::follow;
pub use hub::Hub;
pub use launch::{Launched, become_ready, launch};
pub use server::Server;
pub use wire::{Hello, Request, parse_event, parse_request};
