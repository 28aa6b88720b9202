//! The details of the chosen cell: its settings and last values. They are beside the charts if there is room, and over
//! them otherwise.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::event::{CellEnding, Threshold, cell_name};
use crate::monitor::{Cell, CellState};
use crate::number::count::counted;
use crate::quantity::{self, Chart, LEARNING_RATE, Quantity, Source};
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;
use crate::tui::words;

/// Largest width of the overlay, in columns.
const WIDEST: usize = 64;

/// Draws the details beside the charts.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let title = [Span::raw(" "), Span::styled(title(scene), theme.strong), Span::raw(" ")];
    panel::rule(area, buffer, theme, &title, &[]);
    let text = Rect::new(
        area.x + 1,
        area.y + 1,
        area.width.saturating_sub(1),
        area.height.saturating_sub(1),
    );
    let lines = lines(scene, usize::from(text.width));
    let lines = panel::scrolled(lines, usize::from(text.height), scene.view.scrolled, theme);
    Paragraph::new(lines).render(text, buffer);
}

/// Draws the details over the screen.
pub(in crate::tui) fn render_overlay(scene: &Scene, screen: Rect, buffer: &mut Buffer) {
    let width = usize::from(screen.width.saturating_sub(8)).min(WIDEST);
    let room = usize::from(screen.height.saturating_sub(4));
    let lines = panel::scrolled(lines(scene, width), room, scene.view.scrolled, scene.theme());
    panel::overlay(screen, buffer, scene.theme(), &title(scene), lines);
}

fn title(scene: &Scene) -> String {
    cell_name(scene.chosen())
}

fn lines(scene: &Scene, width: usize) -> Vec<Line<'static>> {
    let Some(cell) = scene.cell() else { return vec![] };
    let theme = scene.theme();
    let (_, word, mood) = scene.state(scene.chosen());
    let mut rows = vec![("state".to_owned(), state_words(cell, word), mood.style(theme))];
    let plain = Style::new();
    if cell.changed_by_hand {
        let last = cell.rate_changes.last().map(|(step, change)| {
            let (from, to) = (words::value(change.from, 3), words::value(change.to, 3));
            format!("η {from} to {to} at step {}", words::count(*step))
        });
        let words = last.unwrap_or_else(|| "the learning rate was changed".to_owned());
        rows.push(("by hand".to_owned(), words, theme.warning));
    }
    if let Some(standing) = scene.monitor.standing(scene.chosen()) {
        rows.push(("task".to_owned(), standing.words.clone(), mood.style(theme)));
    }
    if scene.monitor.foreign.is_none() {
        rows.push(("folder".to_owned(), format!("cells/{:03}", scene.chosen()), plain));
    }
    rows.extend(runner(scene, cell).map(|words| ("runner".to_owned(), words, plain)));
    if let CellState::Ended(CellEnding::Failed(why)) = &cell.state {
        rows.push(("why".to_owned(), why.clone(), theme.bad));
    }
    rows.extend(
        measured(cell, &scene.view.charts_now(scene.monitor).shown())
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value, plain)),
    );
    let mut lines: Vec<Line> = rows
        .iter()
        .flat_map(|(name, value, style)| entry(scene, name, value, *style, width))
        .collect();
    for (name, value) in machine(scene) {
        lines.extend(entry(scene, &name, &value, plain, width));
    }
    lines.push(Line::default());
    for (name, value) in &cell.plan.settings {
        let swept = cell.plan.swept.iter().any(|(swept, _)| swept == name);
        let style = if swept { theme.strong } else { plain };
        lines.extend(entry(scene, name, value, style, width));
    }
    lines
}

/// Returns the runner that trains the chosen cell, with its device and its threads.
fn runner(scene: &Scene, cell: &Cell) -> Option<String> {
    let index = scene.chosen();
    if let Some(runner) = scene.monitor.runner_of(index) {
        let threads = match runner.threads as u64 {
            0 => String::new(),
            threads => format!(", {}", counted(threads, "thread")),
        };
        return Some(format!("{} on {}{threads}", runner.number, runner.device));
    }
    let number = cell.runner.filter(|_| scene.monitor.turns.is_running(index))?;
    Some(format!("{number}, which is being taken away"))
}

