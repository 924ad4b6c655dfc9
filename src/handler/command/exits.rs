//! What the end of a process means for its unit.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Cause, Postponement, UnitOutcome, When};
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

    /// Says what an ending means for the unit; `timeout` is what it was given.
    pub(super) fn judge(&self, ending: &Ending, timeout: Option<Duration>) -> UnitOutcome {
        if ending.stopped {
            return UnitOutcome::Interrupted;
        }
        let (cause, error) = match (ending.exit_code, ending.signal) {
            _ if ending.timed_out => (Cause::TimedOut, format!("timed out after {:?}", timeout.unwrap_or_default())),
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

    fn exited(code: i32) -> Ending {
        Ending {
            exit_code: Some(code),
            signal: None,
            timed_out: false,
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

        let judge = |code| codes.judge(&exited(code), None);

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

        assert!(matches!(codes.judge(&exited(75), None), UnitOutcome::Retry { .. }));
        assert!(matches!(codes.judge(&exited(1), None), UnitOutcome::Failed { .. }));
        assert!(matches!(codes.judge(&exited(0), None), UnitOutcome::Completed { .. }));
    }
}
