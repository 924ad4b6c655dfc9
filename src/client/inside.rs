//! What the command of a unit says about the attempt it belongs to.

use std::env;
use std::path::Path;

use super::error::LaterError;
use super::{Client, ClientError};
use crate::handler::later::keep_word;
use crate::model::{
    ALIVE_VARIABLE, Amount, AttemptId, AttemptName, HoldScope, JobId, Postponement, Seq, Timestamp, UnitId, UnitNotes,
};
use crate::sys::show_life;

impl Client {
    /// Refuses to do something for an attempt that is not under way any more.
    ///
    /// # Errors
    /// [`StoreError::AttemptOver`](super::StoreError::AttemptOver) then.
    pub fn expect_under_way(&self, job: JobId, seq: Seq, attempt: impl Into<AttemptName>) -> Result<(), ClientError> {
        Ok(self.store().expect_attempt(UnitId::new(job, seq), attempt.into())?)
    }

    /// Says how far an attempt is, which is named by its number or by all that a command knows of it.
    ///
    /// # Errors
    /// When that attempt is not under way any more; the same holds for the other words of a command.
    pub fn report_progress(
        &self,
        job: JobId,
        seq: Seq,
        attempt: impl Into<AttemptName>,
        done: u64,
        total: u64,
        message: &str,
    ) -> Result<(), ClientError> {
        show_own_life();
        let message = Some(message.to_owned()).filter(|message| !message.is_empty());
        let notes = UnitNotes { done: Some(done), total: Some(total), message, checkpoint: None };
        Ok(self.store().note_attempt(UnitId::new(job, seq), attempt.into(), &notes)?)
    }

    /// Keeps a JSON document for the next attempt; durable when it returns.
    pub fn keep_checkpoint(
        &self,
        job: JobId,
        seq: Seq,
        attempt: impl Into<AttemptName>,
        json: &str,
    ) -> Result<(), ClientError> {
        show_own_life();
        let notes = UnitNotes { checkpoint: Some(json.to_owned()), ..UnitNotes::default() };
        Ok(self.store().note_attempt(UnitId::new(job, seq), attempt.into(), &notes)?)
    }

    /// Adds to what the unit has cost, by meters of its job; durable when it returns.
    pub fn report_spend(
        &self,
        job: JobId,
        seq: Seq,
        attempt: impl Into<AttemptName>,
        amounts: &[(String, Amount)],
    ) -> Result<(), ClientError> {
        show_own_life();
        Ok(self.store().spend(UnitId::new(job, seq), attempt.into(), amounts)?)
    }

    /// Says that the unit is to be tried again at a later time, once the attempt under way has come to its end; durable when it
    /// returns. No attempt is counted then. The last word of an attempt holds.
    ///
    /// # Errors
    /// Besides those of the other words: when the time is more than 30 days ahead, when units of the job may run at most once, and
    /// when the attempt is named by its number alone, which the next one may have too.
    pub fn postpone(
        &self,
        job: JobId,
        seq: Seq,
        attempt: AttemptName,
        later: &Postponement,
    ) -> Result<(), ClientError> {
        show_own_life();
        later.check(Timestamp::now()).map_err(LaterError::from)?;
        let (revision, started_us) = attempt.begun.ok_or(LaterError::Unnamed)?;
        let limits = self.job(job)?.limits;
        if limits.is_at_most_once() {
            return Err(LaterError::AtMostOnce { job }.into());
        }
        if later.hold == HoldScope::Group && limits.groups.is_none() {
            return Err(LaterError::NoGroups { job }.into());
        }
        self.store().expect_attempt(UnitId::new(job, seq), attempt)?;
        let files = self.job_files(job);
        let said = AttemptId { seq, revision, attempt: attempt.number, started_us };
        keep_word(&files, said, later).map_err(|source| LaterError::NotKept { path: files.later(), source })?;
        Ok(())
    }

    /// Sets the result that the unit has when it completes, as JSON.
    pub fn put_result(
        &self,
        job: JobId,
        seq: Seq,
        attempt: impl Into<AttemptName>,
        json: &str,
    ) -> Result<(), ClientError> {
        show_own_life();
        Ok(self.store().put_result(UnitId::new(job, seq), attempt.into(), json)?)
    }
}

/// Tells the manager of the unit that this process belongs to, if it does, that it lives.
pub(super) fn show_own_life() {
    if let Some(pipe) = env::var_os(ALIVE_VARIABLE) {
        show_life(Path::new(&pipe));
    }
}
