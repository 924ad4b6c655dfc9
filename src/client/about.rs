//! What a job is, whatever has become of it: for those who find it in a list and have not made it.

use std::path::PathBuf;

use serde::Serialize;

use super::{Client, ClientError, ManagerStatus};
use crate::handler::line_of;
use crate::model::{Job, JobId, Limits, Timestamp, raw_path};

/// What a job is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AboutJob {
    /// Its command with placeholders, as it would be typed into a shell; none for a job of another handler, and where its settings
    /// cannot be read.
    pub command: Option<String>,
    /// Directory that its units work in.
    #[serde(with = "raw_path::optional")]
    pub directory: Option<PathBuf>,
    /// Program that is called when it ends.
    #[serde(with = "raw_path::optional")]
    pub hook: Option<PathBuf>,
    /// Who else is told of its first failure and its end or pause: `desktop`, or an address without its path, which may be a secret.
    pub notify: Option<String>,
    /// Idempotency key.
    pub key: Option<String>,
    /// Name of the code that runs its units.
    pub handler: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Bounds of its run.
    pub limits: Limits,
}

/// Where a job stands, and what it is.
#[derive(Debug, Clone, Serialize)]
pub struct StatusDocument {
    /// Where it stands.
    #[serde(flatten)]
    pub status: ManagerStatus,
    /// What it is.
    pub about: AboutJob,
}

impl Client {
    /// Returns where a job stands and what it is; see [`Client::get_manager_status`] and [`Client::about`].
    pub fn status_document(&self, job: JobId) -> Result<StatusDocument, ClientError> {
        let seen = self.snapshot(job)?;
        let mut status = seen.status();
        if let Some(groups) = &mut status.groups {
            groups.waiting = self.waiting_by_group(job)?;
        }
        Ok(StatusDocument { status, about: self.about(&seen.job) })
    }

    /// Returns what a job is. Of settings that cannot be read there is nothing: its status says why.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let about = client.about(&client.job(client.find_job("last")?)?);
    /// println!("{:?} in {:?}", about.command, about.directory);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn about(&self, job: &Job) -> AboutJob {
        let spec = self.command_settings(job).ok().flatten();
        let command = spec.as_ref().map(|spec| match (spec.shell, spec.argv.first()) {
            (true, Some(script)) => script.to_string_lossy().into_owned(),
            _ => line_of(&spec.argv),
        });
        let notify = spec.as_ref().and_then(|spec| Some(spec.notify.as_ref()?.to.shown()));
        let (directory, hook) = spec.map_or((None, None), |spec| (Some(spec.cwd), spec.hook));
        AboutJob {
            command,
            directory,
            hook,
            notify,
            key: job.key.clone(),
            handler: job.handler.clone(),
            created_at: job.created_at,
            limits: job.limits.clone(),
        }
    }
}
