//! How a cell stands that the process of the screen cannot ask about.

use serde::{Deserialize, Serialize};

/// How a cell stands that another process trains or will train, as far as the files of the run and Slurm tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its kind.
    pub kind: StandingKind,
    /// The sentence for people, which names the task: "pending in Slurm: job 17_3 (Resources)".
    pub words: String,
}

/// The kind of a [`Standing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StandingKind {
    /// Another process of the run directory trains it.
    Elsewhere,
    /// A task that runs has it, and trains others first.
    Waiting,
    /// Its task waits in Slurm's queue and has not run yet.
    Pending,
    /// Its task was preempted.
    Preempted,
    /// Its task waits in Slurm's queue again, for a reason that Slurm does not tell.
    Requeued,
    /// Slurm has suspended its task.
    Suspended,
    /// Slurm lost the node of its task.
    NodeLost,
    /// Its task has ended without it.
    JobEnded,
    /// The process that trains it has ended without saying so.
    Died,
    /// Its files have not changed for some minutes, by the clock of the reader.
    Silent,
    /// Another program trains it, and its files grow.
    Growing,
    /// Another program trained it or still does, but its files do not grow.
    Still,
}

impl StandingKind {
    /// Returns the word for tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Waiting => "queued",
            Self::Pending => "pending",
            Self::Preempted => "preempted",
            Self::Requeued => "requeued",
            Self::Suspended => "suspended",
            Self::NodeLost => "node lost",
            Self::JobEnded => "job ended",
            Self::Died => "died",
            Self::Silent => "silent",
            Self::Growing => "growing",
            Self::Still => "still",
        }
    }
}
