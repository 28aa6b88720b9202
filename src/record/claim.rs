//! Claims: which process writes a cell, on any file system.
//!
//! The process that writes cell 7 holds `claims/007-1.json`. A claim that is taken over gets the next number:
//! `claims/007-2.json`. A claim appears complete or not at all: a process writes a file of its own and links it to the
//! name, which one process at most can do. It then looks again, and withdraws if it sees a claim that it has not judged
//! before. So two processes that claim a cell at the same time may both withdraw and try again, but never both hold
//! it. None of this needs locks.
//!
//! A claim alone does not keep a process from writing that was thought dead and wakes up: see [`super::fence`].

mod holder;
mod job;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

pub use holder::Holder;
pub use job::Job;

use super::error::At;
use super::folder::Folder;
use super::read::{numbers, read_json};
use super::{RecordError, names, sync};
use crate::event::CellIndex;
use holder::Fate;

/// Size limit of a claim; it takes some hundred bytes.
const MOST_BYTES: u64 = 1 << 14;

/// How often a process tries to take a claim that changes while it looks.
const TRIES: u32 = 40;

/// How long a process waits for a claim of its own host.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a process waits before it tries again, at most.
const PAUSE_MILLIS: u64 = 40;

/// Error numbers of file systems without hard links: EPERM, ENOSYS, EOPNOTSUPP, and NFS's own ENOTSUPP.
const NO_LINKS: [i32; 4] = [1, 38, 95, 524];

/// A claim that this process holds. It is released when this value is dropped.
#[derive(Debug)]
pub struct Claim {
    cell: CellIndex,
    /// The folder of the claims, which is found where it is if the run directory is moved.
    folder: Folder,
    name: String,
    contents: Vec<u8>,
    is_lost: bool,
    /// Whether the process that held the cell before may still be alive, so that its folder must not be written.
    pub(super) needs_fence: bool,
}

/// A claim as another process sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The cell.
    pub cell: CellIndex,
    /// The number of the claim among those of the cell.
    pub number: u32,
    /// The process that holds it; none if the file cannot be read.
    pub holder: Option<Holder>,
}

