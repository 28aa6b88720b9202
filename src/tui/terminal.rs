//! The life of the terminal: taken for the screen, and given back whatever happens.

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

/// The terminal while the screen is up; dropping it gives the terminal back.
///
/// What anything prints meanwhile goes to the log instead of onto the screen: the screen is drawn through a duplicate
/// of stdout, and the descriptors 1 and 2 lead to the log.
pub(super) struct Screen {
    terminal: Terminal<Backend>,
    controls: File,
    real_stdout: OwnedFd,
    /// None if stderr was led elsewhere before we came: it stays there.
    real_stderr: Option<OwnedFd>,
    log: File,
    abandoned: Rc<Cell<bool>>,
    mouse: bool,
    /// Whether the terminal shows this screen; what was undone once is not undone again, over what others wrote.
    is_taken: bool,
}

/// Presses, drags and the wheel, at any column (SGR); crossterm's own command asks for every move, too, and each would be sent
/// over the line.
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
        // With NO_COLOR set, crossterm writes a reset for every colour, even for none, and so wipes bold; what is
        // wished is in the theme already.
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
        let mut screen = Self {
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

    /// The terminal is gone: nothing is written to it any more.
    pub(super) fn abandon(&self) {
        self.abandoned.set(true);
    }

    /// Gives the terminal back, and stops the process group until the shell continues it.
    pub(super) fn suspend(&mut self, jobs: &Jobs) -> io::Result<()> {
        self.give_back()?;
        jobs.stop()
    }

    /// Whether the terminal is this process group's, and not the shell's that continued it in the background.
    pub(super) fn is_ours(&self) -> bool {
        // Where there is no telling, taking it will tell.
        match (rustix::termios::tcgetpgrp(&self.controls), own_group()) {
            (Ok(in_front), Some(own)) => in_front == own,
            _ => true,
        }
    }

    /// Somebody else has the terminal and keeps it: what this screen has changed about it is undone as far as that does not
    /// touch its modes, which would stop this process, and no frame is drawn any more.
    pub(super) fn leave_to_others(&mut self) {
        let _ = self.undo();
        let _ = self.redirect_back();
        self.abandon();
    }

    /// Takes the terminal again after the process was stopped and continued: whoever had the terminal meanwhile has set it
    /// to what a shell needs, and written onto the screen.
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        // Else it would be taken for raw, since it was.
        terminal::disable_raw_mode()?;
        execute!(self.controls, EndSynchronizedUpdate, ResetColor)?;
        self.take()?;
        self.wipe()
    }

    /// The next frame is drawn anew, at the size that the window has by now.
    fn wipe(&mut self) -> io::Result<()> {
        // Not `clear`: it asks the terminal where its cursor is, and the answer goes to the input thread.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Hands text to the terminal's clipboard (OSC 52); whether it takes it, it does not say.
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

    /// Every step is tried, whatever became of the others.
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
            // Descriptors 1 and 2 keep leading to the log: there is nothing else left to print to.
            panics::stop();
            return;
        }
        // There is nobody left to tell that the terminal could not be restored.
        let _ = self.give_back();
        let panics = panics::stop();
        // A stderr that was led elsewhere has them already.
        if self.real_stderr.is_some() {
            for message in panics {
                eprintln!("{}", Glyphs::of_output().spelled(message));
            }
        }
    }
}
