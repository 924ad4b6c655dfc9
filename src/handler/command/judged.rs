//! Whether a command that ended well has made and said what it should.
//!
//! All of that is part of its attempt: it holds the slot, its time counts, and a death of the manager meanwhile has the unit
//! run again.

use super::attempt_end::not_started;
use super::capture::Capture;
use super::ended_well::EndedWell;
use super::leftovers::{end_leftovers, end_what_is_left, occupy};
use super::start::start;
use super::whole::{ResultError, Whole};
use super::{CommandHandler, ResultMode};
use crate::handler::Attempt;
use crate::model::{AttemptEnd, Cause, Limits, UnitOutcome};
use crate::sys::{SpawnError, Times, UnitCommand};

impl CommandHandler {
    /// Looks at what a command that ended well was to make and to say; with the end of its attempt where somebody is left of it.
    pub(super) fn completed(&self, mut ended: EndedWell<'_, '_>) -> Result<UnitOutcome, AttemptEnd> {
        if let Some(path) = ended.made.filter(|path| !path.exists()) {
            return Ok(incomplete(format!("ended well and did not make {}", path.display())));
        }
        if let (Some(check), Some(whole)) = (&mut ended.check, &mut ended.whole) {
            match ended.given.show_result(check, |file| whole.write_to(file)) {
                // Where it is to be the result, that is said below; otherwise the check can do without.
                Ok(()) | Err(ResultError::TooLong(_)) => {}
                Err(error) => return Ok(incomplete(error.to_string())),
            }
        }
        let result = match self.result(ended.whole.take(), ended.attempt) {
            Ok(result) => result,
            Err(outcome) => return Ok(outcome),
        };
        if let (Some(schema), Some(document)) = (&self.schema, &result)
            && let Some(error) = schema.first_error(document)
        {
            return Ok(UnitOutcome::Retry { cause: Cause::Rejected, error, delay: None });
        }
        match ended.check.take() {
            None => Ok(UnitOutcome::Completed { result }),
            Some(check) => match self.check(check, &ended)? {
                UnitOutcome::Completed { .. } => Ok(UnitOutcome::Completed { result }),
                other => Ok(other),
            },
        }
    }

    /// Returns the result, if output becomes one.
    fn result(&self, whole: Option<Whole>, attempt: &Attempt<'_>) -> Result<Option<String>, UnitOutcome> {
        let Some(whole) = whole.filter(|_| self.spec.result != ResultMode::Output) else { return Ok(None) };
        attempt.control.make_room_for_result(whole.bytes());
        let result = if self.spec.result == ResultMode::Json { whole.into_json() } else { whole.into_text() };
        match result {
            Ok(document) => Ok(Some(document)),
            // The next attempt would say as much.
            Err(error @ (ResultError::TooLong(_) | ResultError::NotSound(_))) => {
                Err(UnitOutcome::Failed { cause: Cause::Failed, error: error.to_string() })
            }
            Err(error) => Err(incomplete(error.to_string())),
        }
    }

    /// Runs the check of an attempt in what is left of its time, and says what its end means.
    fn check(&self, mut check: UnitCommand, ended: &EndedWell<'_, '_>) -> Result<UnitOutcome, AttemptEnd> {
        let (attempt, grace) = (ended.attempt, ended.attempt.limits.kill_after);
        let stdin = occupy(ended.slot, b"", grace)?;
        let process = match start(&mut check, &stdin, true) {
            Ok(process) => process,
            Err(SpawnError::NotStarted(error)) => return Ok(not_started(&check, &error).outcome),
            Err(SpawnError::NotWatched(error)) => return self.unwatched(&error, ended),
        };
        // From here on only the check's processes have the locked file.
        drop(stdin);
        let Limits { timeout, idle_timeout: idle, .. } = *attempt.limits;
        let timeout = timeout.map(|timeout| timeout.saturating_sub(ended.began.elapsed()));
        let times = Times { timeout, idle, life: ended.given.life.as_ref(), kill_after: grace };
        let mut said = Capture::new();
        let ending = match process.supervise(&times, attempt.stop, &mut said) {
            Ok(ending) => ending,
            Err(error) => return self.unwatched(&error, ended),
        };
        end_what_is_left(&ending, true, ended.own, ended.slot, grace)?;
        Ok(self.spec.exits.judge_check(&ending, attempt.limits, said.last_words()))
    }

    fn unwatched(&self, error: &std::io::Error, ended: &EndedWell<'_, '_>) -> Result<UnitOutcome, AttemptEnd> {
        end_leftovers(Some(ended.own), ended.slot, ended.attempt.limits.kill_after)?;
        let error = format!("cannot watch the check: {error}");
        Ok(UnitOutcome::Failed { cause: Cause::NeedsAttention, error })
    }
}

fn incomplete(error: String) -> UnitOutcome {
    UnitOutcome::Retry { cause: Cause::Failed, error, delay: None }
}
