//! How the run of a manager ended.

use crate::manager::halt::Halt;
use crate::model::{JobStatus, StopRequest};

/// How the run of a manager ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manager) enum RunOutcome {
    /// Every unit has ended; the job has its final state.
    Finished(JobStatus),
    /// A signal or a request stopped it.
    Stopped(StopRequest),
    /// It waits for somebody.
    Halted(Halt),
    /// Some thread failed.
    Failed,
}
