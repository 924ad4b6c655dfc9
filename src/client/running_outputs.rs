//! What all units of a job write that run, for somebody who looks on from now.
//!
//! A job that keeps all output has it in files as it is written. Of any other the end of a unit's output is in its row when its
//! attempt has ended, so that is when it is given. Costs by the units that run or have begun since the last look, not by those of
//! the job; of a job that does not begin its units in the order of their numbers, one that begins and ends between two looks
//! may be missed.

use std::collections::BTreeMap;
use std::io;

use super::{Client, ClientError, OutputPlace, SEARCH_TIME};
use crate::model::{JobId, Output, Seq, Timestamp, UnitDetail, UnitFilter, UnitStatus};
use crate::sys::{FrameOf, FrameWalk, Stream};

/// Units read at once; each holds up to 128 KiB of output.
const PAGE_UNITS: i64 = 32;

/// What is told of a unit that is followed.
#[derive(Debug)]
pub enum Follows<'a> {
    /// It wrote that to one of its streams.
    Wrote(Stream, &'a [u8]),
    /// Its attempt has ended: all that is kept of it has been given.
    Ended(&'a UnitDetail),
}

/// Reads what the running units of a job write.
pub struct RunningOutputs<'c> {
    client: &'c Client,
    job: JobId,
    place: Option<OutputPlace>,
    frames: FrameWalk,
    /// Units that ran at the last look; none before the first one.
    running: Option<BTreeMap<Seq, Option<Timestamp>>>,
    /// The highest number of a unit that had begun then.
    begun: Seq,
}

impl Client {
    /// Prepares to read what the units of a job write that run now or begin later.
    ///
    /// # Errors
    /// When its settings cannot be read.
    pub fn running_outputs(&self, job: JobId) -> Result<RunningOutputs<'_>, ClientError> {
        let place = self.output_place(&self.job(job)?)?;
        let frames = FrameWalk::new(self.job_files(job).output());
        Ok(RunningOutputs { client: self, job, place, frames, running: None, begun: Seq(0) })
    }
}

impl RunningOutputs<'_> {
    /// Returns where the job keeps what its units write; none when nothing of it is kept.
    pub fn place(&self) -> Option<&OutputPlace> {
        self.place.as_ref()
    }

    /// Gives `take` what is new since the last call; `is_last` says that the job runs no longer, so that nothing follows.
    ///
    /// # Errors
    /// When the rows or the files cannot be read, and what `take` says.
    pub fn read_more<E: From<ClientError>>(
        &mut self,
        is_last: bool,
        take: &mut dyn FnMut(Seq, Follows<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        // Asked before the files are read: they have all that a unit wrote which does not run any more.
        let running: BTreeMap<_, _> = self
            .units(&UnitFilter::with_status(UnitStatus::Running))?
            .map(|unit| (unit.seq, unit.started_at))
            .collect();
        let highest = running.last_key_value().map(|(seq, _)| *seq);
        let is_first = self.running.is_none();
        let before = self.running.replace(running.clone());
        if is_first {
            self.begun = match highest {
                Some(highest) => highest,
                None => self.first_pending()?,
            };
        }
        self.read_files(is_first, &running, take)?;
        for (seq, started_at) in before.unwrap_or_default() {
            if running.get(&seq) != Some(&started_at) {
                self.end(&self.client.unit(self.job, seq)?, started_at, take)?;
            }
        }
        self.end_of_later(if is_last { Some(Seq::MAX) } else { highest }, take)?;
        self.begun = self.begun.max(highest.unwrap_or(self.begun));
        Ok(())
    }

    /// Tells of units that have begun and ended since the last look.
    fn end_of_later<E: From<ClientError>>(
        &mut self,
        last: Option<Seq>,
        take: &mut dyn FnMut(Seq, Follows<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let statuses = [UnitStatus::Completed, UnitStatus::Failed].to_vec();
        let last = match last {
            Some(last) => last,
            // All that have begun have ended: those before the first one that has not.
            None => self.first_pending()?,
        };
        while self.begun < last {
            let filter = UnitFilter { statuses: statuses.clone(), last: Some(last), ..UnitFilter::all() };
            let page = self.client.search_units(self.job, &filter, Some(self.begun), PAGE_UNITS, SEARCH_TIME)?;
            for unit in &page.units {
                self.end(unit, unit.started_at, take)?;
            }
            match page.next_after {
                Some(next) => self.begun = next,
                None => break,
            }
        }
        self.begun = self.begun.max(if last == Seq::MAX { self.begun } else { last });
        Ok(())
    }

    fn read_files<E: From<ClientError>>(
        &mut self,
        is_first: bool,
        running: &BTreeMap<Seq, Option<Timestamp>>,
        take: &mut dyn FnMut(Seq, Follows<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.place != Some(OutputPlace::All) {
            return Ok(());
        }
        let runs = |of: FrameOf| {
            let started_at = running.get(&Seq(of.seq)).copied().flatten();
            started_at.is_some_and(|at| at.as_micros() == of.started_us)
        };
        let mut told = Ok(());
        let read = self.frames.read_more(
            |of| !is_first || runs(of),
            |of, bytes| {
                told = take(Seq(of.seq), Follows::Wrote(of.stream, bytes));
                if told.is_ok() { Ok(()) } else { Err(io::Error::from(io::ErrorKind::Other)) }
            },
        );
        told?;
        let path = || self.client.job_files(self.job).output();
        Ok(read.map_err(|source| ClientError::Files {
            operation: "read the output of units in",
            path: path(),
            source,
        })?)
    }

    /// Tells of the end of an attempt.
    fn end<E: From<ClientError>>(
        &self,
        unit: &UnitDetail,
        started_at: Option<Timestamp>,
        take: &mut dyn FnMut(Seq, Follows<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.place == Some(OutputPlace::Last) {
            let kept = match unit.status.is_terminal() && unit.started_at == started_at {
                true => unit.output.clone(),
                false => self.of_past_attempt(unit.seq, started_at)?,
            };
            for (stream, written) in [(Stream::Out, &kept.stdout), (Stream::Err, &kept.stderr)] {
                if let Some(written) = written {
                    take(unit.seq, Follows::Wrote(stream, written.as_bytes()))?;
                }
            }
        }
        take(unit.seq, Follows::Ended(unit))
    }

    fn of_past_attempt(&self, seq: Seq, started_at: Option<Timestamp>) -> Result<Output, ClientError> {
        let mut attempts = self.client.attempts(self.job, seq)?.into_iter();
        Ok(attempts.rfind(|attempt| attempt.started_at == started_at).map(|attempt| attempt.output).unwrap_or_default())
    }

    /// Returns the number before that of the first unit which waits, or the highest one.
    fn first_pending(&self) -> Result<Seq, ClientError> {
        let pending = UnitFilter::with_status(UnitStatus::Pending);
        let first = self.client.search_units(self.job, &pending, None, 1, SEARCH_TIME)?.units.into_iter().next();
        Ok(match first {
            Some(unit) => Seq(unit.seq.0 - 1),
            None => Seq(self.client.progress(self.job)?.total),
        })
    }

    fn units(&self, filter: &UnitFilter) -> Result<impl Iterator<Item = UnitDetail>, ClientError> {
        let (mut units, mut after) = (Vec::new(), None);
        loop {
            let page = self.client.search_units(self.job, filter, after, i64::from(u16::MAX), SEARCH_TIME)?;
            units.extend(page.units);
            after = page.next_after;
            if after.is_none() {
                return Ok(units.into_iter());
            }
        }
    }
}
