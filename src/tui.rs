//! The screen: its state, its keys, and what is drawn of the state, one file per panel, chart and overlay.
//!
//! ```text
//! input thread ─keys─▶ ┐
//! signals ───────────▶ ├─ Driver ── Monitor + View ──▶ Scene ──▶ screen::render ──▶ one write per frame
//! events ────────────▶ ┘     └─ commands ─▶ training thread
//! ```
//!
//! Nothing here waits for the training thread and the training thread never waits for the screen.
//!
//! A room imports only from rooms above it in this list; `tests/house.rs` keeps it so.
//!
//! - `words`, `page`: numbers and durations as people read them; the pages of the screen
//! - `theme`: colours and characters; titles, boxes and cut lines, the same in every panel
//! - `plot`: curves and points in dots, with their axes
//! - `keys`: the table of the keys, which the user may change, and the line that is typed at a prompt
//! - `preferences`: the user's file `screen.ron`
//! - `state`: what the person watching has chosen, what a key changes about it, and what lies where on the screen
//! - `charts`, `panels`, `overlays`: everything that is drawn, from a [`Scene`]
//! - `screen`: which of them goes where
//! - `terminal`: taking the terminal and giving it back; input, signals, panics, pictures
//! - `driver`: the main loop

mod charts;
mod driver;
#[cfg(test)]
mod fixture;
pub mod keys;
mod overlays;
mod page;
mod panels;
mod plot;
mod preferences;
mod screen;
mod state;
mod terminal;
mod theme;
mod words;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use crossbeam_channel::{Receiver, Select, Sender};

use crate::event::{CellIndex, Command, Event, SweepEnding};
use crate::machine::Load;
use crate::signals::{Signal, has_come};
use terminal::{input, jobs, relay};

pub use driver::{Driver, Pass, Wires};
pub use keys::keymap::KeyMap;
pub use overlays::welcome::take_welcome;
pub use page::Page;
pub use plot::{Scale, Window};
pub use preferences::{ColourChoice, GlyphChoice, Preferences, PreferencesError, usual_path};
pub use screen::render;
pub use state::across::Across;
pub use state::charts::Charts;
pub use state::filter::Filter;
pub use state::palette::Palette;
pub use state::parts::SMALLEST;
pub use state::rows::{Rows, Sort};
pub use state::scene::Scene;
pub use state::smoothing::Smoothing;
pub use state::view::{Overlay, Question, View};
pub use state::zoom::Zoom;
pub use terminal::jobs::Job;
pub use terminal::svg;
pub use theme::{Colours, Glyphs, Role, Theme};

/// How the screen is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything goes that is printed while the screen is up; the file is appended to. Without one, nowhere.
    pub log_path: Option<PathBuf>,
    /// Whether signals to this process are meant for the sweep; else they end the screen alone.
    pub owns: bool,
    /// Where to say which cells are looked at, the most important one last.
    pub wanted: Option<Sender<Vec<CellIndex>>>,
    /// How busy the machine is, now and then.
    pub load: Option<Receiver<Load>>,
    /// What the user wants of every screen.
    pub preferences: Preferences,
    /// Nothing but ASCII, whatever else is wished.
    pub ascii: bool,
    /// The user has never seen the screen.
    pub welcome: bool,
}

/// How the screen was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The sweep had ended before, in this way.
    Ended(SweepEnding),
    /// The training thread had gone away without saying how the sweep ended.
    TrainerGone,
    /// The screen was left, or its terminal has gone; the sweep goes on.
    Detached,
    /// The user did not wait for the training thread to stop: the process should exit at once.
    LeftAtOnce,
    /// The screen fell over (the panic's message is on stderr by now), but the training goes on: whoever called can
    /// watch the same channels by other means.
    Broken,
}

/// Why there is no screen.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The log could not be opened.
    #[error("cannot write the log {}; is the run directory writable?", path.display())]
    Log {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The terminal did not take what a screen needs.
    #[error("cannot set up the terminal; --plain needs none")]
    Terminal(#[source] io::Error),
}

/// Looks whether there is a terminal that a screen can be shown on and keys can be read from.
///
/// # Errors
/// If there is none: standard output may be one, and yet none belong to this process.
pub fn find_terminal() -> Result<(), TuiError> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    let controlling = File::options().read(true).write(true).open("/dev/tty");
    controlling.map(drop).map_err(TuiError::Terminal)
}

