//! What any program can do with jobs: one file per verb.
//!
//! A client only reads and writes the database, looks at locks and starts managers; it never talks to one. Every verb
//! may be called by any number of processes at once, and after a crash of any of them.

mod about;
mod adapted;
mod add;
#[cfg(feature = "postgres")]
mod administrator;
mod approve;
mod callers;
mod cancel;
mod changes;
mod charts;
mod conditions;
mod containment;
mod copy;
mod create;
mod created;
pub(crate) mod doctor;
pub(crate) mod documents;
mod ended_outputs;
mod error;
mod eta;
pub(crate) mod explain;
mod failures;
mod fill;
mod find;
mod finding;
mod groups;
mod health;
mod hosts;
mod inside;
mod kept_environment;
mod kill;
mod known;
mod later;
mod lease;
mod limits;
mod list;
mod look;
mod machine;
mod made;
mod manager_log;
mod managers;
mod memory;
mod meters;
mod migration;
mod names;
mod output;
mod owner;
mod payload;
mod program;
mod projection;
mod prune;
mod ranges;
mod recover;
#[cfg(feature = "sources")]
pub(crate) mod rehearse;
mod remove;
mod results;
mod resume;
mod retry;
mod review;
mod running_outputs;
mod same_job;
mod search;
mod secrets;
#[cfg(feature = "postgres")]
mod server_findings;
mod settings;
mod skip;
mod snapshot;
#[cfg(feature = "sources")]
pub(crate) mod sources;
mod start;
mod startable;
mod status;
mod stop;
#[cfg(feature = "sources")]
pub(crate) mod submission;
mod submit;
mod sweep;
mod sync;
mod totals;
mod wait;
mod work;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::files::create_private_dir;
use crate::model::{JobFiles, JobId, StateDir};
use crate::store::{Access, Store};
use crate::sys;

pub use crate::status::{Health, Reason};
pub use crate::store::{
    CallerConnection, CopyRefused, Fault, FlagRefused, GroupRefused, MeterRefused, StoreError, check_path,
};
#[cfg(feature = "postgres")]
pub use crate::store::{PostgresError, has_password, is_address, sql_for_administrators, without_password};
pub use crate::sys::{StopFlags, Stream, install_stop_flags};
/// The version of diesel whose connections [`create_job_in`] and [`add_units_in`] take.
pub use diesel;

pub use about::{AboutJob, StatusDocument};
pub use adapted::AdaptedWorkers;
pub use approve::Approval;
pub use callers::{add_units_in, create_job_in};
pub use cancel::UnitsCancelled;
pub use conditions::{ClockError, start_time, windows};
pub use copy::{Copied, CopySource};
pub use create::check_scope;
pub use created::{Created, UnitsDiffer};
pub use documents::{ManagerStarted, UnitsChanged, WorkersSet};
pub use ended_outputs::{EndedOutputs, OutputOrder, TakeOutput};
pub use error::{AccessError, ClientError, CopyError, LaterError, LimitError, StartError};
pub use eta::EtaSeconds;
pub use kill::AskedToEnd;
pub use lease::check_lease;
pub use machine::MachineWorkers;
pub use manager_log::ManagerLog;
pub use memory::check_memory;
pub use meters::{AtTheEnd, BudgetError, MeterStatus, budget};
pub use output::{AttemptOutput, OutputPlace, OutputReader};
pub use owner::accept_any_owner;
pub use program::ManagerProgram;
pub use projection::{MeterProjection, Projection};
pub use prune::PruneOptions;
pub use running_outputs::{Follows, RunningOutputs};
pub use search::SEARCH_TIME;
pub use snapshot::Snapshot;
pub use start::{Started, check_variables, set_log_format};
pub use status::{JobName, ManagerStatus, StatusProgress};
pub use stop::StopOptions;
pub use submit::Submitted;
pub use sweep::UnitsSwept;
pub use sync::{SyncPlan, Synced};
pub use wait::JobOutcome;
pub use work::{WorkEvent, WorkOptions};

/// A connection to one database of jobs, and the way to start their managers.
///
/// Can be shared between threads; its verbs then wait for each other.
pub struct Client {
    store: Mutex<Store>,
    state: StateDir,
    program: ManagerProgram,
    /// Secrets that managers get besides those of this process.
    secrets: Vec<(OsString, OsString)>,
}

