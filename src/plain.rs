//! The sweep as plain lines: where no terminal is, or none is wanted.
//!
//! In a pipe one line a measurement, without carriage returns or escape codes; in a terminal a progress bar of the
//! running cell below them. A table of the cells ends both.

use std::io::{IsTerminal, Write};

use crossbeam_channel::{Receiver, Sender, never, select_biased};

use crate::characters::Glyphs;
use crate::event::{Command, Event, SweepEnding};

mod bar;
mod known;
mod output;
mod table;
#[cfg(test)]
mod tests;
mod words;

use known::Known;
use output::Output;

pub use words::cells as counted;

/// How the lines are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Lines only: for pipes, files and terminals that cannot move the cursor.
    Lines,
    /// Lines with a progress bar below them, which is drawn on standard output.
    Bar,
}

impl Style {
    /// A bar if standard output is a terminal that can redraw a line.
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

/// How following a sweep ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The sweep ended, and said how.
    Sweep(SweepEnding),
    /// Asked to stop a second time, this did not wait for the sweep to end.
    Left,
    /// The training thread is gone and did not say why.
    Lost,
}

/// Writes what happens to `out`, in these characters, until the sweep has ended.
///
/// The first message from `stop` asks the trainer to quit, the second returns at once. A closed pipe asks the trainer to
/// quit as well, and nothing more is written.
///
/// # Errors
/// Output that could not be written, for another reason than a closed pipe. The sweep is followed to its end all the
/// same: a full log costs no training.
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

/// The same for a sweep that is not to be stopped from here: whoever has seen enough, by a message from `stop` or by closing the
/// pipe, leaves it alone.
///
/// # Errors
/// As [`run`].
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
                // Whoever watched for signals is gone; a closed channel is always ready and would keep us busy.
                Err(_) => stop = never(),
                Ok(()) => match commands.filter(|_| !asked_to_quit) {
                    None => break Ended::Left,
                    Some(commands) => {
                        asked_to_quit = true;
                        quit(commands);
                        output.line("stopping after the current step; once more to leave at once");
                    }
                },
            },
            recv(events) -> event => match event {
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
        output.line("the training process ended without saying why; what is on disk is what was reached");
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
    // If nobody listens, the trainer is gone already, and the channel of events will say so.
    let _ = commands.send(Command::Quit);
}
