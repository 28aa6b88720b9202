//! The picture of the screen in the README.

use sharptui::event;

#[path = "screen/script.rs"]
mod script;

use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sharptui::monitor::Monitor;
use sharptui::tui::{self, Colours, Glyphs, Scene, Theme, View};

fn drawn(width: u16, height: u16, theme: Theme) -> Buffer {
    let start = Instant::now();
    let mut monitor = Monitor::default();
    for event in script::half_way() {
        monitor.apply(event, start);
    }
    let view = View::new(theme);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let scene = Scene {
        monitor: &monitor,
        view: &view,
        load: None,
        now: start + Duration::from_secs(61),
    };
    tui::render(&scene, area, &mut buffer);
    buffer
}

/// The picture is rewritten with `UPDATE_PICTURE=1 cargo test --test screen`.
#[test]
fn the_readme_picture_is_what_the_screen_draws() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screen/screen.svg");
    let drawn = tui::svg::picture(&drawn(120, 40, Theme::new(Colours::Indexed, Glyphs::Unicode)));
    if std::env::var_os("UPDATE_PICTURE").is_some() {
        std::fs::write(path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == drawn,
        "the picture is out of date: UPDATE_PICTURE=1 cargo test --test screen"
    );
}
