//! The screen: its state, its keys, and the drawing of the state, one file per panel, chart and overlay.
//!
//! ```text
//! input thread ─keys─▶ ┐
//! signals ───────────▶ ├─ Driver ── Monitor + View ──▶ Scene ──▶ screen::render ──▶ one write per frame
//! events ────────────▶ ┘     └─ commands ─▶ training thread
//! ```
//!
//! Nothing here waits for the training thread and the training thread never waits for the screen.
//!
//! A module imports only from modules above it in this list; `tests/house.rs` checks this.
//!
//! - `words`, `page`: numbers and durations as people read them; the pages of the screen
//! - `theme`: colours and characters; titles, boxes and cut lines for every panel
//! - `plot`: curves and points drawn as dots, with their axes
//! - `keys`: the key table, which the user may change, and the editing of a line at a prompt
//! - `preferences`: the user's file `screen.ron`
//! - `state`: the user's choices, how a key changes them, and the layout of the screen
//! - `charts`, `panels`, `overlays`: the drawing of a [`Scene`]
//! - `screen`: the order of drawing and the place of each chart, panel and overlay
//! - `terminal`: taking the terminal and restoring it; input, signals, panics, pictures
//! - `driver`: the main loop
//! - `list`: the list of the runs in a folder, with a loop of its own

mod charts;
mod driver;
#[cfg(test)]
mod fixture;
pub mod keys;
mod list;
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
pub use list::{List, choose};
pub use overlays::welcome::take_welcome;
pub use page::Page;
pub use plot::{Scale, Window};
pub use preferences::{ColourChoice, GlyphChoice, Preferences, PreferencesError, usual_path};
pub use screen::render;
pub use state::charts::Charts;
pub use state::filter::Filter;
pub use state::palette::Palette;
pub use state::parts::SMALLEST;
pub use state::rows::{Rows, Sort};
pub use state::scene::Scene;
pub use state::smoothing::Smoothing;
pub use state::view::{CameFrom, Overlay, Question, View};
pub use state::zoom::Zoom;
pub use terminal::jobs::Job;
pub use terminal::svg;
pub use theme::{Colours, Glyphs, Role, Theme};

/// Options of the screen.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file to which everything printed while the screen is up is appended. `None` discards it.
    pub log_path: Option<PathBuf>,
    /// Whether signals to this process act on the sweep. Otherwise they only end the screen.
    pub owns: bool,
    /// Receives the cells that are on the screen, the most important one last.
    pub wanted: Option<Sender<Vec<CellIndex>>>,
    /// Readings of how busy the machine is, from time to time.
    pub load: Option<Receiver<Load>>,
    /// The user's preferences.
    pub preferences: Preferences,
    /// Draw with ASCII characters only; this overrides the preferences.
    pub ascii: bool,
    /// The place from which the run was opened.
    pub came_from: CameFrom,
    /// Whether to show the welcome, because the user has never seen the screen.
    pub welcome: bool,
}

/// How the screen was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The sweep had already ended, in this way.
    Ended(SweepEnding),
    /// The training thread had stopped without reporting how the sweep ended.
    TrainerGone,
    /// The user left the screen, or its terminal went away; the sweep goes on.
    Detached,
    /// The user did not wait for the training thread to stop: the process should exit immediately.
    LeftAtOnce,
    /// The screen panicked (the message is already on stderr), but the training goes on: the caller can read the same
    /// channels in another way.
    Broken,
}

/// Why the screen could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The log could not be opened.
    #[error("cannot write the log {}; is the run directory writable?", path.display())]
    Log {
        /// Path of the log.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The terminal could not be set up for a screen.
    #[error("cannot set up the terminal; use --plain, which needs none")]
    Terminal(#[source] io::Error),
}

/// Checks that there is a terminal on which the screen can be shown and from which keys can be read.
///
/// # Errors
/// If there is none. Standard output may be a terminal although this process has no controlling terminal.
pub fn find_terminal() -> Result<(), TuiError> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    let controlling = File::options().read(true).write(true).open("/dev/tty");
    controlling.map(drop).map_err(TuiError::Terminal)
}

/// Shows the sweep until the user leaves or the terminal goes away. Call this function on the main thread.
///
/// If the terminal goes away, the function returns and the sweep goes on.
///
/// # Errors
/// If the log cannot be opened or the terminal cannot be set up.
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
    (view.owns, view.came_from) = (options.owns, options.came_from);
    view.overlay = options.welcome.then_some(Overlay::Welcome);
    let mut screen = terminal::Screen::enter(options.log_path.as_deref(), preferences.mouse)?;
    let driver = Driver::new(view).at_most(preferences.frames_per_second);
    let mut driver = driver.counting(std::rc::Rc::clone(&screen.sent_bytes));
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
            // If the terminal cannot be taken back, the screen ends but training goes on.
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

/// How long to wait for a second signal after the one that continued this process: `kill %1` sends both to a stopped
/// job.
const SIGNAL_WITHIN: Duration = Duration::from_millis(300);

/// Takes the terminal again after the process was stopped, once the shell gives it back.
///
/// The system stops a process that changes the terminal's settings from the background, so this process stops itself
/// again if it is in the background. If a signal to end the process has arrived, it ends without the terminal instead.
fn come_back(screen: &mut terminal::Screen, jobs: &jobs::Jobs, signals: &Receiver<Signal>) -> io::Result<()> {
    while !screen.is_ours() {
        let mut select = Select::new();
        select.recv(signals);
        // On a busy machine the signal may have arrived without being in the channel yet. If the process stopped now,
        // nothing would ever handle that signal.
        if select.ready_timeout(SIGNAL_WITHIN).is_ok() || has_come() || !jobs.can_stop() {
            screen.leave_to_others();
            return Ok(());
        }
        // The process may have come to the foreground meanwhile.
        if !screen.is_ours() {
            jobs::stop_in_background()?;
        }
    }
    screen.take_again()?;
    jobs.forget();
    Ok(())
}
