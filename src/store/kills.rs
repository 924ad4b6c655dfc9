//! Requests of clients that one running unit shall end, as rows that name the attempt and its reign.
//!
//! A request is written in the transaction that reads which attempt runs, and is deleted once its manager has seen it: that
//! attempt is being ended then, or is over. No later attempt is meant by it.

use diesel::prelude::*;

use super::columns::{Word, count};
use super::error::Failure;
use super::metadata::put;
use super::schema::{jobs, metadata, units};
use super::{Reign, Store, StoreError};
use crate::model::{AttemptId, Epoch, JobId, Kill, KillThen, Seq, UnitId, UnitStatus};

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
            let row = units::table.find(UnitId::new(job, seq).raw());
            let (Word(status), revision, attempts, started_us): Running =
                row.select((units::status, units::revision, units::attempts, units::started_at)).first(conn)?;
            let Some(started_us) = started_us.filter(|_| status == UnitStatus::Running) else { return Ok(status) };
            let attempt = AttemptId { seq, revision, attempt: count(attempts), started_us };
            let epoch = Epoch(jobs::table.find(job.0).select(jobs::epoch).first(conn)?);
            let standing: Option<String> =
                metadata::table.find((job.0, key(seq))).select(metadata::value).first(conn).optional()?;
            // One that cannot be read was written by another version, for a manager of its own.
            let standing = standing.and_then(|request| serde_json::from_str::<Kill>(&request).ok());
            let is_cancelled = standing.is_some_and(|kill| kill.attempt == attempt && kill.then == KillThen::Cancel);
            if is_cancelled && then != KillThen::Cancel {
                return Ok(UnitStatus::Cancelled);
            }
            put(conn, job, &key(seq), &text(&Kill { attempt, epoch, then, reason: reason.to_owned() }))?;
            diesel::update(jobs::table.find(job.0)).set(jobs::revision.eq(jobs::revision + 1)).execute(conn)?;
            Ok(status)
        })
    }

    /// Returns the requests for attempts of this reign.
    pub fn kills(&mut self, reign: Reign) -> Result<Vec<Kill>, StoreError> {
        self.read("read the requests to end units", |conn| {
            let rows = metadata::table.filter(metadata::job_id.eq(reign.job.0)).filter(metadata::key.like("kill:%"));
            let requests: Vec<String> = rows.select(metadata::value).load(conn)?;
            // One that cannot be read was written by another version, for a manager of its own.
            let requests = requests.iter().filter_map(|request| serde_json::from_str(request).ok());
            Ok(requests.filter(|kill: &Kill| kill.epoch == reign.epoch).collect())
        })
    }

    /// Deletes requests that a manager has seen; those that came since then stay.
    pub fn forget_kills(&mut self, job: JobId, seen: &[Kill]) -> Result<(), StoreError> {
        self.write("forget the requests to end units", |conn| {
            for kill in seen {
                let row = metadata::table.find((job.0, key(kill.attempt.seq)));
                diesel::delete(row.filter(metadata::value.eq(text(kill)))).execute(conn)?;
            }
            Ok(())
        })
    }
}

/// Forgets the requests of earlier reigns.
pub(super) fn forget(conn: &mut SqliteConnection, job: JobId) -> Result<(), Failure> {
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
    use crate::store::Batch;
    use crate::store::conformance::{NOW, change, job_of, reign_over};

    /// A job of one unit that runs, and the reign under which it does.
    fn one_that_runs() -> (Store, Reign) {
        let mut store = Store::scratch().unwrap();
        let job = job_of(&mut store, 1);
        let reign = reign_over(&mut store, job);
        let start = change(job, 1, UnitStatus::Pending, UnitStatus::Running);
        store.record(reign, &Batch::of(&[start])).unwrap();
        (store, reign)
    }

    #[test]
    fn a_request_to_end_an_attempt_ends_with_the_reign_it_is_for() {
        let (mut store, reign) = one_that_runs();
        store.request_kill(reign.job, Seq(1), KillThen::Skip, "hangs").unwrap();
        assert_eq!(store.kills(reign).unwrap().len(), 1);

        let next = reign_over(&mut store, reign.job);

        assert_eq!((store.kills(next).unwrap(), store.kills(reign).unwrap()), (vec![], vec![]));
    }

    #[test]
    fn fault_132_a_request_that_was_seen_is_gone_and_a_later_one_is_not() {
        let (mut store, reign) = one_that_runs();
        store.request_kill(reign.job, Seq(1), KillThen::Skip, "hangs").unwrap();
        let seen = store.kills(reign).unwrap();
        store.request_kill(reign.job, Seq(1), KillThen::Fail, "hangs still").unwrap();

        store.forget_kills(reign.job, &seen).unwrap();
        let later = store.kills(reign).unwrap();
        store.forget_kills(reign.job, &later).unwrap();

        assert_eq!(later.iter().map(|kill| kill.then).collect::<Vec<_>>(), [KillThen::Fail]);
        assert_eq!(store.kills(reign).unwrap(), []);
    }

    #[test]
    fn fault_132_a_request_is_for_the_attempt_that_runs_when_it_is_written() {
        let (mut store, reign) = one_that_runs();
        let end = change(reign.job, 1, UnitStatus::Running, UnitStatus::Failed);
        store.record(reign, &Batch::of(&[end])).unwrap();

        let found = store.request_kill(reign.job, Seq(1), KillThen::Skip, "hangs").unwrap();

        assert_eq!((found, store.kills(reign).unwrap()), (UnitStatus::Failed, vec![]));
        let expected = AttemptId { seq: Seq(1), revision: 0, attempt: 1, started_us: NOW.as_micros() };
        let (mut store, reign) = one_that_runs();
        store.request_kill(reign.job, Seq(1), KillThen::Skip, "hangs").unwrap();
        assert_eq!(store.kills(reign).unwrap()[0].attempt, expected);
    }
}
