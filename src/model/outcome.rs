//! How an attempt ended, and what follows from it for its unit.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words::words;
use super::{HoldScope, Lack, Metered, Postponement, RawText, Resources};

/// Why an attempt did not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The handler reported a failure, or the command exited with a code other than 0.
    Failed,
    /// A signal ended the command.
    Killed,
    /// It took longer than allowed.
    TimedOut,
    /// It gave no sign of life for longer than allowed.
    Idle,
    /// It ended well, and what it made or said is not right.
    Rejected,
    /// The handler panicked.
    Panicked,
    /// The command could not be started.
    NotStarted,
    /// The manager was told to stop before it ended; the attempt is not counted.
    Interrupted,
    /// The manager died while it ran.
    Crashed,
    /// Ended on request.
    Cancelled,
    /// The handler asked for another attempt later, or for a pause of the whole job; the attempt is not counted.
    Postponed,
    /// A process of an earlier attempt could not be ended; a person has to look.
    NeedsAttention,
}

words!(Cause, "cause", {
    Failed => "failed",
    Killed => "killed",
    TimedOut => "timed_out",
    Idle => "idle",
    Rejected => "rejected",
    Panicked => "panicked",
    NotStarted => "not_started",
    Interrupted => "interrupted",
    Crashed => "crashed",
    Cancelled => "cancelled",
    Postponed => "postponed",
    NeedsAttention => "needs_attention",
});

/// The ends of what a unit wrote, byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// End of standard output; too much of it is cut in the middle, with a mark.
    pub stdout: Option<RawText>,
    /// End of standard error; too much of it is cut in the middle, with a mark.
    pub stderr: Option<RawText>,
}

/// What a handler, or the death of one, says about an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum UnitOutcome {
    /// Done; the result is one JSON document, if there is any.
    Completed {
        /// What the handler returned.
        result: Option<String>,
    },
    /// Not done; may be tried again while attempts are left, after `delay` or the usual backoff.
    Retry {
        /// The cause.
        cause: Cause,
        /// Why, in words.
        error: String,
        /// Delay instead of the usual backoff.
        delay: Option<Duration>,
    },
    /// Not done and not worth another attempt.
    Failed {
        /// The cause.
        cause: Cause,
        /// Why, in words.
        error: String,
    },
    /// Nothing to do.
    Skipped {
        /// Why, in words.
        reason: String,
    },
    /// Cut off by a stop: back to pending, no attempt counted.
    Interrupted,
    /// Its manager lacked what starting it takes: back to pending, no attempt counted, and fewer units run at a time.
    NotStarted {
        /// What was lacking.
        lack: Lack,
        /// Why, in words.
        error: String,
    },
    /// Ended on request.
    Cancelled {
        /// Why, in words.
        reason: String,
    },
    /// No unit of the job is worth an attempt for now: back to pending, no attempt counted, and no other unit starts
    /// before the time is over.
    PauseJob {
        /// How long to wait.
        delay: Duration,
        /// Why, in words.
        reason: String,
    },
    /// Not worth an attempt before a later time: back to pending, no attempt counted.
    Later(Postponement),
}

impl UnitOutcome {
    /// Returns how an attempt came to nothing, and why; `None` where it did what there was to do, or was never made.
    pub fn failure(&self) -> Option<(Cause, &str)> {
        Some(match self {
            Self::Completed { .. } | Self::Skipped { .. } | Self::NotStarted { .. } => return None,
            Self::Retry { cause, error, .. } | Self::Failed { cause, error } => (*cause, error),
            Self::Interrupted => (Cause::Interrupted, "ended because its manager was told to stop"),
            Self::Cancelled { reason } => (Cause::Cancelled, reason),
            Self::PauseJob { reason, .. } | Self::Later(Postponement { reason, .. }) => (Cause::Postponed, reason),
        })
    }

    /// Returns `true` if it says that fewer units should run at a time: whoever was asked has too much to do.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Later(Postponement { is_busy, hold, .. }) => *is_busy || *hold != HoldScope::Unit,
            Self::PauseJob { .. } => true,
            _ => false,
        }
    }

    /// Returns why the unit did not complete, in words.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Skipped { reason: error } | Self::NotStarted { error, .. } => Some(error),
            other => other.failure().map(|(_, error)| error),
        }
    }

    /// Returns what the handler returned, as JSON.
    pub fn result(&self) -> Option<&str> {
        match self {
            Self::Completed { result } => result.as_deref(),
            _ => None,
        }
    }
}

/// Everything that is known about an attempt that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptEnd {
    /// What it means for the unit.
    pub outcome: UnitOutcome,
    /// Exit code, if a command exited.
    pub exit_code: Option<i32>,
    /// Signal, if one ended a command.
    pub signal: Option<i32>,
    /// Ends of its output streams.
    pub output: Output,
    /// What each meter of the job says about it; nothing where none is asked, as of an attempt that never ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metered: Vec<Metered>,
    /// Why a person is to look at what it says; counts for one that completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// What it took of the machine, where a command ran to an end that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

impl AttemptEnd {
    /// Adds what meters say.
    pub(crate) fn metered(self, metered: Vec<Metered>) -> AttemptEnd {
        AttemptEnd { metered, ..self }
    }

    /// Adds a doubt to those that there are.
    pub(crate) fn flagged(self, doubt: Option<String>) -> AttemptEnd {
        let flag = match (self.flag, doubt) {
            (Some(flag), Some(doubt)) => Some(format!("{flag}; {doubt}")),
            (flag, doubt) => flag.or(doubt),
        };
        AttemptEnd { flag, ..self }
    }
}

impl From<UnitOutcome> for AttemptEnd {
    fn from(outcome: UnitOutcome) -> Self {
        let output = Output::default();
        Self { outcome, exit_code: None, signal: None, output, metered: Vec::new(), flag: None, resources: None }
    }
}