impl Claim {
    /// Takes the claim of a cell. A claim of a process that is certainly dead is taken over, and so is the claim with
    /// the token `over`, which the user gave up.
    ///
    /// # Errors
    /// [`RecordError::Claimed`] if another process holds the cell; otherwise an error of the operating system.
    pub(super) fn take(run_dir: &Path, cell: CellIndex, device: &str, over: Option<&str>) -> Result<Self, RecordError> {
        let folder = run_dir.join(names::CLAIMS);
        // Without its parents: a run directory that was deleted stays deleted.
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).at("create the folder", &folder);
            }
            _ => {}
        }
        let own = Holder::this_process(device, token());
        let mut contents = serde_json::to_vec(&own).map_err(|error| super::error::json(&folder, &error))?;
        contents.push(b'\n');
        let (mut met, begun) = (None, Instant::now());
        for _ in 0..TRIES {
            let found = seen(&folder, Some(cell)).at("list", &folder)?;
            let mut needs_fence = false;
            let mut alive = None;
            for claim in &found {
                let Some(holder) = &claim.holder else {
                    alive = Some(claim);
                    continue;
                };
                match holder.fate(&own) {
                    Fate::Dead => {}
                    Fate::Ended => needs_fence = true,
                    Fate::Alive if over.is_some_and(|over| over == holder.token) => needs_fence = true,
                    Fate::Alive => alive = Some(claim),
                }
            }
            if let Some(claim) = alive {
                // A claim that is just being written will be readable soon. A process of this host may be about to end:
                // a runner ends moments after the process of its sweep was killed.
                let is_here = claim.holder.as_ref().is_none_or(|holder| holder.is_here(&own));
                met = Some(claim.clone());
                if !is_here || begun.elapsed() >= PATIENCE {
                    break;
                }
                pause();
                continue;
            }
            let number = found.iter().map(|claim| claim.number).max().unwrap_or(0) + 1;
            let path = folder.join(file_name(cell, number));
            if !write_exclusively(&folder, &path, &contents, &own.token).at("write", &path)? {
                pause();
                continue;
            }
            let claim = Self {
                cell,
                folder: Folder::at(folder.clone()),
                name: file_name(cell, number),
                contents: contents.clone(),
                is_lost: false,
                needs_fence,
            };
            // Another process may have claimed the cell since this one looked.
            let now = seen(&folder, Some(cell)).at("list", &folder)?;
            let others = now.iter().filter(|other| other.number != number);
            let is_judged = |other: &Seen| found.iter().any(|known| known == other);
            if !others.clone().all(is_judged) {
                met = others.max_by_key(|other| other.number).cloned();
                drop(claim);
                pause();
                continue;
            }
            for judged in others {
                remove(&folder.join(file_name(cell, judged.number)))?;
            }
            // Without a sync a power failure may bring back the claims that were removed, which is harmless.
            let _ = sync::folder(&folder);
            return Ok(claim);
        }
        let at = met.as_ref().map_or(1, |claim| claim.number);
        Err(RecordError::Claimed {
            cell,
            holder: met.and_then(|claim| claim.holder).map(|holder| holder.words()),
            path: folder.join(file_name(cell, at)),
        })
    }

    /// Checks that this process still holds the claim.
    ///
    /// # Errors
    /// [`RecordError::TakenOver`] if it does not; an error of the operating system if that is unknown.
    pub(super) fn check(&mut self) -> Result<(), RecordError> {
        let folder = self.folder.place();
        let path = folder.join(&self.name);
        match fs::read(&path) {
            Ok(found) if found == self.contents => return Ok(()),
            Ok(_) => {}
            // If the whole folder is gone, nobody has taken anything over.
            Err(error) if error.kind() == ErrorKind::NotFound && folder.exists() => {}
            Err(error) => return Err(error).at("read", &path),
        }
        self.is_lost = true;
        let now = seen(&folder, Some(self.cell)).unwrap_or_default();
        Err(RecordError::TakenOver {
            cell: self.cell,
            by: now.last().and_then(|claim| claim.holder.as_ref()).map(Holder::words),
            path,
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // If this fails, the end of this process releases the claim.
        if !self.is_lost && self.check().is_ok() {
            let _ = fs::remove_file(self.folder.place().join(&self.name));
        }
    }
}

/// Removes claims of processes of this host that are dead. One is left if a process is killed between writing the summary
/// of its cell and releasing the claim: nobody takes an ended cell over. Errors are ignored, because such a claim only
/// occupies a name.
pub(super) fn remove_dead(run_dir: &Path) {
    let folder = run_dir.join(names::CLAIMS);
    let own = Holder::this_process("", String::new());
    for claim in seen(&folder, None).unwrap_or_default() {
        if claim.holder.is_some_and(|holder| holder.fate(&own) == Fate::Dead) {
            let _ = fs::remove_file(folder.join(file_name(claim.cell, claim.number)));
        }
    }
}

/// Returns all claims of a run, or those of one cell, in the order of their numbers.
pub(super) fn seen(folder: &Path, only: Option<CellIndex>) -> io::Result<Vec<Seen>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some((cell, number)) = path.file_name().and_then(|name| parse(name.to_str()?)) else {
            continue;
        };
        if only.is_some_and(|only| only != cell) {
            continue;
        }
        let holder = match read_json(&path, MOST_BYTES) {
            Ok(holder) => Some(holder),
            // It was released while this process looked.
            Err(error) if error.is_missing() => continue,
            Err(_) => None,
        };
        found.push(Seen { cell, number, holder });
    }
    found.sort_by_key(|claim| (claim.cell, claim.number));
    Ok(found)
}

/// Returns the cell and the number of every claim, in this order, without reading any.
///
/// # Errors
/// The claims cannot be listed.
pub fn claim_names(run_dir: &Path) -> Result<BTreeSet<(CellIndex, u32)>, RecordError> {
    let folder = run_dir.join(names::CLAIMS);
    numbers(&folder, parse).at("list", &folder)
}

