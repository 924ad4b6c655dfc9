//! Who runs a job, where several hosts may.

use super::connection::on_server;
use super::{Store, StoreError, postgres};
use crate::model::{JobId, LeaseHolder, ManagerRecord};

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
