//! `commands/`: orders of screens to the processes that train cells, and their answers, one file each.
//!
//! A file appears complete or not at all, by renaming, and is consumed by removing it, which one process at most can
//! do. Its name says which cell it is for, and which claim of the cell: an order outlives neither its process nor its
//! claim. Files are opened in the open folder, and links are not followed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, open, openat, renameat, unlinkat};
use rustix::io::{Errno, retry_on_intr};

use super::error::At;
use super::{RecordError, names};
use crate::event::CellIndex;

/// Size limit of a file; an order takes some dozen bytes.
const MOST_BYTES: u64 = 1 << 14;

const ORDER: &str = ".json";
const ANSWER: &str = ".answer";

/// The name of an order: `007-2-TOKEN.json`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderName {
    /// The cell that it is for.
    pub cell: CellIndex,
    /// The number of the claim of the cell; 0 for a cell without a claim, which any running task may see to that has it.
    pub claim: u32,
    /// A text that no other order has. Those of one screen are in the order in which they were sent.
    pub token: String,
}

impl OrderName {
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '-');
        let (cell, claim) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let token = parts.next()?.to_owned();
        Some(Self { cell, claim, token })
    }

    fn file(&self, ending: &str) -> String {
        format!("{:03}-{}-{}{ending}", self.cell, self.claim, self.token)
    }
}

/// The folder of the orders of a run, opened for one look.
#[derive(Debug)]
pub struct CommandFiles(File);