/// Returns the process that holds a claim; none if it cannot be read.
#[must_use]
pub fn read_claim(run_dir: &Path, cell: CellIndex, number: u32) -> Option<Holder> {
    read_json(&run_dir.join(names::CLAIMS).join(file_name(cell, number)), MOST_BYTES).ok()
}

impl Seen {
    /// Returns whether the process may be alive.
    #[must_use]
    pub fn may_live(&self) -> bool {
        let own = Holder::this_process("", String::new());
        self.holder
            .as_ref()
            .is_none_or(|holder| holder.fate(&own) == Fate::Alive)
    }
}

fn file_name(cell: CellIndex, number: u32) -> String {
    format!("{cell:03}-{number}.json")
}

fn parse(name: &str) -> Option<(CellIndex, u32)> {
    let (cell, number) = name.strip_suffix(".json")?.split_once('-')?;
    Some((cell.parse().ok()?, number.parse().ok()?))
}

/// Creates the file with these contents, unless it exists. Returns whether it was created.
fn write_exclusively(folder: &Path, path: &Path, contents: &[u8], token: &str) -> io::Result<bool> {
    let own = folder.join(format!(".{token}"));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&own)
        .and_then(|mut file| {
            file.write_all(contents)?;
            sync::file(&file)?;
            let linked = fs::hard_link(&own, path);
            // A server may answer a repeated request with an error although the first one succeeded, so `open(2)` says to
            // count the links.
            if linked.is_err() && file.metadata()?.nlink() == 2 {
                return Ok(true);
            }
            match linked {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(error) if error.raw_os_error().is_some_and(|number| NO_LINKS.contains(&number)) => {
                    create_exclusively(path, contents)
                }
                Err(error) => Err(error),
            }
        });
    let _ = fs::remove_file(&own);
    written
}

/// Does the same without links. Other processes may see the file before it is complete.
fn create_exclusively(path: &Path, contents: &[u8]) -> io::Result<bool> {
    let mut file: File = match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        file => file?,
    };
    let written = file.write_all(contents).and_then(|()| sync::file(&file));
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written.map(|()| true)
}

fn remove(path: &Path) -> Result<(), RecordError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).at("remove", path),
        _ => Ok(()),
    }
}

/// Returns a random text.
fn token() -> String {
    let random = || RandomState::new().build_hasher();
    let mut hasher = random();
    hasher.write_u32(std::process::id());
    format!("{:016x}{:016x}", hasher.finish(), random().finish())
}

