//! The actions that keys trigger, and the pages on which each action does something.

use crate::tui::page::Page;

/// An action that a key triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Pause all running cells, or resume them.
    PauseOrResume,
    /// Pause the chosen running cell, or resume it.
    PauseCell,
    /// Abort the chosen cell, after a question.
    Abort,
    /// Check λ_max of the chosen running cell from a cold start.
    Audit,
    /// Evaluate the chosen running cell and measure its λ_max.
    Measure,
    /// Change the learning rate of the chosen running cell, at a prompt.
    LearningRate,
    /// Choose the cell above.
    Previous,
    /// Choose the cell below.
    Next,
    /// Choose a cell ten rows further up.
    PageUp,
    /// Choose a cell ten rows further down.
    PageDown,
    /// Follow a running cell.
    Follow,
    /// Show the next quantity in the marked chart.
    NextChart,
    /// Mark the next chart.
    MarkChart,
    /// Switch the horizontal axis between steps, epochs and seconds.
    AcrossAxis,
    /// Switch the loss axis between linear and logarithmic.
    LossAxis,
    /// Switch the λ_max axis between linear and logarithmic.
    LambdaAxis,
    /// Move the cursor left; the curves are read out at the cursor.
    CursorLeft,
    /// Move the cursor right.
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
    /// Overlay the chosen cell on the charts of other cells, or remove this overlay.
    Overlay,
    /// Remove all overlays.
    OverlayNone,
    /// Show the mean and the range over the seeds of the chosen cell's combination, or the chosen cell alone.
    Seeds,
    /// Show λ_max on the next probe.
    NextProbe,
    /// Show the scatter of all finished cells, coloured by the next swept setting; after the last setting, show loss
    /// and accuracy of the chosen cell.
    Scatter,
    /// Show the curves of the chosen cell.
    PageCharts,
    /// Show the table of all cells alone.
    PageCells,
    /// Show the effect of the swept settings.
    PageSweep,
    /// Show the log of the run.
    PageLog,
    /// Filter the cells, at a prompt.
    Filter,
    /// Sort the table by the next column.
    Sort,
    /// Reverse the sort order.
    SortReversed,
    /// Move the chosen cell to the end of the queue, even while it runs.
    Skip,
    /// Run the chosen cell again, after a question.
    Retry,
    /// Run the chosen cell earlier.
    MoveUp,
    /// Run the chosen cell later.
    MoveDown,
    /// Hold the chosen queued cell, or release it.
    Hold,
    /// Add a cell that differs from the chosen one only in its seed.
    AddSeed,
    /// Undo the last change of the queue or of a learning rate.
    Undo,
    /// Start one more runner.
    MoreRunners,
    /// Take one runner away.
    FewerRunners,
    /// Find an action by its name.
    Palette,
    /// Show what the numbers mean.
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
    /// Close the box over the screen. Without a box, remove the mark of a chart; without a mark, remove the cursor.
    Close,
    /// Quit, after a question if work would be lost.
    Quit,
    /// Quit, by the key that means this in every terminal program (Ctrl-C).
    Interrupt,
    /// Leave the screen; the sweep goes on.
    Detach,
    /// Put the screen into the background.
    Suspend,
    /// Save a picture of the screen.
    Picture,
    /// Redraw the whole screen.
    Redraw,
}

impl Action {
    /// Returns the name of the action: "pause-or-resume".
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

    /// Returns whether the action is a request to the training process.
    #[must_use]
    pub fn is_of_training(self) -> bool {
        matches!(
            self,
            Self::PauseOrResume
                | Self::PauseCell
                | Self::MoreRunners
                | Self::FewerRunners
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

    /// Returns whether the action is a request about single cells, which can be sent through the run directory.
    #[must_use]
    pub fn can_go_by_files(self) -> bool {
        matches!(
            self,
            Self::PauseOrResume
                | Self::PauseCell
                | Self::Abort
                | Self::Retry
                | Self::Skip
                | Self::LearningRate
                | Self::Audit
                | Self::Measure
        )
    }

    /// Returns whether the action does something on this page.
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
            | Self::Seeds
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
