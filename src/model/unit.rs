//! A unit: one item of a job, with a payload, a status and an outcome.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::raw_json::{optional_raw_json, raw_json};
use super::words::words;
use super::{
    Cause, Epoch, Outdated, Output, Postponed, RawText, Seq, Timestamp, UnitId, UnitOutcome, UnitSpends, UnitStatus,
};

/// What a source says about a unit before it has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUnit {
    /// One JSON document.
    pub payload: String,
    /// Name of the unit, unique in its job.
    pub key: Option<String>,
    /// Group of the unit; a client that adds it to a job with groups fills this in.
    pub group: Option<String>,
}

impl NewUnit {
    /// Describes a unit without a key.
    ///
    /// # Errors
    /// When the payload has no form in JSON.
    pub fn new<T: Serialize + ?Sized>(payload: &T) -> Result<NewUnit, serde_json::Error> {
        Ok(NewUnit { payload: serde_json::to_string(payload)?, key: None, group: None })
    }

    /// Gives the unit a name, unique in its job.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> NewUnit {
        NewUnit { key: Some(key.into()), ..self }
    }
}

/// What a manager must know to run a unit.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Job and sequence number.
    pub id: UnitId,
    /// Name of the unit, unique in its job.
    pub key: Option<String>,
    /// One JSON document.
    pub payload: String,
    /// Attempts counted so far.
    pub attempts: u32,
    /// Managers that died while this unit ran.
    pub crashes: u32,
    /// Number of changes that clients had made to it: what is recorded of it names that.
    pub revision: i64,
    /// What its handler kept for its next attempt, as JSON; read for units that come back only.
    pub checkpoint: Option<String>,
    /// Whether it came back, so that an attempt at it may have begun before, counted or not.
    pub came_back: bool,
    /// How often it was postponed, and how long it has waited; read for units that come back only.
    pub postponed: Postponed,
    /// Workers of its job that it takes while it runs.
    pub slots: usize,
    /// The place of its group among those that its manager knows, where it has one.
    pub lane: Option<u32>,
    /// What of its row cannot be read, in words: it fails without running.
    pub unreadable: Option<String>,
}

impl Unit {
    /// Returns how much it holds in memory, about.
    pub fn bytes(&self) -> usize {
        let texts = [self.key.as_ref(), Some(&self.payload), self.checkpoint.as_ref()];
        size_of::<Self>() + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }

    /// What stands in place of a payload that cannot be read.
    pub const UNKNOWN_PAYLOAD: &str = "null";

    /// Key of the unit that a job ends with; reserved for that. A former one has more after a colon.
    pub const FINALIZER_KEY: &str = "job-manager:then";

    /// Begins keys that no unit of a source may have.
    pub const RESERVED_KEYS: &str = "job-manager:";

    /// Returns `true` if it is one that a job ends with, or ended with before others came after it.
    pub fn is_last(&self) -> bool {
        self.key.as_deref().is_some_and(Self::is_last_key)
    }

    /// Returns `true` if a key is that of a unit which a job ends with, or ended with before others came after it.
    pub fn is_last_key(key: &str) -> bool {
        key.strip_prefix(Self::FINALIZER_KEY).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }

    /// Returns a unit of a test that nothing has happened to yet.
    #[cfg(test)]
    pub(crate) fn pending(job: super::JobId, seq: i64) -> Unit {
        Unit {
            id: UnitId::new(job, Seq(seq)),
            key: None,
            payload: "1".to_owned(),
            attempts: 0,
            crashes: 0,
            revision: 0,
            checkpoint: None,
            came_back: false,
            postponed: Postponed::default(),
            slots: 1,
            lane: None,
            unreadable: None,
        }
    }
}

/// What becomes of a running unit that somebody ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KillThen {
    /// Another attempt, while attempts are left.
    Retry,
    /// It has failed permanently.
    Fail,
    /// It was skipped.
    Skip,
    /// It is cancelled.
    Cancel,
}

words!(KillThen, "action after a kill", { Retry => "retry", Fail => "fail", Skip => "skip", Cancel => "cancel" });

/// Which attempt at a unit of a job: no other is the same, although one that is interrupted is not counted and a retry counts
/// from 1 again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptId {
    /// Number of the unit in its job.
    pub seq: Seq,
    /// Changes by clients that the unit had seen.
    pub revision: i64,
    /// Number of the attempt.
    pub attempt: u32,
    /// When it started, in microseconds since the Unix epoch.
    pub started_us: i64,
}

