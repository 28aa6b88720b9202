//! The folders for a user's files, by the [XDG base directory
//! specification](https://specifications.freedesktop.org/basedir-spec/latest/).

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The kind of files in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Configuration: the user's preferences.
    Config,
    /// Data sets.
    Data,
    /// State that the program remembers.
    State,
}

/// Returns this program's folder for files of this kind, or `None` without a home. `variable` reads environment
/// variables.
///
/// Relative paths are ignored, as the specification demands.
pub fn user_folder<V: Into<PathBuf>>(kind: Kind, variable: impl Fn(&str) -> Option<V>) -> Option<PathBuf> {
    let absolute = |name| {
        variable(name)
            .map(Into::into)
            .filter(|path: &PathBuf| path.is_absolute())
    };
    let (name, in_home) = match kind {
        Kind::Config => ("XDG_CONFIG_HOME", ".config"),
        Kind::Data => ("XDG_DATA_HOME", ".local/share"),
        Kind::State => ("XDG_STATE_HOME", ".local/state"),
    };
    let parent = absolute(name).or_else(|| Some(absolute("HOME")?.join(in_home)))?;
    Some(parent.join("sharptui"))
}

/// Returns the folder for files that last as long as the user is logged in, such as sockets. `variable` reads
/// environment variables. If the system has no such folder, the result is in the folder of temporary files. The folder
/// may not exist yet.
///
/// # Errors
/// Returns an error if the path exists and is not a folder of this user: another user could have made it.
pub fn runtime_folder<V: Into<PathBuf>>(variable: impl Fn(&str) -> Option<V>) -> io::Result<PathBuf> {
    let named = variable("XDG_RUNTIME_DIR").map(Into::into);
    let user = rustix::process::getuid();
    let folder = match named.filter(|path: &PathBuf| path.is_absolute() && path.is_dir()) {
        Some(parent) => parent.join("sharptui"),
        None => std::env::temp_dir().join(format!("sharptui-{}", user.as_raw())),
    };
    match std::fs::symlink_metadata(&folder) {
        Ok(found) if !found.is_dir() || found.uid() != user.as_raw() => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is not a folder of this user", folder.display()),
        )),
        _ => Ok(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_lie_in_the_runtime_folder_and_never_in_what_is_somebody_elses() {
        let parent = tempfile::tempdir().unwrap();
        let of = || runtime_folder(|name| (name == "XDG_RUNTIME_DIR").then(|| parent.path().to_owned()));
        let folder = parent.path().join("sharptui");
        assert_eq!(of().unwrap(), folder);
        std::os::unix::fs::symlink("/tmp", &folder).unwrap();
        assert!(of().is_err(), "a link leads who knows where");
        std::fs::remove_file(&folder).unwrap();
        let without = runtime_folder(|_| None::<PathBuf>);
        assert!(without.is_ok_and(|folder| folder.starts_with(std::env::temp_dir())));
    }

    #[test]
    fn the_variable_of_the_kind_counts_before_the_home_and_a_relative_path_not_at_all() {
        let of = |kind, variables: &[(&str, &str)]| {
            let folder = user_folder(kind, |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            folder.map(|folder| folder.display().to_string()).unwrap_or_default()
        };
        let home = ("HOME", "/h");
        assert_eq!(of(Kind::Config, &[("XDG_CONFIG_HOME", "/c"), home]), "/c/sharptui");
        assert_eq!(
            of(Kind::Config, &[("XDG_CONFIG_HOME", "c"), home]),
            "/h/.config/sharptui"
        );
        assert_eq!(
            of(Kind::Data, &[("XDG_DATA_HOME", ""), home]),
            "/h/.local/share/sharptui"
        );
        assert_eq!(
            of(Kind::State, &[("XDG_DATA_HOME", "/d"), home]),
            "/h/.local/state/sharptui"
        );
        assert_eq!(of(Kind::State, &[("HOME", "h")]), "");
        assert_eq!(of(Kind::State, &[]), "");
    }
}
