//! What a handler returns when its unit is not done.

use std::fmt;
use std::time::Duration;

use crate::model::{Cause, HoldScope, Postponement, Timestamp, UnitOutcome, When, chain};

/// Why a unit is not done, and what is to follow from it.
///
/// Every error becomes a [`retry`](UnitError::retry) by `?`, with its causes in the message, and so do a text, a
/// `Box<dyn Error>`, and what can become one, as `anyhow::Error`; the other answers are said with the functions of this type. It
/// is not itself an error for that reason. A `Box<dyn Error + Send + Sync>` becomes one by
/// [`of_box`](UnitError::of_box), because the language knows no way from that box to the other.
///
/// ```
/// use std::time::Duration;
/// use job_manager::{UnitContext, UnitError};
///
/// fn fetch(url: String, unit: &UnitContext<'_>) -> Result<usize, UnitError> {
///     if !url.starts_with("http") {
///         return Err(UnitError::fail(format!("{url} is not an address")));
///     }
///     if unit.should_stop() {
///         return Err(UnitError::stopped());
///     }
///     let text = std::fs::read_to_string("/tmp/cache")?; // another attempt, with backoff
///     if text.contains("quota") {
///         return Err(UnitError::pause_job(Duration::from_secs(1800), "quota exhausted"));
///     }
///     Ok(text.len())
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct UnitError(UnitOutcome);

impl UnitError {
    /// Asks for another attempt, after the job's backoff, while attempts are left.
    pub fn retry(error: impl fmt::Display) -> Self {
        Self(UnitOutcome::Retry { cause: Cause::Failed, error: error.to_string(), delay: None })
    }

    /// Asks for another attempt after `delay`, while attempts are left.
    pub fn retry_after(delay: Duration, error: impl fmt::Display) -> Self {
        Self(UnitOutcome::Retry { cause: Cause::Failed, error: error.to_string(), delay: Some(delay) })
    }

    /// Asks for another attempt, with the causes of an error in the message: `.map_err(UnitError::of_box)?`.
    ///
    /// ```
    /// use job_manager::{UnitContext, UnitError};
    ///
    /// fn fetch(url: &str) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    ///     Err(format!("no route to {url}").into())
    /// }
    ///
    /// fn handler(url: String, _unit: &UnitContext<'_>) -> Result<u64, UnitError> {
    ///     fetch(&url).map_err(UnitError::of_box)
    /// }
    /// ```
    pub fn of_box(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        let error: Box<dyn std::error::Error> = error;
        error.into()
    }

    /// Fails the unit permanently: another attempt would meet the same.
    pub fn fail(error: impl fmt::Display) -> Self {
        Self(UnitOutcome::Failed { cause: Cause::Failed, error: error.to_string() })
    }

    /// Skips the unit: there is nothing to do.
    pub fn skip(reason: impl fmt::Display) -> Self {
        Self(UnitOutcome::Skipped { reason: reason.to_string() })
    }

    /// Gives the unit back and lets no unit of the job start for so long, as when a quota is used up.
    ///
    /// No attempt is counted. The manager waits and then goes on by itself; a restart in between keeps the time.
    /// Units that run at that moment run to their end.
    pub fn pause_job(delay: Duration, reason: impl fmt::Display) -> Self {
        Self(UnitOutcome::PauseJob { delay, reason: reason.to_string() })
    }

    /// Gives the unit back for another attempt after `delay`; see [`UnitError::later_until`].
    pub fn later(delay: Duration) -> Self {
        Self::postponed(When::After(delay))
    }

    /// Gives the unit back for another attempt at a time, as when something that runs elsewhere is not done yet.
    ///
    /// No attempt is counted, a checkpoint is kept, and the worker is free meanwhile. A restart in between keeps the time. A time more
    /// than 30 days ahead fails the unit permanently; so does a postponement of a unit that has waited for the job's `max_later`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use job_manager::model::HoldScope;
    /// use job_manager::{UnitContext, UnitError};
    ///
    /// # fn submit(_item: &str, _idempotency_key: &str) -> std::io::Result<String> { Ok("remote".to_owned()) }
    /// # fn answer(_remote: &str) -> std::io::Result<Option<String>> { Ok(None) }
    /// fn ask(item: String, unit: &UnitContext<'_>) -> Result<String, UnitError> {
    ///     let remote: String = match unit.last_checkpoint()? {
    ///         Some(remote) => remote,
    ///         None => {
    ///             // With the same token the other side takes it once, whatever dies in between.
    ///             let remote = submit(&item, &unit.token())?;
    ///             unit.checkpoint(&remote)?;
    ///             remote
    ///         }
    ///     };
    ///     answer(&remote)?.ok_or_else(|| UnitError::later(Duration::from_secs(600)).because("not answered yet"))
    /// }
    ///
    /// fn limited() -> UnitError {
    ///     UnitError::later(Duration::from_secs(3600)).holding(HoldScope::Job).because("session limit")
    /// }
    /// ```
    pub fn later_until(time: Timestamp) -> Self {
        Self::postponed(When::Until(time))
    }

