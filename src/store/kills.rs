//! Wishes of clients that one running unit shall end, as rows that name the attempt and its reign.

use diesel::prelude::*;

use super::error::Failure;
use super::metadata::put;
use super::schema::{jobs, metadata};
use super::{Reign, Store, StoreError};
use crate::model::{JobId, Kill};

/// Begins the keys of such rows.
const PREFIX: &str = "kill:";

impl Store {
    /// Leaves the wish that a unit which runs shall end; a later wish for the same unit replaces it.
    pub fn request_kill(&mut self, job: JobId, kill: &Kill) -> Result<(), StoreError> {
        self.write("ask the manager to end the unit", |conn| {
            let json = serde_json::to_string(kill).expect("a wish is made of words");
            put(conn, job, &format!("{PREFIX}{}", kill.seq), &json)?;
            diesel::update(jobs::table.find(job.0)).set(jobs::revision.eq(jobs::revision + 1)).execute(conn)?;
            Ok(())
        })
    }

    /// Returns the wishes for attempts of this reign; they stay until the next one begins.
    pub fn kills(&mut self, reign: Reign) -> Result<Vec<Kill>, StoreError> {
        self.read("read the wishes to end units", |conn| {
            let rows = metadata::table.filter(metadata::job_id.eq(reign.job.0)).filter(metadata::key.like("kill:%"));
            let wishes: Vec<String> = rows.select(metadata::value).load(conn)?;
            // One that cannot be read was written by a version that knows more than this one.
            let wishes = wishes.iter().filter_map(|wish| serde_json::from_str(wish).ok());
            Ok(wishes.filter(|kill: &Kill| kill.epoch == reign.epoch).collect())
        })
    }
}

/// Forgets the wishes of earlier reigns.
pub(super) fn forget(conn: &mut SqliteConnection, job: JobId) -> Result<(), Failure> {
    diesel::delete(metadata::table.filter(metadata::job_id.eq(job.0)).filter(metadata::key.like("kill:%")))
        .execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Epoch, KillThen, NewJob, NewUnit, Seq, Timestamp};
    use crate::store::{Access, CreateOutcome};
    use crate::sys::own_identity;

    #[test]
    fn a_wish_to_end_an_attempt_ends_with_the_reign_it_is_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
        let units = [NewUnit::new(&1).unwrap()];
        let created = store.create_job(&NewJob::new("job", "x"), &units, true, Timestamp::now()).unwrap();
        let CreateOutcome::Created(job) = created else { panic!("there was a job") };
        let identity = own_identity().unwrap();
        let mut reign = || store.begin_reign(job, &identity, "program".as_ref(), Timestamp::now()).unwrap().0;
        let (_, second) = (reign(), reign());
        let kill = |epoch| Kill { seq: Seq(1), attempt: 1, epoch, then: KillThen::Skip, reason: "hangs".to_owned() };

        store.request_kill(job, &kill(Epoch(1))).unwrap();
        assert_eq!(store.kills(second).unwrap(), []);
        store.request_kill(job, &kill(Epoch(2))).unwrap();
        assert_eq!(store.kills(second).unwrap(), [kill(Epoch(2))]);
        let (third, _) = store.begin_reign(job, &identity, "program".as_ref(), Timestamp::now()).unwrap();

        assert_eq!(store.kills(Reign { epoch: Epoch(2), ..third }).unwrap(), []);
    }
}
