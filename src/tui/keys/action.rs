//! What can be asked for by key, and on which pages.

use crate::tui::page::Page;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Pause, or go on.
    PauseOrResume,
    /// Abort the chosen cell, after a question.
    Abort,
    /// Check λ_max of the running cell from a cold start.
    Audit,
    /// Evaluate the running cell and measure its λ_max.
    Measure,
    /// Change the learning rate of the running cell, at a prompt.
    LearningRate,
    /// Look at the cell above.
    Previous,
    /// Look at the cell below.
    Next,
    /// Look at a cell further up.
    PageUp,
    /// Look at a cell further down.
    PageDown,
    /// Look at whichever cell is running.
    Follow,
    /// Show the next quantity in the marked chart.
    NextChart,
    /// Mark the next chart.
    MarkChart,
    /// Steps, epochs or seconds across the charts.
    AcrossAxis,
    /// Linear or logarithmic loss.
    LossAxis,
    /// Linear or logarithmic λ_max.
    LambdaAxis,
    /// Read the curves out further left.
    CursorLeft,
    /// Read the curves out further right.
    CursorRight,
    /// Show fewer steps.
    ZoomIn,
    /// Show more steps.
    ZoomOut,
    /// Show earlier steps.
    Earlier,
    /// Show later steps.
    Later,
    /// Show the whole run.
    WholeRun,
    /// Smooth the curves more, or not at all.
    Smooth,
    /// Lay the chosen cell over the charts of the others, or take it away.
    Overlay,
    /// Take all of them away.
    OverlayNone,
    /// Show λ_max on the next probe.
    NextProbe,
    /// The scatter of all finished cells, by the next swept setting, and at last loss and accuracy of the chosen one again.
    Scatter,
    /// Show the curves of the chosen cell.
    PageCharts,
    /// Show the table of all cells alone.
    PageCells,
    /// Show what the swept settings do.
    PageSweep,
    /// Show what happened.
    PageLog,
    /// Show some of the cells alone, at a prompt.
    Filter,
    /// Sort the table by the next column.
    Sort,
    /// Sort it the other way round.
    SortReversed,
    /// Set the chosen cell aside at the end of the queue.
    Skip,
    /// Run the chosen cell again, after a question.
    Retry,
    /// Run the chosen cell earlier.
    MoveUp,
    /// Run the chosen cell later.
    MoveDown,
    /// Hold the chosen cell out of the queue, or let it in again.
    Hold,
    /// Add a cell that differs from the chosen one in its seed.
    AddSeed,
    /// Take the last change of queue or learning rate back.
    Undo,
    /// Find an action by its name.
    Palette,
    /// What the numbers mean.
    Glossary,
    /// Copy the values under the cursor.
    Copy,
    /// Show or hide every setting of the chosen cell.
    Details,
    /// Scroll the settings, or the keys, up.
    ScrollUp,
    /// Scroll the settings, or the keys, down.
    ScrollDown,
    /// Show or hide the keys.
    Help,
    /// Close what lies over the screen.
    Close,
    /// Leave, after a question where work would be lost.
    Quit,
    /// The same, by the key that means it everywhere.
    Interrupt,
    /// Leave, and let the sweep go on.
    Detach,
    /// Put the screen into the background.
    Suspend,
    /// Save a picture of the screen.
    Picture,
    /// Draw every cell of the screen again.
    Redraw,
}

impl Action {
    /// What it is called: "pause-or-resume".
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// Whether it asks something of the process that trains.
    #[must_use]
    pub fn is_of_training(self) -> bool {
        matches!(
            self,
            Self::PauseOrResume
                | Self::Abort
                | Self::Retry
                | Self::Skip
                | Self::MoveUp
                | Self::MoveDown
                | Self::Hold
                | Self::AddSeed
                | Self::LearningRate
                | Self::Undo
                | Self::Audit
                | Self::Measure
        )
    }

    /// Whether it does something on this page.
    #[must_use]
    pub fn is_for(self, page: Page) -> bool {
        match self {
            Self::NextChart
            | Self::MarkChart
            | Self::AcrossAxis
            | Self::LossAxis
            | Self::LambdaAxis
            | Self::CursorLeft
            | Self::CursorRight
            | Self::ZoomIn
            | Self::ZoomOut
            | Self::Earlier
            | Self::Later
            | Self::WholeRun
            | Self::Smooth
            | Self::Overlay
            | Self::OverlayNone
            | Self::NextProbe
            | Self::Copy => page == Page::Charts,
            Self::Scatter => matches!(page, Page::Charts | Page::Sweep),
            Self::Filter
            | Self::Sort
            | Self::SortReversed
            | Self::Skip
            | Self::Retry
            | Self::MoveUp
            | Self::MoveDown
            | Self::Hold
            | Self::AddSeed
            | Self::Abort
            | Self::Details => page.has_table(),
            _ => true,
        }
    }
}
