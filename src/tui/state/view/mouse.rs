//! The mouse: a click chooses a row or puts the cursor at a step, the wheel scrolls or zooms.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{Overlay, View};
use crate::monitor::Monitor;
use crate::tui::state::parts::{Part, parts};
use crate::tui::state::table;

/// Number of rows of the log that one notch of the wheel scrolls.
const NOTCH: isize = 3;

impl View {
    /// Handles a mouse event in a window of this size. While a box is over the screen, events are ignored, but a click
    /// closes the welcome.
    pub fn mouse(&mut self, event: &MouseEvent, monitor: &Monitor, window: Rect) {
        if self.overlay == Some(Overlay::Welcome) && matches!(event.kind, MouseEventKind::Down(_)) {
            self.overlay = None;
            return;
        }
        if self.overlay.is_some() {
            return;
        }
        let at = Position::new(event.column, event.row);
        let under = parts(self, monitor, window)
            .into_iter()
            .find(|(_, area)| area.contains(at));
        let Some((part, area)) = under else { return };
        match (event.kind, part) {
            (MouseEventKind::Down(MouseButton::Left), Part::Table) => {
                if let Some(cell) = table::cell_at(self, monitor, area, event.row) {
                    self.pinned = Some(cell);
                }
            }
            (MouseEventKind::Down(MouseButton::Left) | MouseEventKind::Drag(MouseButton::Left), part)
                if part.has_steps() =>
            {
                let shown = self.window(monitor);
                let last = self.reached(monitor).clamp(shown.from, shown.to);
                let step = self.step_at(monitor, area, event.column);
                self.cursor = step.map(|step| step.clamp(shown.from, last));
            }
            (MouseEventKind::Down(MouseButton::Right), part) if part.has_steps() => self.cursor = None,
            (MouseEventKind::ScrollUp, Part::Table) => self.go(-1, monitor),
            (MouseEventKind::ScrollDown, Part::Table) => self.go(1, monitor),
            (MouseEventKind::ScrollUp, Part::Log) => self.go(-NOTCH, monitor),
            (MouseEventKind::ScrollDown, Part::Log) => self.go(NOTCH, monitor),
            (MouseEventKind::ScrollUp, Part::Details) => self.scroll(-1, monitor),
            (MouseEventKind::ScrollDown, Part::Details) => self.scroll(1, monitor),
            (MouseEventKind::ScrollUp | MouseEventKind::ScrollDown, part) if part.has_steps() => {
                let shown = self.window(monitor);
                let around = self.step_at(monitor, area, event.column);
                self.zoom = if event.kind == MouseEventKind::ScrollUp {
                    self.zoom.closer(shown, around)
                } else {
                    self.zoom.wider(shown, around, self.whole(monitor).to)
                };
            }
            _ => {}
        }
    }
}
