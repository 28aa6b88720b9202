//! Takes the terminal for the screen, and restores it in every case.

mod frame_writer;
pub(super) mod input;
pub(super) mod jobs;
pub(super) mod panics;
pub(super) mod relay;
mod shorten;
pub mod svg;

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::{Print, ResetColor};
use crossterm::terminal::{self, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::characters::Glyphs;
use crate::tui::TuiError;
use frame_writer::FrameWriter;
use jobs::{Jobs, own_group};

type Backend = CrosstermBackend<FrameWriter<File>>;

/// The terminal while the screen is shown. Dropping it restores the terminal.
///
/// Text that any code prints meanwhile goes to the log and not onto the screen: the descriptors 1 and 2 point to the
/// log, and the screen is drawn through a duplicate of stdout.
pub(super) struct Screen {
    terminal: Terminal<Backend>,
    controls: File,
    real_stdout: OwnedFd,
    /// `None` if stderr was already redirected when the screen started; it is then left alone.
    real_stderr: Option<OwnedFd>,
    log: File,
    abandoned: Rc<Cell<bool>>,
    /// Number of bytes of all frames so far.
    pub(super) sent_bytes: Rc<Cell<u64>>,
    mouse: bool,
    /// Whether the terminal is set up for the screen. It is restored only once, so that text that others wrote since
    /// then is kept.
    is_taken: bool,
}

/// Asks the terminal to report presses, drags and the wheel, at any column (SGR). Crossterm's own command also asks for
/// every move of the mouse, and each would be sent over the connection.
const MOUSE: &str = "\u{1b}[?1000h\u{1b}[?1002h\u{1b}[?1006h";
const NO_MOUSE: &str = "\u{1b}[?1006l\u{1b}[?1002l\u{1b}[?1000l";

impl Screen {
    pub(super) fn enter(log_path: Option<&Path>, mouse: bool) -> Result<Self, TuiError> {
        let log_path = log_path.unwrap_or(Path::new("/dev/null"));
        let log = OpenOptions::new().create(true).append(true).open(log_path);
        let log = log.map_err(|source| TuiError::Log {
            path: log_path.to_owned(),
            source,
        })?;
        Self::enter_with(log, mouse).map_err(TuiError::Terminal)
    }

    fn enter_with(log: File, mouse: bool) -> io::Result<Self> {
        // If NO_COLOR is set, crossterm writes a reset for every colour, even for none, and this removes bold. The
        // theme already respects NO_COLOR.
        crossterm::style::force_color_output(true);
        let duplicate = || -> io::Result<OwnedFd> { Ok(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?) };
        let stderr = io::stderr();
        let real_stderr = if stderr.is_terminal() {
            Some(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?)
        } else {
            None
        };
        let abandoned = Rc::new(Cell::new(false));
        let writer = FrameWriter::new(File::from(duplicate()?), Rc::clone(&abandoned));
        let sent_bytes = writer.sent_bytes();
        let mut screen = Self {
            sent_bytes,
            terminal: Terminal::new(CrosstermBackend::new(writer))?,
            controls: File::from(duplicate()?),
            real_stdout: duplicate()?,
            real_stderr,
            log,
            abandoned,
            mouse,
            is_taken: false,
        };
        panics::start();
        screen.take()?;
        Ok(screen)
    }

    pub(super) fn terminal(&mut self) -> &mut Terminal<Backend> {
        &mut self.terminal
    }

    /// Marks the terminal as gone: nothing is written to it any more.
    pub(super) fn abandon(&self) {
        self.abandoned.set(true);
    }

    /// Marks the terminal as gone, if it is.
    pub(super) fn abandon_if(&self, is_gone: bool) {
        if is_gone {
            self.abandon();
        }
    }

    /// Restores the terminal, and stops the process group until the shell continues it.
    pub(super) fn suspend(&mut self, jobs: &Jobs) -> io::Result<()> {
        self.give_back()?;
        jobs.stop()
    }

    /// Returns whether this process group is in the foreground of the terminal. It is not if the shell continued it in
    /// the background.
    pub(super) fn is_ours(&self) -> bool {
        // If this is unknown, taking the terminal will show it.
        match (rustix::termios::tcgetpgrp(&self.controls), own_group()) {
            (Ok(in_front), Some(own)) => in_front == own,
            _ => true,
        }
    }

    /// Leaves the terminal to another program that has it. Undoes the changes of this screen, except the terminal
    /// modes: setting them would stop this process. No frame is drawn any more.
    pub(super) fn leave_to_others(&mut self) {
        let _ = self.undo();
        let _ = self.redirect_back();
        self.abandon();
    }

    /// Takes the terminal again after the process was stopped and continued. Meanwhile the shell has set the modes that
    /// it needs, and has written onto the screen.
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        // Otherwise crossterm would assume that the terminal is still in raw mode.
        terminal::disable_raw_mode()?;
        execute!(self.controls, EndSynchronizedUpdate, ResetColor)?;
        self.take()?;
        self.wipe()
    }

    /// Makes the next frame send the whole screen again, at the present size of the window.
    fn wipe(&mut self) -> io::Result<()> {
        // Not `clear`: it asks the terminal where its cursor is, and the answer goes to the input thread.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Sends text to the terminal's clipboard (OSC 52). The terminal does not say whether it accepts the text.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.controls, CopyToClipboard::to_clipboard_from(text))
    }

    fn take(&mut self) -> io::Result<()> {
        io::stdout().flush()?;
        rustix::stdio::dup2_stdout(&self.log)?;
        if self.real_stderr.is_some() {
            rustix::stdio::dup2_stderr(&self.log)?;
        }
        terminal::enable_raw_mode()?;
        self.is_taken = true;
        execute!(
            self.controls,
            EnterAlternateScreen,
            EnableBracketedPaste,
            Print(if self.mouse { MOUSE } else { "" }),
            cursor::Hide
        )
    }

    fn undo(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_taken) {
            return Ok(());
        }
        execute!(
            self.controls,
            EndSynchronizedUpdate,
            ResetColor,
            Print(if self.mouse { NO_MOUSE } else { "" }),
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        )
    }

    /// Restores the terminal. Every step is tried, even if another one failed.
    fn give_back(&mut self) -> io::Result<()> {
        let written = self.undo();
        let cooked = terminal::disable_raw_mode();
        self.redirect_back()?;
        written.and(cooked)
    }

    fn redirect_back(&self) -> io::Result<()> {
        io::stdout().flush()?;
        rustix::stdio::dup2_stdout(&self.real_stdout)?;
        if let Some(stderr) = &self.real_stderr {
            rustix::stdio::dup2_stderr(stderr)?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.abandoned.get() {
            // Descriptors 1 and 2 still point to the log, because there is no terminal to print to.
            panics::stop();
            return;
        }
        // An error is ignored: there is no place left to report it.
        let _ = self.give_back();
        let panics = panics::stop();
        // A stderr that was redirected already has the messages.
        if self.real_stderr.is_some() {
            for message in panics {
                eprintln!("{}", Glyphs::of_output().spelled(message));
            }
        }
    }
}
