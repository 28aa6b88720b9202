//! The messages of the training thread: plain data, without tensors and without screens.
//!
//! The training thread sends [`Event`]s and receives [`Command`]s over crossbeam channels. A [`Point`] is also one line
//! of a cell's `metrics.jsonl`, so the screen and the file always show the same values.

pub(crate) mod any_path;
mod ending;
mod nulls;
mod point;
mod spectrum;
mod standing;
mod values;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use ending::{CellEnding, Finish, StopReason, SweepEnding};
pub use point::{LambdaPoint, Point, PreconditionedPoint, RateChange, Summary};
pub use spectrum::{LayerPoint, SpectrumPoint};
pub use standing::{Standing, StandingKind};
pub use values::Values;

/// Position of a cell in the queue of its sweep, counted from 0. It is also the number of the cell's folder and the
/// number that the screen shows.
pub type CellIndex = usize;

/// Returns the name of a cell for people: "cell 2" for the cell in the folder `cells/002`.
#[must_use]
pub fn cell_name(cell: CellIndex) -> String {
    format!("cell {cell}")
}

/// The running cells that a command applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cells {
    /// Every running cell, and every cell that starts later.
    All,
    /// This cell only.
    One(CellIndex),
}

/// Something that happened in the sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The sweep was expanded into cells and its run directory exists. Always the first event.
    SweepStarted(SweepPlan),
    /// The training of a cell starts.
    CellStarted {
        /// Which cell.
        cell: CellIndex,
    },
    /// The progress of a running cell. It may be dropped if the reader is slow.
    Progress {
        /// Which cell.
        cell: CellIndex,
        /// Its progress.
        progress: Progress,
    },
    /// Something was measured. The event may be dropped if the reader is slow; the point is on disk in any case.
    Measured {
        /// Which cell.
        cell: CellIndex,
        /// The measured values. Boxed because a point is large compared with the other events.
        point: Box<Point>,
    },
    /// Points were dropped because the reader was slow. They are in the cell's `metrics.jsonl`.
    PointsSkipped {
        /// Which cell.
        cell: CellIndex,
        /// The number of dropped points.
        count: u64,
    },
    /// Points of a cell will be sent again from the first; consumers clear the cell's curves. Sent only by readers of
    /// the run directory.
    History {
        /// Which cell.
        cell: CellIndex,
    },
    /// The activity of a cell, or of the sweep between cells, has changed.
    ///
    /// A cell is prepared before it starts, so the first activity of a cell comes before its [`Event::CellStarted`].
    Activity {
        /// Which cell; none for the time between cells, for example while the sweep's own files cannot be written.
        cell: Option<CellIndex>,
        /// The new activity.
        activity: Activity,
    },
    /// The runners have changed. These are there; a runner that is being taken away is not among them.
    Runners(Vec<Runner>),
    /// A runner takes a cell: the next activity of the cell is on this runner.
    Assigned {
        /// Which cell.
        cell: CellIndex,
        /// The number of the runner.
        runner: u32,
    },
    /// A cell has ended, for any reason.
    CellEnded {
        /// Which cell.
        cell: CellIndex,
        /// How it ended.
        ending: CellEnding,
        /// Its last values.
        summary: Summary,
    },
    /// A runner did not train a cell, or stopped training it, because another process has it or has ended it. Sent only
    /// by runners to their sweep.
    CellElsewhere {
        /// Which cell.
        cell: CellIndex,
        /// How it ended there, with its last values; none if it has not ended.
        ended: Option<(CellEnding, Summary)>,
        /// The message for people, which says who has it.
        words: String,
    },
    /// The order of the queued cells has changed, or the set of held cells.
    Queue {
        /// The cells that are neither running nor ended, in the order in which they will run.
        order: Vec<CellIndex>,
        /// The queued cells that are held, that is, not run until they are released; in ascending order.
        held: Vec<CellIndex>,
    },
    /// A cell was added at the end of the plan.
    CellAdded(Box<CellPlan>),
    /// A cell that had ended will run again from step 0. Consumers discard its earlier state.
    CellRetried {
        /// Which cell.
        cell: CellIndex,
    },
    /// A line of the run's log, sent in the order of the file. Sent only by readers of the run directory.
    Logged(LogEntry),
    /// A message for the person watching, for example that an audit corrected λ_max.
    Notice {
        /// The cell that the message is about; none if it is about the whole sweep.
        cell: Option<CellIndex>,
        /// The message, without the name of the cell.
        words: String,
    },
    /// The sweep has ended. No further event follows.
    SweepEnded(SweepEnding),
    /// The training process exited without reporting how the sweep ended. No further event follows. Sent only by
    /// readers of the run directory.
    TrainerLost,
    /// How a cell stands that another process has; none if its other events say that.
    Standing {
        /// Which cell.
        cell: CellIndex,
        /// How it stands.
        standing: Option<Standing>,
    },
    /// The run is trained by processes that this program cannot connect to. The state of the run is read from its files,
    /// and commands about single cells are sent by files. Sent only by readers of the run directory.
    Elsewhere(String),
    /// The run is that of another program: nothing in it can be controlled, and planned steps and endings are not known.
    /// The words say where it is read from. Sent only by readers of its files.
    Foreign(String),
}

