//! Where the files of a user lie, by the [XDG base directory specification](https://specifications.freedesktop.org/basedir-spec/latest/).

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the user decided.
    Config,
    /// Data sets.
    Data,
    /// What the program remembers.
    State,
}

/// The folder of this program, with environment variables from `variable`; none without a home.
///
/// A relative path is to be ignored, says the specification.
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

/// The folder of what lives as long as the user is logged in, such as sockets, with environment variables from `variable`.
/// Without the system's own, one in the folder of temporary files. It may not be there yet.
///
/// # Errors
/// If somebody else could have made it: what lies there would not be the user's.
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
