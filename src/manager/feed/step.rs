//! When the next unit is handed out where a rate says so.

use std::time::{Duration, Instant};

/// Returns when the unit after one that is handed out `now` may be, which might have been at `earliest`: in step with it,
/// but after a time without units nobody catches up.
pub(super) fn following(now: Instant, earliest: Instant, interval: Duration) -> Instant {
    let in_step = earliest + interval;
    if in_step > now { in_step } else { now + interval }
}
