//! The table of all cells of the sweep: one row per cell, with as many of its last values as there is room for.

mod title;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::event::CellIndex;
use crate::monitor::{Cell, CellState, Swept};
use crate::quantity::{self, LAMBDA_MAX, Line, Quantity};

use super::edge;
use crate::tui::state::rows::Sort;
use crate::tui::state::scene::{Mood, Scene};
use crate::tui::state::table::first_row;
use crate::tui::theme::panel;
use crate::tui::words;

/// One column: its head, its width, and which side it is aligned to.
struct Column {
    head: String,
    width: usize,
    right: bool,
    content: Content,
}

#[derive(Clone, Copy)]
enum Content {
    Number,
    State,
    Swept(usize),
    Progress,
    Lambda,
    Measured(&'static Quantity),
    Edge,
    Time,
    Left,
    Pace,
}

impl Content {
    /// Returns the sort order of this column, or `None` if the table cannot be sorted by it.
    fn sort(self) -> Option<Sort> {
        match self {
            Self::Number | Self::State | Self::Progress | Self::Left | Self::Pace => None,
            Self::Swept(index) => Some(Sort::Swept(index)),
            Self::Lambda => Some(Sort::Measured(&LAMBDA_MAX)),
            Self::Measured(quantity) => Some(Sort::Measured(quantity)),
            Self::Edge => Some(Sort::Edge),
            Self::Time => Some(Sort::Time),
        }
    }
}

/// Maximum width of a swept setting in columns, unless there is room left.
const WIDEST_SETTING: usize = 20;

/// Draws the table, scrolled so that the chosen cell is visible.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let rows = scene.view.rows.shown(scene.monitor);
    let visible = usize::from(area.height.saturating_sub(2));
    let chosen = rows.iter().position(|cell| *cell == scene.chosen());
    let first = first_row(chosen.unwrap_or(0), rows.len(), visible);
    let shown = &rows[first..rows.len().min(first + visible)];
    title::render(scene, &rows, first, visible, area, buffer);
    if area.height < 3 {
        return;
    }
    let columns = columns(scene, usize::from(area.width));
    row(area, 1, buffer, &columns, |column| {
        let is_sorted = column.content.sort() == Some(scene.view.rows.sort);
        (column.head.clone(), if is_sorted { theme.strong } else { theme.dim })
    });
    if shown.is_empty() {
        title::nothing_shown(scene, area, buffer);
        return;
    }
    let pace_ahead = scene.monitor.pace_ahead();
    for (offset, index) in shown.iter().copied().enumerate() {
        let y = u16::try_from(offset).unwrap_or(0) + 2;
        let chosen = index == scene.chosen();
        let emphasized = |style: Style| if chosen { style.patch(theme.chosen) } else { style };
        row(area, y, buffer, &columns, |column| {
            let (text, style) = match column.content {
                Content::Left => (left(scene, index, pace_ahead), theme.dim),
                _ => content(scene, index, column),
            };
            (theme.text(text).into_owned(), emphasized(style))
        });
        edge::trend(scene, index, area, y, edge_start(&columns), buffer);
        if chosen {
            buffer.set_string(area.x, area.y + y, theme.text("›"), theme.key);
        }
    }
}

/// Returns the horizontal position where the trend begins, if the trend is shown.
fn edge_start(columns: &[Column]) -> Option<u16> {
    let mut x = 2;
    for column in columns {
        if matches!(column.content, Content::Edge) {
            return Some(x);
        }
        x += u16::try_from(column.width).unwrap_or(0) + 2;
    }
    None
}

