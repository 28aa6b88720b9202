//! The socket of a run. Only the owner of the run can connect; every connected screen can both watch and send commands.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::Hub;
use super::wire::{self, Hello, LONGEST_REQUEST, PROTOCOL, Request, parse_request};
use crate::event::Command;
use crate::signals::{AS_KEPT, leave};
use crate::user_folders::runtime_folder;

/// Limit of connected screens; each uses two threads here.
const MOST_SCREENS: usize = 32;

/// How long the last events may take to reach the screens.
const FAREWELL: Duration = Duration::from_secs(2);

/// The server of a run. Dropping it removes the socket.
pub struct Server {
    socket: PathBuf,
    /// The file that contains the path of the socket, if the socket is not in the run directory.
    signpost: PathBuf,
    screens: Arc<AtomicUsize>,
}

impl Server {
    /// Opens the socket in a run directory that only this process writes.
    ///
    /// # Errors
    /// The folder, socket or thread cannot be created.
    pub fn open(run_dir: &Path, hub: Hub, commands: Sender<Command>) -> io::Result<Self> {
        let folder = wire::identity(run_dir)?;
        let signpost = wire::signpost(run_dir);
        // Any signpost left here is from a dead process, because a live one would hold the lock of the run directory.
        let _ = fs::remove_file(&signpost);
        let socket = wire::usual_socket(run_dir);
        let (listener, socket) = listen(&wire::folder(run_dir), socket).or_else(|error| {
            // FAT and many network file systems have no sockets.
            let (listener, socket) = listen_for_the_user(folder).map_err(|_| error)?;
            fs::write(&signpost, socket.as_os_str().as_bytes())?;
            Ok::<_, io::Error>((listener, socket))
        })?;
        let screens = Arc::new(AtomicUsize::new(0));
        let server = Self {
            socket,
            signpost,
            screens: Arc::clone(&screens),
        };
        thread::Builder::new().name("server".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // The cause may be temporary, such as too many open files.
                    thread::sleep(Duration::from_millis(100));
                    continue;
                };
                if screens.load(Ordering::SeqCst) < MOST_SCREENS {
                    // A screen that cannot be served sees a closed connection.
                    let _ = serve(stream, folder, &hub, commands.clone(), &screens);
                }
            }
        })?;
        Ok(server)
    }

    /// Waits up to two seconds for the last events to reach the screens.
    pub fn say_farewell(self) {
        let since = Instant::now();
        while self.screens.load(Ordering::SeqCst) > 0 && since.elapsed() < FAREWELL {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
        let _ = fs::remove_file(&self.signpost);
    }
}

/// Opens the socket, in a folder that only the owner can access.
fn listen(folder: &Path, socket: PathBuf) -> io::Result<(UnixListener, PathBuf)> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        made => made?,
    }
    let _ = fs::remove_file(&socket);
    let (_open, path) = wire::reachable(&socket)?;
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(&socket, Permissions::from_mode(0o600))?;
    Ok((listener, socket))
}

/// Opens the socket in the runtime folder of the user.
fn listen_for_the_user((device, inode): (u64, u64)) -> io::Result<(UnixListener, PathBuf)> {
    let folder = runtime_folder(|name| std::env::var_os(name))?;
    // The name uses the device and inode of the run directory: processes in different containers may have the same
    // process ID.
    let socket = folder.join(format!("{device:x}-{inode:x}.socket"));
    listen(&folder, socket)
}

/// A connected screen, counted while this value exists.
struct Served(Arc<AtomicUsize>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn serve(
    stream: UnixStream,
    folder: (u64, u64),
    hub: &Hub,
    commands: Sender<Command>,
    screens: &Arc<AtomicUsize>,
) -> io::Result<()> {
    screens.fetch_add(1, Ordering::SeqCst);
    let served = Served(Arc::clone(screens));
    let asks = stream.try_clone()?;
    thread::Builder::new()
        .name("screen asks".to_owned())
        .spawn(move || obey(&asks, &commands))?;
    let hub = hub.clone();
    thread::Builder::new().name("screen told".to_owned()).spawn(move || {
        // A screen that has disconnected must not affect the run.
        let _ = tell(&stream, folder, &hub);
        let _ = stream.shutdown(std::net::Shutdown::Both);
        drop(served);
    })?;
    Ok(())
}

fn tell(stream: &UnixStream, folder: (u64, u64), hub: &Hub) -> io::Result<()> {
    let mut out = BufWriter::new(stream);
    let hello = Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
        pid: std::process::id(),
        folder,
    };
    serde_json::to_writer(&mut out, &hello)?;
    out.write_all(b"\n")?;
    let events = hub.join_without_points();
    while let Ok(event) = events.recv() {
        serde_json::to_writer(&mut out, &event)?;
        out.write_all(b"\n")?;
        if events.is_empty() {
            out.flush()?;
        }
    }
    out.flush()
}

fn obey(stream: &UnixStream, commands: &Sender<Command>) {
    let mut lines = BufReader::new(stream);
    while let Ok(Some(line)) = wire::read_line(&mut lines, LONGEST_REQUEST) {
        match parse_request(&line) {
            Ok(Request::Command(command)) => drop(commands.send(command)),
            Ok(Request::EndNow) => leave(&format!("stopped immediately; {AS_KEPT}")),
            // A malformed request does not come from a screen of this program.
            Err(_) => break,
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Read);
}
