//! The socket connection, on the side of the screen.

use std::ffi::OsStr;
use std::io::{self, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::wire::{self, Hello, LONGEST_EVENT, PROTOCOL, Request, parse_event};
use crate::event::Event;

/// Limit of events that wait in this process. Further events wait in the training process, which disconnects screens
/// that do not read.
const WAITING: usize = 1_024;

/// How long the training process may take to send its first line.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Why a screen cannot connect to a run.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// No process is training in the run directory.
    #[error("{}: no process of this machine is training there", run_dir.display())]
    NotGoingOn {
        /// The run directory.
        run_dir: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The process there is of another version, or another program.
    #[error("{}: the training process there is of another version of this program ({what})", run_dir.display())]
    Other {
        /// The run directory.
        run_dir: PathBuf,
        /// The first line that it sent.
        what: String,
    },
}

/// A connection to a running sweep.
pub struct Link {
    /// Events that describe the current state of the sweep, followed by new events. The channel closes when the
    /// training process exits.
    pub events: Receiver<Event>,
    /// Requests to the training process.
    pub requests: Sender<Request>,
    /// Process ID of the training process.
    pub pid: u32,
}

/// Connects to the sweep that is running in `run_dir`.
///
/// # Errors
/// No sweep is running there, or its process is of another version.
pub fn connect(run_dir: &Path) -> Result<Link, LiveError> {
    let not_going_on = |source| LiveError::NotGoingOn {
        run_dir: run_dir.to_owned(),
        source,
    };
    let stream = reach(&wire::usual_socket(run_dir))
        .or_else(|error| {
            // If there is no signpost file, report the first error.
            let place = std::fs::read(wire::signpost(run_dir)).map_err(|_| error)?;
            reach(Path::new(OsStr::from_bytes(&place)))
        })
        .map_err(not_going_on)?;
    let asks = stream.try_clone().map_err(not_going_on)?;
    // A stopped or frozen process accepts connections but sends nothing.
    asks.set_read_timeout(Some(ANSWERS_WITHIN)).map_err(not_going_on)?;
    let mut lines = BufReader::new(stream);
    let hello = wire::read_line(&mut lines, wire::LONGEST_REQUEST)
        .map_err(not_going_on)?
        .ok_or_else(|| not_going_on(io::ErrorKind::UnexpectedEof.into()))?;
    asks.set_read_timeout(None).map_err(not_going_on)?;
    let known = serde_json::from_slice::<Hello>(&hello).ok();
    let Some(known) = known.filter(|hello| hello.protocol == PROTOCOL) else {
        return Err(LiveError::Other {
            run_dir: run_dir.to_owned(),
            what: String::from_utf8_lossy(&hello).chars().take(200).collect(),
        });
    };
    if wire::identity(run_dir).map_err(not_going_on)? != known.folder {
        let other = io::Error::other("the process that answers there trains another run");
        return Err(not_going_on(other));
    }
    let (events_in, events) = bounded(WAITING);
    let (requests, requests_out) = unbounded();
    let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        thread.map(drop).map_err(not_going_on)
    };
    spawn("run tells", Box::new(move || hear(&mut lines, &events_in)))?;
    spawn("run is asked", Box::new(move || ask(asks, &requests_out)))?;
    Ok(Link {
        events,
        requests,
        pid: known.pid,
    })
}

fn reach(socket: &Path) -> io::Result<UnixStream> {
    let (_open, path) = wire::reachable(socket)?;
    UnixStream::connect(path)
}

fn hear(lines: &mut BufReader<UnixStream>, events: &Sender<Event>) {
    while let Ok(Some(line)) = wire::read_line(lines, LONGEST_EVENT) {
        let Ok(event) = parse_event(&line) else { return };
        if events.send(event).is_err() {
            return;
        }
    }
}

fn ask(mut stream: UnixStream, requests: &Receiver<Request>) {
    for request in requests {
        let Ok(mut line) = serde_json::to_vec(&request) else {
            continue;
        };
        line.push(b'\n');
        if stream.write_all(&line).is_err() {
            return;
        }
    }
}
