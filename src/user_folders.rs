//! Where the files of a user lie, by the [XDG base directory specification](https://specifications.freedesktop.org/basedir-spec/latest/).

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

#[cfg(test)]
mod tests {
    use super::*;

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