/// Refuses file systems on which WAL and locks cannot be relied on, before anything is written there.
fn refuse_shared_disk(path: &Path) -> Result<(), ClientError> {
    // What is no path is refused when it is opened.
    let Ok(absolute) = std::path::absolute(path) else { return Ok(()) };
    let Some(dir) = absolute.ancestors().skip(1).find(|dir| dir.is_dir()) else { return Ok(()) };
    let disk = sys::disk_of(dir).map_err(ClientError::files("look at the disk of", dir))?;
    match disk.shared {
        Some(kind) => Err(AccessError::SharedDisk { path: absolute, kind }.into()),
        None => Ok(()),
    }
}

impl Client {
    /// Opens the database at `path` and makes it if there is none, readable by its owner only.
    ///
    /// Managers will be started from this executable, which must call [`run_if_manager`](crate::run_if_manager) first
    /// thing in `main`; see [`Client::with_program`].
    ///
    /// ```no_run
    /// let client = job_manager::Client::create("jobs.db".as_ref())?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn create(path: &Path) -> Result<Client, ClientError> {
        Self::with_access(path, Access::Create)
    }

    /// Like [`Client::create`], and makes the directory of the database too, for its owner only.
    pub fn create_with_directory(path: &Path) -> Result<Client, ClientError> {
        if let Some(dir) = path.parent() {
            use std::os::unix::fs::DirBuilderExt;
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
            made.map_err(ClientError::files("create", dir))?;
        }
        Self::create(path)
    }

    /// Opens the database at `path`, which must exist.
    ///
    /// One of an older version is brought up to date, as by [`Client::create`]; one of somebody else, and one in which a manager
    /// of an older version runs a job, is refused instead.
    pub fn open(path: &Path) -> Result<Client, ClientError> {
        Self::with_access(path, Access::Write)
    }

    /// Opens the database at `path`, which must exist, so that nothing can be changed through this client.
    ///
    /// One of an older version is read as it is, and refused when it lacks what is read.
    pub fn open_to_read(path: &Path) -> Result<Client, ClientError> {
        Self::with_access(path, Access::Read)
    }

    /// Chooses the program that managers are started from.
    #[must_use]
    pub fn with_program(self, program: ManagerProgram) -> Client {
        Client { program, ..self }
    }

    /// Has the managers that this client starts get these secrets, and not those of the same names in this process.
    ///
    /// A job's manager gets those only that its units get; they are not kept anywhere.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let client = client.with_secrets([("API_KEY".into(), "hunter2".into())]);
    /// client.resume_job(client.find_job("last")?)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    #[must_use]
    pub fn with_secrets(self, secrets: impl IntoIterator<Item = (OsString, OsString)>) -> Client {
        Client { secrets: secrets.into_iter().collect(), ..self }
    }

    /// Has this client's statements wait no longer than that for another process's transaction.
    ///
    /// A manager that is started by it has its own time-out: see [`Client::expect_writable`].
    pub fn with_busy_timeout(self, timeout: std::time::Duration) -> Result<Client, ClientError> {
        self.store().set_busy_timeout(timeout)?;
        Ok(self)
    }

    /// Fails when another process holds the database's write lock for longer than this client waits.
    pub fn expect_writable(&self) -> Result<(), ClientError> {
        Ok(self.store().expect_writable()?)
    }

    /// Makes the directory beside the database, which a file that was sent or restored comes without.
    fn provide_state_dir(&self) -> Result<(), ClientError> {
        create_private_dir(self.state.path()).map_err(ClientError::files("create", self.state.path()))
    }

    /// Refuses to run what stands in a database of somebody else, or of everybody.
    fn refuse_other_owner(&self) -> Result<(), ClientError> {
        owner::refuse_other_owner(&self.path())
    }

    fn with_access(path: &Path, access: Access) -> Result<Client, ClientError> {
        refuse_shared_disk(path)?;
        if access != Access::Read {
            owner::refuse_open_directory(path)?;
        }
        if access == Access::Create {
            // Before it is brought to this version.
            owner::refuse_other_owner(path)?;
        }
        let store = migration::open_store(path, access)?;
        if access == Access::Create {
            // It may be another one by now.
            owner::refuse_other_owner(store.path())?;
        }
        let state = StateDir::beside(store.path());
        Ok(Client { store: Mutex::new(store), state, program: ManagerProgram::ThisExecutable, secrets: Vec::new() })
    }

    /// Returns the files of a job: its log, its lock.
    pub fn job_files(&self, job: JobId) -> JobFiles {
        self.state.job(job)
    }

    /// Returns the path of the database, absolute.
    pub fn path(&self) -> PathBuf {
        self.store().path().to_owned()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // A transaction is all or nothing, so that a panic between two of them leaves nothing half done.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
