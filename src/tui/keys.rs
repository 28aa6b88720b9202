//! The table of all keys. It decides what a key does; the help, the footer and the book (`docs/src/keys.md`) show it.

mod action;
mod chord;
pub(super) mod keymap;
pub(super) mod prompt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

pub use action::Action;
pub use chord::Chord;
use chord::{control, key, letter};

/// The label of a key in the footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Shown at every width.
    Always(&'static str),
    /// Shown on a wide screen only.
    Wide(&'static str),
}

/// One row of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys. Each of them triggers the action.
    pub chords: &'static [Chord],
    /// The action that the keys trigger.
    pub action: Action,
    /// The label in the footer, one or two words.
    pub hint: Option<Hint>,
    /// What the keys do, for the help and the book.
    pub help: &'static str,
}

impl Binding {
    /// Returns the names of the keys, separated by blanks: "space p".
    #[must_use]
    pub fn names(&self) -> String {
        self.chords
            .iter()
            .map(|chord| chord.name())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

const fn binding(chords: &'static [Chord], action: Action, hint: Option<Hint>, help: &'static str) -> Binding {
    Binding {
        chords,
        action,
        hint,
        help,
    }
}

/// All keys, in the order of the help and the book.
pub const BINDINGS: &[Binding] = &[
    binding(
        &[letter(' '), letter('p')],
        Action::PauseOrResume,
        Some(Hint::Always("pause")),
        "pause all cells after their step, or resume",
    ),
    binding(
        &[letter('P')],
        Action::PauseCell,
        None,
        "pause the chosen cell only, or resume it",
    ),
    binding(
        &[key(KeyCode::Up), letter('k')],
        Action::Previous,
        None,
        "choose the cell above; training goes on",
    ),
    binding(
        &[key(KeyCode::Down), letter('j')],
        Action::Next,
        Some(Hint::Always("choose")),
        "choose the cell below; in the log, scroll",
    ),
    binding(&[key(KeyCode::PageUp)], Action::PageUp, None, "ten rows up"),
    binding(&[key(KeyCode::PageDown)], Action::PageDown, None, "ten rows down"),
    binding(
        &[key(KeyCode::Enter), letter('f')],
        Action::Follow,
        Some(Hint::Wide("follow")),
        "follow a running cell; in the log, the end",
    ),
    binding(
        &[letter('1')],
        Action::PageCharts,
        Some(Hint::Wide("pages")),
        "page 1: the curves of the chosen cell",
    ),
    binding(
        &[letter('2')],
        Action::PageCells,
        None,
        "page 2: the table of all cells",
    ),
    binding(
        &[letter('3')],
        Action::PageSweep,
        None,
        "page 3: settings against λ_max and accuracy",
    ),
    binding(&[letter('4')], Action::PageLog, None, "page 4: the log of the run"),
    binding(
        &[letter('/')],
        Action::Filter,
        None,
        "filter cells: words, or acc>0.8 (asks)",
    ),
    binding(&[letter('o')], Action::Sort, None, "sort the cells by the next column"),
    binding(&[letter('O')], Action::SortReversed, None, "reverse the sort order"),
    binding(
        &[letter('d')],
        Action::Details,
        Some(Hint::Always("details")),
        "show every setting of the chosen cell",
    ),
    binding(&[letter('K')], Action::ScrollUp, None, "scroll settings or keys up"),
    binding(&[letter('J')], Action::ScrollDown, None, "scroll settings or keys down"),
    binding(
        &[letter('A')],
        Action::Audit,
        Some(Hint::Always("audit")),
        "audit: check λ_max from a cold start",
    ),
    binding(
        &[letter('m')],
        Action::Measure,
        None,
        "measure λ_max and evaluate at the next step",
    ),
    binding(
        &[letter('r')],
        Action::LearningRate,
        Some(Hint::Always("rate")),
        "change the chosen cell's learning rate (asks)",
    ),
    binding(
        &[letter('a')],
        Action::Abort,
        Some(Hint::Always("abort")),
        "abort the chosen cell (asks)",
    ),
    binding(
        &[letter('S')],
        Action::Skip,
        None,
        "skip the cell: it goes to the end of the queue",
    ),
    binding(&[letter('[')], Action::MoveUp, None, "run the chosen cell earlier"),
    binding(&[letter(']')], Action::MoveDown, None, "run the chosen cell later"),
    binding(&[letter('x')], Action::Hold, None, "hold a queued cell, or release it"),
    binding(
        &[letter('n')],
        Action::AddSeed,
        None,
        "add a copy of the chosen cell with a new seed",
    ),
    binding(&[letter('t')], Action::Retry, None, "run an ended cell again (asks)"),
    binding(
        &[letter('u')],
        Action::Undo,
        None,
        "undo the last change of queue or rate",
    ),
    binding(&[letter('R')], Action::MoreRunners, None, "start one more runner"),
    binding(
        &[letter('F')],
        Action::FewerRunners,
        None,
        "take one runner away; its cell goes on later",
    ),
    binding(
        &[key(KeyCode::Left)],
        Action::CursorLeft,
        Some(Hint::Wide("cursor")),
        "cursor left: show the values at a step",
    ),
    binding(&[key(KeyCode::Right)], Action::CursorRight, None, "cursor right"),
    binding(
        &[letter('+'), letter('=')],
        Action::ZoomIn,
        Some(Hint::Wide("zoom")),
        "zoom in at cursor or end: half as many steps",
    ),
    binding(&[letter('-')], Action::ZoomOut, None, "zoom out: twice as many steps"),
    binding(&[letter('<'), letter(',')], Action::Earlier, None, "show earlier steps"),
    binding(&[letter('>'), letter('.')], Action::Later, None, "show later steps"),
    binding(&[letter('0')], Action::WholeRun, None, "show the whole run"),
    binding(
        &[letter('z')],
        Action::Smooth,
        None,
        "smooth the curves: light, strong, off",
    ),
    binding(
        &[letter('v')],
        Action::Overlay,
        None,
        "overlay the chosen cell on others' charts",
    ),
    binding(&[letter('V')], Action::OverlayNone, None, "remove all overlays"),
    binding(
        &[letter('g')],
        Action::Seeds,
        None,
        "seeds together: mean and range, or one cell",
    ),
    binding(
        &[key(KeyCode::Tab)],
        Action::NextProbe,
        Some(Hint::Wide("probe")),
        "show λ_max on the next probe",
    ),
    binding(
        &[letter('c')],
        Action::NextChart,
        None,
        "show the next quantity in the marked chart",
    ),
    binding(&[letter('C')], Action::MarkChart, None, "mark the next chart"),
    binding(
        &[letter('X')],
        Action::AcrossAxis,
        None,
        "horizontal axis: steps, epochs or seconds",
    ),
    binding(
        &[letter('l')],
        Action::LossAxis,
        Some(Hint::Wide("loss axis")),
        "loss axis: linear or logarithmic",
    ),
    binding(
        &[letter('L')],
        Action::LambdaAxis,
        Some(Hint::Wide("λ axis")),
        "λ_max axis: linear or logarithmic",
    ),
    binding(
        &[letter('s')],
        Action::Scatter,
        Some(Hint::Wide("scatter")),
        "scatter: accuracy against λ_max, by setting",
    ),
    binding(
        &[letter('?'), letter('h')],
        Action::Help,
        Some(Hint::Always("help")),
        "show the keys of this page",
    ),
    binding(
        &[letter(':')],
        Action::Palette,
        Some(Hint::Wide("find")),
        "find an action by its name",
    ),
    binding(&[letter('i')], Action::Glossary, None, "what the numbers mean"),
    binding(
        &[letter('y')],
        Action::Copy,
        None,
        "copy the values under the cursor (OSC 52)",
    ),
    binding(
        &[key(KeyCode::Esc)],
        Action::Close,
        None,
        "close a box, or remove mark or cursor",
    ),
    binding(
        &[letter('q')],
        Action::Quit,
        Some(Hint::Always("quit")),
        "quit (asks while cells are unfinished)",
    ),
    binding(
        &[letter('D')],
        Action::Detach,
        None,
        "detach: training goes on (`attach` reopens)",
    ),
    binding(
        &[letter('w')],
        Action::Picture,
        None,
        "save the screen as a picture (SVG)",
    ),
    binding(
        &[control('c')],
        Action::Interrupt,
        None,
        "quit; a second time exits immediately",
    ),
    binding(
        &[control('z')],
        Action::Suspend,
        None,
        "suspend the screen; training goes on",
    ),
    binding(&[control('l')], Action::Redraw, None, "redraw the screen"),
];

/// Headings of the key table. A heading covers the rows from its action to the next heading.
pub(super) const GROUPS: [(Action, &str); 7] = [
    (Action::PauseOrResume, "training and cells"),
    (Action::PageCharts, "pages"),
    (Action::Filter, "table"),
    (Action::Details, "details"),
    (Action::Audit, "actions on cells"),
    (Action::CursorLeft, "charts"),
    (Action::Help, "help and leaving"),
];

/// Returns the answer of a key to a question: yes (`true`), no (`false`), or `None` for any other key.
#[must_use]
pub fn answer(event: &KeyEvent) -> Option<bool> {
    match event.code {
        _ if event.kind == KeyEventKind::Release => None,
        _ if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::CONTROL) => None,
        KeyCode::Char('y' | 'Y') => Some(true),
        KeyCode::Char('n' | 'N') | KeyCode::Esc => Some(false),
        _ => None,
    }
}

/// Returns the key table in Markdown, for the book.
#[must_use]
pub fn markdown_table() -> String {
    let mut table = "| key | what it does |\n|---|---|\n".to_owned();
    for binding in BINDINGS {
        let names: Vec<String> = binding
            .chords
            .iter()
            .map(|chord| format!("`{}`", chord.name()))
            .collect();
        table.push_str(&["| ", &names.join(" "), " | ", binding.help, " |\n"].concat());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::keymap::KeyMap;

    #[test]
    fn no_key_is_bound_twice() {
        let chords: Vec<Chord> = BINDINGS.iter().flat_map(|binding| binding.chords).copied().collect();
        for (index, chord) in chords.iter().enumerate() {
            assert!(!chords[index + 1..].contains(chord), "{} is bound twice", chord.name());
        }
    }

    #[test]
    fn shift_and_control_make_different_keys() {
        let map = KeyMap::default();
        let press = |code, modifiers| map.action(&KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::Char('a'), KeyModifiers::NONE), Some(Action::Abort));
        assert_eq!(press(KeyCode::Char('A'), KeyModifiers::SHIFT), Some(Action::Audit));
        assert_eq!(
            press(KeyCode::Char('c'), KeyModifiers::CONTROL),
            Some(Action::Interrupt)
        );
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::NONE), Some(Action::NextChart));
        assert_eq!(press(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
        assert_eq!(press(KeyCode::Char('q'), KeyModifiers::ALT), None);
    }

    #[test]
    fn letting_a_key_go_does_nothing() {
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(KeyMap::default().action(&released), None);
    }

    #[test]
    fn the_markdown_table_has_a_row_for_every_binding() {
        let table = markdown_table();
        assert_eq!(table.lines().count(), BINDINGS.len() + 2);
        assert!(table.contains("| `space` `p` | pause"), "{table}");
    }
}
