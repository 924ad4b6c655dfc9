//! What a key can ask for, and how it is done.

use std::path::Path;

use job_manager::client::{Client, ClientError, ManagerProgram, Started, StopOptions};
use job_manager::model::JobId;

const REASON: &str = "cancelled on request";

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Leave,
    Stop(JobId),
    Resume(JobId),
    Cancel(JobId),
    Approve(JobId),
}

impl Action {
    /// Says what is about to happen.
    pub fn announcement(self) -> String {
        match self {
            Self::Leave => String::new(),
            Self::Stop(job) => format!("stopping job {job}: running units finish first …"),
            Self::Resume(job) => format!("starting job {job} …"),
            Self::Cancel(job) => format!("cancelling job {job} …"),
            Self::Approve(job) => format!("approving job {job} …"),
        }
    }

    /// Does it, through a client that may write, and says what came of it.
    pub fn carry_out(self, db: &Path) -> Result<String, ClientError> {
        let client = Client::open(db)?.with_program(ManagerProgram::OfJob);
        Ok(match self {
            Self::Leave => String::new(),
            Self::Stop(job) => {
                client.stop_manager(job, StopOptions::default())?;
                format!("job {job} was asked to stop")
            }
            Self::Cancel(job) => {
                client.cancel_job(job, REASON)?;
                format!("job {job} was asked to cancel what has not ended")
            }
            Self::Resume(job) => started(job, client.resume_job(job)?),
            Self::Approve(job) => started(job, client.approve_job(job)?),
        })
    }
}

fn started(job: JobId, started: Started) -> String {
    match started {
        Started::Ready { pid, .. } => format!("job {job} goes on, its manager is process {pid}"),
        Started::Already { .. } => format!("job {job} has a manager already"),
    }
}
