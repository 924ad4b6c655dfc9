//! What the end of a process means for its unit.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Cause, Limits, Postponement, UnitOutcome, When};
use crate::sys::{Ending, signal_name};

/// What exit codes mean; 0 means completed, unless it is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitCodes {
    /// Codes with a meaning of their own.
    #[serde(default)]
    pub meanings: BTreeMap<i32, ExitMeaning>,
    /// Codes other than those and 0 fail a unit permanently; otherwise they are tried again.
    #[serde(default)]
    pub others_fail: bool,
}

/// What an exit code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitMeaning {
    /// The unit completed.
    Ok,
    /// It is worth another attempt, while attempts are left.
    Retry,
    /// It is not.
    Fail,
    /// There was nothing to do.
    Skip,
    /// No unit of the job is worth an attempt before that time is over; this one costs none.
    Pause(Duration),
    /// It is not worth another attempt before that time is over; this one costs none.
    Later(Duration),
    /// Whoever it asked has too much to do: another attempt after the backoff, and fewer units at a time where the job adapts;
    /// this one costs none.
    Busy,
}

impl ExitCodes {
    fn meaning(&self, code: i32) -> ExitMeaning {
        match self.meanings.get(&code) {
            Some(meaning) => *meaning,
            None if code == 0 => ExitMeaning::Ok,
            None if self.others_fail => ExitMeaning::Fail,
            None => ExitMeaning::Retry,
        }
    }

    /// Says what an ending means for the unit; `limits` are those that it ran within, and `said` is its last line.
    pub(super) fn judge(&self, ending: &Ending, limits: &Limits, said: Option<&str>) -> UnitOutcome {
        if ending.stopped {
            return UnitOutcome::Interrupted;
        }
        let (cause, error) = match (ending.exit_code, ending.signal) {
            _ if ending.timed_out => {
                (Cause::TimedOut, format!("timed out after {:?}", limits.timeout.unwrap_or_default()))
            }
            _ if ending.idle => (Cause::Idle, silent_for(limits.idle_timeout, said)),
            (Some(code), _) => {
                let (cause, error) = (Cause::Failed, format!("exited with code {code}"));
                match self.meaning(code) {
                    ExitMeaning::Ok => return UnitOutcome::Completed { result: None },
                    ExitMeaning::Fail => return UnitOutcome::Failed { cause, error },
                    ExitMeaning::Skip => return UnitOutcome::Skipped { reason: error },
                    ExitMeaning::Pause(delay) => return UnitOutcome::PauseJob { delay, reason: error },
                    ExitMeaning::Later(delay) => {
                        return UnitOutcome::Later(Postponement::new(When::After(delay), error));
                    }
                    ExitMeaning::Busy => {
                        let later = Postponement::new(When::Backoff, error);
                        return UnitOutcome::Later(Postponement { is_busy: true, ..later });
                    }
                    ExitMeaning::Retry => (cause, error),
                }
            }
            (None, signal) => (Cause::Killed, killed_by(signal.unwrap_or_default())),
        };
        UnitOutcome::Retry { cause, error, delay: None }
    }

    /// Says what the ending of a check means for the unit that was checked; `said` is what the check said last.
    pub(super) fn judge_check(&self, ending: &Ending, limits: &Limits, said: Option<String>) -> UnitOutcome {
        let rejected = |error: String| (Cause::Rejected, said.clone().unwrap_or_else(|| format!("the check {error}")));
        let late = |error| format!("{error}, in its check");
        match self.judge(ending, limits, said.as_deref()) {
            UnitOutcome::Retry { cause: cause @ (Cause::TimedOut | Cause::Idle), error, delay } => {
                UnitOutcome::Retry { cause, error: late(error), delay }
            }
            UnitOutcome::Retry { error, delay, .. } => {
                let (cause, error) = rejected(if ending.signal.is_some() { format!("was {error}") } else { error });
                UnitOutcome::Retry { cause, error, delay }
            }
            UnitOutcome::Failed { error, .. } => {
                let (cause, error) = rejected(error);
                UnitOutcome::Failed { cause, error }
            }
            UnitOutcome::Skipped { reason } => UnitOutcome::Skipped { reason: rejected(reason).1 },
            UnitOutcome::PauseJob { delay, reason } => UnitOutcome::PauseJob { delay, reason: rejected(reason).1 },
            UnitOutcome::Later(later) => UnitOutcome::Later(Postponement { reason: rejected(later.reason).1, ..later }),
            other => other,
        }
    }
}

/// Says that a unit gave no sign of life, and what it said before that.
pub(in crate::handler) fn silent_for(idle: Option<Duration>, said: Option<&str>) -> String {
    let silent = format!("no sign of life for {:?}", idle.unwrap_or_default());
    match said {
        Some(said) => format!("{silent}, its last line: {said}"),
        None => silent,
    }
}

fn killed_by(signal: i32) -> String {
    match signal_name(signal) {
        Some(name) => format!("killed by signal {signal} ({name})"),
        None => format!("killed by signal {signal}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Resources;

    fn exited(code: i32) -> Ending {
        Ending {
            exit_code: Some(code),
            signal: None,
            resources: Resources::default(),
            timed_out: false,
            idle: false,
            stopped: false,
            grace_left: None,
            leaked: false,
        }
    }

    #[test]
    fn an_exit_code_means_what_it_was_said_to_mean() {
        let half_an_hour = Duration::from_secs(1800);
        let codes = ExitCodes {
            meanings: BTreeMap::from([
                (1, ExitMeaning::Ok),
                (65, ExitMeaning::Fail),
                (77, ExitMeaning::Skip),
                (79, ExitMeaning::Pause(half_an_hour)),
            ]),
            others_fail: false,
        };

        let judge = |code| codes.judge(&exited(code), &Limits::default(), None);

        assert_eq!(judge(0), UnitOutcome::Completed { result: None });
        assert_eq!(judge(1), UnitOutcome::Completed { result: None });
        assert!(matches!(judge(65), UnitOutcome::Failed { cause: Cause::Failed, .. }));
        assert_eq!(judge(77), UnitOutcome::Skipped { reason: "exited with code 77".to_owned() });
        assert!(matches!(judge(79), UnitOutcome::PauseJob { delay, .. } if delay == half_an_hour));
        assert!(matches!(judge(3), UnitOutcome::Retry { .. }));
    }

    #[test]
    fn with_a_list_of_codes_to_retry_every_other_code_fails_for_good() {
        let codes = ExitCodes { meanings: BTreeMap::from([(75, ExitMeaning::Retry)]), others_fail: true };

        assert!(matches!(codes.judge(&exited(75), &Limits::default(), None), UnitOutcome::Retry { .. }));
        assert!(matches!(codes.judge(&exited(1), &Limits::default(), None), UnitOutcome::Failed { .. }));
        assert!(matches!(codes.judge(&exited(0), &Limits::default(), None), UnitOutcome::Completed { .. }));
    }
}
