//! The managers that a job has had.

use serde::Serialize;

use super::words::words;
use super::{Epoch, Timestamp};

/// How a manager ended, as its row says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManagerState {
    /// Nothing yet: it lives, or died without a word.
    Live,
    /// It has left its job in the state that its end called for.
    Left,
    /// Nothing, and its successor or a client found that it was gone.
    Lost,
    /// It could not go on with the job, and said why.
    Refused,
}

words!(ManagerState, "state of a manager", { Live => "live", Left => "left", Lost => "lost", Refused => "refused" });

/// One manager of a job: who ran it when, on which host, and how that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ManagerRun {
    /// Number of its lease.
    pub number: Epoch,
    /// How it ended, if it has.
    pub state: ManagerState,
    /// Why it ended, if it said so.
    pub reason: Option<String>,
    /// Name of its host.
    pub host: String,
    /// Its process number there.
    pub pid: i64,
    /// Version of this package that it ran.
    pub version: String,
    /// When it took the job; `None` where an older version did not record that.
    pub started_at: Option<Timestamp>,
    /// When it last wrote.
    pub heartbeat_at: Timestamp,
    /// When it ended; for one that was lost, when it last wrote.
    pub ended_at: Option<Timestamp>,
}