impl CommandFiles {
    /// Opens the folder; none if there is none, so that nobody has sent anything.
    ///
    /// # Errors
    /// The folder cannot be opened, or it is a link.
    pub fn open(run_dir: &Path) -> Result<Option<Self>, RecordError> {
        let path = run_dir.join(names::COMMANDS);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match retry_on_intr(|| open(&path, flags, Mode::empty())) {
            Ok(folder) => Ok(Some(Self(File::from(folder)))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(io::Error::from(error)).at("open", &path),
        }
    }

    /// Opens the folder, and creates it first if need be.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn open_or_create(run_dir: &Path) -> Result<Self, RecordError> {
        let path = run_dir.join(names::COMMANDS);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error).at("create the folder", &path),
            _ => {}
        }
        let missing = || Err(io::Error::from(ErrorKind::NotFound)).at("open", &path);
        Self::open(run_dir)?.map_or_else(missing, Ok)
    }

    /// Returns the orders and the answers that are there.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> io::Result<(Vec<OrderName>, Vec<OrderName>)> {
        let (mut orders, mut answers) = (Vec::new(), Vec::new());
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if let Some(order) = name.strip_suffix(ORDER).and_then(OrderName::parse) {
                orders.push(order);
            } else if let Some(answer) = name.strip_suffix(ANSWER).and_then(OrderName::parse) {
                answers.push(answer);
            }
        }
        // By screen and by the time of sending.
        orders.sort_by(|one, other| (&one.token, one.cell).cmp(&(&other.token, other.cell)));
        Ok((orders, answers))
    }

    /// Sends an order.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn send(&self, name: &OrderName, contents: &[u8]) -> io::Result<()> {
        self.put(&name.file(ORDER), contents)
    }

    /// Answers an order.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn answer(&self, name: &OrderName, contents: &[u8]) -> io::Result<()> {
        self.put(&name.file(ANSWER), contents)
    }

    fn put(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let aside = format!(".{name}.new");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = retry_on_intr(|| openat(&self.0, &aside, flags, Mode::from_raw_mode(0o644)))?;
        let written = File::from(file)
            .write_all(contents)
            .and_then(|()| Ok(retry_on_intr(|| renameat(&self.0, &aside, &self.0, name))?));
        if written.is_err() {
            let _ = unlinkat(&self.0, &aside, AtFlags::empty());
        }
        written
    }

    /// Consumes an order: returns its contents, or none if another process was faster.
    ///
    /// # Errors
    /// It cannot be read or removed, or is not a regular file; it is removed in any case, if that is possible.
    pub fn take(&self, name: &OrderName) -> io::Result<Option<Vec<u8>>> {
        let file = name.file(ORDER);
        let contents = self.read(&file);
        // Two processes may have read it; one can remove it.
        Ok(if self.remove(&file)? { Some(contents?) } else { None })
    }

    /// Withdraws an order. Returns false if somebody has consumed it.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn withdraw(&self, name: &OrderName) -> io::Result<bool> {
        self.remove(&name.file(ORDER))
    }

    /// Consumes the answer to an order.
    ///
    /// # Errors
    /// It cannot be read, or is not a regular file.
    pub fn take_answer(&self, name: &OrderName) -> io::Result<Vec<u8>> {
        let file = name.file(ANSWER);
        let contents = self.read(&file);
        self.remove(&file)?;
        contents
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        // A pipe would make the reader wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = retry_on_intr(|| openat(&self.0, name, flags, Mode::empty()))?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut contents = Vec::new();
        File::from(file).take(MOST_BYTES + 1).read_to_end(&mut contents)?;
        if contents.len() as u64 > MOST_BYTES {
            return Err(io::Error::other("it is too long"));
        }
        Ok(contents)
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        match retry_on_intr(|| unlinkat(&self.0, name, AtFlags::empty())) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn name(cell: CellIndex, claim: u32, token: &str) -> OrderName {
        let token = token.to_owned();
        OrderName { cell, claim, token }
    }

    #[test]
    fn an_order_is_consumed_once_and_answered() {
        let run = tempfile::tempdir().unwrap();
        assert!(CommandFiles::open(run.path()).unwrap().is_none());
        let files = CommandFiles::open_or_create(run.path()).unwrap();
        let names = [name(7, 2, "aa-1"), name(3, 0, "aa-2"), name(7, 2, "bb-1")];
        for name in names.iter().rev() {
            files.send(name, b"x").unwrap();
        }
        fs::write(run.path().join("commands/no order"), "x").unwrap();
        assert_eq!(files.list().unwrap().0, names);
        assert_eq!(files.take(&names[0]).unwrap().unwrap(), b"x");
        assert_eq!(files.take(&names[0]).unwrap(), None);
        assert!(files.withdraw(&names[1]).unwrap() && !files.withdraw(&names[0]).unwrap());
        files.answer(&names[0], b"done").unwrap();
        let (orders, answers) = files.list().unwrap();
        assert_eq!((orders.as_slice(), answers.as_slice()), (&names[2..], &names[..1]));
        assert_eq!(files.take_answer(&names[0]).unwrap(), b"done");
        assert!(files.take_answer(&names[0]).is_err());
    }

    #[test]
    fn links_pipes_and_what_is_too_long_are_removed_and_not_read() {
        let run = tempfile::tempdir().unwrap();
        let files = CommandFiles::open_or_create(run.path()).unwrap();
        let place = |token: &str| run.path().join("commands").join(format!("001-1-{token}.json"));
        fs::write(run.path().join("secret"), "secret").unwrap();
        symlink(run.path().join("secret"), place("link")).unwrap();
        fs::write(place("long"), vec![b' '; 1 << 15]).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(place("pipe")).status();
        assert!(pipe.unwrap().success());
        for token in ["link", "long", "pipe"] {
            assert!(files.take(&name(1, 1, token)).is_err(), "{token}");
            assert!(fs::symlink_metadata(place(token)).is_err(), "{token}");
        }
        assert_eq!(fs::read(run.path().join("secret")).unwrap(), b"secret");
        // The folder itself may not be a link either.
        let other = tempfile::tempdir().unwrap();
        symlink(run.path().join("commands"), other.path().join("commands")).unwrap();
        CommandFiles::open(other.path()).unwrap_err();
    }
}
