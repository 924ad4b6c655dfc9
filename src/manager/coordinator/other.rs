//! The job that another one waits for.

use std::time::Instant;

use crate::manager::halt::Halt;
use crate::model::JobId;

/// How it stands with the job that another one waits for.
pub(super) enum Other {
    Completed,
    Unfinished,
    Hopeless(Halt),
}

/// What was seen of the job that this one waits for.
#[derive(Debug)]
pub(super) struct OtherSeen {
    /// The job, once it has completed.
    pub completed: Option<JobId>,
    /// Before this time it is not looked at again.
    pub next_look: Instant,
}
