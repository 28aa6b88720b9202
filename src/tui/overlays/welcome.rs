//! The welcome at the first start: what the program shows, and where the help is.

use std::fs;
use std::path::{Path, PathBuf};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::keys::Action;
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;
use crate::user_folders::{Kind, user_folder};

/// Text of the welcome, and the keys to begin with.
const WORDS: [&str; 3] = [
    "λ_max, the curvature of the loss along its sharpest direction,",
    "often rises to the dotted line 2/η and stays there: the edge of",
    "stability. No key loses work without asking first.",
];
const KEYS: [(Action, &str); 7] = [
    (Action::Help, "the keys of this page"),
    (Action::Palette, "find an action by its name"),
    (Action::Glossary, "what the numbers mean"),
    (Action::PageCells, "page of all cells (other pages: charts, sweep, log)"),
    (Action::PauseOrResume, "pause, or resume"),
    (Action::Detach, "leave; training goes on, `sharptui attach` reopens"),
    (Action::Quit, "quit"),
];

/// Draws the welcome over the screen.
pub(in crate::tui) fn render(scene: &Scene, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let mut lines: Vec<Line> = WORDS
        .iter()
        .map(|words| Line::raw(theme.text(*words).into_owned()))
        .collect();
    lines.push(Line::default());
    lines.extend(KEYS.iter().filter_map(|(action, words)| {
        let key = theme.text(scene.view.keys.first(*action)?).into_owned();
        Some(Line::from(vec![
            Span::styled(format!("{key:>6}"), theme.key),
            Span::raw(format!("  {}", theme.text(*words))),
        ]))
    }));
    lines.push(Line::default());
    lines.push(Line::styled("This is shown once. Any key closes it.", theme.dim));
    panel::overlay(screen, buffer, theme, "welcome to sharptui", lines);
}

/// Returns whether to show the welcome, and records in a file that it was shown, so that it is shown only once. If this
/// cannot be recorded, the welcome is not shown: otherwise it would appear at every start.
pub fn take_welcome<V: Into<PathBuf>>(variable: impl Fn(&str) -> Option<V>) -> bool {
    let mark = user_folder(Kind::State, variable).map(|folder| folder.join("welcomed"));
    mark.is_some_and(|mark| !mark.exists() && write(&mark).is_ok())
}

fn write(mark: &Path) -> std::io::Result<()> {
    if let Some(folder) = mark.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(
        mark,
        "The welcome of sharptui was shown; without this file it is shown again.\n",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;
    use crate::tui::{Overlay, screen};

    #[test]
    fn somebody_is_welcomed_once_and_never_where_it_cannot_be_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().display().to_string();
        let state = folder.path().join("state").display().to_string();
        let in_home = |name: &str| (name == "HOME").then(|| home.clone());
        let elsewhere = |name: &str| (name == "XDG_STATE_HOME").then(|| state.clone());
        for environment in [&in_home as &dyn Fn(&str) -> Option<String>, &elsewhere] {
            assert!(take_welcome(environment));
            assert!(!take_welcome(environment));
        }
        assert!(folder.path().join(".local/state/sharptui/welcomed").exists());
        let file = folder.path().join("state/sharptui/welcomed").display().to_string();
        assert!(!take_welcome(|name| (name == "HOME").then(|| file.clone())));
        assert!(!take_welcome(|_| None::<PathBuf>));
    }

    #[test]
    fn it_fits_the_smallest_screen() {
        let mut fixture = Fixture::half_way();
        fixture.view.overlay = Some(Overlay::Welcome);
        let drawn = fixture.drawn(screen::render, (60, 16));
        assert!(
            drawn.contains("Any key closes it") && drawn.contains("attach"),
            "{drawn}"
        );
    }
}
