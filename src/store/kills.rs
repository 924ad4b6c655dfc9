//! Requests of clients that one running unit shall end, as rows that name the attempt and its lease.
//!
//! A request is written in the transaction that reads which attempt runs, and stays until that attempt is over: a manager that
//! dies before leaves it to the recovery. No later attempt is meant by it; but a unit that is to be skipped or cancelled does not
//! run again because its attempt came to an end of its own: if the next one is under way, that one is meant.

use diesel::prelude::*;

use super::columns::{Checked, Word, count};
use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::jobs::lock_job;
use super::metadata::put;
use super::schema::{jobs, metadata, units};
use super::steer::end_units;
use super::{Lease, Store, StoreError, postgres};
use crate::model::{AttemptId, JobId, Kill, KillThen, Seq, Timestamp, UnitFilter, UnitId, UnitStatus};

/// Begins the keys of such rows.
const PREFIX: &str = "kill:";

/// Which attempt runs, as the row of its unit says: status, revision, attempts, start.
type Running = (Word<UnitStatus>, i64, i64, Option<i64>);

impl Store {
    /// Leaves the request that the attempt at a unit which runs now shall end, and returns the state of the unit: one that
    /// does not run is left alone. A later request for the same attempt replaces an earlier one, but for a cancellation,
    /// which is permanent: the unit counts as cancelled to any other request.
    pub fn request_kill(
        &mut self,
        job: JobId,
        seq: Seq,
        then: KillThen,
        reason: &str,
    ) -> Result<UnitStatus, StoreError> {
        self.write("ask the manager to end the unit", |conn| {
            let epoch = lock_job(conn, job)?.epoch;
            let row = units::table.find(UnitId::new(job, seq).raw());
            let (Word(status), revision, attempts, started_us): Running =
                row.select((units::status, units::revision, units::attempts, units::started_at)).first(conn)?;
            let Some(started_us) = started_us.filter(|_| status == UnitStatus::Running) else { return Ok(status) };
            let attempt = AttemptId { seq, revision, attempt: count(attempts), started_us };
            let standing: Option<Checked<String>> =
                metadata::table.find((job.0, key(seq))).select(metadata::value).first(conn).optional()?;
            // One that cannot be read was written by another version, for a manager of its own.
            let standing = standing.and_then(|request| serde_json::from_str::<Kill>(request.shown()).ok());
            let is_cancelled = standing.is_some_and(|kill| kill.attempt == attempt && kill.then == KillThen::Cancel);
            if is_cancelled && then != KillThen::Cancel {
                return Ok(UnitStatus::Cancelled);
            }
            let owner = if on_server(conn) { postgres::owner_of(conn, job, seq)? } else { None };
            let epoch = owner.unwrap_or(epoch);
            put(conn, job, &key(seq), &text(&Kill { attempt, epoch, then, reason: reason.to_owned() }))?;
            diesel::update(jobs::table.find(job.0)).set(jobs::revision.eq(jobs::revision + 1)).execute(conn)?;
            Ok(status)
        })
    }

    /// Returns the requests that stand, whatever the lease under which they were made.
    pub fn kills(&mut self, job: JobId) -> Result<Vec<Kill>, StoreError> {
        self.read("read the requests to end units", |conn| {
            let rows = metadata::table.filter(metadata::job_id.eq(job.0)).filter(metadata::key.like("kill:%"));
            let requests: Vec<Checked<String>> = rows.select(metadata::value).load(conn)?;
            // One that cannot be read was written by another version, for a manager of its own.
            Ok(requests.iter().filter_map(|request| serde_json::from_str(request.shown()).ok()).collect())
        })
    }

