//! Limits and meanings of exit codes by which units are tried again later, refused where they cannot hold.

use super::{ClientError, LaterError, LimitError};
use crate::handler::{ExitCodes, ExitMeaning};
use crate::model::{Limits, Postponement, Timestamp, When};

/// Refuses limits that would never hold.
pub(super) fn check_later(limits: &Limits) -> Result<(), LimitError> {
    if limits.max_later.is_some() && limits.is_at_most_once() {
        return Err(LimitError::NeverLater);
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
    for meaning in exits.meanings.values() {
        match meaning {
            ExitMeaning::Later(_) | ExitMeaning::Busy if limits.is_at_most_once() => {
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
