//! Who runs a job, where several hosts may.

use std::path::Path;
use std::time::Duration;

use super::connection::on_server;
use super::{Store, StoreError, postgres};
use crate::model::{JobId, LeaseHolder, Limits, ManagerRecord};

/// Returns `true` if a path names a database on a server.
pub fn is_on_server(path: &Path) -> bool {
    #[cfg(feature = "postgres")]
    return postgres::is_one(path);
    #[cfg(not(feature = "postgres"))]
    {
        let _ = path;
        false
    }
}

impl Store {
    /// Returns what the latest manager of a job at this place of its database said about itself: other hosts have managers of
    /// their own.
    ///
    /// # Errors
    /// Those of [`Store::manager_record`].
    pub fn manager_here(&mut self, job: JobId) -> Result<Option<ManagerRecord>, StoreError> {
        let record = self.manager_record(job)?;
        let is_elsewhere =
            |record: &ManagerRecord| record.database.as_ref().is_none_or(|it| !it.is_same_file(&self.file));
        let on_server = on_server(&mut self.conn);
        Ok(record.filter(|record| !on_server || !is_elsewhere(record)))
    }

    /// Returns how long a lease on a job with those limits is; none of a database that has no leases.
    pub fn lease_length(&mut self, limits: &Limits) -> Option<Duration> {
        on_server(&mut self.conn).then(|| postgres::lease_length(limits))
    }

    /// Returns `true` if a job may have managers on several hosts at the same time.
    pub fn has_several_managers(&mut self) -> bool {
        on_server(&mut self.conn)
    }

    /// Returns the managers of a job that have a lease, or had one that nobody has taken over; none of a database that has no
    /// leases, because it is used on one host.
    pub fn lease_holders(&mut self, job: JobId) -> Result<Option<Vec<LeaseHolder>>, StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(None);
        }
        let found = self.read("read who runs the job", |conn| postgres::holders(conn, &[job]))?;
        Ok(Some(found.into_values().next().unwrap_or_default()))
    }
}
