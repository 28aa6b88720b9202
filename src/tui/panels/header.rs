//! Two lines at the top: the name of the sweep, its status, its progress, and the time that is left.
//!
//! ```text
//! edge  ▶ measuring λ_max                         cell 2 · 12m 31s · ~8m 04s left
//! flex (CPU) · runs/edge                      step 430 of 1 000 · epoch 430 · 52.1 steps/s
//!
//! edge  ▶ training         3 run, 1 of 6 done · 141 steps/s · 12m 31s · ~3m 20s left
//! 3 runners × 1 thread · flex (CPU) · runs/edge         cell 2: step 430 of 1 000 · 47.2 steps/s
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::event::{CellIndex, Cells, cell_name};
use crate::monitor::Monitor;
use crate::number::count::counted;
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;
use crate::tui::words;

/// Minimum width of the name of the sweep, in columns.
const SHORTEST_NAME: usize = 12;

/// From this width on, there is room for the load of the machine and for the number of cells that are done.
const WIDE: u16 = 100;

/// Draws the header.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let (glyph, status, mood) = scene.status();
    let right = theme.text(sweep_words(scene, area.width)).into_owned();
    let room = usize::from(area.width).saturating_sub(usize::from(panel::width(&right)) + 2);
    let status = theme.text(format!("{glyph} {status}")).into_owned();
    // The status matters more than the name of the sweep, so the name is cut first.
    let name_room = room
        .saturating_sub(usize::from(panel::width(&status)) + 3)
        .max(SHORTEST_NAME);
    let name = panel::cut(&scene.monitor.name, name_room);
    let status_room = room.saturating_sub(usize::from(panel::width(&name)) + 3);
    let left = vec![
        Span::raw(" "),
        Span::styled(name, theme.strong),
        Span::raw("  "),
        Span::styled(panel::cut(&status, status_room), mood.style(theme)),
    ];
    line(area, 0, buffer, left, &Span::raw(right));

    let right = theme.text(cell_words(scene, area.width)).into_owned();
    let room = usize::from(area.width).saturating_sub(usize::from(panel::width(&right)) + 3);
    let place = theme
        .text(format!(
            "{}{} · {}",
            crew_words(scene.monitor, area.width),
            load(scene, area.width),
            scene.monitor.run_dir.display()
        ))
        .into_owned();
    let left = vec![Span::raw(" "), Span::styled(panel::cut(&place, room), theme.dim)];
    line(area, 1, buffer, left, &Span::styled(right, theme.dim));
}

fn line(area: Rect, row: u16, buffer: &mut Buffer, left: Vec<Span>, right: &Span) {
    if row >= area.height {
        return;
    }
    let y = area.y + row;
    buffer.set_line(area.x, y, &Line::from(left), area.width);
    let width = panel::width(&right.content).min(area.width.saturating_sub(1));
    buffer.set_span(area.right() - width - 1, y, right, width);
}

/// Returns how busy the processors and GPUs are, or an empty text if there is no room.
fn load(scene: &Scene, width: u16) -> String {
    let Some(load) = scene.load.filter(|_| width >= WIDE) else {
        return String::new();
    };
    let mut words = format!(" · CPU {}", words::whole_percent(load.processors_percent.into()));
    for busy in load.gpus.iter().filter_map(|gpu| gpu.busy_percent) {
        words += " · GPU ";
        words += &busy.to_string();
        words.push('%');
    }
    words
}

fn sweep_words(scene: &Scene, width: u16) -> String {
    let monitor = scene.monitor;
    let cells = monitor.cells.len();
    if monitor.foreign.is_some() {
        return counted(cells as u64, "run");
    }
    let elapsed = words::duration(monitor.elapsed(scene.now));
    if monitor.is_over() {
        return format!("{} of {cells} cells done · {elapsed}", monitor.done());
    }
    let left = words::estimate(monitor.time_left());
    match monitor.turns.running.as_slice() {
        [] => format!("{} of {cells} cells done · {elapsed} · {left} left", monitor.done()),
        running => {
            // A narrow header leaves this number out: the title of the table has it, too.
            let done = format!(", {} of {cells} done", monitor.done());
            let done = if width < WIDE { "" } else { &done };
            let together = if running.len() > 1 {
                format!(" · {}", pace(monitor.steps_per_second()))
            } else {
                String::new()
            };
            format!("{}{done}{together} · {elapsed} · {left} left", which(running))
        }
    }
}

/// Returns the name of the running cell, or the number of running cells.
fn which(running: &[CellIndex]) -> String {
    match running {
        [running] => cell_name(*running),
        _ => format!("{} run", running.len()),
    }
}

