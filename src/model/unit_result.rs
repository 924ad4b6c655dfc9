//! What came of a unit, without how it came to that.

use super::{Outdated, RawText, Seq, Timestamp, UnitStatus};

/// What came of a unit.
#[derive(Debug, Clone)]
pub struct UnitResult {
    /// Number in its job.
    pub seq: Seq,
    /// Name of the unit, unique in its job.
    pub key: Option<String>,
    /// One JSON document.
    pub payload: String,
    /// Where it stands.
    pub status: UnitStatus,
    /// Why the job's source does not have it any more; none while it does.
    pub outdated: Option<Outdated>,
    /// Why it did not complete, in words.
    pub error: Option<String>,
    /// What its handler returned, as JSON.
    pub result: Option<String>,
    /// The end of its standard output; read only where there is no result.
    pub stdout: Option<RawText>,
    /// What is doubtful about it; read only with all units, those that are part of the job no more among them.
    pub flag: Option<String>,
    /// Exit code of the latest attempt that ended.
    pub exit_code: Option<i32>,
    /// When its latest attempt started.
    pub started_at: Option<Timestamp>,
    /// When it reached its end.
    pub finished_at: Option<Timestamp>,
}

impl UnitResult {
    /// Returns how long the attempt took that ended it.
    pub fn seconds(&self) -> Option<f64> {
        let took = self.finished_at?.since(self.started_at?);
        // Whole microseconds, or the digits behind them are those of the division.
        Some(took.as_micros() as f64 / 1e6)
    }

    /// Returns the output of a command that completed, without the line break at its end.
    pub fn text_bytes(&self) -> Option<&[u8]> {
        let stdout = self.stdout.as_ref().filter(|_| self.status == UnitStatus::Completed)?.as_bytes();
        Some(stdout.strip_suffix(b"\n").unwrap_or(stdout))
    }
}
