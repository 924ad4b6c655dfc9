//! The states of jobs and units and the transitions between them.

use super::words::words;

/// Where a job stands. Whether a manager lives is not stored here: it is observed, never remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobStatus {
    /// Not all of its units are in the database: it is being created or deleted, and no verb shows it.
    /// Moved by the client; a crash leaves it behind for the next creation to sweep.
    Partial,
    /// Complete and never started. Moved by the client that created it; a crash changes nothing.
    Created,
    /// A manager took it. Moved by the manager; a crash leaves it so, which readers show as interrupted.
    Running,
    /// Stopped before its end, or given units again after it. Moved by the manager or by a client that holds the
    /// job's lock; a crash changes nothing.
    Paused,
    /// Stopped after its first units, waiting for a person. Moved by the manager; a crash changes nothing.
    AwaitingApproval,
    /// Every unit completed or was skipped. Moved by the manager, or by a client that skips what failed; final
    /// until units are added.
    Completed,
    /// No unit is left and some failed permanently, or the manager itself failed. Moved by the manager; final until
    /// a retry, until a resume where units are left, or until what failed is skipped.
    Failed,
    /// Ended on request; units that had not ended are cancelled. Moved by the manager or by a client that holds the
    /// job's lock; final until a retry, or until what was cancelled is skipped.
    Cancelled,
}

words!(JobStatus, "job status", {
    Partial => "partial",
    Created => "created",
    Running => "running",
    Paused => "paused",
    AwaitingApproval => "awaiting_approval",
    Completed => "completed",
    Failed => "failed",
    Cancelled => "cancelled",
});

impl JobStatus {
    /// Returns `true` if the job has reached an end.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::Partial | Self::Created | Self::Running | Self::Paused | Self::AwaitingApproval => false,
        }
    }

    /// Returns the states that may follow this one.
    pub const fn successors(self) -> &'static [JobStatus] {
        use JobStatus::*;
        match self {
            Partial => &[Created],
            Created => &[Partial, Running, Cancelled],
            Running => &[Paused, AwaitingApproval, Completed, Failed, Cancelled],
            Paused => &[Partial, Running, Cancelled],
            AwaitingApproval => &[Partial, Running, Cancelled],
            Completed => &[Partial, Paused],
            Failed => &[Partial, Paused, Running, Completed, Cancelled],
            Cancelled => &[Partial, Paused, Completed],
        }
    }

    /// Returns `true` if a job may move from this state to `next`.
    pub fn can_become(self, next: JobStatus) -> bool {
        self.successors().contains(&next)
    }
}

/// Where a unit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnitStatus {
    /// Waits to run, perhaps not before a certain time. A crash changes nothing.
    Pending,
    /// An attempt is under way. Moved by the manager; a crash leaves it so until the next manager recovers it.
    Running,
    /// Ended well. Moved by the manager; never changes again.
    Completed,
    /// Out of attempts, or failed permanently. Moved by the manager; final until a retry.
    Failed,
    /// Skipped, on request or by its own word. Final until a retry.
    Skipped,
    /// Ended on request before it could complete. Final until a retry.
    Cancelled,
}

words!(UnitStatus, "unit status", {
    Pending => "pending",
    Running => "running",
    Completed => "completed",
    Failed => "failed",
    Skipped => "skipped",
    Cancelled => "cancelled",
});

impl UnitStatus {
    /// Returns `true` if the unit has reached an end.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Skipped | Self::Cancelled => true,
            Self::Pending | Self::Running => false,
        }
    }

    /// Returns the states that may follow this one.
    ///
    /// An attempt that starts and ends within one commit is written at once: its row goes from pending through
    /// running without a reader ever seeing it there.
    pub const fn successors(self) -> &'static [UnitStatus] {
        use UnitStatus::*;
        match self {
            Pending => &[Running, Skipped, Cancelled],
            Running => &[Pending, Completed, Failed, Skipped, Cancelled],
            Completed => &[],
            Failed => &[Pending, Skipped],
            Skipped => &[Pending],
            Cancelled => &[Pending, Skipped],
        }
    }

    /// Returns `true` if a unit may move from this state to `next`.
    pub fn can_become(self, next: UnitStatus) -> bool {
        self.successors().contains(&next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_parses_back_to_its_state() {
        for status in JobStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        for status in UnitStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
    }

    #[test]
    fn a_completed_unit_never_changes() {
        assert!(UnitStatus::Completed.successors().is_empty());
    }

    #[test]
    fn an_unknown_word_lists_the_known_ones() {
        let error = "done".parse::<UnitStatus>().unwrap_err();

        assert_eq!(
            error.to_string(),
            "unknown unit status \"done\", expected one of pending, running, completed, failed, skipped, cancelled"
        );
    }
}
