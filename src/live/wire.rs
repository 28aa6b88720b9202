//! What goes over the socket, and the place of the socket.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event::{Command, Event};
use crate::record::LIVE;

/// Changes with the meaning of what goes over the socket.
pub(super) const PROTOCOL: u32 = 5;

/// The longest line that a screen may send, in bytes.
pub(super) const LONGEST_REQUEST: u64 = 64 * 1024;

/// The longest line that a run may send, in bytes: the plan of ten thousand cells has some 15 MB.
pub(super) const LONGEST_EVENT: u64 = 256 << 20;

/// The first line that a screen gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the program that trains.
    pub version: String,
    /// Of what goes over the socket.
    pub protocol: u32,
    /// The process that trains.
    pub pid: u32,
    /// Device and inode of the run directory: a socket outside of it, or a copy of the directory, may lead to another run.
    pub folder: (u64, u64),
}

/// What a screen asks for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Something of the training thread.
    Command(Command),
    /// That the process ends at once; the last checkpoint stays.
    EndNow,
}

/// A line from a screen.
///
/// # Errors
/// What is wrong with it.
pub fn parse_request(line: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(line).map_err(|error| words("control message", &error))
}

/// A line from a run, after the first.
///
/// # Errors
/// What is wrong with it.
pub fn parse_event(line: &[u8]) -> Result<Event, String> {
    serde_json::from_slice(line).map_err(|error| words("event", &error))
}

/// What is wrong, in one short line: JSON's words quote whatever was there.
fn words(what: &str, error: &serde_json::Error) -> String {
    let printable = |letter: char| if letter.is_control() { '?' } else { letter };
    let error: String = error.to_string().chars().map(printable).take(300).collect();
    format!("{what}: {error}")
}

/// Reads a line of at most `longest` bytes without its end; none at the end of the stream or in the middle of a line.
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

/// What tells a run directory from others, wherever it is moved to.
pub(super) fn identity(run_dir: &Path) -> io::Result<(u64, u64)> {
    let found = std::fs::metadata(run_dir)?;
    Ok((found.dev(), found.ino()))
}

/// The folder of the socket.
pub(super) fn folder(run_dir: &Path) -> PathBuf {
    run_dir.join(LIVE)
}

/// Where the socket is, unless the file system of the run directory has none.
pub(super) fn usual_socket(run_dir: &Path) -> PathBuf {
    folder(run_dir).join("socket")
}

/// The file that says where it is then.
pub(super) fn signpost(run_dir: &Path) -> PathBuf {
    folder(run_dir).join("socket-is-at")
}

/// A path of the socket that the system takes: one of a socket may have no more than some hundred bytes, that of a run
/// directory may have thousands. Good for as long as the open folder lives.
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
