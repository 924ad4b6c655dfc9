//! What failed units have in common.

use super::{Client, ClientError};
use crate::model::{FailureCluster, JobId, Seq};

/// Kinds of failures that are distinguished; what comes beyond them is counted together.
const MAX_CLUSTERS: usize = 10_000;

impl Client {
    /// Groups the failed units of a job by why they failed, the most frequent kind first.
    ///
    /// Errors that differ in numbers, ids, paths, addresses, times or quoted text only are of one kind; an error that is
    /// nothing but an exit code is distinguished by the last line of standard error. The same failure has the same id in
    /// every job; [`UnitFilter::of_cluster`](crate::model::UnitFilter::of_cluster) selects its units.
    ///
    /// Counts by an index, whatever the number of units. A job with more than ten thousand kinds gets one more cluster,
    /// without an id, for all that is left over.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for cluster in client.failures(client.find_job("last")?)? {
    ///     println!("{} units: {}", cluster.count, cluster.text);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn failures(&self, job: JobId) -> Result<Vec<FailureCluster>, ClientError> {
        self.store().job(job)?;
        Ok(self.store().failures(job, MAX_CLUSTERS)?)
    }

    /// Returns the same of the units of one group; none of a group that the job does not have.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for cluster in client.failures_of_group(client.find_job("last")?, "example.com")? {
    ///     println!("{} units of that host: {}", cluster.count, cluster.text);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn failures_of_group(&self, job: JobId, group: &str) -> Result<Vec<FailureCluster>, ClientError> {
        self.store().job(job)?;
        Ok(self.store().failures_of_group(job, group, MAX_CLUSTERS)?)
    }

    /// Returns up to `limit` failed units and why each failed, those with the highest numbers first, at a cost that does not
    /// depend on how many there are.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for (seq, error) in client.last_failures(client.find_job("last")?, 5)? {
    ///     println!("{seq}: {error}");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn last_failures(&self, job: JobId, limit: i64) -> Result<Vec<(Seq, String)>, ClientError> {
        Ok(self.store().last_failures(job, limit)?)
    }
}