/// The plan of a sweep, known before the first step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepPlan {
    /// Name of the sweep, from its configuration.
    pub name: String,
    /// The run directory.
    #[serde(with = "any_path")]
    pub run_dir: PathBuf,
    /// Device that the sweep runs on, as text for people: "flex (CPU)".
    pub device: String,
    /// Every cell, in queue order.
    pub cells: Vec<CellPlan>,
    /// Seconds that the sweep had already been running when this event was sent.
    #[serde(default)]
    pub earlier_seconds: f64,
}

/// A process that trains one cell after another on one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runner {
    /// Its number, counted from 0. The runner that replaces it gets another one.
    pub number: u32,
    /// The name of its device, for people: "flex (CPU)".
    pub device: String,
    /// Number of threads that it computes with on the CPU; 0 if a reader of the run directory does not know it.
    pub threads: usize,
}

/// One cell of the sweep, as planned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CellPlan {
    /// The settings that the sweep varies, as (name, value), in the order of the sweep's axes.
    pub swept: Vec<(String, String)>,
    /// Every setting, as (name, value), including defaults.
    pub settings: Vec<(String, String)>,
    /// The largest number of steps that this cell can take.
    pub planned_steps: u64,
    /// Steps in one epoch (1 for full-batch gradient descent).
    pub steps_per_epoch: u64,
    /// The probe of each λ_max curve of this cell ("held-out, 1000 examples"). Tables show the first one.
    pub probes: Vec<String>,
    /// The stability threshold of its optimizer.
    pub threshold: Threshold,
    /// Size of the cell; none if it was not recorded.
    #[serde(default)]
    pub size: Option<CellSize>,
    /// Ending and last values, if the cell ended before this process started.
    pub ended: Option<(CellEnding, Summary)>,
}

/// The size of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellSize {
    /// Number of parameters of its network.
    pub parameters: u64,
    /// Lower bound of its peak memory in bytes, without its data set.
    pub memory_bytes: u64,
}

/// The stability threshold of an optimizer, as known before the first step. Its value is a quantity and is measured
/// later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Its formula: "2/η", "2/η − wd", "SAM edge", "38/η"; "none known" if it is not known.
    pub formula: String,
    /// The formula without the weight decay term.
    pub edge_formula: String,
    /// Its meaning, as a sentence without the final full stop.
    pub meaning: String,
    /// Weight decay μ: the Hessian of the minimized objective has the eigenvalues λ + μ.
    pub weight_decay: f64,
    /// Whether the threshold is inversely proportional to η, so that its value at another learning rate can be
    /// computed.
    pub is_inverse_in_rate: bool,
    /// Whether it limits the preconditioned sharpness. λ_max then has no threshold.
    #[serde(default)]
    pub is_preconditioned: bool,
    /// Whether no threshold is known for the optimizer. `meaning` then says why.
    #[serde(default)]
    pub is_unknown: bool,
}

