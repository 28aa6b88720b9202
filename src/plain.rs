//! The sweep as plain lines of text, for output without a screen.
//!
//! In a pipe, each measurement is one line, without carriage returns or escape codes. In a terminal, a progress bar stands
//! below the lines. A table of the cells ends the output in both.

use std::io::{IsTerminal, Write};

use crossbeam_channel::{Receiver, Sender, never, select_biased};

use crate::characters::Glyphs;
use crate::event::{Command, Event, SweepEnding};

mod bar;
mod known;
mod list;
mod output;
mod table;
#[cfg(test)]
mod tests;
mod words;

use known::Known;
use output::Output;

pub use list::list;
pub use words::cells as counted;

/// How the lines are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Lines only: for pipes, files and terminals that cannot move the cursor.
    Lines,
    /// Lines with a progress bar below them, drawn on standard output.
    Bar,
}

impl Style {
    /// Returns [`Style::Bar`] if standard output is a terminal that can redraw a line, else [`Style::Lines`].
    #[must_use]
    pub fn of_stdout() -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
        if std::io::stdout().is_terminal() && !dumb {
            Self::Bar
        } else {
            Self::Lines
        }
    }
}

/// The reason why [`run`] or [`look_on`] stopped following a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The sweep ended, with this result.
    Sweep(SweepEnding),
    /// Following ended before the sweep: after a second stop request, or for [`look_on`] after the first stop request
    /// or a closed pipe.
    Left,
    /// The trainer disappeared without reporting how the sweep ended.
    Lost,
    /// Everything that the files of another program have was shown, and they do not grow any more.
    Foreign,
}

/// Writes the events of the sweep to `out` as lines, with the characters of `glyphs`, until the sweep has ended.
///
/// The first message from `stop` asks the trainer to quit; the second returns immediately. A closed pipe also asks the
/// trainer to quit, and nothing more is written.
///
/// # Errors
/// Output could not be written, for a reason other than a closed pipe. The error is returned only after the sweep has
/// ended, so a full disk for the log does not stop training.
pub fn run(
    events: &Receiver<Event>,
    commands: &Sender<Command>,
    stop: &Receiver<()>,
    out: impl Write,
    style: Style,
    glyphs: Glyphs,
) -> std::io::Result<Ended> {
    follow(events, Some(commands), stop, out, style, glyphs)
}

/// Writes the lines like [`run`], but never stops the sweep: a message from `stop` or a closed pipe only ends the
/// output.
///
/// # Errors
/// The errors of [`run`].
pub fn look_on(
    events: &Receiver<Event>,
    stop: &Receiver<()>,
    out: impl Write,
    style: Style,
    glyphs: Glyphs,
) -> std::io::Result<Ended> {
    follow(events, None, stop, out, style, glyphs)
}

fn follow(
    events: &Receiver<Event>,
    commands: Option<&Sender<Command>>,
    stop: &Receiver<()>,
    out: impl Write,
    style: Style,
    glyphs: Glyphs,
) -> std::io::Result<Ended> {
    let mut stop = stop.clone();
    let mut known = Known::new();
    let mut output = Output::new(out, style, glyphs);
    let mut asked_to_quit = false;
    let ended = loop {
        if output.is_closed() && !asked_to_quit {
            let Some(commands) = commands else { break Ended::Left };
            asked_to_quit = true;
            quit(commands);
        }
        select_biased! {
            recv(stop) -> message => match message {
                // The signal watcher is gone. A closed channel is always ready and would make this loop spin.
                Err(_) => stop = never(),
                Ok(()) => match commands.filter(|_| !asked_to_quit) {
                    None => break Ended::Left,
                    Some(commands) => {
                        asked_to_quit = true;
                        quit(commands);
                        output.line("stopping after the current step; interrupt again to leave immediately");
                    }
                },
            },
            recv(events) -> event => match event {
                Err(_) if known.monitor.foreign.is_some() => break Ended::Foreign,
                Err(_) => break Ended::Lost,
                Ok(event) => {
                    for line in known.take(&event) {
                        output.line(&line);
                    }
                    output.show(&known);
                    match event {
                        Event::SweepEnded(ending) => break Ended::Sweep(ending),
                        Event::TrainerLost => break Ended::Lost,
                        _ => {}
                    }
                }
            },
        }
    };
    output.end_bar();
    if ended == Ended::Lost {
        output.line("the training process exited unexpectedly; the run directory has the results up to then");
    }
    if ended != Ended::Left {
        for line in table::table(&known, glyphs)
            .into_iter()
            .chain(table::last_line(&known, &ended))
        {
            output.line(&line);
        }
    }
    output.finish().map(|()| ended)
}

fn quit(commands: &Sender<Command>) {
    // An error means that the trainer is gone; the closed event channel will report that.
    let _ = commands.send(Command::Quit);
}
