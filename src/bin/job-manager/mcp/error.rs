//! What a tool can answer instead of what it was asked for: a result that says what to do next, never a broken protocol.

use job_manager::client::{AccessError, ClientError, ClockError, StartError, StoreError};
use job_manager::failures::ClusterIdError;
use job_manager::model::{ErrorKind, ItemPatternError, JobId};
use job_manager::source::{RangeError, SourceError};
use job_manager::submission::{OrderTextError, SubmissionError};
use job_manager::text::{SpellingError, causes};
use rmcp::model::CallToolResult;
use serde_json::json;

use super::allowed::Refused;
use super::answer::{Answer, beginning};
use super::wording::help;

/// Most characters of a message; what was given is repeated in some.
const MESSAGE_CHARS: usize = 2000;

/// A call that did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum ToolError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    #[error("the parameters do not fit: {0}")]
    Parameters(String),
    #[error("there are no jobs yet")]
    NoJobsYet,
    #[error("give either command, as an array of arguments, or shell, as one script")]
    NotOneCommand,
    #[error("give one source of items, not {}", .0.join(" and "))]
    SeveralSources(Vec<&'static str>),
    #[error("{given} requires {missing}")]
    Incomplete { given: &'static str, missing: &'static str },
    #[error(
        "no items for {}: give items, or a file, glob, range or query that has them; literal braces are doubled",
        placeholders.join(" ")
    )]
    NoItems { placeholders: Vec<String> },
    #[error("cwd is an absolute path, {0:?} is relative")]
    RelativeCwd(String),
    #[error("{0:?} is meant in cwd, which is another directory for each unit: give an absolute path")]
    RelativeSource(String),
    #[error("invalid range {given:?}")]
    Range { given: String, source: RangeError },
    #[error(transparent)]
    Spelling(#[from] SpellingError),
    #[error(transparent)]
    Clock(#[from] ClockError),
    #[error(transparent)]
    Order(#[from] OrderTextError),
    #[error("invalid label {0:?}, expected e.g. team=web")]
    Label(String),
    #[error("the label of {0:?} is given twice")]
    LabelTwice(String),
    #[error("{words:?} is the name of job {named} and the key of job {keyed}: give a number or a uid")]
    NameAndKey { words: String, named: JobId, keyed: JobId },
    #[error(transparent)]
    Cluster(#[from] ClusterIdError),
    #[error(transparent)]
    Pattern(#[from] ItemPatternError),
    #[error("give either seq or key of the unit")]
    NotOneUnit,
    #[error("say which units: {0}")]
    NoFilter(&'static str),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("job {job} runs what this server may not run: {source}")]
    OfAnother { job: JobId, source: Refused },
    #[error("invalid {parameter} {given:?}, expected e.g. {example}")]
    Value { parameter: &'static str, given: String, example: &'static str },
    #[error("{parameter}: {why}")]
    Parameter { parameter: &'static str, why: String },
    #[error("the person was asked and did not agree")]
    Declined,
    #[error("the host did not ask the person: {0}")]
    NotAsked(String),
    #[error("{0}")]
    Face(String),
    #[error("this program was built without a dashboard")]
    NoDashboard,
    #[error("the tool failed: {0}")]
    Panicked(String),
    /// What was noticed before may be why.
    #[error("{}; {error}", notes.join("; "))]
    Noted {
        notes: Vec<String>,
        #[source]
        error: Box<ToolError>,
    },
}

impl ToolError {
    /// Adds what was noticed before it happened, if anything.
    pub fn noted(self, notes: Vec<String>) -> ToolError {
        if notes.is_empty() { self } else { Self::Noted { notes, error: Box::new(self) } }
    }

    /// Returns the answer to the call, with what it has to say besides.
    pub fn to_answer(&self, notes: &[String]) -> CallToolResult {
        let message = beginning(&self.message(), MESSAGE_CHARS);
        let next_step = self.next_step();
        let summary = format!("error: {message}. {next_step}");
        Answer::new(summary, json!({ "error": message, "next_step": next_step })).noting(notes).into_failure()
    }

    /// Returns `true` if there is no such job.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::NoJobsYet => true,
            Self::Client(error) => error.kind() == ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Returns what went wrong and why, in one line. What a kind of error holds as text already is not said twice.
    pub fn message(&self) -> String {
        let cause = if let Self::Noted { error, .. } = self { error } else { self };
        let help = if let Self::Submission(SubmissionError::Source(error)) = cause { help(error) } else { None };
        let mut message = self.to_string() + &help.unwrap_or_default();
        for text in causes(cause).map(ToString::to_string) {
            if !message.ends_with(&text) {
                message = format!("{message}: {text}");
            }
        }
        message
    }

    fn next_step(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.next_step(),
            Self::OfAnother { source, .. } => source.next_step_of_job(),
            Self::Client(error) => of_client(error),
            Self::Submission(
                SubmissionError::PathOutside(_) | SubmissionError::Source(SourceError::Outside { .. }),
            ) => Refused::OUTSIDE,
            Self::Submission(SubmissionError::Client(error)) => of_client(error),
            Self::Submission(_)
            | Self::NotOneCommand
            | Self::SeveralSources(_)
            | Self::Incomplete { .. }
            | Self::RelativeCwd(_)
            | Self::RelativeSource(_)
            | Self::NoItems { .. }
            | Self::Order(_)
            | Self::Range { .. } => "Nothing was created: correct this and call again",
            Self::Cluster(_) => "Nothing was done: list_failures has the ids of clusters",
            Self::Declined => "Nothing was done: ask the person what is to be done instead",
            Self::NotAsked(_) => "Nothing was done: a person can do it in a terminal",
            Self::NoJobsYet => "start_batch starts the first one",
            Self::Noted { error, .. } => error.next_step(),
            Self::Face(_) => "Nothing was changed: a person has to look",
            Self::NoDashboard => "Nothing was done: report has a page about a job",
            Self::Panicked(_) => "This is a fault of job-manager: job_status shows whether anything has happened",
            _ => "Nothing was done: correct the parameters and call again",
        }
    }
}

fn of_client(error: &ClientError) -> &'static str {
    match error {
        ClientError::Store(StoreError::NewJob(_)) => "Nothing was created: correct this and call again",
        ClientError::Store(StoreError::TooOldToRead { .. }) => {
            "A person has to bring it up to date: `job-manager doctor --migrate`; start_batch does so too"
        }
        ClientError::Access(AccessError::OlderManager { .. }) => {
            "Nothing was changed: stop_job has that job pause when its running units have ended"
        }
        ClientError::Store(error) => match error.kind() {
            ErrorKind::Busy => "Nothing was changed: call again in a few seconds",
            _ => "Nothing was changed",
        },
        ClientError::KeyOfAnotherJob { .. } => {
            "Nothing was created: call again with another key, or without the difference; job_status shows the job"
        }
        ClientError::NoSuchJob { .. } | ClientError::NoJobOfKey { .. } | ClientError::AmbiguousJob { .. } => {
            "list_jobs shows the jobs there are"
        }
        ClientError::UnitNotFound { .. }
        | ClientError::NoUnitOfKey { .. }
        | ClientError::AttemptNotFound { .. }
        | ClientError::NoUnitFits { .. } => "list_units shows the units and their states",
        ClientError::NothingToRun { .. } => {
            "Nothing was changed: job_status shows where it stands and what can be done"
        }
        ClientError::AwaitsApproval { .. } => {
            "Look at the first units with get_results, then approve_job or reject_job"
        }
        ClientError::NotStarted { .. } => "When the cause is gone, resume_job starts it; do not create it again",
        ClientError::StillStopping { .. } => "wait_job until it has paused or ended, then resume_job",
        ClientError::CancelUnfinished { .. } => "cancel_job ends it",
        ClientError::StillCancelling { .. } => "wait_job says when it is over",
        ClientError::Interrupted { .. } => "resume_job continues it, cancel_job ends it",
        ClientError::OneItemEach { .. } | ClientError::SeveralItems { .. } => {
            "Nothing was changed: change_units without one_by_one retries them as they are"
        }
        ClientError::WrongStatus { .. } | ClientError::ManagerRuns { .. } | ClientError::UnitIdle { .. } => {
            "Nothing was changed: job_status shows where it stands"
        }
        ClientError::WaitTimedOut { .. } | ClientError::Start(StartError::StartTimedOut { .. }) => {
            "job_status shows where it stands"
        }
        ClientError::OrphansRemain { .. }
        | ClientError::Start(StartError::Spawn { .. })
        | ClientError::Start(StartError::ManagerRefused { .. })
        | ClientError::Start(StartError::ManagerDied { .. })
        | ClientError::HealthUnknown { .. } => "A person has to look; job_status names the manager's log",
        ClientError::Access(AccessError::OtherOwner { .. }) | ClientError::Access(AccessError::OpenToAll { .. }) => {
            "A person has to look: the owner runs it with `sudo -u`, or this server is started with --any-owner"
        }
        ClientError::SecretsMissing { .. } => {
            "Put them under env in the host's configuration of this server, or resume the job in a terminal that has them"
        }
        ClientError::AtMostOnce { .. } => "Nothing was changed: start_batch makes a job of other limits",
        _ => match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::NotFound => "Nothing was changed: correct this and call again",
            _ => "A person has to look",
        },
    }
}
