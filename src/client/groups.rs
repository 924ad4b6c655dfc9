//! Groups of a job's units: which bounds there may be, and what is changed of one of them.

use super::{Client, ClientError, LimitError};
use crate::handler::Grouping;
use crate::model::{JobId, Limits, WaitingGroup};

/// Refuses groups that no job can have, or bounds that would never hold.
pub(super) fn check_groups(limits: &Limits) -> Result<(), ClientError> {
    let (Some(groups), Some(grouping)) = (&limits.groups, Grouping::of(limits)?) else { return Ok(()) };
    if grouping.is_literal() {
        return Err(LimitError::OneGroup { by: groups.by.clone() }.into());
    }
    match groups.most {
        Some(most) if !(1..=limits.workers).contains(&most) => {
            Err(LimitError::PerGroupOutOfRange { most, workers: limits.workers }.into())
        }
        _ if groups.max_failures == Some(0) => Err(LimitError::NoGroupStarts.into()),
        _ => Ok(()),
    }
}

/// Refuses changes of how units are grouped: those that are there have their groups.
pub(super) fn check_changed_groups(before: &Limits, limits: &Limits) -> Result<(), ClientError> {
    let by = |limits: &Limits| limits.groups.as_ref().map(|groups| groups.by.clone());
    if before.groups == limits.groups {
        return Ok(());
    }
    if by(before) != by(limits) {
        return Err(LimitError::OtherGroups.into());
    }
    check_groups(limits)
}

impl Client {
    /// Returns the first names of a job's groups that begin with a text, `most` at most; none of a job without groups.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let names = client.groups_begun(client.find_job("last")?, "example.", 50)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn groups_begun(&self, job: JobId, begun: &str, most: i64) -> Result<Vec<String>, ClientError> {
        Ok(self.store().groups_begun(job, begun, most)?)
    }

    /// Returns how many units wait for their first attempt, of the first 50 groups of a job; up to 200 of each are counted.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// for group in client.waiting_by_group(client.find_job("last")?)? {
    ///     println!("{} of {} wait", group.waiting, group.name);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn waiting_by_group(&self, job: JobId) -> Result<Vec<WaitingGroup>, ClientError> {
        Ok(self.store().waiting_by_group(job)?)
    }

    /// Lets so many units of some groups of a job run at the same time, whatever the limit of the others is; one without a number has
    /// that again. A running manager takes it up within a fraction of a second.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.limit_groups(client.find_job("last")?, &[("example.com".to_owned(), Some(1))])?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When the job has ended, no unit of it is in one of the groups, or a number is 0 or above the job's workers; nothing is changed
    /// then.
    pub fn limit_groups(&self, job: JobId, limits: &[(String, Option<usize>)]) -> Result<(), ClientError> {
        let row = self.job(job)?;
        if row.status.is_terminal() {
            return Err(ClientError::WrongStatus { operation: "change", job, status: row.status });
        }
        let workers = row.limits.workers;
        if let Some(most) = limits.iter().filter_map(|(_, most)| *most).find(|most| !(1..=workers).contains(most)) {
            return Err(LimitError::PerGroupOutOfRange { most, workers }.into());
        }
        Ok(self.store().limit_groups(job, limits)?)
    }
}