fn columns(scene: &Scene, width: usize) -> Vec<Column> {
    let column = |head: &str, width: usize, right: bool, content: Content| {
        let head = scene.theme().text(head.to_owned()).into_owned();
        Column {
            width: width.max(usize::from(panel::width(&head))),
            head,
            right,
            content,
        }
    };
    let state = if has_several_runners(scene) {
        column("state, runner", 14, false, Content::State)
    } else {
        column("state", 13, false, Content::State)
    };
    let digits = scene.monitor.cells.len().to_string().len().max(2);
    let mut columns = vec![
        column("#", digits, true, Content::Number),
        state,
        column("progress", 8, true, Content::Progress),
        column(LAMBDA_MAX.column, 9, true, Content::Lambda),
    ];
    // Of a run of another program, only what its files have.
    let is_here = |quantity: &Quantity| {
        let cells = &scene.monitor.cells;
        scene.monitor.foreign.is_none() || cells.iter().any(|cell| cell.latest.first(quantity).is_some())
    };
    let further = quantity::in_tables().filter(|quantity| quantity.key != LAMBDA_MAX.key && is_here(quantity));
    let mut further = further.map(|quantity| column(quantity.column, 8, true, Content::Measured(quantity)));
    // The first of them is the main result, test accuracy.
    columns.extend(further.next());
    let taken = |columns: &[Column]| columns.iter().map(|column| column.width + 2).sum::<usize>() + 1;
    // The settings come first, because they identify the cell. Settings that do not fit are in the details.
    for (at, swept) in swept_columns(scene).into_iter().enumerate() {
        if taken(&columns) + swept.width + 2 > width {
            break;
        }
        columns.insert(2 + at, swept);
    }
    // The room that is left goes to settings that would be cut: their values may differ only at the end.
    let mut room = width.saturating_sub(taken(&columns));
    for column in &mut columns {
        let Content::Swept(axis) = column.content else { continue };
        let more = widest(&scene.monitor.swept[axis])
            .saturating_sub(column.width)
            .min(room);
        column.width += more;
        room -= more;
    }
    let mut of_each = vec![
        column("edge of stability", edge::WIDTH, true, Content::Edge),
        column("left", 8, true, Content::Left),
    ];
    // With one runner, the header has all of this.
    if has_several_runners(scene) {
        of_each.insert(0, column("steps/s", 7, true, Content::Pace));
    }
    // The files of another program say nothing about weight decay and planned steps.
    if scene.monitor.foreign.is_some() {
        of_each.clear();
    }
    for further in of_each
        .into_iter()
        .chain(further)
        .chain([column("time", 8, true, Content::Time)])
    {
        if taken(&columns) + further.width + 2 <= width {
            columns.push(further);
        }
    }
    for column in &mut columns {
        if let Content::Swept(axis) = column.content {
            column.head = panel::cut(&scene.monitor.swept[axis].name, column.width);
        }
    }
    columns
}

fn has_several_runners(scene: &Scene) -> bool {
    scene.monitor.runners.len() > 1
}

fn swept_columns(scene: &Scene) -> Vec<Column> {
    let columns = scene.monitor.swept.iter().enumerate().map(|(axis, swept)| Column {
        head: String::new(),
        width: widest(swept).min(WIDEST_SETTING),
        right: swept.values.iter().all(|value| is_number(value)),
        content: Content::Swept(axis),
    });
    columns.collect()
}

/// Returns the number of columns that a swept setting needs for its values and its name.
fn widest(swept: &Swept) -> usize {
    let words = swept.values.iter().chain([&swept.name]);
    usize::from(words.map(|word| panel::width(word)).max().unwrap_or(0))
}

fn is_number(value: &str) -> bool {
    value.parse::<f64>().is_ok()
}

fn row(area: Rect, y: u16, buffer: &mut Buffer, columns: &[Column], text: impl Fn(&Column) -> (String, Style)) {
    let mut x = area.x + 2;
    for column in columns {
        let (text, style) = text(column);
        let text = panel::cut(&text, column.width);
        let width = panel::width(&text);
        let room = u16::try_from(column.width).unwrap_or(0);
        let start = if column.right {
            x + room.saturating_sub(width)
        } else {
            x
        };
        if start < area.right() {
            buffer.set_stringn(start, area.y + y, text, usize::from(area.right() - start), style);
        }
        x += room + 2;
    }
}