    /// Deletes those of some requests whose attempts are over, and returns the others.
    ///
    /// A unit that is to be skipped or cancelled, and waits because its attempt came to another end, is skipped or cancelled
    /// now. Requests that came since these were read stay.
    pub fn settle_kills(&mut self, lease: Lease, kills: &[Kill], now: Timestamp) -> Result<Vec<Kill>, StoreError> {
        let (over, standing): (Vec<Kill>, Vec<Kill>) = self.read("look for attempts that are to end", |conn| {
            let mut parts = (Vec::new(), Vec::new());
            for kill in kills {
                let part = if runs(conn, lease.job, kill)? { &mut parts.1 } else { &mut parts.0 };
                part.push(kill.clone());
            }
            Ok(parts)
        })?;
        if over.is_empty() {
            return Ok(standing);
        }
        self.write_under(lease, "settle the requests to end units", |conn, _| {
            let mut standing = standing.clone();
            for kill in &over {
                let end = match kill.then {
                    KillThen::Cancel => Some(UnitStatus::Cancelled),
                    KillThen::Skip => Some(UnitStatus::Skipped),
                    // They are about the attempt only.
                    KillThen::Retry | KillThen::Fail => None,
                };
                // Its next attempt may have begun since.
                if runs(conn, lease.job, kill)? {
                    standing.push(kill.clone());
                    continue;
                }
                let unit = units::table.find(UnitId::new(lease.job, kill.attempt.seq).raw());
                let revision: Option<i64> = unit.select(units::revision).first(conn).optional()?;
                if let Some(end) = end.filter(|_| revision == Some(kill.attempt.revision)) {
                    let one = UnitFilter::one(kill.attempt.seq);
                    end_units(conn, lease.job, &one, UnitStatus::Pending, end, &kill.reason, now)?;
                }
                let row = metadata::table.find((lease.job.0, key(kill.attempt.seq)));
                diesel::delete(row.filter(metadata::value.eq(text(kill)))).execute(conn)?;
            }
            Ok(standing)
        })
    }
}

/// Returns `true` if an attempt that a request is about is under way by its row.
fn runs(conn: &mut DbConnection, job: JobId, kill: &Kill) -> Result<bool, Failure> {
    let row = units::table.find(UnitId::new(job, kill.attempt.seq).raw());
    let found: Option<Running> =
        row.select((units::status, units::revision, units::attempts, units::started_at)).first(conn).optional()?;
    let Some((Word(UnitStatus::Running), revision, attempts, Some(started_us))) = found else { return Ok(false) };
    Ok(kill.is_about(AttemptId { seq: kill.attempt.seq, revision, attempt: count(attempts), started_us }))
}

/// Forgets the requests about units of a job that has ended.
pub(super) fn forget(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    diesel::delete(metadata::table.filter(metadata::job_id.eq(job.0)).filter(metadata::key.like("kill:%")))
        .execute(conn)?;
    Ok(())
}

fn key(seq: Seq) -> String {
    format!("{PREFIX}{seq}")
}

