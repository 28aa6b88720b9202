//! The list of the runs in a folder, from which one is chosen.
//!
//! ```text
//!  runs  3 runs                                                       2 training
//!   run              state      cells done  steps  best test acc  λ_max
//! › dropout          ▶ training      3 of 6    52%          81.2%  12.5 to 40.1
//!   learning_rate    ✓ complete      4 of 4   100%          83.0%  8.1 to 61.0
//! ```

use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Select};
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::terminal::{self, input, jobs};
use super::theme::{Theme, panel};
use super::{Options, TuiError, come_back, words};
use crate::monitor::{Listed, Stage};
use crate::number::count::counted;
use crate::signals::Signal;

/// Rows per page up or down.
const PAGE: usize = 10;

/// Longest time between two frames: the size of the window is looked at anew.
const TICK: Duration = Duration::from_secs(1);

/// The list, and the chosen run.
#[derive(Debug, Default)]
pub struct List {
    runs: Vec<Listed>,
    /// The name of the chosen run: its row may move.
    chosen: Option<String>,
}

/// What a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pressed {
    Nothing,
    Enter(String),
    Leave,
    Suspend,
}

impl List {
    fn row(&self) -> usize {
        let chosen = self.chosen.as_ref();
        let at = self.runs.iter().position(|run| Some(&run.name) == chosen);
        at.unwrap_or(0)
    }

    fn take(&mut self, runs: Vec<Listed>) {
        self.runs = runs;
        self.go_to(self.row());
    }

    fn go_to(&mut self, row: usize) {
        let row = row.min(self.runs.len().saturating_sub(1));
        self.chosen = self.runs.get(row).map(|run| run.name.clone());
    }