/// Returns how many runners there are, with how many threads, on which devices; the device of the sweep if the runners
/// are not known.
fn crew_words(monitor: &Monitor, width: u16) -> String {
    let runners = &monitor.runners;
    let Some(first) = runners.first() else {
        return monitor.device.clone();
    };
    let threads = if runners.iter().all(|runner| runner.threads == first.threads) {
        counted(first.threads as u64, "thread")
    } else {
        "threads".to_owned()
    };
    if runners.len() == 1 {
        let threads = if width < WIDE || first.threads == 0 {
            String::new()
        } else {
            format!(", {threads}")
        };
        return format!("{}{threads}", first.device);
    }
    let mut devices: Vec<(&str, usize)> = Vec::new();
    for runner in runners {
        match devices.iter_mut().find(|(device, _)| *device == runner.device) {
            Some((_, count)) => *count += 1,
            None => devices.push((&runner.device, 1)),
        }
    }
    let devices = match devices.as_slice() {
        [(device, _)] => (*device).to_owned(),
        several => {
            let parts = several.iter().map(|(device, count)| format!("{count} {device}"));
            parts.collect::<Vec<_>>().join(", ")
        }
    };
    let times = if runners.iter().all(|runner| runner.threads == 0) {
        String::new()
    } else {
        format!(" × {threads}")
    };
    format!("{} runners{times} · {devices}", runners.len())
}

fn pace(steps_per_second: f64) -> String {
    if steps_per_second > 0.0 {
        format!("{} steps/s", words::value(steps_per_second, 3))
    } else {
        "– steps/s".to_owned()
    }
}

/// Returns the cell that the second line is about: the chosen one if it runs, else the followed one, else the one that
/// runs longest.
fn told(scene: &Scene) -> Option<CellIndex> {
    let turns = &scene.monitor.turns;
    let followed = turns.followed.filter(|cell| turns.is_running(*cell));
    let running = followed.or(turns.running.first().copied());
    scene.view.chosen_running(scene.monitor).or(running)
}

