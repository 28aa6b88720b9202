//! Environment variables that must be set before the program and its libraries start.
//!
//! If they are not set, the program sets them and restarts itself: once, at the beginning, in the same process.

use std::env;
use std::ffi::OsStr;
use std::io;

use crate::relaunch;

/// Variables and their values.
type Wanted = Vec<(&'static str, &'static str)>;

/// The settings of glibc's allocator: one heap for all threads, whose free memory is not returned to the system.
///
/// By default, glibc maps each large tensor separately, and the kernel zeroes new pages in every step of training. With
/// the default, a step of a small convolutional network took 15 % longer on flex and 50 % longer on LibTorch.
const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "1099511627776"),
    ("MALLOC_TRIM_THRESHOLD_", "1099511627776"),
];

/// The variable that can hold the same settings.
const TUNABLES: &str = "GLIBC_TUNABLES";

/// Makes the allocator reuse the memory of tensors. This may restart the program from the beginning. The restarted
/// program receives the text of its configuration, `config`, because the text may have come from a pipe.
pub fn settle_environment(config: Option<&str>) {
    let wanted = allocator();
    let is_there = |(name, value): &(&str, &str)| env::var_os(name).as_deref() == Some(OsStr::new(value));
    if !wanted.iter().all(is_there) {
        // If the restart fails, the program continues and is only slower.
        let _ = restart(&wanted, config);
    }
}

/// Returns the variables to set. There are none if the environment already configures glibc's allocator: either the
/// user did so, or this program did before its restart.
fn allocator() -> Wanted {
    let mut names = ALLOCATOR.iter().map(|(name, _)| *name).chain([TUNABLES]);
    if !cfg!(target_env = "gnu") || names.any(|name| env::var_os(name).is_some()) {
        return Wanted::new();
    }
    ALLOCATOR.into()
}

/// Replaces this process by the same program with more environment variables. Returns only on failure, with the reason.
#[cfg(unix)]
fn restart(environment: &Wanted, config: Option<&str>) -> io::Error {
    use std::os::unix::process::CommandExt;

    let mut command = match relaunch::command(&[], config) {
        Ok(command) => command,
        Err(error) => return error,
    };
    command.envs(environment.iter().copied());
    command.exec()
}

#[cfg(not(unix))]
fn restart(_: &Wanted, _: Option<&str>) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The variable that tells a test that it runs as its own child process.
    const CHILD: &str = "SHARPTUI_TEST_OF_THE_ENVIRONMENT";

    /// Runs the same test as a child process with the variables `before`, and returns its output.
    fn child(test: &str, says: &str, before: &[(&str, &str)]) -> String {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([test, "--nocapture", "--test-threads", "1"]);
        for name in ALLOCATOR.map(|(name, _)| name) {
            command.env_remove(name);
        }
        command.env(CHILD, says).envs(before.iter().copied());
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        said
    }

    #[cfg(target_env = "gnu")]
    #[test]
    fn the_allocator_is_told_to_keep_memory_unless_the_user_told_it_something() {
        const SELF: &str = "the_allocator_is_told_to_keep_memory";
        let names = ALLOCATOR.map(|(name, _)| name);
        if env::var_os(CHILD).is_some() {
            settle_environment(None);
            println!("settled {:?}", names.map(env::var_os));
            return;
        }
        let said = child(SELF, "", &[]);
        let told = ALLOCATOR.map(|(_, value)| Some(value.to_owned()));
        assert!(said.contains(&format!("settled {told:?}")), "{said}");
        let said = child(SELF, "", &[("MALLOC_TRIM_THRESHOLD_", "7")]);
        assert!(said.contains(r#"settled [None, None, Some("7")]"#), "{said}");
    }
}
