//! Starts this program again with its own arguments: in place of this process, or as a child.
//!
//! The program is started in the same way as before: through the dynamic loader, under another name, or from a file
//! that has been replaced since. A configuration that was already read is passed on through standard input, because a
//! pipe cannot be read twice.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The flag with which the program reads its configuration from standard input, whatever path is given.
pub(crate) const CONFIG_ON_STDIN: &str = "--config-on-stdin";

/// Returns the command that starts this program again with its own arguments, and with those `flags` that are not among
/// them yet. With a `config`, the command's standard input is that text, and [`CONFIG_ON_STDIN`] is added.
///
/// # Errors
/// Returns an error if the system does not tell which program this is, or if no file can hold the text.
pub(crate) fn command(flags: &[&str], config: Option<&str>) -> io::Result<Command> {
    let flags = flags.iter().chain(config.map(|_| &CONFIG_ON_STDIN));
    let mut words = words();
    for flag in flags {
        add(&mut words, flag);
    }
    let mut command = Command::new(program()?);
    let mut words = words.all.into_iter();
    if let Some(name) = words.next() {
        named(&mut command, &name);
    }
    command.args(words);
    if let Some(text) = config {
        command.stdin(Stdio::from(readable(text)?));
    }
    Ok(command)
}

/// Returns the command that starts this program without arguments, in the same way as it was started.
///
/// # Errors
/// Returns an error if the system does not tell which program this is.
pub(crate) fn bare() -> io::Result<Command> {
    let words = words();
    let mut command = Command::new(program()?);
    let mut before = words.all.into_iter().take(words.before);
    if let Some(name) = before.next() {
        named(&mut command, &name);
    }
    command.args(before);
    Ok(command)
}

/// The command line of this process, as the system has it.
struct Words {
    all: Vec<OsString>,
    /// The number of words before the arguments of this program: its name, and a loader with its options.
    before: usize,
}

fn words() -> Words {
    let own: Vec<OsString> = env::args_os().collect();
    let arguments = own.get(1..).unwrap_or_default();
    // A dynamic loader hides its own words from the program, but not from the system.
    let all = started_with().filter(|all| all.len() >= own.len() && all.ends_with(arguments));
    let all = all.unwrap_or_else(|| own.clone());
    Words {
        before: all.len() - arguments.len(),
        all,
    }
}

/// Adds a flag before the `--` that ends all flags, unless it is there already.
fn add(words: &mut Words, flag: &str) {
    let end = OsStr::new("--");
    let mut arguments = words.all.iter().skip(words.before);
    let at = arguments.clone().position(|word| word == end);
    if arguments
        .by_ref()
        .take(at.unwrap_or(usize::MAX))
        .any(|word| word == flag)
    {
        return;
    }
    let at = at.map_or(words.all.len(), |at| words.before + at);
    words.all.insert(at, flag.into());
}

#[cfg(target_os = "linux")]
fn started_with() -> Option<Vec<OsString>> {
    use std::os::unix::ffi::OsStringExt;

    let text = std::fs::read("/proc/self/cmdline").ok()?;
    let words = text.strip_suffix(&[0])?.split(|&byte| byte == 0);
    Some(words.map(|word| OsString::from_vec(word.to_vec())).collect())
}

#[cfg(not(target_os = "linux"))]
fn started_with() -> Option<Vec<OsString>> {
    None
}

/// Returns the file that the system runs: this program, or the loader through which it was started.
fn program() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    // A process can still open its own program file after the file has been replaced.
    let itself = PathBuf::from("/proc/self/exe");
    Ok(if !program.exists() && itself.exists() {
        itself
    } else {
        program
    })
}

#[cfg(unix)]
fn named(command: &mut Command, name: &OsStr) {
    use std::os::unix::process::CommandExt;

    command.arg0(name);
}

#[cfg(not(unix))]
fn named(_: &mut Command, _: &OsStr) {}

/// Returns a nameless file with this text, positioned at its beginning.
fn readable(text: &str) -> io::Result<File> {
    let mut file = nameless()?;
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

fn nameless() -> io::Result<File> {
    #[cfg(target_os = "linux")]
    if let Ok(file) = rustix::fs::memfd_create("configuration", rustix::fs::MemfdFlags::CLOEXEC) {
        return Ok(File::from(file));
    }
    // Some sandboxes have no files in memory.
    let path = env::temp_dir().join(format!("sharptui-{}", std::process::id()));
    let file = File::options().create_new(true).read(true).write(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(flag: &str, line: &str, before: usize) -> String {
        let all = line.split(' ').map(OsString::from).collect();
        let mut words = Words { all, before };
        add(&mut words, flag);
        let words: Vec<String> = words.all.into_iter().map(|word| word.into_string().unwrap()).collect();
        words.join(" ")
    }

    #[test]
    fn a_flag_is_added_once_and_never_behind_the_end_of_all_flags() {
        assert_eq!(with("-x", "me a.ron --plain", 1), "me a.ron --plain -x");
        assert_eq!(with("-x", "me -x a.ron", 1), "me -x a.ron");
        assert_eq!(with("-x", "me --plain -- a.ron -x", 1), "me --plain -x -- a.ron -x");
        assert_eq!(with("-x", "ld -x -- me a.ron", 4), "ld -x -- me a.ron -x");
        assert_eq!(with("-x", "me", 1), "me -x");
    }
}