    /// Gives the unit back because whoever it asked has too much to do: another attempt after the job's backoff, longer each
    /// time, and fewer units at a time where the job adapts. No attempt is counted.
    pub fn busy() -> Self {
        let later = Postponement::new(When::Backoff, "busy".to_owned());
        Self(UnitOutcome::Later(Postponement { is_busy: true, ..later }))
    }

    /// The same for a time that whoever it asked has named, as in the header `Retry-After`; one of more than 30 days fails the unit.
    pub fn busy_for(delay: Duration) -> Self {
        match Self::later(delay).0 {
            UnitOutcome::Later(later) => {
                Self(UnitOutcome::Later(Postponement { is_busy: true, reason: "busy".to_owned(), ..later }))
            }
            refused => Self(refused),
        }
    }

    /// Says how far a postponement reaches; nothing of any other answer. A shorter hold of the job never shortens a longer one.
    #[must_use]
    pub fn holding(mut self, hold: HoldScope) -> Self {
        if let UnitOutcome::Later(later) = &mut self.0 {
            later.hold = hold;
        }
        self
    }

    /// Says why a unit is postponed; nothing of any other answer.
    #[must_use]
    pub fn because(mut self, reason: impl fmt::Display) -> Self {
        if let UnitOutcome::Later(later) = &mut self.0 {
            later.reason = reason.to_string();
        }
        self
    }

    fn postponed(when: When) -> Self {
        let later = Postponement::new(when, "postponed".to_owned());
        match later.check(Timestamp::now()) {
            Ok(()) => Self(UnitOutcome::Later(later)),
            Err(error) => Self::fail(error),
        }
    }

    /// Gives the unit back because the job is being stopped; no attempt is counted.
    pub fn stopped() -> Self {
        Self(UnitOutcome::Interrupted)
    }

    #[cfg(feature = "async")]
    pub(super) fn timed_out(timeout: Duration) -> Self {
        Self(UnitOutcome::Retry { cause: Cause::TimedOut, error: format!("timed out after {timeout:?}"), delay: None })
    }

    #[cfg(feature = "async")]
    pub(super) fn idle(idle: Duration) -> Self {
        Self(UnitOutcome::Retry { cause: Cause::Idle, error: super::silent_for(Some(idle), None), delay: None })
    }

    pub(super) fn into_outcome(self) -> UnitOutcome {
        self.0
    }
}

impl<'a, E: Into<Box<dyn std::error::Error + 'a>>> From<E> for UnitError {
    fn from(error: E) -> Self {
        Self::retry(chain(&*error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_asks_for_another_attempt_and_names_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot fetch")]
        struct Outer(#[source] std::io::Error);

        let error = UnitError::from(Outer(std::io::Error::other("no route")));

        let expected = UnitOutcome::Retry { cause: Cause::Failed, error: "cannot fetch: no route".into(), delay: None };
        assert_eq!(error.into_outcome(), expected);
    }

    #[test]
    fn a_unit_is_postponed_with_its_hold_and_reason_and_one_for_too_long_fails() {
        let day = Duration::from_secs(86_400);
        let later = |error: UnitError| match error.into_outcome() {
            UnitOutcome::Later(later) => later,
            other => panic!("{other:?}"),
        };

        let held = later(UnitError::later(day).holding(HoldScope::Job).because("session limit"));
        assert_eq!((held.when, held.hold, held.reason.as_str()), (When::After(day), HoldScope::Job, "session limit"));
        assert!(!held.is_busy && UnitOutcome::Later(held).is_busy(), "a hold of the job is one");
        assert!(later(UnitError::busy()).is_busy && later(UnitError::busy_for(day)).is_busy);
        for error in [UnitError::later(day * 31), UnitError::later_until(Timestamp::now() + day * 31)] {
            assert!(matches!(error.into_outcome(), UnitOutcome::Failed { .. }));
        }
        assert_eq!(UnitError::fail("no").because("yes"), UnitError::fail("no"));
    }

    #[test]
    fn whatever_helpers_return_as_an_error_passes_through_the_question_mark() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot fetch")]
        struct Outer(#[source] std::io::Error);

        let outer = || Outer(std::io::Error::other("no route"));
        let boxed = || -> Result<(), UnitError> { Ok(Err::<(), Box<dyn std::error::Error>>(outer().into())?) };
        let sendable = || -> Result<(), UnitError> { Err(UnitError::of_box(Box::from(outer()))) };
        let text = || -> Result<(), UnitError> { Ok(Err::<(), _>("cannot fetch: no route")?) };
        let owned = || -> Result<(), UnitError> { Ok(Err::<(), _>("cannot fetch: no route".to_owned())?) };
        let borrowed = std::sync::Mutex::new(1);
        let guarded = || -> Result<i32, UnitError> { Ok(*borrowed.lock()?) };

        for told in [boxed(), sendable(), text(), owned()] {
            assert_eq!(told, Err(UnitError::retry("cannot fetch: no route")));
        }
        assert_eq!(guarded(), Ok(1));
    }
}