/// The request that one attempt under way shall end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// The attempt.
    #[serde(flatten)]
    pub attempt: AttemptId,
    /// The lease under which it runs.
    pub epoch: Epoch,
    /// What becomes of it.
    pub then: KillThen,
    /// The cause.
    pub reason: String,
}

impl Kill {
    /// Returns `true` if an attempt is to end by this: the one that was meant; and, of a unit that is to be cancelled or
    /// skipped, any other until a client sends the unit back.
    pub fn is_about(&self, attempt: AttemptId) -> bool {
        match self.then {
            KillThen::Retry | KillThen::Fail => attempt == self.attempt,
            KillThen::Skip | KillThen::Cancel => {
                (attempt.seq, attempt.revision) == (self.attempt.seq, self.attempt.revision)
            }
        }
    }

    /// Returns what the end of the attempt means, when it is this request that has ended it.
    pub fn outcome(self) -> UnitOutcome {
        let (cause, error) = (Cause::Killed, self.reason);
        match self.then {
            KillThen::Retry => UnitOutcome::Retry { cause, error, delay: None },
            KillThen::Fail => UnitOutcome::Failed { cause, error },
            KillThen::Skip => UnitOutcome::Skipped { reason: error },
            KillThen::Cancel => UnitOutcome::Cancelled { reason: error },
        }
    }
}

/// What a handler says about the attempt it is in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnitNotes {
    /// Steps done.
    pub done: Option<u64>,
    /// Steps there are.
    pub total: Option<u64>,
    /// What it is doing.
    pub message: Option<String>,
    /// What it kept for its next attempt, as JSON.
    #[serde(serialize_with = "optional_raw_json")]
    pub checkpoint: Option<String>,
}

/// A unit as readers see it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct UnitDetail {
    /// Number in its job.
    pub seq: Seq,
    /// Name of the unit, unique in its job.
    pub key: Option<String>,
    /// One JSON document.
    #[serde(serialize_with = "raw_json")]
    pub payload: String,
    /// Where it stands.
    pub status: UnitStatus,
    /// Why the job's source does not have it any more; none while it does.
    pub outdated: Option<Outdated>,
    /// Attempts counted so far.
    pub attempts: u32,
    /// Managers that died while this unit ran.
    pub crashes: u32,
    /// Earliest time of its next attempt.
    pub not_before: Option<Timestamp>,
    /// When its latest attempt started; none where it reached its end without one, as when it is skipped while it waits.
    pub started_at: Option<Timestamp>,
    /// Worker slot of its latest attempt, from 1; none of attempts of older versions.
    pub slot: Option<u32>,
    /// When it reached its end.
    pub finished_at: Option<Timestamp>,
    /// Exit code of the latest attempt that ended.
    pub exit_code: Option<i32>,
    /// Signal that ended the latest attempt.
    pub signal: Option<i32>,
    /// Why it did not complete, in words.
    pub error: Option<String>,
    /// What its handler returned, as JSON.
    #[serde(serialize_with = "optional_raw_json")]
    pub result: Option<String>,
    /// Ends of its output streams.
    #[serde(flatten)]
    pub output: Output,
    /// Its group, where its job has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What all attempts at it have cost, where its job counts that.
    #[serde(skip_serializing_if = "UnitSpends::are_none")]
    pub spent: UnitSpends,
}

impl UnitDetail {
    /// Reads the payload.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.payload)
    }

    /// Reads what the handler returned; a handler that returned nothing has the result `null`.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn result_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.result.as_deref().unwrap_or("null"))
    }

    /// Returns how much it holds in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [self.key.as_ref(), Some(&self.payload), self.error.as_ref(), self.result.as_ref()];
        let written =
            [&self.output.stdout, &self.output.stderr].map(|it| it.as_ref().map_or(0, |it| it.as_bytes().len()));
        let texts = texts.into_iter().flatten().map(String::len);
        size_of::<Self>() + texts.chain(written).sum::<usize>()
    }

    /// Returns the output of a command that completed, without the line break at its end.
    pub fn text_result(&self) -> Option<RawText> {
        let stdout = self.output.stdout.as_ref().filter(|_| self.status == UnitStatus::Completed)?.as_bytes();
        Some(stdout.strip_suffix(b"\n").unwrap_or(stdout).into())
    }
}
