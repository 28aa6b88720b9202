//! The writer of lines, which keeps the progress bar below them.

use std::io::{ErrorKind, Write};

use indicatif::ProgressBar;

use super::known::Known;
use super::{Style, bar};
use crate::characters::Glyphs;

/// Writes lines until the other end is closed.
pub(super) struct Output<W> {
    out: W,
    style: Style,
    glyphs: Glyphs,
    bar: Option<ProgressBar>,
    /// The first failure; nothing is written after it.
    failed: Option<std::io::Error>,
}

impl<W: Write> Output<W> {
    pub(super) fn new(out: W, style: Style, glyphs: Glyphs) -> Self {
        Self {
            out,
            style,
            glyphs,
            bar: None,
            failed: None,
        }
    }

    /// Writes one line, above the bar if there is one. Every line is flushed, so readers of a log see it immediately.
    pub(super) fn line(&mut self, text: &str) {
        if self.failed.is_some() {
            return;
        }
        let line = format!("{}\n", self.glyphs.spelled(text.trim_end()));
        let out = &mut self.out;
        let mut write = || out.write_all(line.as_bytes()).and_then(|()| out.flush());
        self.failed = match &self.bar {
            Some(bar) => bar.suspend(write).err(),
            None => write().err(),
        };
    }

    /// Draws the progress of the running cell; if several cells run, of the sweep.
    pub(super) fn show(&mut self, known: &Known) {
        if self.style == Style::Bar && self.failed.is_none() && !known.monitor.turns.running.is_empty() {
            bar::draw(self.bar.get_or_insert_with(bar::new), known, self.glyphs);
        } else {
            self.end_bar();
        }
    }

    /// Removes the bar.
    pub(super) fn end_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Returns whether the reader has closed the pipe, as `| head` does.
    pub(super) fn is_closed(&self) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    }

    /// Removes the bar and returns the first failure, except a closed pipe: readers close it when they have enough.
    pub(super) fn finish(mut self) -> std::io::Result<()> {
        self.end_bar();
        match self.failed {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}