fn text(kill: &Kill) -> String {
    serde_json::to_string(kill).expect("a request is made of words")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{LATER, NOW, change, job_of, lease_on};
    use crate::store::{Batch, UnitChange};

    /// A job of one unit that runs, and the lease under which it does.
    fn one_that_runs() -> (Store, Lease) {
        let mut store = Store::scratch().unwrap();
        let job = job_of(&mut store, 1);
        let lease = lease_on(&mut store, job);
        let start = change(job, 1, UnitStatus::Pending, UnitStatus::Running);
        store.record(lease, &Batch::of(&[start])).unwrap();
        (store, lease)
    }

    #[test]
    fn fault_212_a_request_stands_until_its_attempt_is_over_whatever_the_lease() {
        let (mut store, lease) = one_that_runs();
        store.request_kill(lease.job, Seq(1), KillThen::Skip, "hangs").unwrap();
        let kills = store.kills(lease.job).unwrap();

        let next = lease_on(&mut store, lease.job);
        let standing = store.settle_kills(next, &kills, NOW).unwrap();

        assert_eq!((standing.as_slice(), kills.as_slice()), (kills.as_slice(), standing.as_slice()));
        assert_eq!((kills.len(), store.kills(lease.job).unwrap().len()), (1, 1));
        let end = change(next.job, 1, UnitStatus::Running, UnitStatus::Completed);
        store.record(next, &Batch::of(&[end])).unwrap();
        assert_eq!(store.settle_kills(next, &kills, NOW).unwrap(), []);
        assert_eq!(store.kills(lease.job).unwrap(), []);
    }

    #[test]
    fn fault_212_a_unit_that_is_to_end_does_not_wait_for_another_attempt() {
        for (then, status) in [
            (KillThen::Cancel, UnitStatus::Cancelled),
            (KillThen::Skip, UnitStatus::Skipped),
            (KillThen::Fail, UnitStatus::Pending),
            (KillThen::Retry, UnitStatus::Pending),
        ] {
            let (mut store, lease) = one_that_runs();
            store.request_kill(lease.job, Seq(1), then, "enough").unwrap();
            let again = change(lease.job, 1, UnitStatus::Running, UnitStatus::Pending);
            store.record(lease, &Batch::of(&[again])).unwrap();

            let kills = store.kills(lease.job).unwrap();
            store.settle_kills(lease, &kills, NOW).unwrap();

            let unit = store.units(lease.job, &UnitFilter::one(Seq(1)), None, 1).unwrap().pop().unwrap();
            assert_eq!(unit.status, status, "{then}");
            assert_eq!(store.kills(lease.job).unwrap(), []);
        }
    }

    #[test]
    fn fault_291_a_unit_that_is_to_end_does_not_go_on_with_an_attempt_that_began_before_the_look() {
        for (then, standing) in [(KillThen::Cancel, 1), (KillThen::Skip, 1), (KillThen::Fail, 0), (KillThen::Retry, 0)]
        {
            let (mut store, lease) = one_that_runs();
            store.request_kill(lease.job, Seq(1), then, "enough").unwrap();
            let again = change(lease.job, 1, UnitStatus::Running, UnitStatus::Pending);
            let start = change(lease.job, 1, UnitStatus::Pending, UnitStatus::Running);
            let start = UnitChange { seen_attempts: 1, attempts: 2, started_at: Some(LATER), ..start };
            store.record(lease, &Batch::of(&[again, start])).unwrap();

            let kills = store.kills(lease.job).unwrap();
            let found = store.settle_kills(lease, &kills, LATER).unwrap();

            assert_eq!((found.len(), store.kills(lease.job).unwrap().len()), (standing, standing), "{then}");
        }
    }

    #[test]
    fn fault_132_a_request_that_was_seen_is_gone_and_a_later_one_is_not() {
        let (mut store, lease) = one_that_runs();
        store.request_kill(lease.job, Seq(1), KillThen::Skip, "hangs").unwrap();
        let seen = store.kills(lease.job).unwrap();
        store.request_kill(lease.job, Seq(1), KillThen::Fail, "hangs still").unwrap();
        let end = change(lease.job, 1, UnitStatus::Running, UnitStatus::Failed);
        store.record(lease, &Batch::of(&[end])).unwrap();

        store.settle_kills(lease, &seen, NOW).unwrap();
        let later = store.kills(lease.job).unwrap();
        store.settle_kills(lease, &later, NOW).unwrap();

        assert_eq!(later.iter().map(|kill| kill.then).collect::<Vec<_>>(), [KillThen::Fail]);
        assert_eq!(store.kills(lease.job).unwrap(), []);
    }

    #[test]
    fn fault_132_a_request_is_for_the_attempt_that_runs_when_it_is_written() {
        let (mut store, lease) = one_that_runs();
        let end = change(lease.job, 1, UnitStatus::Running, UnitStatus::Failed);
        store.record(lease, &Batch::of(&[end])).unwrap();

        let found = store.request_kill(lease.job, Seq(1), KillThen::Skip, "hangs").unwrap();

        assert_eq!((found, store.kills(lease.job).unwrap()), (UnitStatus::Failed, vec![]));
        let expected = AttemptId { seq: Seq(1), revision: 0, attempt: 1, started_us: NOW.as_micros() };
        let (mut store, lease) = one_that_runs();
        store.request_kill(lease.job, Seq(1), KillThen::Skip, "hangs").unwrap();
        assert_eq!(store.kills(lease.job).unwrap()[0].attempt, expected);
    }
}