fn cell_words(scene: &Scene, width: u16) -> String {
    let monitor = scene.monitor;
    let Some(index) = told(scene) else {
        return String::new();
    };
    let cell = &monitor.cells[index];
    let several = monitor.turns.running.len() > 1;
    let which = if several {
        let (_, activity, _) = scene.activity(Some(index));
        format!("{}: {activity} · ", cell_name(index))
    } else if index == scene.chosen() {
        String::new()
    } else {
        format!("{}: ", cell_name(index))
    };
    let progress = cell.progress;
    if monitor.foreign.is_some() {
        return format!("{}: step {}", cell_name(index), words::count(progress.step));
    }
    let steps = format!(
        "step {} of {}",
        words::count(progress.step),
        words::count(cell.plan.planned_steps)
    );
    if monitor.is_paused(Cells::One(index)) {
        let paused = if several {
            monitor.cell_paused_for(index, scene.now)
        } else {
            monitor.paused_for(scene.now)
        };
        return format!("{which}{steps} · paused for {} in all", words::duration(paused));
    }
    // With several cells, a narrow header leaves this number out.
    let epoch = if cell.plan.steps_per_epoch > 1 && (!several || width >= WIDE) {
        format!(" · epoch {:.1}", progress.epoch)
    } else {
        String::new()
    };
    format!("{which}{steps}{epoch} · {}", pace(progress.steps_per_second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Activity, Event};
    use crate::tui::fixture::Fixture;

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 2)));
    }

    #[test]
    fn on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (120, 2)));
    }

    #[test]
    fn the_load_of_the_machine_is_told_where_there_is_room() {
        let mut fixture = Fixture::half_way();
        let gpu = |busy| crate::machine::Gpu {
            busy_percent: busy,
            ..Default::default()
        };
        fixture.load = Some(crate::machine::Load {
            processors_percent: 48.6,
            gpus: vec![gpu(Some(97)), gpu(None)],
            ..Default::default()
        });
        assert!(fixture.drawn(render, (120, 2)).contains(" · CPU 49% · GPU 97% · runs/"));
        assert!(!fixture.drawn(render, (80, 2)).contains("CPU 49%"));
    }

    #[test]
    fn a_failure_is_said_in_its_own_words() {
        let mut fixture = Fixture::half_way();
        let ending = crate::event::SweepEnding::Failed("no space left on device".into());
        fixture
            .monitor
            .apply(crate::event::Event::SweepEnded(ending), fixture.start);
        assert!(
            fixture
                .drawn(render, (120, 2))
                .contains("✗ failed: no space left on device")
        );
    }

    #[test]
    fn a_measurement_is_told_only_once_it_takes_a_while() {
        use std::time::Duration;
        let mut fixture = Fixture::half_way();
        // The header is drawn 61 seconds after the start.
        for (milliseconds, told) in [
            (60_900, None),
            (60_000, Some("measuring λ_max  ")),
            (1_000, Some("λ_max for 1m 00s")),
        ] {
            let now = fixture.start + Duration::from_millis(milliseconds);
            for activity in [Activity::Training, Activity::MeasuringLambda] {
                let cell = Some(2);
                fixture.monitor.apply(Event::Activity { cell, activity }, now);
            }
            let drawn = fixture.drawn(render, (120, 2));
            assert_eq!(drawn.contains("measuring λ_max"), told.is_some(), "{drawn}");
            assert!(drawn.contains(told.unwrap_or_default()), "{drawn}");
        }
    }

    #[test]
    fn of_several_cells_the_state_of_all_is_told_and_the_one_that_keys_act_on_by_its_name() {
        let mut fixture = Fixture::three_at_once();
        let activity = |cell, activity| Event::Activity {
            cell: Some(cell),
            activity,
        };
        for (event, pinned, first, second) in [
            (None, None, "▶ training, 1 paused ", "cell 2: training · step 720"),
            (None, Some(1), "▶ training, 1 paused ", "cell 1: training · step 405"),
            (None, Some(0), "▶ training, 1 paused ", "cell 2: training · step 720"),
            (
                Some(activity(1, Activity::Auditing)),
                Some(1),
                "▶ training, 1 paused ",
                "cell 1: auditing λ_max for 1m 01s · step 405",
            ),
            (
                Some(activity(3, Activity::Training)),
                None,
                "▶ training ",
                "cell 2: training",
            ),
            (
                Some(activity(1, Activity::Blocked)),
                None,
                "‖ waiting for the disk for 1m 01s",
                "cell 2: training",
            ),
            (
                Some(activity(1, Activity::Paused)),
                None,
                "▶ training, 1 paused ",
                "cell 2: training",
            ),
            (
                Some(activity(2, Activity::Paused)),
                None,
                "▶ training, 2 paused ",
                "cell 2: paused",
            ),
            (Some(activity(3, Activity::Paused)), None, "‖ paused ", "cell 2: paused"),
        ] {
            if let Some(event) = event {
                fixture.monitor.apply(event, fixture.start);
            }
            fixture.view.pinned = pinned;
            let drawn = fixture.drawn(render, (140, 2));
            assert!(
                drawn.contains(first) && drawn.contains(second),
                "{first} {second}: {drawn}"
            );
            assert!(drawn.contains(" 3 run, 1 of 6 done · "), "{drawn}");
        }
        fixture.view.asked_to_pause = Some((Cells::One(3), false));
        assert!(fixture.drawn(render, (140, 2)).contains("▶ resuming cell 3…"));
    }

    #[test]
    fn runners_are_counted_with_their_threads_and_devices() {
        let mut fixture = Fixture::three_at_once();
        let drawn = fixture.drawn(render, (140, 2));
        for words in [
            " 3 runners × 1 thread · flex (CPU) · runs/",
            " 3 run, 1 of 6 done · 111 steps/s · ",
        ] {
            assert!(drawn.contains(words), "{words}: {drawn}");
        }
        let runner = |number, device: &str, threads| crate::event::Runner {
            number,
            device: device.to_owned(),
            threads,
        };
        let (first, second) = ("libtorch (CUDA 0)", "libtorch (CUDA 1)");
        for (runners, words) in [
            (vec![runner(4, "flex (CPU)", 2)], " flex (CPU), 2 threads · "),
            (
                vec![runner(0, first, 2), runner(1, second, 2), runner(2, first, 2)],
                " 3 runners × 2 threads · 2 libtorch (CUDA 0), 1 libtorch (CUDA 1) · ",
            ),
        ] {
            fixture.monitor.apply(Event::Runners(runners), fixture.start);
            let drawn = fixture.drawn(render, (160, 2));
            assert!(drawn.contains(words), "{words}: {drawn}");
        }
    }

    #[test]
    fn what_was_asked_for_shows_before_it_is_confirmed() {
        let mut fixture = Fixture::half_way();
        fixture.view.asked_to_pause = Some((Cells::All, true));
        assert!(fixture.drawn(render, (80, 2)).contains("pausing…"));
        fixture.view.stopping = true;
        assert!(fixture.drawn(render, (80, 2)).contains("stopping after this step…"));
    }
}
