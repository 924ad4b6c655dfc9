//! What was asked for and a job that is there already does not take over.
//!
//! What changes what runs is refused when it differs. The rest is the job's own, and must not be dropped in silence.

use super::error::SubmissionError;
use crate::client::{Client, ClientError, Created};
use crate::model::{Job, JobId, NewJob, Remark};
use crate::source::Notes;

/// Which options were given of those that have a value in every job.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// A name.
    pub name: bool,
    /// A number of workers.
    pub workers: bool,
    /// An order of the units.
    pub order: bool,
}

/// Remarks on what was asked for and a job that is there already does not take over.
pub(super) fn note_kept(
    notes: &Notes,
    client: &Client,
    created: Created,
    new: &NewJob,
    asked: Asked,
) -> Result<(), SubmissionError> {
    if let Some(remark) = not_applied(client, created.job, new, asked)? {
        notes.say(remark);
    }
    Ok(())
}

/// Returns the remark that names what a job of the same key does not take over from a request; none when it has all of it.
fn not_applied(client: &Client, job: JobId, new: &NewJob, asked: Asked) -> Result<Option<Remark>, ClientError> {
    let row = client.job(job)?;
    let labels = client.labels(job)?;
    let mut names = limits(&row, new, asked);
    let isolation = client.store().isolation(job)?;
    let others = [
        ("name", asked.name && new.name != row.name),
        ("label", new.labels.iter().any(|(name, value)| labels.get(name) != Some(value))),
        ("order", asked.order),
        ("escape-ci", new.isolation.escape_ci && !isolation.escape_ci),
        ("scope", new.isolation.scope && !isolation.scope),
    ];
    names.extend(others.into_iter().filter_map(|(name, is_other)| is_other.then_some(name)));
    Ok((!names.is_empty()).then(|| Remark::NotApplied { job, names: names.join(", ") }))
}

/// Names the limits that say when units run, and that were asked for and are others than those of the job.
fn limits(job: &Job, new: &NewJob, asked: Asked) -> Vec<&'static str> {
    let (old, new) = (&job.limits, &new.limits);
    let (old_start, start) = (&old.start, &new.start);
    let all = [
        ("workers", asked.workers && new.workers != old.workers),
        ("adapt", new.adapt.is_some() && new.adapt != old.adapt),
        ("rate", new.rate.is_some() && new.rate != old.rate),
        ("memfree", start.memfree.is_some() && start.memfree != old_start.memfree),
        ("load", start.load.is_some() && start.load != old_start.load),
        ("diskfree", !start.diskfree.is_empty() && start.diskfree != old_start.diskfree),
        ("window", start.window.is_some() && start.window != old_start.window),
        ("not-before", start.not_before.is_some() && start.not_before != old_start.not_before),
        ("after", new.after.is_some() && new.after != old.after),
    ];
    all.into_iter().filter_map(|(name, is_other)| is_other.then_some(name)).collect()
}