/// Returns the device and the load of the machine.
fn machine(scene: &Scene) -> Vec<(String, String)> {
    let mut rows = vec![("device".to_owned(), scene.monitor.device.clone())];
    let Some(load) = scene.load else { return rows };
    let mut say = |name: &str, words: String| rows.push((name.to_owned(), words));
    say(
        "processors",
        format!(
            "{} of {} busy",
            words::whole_percent(load.processors_percent.into()),
            load.processors
        ),
    );
    say(
        "memory",
        words::part_of_bytes(load.memory_used_bytes, load.memory_bytes),
    );
    if let Some(training) = load.training {
        let memory = words::bytes(training.memory_bytes);
        say(
            "training",
            format!(
                "{} of one processor, {memory}",
                words::whole_percent(training.processor_percent.into())
            ),
        );
    }
    for gpu in &load.gpus {
        let parts = [
            gpu.busy_percent.map(|busy| format!("{busy}% busy")),
            gpu.memory_bytes.map(|(used, all)| words::part_of_bytes(used, all)),
            gpu.temperature_celsius.map(|degrees| format!("{degrees} °C")),
            gpu.power_watts.map(|watts| format!("{watts:.0} W")),
        ];
        let known: Vec<String> = parts.into_iter().flatten().collect();
        say("GPU", format!("{}: {}", gpu.name, known.join(", ")));
    }
    rows
}

fn state_words(cell: &Cell, word: &str) -> String {
    match (&cell.state, cell.summary()) {
        // The reason of a failure has its own row.
        (CellState::Ended(ending @ (CellEnding::Finished(_) | CellEnding::Diverged)), Some(summary)) => {
            ending.sentence(summary)
        }
        _ => word.to_owned(),
    }
}

fn measured(cell: &Cell, charts: &[&Chart]) -> Vec<(&'static str, String)> {
    let progress = cell.progress;
    let is_stepping = cell.state == CellState::Running && progress.steps_per_second > 0.0;
    let pace = is_stepping.then(|| format!(", {} a second", words::value(progress.steps_per_second, 3)));
    // The files of another program do not say how many steps are planned.
    let planned = match cell.plan.planned_steps {
        0 => String::new(),
        planned => format!(" of {}", words::count(planned)),
    };
    let steps = format!("{}{planned}{}", words::count(progress.step), pace.unwrap_or_default());
    let mut rows = vec![("steps", steps)];
    if progress.epoch.is_finite() {
        rows.push(("epochs", words::value(progress.epoch, 4)));
    }
    if let Some(size) = cell.plan.size {
        let (count, memory) = (words::count(size.parameters), words::bytes(size.memory_bytes));
        rows.push(("parameters", format!("{count}, {memory} at least")));
    }
    rows.push(("threshold", threshold_words(cell)));
    if let Some(lambda) = cell.latest.lambda.first().and_then(Option::as_ref) {
        let doubt = if lambda.lambda_converged { "" } else { ", not converged" };
        let residual = if lambda.lambda_residual.is_nan() && lambda.lambda_converged {
            String::new()
        } else {
            format!(" ± {}", words::value(lambda.lambda_residual, 2))
        };
        rows.push((
            "λ_max",
            if lambda.lambda_max.is_finite() {
                format!("{}{residual}{doubt}", words::value(lambda.lambda_max, 5))
            } else {
                "could not be measured: not finite".to_owned()
            },
        ));
        if let Some(step) = cell.lambda_is_older() {
            rows.push(("measured at step", words::count(step)));
        }
        if lambda.lambda_hvps > 0 {
            let seconds = words::seconds(lambda.lambda_seconds);
            let rounded = match lambda.lambda_rounded_hvps {
                0 => String::new(),
                rounded => format!(" ({rounded} of them in TF32)"),
            };
            let words = format!("{} products{rounded}, {seconds}", lambda.lambda_hvps);
            rows.push(("measured in", words));
        }
    }
    if let Some(lambda) = cell
        .latest
        .lambda
        .first()
        .and_then(Option::as_ref)
        .filter(|lambda| lambda.lambda_audited)
    {
        let corrected = lambda
            .lambda_corrected_from
            .map(|from| format!("corrected from {}", words::value(from, 5)));
        rows.push((
            "audit",
            corrected.unwrap_or_else(|| "confirmed from a cold start".to_owned()),
        ));
    }
    // Quantities that no chart on the screen shows. The rows of the threshold and of λ_max already have η and the rest.
    let is_elsewhere = |quantity: &Quantity| {
        charts.contains(&quantity.chart)
            || *quantity == LEARNING_RATE
            || quantity.line == quantity::Line::Limit
            || matches!(quantity.source, Source::Lambda(_))
    };
    let further = quantity::all().filter(|quantity| !is_elsewhere(quantity));
    rows.extend(further.filter_map(|quantity| {
        let value = cell.latest.first(quantity)?;
        let is_doubtful = cell.latest.converged(quantity) == Some(false);
        let doubt = if is_doubtful { ", not converged" } else { "" };
        let error = cell.latest.error_of(quantity, 0).filter(|error| error.is_finite());
        let error = error.map_or_else(String::new, |error| format!(" ± {}", words::value(error, 2)));
        Some((quantity.label, words::value_of(quantity, value) + &error + doubt))
    }));
    rows
}

