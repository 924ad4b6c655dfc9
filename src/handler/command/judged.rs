//! Whether a command that ended well has made and said what it should.
//!
//! All of that is part of its attempt: it holds the slot, its time counts, and a death of the manager meanwhile has the unit
//! run again.

use super::attempt_end::not_started;
use super::capture::Capture;
use super::ended_well::EndedWell;
use super::given::Given;
use super::leftovers::{end_leftovers, end_what_is_left, occupy};
use super::prepared::is_last;
use super::start::start;
use super::whole::{ResultError, Whole};
use super::{CommandHandler, ResultMode};
use crate::handler::Attempt;
use crate::model::{AttemptEnd, Cause, Limits, Metered, UnitOutcome};
use crate::sys::{Ending, SpawnError, Times, UnitCommand};

impl CommandHandler {
    /// Looks at what a command that ended well was to make and to say; with the end of its attempt where somebody is left of it.
    pub(super) fn completed(&self, mut ended: EndedWell<'_, '_>) -> Result<UnitOutcome, Box<AttemptEnd>> {
        if let Some((path, out)) = ended.made.filter(|(path, out)| !out.unwrap_or(path).exists()) {
            let at = if out.is_some() { "{out}, which becomes " } else { "" };
            return Ok(incomplete(format!("ended well and did not make {at}{}", path.display())));
        }
        let result = match ended.result.take().transpose() {
            Ok(result) => result,
            // The next attempt would say as much.
            Err(error @ (ResultError::TooLong(_) | ResultError::NotSound(_))) => {
                return Ok(UnitOutcome::Failed { cause: Cause::Failed, error: error.to_string() });
            }
            Err(error) => return Ok(incomplete(error.to_string())),
        };
        if let (Some(schema), Some(document)) = (&self.schema, &result)
            && let Some(error) = schema.first_error(document)
        {
            return Ok(UnitOutcome::Retry { cause: Cause::Rejected, error, delay: None });
        }
        match ended.check.take() {
            None => Ok(UnitOutcome::Completed { result }),
            Some(check) => match self.check(check, &mut ended)? {
                UnitOutcome::Completed { .. } => Ok(UnitOutcome::Completed { result }),
                other => Ok(other),
            },
        }
    }

    /// Returns all that an attempt has printed as its result is kept, where it is one or meters look at it; a check that follows
    /// is shown it.
    pub(super) fn result(
        &self,
        mut whole: Option<Whole>,
        is_done: bool,
        attempt: &Attempt<'_>,
        check: Option<&mut UnitCommand>,
        given: &mut Given<'_>,
    ) -> Option<Result<String, ResultError>> {
        if let (Some(check), Some(whole)) = (check, &mut whole) {
            match given.show_result(check, |file| whole.write_to(file)) {
                // Where it is to be the result, that is said below; otherwise the check can do without.
                Ok(()) | Err(ResultError::TooLong(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        let is_read = is_done || attempt.limits.meters.iter().any(|meter| meter.path.is_some());
        let whole = whole.filter(|_| is_read && self.spec.result != ResultMode::Output)?;
        attempt.control.make_room_for_result(whole.bytes());
        Some(if self.spec.result == ResultMode::Json { whole.into_json() } else { whole.into_text() })
    }

    /// Returns what meters say about an attempt that has ended, or of which nothing is known but that it began.
    pub(super) fn metered(&self, attempt: &Attempt<'_>, ended: Option<(&Ending, Option<&str>)>) -> Vec<Metered> {
        let meters = &attempt.limits.meters;
        match ended {
            _ if is_last(attempt.unit) => Vec::new(),
            None => Metered::unknown(meters),
            Some((ending, printed)) => {
                let document = printed.filter(|_| self.spec.result == ResultMode::Json);
                let by_itself = ending.exit_code.is_some() && !ending.timed_out && !ending.idle && !ending.stopped;
                Metered::of_document(meters, document, by_itself)
            }
        }
    }

    /// Runs the check of an attempt in what is left of its time, and says what its end means.
    fn check(&self, mut check: UnitCommand, ended: &mut EndedWell<'_, '_>) -> Result<UnitOutcome, Box<AttemptEnd>> {
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
        *ended.took = ended.took.and(ending.resources);
        end_what_is_left(&ending, true, ended.own, ended.slot, grace)?;
        Ok(self.spec.exits.judge_check(&ending, attempt.limits, said.last_words()))
    }

    fn unwatched(&self, error: &std::io::Error, ended: &EndedWell<'_, '_>) -> Result<UnitOutcome, Box<AttemptEnd>> {
        end_leftovers(Some(ended.own), ended.slot, ended.attempt.limits.kill_after)?;
        let error = format!("cannot watch the check: {error}");
        Ok(UnitOutcome::Failed { cause: Cause::NeedsAttention, error })
    }
}

fn incomplete(error: String) -> UnitOutcome {
    UnitOutcome::Retry { cause: Cause::Failed, error, delay: None }
}
