//! Which steps the charts show.

use crate::tui::plot::Window;

/// Minimum number of steps after zooming in.
const LEAST: u64 = 4;

/// A move shifts the window by its width divided by this number.
const PART: u64 = 4;

/// Which steps the charts show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    /// All steps.
    #[default]
    Whole,
    /// This many of the latest steps; the window follows training.
    Latest(u64),
    /// These steps.
    Fixed(Window),
}

impl Zoom {
    /// Returns the steps that a chart shows, if the whole run has `whole` steps and training is at step `reached`.
    ///
    /// A window that follows training moves in jumps, because every move sends the whole chart to the terminal again.
    pub(in crate::tui) fn window(self, whole: u64, reached: u64) -> Window {
        match self {
            Self::Whole => Window { from: 0, to: whole },
            Self::Fixed(window) => window,
            Self::Latest(width) => {
                let jump = (width / PART).max(1);
                let to = (reached / jump + 1) * jump;
                Window {
                    from: to.saturating_sub(width),
                    to: to.max(width),
                }
            }
        }
    }

    /// Zooms in to half as many steps, around `step`. Without a step, around the middle of a fixed window, else at the
    /// latest steps.
    pub(in crate::tui) fn closer(self, shown: Window, step: Option<u64>) -> Self {
        let width = (shown.width() / 2).max(LEAST).min(shown.width());
        match step {
            Some(step) => Self::around(step, width),
            None => self.of_width(shown, width),
        }
    }

    /// Zooms out to twice as many steps, or to the whole run if that is less.
    pub(in crate::tui) fn wider(self, shown: Window, step: Option<u64>, whole: u64) -> Self {
        let width = shown.width().saturating_mul(2);
        if width >= whole {
            return Self::Whole;
        }
        match step {
            Some(step) => Self::around(step, width),
            None => self.of_width(shown, width),
        }
    }

    /// Moves a window of the shown width to earlier or later steps.
    pub(in crate::tui) fn moved(shown: Window, earlier: bool, whole: u64) -> Self {
        let by = (shown.width() / PART).max(1);
        let last = whole.saturating_sub(shown.width());
        let from = if earlier {
            shown.from.saturating_sub(by)
        } else {
            (shown.from + by).min(last.max(shown.from))
        };
        Self::Fixed(Window {
            from,
            to: from + shown.width(),
        })
    }

    fn of_width(self, shown: Window, width: u64) -> Self {
        match self {
            Self::Fixed(_) => Self::around(shown.from + shown.width() / 2, width),
            Self::Whole | Self::Latest(_) => Self::Latest(width),
        }
    }

    fn around(step: u64, width: u64) -> Self {
        let from = step.saturating_sub(width / 2);
        Self::Fixed(Window { from, to: from + width })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_training_always_shows_where_it_is() {
        for width in [4, 7, 100, 1_000] {
            for reached in 0..3_000 {
                let window = Zoom::Latest(width).window(5_000, reached);
                assert!(window.holds(reached), "{width} {reached} {window:?}");
                assert_eq!(window.width(), width);
            }
        }
    }

    #[test]
    fn zooming_in_and_out_ends_at_the_whole_run_and_never_at_nothing() {
        let mut zoom = Zoom::Whole;
        for _ in 0..80 {
            zoom = zoom.closer(zoom.window(1_000, 700), Some(700));
            assert!(zoom.window(1_000, 700).holds(700));
        }
        assert_eq!(zoom.window(1_000, 700).width(), LEAST);
        for _ in 0..80 {
            zoom = zoom.wider(zoom.window(1_000, 700), Some(700), 1_000);
        }
        assert_eq!(zoom, Zoom::Whole);
    }

    #[test]
    fn moving_stops_at_both_ends() {
        let mut zoom = Zoom::Fixed(Window { from: 100, to: 200 });
        for _ in 0..99 {
            zoom = Zoom::moved(zoom.window(1_000, 700), true, 1_000);
        }
        assert_eq!(zoom, Zoom::Fixed(Window { from: 0, to: 100 }));
        for _ in 0..99 {
            zoom = Zoom::moved(zoom.window(1_000, 700), false, 1_000);
        }
        assert_eq!(zoom, Zoom::Fixed(Window { from: 900, to: 1_000 }));
    }
}
