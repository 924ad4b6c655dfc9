//! What a manager looks at again and again: whether its lease stands, what others have written, and what there is to do.
//!
//! In a file a look costs nothing while nobody has written. On a server it is one statement, and no more than that as long as
//! nothing has changed, because many managers look at the same time.

use std::time::Duration;

use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::jobs::job_row;
use super::lease::{Fence, Lease};
use super::{Store, StoreError, postgres};
use crate::model::{Reach, Timestamp};

impl Store {
    /// Makes sure that a lease stands, renews it when that is due, and returns what is new since an answer of the version `seen`;
    /// `reach` are the units that may run.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over; [`StoreError::WrongStatus`] when the job does not run any more.
    pub fn fence(&mut self, lease: Lease, seen: Option<i64>, reach: &Reach) -> Result<Fence, StoreError> {
        if on_server(&mut self.conn) {
            return self.fence_on_server(lease, seen, reach);
        }
        let (version, now) = (self.data_version()?, Timestamp::now());
        if seen == Some(version) {
            return Ok(Fence { version, job: None, share: None, now, work: None });
        }
        self.read("read the job", |conn| {
            let job = job_row(conn, lease.job)?;
            if job.epoch != lease.epoch {
                return Err(lease.fenced().into());
            }
            Ok(Fence { version, job: Some(job), share: None, now, work: None })
        })
    }

    fn fence_on_server(&mut self, lease: Lease, seen: Option<i64>, reach: &Reach) -> Result<Fence, StoreError> {
        let mut renewing = self.renewing();
        let renewal = renewing.due();
        let found = self.look_at("look at the job", |conn| postgres::look(conn, lease, reach, renewal))?;
        let Some(postgres::Look { version, now, mut work, renewed_at }) = found else {
            // Refused with the reason.
            let job = self.write_under(lease, "renew the lease", |_, job| Ok(job))?;
            return Err(StoreError::JobNotFound(job.id));
        };
        renewed_at.into_iter().for_each(|at| renewing.leave(at));
        renewing.succeed();
        if matches!(reach, Reach::Chosen(_)) {
            work.next_due = self.next_due(lease, reach.clone())?;
        }
        if seen == Some(version) {
            return Ok(Fence { version, job: None, share: None, now, work: Some(work) });
        }
        self.read("read the job", |conn| {
            let job = job_row(conn, lease.job)?;
            let share = job.limits.are_shared().then(|| postgres::share(conn, lease)).transpose()?;
            Ok(Fence { version, job: Some(job), share, now, work: Some(work) })
        })
    }

    /// Returns how much time passes between two looks of a manager, which may have nothing to do at present. On a server it is a
    /// round trip, and managers that have nothing to do are not to keep that busy.
    pub fn look_every(&mut self, is_idle: bool) -> Duration {
        match on_server(&mut self.conn) {
            false => Duration::ZERO,
            true if is_idle => Duration::from_secs(6),
            true => Duration::from_secs(1),
        }
    }

    /// Returns how much time passes between two heartbeats of a manager that has nothing else to record.
    pub fn beat_every(&mut self) -> Duration {
        self.look_every(true)
    }

    /// Returns the time by the clock of the server; none without one.
    pub fn server_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(None);
        }
        self.look_at("look at the clock", |conn| Ok(Some(postgres::time(conn)?)))
    }

    /// Runs one statement on a server, which is a transaction of its own.
    fn look_at<T>(
        &mut self,
        operation: &'static str,
        mut body: impl FnMut(&mut DbConnection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        #[cfg(feature = "postgres")]
        return self
            .persist(|store| body(&mut store.conn).map_err(|failure| failure.during(operation, &store.file.path)));
        #[cfg(not(feature = "postgres"))]
        body(&mut self.conn).map_err(|failure| failure.during(operation, &self.file.path))
    }
}
