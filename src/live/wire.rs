//! The protocol of the socket, and the path of the socket.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event::{Command, Event};
use crate::record::LIVE;

/// Version of the protocol.
pub(super) const PROTOCOL: u32 = 7;

/// The longest line that a screen may send, in bytes.
pub(super) const LONGEST_REQUEST: u64 = 64 * 1024;

/// The longest line that a run may send, in bytes. The plan of ten thousand cells takes about 15 MB.
pub(super) const LONGEST_EVENT: u64 = 256 << 20;

/// The first line that the server sends to a screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the training program.
    pub version: String,
    /// Version of the protocol.
    pub protocol: u32,
    /// Process ID of the training process.
    pub pid: u32,
    /// Device and inode of the run directory. They detect a socket that belongs to another run, which can happen for a
    /// socket outside the run directory or for a copied directory.
    pub folder: (u64, u64),
}

/// A request of a screen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// A command for the training thread.
    Command(Command),
    /// End the process immediately; the last checkpoint stays.
    EndNow,
}

/// Parses a line from a screen.
///
/// # Errors
/// The line is malformed; the text says how.
pub fn parse_request(line: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(line).map_err(|error| words("control message", &error))
}

/// Parses a line from a run, after the first line.
///
/// # Errors
/// The line is malformed; the text says how.
pub fn parse_event(line: &[u8]) -> Result<Event, String> {
    serde_json::from_slice(line).map_err(|error| words("event", &error))
}

/// Formats the error as one short line without control characters, because JSON errors quote the input.
fn words(what: &str, error: &serde_json::Error) -> String {
    let printable = |letter: char| if letter.is_control() { '?' } else { letter };
    let error: String = error.to_string().chars().map(printable).take(300).collect();
    format!("{what}: {error}")
}

/// Reads a line of at most `longest` bytes and removes its line feed. Returns none at the end of the stream, also if it
/// ends within a line.
pub(super) fn read_line(from: &mut impl BufRead, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.by_ref().take(longest).read_until(b'\n', &mut line)?;
    if line.pop() == Some(b'\n') {
        return Ok(Some(line));
    }
    if line.len() as u64 + 1 >= longest {
        return Err(io::Error::other("a line is too long"));
    }
    Ok(None)
}

/// Returns the device and inode of a run directory, which identify it even after it was moved.
pub(super) fn identity(run_dir: &Path) -> io::Result<(u64, u64)> {
    let found = std::fs::metadata(run_dir)?;
    Ok((found.dev(), found.ino()))
}

/// Returns the folder of the socket.
pub(super) fn folder(run_dir: &Path) -> PathBuf {
    run_dir.join(LIVE)
}

/// Returns the usual path of the socket. It is elsewhere if the file system of the run directory has no sockets.
pub(super) fn usual_socket(run_dir: &Path) -> PathBuf {
    folder(run_dir).join("socket")
}

/// Returns the path of the file that then contains the actual path of the socket.
pub(super) fn signpost(run_dir: &Path) -> PathBuf {
    folder(run_dir).join("socket-is-at")
}

/// Returns a path of the socket that is short enough for the system: a socket path is limited to about a hundred bytes,
/// and the path of a run directory may have thousands. The path is valid while the returned folder is open.
pub(super) fn reachable(socket: &Path) -> io::Result<(File, PathBuf)> {
    let no_file = || io::Error::from(io::ErrorKind::InvalidInput);
    let open = File::open(socket.parent().ok_or_else(no_file)?)?;
    let path = if cfg!(target_os = "linux") && socket.as_os_str().len() > 90 {
        let name = socket.file_name().ok_or_else(no_file)?;
        PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(name)
    } else {
        socket.to_owned()
    };
    Ok((open, path))
}
