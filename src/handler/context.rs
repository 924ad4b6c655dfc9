//! What a handler can ask and say while it runs a unit.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::runner::Attempt;
use crate::model::{Amount, AmountError, AttemptRecord, JobId, Seq, UnitNotes};

/// Progress that follows within this time replaces the one before it instead of being written too.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// One attempt at one unit, as its handler sees it; may be shared with threads that the handler uses.
pub struct UnitContext<'a> {
    attempt: &'a Attempt<'a>,
    began: Instant,
    /// When it last said something.
    said: Mutex<Instant>,
    progress: Mutex<Reported>,
    doubt: Mutex<Option<String>>,
}

/// What was said of the progress, and what was held back.
#[derive(Default)]
struct Reported {
    at: Option<Instant>,
    held_back: Option<UnitNotes>,
}

/// A checkpoint that could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The value has no form in JSON.
    #[error("cannot write the checkpoint as JSON")]
    Unwritable(#[source] serde_json::Error),
    /// The checkpoint of an earlier attempt is of another form.
    #[error("cannot read the checkpoint of an earlier attempt")]
    Unreadable(#[source] serde_json::Error),
    /// The manager can write nothing any more and is about to end.
    #[error("the manager cannot record the checkpoint")]
    NotRecorded,
}

/// What a unit has spent and is not counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpendError {
    /// The job does not count that.
    #[error("the job has no meter {name:?}")]
    NoMeter {
        /// What was said to be spent.
        name: String,
    },
    /// It is no amount.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// The manager can write nothing any more and is about to end, or can count no more.
    #[error("the manager cannot record what was spent")]
    NotRecorded,
}

impl<'a> UnitContext<'a> {
    pub(super) fn new(attempt: &'a Attempt<'a>) -> Self {
        let began = Instant::now();
        Self { attempt, began, said: Mutex::new(began), progress: Mutex::default(), doubt: Mutex::default() }
    }

    /// Returns the number of the job.
    pub fn job(&self) -> JobId {
        self.attempt.job.id
    }

    /// Returns the id of the job that is unique everywhere.
    pub fn job_uid(&self) -> &str {
        &self.attempt.job.uid
    }

    /// Returns the name of the job.
    pub fn job_name(&self) -> &str {
        &self.attempt.job.name
    }

    /// Returns the number of the unit in its job, counted from 1.
    pub fn seq(&self) -> Seq {
        self.attempt.unit.id.seq()
    }

    /// Returns the key of the unit, if it has one.
    pub fn key(&self) -> Option<&str> {
        self.attempt.unit.key.as_deref()
    }

    /// Returns a UUID that names the unit everywhere: the same in every attempt, also after a crash, and no other unit's. It is
    /// what an API wants as an idempotency key, so that a call that is made again is not billed again.
    pub fn token(&self) -> String {
        self.attempt.token()
    }

    /// Returns the number of the attempt, counted from 1; interrupted and postponed attempts do not count.
    pub fn attempt(&self) -> u32 {
        self.attempt.number
    }

    /// Returns the worker slot, counted from 1 as for a command; no two units that run at once share one.
    pub fn slot(&self) -> usize {
        self.attempt.slot + 1
    }

    /// Returns what names this attempt as a span of the job's trace, in the form of W3C's `traceparent`: what the handler
    /// asks of others can be seen below it. There is one if the process that created the job had `TRACEPARENT`.
    pub fn traceparent(&self) -> Option<String> {
        self.attempt.traceparent()
    }

    /// Returns what vendors have added to the trace, in the form of W3C's `tracestate`.
    pub fn tracestate(&self) -> Option<&str> {
        self.attempt.job.trace.as_ref()?.state()
    }

    /// Returns the latest attempt at the unit that came to its own end and did not complete, with its error and the output of a
    /// command: what an attempt can learn from. One that was interrupted, or whose manager died, is none; a first attempt has none.
    ///
    /// It is read from the database when it is asked for; where that cannot be done there is none, and the manager's log says why.
    pub fn last_attempt(&self) -> Option<AttemptRecord> {
        let unit = self.attempt.unit;
        unit.came_back.then(|| self.attempt.control.last_attempt(unit.id)).flatten()
    }

    /// Returns `true` if the handler should come to an end: the job is being stopped, or the attempt has used up its time, or has
    /// said nothing by [`progress`](Self::progress) or [`checkpoint`](Self::checkpoint) for its idle time-out.
    ///
    /// A stop without haste waits for the handler however long it takes; one that returns
    /// [`UnitError::stopped`](super::UnitError::stopped) gives its unit back, with no attempt counted. A thread cannot
    /// be killed: a handler that never looks here delays a hasty stop by `kill_after`.
    pub fn should_stop(&self) -> bool {
        let late = self.attempt.limits.timeout.is_some_and(|timeout| self.began.elapsed() >= timeout);
        late || self.is_silent() || self.attempt.control.is_stopping()
    }

