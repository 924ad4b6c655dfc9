//! A host that somebody knows to be dead.

use super::connection::on_server;
use super::jobs::lock_job;
use super::{Store, StoreError, postgres};
use crate::model::JobId;

impl Store {
    /// Returns the jobs of which a host has a manager, or units that wait for it; none of a database that is used on one host.
    pub fn jobs_of_host(&mut self, host: &str) -> Result<Vec<JobId>, StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(Vec::new());
        }
        self.read("look for the host", |conn| postgres::jobs_of_host(conn, host))
    }

    /// Takes a job from the managers of a host, whatever their leases say, and gives its units to the others. Returns `true` if it had
    /// any of that.
    ///
    /// A manager that is alive after all writes nothing any more, and ends its units.
    pub fn lose_host(&mut self, job: JobId, host: &str) -> Result<bool, StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(false);
        }
        self.write("give up the host", |conn| {
            lock_job(conn, job)?;
            postgres::lose_host(conn, job, host)
        })
    }
}
