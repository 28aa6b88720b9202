//! A headless Chromium, where one is installed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The names of the program.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The longest time to wait for it.
const PATIENCE: Duration = Duration::from_mins(3);

/// Returns the name of an installed Chromium; otherwise says that the test is skipped.
pub fn name() -> Option<&'static str> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = NAMES
        .into_iter()
        .find(|name| std::env::split_paths(&folders).any(|folder| folder.join(name).is_file()));
    if found.is_none() {
        eprintln!("skipped: Chromium is not installed");
    }
    found
}

/// Runs Chromium on a page with these arguments, and returns what it printed. It keeps its files in `folder`.
pub fn run(name: &str, folder: &Path, arguments: &[&str], page: &Path) -> String {
    let printed = folder.join("printed");
    let mut child = Command::new(name)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
        ])
        .args([
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
            "--virtual-time-budget=2000",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(fs::File::create(&printed).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{name} {arguments:?}: {status}");
            return fs::read_to_string(&printed).unwrap();
        }
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{name} {arguments:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
