//! The whole output of units of a job that keeps it.

use std::io;
use std::path::PathBuf;

use super::{Client, ClientError};
use crate::handler::OutputMode;
use crate::handler::ResultMode;
use crate::model::{Job, JobId, Output, Seq, Timestamp, UnitStatus};
use crate::sys::{FrameOf, SegmentReader, Stream};

/// Reads the output of one attempt at one unit as it grows.
#[derive(Debug)]
pub struct OutputReader {
    dir: PathBuf,
    segments: SegmentReader,
    of: FrameOf,
}

/// Where a job keeps what its units wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputPlace {
    /// In files of this directory.
    Dir(PathBuf),
    /// Beside the database, all of it.
    All,
    /// In the database, the last that each of them wrote.
    Last,
}

impl Client {
    /// Returns `true` if a job keeps all of its units' output.
    ///
    /// # Errors
    /// When its settings cannot be read.
    pub fn keeps_output(&self, job: &Job) -> Result<bool, ClientError> {
        let spec = self.command_settings(job)?;
        Ok(spec.is_some_and(|spec| spec.output == OutputMode::Full && spec.output_dir.is_none()))
    }

    /// Returns `true` if the results of a job's units are texts, without it being said in them.
    ///
    /// # Errors
    /// When its settings cannot be read.
    pub fn has_text_results(&self, job: &Job) -> Result<bool, ClientError> {
        Ok(self.command_settings(job)?.is_some_and(|spec| spec.result == ResultMode::Text))
    }

    /// Returns the directory in which a job's units run; `None` for a job that runs no commands.
    ///
    /// # Errors
    /// When its settings cannot be read.
    pub fn units_cwd(&self, job: &Job) -> Result<Option<PathBuf>, ClientError> {
        Ok(self.command_settings(job)?.map(|spec| spec.cwd))
    }

    /// Returns where a job keeps what its units wrote; none when nothing of it is kept.
    ///
    /// # Errors
    /// When its settings cannot be read.
    pub fn output_place(&self, job: &Job) -> Result<Option<OutputPlace>, ClientError> {
        let Some(spec) = self.command_settings(job)? else { return Ok(None) };
        Ok(match (spec.output_dir, spec.output) {
            (Some(dir), _) => Some(OutputPlace::Dir(dir)),
            (None, OutputMode::None) => None,
            (None, OutputMode::Full) => Some(OutputPlace::All),
            (None, OutputMode::Tail) => Some(OutputPlace::Last),
        })
    }

    /// Prepares to read the output of the latest attempt at a unit, or of that with a number, or its standard error.
    ///
    /// After a retry numbers begin again: of several attempts with one number the last is meant.
    pub fn output_reader(
        &self,
        job: JobId,
        seq: Seq,
        attempt: Option<u32>,
        stderr: bool,
    ) -> Result<OutputReader, ClientError> {
        let started_at = match attempt {
            // One that ended without an attempt has its start from the last one.
            None => match self.unit(job, seq)?.started_at {
                None => self.attempts(job, seq)?.pop().and_then(|attempt| attempt.started_at),
                started_at => started_at,
            },
            Some(number) => self.attempt_output(job, seq, number)?.started_at,
        };
        let stream = if stderr { Stream::Err } else { Stream::Out };
        let dir = self.job_files(job).output();
        let segments = SegmentReader::new(dir.clone());
        // Nothing was written by one that never started.
        let started_us = started_at.map_or(0, Timestamp::as_micros);
        Ok(OutputReader { dir, segments, of: FrameOf { seq: seq.0, started_us, stream } })
    }
}

/// What is kept of one attempt.
#[derive(Debug)]
pub struct AttemptOutput {
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// Ends of its output streams.
    pub output: Output,
}

impl Client {
    /// Returns what is kept of the attempt with a number; after a retry numbers begin again, and the last is meant.
    ///
    /// ```no_run
    /// # use job_manager::model::Seq;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let first = client.attempt_output(client.find_job("last")?, Seq(1), 1)?;
    /// println!("{}", first.output.stdout.unwrap_or_default().to_string_lossy());
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When the unit has no such attempt.
    pub fn attempt_output(&self, job: JobId, seq: Seq, number: u32) -> Result<AttemptOutput, ClientError> {
        let unit = self.unit(job, seq)?;
        // An attempt that was interrupted was not counted: only while one runs, or has completed, is the row about it.
        let is_latest = matches!(unit.status, UnitStatus::Running | UnitStatus::Completed | UnitStatus::Skipped);
        if is_latest && unit.attempts == number && unit.started_at.is_some() {
            return Ok(AttemptOutput { started_at: unit.started_at, output: unit.output });
        }
        let found = self.attempts(job, seq)?.into_iter().rfind(|attempt| attempt.attempt == number);
        let attempt = found.ok_or(ClientError::AttemptNotFound { job, seq, number })?;
        Ok(AttemptOutput { started_at: attempt.started_at, output: attempt.output })
    }
}

impl OutputReader {
    /// Returns when the attempt started that it reads; the epoch of one that never did.
    pub fn started_at(&self) -> Timestamp {
        Timestamp::from_micros(self.of.started_us)
    }

    /// Goes on with the attempt at the same unit that started at another time.
    pub fn turn_to(&mut self, started_at: Timestamp) {
        self.segments = SegmentReader::new(self.dir.clone());
        self.of.started_us = started_at.as_micros();
    }

    /// Gives `take` what was written since the last call.
    ///
    /// # Errors
    /// When the files cannot be read, and what `take` says.
    pub fn read_more(&mut self, take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), ClientError> {
        let of = self.of;
        self.segments.read_more(of, take).map_err(|source| ClientError::Output { seq: Seq(of.seq), source })
    }
}
