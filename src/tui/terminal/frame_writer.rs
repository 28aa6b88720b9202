//! One synchronized write per frame.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};

use super::shorten::shortened;

/// Collects the output of a frame and passes it on as one write between the marks of a synchronized update, so that the
/// terminal never shows half a frame. (A plain `Stdout` splits a frame into writes of a kilobyte.)
#[derive(Debug)]
pub(in crate::tui) struct FrameWriter<W: Write> {
    inner: W,
    frame: Vec<u8>,
    /// Whether the terminal is gone. Frames are then discarded.
    abandoned: Rc<Cell<bool>>,
    /// Number of bytes of all frames so far.
    sent_bytes: Rc<Cell<u64>>,
}

impl<W: Write> FrameWriter<W> {
    pub(in crate::tui) fn new(inner: W, abandoned: Rc<Cell<bool>>) -> Self {
        Self {
            inner,
            frame: Vec::new(),
            abandoned,
            sent_bytes: Rc::default(),
        }
    }

    /// Returns the number of bytes of all frames so far, which goes on counting.
    pub(in crate::tui) fn sent_bytes(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.sent_bytes)
    }
}

impl<W: Write> Write for FrameWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.frame.is_empty() {
            queue!(self.frame, BeginSynchronizedUpdate)?;
        }
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        queue!(self.frame, EndSynchronizedUpdate)?;
        let frame = shortened(&std::mem::take(&mut self.frame));
        if self.abandoned.get() {
            return Ok(());
        }
        self.sent_bytes.set(self.sent_bytes.get() + frame.len() as u64);
        self.inner.write_all(&frame)?;
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Writes(Vec<String>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_frame_is_one_write_between_the_marks_of_a_synchronized_update() {
        let mut writer = FrameWriter::new(Writes::default(), Rc::default());
        for _ in 0..10_000 {
            writer.write_all(b"cell").unwrap();
        }
        writer.flush().unwrap();
        writer.flush().unwrap();
        let sent = usize::try_from(writer.sent_bytes().get()).unwrap();
        assert_eq!(sent, writer.inner.0.concat().len());
        let [frame] = &writer.inner.0[..] else {
            panic!("{} writes", writer.inner.0.len())
        };
        assert!(frame.starts_with("\u{1b}[?2026hcell") && frame.ends_with("cell\u{1b}[?2026l"));
    }

    #[test]
    fn nothing_is_written_to_a_terminal_that_is_gone() {
        let mut writer = FrameWriter::new(Writes::default(), Rc::new(Cell::new(true)));
        writer.write_all(b"cell").unwrap();
        writer.flush().unwrap();
        assert!(writer.inner.0.is_empty());
    }
}
