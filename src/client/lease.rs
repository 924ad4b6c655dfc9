//! What is refused about leases, and the loss of hosts.

use std::path::Path;

use super::{ClientError, LimitError};
use crate::model::{Limits, OnHostLoss};
use crate::store;

/// Refuses limits about leases and hosts that a job in that database cannot have; nothing is opened for that.
///
/// ```
/// # use job_manager::model::Limits;
/// let mut limits = Limits::default();
/// assert!(job_manager::client::check_lease("jobs.db".as_ref(), &limits).is_ok());
/// limits.lease = Some(std::time::Duration::from_secs(120));
/// assert!(job_manager::client::check_lease("jobs.db".as_ref(), &limits).is_err(), "it is a file");
/// ```
pub fn check_lease(db: &Path, limits: &Limits) -> Result<(), LimitError> {
    check(store::is_on_server(db), limits)
}

/// Refuses what a change makes of a lease, if it changes that at all: an older version may have made the job.
pub(super) fn check_changed_lease(on_server: bool, before: &Limits, after: &Limits) -> Result<(), ClientError> {
    // That of a copy which came from a server means nothing in a file, and does no harm.
    let is_changed = before.lease != after.lease || on_server && before.kill_after != after.kill_after;
    if is_changed { Ok(check(on_server, after)?) } else { Ok(()) }
}

/// Refuses it, where that much is known of the database.
pub(super) fn check(on_server: bool, limits: &Limits) -> Result<(), LimitError> {
    let (kill_after, shortest) = (limits.kill_after, limits.shortest_lease());
    match limits.lease {
        Some(_) if !on_server => Err(LimitError::NoLease),
        _ if !on_server && limits.on_host_loss != OnHostLoss::Retry => Err(LimitError::NoOtherHost),
        Some(given) if given < shortest => Err(LimitError::LeaseTooShort { given, kill_after, shortest }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_lease_is_as_long_as_the_end_of_units_and_of_a_connection_takes() {
        let limits = |lease: Option<u64>, kill_after| Limits {
            lease: lease.map(Duration::from_secs),
            kill_after: Duration::from_secs(kill_after),
            ..Limits::default()
        };

        for (lease, kill_after, is_enough) in [
            (None, 10, true),
            (None, 12, true),
            (None, 13, true),
            (Some(60), 12, true),
            (Some(60), 13, false),
            (Some(54), 10, true),
            (Some(53), 10, false),
        ] {
            assert_eq!(check(true, &limits(lease, kill_after)).is_ok(), is_enough, "{lease:?} {kill_after}");
        }
        let told = check(true, &limits(Some(30), 10)).unwrap_err().to_string();
        assert_eq!(told, "a lease of 30s is too short for units that have 10s to end: it must be at least 54s");
        assert_eq!(limits(None, 20).lease_length(), Duration::from_secs(84));
        assert!(check(false, &limits(None, 600)).is_ok());
        assert!(check(false, &Limits { on_host_loss: OnHostLoss::Wait, ..limits(None, 1) }).is_err());
        assert!(check(false, &limits(Some(600), 1)).is_err());
    }
}
