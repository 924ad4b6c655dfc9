//! Limits and meanings of exit codes by which units are tried again later, refused where they cannot hold.

use std::time::Duration;

use super::{ClientError, LaterError, LimitError};
use crate::handler::{ExitCodes, ExitMeaning};
use crate::model::{Limits, Postponement, Timestamp, When};

/// Refuses limits that would never hold.
pub(super) fn check_later(limits: &Limits) -> Result<(), LimitError> {
    match limits.max_later {
        Some(Duration::ZERO) => return Err(LimitError::NoTimeForLater),
        Some(_) if limits.is_at_most_once() => return Err(LimitError::NeverLater),
        _ => {}
    }
    match limits.adapt {
        Some(least) if !(1..=limits.workers).contains(&least) => {
            Err(LimitError::AdaptOutOfRange { least, workers: limits.workers })
        }
        _ => Ok(()),
    }
}

/// Refuses meanings of exit codes that no unit under these limits could have.
#[cfg_attr(not(feature = "sources"), expect(dead_code, reason = "only submissions have exit codes"))]
pub(super) fn check_exits(exits: &ExitCodes, limits: &Limits) -> Result<(), ClientError> {
    let is_ok = |meaning: &ExitMeaning| matches!(meaning, ExitMeaning::Ok);
    if matches!(exits.meanings.get(&0), Some(ExitMeaning::Retry | ExitMeaning::Fail))
        && !exits.meanings.values().any(is_ok)
    {
        return Err(LimitError::NeverOk.into());
    }
    for (code, meaning) in &exits.meanings {
        match meaning {
            // No attempt is counted then, and a command that has done all it should would be run for ever.
            ExitMeaning::Later(_) | ExitMeaning::Busy | ExitMeaning::Pause(_) if *code == 0 => {
                return Err(LimitError::NeverDone.into());
            }
            ExitMeaning::Later(Duration::ZERO) | ExitMeaning::Pause(Duration::ZERO) => {
                return Err(LimitError::AtOnce { code: *code }.into());
            }
            ExitMeaning::Busy if limits.backoff_base.is_zero() && !limits.is_at_most_once() => {
                return Err(LimitError::BusyAtOnce { code: *code }.into());
            }
            ExitMeaning::Later(_) | ExitMeaning::Busy | ExitMeaning::Pause(_) | ExitMeaning::Retry
                if limits.is_at_most_once() =>
            {
                return Err(LimitError::NeverLater.into());
            }
            ExitMeaning::Later(delay) => {
                let later = Postponement::new(When::After(*delay), String::new());
                later.check(Timestamp::now()).map_err(LaterError::from)?;
            }
            _ => {}
        }
    }
    Ok(())
}
