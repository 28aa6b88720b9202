//! A run that trains without a screen, and screens that attach to it and detach from it.
//!
//! ```text
//! training process                                            screen, any number of them
//! trainer ─events─▶ Hub ─▶ Server ═ RUN_DIR/.live/socket ═▶ Link ─▶ History ─events─▶ tui
//!    ▲──────────────commands──────────┘                ◀═══════════commands════════╛
//! ```
//!
//! Only state changes go over the socket, one JSON value per line. Measured points are read from the run directory, so
//! a screen shows the whole history whenever it attaches, and the training process stores no curves.

mod client;
mod history;
mod hub;
mod inbox;
mod launch;
mod post;
mod ration;
mod server;
mod standing;
mod wire;

pub use client::{Link, LiveError, connect};
pub use history::follow;
pub use hub::Hub;
pub use inbox::Inbox;
pub use launch::{Launched, become_ready, launch};
pub use post::Post;
pub use server::Server;
pub use wire::{Hello, Request, parse_event, parse_request};
