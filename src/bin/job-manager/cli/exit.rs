//! The exit codes: one table, a contract with scripts.

use job_manager::client::JobOutcome;
use job_manager::model::ErrorKind;

/// Exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done as asked.
    Success = 0,
    /// An error that should not happen.
    Unexpected = 1,
    /// Usage error, bad source or template, refused for want of `-y`.
    Usage = 2,
    /// No such job, unit or database, or the filter matched nothing.
    NotFound = 3,
    /// The job is in a state in which this cannot be done.
    WrongState = 4,
    /// The database is busy, unreachable, full or damaged.
    Database = 5,
    /// The job failed.
    JobFailed = 10,
    /// The job was cancelled.
    JobCancelled = 11,
    /// The job is paused or waits for approval.
    JobPaused = 12,
    /// The job's manager died.
    ManagerLost = 13,
    /// `wait --timeout` ran out.
    TimedOut = 124,
    /// The command cannot be executed.
    CommandNotExecutable = 126,
    /// The command is not found.
    CommandNotFound = 127,
    /// Ctrl-C in `run`: the job goes on.
    Detached = 130,
}

impl Exit {
    /// Returns the worst of how several jobs ended; a lost manager is the worst, then failed, cancelled and paused.
    pub fn worst(exits: impl IntoIterator<Item = Exit>) -> Exit {
        const WORST_LAST: [Exit; 4] = [Exit::JobPaused, Exit::JobCancelled, Exit::JobFailed, Exit::ManagerLost];
        let rank = |exit: &Exit| WORST_LAST.iter().position(|worse| worse == exit);
        exits.into_iter().max_by_key(rank).unwrap_or(Exit::Success)
    }

    /// Returns the number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// The exit of a verb that either fails or has done what was asked.
impl From<()> for Exit {
    fn from((): ()) -> Exit {
        Exit::Success
    }
}

impl From<JobOutcome> for Exit {
    fn from(outcome: JobOutcome) -> Exit {
        match outcome {
            JobOutcome::Completed => Exit::Success,
            JobOutcome::Failed => Exit::JobFailed,
            JobOutcome::Cancelled => Exit::JobCancelled,
            JobOutcome::Paused | JobOutcome::AwaitingApproval => Exit::JobPaused,
            JobOutcome::ManagerLost => Exit::ManagerLost,
        }
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Exit {
        match kind {
            ErrorKind::InvalidInput => Exit::Usage,
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::Conflict => Exit::WrongState,
            ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::Database => Exit::Database,
            ErrorKind::TimedOut => Exit::TimedOut,
            ErrorKind::CommandNotExecutable => Exit::CommandNotExecutable,
            ErrorKind::CommandNotFound => Exit::CommandNotFound,
            ErrorKind::Interrupted => Exit::Detached,
            ErrorKind::Internal => Exit::Unexpected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_of_several_jobs_is_that_of_the_worst() {
        let ranked = [Exit::ManagerLost, Exit::JobFailed, Exit::JobCancelled, Exit::JobPaused, Exit::Success];

        for at in 0..ranked.len() {
            let rest = ranked[at..].iter().copied();
            assert_eq!(Exit::worst(rest.clone()), ranked[at]);
            assert_eq!(Exit::worst(rest.rev()), ranked[at]);
        }
        assert_eq!(Exit::worst([]), Exit::Success);
    }
}
