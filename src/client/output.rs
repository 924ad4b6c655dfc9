//! The whole output of units of a job that keeps it.

use std::io;

use super::{Client, ClientError};
use crate::handler::{COMMAND, CommandSpec, OutputMode};
use crate::model::{Job, JobId, Seq, Timestamp};
use crate::sys::{FrameOf, SegmentReader, Stream};

/// Reads the output of one attempt at one unit as it grows.
#[derive(Debug)]
pub struct OutputReader {
    segments: SegmentReader,
    of: FrameOf,
}

impl Client {
    /// Says whether a job keeps all of its units' output.
    pub fn keeps_output(&self, job: &Job) -> bool {
        let spec = || serde_json::from_str::<CommandSpec>(&job.spec).ok();
        job.handler == COMMAND && spec().is_some_and(|spec| spec.output == OutputMode::Full)
    }

    /// Prepares to read the output of the latest attempt at a unit, or of that with a number, or its standard error.
    ///
    /// After a retry numbers begin anew: of several attempts with one number the last is meant.
    pub fn output_reader(
        &self,
        job: JobId,
        seq: Seq,
        attempt: Option<u32>,
        stderr: bool,
    ) -> Result<OutputReader, ClientError> {
        let unit = self.unit(job, seq)?;
        let earlier = match attempt.filter(|number| *number != unit.attempts) {
            Some(number) => self.attempts(job, seq)?.into_iter().rfind(|attempt| attempt.attempt == number),
            None => None,
        };
        let started_at = earlier.map_or(unit.started_at, |attempt| attempt.started_at);
        let stream = if stderr { Stream::Err } else { Stream::Out };
        let segments = SegmentReader::new(self.job_files(job).output());
        // Nothing was written by one that never started.
        let started_us = started_at.map_or(0, Timestamp::as_micros);
        Ok(OutputReader { segments, of: FrameOf { seq: seq.0, started_us, stream } })
    }
}

impl OutputReader {
    /// Gives `take` what was written since the last call.
    ///
    /// # Errors
    /// When the files cannot be read, and what `take` says.
    pub fn read_more(&mut self, take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), ClientError> {
        let of = self.of;
        self.segments.read_more(of, take).map_err(|source| ClientError::Output { seq: Seq(of.seq), source })
    }
}
