//! Cancelling jobs of which no manager runs any more or yet, however many units they have.
//!
//! A call is answered when the decision is durable: nobody starts the job from then on. Its units are cancelled in one transaction, which the
//! call waits for as long as hosts wait for any answer; it goes on after that. A server that ends in the middle of it leaves the decision,
//! and the next `cancel_job` does the rest.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use job_manager::client::{Client, ClientError};
use job_manager::model::JobId;

use super::status_answer::done_answer;
use super::{Answer, JobGiven, Jobs, ToolError};

/// How long a call waits for the units to be cancelled.
const LONGEST: Duration = Duration::from_millis(600);

/// Decides that a job is cancelled, and has `cancel` do it.
pub(super) fn cancel(
    jobs: &Jobs,
    (client, job): (Client, JobId),
    reason: String,
    done: &str,
    cancel: fn(&Client, JobId, &str) -> Result<(), ClientError>,
) -> Result<Answer, ToolError> {
    client.request_cancel(job, &reason)?;
    let (tell, told) = sync_channel(1);
    // Not one of those that answer calls: it outlives its own.
    std::thread::spawn(move || {
        // Nobody may listen any more; what is left is seen in the database.
        drop(tell.send(cancel(&client, job, &reason)));
    });
    let done = match told.recv_timeout(LONGEST) {
        Ok(cancelled) => {
            cancelled?;
            done.to_owned()
        }
        Err(RecvTimeoutError::Timeout) => {
            "It is decided that the job is cancelled, and nobody starts it any more; to cancel its units takes a while."
                .to_owned()
        }
        Err(RecvTimeoutError::Disconnected) => return Err(ToolError::Panicked("cancel".to_owned())),
    };
    let (client, job) = jobs.of(&JobGiven::Number(job.0))?;
    done_answer(&client, job, &done, ())
}
