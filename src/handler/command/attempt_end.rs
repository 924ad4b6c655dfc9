//! Ends of attempts that came to nothing.

use std::io;

use super::start::why_not_started;
use crate::model::{AttemptEnd, Cause, UnitOutcome};
use crate::sys::{UnitCommand, is_busy_program, lack_of};

/// Tells failures of the moment from those that the next attempt would meet again.
pub(super) fn not_started(command: &UnitCommand, error: &io::Error) -> AttemptEnd {
    let message = format!("cannot start {:?}: {}", command.program, why_not_started(command, error));
    match lack_of(error) {
        Some(lack) => UnitOutcome::NotStarted { lack, error: message }.into(),
        None if is_busy_program(error) => retry(Cause::NotStarted, message),
        None => failed(Cause::NotStarted, message),
    }
}

/// Says why a unit did not come to its start through no fault of its own.
pub(super) fn not_begun(what: &str, error: &io::Error) -> AttemptEnd {
    let message = format!("{what}: {error}");
    match lack_of(error) {
        Some(lack) => UnitOutcome::NotStarted { lack, error: message }.into(),
        None => retry(Cause::NotStarted, message),
    }
}

pub(super) fn retry(cause: Cause, error: String) -> AttemptEnd {
    UnitOutcome::Retry { cause, error, delay: None }.into()
}

pub(super) fn failed(cause: Cause, error: String) -> AttemptEnd {
    UnitOutcome::Failed { cause, error }.into()
}