/// Waits for a random time, so that processes that disturb each other get apart.
fn pause() {
    let random = RandomState::new().build_hasher().finish();
    thread::sleep(Duration::from_millis(1 + random % PAUSE_MILLIS));
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn take(run_dir: &Path, over: Option<&str>) -> Result<Claim, RecordError> {
        Claim::take(run_dir, 7, "flex (CPU)", over)
    }

    /// Writes the claim of another process, changed by `change`.
    fn foreign(run_dir: &Path, number: u32, change: impl FnOnce(&mut Holder)) -> PathBuf {
        let folder = run_dir.join(names::CLAIMS);
        fs::create_dir_all(&folder).unwrap();
        let mut holder = Holder::this_process("flex (CPU)", token());
        change(&mut holder);
        let path = folder.join(file_name(7, number));
        fs::write(&path, serde_json::to_vec(&holder).unwrap()).unwrap();
        path
    }

    fn files(run_dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(run_dir.join(names::CLAIMS)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_claim_is_held_by_one_and_released_at_its_end() {
        let run = tempfile::tempdir().unwrap();
        let mut claim = take(run.path(), None).unwrap();
        claim.check().unwrap();
        assert!(!claim.needs_fence);
        let refused = take(run.path(), None).unwrap_err().to_string();
        let pid = std::process::id().to_string();
        assert!(refused.contains("cell 7") && refused.contains(&pid), "{refused}");
        Claim::take(run.path(), 8, "", None).unwrap();
        assert_eq!(files(run.path()), ["007-1.json"]);
        drop(claim);
        assert!(files(run.path()).is_empty());
        take(run.path(), None).unwrap();
    }

    #[test]
    fn a_claim_of_a_dead_process_of_this_host_is_taken_over_without_a_fence() {
        let run = tempfile::tempdir().unwrap();
        // No process has this ID: Linux allows at most 2^22.
        foreign(run.path(), 1, |holder| holder.pid = 1 << 30);
        let claim = take(run.path(), None).unwrap();
        assert_eq!(
            (files(run.path()), claim.needs_fence),
            (vec!["007-2.json".to_owned()], false)
        );
        drop(claim);
        // Another process has got its ID since.
        foreign(run.path(), 3, |holder| holder.started = holder.started.map(|at| at - 1));
        assert!(!take(run.path(), None).unwrap().needs_fence);
    }

    #[test]
    fn only_claims_of_dead_processes_of_this_host_are_removed_when_a_run_is_opened() {
        let run = tempfile::tempdir().unwrap();
        remove_dead(run.path());
        let claim = Claim::take(run.path(), 8, "", None).unwrap();
        foreign(run.path(), 1, |holder| holder.pid = 1 << 30);
        foreign(run.path(), 2, |holder| {
            holder.host = "node7".to_owned();
            holder.boot = Some("another".to_owned());
        });
        remove_dead(run.path());
        assert_eq!(files(run.path()), ["007-2.json", "008-1.json"]);
        drop(claim);
    }

    #[test]
    fn a_claim_of_another_host_is_refused_with_its_place_and_taken_over_on_request() {
        let run = tempfile::tempdir().unwrap();
        let path = foreign(run.path(), 1, |holder| {
            holder.host = "node7".to_owned();
            holder.boot = Some("another".to_owned());
            holder.pid = 4242;
            holder.job = Some(Job {
                id: "a test".to_owned(),
                task: Some("17_3".to_owned()),
                restarts: 0,
            });
        });
        let refused = take(run.path(), None).unwrap_err().to_string();
        for words in ["4242", "node7", "Slurm job 17_3", "--take-over"] {
            assert!(refused.contains(words), "{refused}");
        }
        let refused = take(run.path(), Some("another token")).unwrap_err();
        assert!(!refused.can_pass());
        let held: Holder = read_json(&path, MOST_BYTES).unwrap();
        let claim = take(run.path(), Some(&held.token)).unwrap();
        assert!(claim.needs_fence);
        assert_eq!(files(run.path()), ["007-2.json"]);
    }

    #[test]
    fn a_process_whose_claim_was_taken_over_learns_that_and_does_not_release_the_new_one() {
        let run = tempfile::tempdir().unwrap();
        let mut old = take(run.path(), None).unwrap();
        let held: Holder = serde_json::from_slice(&old.contents).unwrap();
        let mut new = take(run.path(), Some(&held.token)).unwrap();
        let words = old.check().unwrap_err().to_string();
        assert!(words.contains("cell 7 was taken over"), "{words}");
        drop(old);
        new.check().unwrap();
        assert_eq!(files(run.path()), ["007-2.json"]);
    }

    #[test]
    fn a_claim_that_cannot_be_read_counts_as_held() {
        let run = tempfile::tempdir().unwrap();
        fs::create_dir(run.path().join(names::CLAIMS)).unwrap();
        fs::write(run.path().join(names::CLAIMS).join("007-1.json"), "{\"host\"").unwrap();
        let refused = take(run.path(), None).unwrap_err().to_string();
        assert!(refused.contains("007-1.json"), "{refused}");
    }

    #[test]
    fn of_many_who_claim_a_dead_cell_at_once_one_holds_it_at_a_time() {
        let run = tempfile::tempdir().unwrap();
        for round in 0..20 {
            foreign(run.path(), 1, |holder| holder.pid = 1 << 30);
            let (holding, held) = (AtomicU32::new(0), AtomicU32::new(0));
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        let Ok(claim) = take(run.path(), None) else { return };
                        assert_eq!(holding.fetch_add(1, Ordering::SeqCst), 0, "round {round}");
                        held.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(2));
                        holding.fetch_sub(1, Ordering::SeqCst);
                        drop(claim);
                    });
                }
            });
            assert!(held.load(Ordering::SeqCst) > 0, "round {round}");
            assert!(files(run.path()).is_empty());
        }
    }
}
