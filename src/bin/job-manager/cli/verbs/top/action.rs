//! What a key can ask for, and how it is done.

use std::path::Path;

use job_manager::client::{Client, ClientError, ManagerProgram, SEARCH_TIME, Started, StopOptions};
use job_manager::failures::ClusterId;
use job_manager::model::{JobId, KillThen, Seq, UnitFilter, UnitStatus};
use job_manager::text::counted;

const REASON: &str = "cancelled on request";
const KILLED: &str = "ended on request";

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Leave,
    Stop(JobId),
    Resume(JobId),
    Cancel(JobId),
    Approve(JobId),
    /// Have so many units run at a time.
    Workers(JobId, usize),
    /// End a unit that runs, which fails.
    Kill(JobId, Seq),
    /// Try those again that failed as this unit did, or all that failed.
    Retry(JobId, Option<Seq>),
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
            Self::Workers(job, workers) => format!("setting job {job} to {} …", counted(workers, "worker")),
            Self::Kill(job, seq) => format!("ending unit {job}:{seq} …"),
            Self::Retry(job, None) => format!("retrying the failed units of job {job} …"),
            Self::Retry(job, Some(seq)) => format!("retrying what failed like unit {job}:{seq} …"),
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
            Self::Workers(job, workers) => {
                let limits = client.set_limits(job, |limits| limits.set_workers(workers))?;
                format!("job {job} has {}", counted(limits.workers, "worker"))
            }
            Self::Kill(job, seq) => {
                client.kill_unit(job, seq, KillThen::Fail, KILLED)?;
                format!("unit {job}:{seq} was asked to end")
            }
            Self::Retry(job, seq) => retry(&client, job, seq)?,
        })
    }
}

/// Sends failed units back, and starts a job again that had ended, as `retry` does.
fn retry(client: &Client, job: JobId, like: Option<Seq>) -> Result<String, ClientError> {
    let failed = UnitFilter::with_status(UnitStatus::Failed);
    let filter = match like {
        None => failed,
        Some(seq) => match cluster_of(client, job, seq)? {
            Some(kind) => UnitFilter { cluster: Some(kind), ..failed },
            // No other unit is like one whose failure has no kind, or that no longer stands as failed.
            None => UnitFilter { statuses: failed.statuses, ..UnitFilter::one(seq) },
        },
    };
    let had_ended = client.job(job)?.status.is_terminal();
    if had_ended {
        client.check_start(job)?;
    }
    let swept = client.retry_units_within(job, &filter, Some(SEARCH_TIME))?;
    let again = format!("{} pending again", counted(swept.changed, "unit"));
    if had_ended && swept.changed > 0 {
        return Ok(format!("{again}, {}", started(job, client.start_detached(job)?)));
    }
    Ok(again)
}

/// Returns the kind of failure of a unit.
fn cluster_of(client: &Client, job: JobId, seq: Seq) -> Result<Option<ClusterId>, ClientError> {
    for kind in client.failures(job)?.into_iter().filter_map(|kind| kind.id) {
        let filter = UnitFilter { cluster: Some(kind), ..UnitFilter::one(seq) };
        if !client.units(job, &filter, None, 1)?.is_empty() {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

fn started(job: JobId, started: Started) -> String {
    match started {
        Started::Ready { pid, .. } => format!("job {job} goes on, its manager is process {pid}"),
        Started::Already { .. } => format!("job {job} has a manager already"),
    }
}
