//! Starting the manager of a job on this host, unless the host cannot run it.

use std::time::Instant;

use super::event::WorkEvent;
use super::host::{Host, LONGEST_PAUSE, is_passing};
use crate::client::{Client, ClientError, StartError, Started};
use crate::model::{Job, JobId, JobStatus, Limits, ManagerState, Timestamp, chain};
use crate::sys::{self, LockProbe, ProcessEnd, ProcessVerdict, verify_process};

impl Host<'_> {
    /// Starts a manager of a job if it has none here and one is of use.
    pub fn start_here(&mut self, row: &Job) {
        let (client, workers) = (self.client, self.options.workers);
        let started = match self.is_wanted(row) {
            Ok(false) => return,
            Ok(true) => client.start_share(row, workers),
            Err(error) => Err(error),
        };
        let Ok(watched) = self.watched(row) else { return };
        let event = match started {
            Ok(started) => {
                (watched.lives, watched.refused, watched.began) = (true, None, Instant::now());
                watched.process = started.pid().and_then(ProcessEnd::of);
                watched.is_own = matches!(started, Started::Ready { .. });
                WorkEvent::Started { job: row.id, pid: started.pid() }
            }
            // It was stopped, or has ended, since it was looked for.
            Err(_) if !client.is_under_way(row.id) => return watched.pause(false),
            Err(error) => {
                let (reason, is_lasting) = (chain(&error), is_of_host(&error));
                let is_told = watched.refused.as_ref().is_some_and(|before| chain(before) == reason);
                watched.pause(true);
                if is_lasting {
                    watched.not_before = Instant::now() + LONGEST_PAUSE;
                    watched.refused = Some(error);
                }
                if is_told {
                    return;
                }
                if is_lasting && let Err(error) = client.refuse_share(row, &reason) {
                    (self.tell)(WorkEvent::Failed { job: row.id, reason: chain(&error) });
                }
                WorkEvent::Failed { job: row.id, reason }
            }
        };
        (self.tell)(event);
    }

    fn is_wanted(&mut self, row: &Job) -> Result<bool, ClientError> {
        let client = self.client;
        let watched = self.watched(row)?;
        if watched.lives && watched.process.is_none() {
            watched.process = client.manager_process(row.id);
        }
        if watched.lives || Instant::now() < watched.not_before {
            return Ok(false);
        }
        // One that somebody else has started.
        if LockProbe::of(&watched.context.files.lock()) == LockProbe::Held {
            (watched.lives, watched.is_cleared) = (true, false);
            watched.process = client.manager_process(row.id);
            watched.began = Instant::now();
            return Ok(false);
        }
        // A job that is being stopped needs nobody but for those that died before they were.
        if row.stop_request.is_none() {
            return Ok(true);
        }
        let others = client.store().managers(row.id)?;
        Ok(others.iter().all(|manager| manager.state != ManagerState::Live))
    }
}

impl Client {
    /// Starts a manager of a job on this host, of no more than so many workers, whoever runs the job elsewhere.
    fn start_share(&self, row: &Job, workers: Option<usize>) -> Result<Started, ClientError> {
        self.refuse_other_owner()?;
        self.refuse_without_secrets(row)?;
        if let Some(spec) = self.command_settings(row)? {
            let needed = [Some(spec.cwd), spec.program].into_iter().flatten();
            if let Some(path) = needed.into_iter().find(|path| path.is_absolute() && !path.exists()) {
                return Err(StartError::HostLacks { job: row.id, path }.into());
            }
        }
        let record = self.store().manager_record(row.id)?;
        self.launch(row, record.as_ref(), Some(workers.unwrap_or(Limits::MAX_WORKERS)))
    }

    /// Returns `true` unless a job does not run, and is not to be started, by now.
    fn is_under_way(&self, job: JobId) -> bool {
        let status = self.store().job(job).map(|row| row.status);
        // What goes wrong here says nothing about the job.
        status.map_or(true, |status| matches!(status, JobStatus::Running | JobStatus::Created))
    }

    /// Returns the process of the manager of a job on this host, if it can be seen.
    fn manager_process(&self, job: JobId) -> Option<ProcessEnd> {
        // Where that cannot be read, its lock tells whether it lives.
        let record = self.store().manager_here(job).ok()??;
        // In this order: the number may belong to another process by now.
        let process = ProcessEnd::of(record.identity.pid);
        process.filter(|_| verify_process(&record.identity) == ProcessVerdict::Alive)
    }

    /// Notes that a job cannot run on this host.
    fn refuse_share(&self, row: &Job, reason: &str) -> Result<(), ClientError> {
        let identity = sys::own_identity().map_err(ClientError::files("identify", "/proc/self"))?;
        let program = sys::own_executable();
        Ok(self.store().refuse_here(row.id, &identity, &program, reason, Timestamp::now())?)
    }
}

/// Returns `true` for what keeps a job from running on this host, and not from running at all.
fn is_of_host(error: &ClientError) -> bool {
    match error {
        ClientError::SecretsMissing { .. } => true,
        ClientError::Start(StartError::ManagerDied { .. } | StartError::StartTimedOut { .. }) => false,
        ClientError::Start(_) => !is_passing(error),
        _ => false,
    }
}