/// Returns the formula of the threshold, and its value if there is one.
fn threshold_words(cell: &Cell) -> String {
    let Threshold {
        formula: label,
        is_preconditioned,
        is_unknown,
        meaning,
        ..
    } = &cell.plan.threshold;
    if *is_unknown {
        return format!("{label}: {meaning}");
    }
    let of = if *is_preconditioned {
        ", of the preconditioned sharpness"
    } else {
        ""
    };
    let Some(threshold) = cell.threshold() else {
        return format!("{label}{of}");
    };
    let rate = cell
        .latest
        .first(&LEARNING_RATE)
        .map(|rate| format!(" (η {})", words::value(rate, 3)));
    let below = if cell.is_unstable_at_zero() {
        ", below 0: unstable at every λ_max from 0 on"
    } else {
        ""
    };
    format!(
        "{label} = {}{}{of}{below}",
        words::value(threshold, 4),
        rate.unwrap_or_default()
    )
}

/// Returns the lines of a name and its value. A long value continues on further lines.
fn entry(scene: &Scene, name: &str, value: &str, style: Style, width: usize) -> Vec<Line<'static>> {
    const NAMES: usize = 20;
    let theme = scene.theme();
    let name = panel::cut(&theme.text(name), NAMES);
    let pad = NAMES + 1 - usize::from(panel::width(&name));
    let mut parts = panel::wrapped(&theme.text(value), width.saturating_sub(NAMES + 1)).into_iter();
    let first = Line::from(vec![
        Span::styled(name, theme.dim),
        Span::raw(" ".repeat(pad)),
        Span::styled(parts.next().unwrap_or_default(), style),
    ]);
    let rest = parts.map(|part| Line::from(vec![Span::raw(" ".repeat(NAMES + 1)), Span::styled(part, style)]));
    std::iter::once(first).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    #[test]
    fn beside_the_charts() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (48, 30)));
    }

    #[test]
    fn the_threshold_of_an_adaptive_optimizer_is_named_and_so_is_the_reason_why_there_is_none() {
        let mut fixture = Fixture::half_way();
        let threshold = &mut fixture.monitor.cells[2].plan.threshold;
        (threshold.formula, threshold.is_preconditioned) = ("38/η".into(), true);
        let cell = &mut fixture.monitor.cells[2];
        cell.latest.set(&quantity::PRECONDITIONED_THRESHOLD, 0, 38_000.0);
        cell.latest.set(&LEARNING_RATE, 0, 0.001);
        let drawn = fixture.drawn(render_overlay, (120, 40));
        assert!(drawn.contains("38/η = 38000 (η 0.00100), of the"), "{drawn}");
        let threshold = &mut fixture.monitor.cells[2].plan.threshold;
        (threshold.formula, threshold.is_unknown) = ("none known".into(), true);
        threshold.meaning = "no threshold is known for SAM with Adam".into();
        let drawn = fixture.drawn(render_overlay, (120, 40));
        assert!(drawn.contains("none known: no threshold is known"), "{drawn}");
    }

    #[test]
    fn over_a_small_screen_how_much_does_not_fit_is_said() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render_overlay, (80, 24)));
    }

    #[test]
    fn over_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render_overlay, (120, 40)));
    }

    #[test]
    fn an_audit_that_corrected_the_value_says_from_what() {
        let mut fixture = Fixture::half_way();
        let lambda = fixture.monitor.cells[2].latest.lambda[0].as_mut().unwrap();
        (lambda.lambda_audited, lambda.lambda_corrected_from) = (true, Some(31.5));
        assert!(fixture.drawn(render, (48, 30)).contains("corrected from 31.500"));
    }

    #[test]
    fn the_load_of_machine_and_gpu_is_told_as_far_as_it_is_known() {
        use crate::machine::{Gpu, Load, Process};
        let mut fixture = Fixture::half_way();
        fixture.load = Some(Load {
            processors_percent: 48.6,
            processors: 16,
            memory_used_bytes: 12 << 30,
            memory_bytes: 128 << 30,
            training: Some(Process {
                processor_percent: 102.4,
                memory_bytes: 1_800 << 20,
            }),
            gpus: vec![Gpu {
                name: "H100".to_owned(),
                busy_percent: Some(97),
                memory_bytes: Some((5 << 30, 80 << 30)),
                temperature_celsius: None,
                power_watts: Some(412.3),
            }],
        });
        let drawn = fixture.drawn(render, (60, 40));
        for words in [
            "49% of 16 busy",
            "12.0 of 128 GiB",
            "102% of one processor, 1.76 GiB",
            "H100: 97% busy, 5.00 of 80.0",
            "412",
        ] {
            assert!(drawn.contains(words), "{words}: {drawn}");
        }
    }

    #[test]
    fn a_running_cell_says_which_runner_trains_it_and_how_fast() {
        let mut fixture = Fixture::three_at_once();
        let row = |fixture: &Fixture, name: &str| {
            let drawn = fixture.drawn(render, (60, 40));
            let row = drawn.lines().find(|line| line.contains(name)).unwrap_or_default();
            row.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        fixture.view.pinned = Some(1);
        assert!(row(&fixture, "runner").contains("runner 1 on flex (CPU), 1 thread"));
        assert!(row(&fixture, "steps").contains("steps 405 of 1 000, 55.6 a second"));
        let fewer = crate::tui::fixture::script::runners(1);
        fixture.monitor.apply(fewer, fixture.start);
        assert!(row(&fixture, "runner").contains("runner 1, which is being taken away"));
        fixture.view.pinned = Some(0);
        assert!(!fixture.drawn(render, (60, 40)).contains("runner"));
    }

    #[test]
    fn a_failed_cell_says_why() {
        let mut fixture = Fixture::half_way();
        fixture.monitor.cells[2].state = CellState::Ended(CellEnding::Failed("out of memory".into()));
        assert!(fixture.drawn(render, (48, 30)).contains("out of memory"));
    }

    #[test]
    fn what_does_not_fit_can_be_scrolled_to() {
        let mut fixture = Fixture::half_way();
        assert!(!fixture.drawn(render_overlay, (80, 24)).contains("precision"));
        fixture.view.scrolled = 100;
        let drawn = fixture.drawn(render_overlay, (80, 24));
        assert!(drawn.contains("precision") && drawn.contains("K scrolls up"), "{drawn}");
    }
}