    fn key(&mut self, key: &KeyEvent) -> Pressed {
        let row = self.row();
        match key.code {
            KeyCode::Char('z') if key.modifiers.contains(KeyModifiers::CONTROL) => return Pressed::Suspend,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Pressed::Leave,
            KeyCode::Char('q') | KeyCode::Esc => return Pressed::Leave,
            KeyCode::Up | KeyCode::Char('k') => self.go_to(row.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => self.go_to(row + 1),
            KeyCode::PageUp => self.go_to(row.saturating_sub(PAGE)),
            KeyCode::PageDown => self.go_to(row + PAGE),
            KeyCode::Home => self.go_to(0),
            KeyCode::End => self.go_to(usize::MAX),
            KeyCode::Enter | KeyCode::Right => {
                let run = self.runs.get(row).filter(|run| run.state != Stage::Unreadable);
                return run.map_or(Pressed::Nothing, |run| Pressed::Enter(run.name.clone()));
            }
            _ => {}
        }
        Pressed::Nothing
    }

    /// Draws the list.
    pub(super) fn render(&self, folder: &Path, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        let going = self.runs.iter().filter(|run| run.state.goes_on()).count();
        let title = [
            Span::raw(" "),
            Span::styled(folder.display().to_string(), theme.strong),
            Span::styled(format!("  {} ", counted(self.runs.len() as u64, "run")), theme.dim),
        ];
        let legend = (going > 0).then(|| vec![Span::styled(format!(" {going} in progress "), theme.good)]);
        panel::rule(area, buffer, theme, &title, &Vec::from_iter(legend));
        let room = usize::from(area.height.saturating_sub(4));
        let first = self.row().saturating_sub(room.saturating_sub(1));
        let shown = &self.runs[first.min(self.runs.len())..self.runs.len().min(first + room)];
        let columns = columns(shown, usize::from(area.width.saturating_sub(2)));
        let line = |buffer: &mut Buffer, y: u16, fields: &dyn Fn(usize) -> (String, Style)| {
            let mut x = area.x + 2;
            for (at, width) in columns.iter().enumerate() {
                let (text, style) = fields(at);
                let text = panel::cut(&theme.text(text), *width);
                let blank = width - usize::from(panel::width(&text)).min(*width);
                let before = if at < LEFT { 0 } else { blank };
                let start = x + u16::try_from(before).unwrap_or(0);
                buffer.set_stringn(start, y, text, usize::from(area.right().saturating_sub(start)), style);
                x += u16::try_from(*width).unwrap_or(0) + 2;
            }
        };
        line(buffer, area.y + 1, &|at| (TITLES[at].to_owned(), theme.dim));
        for (offset, run) in shown.iter().enumerate() {
            let y = area.y + 2 + u16::try_from(offset).unwrap_or(0);
            let is_chosen = first + offset == self.row();
            let fields = fields(run);
            line(buffer, y, &|at| {
                let style = if at == 1 { mood(run.state, theme) } else { Style::new() };
                (
                    fields[at].clone(),
                    if is_chosen { style.patch(theme.chosen) } else { style },
                )
            });
            if is_chosen {
                buffer.set_string(area.x, y, theme.text("›"), theme.key);
            }
        }
        self.render_footer(theme, area, buffer);
    }

    fn render_footer(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        let problem = self.runs.get(self.row()).and_then(|run| run.problem.as_ref());
        if let Some(problem) = problem.filter(|_| area.height > 4) {
            let words = panel::cut(&theme.text(format!(" {problem}")), usize::from(area.width));
            buffer.set_string(area.x, area.bottom() - 2, words, theme.warning);
        }
        let mut x = area.x + 1;
        for (key, hint) in [
            ("↑/↓", "choose"),
            ("Enter", "open"),
            ("q", "quit"),
            ("Esc", "in a run: back to this list"),
        ] {
            for (text, style) in [(key, theme.key), (hint, theme.dim)] {
                let text = theme.text(format!("{text} ")).into_owned();
                if x < area.right() {
                    buffer.set_stringn(x, area.bottom() - 1, &text, usize::from(area.right() - x), style);
                }
                x = x.saturating_add(panel::width(&text));
            }
            x += 1;
        }
    }
}

/// The titles of the columns, of which the first ones are aligned left.
const TITLES: [&str; 7] = [
    "run",
    "state",
    "cells done",
    "steps",
    "best test acc",
    "λ_max",
    "least test loss",
];
const LEFT: usize = 2;

fn fields(run: &Listed) -> [String; 7] {
    let none = || "–".to_owned();
    let with_cell = |words: String, cell: usize| {
        if run.cells > 1 {
            format!("{words} ({cell})")
        } else {
            words
        }
    };
    let (glyph, word) = (glyph(run.state), run.state.word());
    [
        run.name.clone(),
        format!("{glyph} {word}"),
        match (run.done, run.cells) {
            (_, 0) => none(),
            (Some(done), cells) => format!("{done} of {cells}"),
            (None, cells) => cells.to_string(),
        },
        run.share
            .map_or_else(none, |share| words::whole_percent((share * 100.0).floor())),
        run.accuracy
            .map_or_else(none, |(share, cell)| with_cell(words::percent(Some(share)), cell)),
        match run
            .lambda
            .map(|(low, high)| (words::value(low, 3), words::value(high, 3)))
        {
            None => none(),
            Some((low, high)) if low == high => low,
            Some((low, high)) => format!("{low} to {high}"),
        },
        run.loss
            .map_or_else(none, |(loss, cell)| with_cell(words::value(loss, 3), cell)),
    ]
}

/// Returns the widths of the columns that fit. The name of the run is cut before a column is left out.
fn columns(runs: &[Listed], room: usize) -> Vec<usize> {
    const SHORTEST_NAME: usize = 16;
    let mut widths: Vec<usize> = TITLES.iter().map(|title| usize::from(panel::width(title))).collect();
    for run in runs {
        for (width, field) in widths.iter_mut().zip(fields(run)) {
            *width = (*width).max(usize::from(panel::width(&field)));
        }
    }
    let taken = |widths: &[usize]| widths.iter().map(|width| width + 2).sum::<usize>();
    while taken(&widths) > room && widths.len() > LEFT {
        let over = taken(&widths) - room;
        if widths[0] > SHORTEST_NAME {
            widths[0] = widths[0].saturating_sub(over).max(SHORTEST_NAME);
        } else {
            widths.pop();
        }
    }
    widths
}

fn glyph(state: Stage) -> char {
    match state {
        Stage::Unread => '·',
        Stage::Training | Stage::Tasks | Stage::Elsewhere | Stage::Growing => '▶',
        Stage::Complete => '✓',
        Stage::Stopped => '‖',
        Stage::Failed | Stage::Unreadable => '✗',
        Stage::Killed | Stage::Still => '○',
    }
}

fn mood(state: Stage, theme: &Theme) -> Style {
    match state {
        Stage::Training | Stage::Tasks | Stage::Elsewhere | Stage::Growing => theme.good,
        Stage::Unread | Stage::Complete | Stage::Still => theme.dim,
        Stage::Stopped | Stage::Killed => theme.warning,
        Stage::Failed | Stage::Unreadable => theme.bad,
    }
}

/// Shows the list until the user chooses a run, whose name is returned, or leaves.
///
/// # Errors
/// If the terminal cannot be set up.
pub fn choose(
    list: &mut List,
    folder: &Path,
    runs: &Receiver<Vec<Listed>>,
    signals: &Receiver<Signal>,
    options: &Options,
) -> Result<Option<String>, TuiError> {
    let preferences = &options.preferences;
    let theme = preferences.theme(options.ascii, |name| std::env::var(name).ok());
    let mut screen = terminal::Screen::enter(None, false)?;
    let jobs = jobs::Jobs::listen().map_err(TuiError::Terminal)?;
    let input = input::listen().map_err(TuiError::Terminal)?;
    let mut is_open = true;
    loop {
        let drawn = screen.terminal().draw(|frame| {
            let area = frame.area();
            list.render(folder, &theme, area, frame.buffer_mut());
        });
        if drawn.is_err() {
            screen.abandon();
            return Ok(None);
        }
        let until = Instant::now() + TICK;
        let mut select = Select::new();
        let from_input = select.recv(&input);
        let from_signals = select.recv(signals);
        let from_jobs = select.recv(&jobs.told);
        if is_open {
            select.recv(runs);
        }
        let Ok(ready) = select.ready_deadline(until) else {
            continue;
        };
        if ready == from_signals {
            screen.abandon_if(signals.try_recv() == Ok(Signal::Hangup));
            return Ok(None);
        }
        if ready == from_jobs {
            let is_stop = jobs.told.try_recv() == Ok(jobs::Job::Stop);
            if is_stop && jobs.can_stop() && screen.suspend(&jobs).is_err() {
                return Ok(None);
            }
            if come_back(&mut screen, &jobs, signals).is_err() {
                screen.abandon();
                return Ok(None);
            }
        } else if ready == from_input {
            let pressed = match input.try_recv() {
                Ok(Input::Key(key)) if key.kind != KeyEventKind::Release => list.key(&key),
                Ok(_) => Pressed::Nothing,
                Err(_) => Pressed::Leave,
            };
            match pressed {
                Pressed::Enter(name) => return Ok(Some(name)),
                Pressed::Leave => return Ok(None),
                Pressed::Suspend if jobs.can_stop() => {
                    let stopped = screen.suspend(&jobs);
                    if stopped.and_then(|()| come_back(&mut screen, &jobs, signals)).is_err() {
                        screen.abandon();
                        return Ok(None);
                    }
                }
                Pressed::Suspend | Pressed::Nothing => {}
            }
        } else {
            match runs.recv_timeout(Duration::ZERO) {
                Ok(found) => list.take(found),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => is_open = false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Colours, Glyphs};

    fn list() -> List {
        let run = |name: &str, state, done, share| Listed {
            name: name.to_owned(),
            state,
            cells: 6,
            done,
            share,
            accuracy: Some((0.8125, 3)),
            loss: Some((0.5, 3)),
            lambda: Some((12.5, 40.0)),
            problem: None,
        };
        let mut list = List::default();
        list.take(vec![
            run("dropout", Stage::Training, Some(3), Some(0.529)),
            run("learning_rate_with_a_long_name", Stage::Complete, Some(6), Some(1.0)),
            run("logs", Stage::Still, None, None),
            Listed {
                name: "torn".to_owned(),
                state: Stage::Unreadable,
                problem: Some("torn/config.ron, line 3: expected `)`".to_owned()),
                ..Listed::default()
            },
        ]);
        list
    }

    fn drawn(list: &List, (width, height): (u16, u16)) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::new(Colours::Indexed, Glyphs::Unicode);
        list.render(Path::new("runs"), &theme, area, &mut buffer);
        let row = |y| {
            (0..width)
                .map(|x| buffer[(x, y)].symbol().to_owned())
                .collect::<String>()
        };
        (0..height).map(|y| row(y).trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn on_a_small_and_on_a_larger_screen() {
        insta::assert_snapshot!(drawn(&list(), (60, 8)) + &drawn(&list(), (100, 8)));
    }

    #[test]
    fn rows_are_chosen_by_keys_and_stay_chosen_when_others_come() {
        let mut list = list();
        let press = |list: &mut List, code| list.key(&KeyEvent::new(code, KeyModifiers::NONE));
        assert_eq!(press(&mut list, KeyCode::Enter), Pressed::Enter("dropout".to_owned()));
        press(&mut list, KeyCode::Down);
        press(&mut list, KeyCode::Char('j'));
        let mut runs = list.runs.clone();
        runs.insert(0, Listed::default());
        list.take(runs);
        assert_eq!(press(&mut list, KeyCode::Enter), Pressed::Enter("logs".to_owned()));
        press(&mut list, KeyCode::End);
        // It cannot be read, and the last row says why.
        assert_eq!(press(&mut list, KeyCode::Enter), Pressed::Nothing);
        assert!(drawn(&list, (80, 8)).contains("torn/config.ron, line 3"));
        press(&mut list, KeyCode::Down);
        press(&mut list, KeyCode::PageUp);
        assert_eq!(list.row(), 0);
        assert_eq!(press(&mut list, KeyCode::Char('q')), Pressed::Leave);
    }

    #[test]
    fn the_chosen_row_is_visible_in_a_low_window() {
        let mut list = list();
        list.go_to(3);
        assert!(drawn(&list, (80, 6)).contains("› torn"));
    }
}
