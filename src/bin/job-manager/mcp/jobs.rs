//! The database behind the tools, opened again for each call, and the job that a call names.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use job_manager::client::{Client, ClientError, ManagerProgram};
use job_manager::model::JobId;
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::allowed::Allowed;
use super::error::ToolError;
use super::faces::Faces;
use super::starts::StartCall;

/// How long a call waits for another process's transaction; a host that waits for an answer is told soon.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// Which database the server is about.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its path.
    pub path: PathBuf,
    /// Whether its directory is made along with it, because nobody has chosen it.
    pub is_default: bool,
}

/// What a call can do: with the jobs of the database, for as long as somebody waits for the answer.
#[derive(Clone)]
pub(super) struct Jobs {
    database: Arc<Database>,
    allowed: Arc<Allowed>,
    faces: Arc<Faces>,
    given_up: [CancellationToken; 2],
    start: StartCall,
    /// Items of a submission that were read.
    read: Arc<AtomicI64>,
}

impl Jobs {
    pub fn new(
        database: &Arc<Database>,
        allowed: &Arc<Allowed>,
        faces: &Arc<Faces>,
        given_up: [CancellationToken; 2],
        start: StartCall,
    ) -> Self {
        let (database, allowed, faces) = (Arc::clone(database), Arc::clone(allowed), Arc::clone(faces));
        Self { database, allowed, faces, given_up, start, read: Arc::default() }
    }

    /// Returns the same for whoever waits for as long as the host is there.
    pub fn of_nobody(&self, gone: &CancellationToken) -> Jobs {
        Self { given_up: [gone.clone(), gone.clone()], ..self.clone() }
    }

    /// Returns the call, as one that may start a job.
    pub fn start(&self) -> &StartCall {
        &self.start
    }

    /// Returns what may be used of this machine.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// Returns what other faces of the program do.
    pub fn faces(&self) -> &Faces {
        &self.faces
    }

    /// Returns `true` if nobody waits for the answer any more.
    pub fn is_given_up(&self) -> bool {
        self.given_up.iter().any(CancellationToken::is_cancelled)
    }

    /// Returns what says so at each item of a submission, and counts them.
    pub fn gives_up(&self) -> impl Fn() -> bool + 'static {
        let (given_up, read) = (self.given_up.clone(), self.items_read());
        move || {
            read.fetch_add(1, Ordering::Relaxed);
            given_up.iter().any(CancellationToken::is_cancelled)
        }
    }

    /// Returns how many items of a submission have been read.
    pub fn items_read(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.read)
    }

    /// Opens the database to read it; none when there is none.
    pub fn to_read(&self) -> Result<Option<Client>, ToolError> {
        existing(Client::open_to_read(&self.database.path))
    }

    /// Opens the database to read about one job.
    pub fn of(&self, job: &JobGiven) -> Result<(Client, JobId), ToolError> {
        found(self.to_read()?, job)
    }

    /// Opens the database to change one job.
    pub fn to_change(&self, job: &JobGiven) -> Result<(Client, JobId), ToolError> {
        found(existing(Client::open(&self.database.path))?, job)
    }

    /// Opens the database to have the units of one job run, which a person may have created.
    ///
    /// # Errors
    /// When it would run what a model may not.
    pub fn to_run(&self, given: &JobGiven) -> Result<(Client, JobId), ToolError> {
        let (client, job) = self.to_change(given)?;
        let row = client.job(job)?;
        let refused = match client.command_settings(&row)? {
            Some(spec) => self.allowed.expect_spec(&spec),
            None => self.allowed.expect_handler(&row.handler),
        };
        refused.map_err(|source| ToolError::OfAnother { job, source })?;
        Ok((client, job))
    }

    /// Opens the database to stop one job.
    pub fn to_stop(&self, job: &JobGiven) -> Result<(Client, JobId), ToolError> {
        found(existing(Client::open_to_stop(&self.database.path))?, job)
    }

    /// Checks that the database could be opened for a new job, and opens it to read if there is one.
    pub fn to_rehearse(&self) -> Result<Option<Client>, ToolError> {
        let Database { path, is_default } = &*self.database;
        Client::rehearse_create(path, *is_default)?.map(|client| with_limits(Ok(client))).transpose()
    }

    /// Opens the database for a new job, and makes it if there is none.
    pub fn to_create(&self) -> Result<Client, ToolError> {
        let Database { path, is_default } = &*self.database;
        with_limits(if *is_default { Client::create_with_directory(path) } else { Client::create(path) })
    }
}

fn with_limits(opened: Result<Client, ClientError>) -> Result<Client, ToolError> {
    Ok(opened?.with_busy_timeout(BUSY_TIMEOUT)?.with_program(ManagerProgram::OfJob))
}

fn existing(opened: Result<Client, ClientError>) -> Result<Option<Client>, ToolError> {
    match opened {
        Err(ClientError::Store(error)) if error.is_no_database() => Ok(None),
        opened => with_limits(opened).map(Some),
    }
}

fn found(client: Option<Client>, job: &JobGiven) -> Result<(Client, JobId), ToolError> {
    let client = client.ok_or(ToolError::NoJobsYet)?;
    let job = job.find(&client)?;
    Ok((client, job))
}

/// A job as a model names it: a text, or what earlier clients give.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a job is its number, its uid, name or key as a text")]
pub(super) enum JobGiven {
    Number(i64),
    Words(String),
    Keyed {
        /// Key that was given to start_batch.
        key: String,
    },
}

impl JobGiven {
    fn find(&self, client: &Client) -> Result<JobId, ToolError> {
        Ok(match self {
            Self::Number(number) => client.find_job(&number.to_string())?,
            Self::Words(words) => find_by_words(client, words)?,
            Self::Keyed { key } => client.find_job_of_key(key)?,
        })
    }
}

/// Finds a job by what the command line takes for one, or by its key; one that two jobs go by is neither.
fn find_by_words(client: &Client, words: &str) -> Result<JobId, ToolError> {
    let named = client.find_job(words);
    if words == "last" || words.parse::<i64>().is_ok() {
        return Ok(named?);
    }
    match (named, client.find_job_of_key(words)) {
        (Ok(named), Ok(keyed)) if named != keyed => {
            Err(ToolError::NameAndKey { words: words.to_owned(), named, keyed })
        }
        (Err(ClientError::NoSuchJob { .. }), Ok(keyed)) => Ok(keyed),
        (named, _) => Ok(named?),
    }
}

/// What tools are given that are about a job and nothing else.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct OneJob {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    pub job: JobGiven,
}

/// What tools are given that end a job.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct OneJobWithReason {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    pub job: JobGiven,
    /// Why, for whoever looks at the job later.
    pub reason: String,
}