fn content(scene: &Scene, index: CellIndex, column: &Column) -> (String, Style) {
    let theme = scene.theme();
    let cell = &scene.monitor.cells[index];
    let plain = Style::new();
    match column.content {
        Content::Number => (index.to_string(), theme.dim),
        Content::State => {
            let (glyph, word, mood) = scene.state(index);
            let runner = scene.monitor.runner_of(index).filter(|_| has_several_runners(scene));
            let runner = runner.map_or_else(String::new, |runner| format!(" {}", runner.number));
            (format!("{glyph} {word}{runner}"), mood.style(theme))
        }
        Content::Swept(axis) => (
            scene.monitor.swept[axis].value(index).to_owned(),
            if cell.state == CellState::Queued {
                theme.dim
            } else {
                plain
            },
        ),
        Content::Progress => (progress(cell), theme.dim),
        Content::Lambda => lambda(cell, scene),
        Content::Measured(quantity) => {
            let value = cell.latest.first(quantity).unwrap_or(f64::NAN);
            let style = if quantity.line == Line::Main { plain } else { theme.dim };
            (measured(cell, words::value_of(quantity, value)), style)
        }
        Content::Edge => edge::value(scene, index),
        Content::Time => (time(cell), theme.dim),
        Content::Left => (String::new(), theme.dim),
        Content::Pace => (pace(scene, index), theme.dim),
    }
}

/// Returns `words`, or an empty field for a queued cell, in which nothing can have been measured yet.
fn measured(cell: &Cell, words: String) -> String {
    if cell.state == CellState::Queued {
        String::new()
    } else {
        words
    }
}

fn progress(cell: &Cell) -> String {
    match cell.state {
        CellState::Queued => String::new(),
        CellState::Running | CellState::Paused if cell.plan.is_foreign() => words::short_count(cell.progress.step),
        CellState::Running | CellState::Paused => words::whole_percent((cell.share() * 100.0).floor()),
        // A cell that has ended makes no more progress, so its number of steps is shown.
        CellState::Ended(_) => words::short_count(cell.progress.step),
    }
}

fn lambda(cell: &Cell, scene: &Scene) -> (String, Style) {
    match cell.latest.lambda.first().and_then(Option::as_ref) {
        Some(lambda) if lambda.lambda_converged => {
            let mark = if cell.lambda_is_older().is_some() { '*' } else { ' ' };
            (format!("{}{mark}", words::value(lambda.lambda_max, 3)), Style::new())
        }
        Some(lambda) => (
            format!("{}?", words::value(lambda.lambda_max, 3)),
            Mood::Warning.style(scene.theme()),
        ),
        None => (measured(cell, "– ".to_owned()), Style::new()),
    }
}

fn left(scene: &Scene, index: CellIndex, pace_ahead: Option<f64>) -> String {
    let left = scene.monitor.time_left_of(index, pace_ahead);
    left.map_or_else(String::new, |left| words::estimate(Some(left)))
}

/// Returns the steps per second of a cell that takes steps.
fn pace(scene: &Scene, index: CellIndex) -> String {
    let pace = scene.monitor.cells[index].progress.steps_per_second;
    if scene.monitor.state(index) == CellState::Running && pace > 0.0 {
        words::value(pace, 3)
    } else {
        String::new()
    }
}

