//! A sweep half way through, for tests of panels.

#[path = "../../tests/screen/script.rs"]
pub(super) mod script;

use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::machine::Load;
use crate::monitor::Monitor;
use crate::tui::state::scene::Scene;
use crate::tui::state::view::View;
use crate::tui::theme::{Colours, Glyphs, Theme};

/// A sweep and a view on it, a minute after it started.
pub(super) struct Fixture {
    pub(super) monitor: Monitor,
    pub(super) view: View,
    pub(super) start: Instant,
    pub(super) load: Option<Load>,
}

impl Fixture {
    pub(super) fn half_way() -> Self {
        Self::after(script::half_way())
    }

    /// Returns a sweep in which three cells run at the same time.
    pub(super) fn three_at_once() -> Self {
        Self::after(script::three_at_once())
    }

    /// Returns the state after these events.
    pub(super) fn after(events: Vec<crate::event::Event>) -> Self {
        let start = Instant::now();
        let mut monitor = Monitor::default();
        for event in events {
            monitor.apply(event, start);
        }
        Self {
            monitor,
            view: View::new(Theme::new(Colours::Indexed, Glyphs::Unicode)),
            start,
            load: None,
        }
    }

    pub(super) fn ascii() -> Self {
        let mut fixture = Self::half_way();
        fixture.view.theme = Theme::new(Colours::None, Glyphs::Ascii);
        fixture
    }

    /// Fills the queue up to this many cells.
    pub(super) fn with_cells(mut self, cells: usize) -> Self {
        let cell = self.monitor.cells[5].clone();
        self.monitor.cells.resize(cells, cell);
        (self.monitor.turns.cells, self.monitor.turns.queue) = (cells, (3..cells).collect());
        self.monitor.know_settings();
        self
    }

    /// Adds a measured point to a cell.
    pub(super) fn measure(&mut self, cell: usize, point: crate::event::Point) {
        let point = Box::new(point);
        let measured = crate::event::Event::Measured { cell, point };
        self.monitor.apply(measured, self.start);
    }

    /// Returns the frame of data to draw.
    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            monitor: &self.monitor,
            view: &self.view,
            load: self.load.as_ref(),
            now: self.start + Duration::from_secs(61),
        }
    }

    /// Returns what a panel draws in an area of this size.
    pub(super) fn drawn(&self, panel: fn(&Scene, Rect, &mut Buffer), size: (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let scene = self.scene();
        terminal
            .draw(|frame| panel(&scene, frame.area(), frame.buffer_mut()))
            .unwrap();
        terminal.backend().to_string()
    }
}
