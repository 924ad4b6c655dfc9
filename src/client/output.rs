//! The whole output of units of a job that keeps it.

use std::io;

use super::{Client, ClientError};
use crate::handler::{COMMAND, CommandSpec, OutputMode};
use crate::model::{Job, JobId, Seq};
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

    /// Prepares to read the output of one attempt, or its standard error; nothing is opened.
    pub fn output_reader(&self, job: JobId, seq: Seq, attempt: u32, stderr: bool) -> OutputReader {
        let stream = if stderr { Stream::Err } else { Stream::Out };
        let segments = SegmentReader::new(self.job_files(job).output());
        OutputReader { segments, of: FrameOf { seq: seq.0, attempt, stream } }
    }
}

impl OutputReader {
    /// Gives `take` what was written since the last call.
    ///
    /// # Errors
    /// When the files cannot be read, and what `take` says.
    pub fn read_more(&mut self, take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), ClientError> {
        let of = self.of;
        self.segments
            .read_more(|frame| frame == of, take)
            .map_err(|source| ClientError::Output { seq: Seq(of.seq), source })
    }
}