/// Shows the sweep until the user leaves or the terminal goes away; to be called on the main thread.
///
/// If the terminal goes away, this returns, and the sweep goes on.
///
/// # Errors
/// When the log cannot be opened or the terminal cannot be set up.
pub fn run(
    events: &Receiver<Event>,
    commands: &Sender<Command>,
    signals: &Receiver<Signal>,
    options: &Options,
) -> Result<Outcome, TuiError> {
    let preferences = &options.preferences;
    let theme = preferences.theme(options.ascii, |name| std::env::var(name).ok());
    let mut view = View::new(theme);
    view.keys = preferences.keys.clone();
    (view.charts, view.across) = (preferences.charts, preferences.across);
    view.owns = options.owns;
    view.overlay = options.welcome.then_some(Overlay::Welcome);
    let mut driver = Driver::new(view).at_most(preferences.frames_per_second);
    let mut screen = terminal::Screen::enter(options.log_path.as_deref(), preferences.mouse)?;
    let jobs = jobs::Jobs::listen().map_err(TuiError::Terminal)?;
    let input = input::listen().map_err(TuiError::Terminal)?;
    let relay = if options.owns {
        Some(relay::Relay::start(signals, commands).map_err(TuiError::Terminal)?)
    } else {
        None
    };
    let wires = Wires {
        events,
        commands,
        signals: relay.as_ref().map_or(signals, |relay| &relay.signals),
        jobs: &jobs.told,
        input: &input,
        owns: options.owns,
        wanted: options.wanted.as_ref(),
        load: options.load.as_ref(),
    };
    loop {
        match driver.run(screen.terminal(), &wires) {
            Pass::Left(outcome) => return Ok(outcome),
            Pass::TerminalLost(outcome) => {
                screen.abandon();
                return Ok(outcome);
            }
            Pass::Suspend if jobs.can_stop() => {
                let stopped = screen.suspend(&jobs);
                if stopped
                    .and_then(|()| come_back(&mut screen, &jobs, wires.signals))
                    .is_err()
                {
                    screen.abandon();
                    return Ok(driver.outcome_of_detaching());
                }
            }
            Pass::Suspend => {
                driver.note("Ctrl-Z does nothing here: no shell could continue the program".to_owned());
            }
            // Where the terminal cannot be taken, training goes on all the same.
            Pass::Continued => {
                if come_back(&mut screen, &jobs, wires.signals).is_err() {
                    screen.abandon();
                    return Ok(driver.outcome_of_detaching());
                }
            }
            Pass::Copy(text) => match screen.copy(&text) {
                Ok(()) => driver.note(format!(
                    "{} lines are copied, if the terminal allows it",
                    text.lines().count()
                )),
                Err(error) => driver.note(format!("nothing is copied: {error}")),
            },
        }
    }
}

/// How long a signal may take to come after the one that continued this process: `kill %1` sends both to a stopped job.
const SIGNAL_WITHIN: Duration = Duration::from_millis(300);

/// Takes the terminal again after the process was stopped, once the shell gives it back.
///
/// In the background this process stops again, as whoever sets the terminal from there does; but not before a signal that was to
/// end it has been heard. It then ends without the terminal.
fn come_back(screen: &mut terminal::Screen, jobs: &jobs::Jobs, signals: &Receiver<Signal>) -> io::Result<()> {
    while !screen.is_ours() {
        let mut select = Select::new();
        select.recv(signals);
        // On a busy machine the signal may have come and the channel not know it yet: stopped again, nobody would ever hear it.
        if select.ready_timeout(SIGNAL_WITHIN).is_ok() || has_come() || !jobs.can_stop() {
            screen.leave_to_others();
            return Ok(());
        }
        // It may have come to the front meanwhile.
        if !screen.is_ours() {
            jobs::stop_in_background()?;
        }
    }
    screen.take_again()?;
    jobs.forget();
    Ok(())
}
