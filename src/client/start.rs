//! Starting the manager of a job.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::num::NonZeroU64;
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::health::has_left;
use super::owner::is_any_owner_said;
use super::{Client, ClientError, StartError};
use crate::crash::crash_point;
use crate::files::{How, create_private_dir, open_private};
use crate::launch::{LaunchAnswer, LaunchRequest, Stage};
use crate::model::{
    Epoch, ErrorKind, Job, JobFiles, JobId, JobStatus, LOG_BYTES, LOG_LEVEL, LogFormat, ManagerRecord, OwnVariable,
    OwnVariableError, StopRequest, Timestamp,
};
use crate::status::{Health, ManagerHealth, Reason};
use crate::store::{Extent, JobRows, StoreError};
use crate::sys::{self, LaunchPlan, Launched, SCOPE_PREFIX, Scope};

/// How long a manager may take to become ready.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const LOG_TAIL_BYTES: u64 = 2048;

/// The form of the logs of managers that this process starts.
static LOG_FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Has the managers that this process starts from now on write their logs in that form; only the first call counts. Without it
/// they do as the variable `JOB_MANAGER_LOG_FORMAT` says.
///
/// ```no_run
/// job_manager::client::set_log_format(job_manager::model::LogFormat::Json);
/// ```
pub fn set_log_format(format: LogFormat) {
    LOG_FORMAT.get_or_init(|| format);
}

/// Refuses variables of this process that managers which it starts would not understand: for whoever is about to start one.
///
/// ```
/// assert!(job_manager::client::check_variables().is_ok());
/// ```
pub fn check_variables() -> Result<(), OwnVariableError> {
    fn check<T: FromStr>(variable: OwnVariable) -> Result<(), OwnVariableError> {
        variable.read::<T>(env::var_os(variable.name)).map(drop)
    }
    check::<LevelFilter>(LOG_LEVEL)?;
    check::<NonZeroU64>(LOG_BYTES)?;
    if LOG_FORMAT.get().is_none() {
        check::<LogFormat>(LogFormat::VARIABLE)?;
    }
    is_any_owner_said().map(drop)
}

/// What a start led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// A manager was started; it holds the lock, and its identity is durable.
    Ready {
        /// Its process number.
        pid: u32,
        /// Its epoch.
        epoch: Epoch,
    },
    /// A manager runs the job already, and nobody has asked it to stop.
    Already {
        /// Its process number; `None` where it cannot be looked at, as in another container.
        pid: Option<u32>,
    },
}

impl Started {
    /// Returns the process number of the manager, as far as it is known.
    pub fn pid(self) -> Option<u32> {
        match self {
            Self::Ready { pid, .. } => Some(pid),
            Self::Already { pid } => pid,
        }
    }
}

impl Client {
    /// Starts the manager of a job in a process that survives this one, its process group and its terminal.
    ///
    /// Returns when the manager holds the job's lock and has left this session: whatever happens to this process from
    /// then on does not reach it. Called by many processes at once, one of them gets [`Started::Ready`], the others
    /// [`Started::Already`]. No child of this process is left behind, and no descriptor of it is inherited.
    ///
    /// ```no_run
    /// # use job_manager::client::Started;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// match client.start_detached(client.find_job("photos")?)? {
    ///     Started::Ready { pid, .. } => println!("started, process {pid}"),
    ///     Started::Already { .. } => println!("was running"),
    ///     _ => {}
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When nothing is left to run, when the job is being stopped or cancelled, when the manager cannot be started, refuses, or ends before it is ready; the
    /// error then holds the end of its log.
    pub fn start_detached(&self, job: JobId) -> Result<Started, ClientError> {
        self.start(job, false)
    }

    /// Starts the manager of a job that has just been approved, maybe for some more units only.
    pub(super) fn start_approved(&self, job: JobId) -> Result<Started, ClientError> {
        self.start(job, true)
    }

    fn start(&self, job: JobId, is_approved: bool) -> Result<Started, ClientError> {
        let (JobRows { job: row, record, .. }, health) = self.without_leaving_manager(job)?;
        if health.health != Health::Running {
            self.refuse_other_owner()?;
        }
        if health.here != Health::Running && health.health == Health::Running {
            // Others run it: this host joins them, unless they are to end.
            match row.stop_request {
                Some(StopRequest::Cancel) => return Err(ClientError::StillCancelling { job }),
                Some(StopRequest::Stop | StopRequest::StopNow) => return Err(ClientError::StillStopping { job }),
                None => {}
            }
        }
        match health.here {
            // A manager that is just starting has not written yet who it is: the one launched here finds out.
            Health::Running if has_left(&row) || health.reason == Some(Reason::Unidentified) => {}
            Health::Running => {
                self.refuse_while_it_ends(job)?;
                return Ok(Started::Already { pid: health.pid });
            }
            // By the row of any other job nobody runs it.
            Health::Unknown if row.status == JobStatus::Running => {
                return Err(self.health_unknown(job, health.reason));
            }
            Health::Unknown | Health::NotStarted | Health::Stopped => {}
        }
        if has_ended(&row) {
            return Err(ClientError::NothingToRun { job, status: row.status });
        }
        if row.stop_request == Some(StopRequest::Cancel) && health.health != Health::Running {
            return Err(ClientError::CancelUnfinished { job });
        }
        if row.status == JobStatus::AwaitingApproval && row.limits.canary.is_some() && !is_approved {
            return Err(ClientError::AwaitsApproval { job });
        }
        self.refuse_over_budget(&row)?;
        self.refuse_pause_at_once(&row)?;
        // Before anything is written: a start that is refused changes nothing.
        self.refuse_without_secrets(&row)?;
        if row.stop_request.is_some() && health.health != Health::Running {
            // It was meant for a manager that is no more; whoever starts the job now wants it to run.
            self.store().withdraw_stop_request(&row)?;
        }
        let started = self.launch(&row, record?.as_ref(), None)?;
        if matches!(started, Started::Already { .. }) {
            self.refuse_while_it_ends(job)?;
        }
        Ok(started)
    }

