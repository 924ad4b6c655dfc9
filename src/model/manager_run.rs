//! The managers that a job has had.

use serde::Serialize;

use super::words::words;
use super::{DatabaseFile, Epoch, ProcessIdentity, Timestamp};

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

/// What one of several managers of a job does, on a server; times by the server's clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ManagerLoad {
    /// Whether it runs on this host.
    pub here: bool,
    /// Units that it may run at a time.
    pub workers: Option<i64>,
    /// Units that it runs.
    pub running: Option<i64>,
    /// Units that it ended per second lately.
    pub rate: Option<f64>,
    /// Seconds since it was last heard of.
    pub silent_s: u64,
}

/// A manager on a server that has not recorded its end, and that nobody has found lost.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaseHolder {
    /// What people are told of it.
    pub run: ManagerRun,
    /// Which process it is on its host.
    pub identity: ProcessIdentity,
    /// The place of the database there.
    pub database: Option<DatabaseFile>,
    /// Whether its lease lasts yet, by the clock of the server.
    pub is_valid: bool,
}

/// One manager of a job: who ran it when, on which host, and how that ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// What it does, of one that lives on a server.
    #[serde(flatten)]
    pub load: Option<ManagerLoad>,
}

impl ManagerRun {
    /// Names what it does, or how it ended, for people: one that has not been heard of for a while is silent.
    pub fn word(&self) -> &'static str {
        match (self.state, &self.reason) {
            (ManagerState::Live, None) => "running",
            (ManagerState::Live, Some(_)) => "silent",
            (state, _) => state.as_str(),
        }
    }
}
