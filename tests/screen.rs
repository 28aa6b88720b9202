//! Snapshots of every view of the screen at four sizes, opened by its keys, and the pictures in README and book.

use sharptui::event;

#[path = "screen/moving.rs"]
mod moving;
#[path = "screen/script.rs"]
mod script;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sharptui::machine::{Load, Process};
use sharptui::monitor::Monitor;
use sharptui::tui::{self, Colours, Glyphs, Scene, Theme, View};

type Size = (u16, u16);

const SIZES: [Size; 4] = [(60, 16), (80, 24), (120, 40), (200, 60)];

/// The progress of the sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// Two of six cells have finished; the third is training.
    HalfWay,
    /// The same, and the learning rate of the third cell was changed by hand.
    Changed,
    /// One of six cells has finished; three are running, and one of them is paused.
    Several,
    /// All six cells have finished.
    Finished,
}

/// A view: its name, the progress of the sweep, the keys that open it, and the size of its picture.
type Named = (&'static str, Stage, &'static str, Size);

const VIEWS: [Named; 15] = [
    ("charts", Stage::HalfWay, "", (120, 40)),
    ("runners", Stage::Several, "", (120, 40)),
    ("cursor", Stage::HalfWay, "++←←←←", (100, 30)),
    ("rate", Stage::Changed, "r", (100, 30)),
    ("overlaid", Stage::HalfWay, "zvkvkv⏎", (100, 30)),
    ("scatter", Stage::Finished, "s", (100, 30)),
    ("cells", Stage::HalfWay, "2", (100, 16)),
    ("filter", Stage::HalfWay, "2oo/tanh", (100, 16)),
    ("sweep", Stage::Finished, "3", (100, 30)),
    ("log", Stage::Changed, "4", (100, 16)),
    ("details", Stage::HalfWay, "d", (160, 40)),
    ("help", Stage::HalfWay, "?", (120, 40)),
    ("palette", Stage::HalfWay, ":rate", (100, 30)),
    ("meaning", Stage::HalfWay, "i", (100, 40)),
    ("question", Stage::HalfWay, "q", (100, 30)),
];

fn monitor(stage: Stage, start: Instant) -> Monitor {
    let mut monitor = Monitor::default();
    let mut events = match stage {
        Stage::Several => script::three_at_once(),
        _ => script::half_way(),
    };
    match stage {
        Stage::HalfWay | Stage::Several => {}
        Stage::Changed => events.extend(script::changed_by_hand()),
        Stage::Finished => {
            events.extend((2..6).map(|cell| script::came_to(cell, 24.0 + 9.0 * cell as f64)));
            events.push(event::Event::SweepEnded(event::SweepEnding::Complete));
        }
    }
    for event in events {
        monitor.apply(event, start);
    }
    monitor
}

fn key(name: char) -> KeyEvent {
    KeyEvent::from(match name {
        '←' => KeyCode::Left,
        '⏎' => KeyCode::Enter,
        letter => KeyCode::Char(letter),
    })
}

fn drawn((_, stage, keys, _): Named, (width, height): Size, theme: Theme) -> Buffer {
    let start = Instant::now();
    let monitor = monitor(stage, start);
    let mut view = View::new(theme);
    view.follow(&monitor);
    for name in keys.chars() {
        view.key(&key(name), &monitor);
        view.follow(&monitor);
    }
    let load = Load {
        processors_percent: 94.0,
        processors: 2,
        memory_used_bytes: 3_400_000_000,
        memory_bytes: 16_000_000_000,
        training: Some(Process {
            processor_percent: 187.0,
            memory_bytes: 312_000_000,
        }),
        gpus: Vec::new(),
    };
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let scene = Scene {
        monitor: &monitor,
        view: &view,
        load: Some(&load),
        now: start + Duration::from_secs(61),
    };
    tui::render(&scene, area, &mut buffer);
    buffer
}

fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

#[test]
fn every_view_at_four_sizes() {
    for view in VIEWS {
        let theme = || Theme::new(Colours::Indexed, Glyphs::Unicode);
        let pages = SIZES.map(|size| {
            let (width, height) = size;
            format!("{width} x {height}\n{}", text(&drawn(view, size, theme())))
        });
        insta::assert_snapshot!(view.0, pages.join("\n"));
    }
}

#[test]
fn every_view_is_nothing_but_ascii_where_that_is_asked_for() {
    for view in VIEWS {
        for size in SIZES {
            let drawn = text(&drawn(view, size, Theme::new(Colours::None, Glyphs::Ascii)));
            assert!(drawn.is_ascii(), "{} at {size:?}: {drawn}", view.0);
        }
    }
}

/// `UPDATE_PICTURE=1 cargo test --test screen` writes new pictures.
#[test]
fn the_pictures_of_the_readme_and_the_book_are_what_the_screen_draws() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("docs/src/screen");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let book = std::fs::read_to_string(root.join("docs/src/screen.md")).unwrap();
    for view in VIEWS {
        let name = format!("{}.svg", view.0);
        let path = folder.join(&name);
        let drawn = tui::svg::picture(&drawn(view, view.3, Theme::new(Colours::Indexed, Glyphs::Unicode)));
        if std::env::var_os("UPDATE_PICTURE").is_some() {
            std::fs::write(&path, &drawn).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == drawn,
            "{name} is out of date: UPDATE_PICTURE=1 cargo test --test screen"
        );
        let shown = readme.contains(&format!("docs/src/screen/{name}")) || book.contains(&format!("screen/{name}"));
        assert!(shown, "{name} is neither in the README nor in the book");
    }
}
