//! Measures the time of a frame of the screen: `cargo bench --bench frame [FILTER]`.
//!
//! The sweep has 10,000 cells, and the running cell a million measurements. A frame is drawn, compared with the
//! previous one, and written as for a terminal.

use sharptui::event;

#[allow(dead_code)] // The tests use the rest of it.
#[path = "../tests/screen/script.rs"]
mod script;

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use sharptui::event::{CellEnding, Event, StopReason};
use sharptui::monitor::Monitor;
use sharptui::tui::{self, Colours, Glyphs, Scene, Theme, View};

const CELLS: usize = 10_000;
const POINTS: u64 = 1_000_000;
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (250, 70)];

/// The views, each with the keys that open it.
const VIEWS: [(&str, &str); 9] = [
    ("charts", "1"),
    ("charts, log axes", "1LL"),
    ("charts, smoothed", "1zz"),
    ("charts, zoomed", "1+++++"),
    ("charts, scatter", "1s"),
    ("cells", "2"),
    ("cells, sorted by edge", "2oo"),
    ("cells, filtered", "2/0.05 acc>0.1"),
    ("sweep", "3"),
];

fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    let monitor = long_and_wide(start);
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("frame");
    for (name, keys) in VIEWS {
        for (width, height) in SIZES {
            let mut view = View::new(Theme::new(Colours::Indexed, Glyphs::Unicode));
            for key in keys.chars() {
                view.key(&KeyEvent::from(KeyCode::Char(key)), &monitor);
            }
            let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
            let mut terminal = Terminal::with_options(CrosstermBackend::new(io::sink()), TerminalOptions { viewport })?;
            let mut seconds = 0;
            group.bench_function(BenchmarkId::new(name, format!("{width}x{height}")), |bencher| {
                bencher.iter(|| {
                    // The clocks advance, so that each frame writes something.
                    seconds += 1;
                    let scene = Scene {
                        monitor: &monitor,
                        view: &view,
                        load: None,
                        now: start + Duration::from_secs(seconds),
                    };
                    terminal
                        .draw(|frame| tui::render(&scene, frame.area(), frame.buffer_mut()))
                        .map(black_box)
                        .is_ok()
                });
            });
        }
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}

/// Returns a monitor with the first half of the cells finished and a long history of the next one.
fn long_and_wide(now: Instant) -> Monitor {
    let mut monitor = Monitor::default();
    let mut plan = script::plan();
    plan.cells = plan.cells.iter().cycle().take(CELLS).cloned().collect();
    monitor.apply(Event::SweepStarted(plan), now);
    for cell in 0..CELLS / 2 {
        monitor.apply(Event::CellStarted { cell }, now);
        for step in (0..=script::STEPS).step_by(20) {
            let point = Box::new(script::point(cell % 6, step, 0));
            monitor.apply(Event::Measured { cell, point }, now);
        }
        let ended = script::came_to(cell % 6, 20.0 + cell as f64 * 0.01);
        if let Event::CellEnded { ending: _, summary, .. } = ended {
            let ending = CellEnding::Finished(StopReason::Steps);
            monitor.apply(Event::CellEnded { cell, ending, summary }, now);
        }
    }
    let cell = CELLS / 2;
    monitor.apply(Event::CellStarted { cell }, now);
    for step in 0..POINTS {
        let mut point = script::point(2, step % 10_000, 0);
        point.step = step;
        let point = Box::new(point);
        monitor.apply(Event::Measured { cell, point }, now);
    }
    monitor
}
