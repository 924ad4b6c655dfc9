//! What is kept of an attempt that came to nothing.

use serde::Serialize;

use super::{Cause, Epoch, Output, Resources, Timestamp};

/// An attempt that did not complete.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// Number of the attempt.
    pub attempt: u32,
    /// Lease under which it ran.
    pub epoch: Epoch,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// Worker slot in which it ran, from 1; none of attempts of older versions.
    pub slot: Option<u32>,
    /// When it ended, or was found to have ended.
    pub ended_at: Timestamp,
    /// Kind of end.
    pub cause: Cause,
    /// Exit code, if the command exited.
    pub exit_code: Option<i32>,
    /// Signal, if one ended the command.
    pub signal: Option<i32>,
    /// Why, in words.
    pub error: String,
    /// What it took of the machine, where its end was seen.
    #[serde(flatten)]
    pub resources: Option<Resources>,
    /// Ends of its output streams.
    #[serde(flatten)]
    pub output: Output,
}
