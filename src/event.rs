//! What the training thread tells and what it is told: plain data, no tensors and no screens.
//!
//! [`Event`]s go out, [`Command`]s come in, over crossbeam channels. A [`Point`] is also one line of a
//! cell's `metrics.jsonl`, so what is on disk and what is on the screen cannot differ.

pub(crate) mod any_path;
mod ending;
mod point;
mod values;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use ending::{CellEnding, Finish, StopReason, SweepEnding};
pub use point::{LambdaPoint, Point, RateChange, Summary};
pub use values::Values;

/// Position of a cell in the queue of its sweep, counted from 0; the number of its folder, and the only one that people read.
pub type CellIndex = usize;

/// What a cell is called, wherever people read of it: "cell 2" for the one in the folder `cells/002`.
#[must_use]
pub fn cell_name(cell: CellIndex) -> String {
    format!("cell {cell}")
}

/// The running cells that a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cells {
    /// Every one, and those that begin later.
    All,
    /// This one.
    One(CellIndex),
}

/// Something that happened in the sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The sweep was expanded into cells and its run directory exists. Always the first event.
    SweepStarted(SweepPlan),
    /// The training of a cell begins.
    CellStarted {
        /// Which cell.
        cell: CellIndex,
    },
    /// How far a running cell is; may be left out when nobody keeps up with reading.
    Progress {
        /// Which cell.
        cell: CellIndex,
        /// How far it is.
        progress: Progress,
    },
    /// Something was measured; may be left out when nobody keeps up with reading (it is on disk all the same).
    Measured {
        /// Which cell.
        cell: CellIndex,
        /// What was measured; large next to the other events, hence boxed.
        point: Box<Point>,
    },
    /// Points that were left out since the reader did not keep up; they are in the cell's `metrics.jsonl`.
    PointsSkipped {
        /// Which cell.
        cell: CellIndex,
        /// How many.
        count: u64,
    },
    /// Points of a cell will be sent again from the first; consumers clear its curves. Made by those who read the run directory.
    History {
        /// Which cell.
        cell: CellIndex,
    },
    /// The activity of a cell, or of the sweep between cells, has changed.
    ///
    /// A cell is prepared before it starts, so the first activity of a cell comes before its [`Event::CellStarted`].
    Activity {
        /// Which cell; none between cells, as when the sweep's own files cannot be written.
        cell: Option<CellIndex>,
        /// The new activity.
        activity: Activity,
    },
    /// A cell has ended, in whichever way.
    CellEnded {
        /// Which cell.
        cell: CellIndex,
        /// How it ended.
        ending: CellEnding,
        /// Its last values.
        summary: Summary,
    },
    /// The cells that are still to be run have another order, or others of them are held out.
    Queue {
        /// The cells that have not ended and do not run, in the order they will be run.
        order: Vec<CellIndex>,
        /// Those of them that are held out until they are let in again, in ascending order.
        held: Vec<CellIndex>,
    },
    /// The plan has one cell more, at its end.
    CellAdded(Box<CellPlan>),
    /// A cell that had ended is to be run again, from its first step: what was known of it is forgotten.
    CellRetried {
        /// Which cell.
        cell: CellIndex,
    },
    /// A line of the run's log, told in order. Made by those who read the run directory.
    Logged(LogEntry),
    /// Something the person watching should read once, such as an audit that corrected λ_max.
    Notice {
        /// The cell it is about; none if it is about the whole sweep.
        cell: Option<CellIndex>,
        /// The message, without the name of the cell.
        words: String,
    },
    /// Nothing more will come.
    SweepEnded(SweepEnding),
    /// The process that trained is gone, and did not say how the sweep ended: nothing more will come. Made by those who read
    /// the run directory.
    TrainerLost,
    /// The run is trained where no request of ours arrives; the words say where. What is known of it, its files tell.
    /// Made by those who read the run directory.
    Elsewhere(String),
}

/// What will be run, known before the first step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepPlan {
    /// Name of the sweep, from its configuration.
    pub name: String,
    /// The run directory.
    #[serde(with = "any_path")]
    pub run_dir: PathBuf,
    /// What it runs on, in words for people: "flex (CPU)".
    pub device: String,
    /// Every cell in queue order.
    pub cells: Vec<CellPlan>,
    /// For how many seconds the sweep had been going on when this was told.
    #[serde(default)]
    pub earlier_seconds: f64,
}