impl CellPlan {
    /// Returns whether another program trains the cell: its files do not say how many steps are planned. Every cell of this
    /// program plans at least one step.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.planned_steps == 0
    }

    /// Returns the value of a setting, swept or not.
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
    /// The cell that the line is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<CellIndex>,
    /// The kind of line.
    pub kind: LogKind,
    /// The message, for people.
    pub words: String,
}

/// The kind of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogKind {
    /// The sweep started, was resumed, or ended.
    Sweep,
    /// A cell started or continued.
    Begun,
    /// A cell ended.
    Ended,
    /// The person watching changed something.
    ByHand,
    /// Information.
    Notice,
    /// Something went wrong.
    Warning,
}

/// The progress of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimizer steps taken.
    pub step: u64,
    /// Passes over the training data, including the fraction of the current pass.
    pub epoch: f64,
    /// Seconds that the cell has run, excluding pauses.
    pub seconds: f64,
    /// Recent optimizer steps per second, measurements included; 0 while unknown.
    pub steps_per_second: f64,
}

impl Command {
    /// Returns the running cells that the command applies to; none if it is about the queue or the runners. An abort or
    /// a skip is also about the queue.
    #[must_use]
    pub fn running(&self) -> Option<Cells> {
        match *self {
            Self::Pause(cells) | Self::Resume(cells) | Self::Keep(cells) => Some(cells),
            Self::Abort(cell)
            | Self::Skip(cell)
            | Self::Audit(cell)
            | Self::Measure(cell)
            | Self::SetLearningRate { cell, .. } => Some(Cells::One(cell)),
            Self::Quit => Some(Cells::All),
            Self::Retry(_)
            | Self::Move { .. }
            | Self::Hold(_)
            | Self::Release(_)
            | Self::AddSeed(_)
            | Self::SetRunners(_) => None,
        }
    }
}

/// What the training thread is doing for a cell, or between cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activity {
    /// Reading data and building the network.
    Preparing,
    /// Taking optimizer steps.
    Training,
    /// Measuring λ_max.
    MeasuringLambda,
    /// Measuring a gauge.
    MeasuringGauge,
    /// Checking λ_max from a cold start, that is, from a random vector.
    Auditing,
    /// Computing losses and accuracies.
    Evaluating,
    /// Waiting to be resumed.
    Paused,
    /// Waiting until the run directory can be written.
    Blocked,
}

/// A request to the training thread. It is carried out within one step.
///
/// A command that needs a running cell, but names one that is not running, is answered by a notice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Pause after the current step until resumed.
    Pause(Cells),
    /// Resume training.
    Resume(Cells),
    /// End this cell, running or queued, and continue with the next one.
    Abort(CellIndex),
    /// Check λ_max of a running cell from a cold start, at its next step.
    Audit(CellIndex),
    /// Write a checkpoint after the current step, however recent the last one is.
    Keep(Cells),
    /// Measure λ_max of a running cell and evaluate the cell at its next step, even if neither is due.
    Measure(CellIndex),
    /// Change the learning rate of a running cell: the next step uses this value, and later steps follow the schedule
    /// scaled to it.
    SetLearningRate {
        /// Which cell.
        cell: CellIndex,
        /// η of the next step, positive and finite.
        learning_rate: f64,
    },
    /// Checkpoint a running cell, move it to the end of the queue, and continue with the next one.
    Skip(CellIndex),
    /// Run an ended cell again from step 0. The results of the earlier attempt are kept beside the new ones.
    Retry(CellIndex),
    /// Move a queued cell by this many places; positive numbers move it towards the end.
    Move {
        /// Which cell.
        cell: CellIndex,
        /// Number of places.
        by: i64,
    },
    /// Hold a queued cell: it is not run until it is released.
    Hold(CellIndex),
    /// Release a held cell.
    Release(CellIndex),
    /// Add a cell at the end of the queue that is like this one except for a new seed.
    AddSeed(CellIndex),
    /// Change the number of runners. A runner that is taken away writes a checkpoint, and its cell continues on another
    /// one.
    SetRunners(usize),
    /// Stop the sweep. Everything already written stays on disk.
    Quit,
}
