//! Batches as tasks, for hosts that declare the extension `io.modelcontextprotocol/tasks`.
//!
//! A task is a job, and its id the job's uid. Nothing is kept here, so every server of the database answers for it, also when the one
//! that created it is gone. Hosts that do not declare the extension get the plain answer of `start_batch`, and the library of the
//! protocol refuses them the rest.
//!
//! Known weaknesses: a job that has ended runs again after a retry, and so does its task. Hosts have to look at a task again and again:
//! the library cannot send the notification of one yet.

use std::sync::Arc;
use std::time::Duration;

use job_manager::client::{Client, Snapshot};
use job_manager::model::{Job, JobId, JobStatus, Timestamp};
use rmcp::RoleServer;
use rmcp::model::{
    CreateTaskResult, DetailedTask, ElicitResult, ElicitationAction, ErrorData, GetTaskResult, InputRequests,
    InputResponses, JsonObject, ProtocolVersion, Task, TaskPayload, TaskStatus,
};
use rmcp::service::RequestContext;
use serde_json::json;

use super::ToolError;
use super::allowed::Refused;
use super::jobs::{JobGiven, Jobs};
use super::questions::{can_ask, request_of};
use super::sentence::sentence;
use super::tool::Entry;
use super::tools::ended_answer;

/// How often a host is asked to look at a job that runs, and at one that waits for somebody.
const OFTEN: Duration = Duration::from_secs(2);
const SELDOM: Duration = Duration::from_secs(15);

/// Why a job ends whose task the host cancels, or whose other units the person does not want.
const CANCELLED: &str = "the host cancelled the task";
const DECLINED: &str = "the person declined";

/// Returns `true` if a host takes a task for an answer; some of an older revision declare the extension and do not.
pub(super) fn are_taken(context: &RequestContext<RoleServer>) -> bool {
    let is_new = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    is_new && context.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks())
}

/// Returns the task of a job that has just been started, with what was said about that.
pub(super) fn begun(jobs: &Jobs, job: JobId, said: &str) -> Result<CreateTaskResult, ToolError> {
    let (client, job) = jobs.of(&JobGiven::Number(job.0))?;
    Ok(CreateTaskResult::new(task_of(&client.job(job)?, TaskStatus::Working, said)))
}

/// The tasks, as one request can look at them.
pub(super) struct Tasks {
    tools: Arc<[Entry]>,
    jobs: Jobs,
    /// Whether the host can ask its person.
    asks: bool,
}

impl Tasks {
    pub fn new(tools: &Arc<[Entry]>, jobs: Jobs, context: &RequestContext<RoleServer>) -> Self {
        Self { tools: Arc::clone(tools), jobs, asks: can_ask(context) }
    }

    /// Reads a task.
    pub fn read(&self, id: &str) -> Result<GetTaskResult, ErrorData> {
        let (client, job) = self.find(id)?;
        let seen = client.snapshot(job.id).map_err(|error| failed(&error.into()))?;
        let payload = match seen.job.status {
            JobStatus::AwaitingApproval => match self.questions(&seen.job) {
                Some(input_requests) => TaskPayload::InputRequired { input_requests },
                None => TaskPayload::Working,
            },
            JobStatus::Completed | JobStatus::Failed => TaskPayload::Completed { result: result(&seen) },
            JobStatus::Cancelled => TaskPayload::Cancelled,
            JobStatus::Partial | JobStatus::Created | JobStatus::Running | JobStatus::Paused => TaskPayload::Working,
        };
        let task = task_of(&seen.job, payload.status(), &sentence(&seen, &seen.status()));
        Ok(GetTaskResult::new(DetailedTask::new(task, payload)))
    }

    /// Takes what the person answered; answers to other questions than the open one are passed over.
    pub fn update(&self, id: &str, answers: &InputResponses) -> Result<(), ErrorData> {
        self.refuse_changes()?;
        let (_, job) = self.find(id)?;
        let answer = answers.get(&question_name(&job)).filter(|_| job.status == JobStatus::AwaitingApproval);
        let Some(answer) = answer else { return Ok(()) };
        let answer: ElicitResult = serde_json::from_value(answer.clone())
            .map_err(|error| ErrorData::invalid_params(format!("the answer does not fit: {error}"), None))?;
        let mut given = about(&job);
        let tool = match answer.action {
            ElicitationAction::Accept => "approve_job",
            ElicitationAction::Decline => {
                given.insert("reason".to_owned(), json!(DECLINED));
                "reject_job"
            }
            // Nobody has decided.
            _ => return Ok(()),
        };
        self.tool(tool).answer(&self.jobs, &given).map(drop).map_err(|error| failed(&error))
    }

    /// Cancels the job of a task; one that has ended stays as it is.
    pub fn cancel(&self, id: &str) -> Result<(), ErrorData> {
        self.refuse_changes()?;
        let (_, job) = self.find(id)?;
        if job.status.is_terminal() {
            return Ok(());
        }
        let mut given = about(&job);
        given.insert("reason".to_owned(), json!(CANCELLED));
        self.tool("cancel_job").answer(&self.jobs, &given).map(drop).map_err(|error| failed(&error))
    }

    /// Returns what the person is asked about a job that waits for approval, where that is possible and would help.
    fn questions(&self, job: &Job) -> Option<InputRequests> {
        let may_ask = self.asks && !self.jobs.allowed().is_read_only();
        let question = may_ask.then(|| self.tool("approve_job").question(&self.jobs, &about(job)))??;
        Some(InputRequests::from([(question_name(job), request_of(&question).ok()?)]))
    }

    fn tool(&self, name: &str) -> &Entry {
        self.tools.iter().find(|tool| tool.description.name == name).expect("the tool is in the list")
    }

    fn refuse_changes(&self) -> Result<(), ErrorData> {
        let refused = || ErrorData::invalid_request(Refused::ReadOnly.to_string(), None);
        if self.jobs.allowed().is_read_only() { Err(refused()) } else { Ok(()) }
    }

    fn find(&self, id: &str) -> Result<(Client, Job), ErrorData> {
        let found = self.jobs.of(&JobGiven::Words(id.to_owned())).and_then(|(client, job)| {
            let job = client.job(job)?;
            Ok((client, job))
        });
        match found {
            // A name, a number or the beginning of a uid is a job elsewhere, and no task.
            Ok((client, job)) if job.uid == id => Ok((client, job)),
            Err(error) if !error.is_missing() => Err(failed(&error)),
            Ok(_) | Err(_) => Err(ErrorData::invalid_params(format!("there is no task {id:?}"), None)),
        }
    }
}

/// The arguments of a tool that is about a job.
fn about(job: &Job) -> JsonObject {
    JsonObject::from_iter([("job".to_owned(), json!(job.uid))])
}

/// Names the question whether a job goes on: another one each time that it waits.
fn question_name(job: &Job) -> String {
    format!("approval_{}", job.limits.canary.unwrap_or_default())
}

fn task_of(job: &Job, status: TaskStatus, said: &str) -> Task {
    let changed = job.finished_at.filter(|_| job.status.is_terminal()).unwrap_or_else(Timestamp::now);
    let pause = if job.status == JobStatus::Running { OFTEN } else { SELDOM };
    Task::new(&job.uid, status, job.created_at.to_string(), changed.to_string())
        .with_status_message(said)
        .with_poll_interval_ms(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

/// Returns what the call that created the job is answered in the end.
fn result(seen: &Snapshot) -> JsonObject {
    ended_answer(seen, &sentence(seen, &seen.status())).into_result()
}

fn failed(error: &ToolError) -> ErrorData {
    ErrorData::internal_error(error.message(), None)
}
