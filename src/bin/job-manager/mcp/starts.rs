//! Calls that start jobs, and what becomes of a job whose call is cancelled.
//!
//! A host that cancels a call reads no answer to it: the job would run without anybody who knows of it. So it is stopped, also when the answer was
//! on its way already, and the next answer to another call names it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use job_manager::client::{Client, ClientError, StopOptions};
use job_manager::model::{Job, JobId, JobStatus};
use rmcp::model::RequestId;

/// Calls that are remembered, for hosts that cancel one whose answer crosses.
const REMEMBERED: usize = 64;

/// The calls of a conversation that start jobs, and what is to be said of those that were cancelled.
#[derive(Default)]
pub(super) struct Starts {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    calls: VecDeque<(RequestId, Start)>,
    notes: Vec<String>,
    /// What answers to calls that started jobs said, as a host that cancels such a call does not read it.
    said: VecDeque<(RequestId, Vec<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    UnderWay,
    Cancelled,
    Started(JobId),
}

impl Starts {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes down that a call was cancelled; returns the job that it has started already.
    pub fn cancel(&self, call: &RequestId) -> Option<JobId> {
        let mut known = self.known();
        if let Some(place) = known.said.iter().position(|(number, _)| number == call) {
            let unread = known.said.remove(place).map(|(_, notes)| notes).unwrap_or_default();
            known.notes.splice(0..0, unread);
        }
        let (_, start) = known.calls.iter_mut().find(|(number, _)| number == call)?;
        match std::mem::replace(start, Start::Cancelled) {
            Start::Started(job) => Some(job),
            Start::UnderWay | Start::Cancelled => None,
        }
    }

    /// Returns the job that a call has started.
    pub fn started_by(&self, call: &RequestId) -> Option<JobId> {
        self.known().calls.iter().find(|(number, _)| number == call).and_then(|(_, start)| match start {
            Start::Started(job) => Some(*job),
            Start::UnderWay | Start::Cancelled => None,
        })
    }

    /// Takes down what the next answer has to say.
    fn note(&self, note: String) {
        self.known().notes.push(note);
    }

    /// Returns what the answer to a call has to say besides what it was asked for, once, unless that call is cancelled.
    pub fn take_notes(&self, call: &RequestId) -> Vec<String> {
        let mut known = self.known();
        let notes = std::mem::take(&mut known.notes);
        if !notes.is_empty() && known.calls.iter().any(|(number, _)| number == call) {
            known.said.push_back((call.clone(), notes.clone()));
            if known.said.len() > REMEMBERED {
                known.said.pop_front();
            }
        }
        notes
    }

    /// Stops a job whose call was cancelled.
    pub fn stop(&self, client: &Client, job: JobId) -> Result<(), ClientError> {
        let asked = client.stop_manager(job, StopOptions { now: true, grace: None });
        let job = client.job(job)?;
        let became = match &asked {
            Ok(_) => "it was stopped; resume_job runs it, cancel_job ends it".to_owned(),
            Err(error) if job.status == JobStatus::Running => format!("it runs, as it cannot be stopped: {error}"),
            Err(_) => format!("it is {}", job.status.to_string().replace('_', " ")),
        };
        self.note(format!("{}: {became}.", of(&job)));
        Ok(())
    }
}

/// Names a job whose call was cancelled.
fn of(job: &Job) -> String {
    format!("A call of start_batch was cancelled that has created job {} ({})", job.id, job.name)
}

/// One call, which may start a job.
#[derive(Clone)]
pub(super) struct StartCall {
    starts: Arc<Starts>,
    number: RequestId,
}

impl StartCall {
    pub fn new(starts: &Arc<Starts>, number: &RequestId) -> Self {
        Self { starts: Arc::clone(starts), number: number.clone() }
    }

    /// Takes the call down before its work begins; one that was cancelled before sees that by itself.
    pub fn begin(&self) {
        let mut known = self.starts.known();
        known.calls.retain(|(number, _)| *number != self.number);
        known.calls.push_back((self.number.clone(), Start::UnderWay));
        if known.calls.len() > REMEMBERED
            && let Some(oldest) = known.calls.iter().position(|(_, start)| *start != Start::UnderWay)
        {
            known.calls.remove(oldest);
        }
    }

    /// Forgets the call, which has started nothing.
    pub fn forget(&self) {
        self.starts.known().calls.retain(|(number, _)| *number != self.number);
    }

    /// Returns `true` if the job that the call has created is to be left alone, as the call was cancelled.
    pub fn leaves(&self, job: &Job) -> bool {
        let was_cancelled = self.state() == Some(Start::Cancelled);
        if was_cancelled {
            self.starts.note(format!("{}: it was not started; resume_job starts it, cancel_job ends it.", of(job)));
        }
        was_cancelled
    }

    /// Takes down which job the call has started, and stops it when the call was cancelled meanwhile.
    pub fn started(&self, client: &Client, job: JobId) -> Result<(), ClientError> {
        {
            let mut known = self.starts.known();
            match known.calls.iter_mut().find(|(number, _)| *number == self.number) {
                Some((_, start @ Start::UnderWay)) => {
                    *start = Start::Started(job);
                    return Ok(());
                }
                Some((_, Start::Cancelled)) => {}
                Some((_, Start::Started(_))) | None => return Ok(()),
            }
        }
        self.starts.stop(client, job)
    }

    fn state(&self) -> Option<Start> {
        let known = self.starts.known();
        known.calls.iter().find(|(number, _)| *number == self.number).map(|(_, start)| *start)
    }
}
