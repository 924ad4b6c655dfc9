//! When the units of a job ended and how long they took.

use super::{Client, ClientError};
use crate::model::{Charts, JobId, JobStatus, Timestamp};

/// Units that are looked at for pictures of a job.
const MOST_UNITS: i64 = 10_000;

impl Client {
    /// Returns when the units of a job ended and how long they took, for pictures.
    ///
    /// Looks at 10,000 units at most, whatever the size of the job; [`Charts`] says how many it looked at. Nothing is kept
    /// for it, so the answer is also there for jobs of older versions.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// let charts = client.charts(client.find_job("last")?)?;
    /// println!("half of the units took at most {:?} s", charts.p50_seconds);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn charts(&self, job: JobId) -> Result<Charts, ClientError> {
        let row = self.store().job(job)?;
        let claimed = self.store().claimed_through(job)?.0;
        let progress = row.progress;
        let begun = progress.total - progress.pending;
        // Units of a canary may be anywhere, and so may those of several hosts.
        let through = if claimed >= begun { claimed.min(progress.total) } else { progress.total };
        let spread = self.store().spread_units(job, through, MOST_UNITS)?;
        let now = (row.status == JobStatus::Running).then(Timestamp::now);
        Ok(Charts::of(&spread.ended, through, spread.counted, now))
    }
}