    /// Has the managers of a job start in the control group of whoever starts them, from now on: for a job that was
    /// created with a scope of its own and goes on where there is no systemd.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// client.forget_scope(job)?;
    /// client.resume_job(job)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn forget_scope(&self, job: JobId) -> Result<(), ClientError> {
        Ok(self.store().forget_scope(job)?)
    }

    /// Tells a job that another manager has finished meanwhile, and one that somebody else holds, from one that cannot
    /// be run.
    fn refusal(&self, job: JobId, message: String, kind: ErrorKind) -> ClientError {
        match self.look(job, Extent::Manager) {
            Ok((JobRows { job: row, .. }, _)) if has_ended(&row) => {
                ClientError::NothingToRun { job, status: row.status }
            }
            Ok((_, ManagerHealth { here: Health::Running, reason, .. })) => self.health_unknown(job, reason),
            _ => StartError::ManagerRefused { job, message, kind }.into(),
        }
    }

    /// Starts a manager, of no more than so many workers, and returns what it answers; a job that somebody deletes meanwhile is
    /// not found.
    pub(super) fn launch(
        &self,
        row: &Job,
        before: Option<&ManagerRecord>,
        workers: Option<usize>,
    ) -> Result<Started, ClientError> {
        self.try_launch(row, before, workers).map_err(|error| match self.store().job(row.id) {
            Err(gone @ StoreError::JobNotFound(_)) => gone.into(),
            _ => error,
        })
    }

    fn try_launch(
        &self,
        row: &Job,
        before: Option<&ManagerRecord>,
        workers: Option<usize>,
    ) -> Result<Started, ClientError> {
        self.refuse_other_owner()?;
        let job = row.id;
        let files = self.job_files(job);
        let program = self.program.resolve(row, before.and_then(|record| record.program.as_deref()))?;
        // One that cannot be read is said here: the manager would fail the job for it.
        self.store().machine_workers()?;
        let log = open_log(&files)?;
        let request = LaunchRequest { stage: Stage::Launcher, db: self.store().path().to_owned(), job, workers };
        crash_point!("before-launch");
        let isolation = self.store().isolation(job)?;
        let password = self.store().password_variable();
        let scope = isolation.scope.then(|| scope_of(row));
        let plan = LaunchPlan {
            program: &program,
            title: &request.title(),
            args: request.to_args(),
            variables: self.given_secrets(row)?.into_iter().chain(log_variable()).chain(password).collect(),
            forget: isolation.forgotten_variables(),
            scope: scope.as_ref(),
            log,
        };
        let launched = sys::launch(plan, START_TIMEOUT);
        if scope.is_some() && matches!(launched, Err(_) | Ok(Launched::Ended)) {
            // The manager or the scope: a second try without it tells.
            sys::try_scope().map_err(|source| StartError::NoScope { job: Some(job), source })?;
        }
        let launched = launched.map_err(|source| StartError::Spawn { program, source })?;
        let died =
            || ClientError::from(StartError::ManagerDied { job, log: files.log(), tail: last_line(&files.log()) });
        match launched {
            Launched::Line(line) => match LaunchAnswer::from_line(&line) {
                Some(LaunchAnswer::Ready { pid, epoch }) => Ok(Started::Ready { pid, epoch }),
                Some(LaunchAnswer::Already { pid }) => Ok(Started::Already { pid }),
                Some(LaunchAnswer::Refused { message, kind }) => Err(self.refusal(job, message, kind)),
                None => Err(died()),
            },
            Launched::Ended => Err(died()),
            Launched::TimedOut => {
                Err(StartError::StartTimedOut { job, waited: START_TIMEOUT, log: files.log() }.into())
            }
        }
    }
}

fn log_variable() -> Option<(OsString, OsString)> {
    LOG_FORMAT.get().map(|format| (LogFormat::VARIABLE.name.into(), format.as_str().into()))
}

/// Names a scope for the next manager of a job; processes of earlier ones may live in theirs still, and several clients
/// may start the job at once.
fn scope_of(row: &Job) -> Scope {
    let now = Timestamp::now().as_micros();
    Scope {
        unit: format!("{SCOPE_PREFIX}{}-{}-{now}", row.uid, std::process::id()),
        description: format!("Job Manager: job {}", row.id),
    }
}

/// Returns `true` if a job has reached its end and was not given units since.
fn has_ended(row: &Job) -> bool {
    row.status.is_terminal() && row.progress.unfinished() == 0
}

fn open_log(files: &JobFiles) -> Result<File, ClientError> {
    let dir = files.path();
    create_private_dir(dir).map_err(ClientError::files("create", dir))?;
    let path = files.log();
    open_private(&path, How::Append).map_err(ClientError::files("open the manager's log", &path))
}

/// Returns the last line of the log, or nothing when it cannot be read: it only decorates another error.
fn last_line(log: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = open_private(log, How::Read)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.take(LOG_TAIL_BYTES).read_to_end(&mut tail)?;
        Ok(tail)
    };
    let tail = read().unwrap_or_default();
    String::from_utf8_lossy(&tail).lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}