    /// Says how far the unit is, for everybody who looks at it.
    ///
    /// Recorded soon, and at the latest when the attempt ends; calls in quick succession are merged. Never waits for
    /// the database.
    pub fn progress(&self, done: u64, total: u64, message: &str) {
        self.live();
        let notes = UnitNotes {
            done: Some(done),
            total: Some(total),
            message: Some(message.to_owned()),
            ..UnitNotes::default()
        };
        let mut reported = self.reported();
        if reported.at.is_some_and(|at| at.elapsed() < PROGRESS_EVERY) {
            reported.held_back = Some(notes);
            return;
        }
        *reported = Reported { at: Some(Instant::now()), held_back: None };
        self.attempt.control.note(self.attempt.unit.id, notes, false);
    }

    /// Keeps a value for the next attempt; durable when it returns.
    ///
    /// A later value replaces the earlier one. It outlives the manager, the machine and a retry of the unit; see
    /// [`last_checkpoint`](Self::last_checkpoint).
    ///
    /// # Errors
    /// When the value has no form in JSON, or the manager cannot write any more and is about to end.
    pub fn checkpoint<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), CheckpointError> {
        self.live();
        let json = serde_json::to_string(value).map_err(CheckpointError::Unwritable)?;
        let notes = UnitNotes { checkpoint: Some(json), ..UnitNotes::default() };
        match self.attempt.control.note(self.attempt.unit.id, notes, true) {
            true => Ok(()),
            false => Err(CheckpointError::NotRecorded),
        }
    }

    /// Adds to what the unit has cost by one of the meters of its job; durable when it returns.
    ///
    /// Every attempt counts, however it ends; nothing is given back. An attempt that says nothing has an unknown cost, which pauses
    /// a job with a budget when the unit completes: one that costs nothing says `0`.
    ///
    /// ```
    /// # use job_manager::{UnitContext, UnitError};
    /// fn ask(question: String, unit: &UnitContext<'_>) -> Result<String, UnitError> {
    ///     let (answer, usd, tokens) = (question, 0.0042, 180);
    ///     unit.spend("usd", usd)?;
    ///     unit.spend("tokens", tokens)?;
    ///     Ok(answer)
    /// }
    /// ```
    ///
    /// # Errors
    /// When the job has no meter of that name, when the amount is negative, none or too large, and when the manager cannot write any
    /// more and is about to end.
    pub fn spend<A>(&self, meter: &str, amount: A) -> Result<(), SpendError>
    where
        A: TryInto<Amount>,
        AmountError: From<A::Error>,
    {
        if !self.attempt.limits.meters.iter().any(|known| known.name == meter) {
            return Err(SpendError::NoMeter { name: meter.to_owned() });
        }
        let amount = amount.try_into().map_err(AmountError::from)?;
        match self.attempt.control.spend(self.attempt.unit.id, vec![(meter.to_owned(), amount)]) {
            true => Ok(()),
            false => Err(SpendError::NotRecorded),
        }
    }

    /// Says that a person is to look at what the unit says, and why; kept with its end when it completes. Several doubts stand beside each
    /// other.
    ///
    /// ```
    /// # use job_manager::{UnitContext, UnitError};
    /// fn label(text: String, unit: &UnitContext<'_>) -> Result<String, UnitError> {
    ///     let (label, confidence) = (text, 0.7);
    ///     if confidence < 0.8 {
    ///         unit.flag(&format!("confidence of {confidence}"));
    ///     }
    ///     Ok(label)
    /// }
    /// ```
    pub fn flag(&self, doubt: &str) {
        let mut doubts = self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        *doubts = Some(doubts.take().map_or_else(|| doubt.to_owned(), |before| format!("{before}; {doubt}")));
    }

    /// Returns what was said to be doubtful.
    pub(super) fn doubts(&self) -> Option<String> {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns what the latest earlier attempt kept; none at the first attempt, or when none kept anything.
    ///
    /// # Errors
    /// When it cannot be read as a `T`, such as after an upgrade that changed the type.
    pub fn last_checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>, CheckpointError> {
        let kept = self.attempt.unit.checkpoint.as_deref();
        kept.map(serde_json::from_str).transpose().map_err(CheckpointError::Unreadable)
    }

    /// Sends the progress that was merged until now.
    pub(super) fn finish(&self) {
        if let Some(notes) = self.reported().held_back.take() {
            self.attempt.control.note(self.attempt.unit.id, notes, false);
        }
    }

    /// Returns `true` if it has said nothing for too long.
    pub(super) fn is_silent(&self) -> bool {
        self.attempt.limits.idle_timeout.is_some_and(|idle| self.said().elapsed() >= idle)
    }

    fn live(&self) {
        *self.said() = Instant::now();
    }

    fn said(&self) -> MutexGuard<'_, Instant> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reported(&self) -> MutexGuard<'_, Reported> {
        // No code between lock and unlock can leave it half changed.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "async")]
    pub(super) fn is_ending(&self) -> bool {
        self.attempt.control.is_ending_units()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_may_share_its_context_with_other_threads() {
        fn shared<T: Send + Sync>() {}

        shared::<UnitContext<'_>>();
    }
}
