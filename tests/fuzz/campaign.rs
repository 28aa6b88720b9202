//! Runs one target: first its corpus, then changed inputs until the time is up.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::memory::{forget_peak, peak_bytes};
use crate::mutation::mutated;

/// The largest length of an error in bytes: an error has one or a few lines, for any content of the file.
const LONGEST_MESSAGE: usize = 2_000;

/// A lock that makes targets run one at a time, because memory is measured for the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A reader to test, and the requirements on it.
pub struct Target<'a> {
    /// Its name, and the name of its folder in `tests/corpus`.
    pub name: &'static str,
    /// The text that every error must contain: a part of the path of the file.
    pub place: &'a str,
    /// The largest allowed growth of memory, in bytes.
    pub most_memory_bytes: u64,
    /// More inputs to change, besides the corpus.
    pub seeds: Vec<Vec<u8>>,
}

/// Feeds `read` the corpus of the target and changed inputs.
///
/// `read` returns the text of the error if the reader refuses the input. It may check accepted inputs further, and
/// panic.
pub fn run(target: &Target, mut read: impl FnMut(&[u8]) -> Result<(), String>) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let name = target.name;
    let mut rng = ChaCha8Rng::seed_from_u64(variable("SHARPTUI_FUZZ_SEED", 1));
    let time = Duration::from_secs(variable("SHARPTUI_FUZZ_SECONDS", 2));
    let corpus = corpus(name);
    let before = memory_before();
    for (path, input) in &corpus {
        let is_valid = path.file_name().unwrap().to_string_lossy().starts_with("valid");
        let answer = check(target, before, input, &mut read);
        assert_eq!(answer.is_ok(), is_valid, "{}: {answer:?}", path.display());
    }
    let mut all: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
    all.extend(target.seeds.iter().cloned());
    let start = Instant::now();
    let (mut accepted, mut tried) = (0_u64, 0_u64);
    while start.elapsed() < time {
        accepted += u64::from(check(target, before, &mutated(&mut rng, &all), &mut read).is_ok());
        tried += 1;
    }
    println!("{name}: {tried} changed inputs, {accepted} of them accepted");
    assert!(tried > 0 || time.is_zero(), "{name}: no input was tried");
}

/// Feeds `read` a single input, which it must refuse.
pub fn once(target: &Target, input: &[u8], mut read: impl FnMut(&[u8]) -> Result<(), String>) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(
        check(target, memory_before(), input, &mut read).is_err(),
        "{} was accepted",
        target.name
    );
}

fn memory_before() -> Option<u64> {
    forget_peak();
    peak_bytes()
}

/// Returns the answer of `read`, with the text of its error if it refuses the input.
///
/// # Panics
/// Panics if `read` has a fault. The message names a file with the input.
fn check(
    target: &Target,
    before: Option<u64>,
    input: &[u8],
    read: &mut impl FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let name = target.name;
    // If the process is killed, the file of the running input remains.
    let running = kept(name, "running", input);
    let read = catch_unwind(AssertUnwindSafe(|| read(input)));
    let grown = before
        .zip(peak_bytes())
        .map_or(0, |(before, now)| now.saturating_sub(before));
    let fault = match &read {
        Err(_) => Some("panics (see above)".to_owned()),
        _ if grown > target.most_memory_bytes => Some(format!("takes {grown} bytes of memory")),
        Ok(Err(text)) => fault_of(text, target.place),
        Ok(Ok(())) => None,
    };
    if let Some(fault) = fault {
        let path = kept(name, &format!("{:08x}", crc32fast::hash(input)), input);
        panic!("{name}: the reader of {} {fault}", path.display());
    }
    fs::remove_file(running).unwrap();
    read.expect("a panic is a fault")
}

/// Returns what is wrong with the text of an error, or `None`.
fn fault_of(text: &str, place: &str) -> Option<String> {
    if !text.contains(place) {
        Some(format!("gives an error that does not name {place}: {text}"))
    } else if text.len() > LONGEST_MESSAGE + place.len() {
        Some(format!("gives an error of {} bytes", text.len()))
    } else if text.chars().any(char::is_control) {
        Some(format!("gives an error with control characters: {text:?}"))
    } else {
        None
    }
}

/// Reads the files of a target's corpus, sorted by name.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no corpus in {}", folder.display());
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Writes an input to `target/fuzz-failures` and returns the path.
fn kept(name: &str, suffix: &str, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz-failures");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}-{suffix}"));
    fs::write(&path, input).unwrap();
    path
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is {text}, expected a whole number"))
    })
}