/// One cell of the sweep, as planned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CellPlan {
    /// The settings that the sweep varies, as (name, value), in the order of the sweep's axes.
    pub swept: Vec<(String, String)>,
    /// Every setting, as (name, value), defaults filled in.
    pub settings: Vec<(String, String)>,
    /// The most steps this cell can take.
    pub planned_steps: u64,
    /// Steps in one epoch (1 for full-batch gradient descent).
    pub steps_per_epoch: u64,
    /// What each λ_max curve of this cell is measured on ("held-out, 1000 examples"); the first is the one tables show.
    pub probes: Vec<String>,
    /// The stability threshold of its optimizer.
    pub threshold: Threshold,
    /// How large it is; none where that was not written down.
    #[serde(default)]
    pub size: Option<CellSize>,
    /// How it ended, if that was before this process began.
    pub ended: Option<(CellEnding, Summary)>,
}

/// How large a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellSize {
    /// Parameters of its network.
    pub parameters: u64,
    /// The memory that it needs at least at its largest moment, in bytes, without its data set.
    pub memory_bytes: u64,
}

/// What is known of an optimizer's stability threshold before the first step. Its value is a quantity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Its formula: "2/η", "2/η − wd", "SAM edge".
    pub formula: String,
    /// The formula without what weight decay takes off.
    pub edge_formula: String,
    /// What it means, as a sentence without its full stop.
    pub meaning: String,
    /// μ: what weight decay adds to every eigenvalue of what is minimized.
    pub weight_decay: f64,
    /// Whether it is inversely proportional to η, so that its value at another rate is known.
    pub is_inverse_in_rate: bool,
}

impl CellPlan {
    /// The value of a setting, swept or not.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let known = self.settings.iter().chain(&self.swept);
        let mut of_this_name = known.filter(|(setting, _)| setting == name);
        of_this_name.next().map(|(_, value)| value.as_str())
    }
}

/// One line of the run's log, `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Seconds since 1970 in UTC.
    pub at: f64,
    /// Which cell it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<CellIndex>,
    /// What kind of thing it is.
    pub kind: LogKind,
    /// What happened, for people.
    pub words: String,
}

/// What a line of the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogKind {
    /// The sweep began, was taken up again, or ended.
    Sweep,
    /// A cell began or went on.
    Begun,
    /// A cell ended.
    Ended,
    /// The person watching changed something.
    ByHand,
    /// Something to know.
    Notice,
    /// Something went wrong.
    Warning,
}

/// How far a cell is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimizer steps taken.
    pub step: u64,
    /// Passes over the training data, with the part of the current one.
    pub epoch: f64,
    /// Seconds the cell has run, pauses excluded.
    pub seconds: f64,
    /// Optimizer steps a second over the last moments, measuring included; 0 while not known.
    pub steps_per_second: f64,
}

/// What the training thread does for a cell, or between cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activity {
    /// Reading data, building the network.
    Preparing,
    /// Taking optimizer steps.
    Training,
    /// Measuring λ_max.
    MeasuringLambda,
    /// Checking λ_max from a cold start.
    Auditing,
    /// Computing losses and accuracies.
    Evaluating,
    /// Waiting to be resumed.
    Paused,
    /// Waiting until the run directory can be written.
    Blocked,
}

/// What the training thread is asked to do, honoured within one step.
///
/// A command about a cell that does not run, where it needs one that does, is answered by a notice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Stop after the current step until resumed.
    Pause(Cells),
    /// Go on.
    Resume(Cells),
    /// End this cell, running or queued, and go on with the next.
    Abort(CellIndex),
    /// Check λ_max of a running cell from a cold start at its next step.
    Audit(CellIndex),
    /// Write a checkpoint after the current step, however short ago the last one was.
    Keep(Cells),
    /// Measure λ_max of a running cell, and evaluate it, at its next step, whatever is due.
    Measure(CellIndex),
    /// Train a running cell on at another learning rate: this one at the next step, and then along its schedule as before.
    SetLearningRate {
        /// Which cell.
        cell: CellIndex,
        /// η of the next step, positive and finite.
        learning_rate: f64,
    },
    /// Set a running cell aside with a checkpoint, at the end of the queue, and go on with the next.
    Skip(CellIndex),
    /// Run a cell that has ended again, from its first step; what it came to before is kept beside it.
    Retry(CellIndex),
    /// Move a cell of the queue by this many places, towards its end where that is positive.
    Move {
        /// Which cell.
        cell: CellIndex,
        /// By how many places.
        by: i64,
    },
    /// Hold a cell of the queue out: it is not run until it is let in again.
    Hold(CellIndex),
    /// Let a cell in again that was held out.
    Release(CellIndex),
    /// Add a cell to the end of the queue that differs from this one in its seed alone.
    AddSeed(CellIndex),
    /// Stop the sweep; what is finished stays on disk.
    Quit,
}
