//! Every key in one table: it decides what a key does, and is what help, footer and README show.

mod action;
mod chord;
pub(super) mod keymap;
pub(super) mod prompt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

pub use action::Action;
pub use chord::Chord;
use chord::{control, key, letter};

/// What the footer says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// At every width.
    Always(&'static str),
    /// Where there is room.
    Wide(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys, any of which will do.
    pub chords: &'static [Chord],
    /// What they ask for.
    pub action: Action,
    /// A word or two for the footer.
    pub hint: Option<Hint>,
    /// What they do, for help and README.
    pub help: &'static str,
}

impl Binding {
    /// The keys as people write them: "space p".
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

/// Every key, in the order of help and README.
pub const BINDINGS: &[Binding] = &[
    binding(
        &[letter(' '), letter('p')],
        Action::PauseOrResume,
        Some(Hint::Always("pause")),
        "pause after this step, or go on",
    ),
    binding(
        &[key(KeyCode::Up), letter('k')],
        Action::Previous,
        None,
        "look at the cell above; training goes on",
    ),
    binding(
        &[key(KeyCode::Down), letter('j')],
        Action::Next,
        Some(Hint::Always("choose")),
        "look at the cell below; in the log, scroll",
    ),
    binding(&[key(KeyCode::PageUp)], Action::PageUp, None, "ten rows up"),
    binding(&[key(KeyCode::PageDown)], Action::PageDown, None, "ten rows down"),
    binding(
        &[key(KeyCode::Enter), letter('f')],
        Action::Follow,
        Some(Hint::Wide("follow")),
        "follow the running cell; in the log, its end",
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
        "show some cells: words, or acc>0.8 (asks)",
    ),
    binding(&[letter('o')], Action::Sort, None, "sort the cells by the next column"),
    binding(
        &[letter('O')],
        Action::SortReversed,
        None,
        "sort them the other way round",
    ),
    binding(
        &[letter('d')],
        Action::Details,
        Some(Hint::Always("details")),
        "every setting of the chosen cell",
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
        "change the running cell's learning rate (asks)",
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
        "skip it: it goes on at the end of the queue",
    ),
    binding(&[letter('[')], Action::MoveUp, None, "run the chosen cell earlier"),
    binding(&[letter(']')], Action::MoveDown, None, "run the chosen cell later"),
    binding(
        &[letter('x')],
        Action::Hold,
        None,
        "hold it out of the queue, or let it in",
    ),
    binding(
        &[letter('n')],
        Action::AddSeed,
        None,
        "add a cell like it with a new seed",
    ),
    binding(
        &[letter('t')],
        Action::Retry,
        None,
        "run a cell that has ended again (asks)",
    ),
    binding(
        &[letter('u')],
        Action::Undo,
        None,
        "take back the last change of queue or rate",
    ),
    binding(
        &[key(KeyCode::Left)],
        Action::CursorLeft,
        Some(Hint::Wide("read")),
        "read every curve out at a step",
    ),
    binding(
        &[key(KeyCode::Right)],
        Action::CursorRight,
        None,
        "the same further right",
    ),
    binding(
        &[letter('+'), letter('=')],
        Action::ZoomIn,
        Some(Hint::Wide("zoom")),
        "half as many steps, at the cursor or the end",
    ),
    binding(&[letter('-')], Action::ZoomOut, None, "twice as many steps"),
    binding(&[letter('<'), letter(',')], Action::Earlier, None, "earlier steps"),
    binding(&[letter('>'), letter('.')], Action::Later, None, "later steps"),
    binding(&[letter('0')], Action::WholeRun, None, "the whole run"),
    binding(
        &[letter('z')],
        Action::Smooth,
        None,
        "smooth the curves: a little, much, not",
    ),
    binding(
        &[letter('v')],
        Action::Overlay,
        None,
        "lay the chosen cell over others' charts",
    ),
    binding(&[letter('V')], Action::OverlayNone, None, "take all of those away"),
    binding(
        &[key(KeyCode::Tab)],
        Action::NextProbe,
        Some(Hint::Wide("probe")),
        "λ_max on the next probe",
    ),
    binding(
        &[letter('c')],
        Action::NextChart,
        None,
        "another quantity in the marked chart",
    ),
    binding(&[letter('C')], Action::MarkChart, None, "mark the next chart"),
    binding(
        &[letter('X')],
        Action::AcrossAxis,
        None,
        "steps, epochs or seconds across the charts",
    ),
    binding(
        &[letter('l')],
        Action::LossAxis,
        Some(Hint::Wide("loss axis")),
        "loss on a linear or a logarithmic axis",
    ),
    binding(
        &[letter('L')],
        Action::LambdaAxis,
        Some(Hint::Wide("λ axis")),
        "λ_max on a linear or a logarithmic axis",
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
        "the keys of this page",
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
        "close what lies over the screen",
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
        "detach: training goes on (`attach` returns)",
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
        "quit; once more leaves at once",
    ),
    binding(
        &[control('z')],
        Action::Suspend,
        None,
        "suspend the screen; training goes on",
    ),
    binding(&[control('l')], Action::Redraw, None, "draw the screen anew"),
];

/// What the rows are about, each from this action on.
pub(super) const GROUPS: [(Action, &str); 7] = [
    (Action::PauseOrResume, "training and cells"),
    (Action::PageCharts, "pages"),
    (Action::Filter, "table"),
    (Action::Details, "details"),
    (Action::Audit, "by hand"),
    (Action::CursorLeft, "charts"),
    (Action::Help, "help and leaving"),
];

/// The answer this key gives to a question: yes, no, or none.
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

/// The table as the README shows it.
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
