//! A screen's end of the socket.

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

/// Events that wait here; the others wait in the process that trains, which lets go of whoever does not read.
const WAITING: usize = 1_024;

/// How long a process that trains may take to say who it is.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Why a run cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// No process trains in the run directory.
    #[error("{}: no process of this machine trains there", run_dir.display())]
    NotGoingOn {
        /// The run directory.
        run_dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A process of another version, or something else.
    #[error("{}: the process that trains there is of another version of this program ({what})", run_dir.display())]
    Other {
        /// The run directory.
        run_dir: PathBuf,
        /// What it said.
        what: String,
    },
}

/// A connection to a run that goes on.
pub struct Link {
    /// How the sweep stands, then everything that happens; they end with the process that trains.
    pub events: Receiver<Event>,
    /// What is asked of it.
    pub requests: Sender<Request>,
    /// The process that trains.
    pub pid: u32,
}

/// Looks at the run that goes on in `run_dir`.
///
/// # Errors
/// If none does, or one of another version.
pub fn connect(run_dir: &Path) -> Result<Link, LiveError> {
    let not_going_on = |source| LiveError::NotGoingOn {
        run_dir: run_dir.to_owned(),
        source,
    };
    let stream = reach(&wire::usual_socket(run_dir))
        .or_else(|error| {
            // Where there is no signpost, the first error is the one to tell.
            let place = std::fs::read(wire::signpost(run_dir)).map_err(|_| error)?;
            reach(Path::new(OsStr::from_bytes(&place)))
        })
        .map_err(not_going_on)?;
    let asks = stream.try_clone().map_err(not_going_on)?;
    // A process that is stopped or frozen takes connections, and says nothing.
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
        let other = io::Error::other("what answers there trains another run");
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
