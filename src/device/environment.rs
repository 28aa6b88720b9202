//! What has to stand in the environment before the program and its libraries start.
//!
//! Where it does not, the program starts itself again with it: once, at the beginning, in the same process.

use std::env;
use std::ffi::OsStr;
use std::io;

use crate::relaunch;

/// Variables, and what they have to say.
type Wanted = Vec<(&'static str, &'static str)>;

/// How glibc allocates: one heap for all threads, which is kept when it is free.
///
/// By default large tensors are mapped one by one, and every step of training pays for fresh pages, zeroed by the kernel:
/// with it, a step of a small convolutional network took 15 % longer on flex and 50 % longer on LibTorch.
const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "1099511627776"),
    ("MALLOC_TRIM_THRESHOLD_", "1099511627776"),
];

/// The same settings by another name.
const TUNABLES: &str = "GLIBC_TUNABLES";

/// Sees to it that the memory of tensors is used again. May start the program again, from the beginning; it is then handed
/// the text of its configuration, which may have come from a pipe.
pub fn settle_environment(config: Option<&str>) {
    let wanted = allocator();
    let is_there = |(name, value): &(&str, &str)| env::var_os(name).as_deref() == Some(OsStr::new(value));
    if !wanted.iter().all(is_there) {
        // Where that fails, the program is slower, and nothing else.
        let _ = restart(&wanted, config);
    }
}

/// Nothing where the environment speaks of glibc's allocator: the user has something in mind, or it was done already.
fn allocator() -> Wanted {
    let mut names = ALLOCATOR.iter().map(|(name, _)| *name).chain([TUNABLES]);
    if !cfg!(target_env = "gnu") || names.any(|name| env::var_os(name).is_some()) {
        return Wanted::new();
    }
    ALLOCATOR.into()
}

/// Puts this program in its own place, in another environment; comes back only with the reason why it could not.
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

    /// Set in the child that a test makes of itself, so that it knows that it is one.
    const CHILD: &str = "SHARPTUI_TEST_OF_THE_ENVIRONMENT";

    /// What the same test says as a child in an environment with `before`.
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