fn time(cell: &Cell) -> String {
    // The files of another program may have no times.
    let is_unknown = cell.plan.is_foreign() && cell.progress.seconds <= 0.0;
    if cell.state == CellState::Queued || is_unknown {
        String::new()
    } else {
        words::duration_of(cell.progress.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CellEnding;
    use crate::tui::fixture::Fixture;

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 7)));
    }

    #[test]
    fn on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (120, 8)));
    }

    #[test]
    fn every_state_has_a_glyph_and_a_word() {
        let mut fixture = Fixture::half_way();
        let states = [
            CellState::Ended(CellEnding::Interrupted),
            CellState::Ended(CellEnding::Diverged),
            CellState::Running,
            CellState::Ended(CellEnding::Aborted),
            CellState::Ended(CellEnding::Failed("no memory".into())),
            CellState::Queued,
        ];
        for (cell, state) in fixture.monitor.cells.iter_mut().zip(states) {
            cell.state = state;
        }
        insta::assert_snapshot!(fixture.drawn(render, (80, 8)));
    }

    #[test]
    fn a_cell_that_missed_its_aim_is_told_from_one_that_finished() {
        let mut fixture = Fixture::half_way();
        let (_, summary) = fixture.monitor.cells[1].plan.ended.as_mut().unwrap();
        summary.reached_aim = Some(false);
        let drawn = fixture.drawn(render, (80, 9));
        assert_eq!(drawn.matches("aim missed").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("finished").count(), 1, "{drawn}");
    }

    #[test]
    fn with_several_runners_each_running_cell_has_its_runner_and_its_pace() {
        let mut fixture = Fixture::three_at_once();
        insta::assert_snapshot!(fixture.drawn(render, (120, 9)));
        assert!(!fixture.drawn(render, (80, 9)).contains("steps/s"), "no room");
        fixture
            .monitor
            .apply(crate::tui::fixture::script::runners(1), fixture.start);
        assert!(!fixture.drawn(render, (160, 9)).contains("steps/s"));
    }

    #[test]
    fn a_long_queue_scrolls_with_the_chosen_cell() {
        let mut fixture = Fixture::half_way().with_cells(200);
        fixture.view.pinned = Some(150);
        let drawn = fixture.drawn(render, (80, 9));
        assert!(drawn.contains("› 150"), "{drawn}");
        assert!(drawn.contains("rows 148 to 154"), "{drawn}");
        fixture.view.pinned = Some(199);
        assert!(fixture.drawn(render, (80, 9)).contains("› 199"));
    }

    #[test]
    fn a_value_that_did_not_converge_has_a_question_mark() {
        let mut fixture = Fixture::half_way();
        fixture.monitor.cells[0].latest.lambda[0]
            .as_mut()
            .unwrap()
            .lambda_converged = false;
        let drawn = fixture.drawn(render, (80, 9));
        assert_eq!(drawn.matches("20.7?").count(), 1, "{drawn}");
    }

    #[test]
    fn a_value_older_than_the_last_step_of_an_ended_cell_has_a_star() {
        let mut fixture = Fixture::half_way();
        let before = fixture.drawn(render, (80, 9));
        assert!(!before.contains("20.7*"), "{before}");
        let cell = &mut fixture.monitor.cells[0];
        cell.state = CellState::Ended(CellEnding::Diverged);
        cell.latest.lambda_step = Some(cell.progress.step - 1);
        let drawn = fixture.drawn(render, (80, 9));
        assert_eq!(drawn.matches("20.7*").count(), 1, "{drawn}");
    }

    #[test]
    fn a_value_that_could_not_be_had_is_no_number() {
        let mut fixture = Fixture::half_way();
        let lambda = fixture.monitor.cells[0].latest.lambda[0].as_mut().unwrap();
        (lambda.lambda_max, lambda.lambda_converged) = (f64::NAN, false);
        let drawn = fixture.drawn(render, (80, 9));
        assert!(drawn.contains("–?") && !drawn.contains("NaN"), "{drawn}");
    }

    #[test]
    fn steps_that_were_cut_are_shown_as_they_are_in_force() {
        let mut fixture = Fixture::half_way();
        for cell in &mut fixture.monitor.cells {
            cell.plan.swept = vec![("steps".into(), "123456".into())];
        }
        fixture.monitor.know_settings();
        let drawn = fixture.drawn(render, (80, 9));
        assert!(drawn.contains("  1000  ") && !drawn.contains("123456"), "{drawn}");
    }

    #[test]
    fn settings_that_differ_at_their_ends_only_are_given_the_room_that_is_left() {
        let mut fixture = Fixture::half_way();
        for (index, cell) in fixture.monitor.cells.iter_mut().enumerate() {
            let widths = "16,".repeat(10);
            cell.plan.swept = vec![("widths".into(), format!("Mlp(widths:[{widths}{index}])"))];
        }
        fixture.monitor.know_settings();
        assert!(fixture.drawn(render, (160, 9)).contains("16,5])"));
        assert!(fixture.drawn(render, (80, 9)).contains('…'));
    }
}
