//! Why nothing happens, or what does, in one word.

use super::words::words;

/// What keeps a job, or one of its units, where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The job was created and nobody has started it.
    NotStarted,
    /// Its manager holds the lock and has not written yet who it is.
    Starting,
    /// Its manager died.
    ManagerLost,
    /// It cannot be told from here whether its manager lives.
    ManagerUnknown,
    /// Its manager lives and cannot write, because the disk is full.
    DiskFull,
    /// Its manager lives and cannot write, because another process holds the lock of the database.
    DatabaseLocked,
    /// Its manager lives and has not written for long.
    ManagerStalled,
    /// It was asked to stop, and units still run.
    Stopping,
    /// It was asked to cancel the job, and units still run.
    Cancelling,
    /// A handler asked for a pause of the whole job.
    Held,
    /// It waits for another job to complete.
    WaitingForJob,
    /// Less memory is available than must be before a unit starts.
    WaitingForMemory,
    /// More processes want to run than may before a unit starts.
    WaitingForLoad,
    /// A file system has less space than it must before a unit starts.
    WaitingForDisk,
    /// Its manager has too few open files, processes or bytes to run as many units at a time as it should.
    LacksResources,
    /// It waits for a hook or callbacks, which are slower than units end.
    WaitingForCallbacks,
    /// Units start at certain times of day only.
    WaitingForWindow,
    /// The time before which no unit starts has not come.
    WaitingForTime,
    /// As many units of other jobs run as may run over all jobs.
    MachineBusy,
    /// Its units start at the rate that was set, and none runs just now.
    RateLimited,
    /// What it has spent and what the next unit costs do not fit into its budget.
    OverBudget,
    /// Every unit that is left has failed at least once, and waits for its next attempt.
    WaitingForRetry,
    /// Every unit that is left waits for its next attempt, and the first of them was postponed.
    Postponed,
    /// As many units run as whoever they ask could take lately, and fewer than the job has workers.
    Adapted,
    /// Units wait, and a manager is about to take them.
    AboutToRun,
    /// No unit is left, and its manager is about to end.
    Finishing,
    /// Units end at the pace that is to be expected.
    Working,
    /// Units run, and none has ended for long.
    UnitsSlow,
    /// It was stopped, or given units again after its end.
    Paused,
    /// A signal to its manager paused it.
    PausedBySignal,
    /// It paused by itself: too many failures, a deadline, a job that it waited for.
    Halted,
    /// It stopped after its first units for a person to look at them.
    AwaitingApproval,
    /// Its manager itself failed.
    ManagerFailed,
    /// It is over, and some units failed.
    UnitsFailed,
    /// It is over, and every unit completed or was skipped.
    Completed,
    /// It is over because it was cancelled.
    Cancelled,
    /// The unit completed.
    UnitCompleted,
    /// The unit failed permanently.
    UnitFailed,
    /// The unit failed permanently because managers died while it ran.
    UnitCrashed,
    /// The unit failed permanently because a process of it cannot be ended.
    UnitNeedsAttention,
    /// The unit was skipped.
    UnitSkipped,
    /// The unit was cancelled.
    UnitCancelled,
    /// The unit runs.
    UnitRunning,
    /// The unit waits for the time of its next attempt.
    UnitWaits,
    /// The unit waits for its turn.
    UnitQueued,
}

words!(Why, "cause", {
    NotStarted => "not_started",
    Starting => "starting",
    ManagerLost => "manager_lost",
    ManagerUnknown => "manager_unknown",
    DiskFull => "disk_full",
    DatabaseLocked => "database_locked",
    ManagerStalled => "manager_stalled",
    Stopping => "stopping",
    Cancelling => "cancelling",
    Held => "held",
    WaitingForJob => "waiting_for_job",
    WaitingForMemory => "waiting_for_memory",
    WaitingForLoad => "waiting_for_load",
    WaitingForDisk => "waiting_for_disk",
    LacksResources => "lacks_resources",
    WaitingForCallbacks => "waiting_for_callbacks",
    WaitingForWindow => "waiting_for_window",
    WaitingForTime => "waiting_for_time",
    MachineBusy => "machine_busy",
    RateLimited => "rate_limited",
    OverBudget => "over_budget",
    WaitingForRetry => "waiting_for_retry",
    Postponed => "postponed",
    Adapted => "adapted",
    AboutToRun => "about_to_run",
    Finishing => "finishing",
    Working => "working",
    UnitsSlow => "units_slow",
    Paused => "paused",
    PausedBySignal => "paused_by_signal",
    Halted => "halted",
    AwaitingApproval => "awaiting_approval",
    ManagerFailed => "manager_failed",
    UnitsFailed => "units_failed",
    Completed => "completed",
    Cancelled => "cancelled",
    UnitCompleted => "unit_completed",
    UnitFailed => "unit_failed",
    UnitCrashed => "unit_crashed",
    UnitNeedsAttention => "unit_needs_attention",
    UnitSkipped => "unit_skipped",
    UnitCancelled => "unit_cancelled",
    UnitRunning => "unit_running",
    UnitWaits => "unit_waits",
    UnitQueued => "unit_queued",
});
