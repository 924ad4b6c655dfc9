//! When the units of a job ended and how long they took.

use super::{Client, ClientError, StoreError};
use crate::model::{Charts, Job, JobId, JobStatus, Lanes, Progress, Seq, Strips, Timestamp};

/// Jobs whose strips are drawn at once.
const MOST_STRIPS: usize = 300;
/// Units that are looked at for pictures of a job.
const MOST_UNITS: i64 = 10_000;

impl Client {
    /// Returns when the units of a job ended and how long they took, for pictures.
    ///
    /// Looks at 10,000 units at most, and at 5,000 failed ones, whatever the size of the job; [`Charts`] says how many it looked
    /// at. Nothing is kept for it, so the answer is also there for jobs of older versions.
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
        let through = begun(&row, claimed);
        let spread = self.store().spread_units(job, through, MOST_UNITS)?;
        let now = (row.status == JobStatus::Running).then(Timestamp::now);
        let failed = if progress.failed > 0 { self.store().failed_of_late(job)? } else { Vec::new() };
        let is_part = i64::try_from(failed.len()).is_ok_and(|counted| counted < progress.failed);
        let charts = Charts::of(&spread.ended, through, spread.counted, now).with_failures(&failed, is_part);
        let managers = self.store().managers(job);
        let on_server = self.store().has_several_managers();
        match managers {
            // On a server one that has nothing to do says so seldom, and another one looks whether it lives.
            Ok(managers) => Ok(charts.with_pauses(&managers, !on_server)),
            // The status of the job says so; here no more than its pauses are not known.
            Err(StoreError::DamagedRecord { .. }) => Ok(charts),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns who ran when in which worker slot of a job: its latest 2,000 ends, and what runs.
    ///
    /// Looks at 10,000 rows at most, those of the units with the highest numbers that have begun and of the latest attempts of the
    /// database; [`Lanes`] says whether there were ends before those. It is empty for units that ran with an older version.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// let lanes = client.lanes(client.find_job("last")?)?;
    /// println!("{} attempts in {} lanes", lanes.runs.len(), lanes.slots.len());
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn lanes(&self, job: JobId) -> Result<Lanes, ClientError> {
        let row = self.store().job(job)?;
        let claimed = self.store().claimed_through(job)?.0;
        Ok(self.store().lanes(job, Seq(begun(&row, claimed)), Timestamp::now())?)
    }

    /// Returns when units of some jobs ended, in pictures that stand beside their names, and of the whole database in the last 24 hours.
    ///
    /// Looks at 9,000 units at most, however many jobs there are and however large they are; jobs after the 300th are omitted.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// let strips = client.strips(&[client.find_job("last")?])?;
    /// println!("{} of them have a strip", strips.jobs.len());
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn strips(&self, jobs: &[JobId]) -> Result<Strips, ClientError> {
        Ok(self.store().strips(&jobs[..jobs.len().min(MOST_STRIPS)], Timestamp::now())?)
    }
}

/// Returns the number up to which units of a job have begun: all, where those of groups or of a canary that was drawn may be anywhere.
/// What a manager has claimed is written with its heartbeat, and may be behind.
fn begun(row: &Job, claimed: i64) -> i64 {
    let Progress { total, pending, .. } = row.progress;
    let is_anywhere = row.limits.groups.is_some() || row.limits.sample.is_some();
    if is_anywhere { total } else { claimed.max(total - pending).min(total) }
}
