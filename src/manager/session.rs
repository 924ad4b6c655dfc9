//! How a process becomes the manager of a job, and what it has then.

use std::path::Path;
use std::sync::Arc;

use tracing::{Span, info, info_span};

use super::clock::Clock;
use super::coordinator::Leave;
use super::error::ManagerError;
use super::spans::SpanExport;
use super::takeover::{Takeover, take_lock};
use super::{FAILURE, SUCCESS, log, panics};
use crate::crash::crash_point;
use crate::files::create_private_dir;
use crate::handler::JobContext;
use crate::launch::{LaunchAnswer, LaunchRequest};
use crate::model::{Job, JobId, ProcessIdentity, StateDir, Submitter, Timestamp};
use crate::store::{Access, Lease, Renewals, Store, StoreError};
use crate::sys::{self, JobLock, StopFlags};

/// Threads of a manager with one worker, and the process of its unit.
const LEAST_THREADS: usize = 6;
/// Files that a manager with one worker has open, and those of its unit.
const LEAST_FILES: usize = 24;

/// What a manager has once it is the one.
pub(super) struct ManagerSession {
    pub store: Store,
    /// When the lease was renewed, where there are leases.
    pub renewals: Option<Arc<Renewals>>,
    pub lease: Lease,
    pub job: Job,
    pub context: JobContext,
    /// The span in which everything happens.
    pub span: Span,
    pub flags: StopFlags,
    pub clock: Clock,
    // Held until the job is in the state that it is left in; dropping it earlier would let a successor begin beside us.
    pub lock: Option<JobLock>,
    pub leave: Leave,
    /// Where spans of the job go, if anywhere.
    pub spans: Option<SpanExport>,
    /// Most units that run at a time here.
    pub most_workers: Option<usize>,
}

/// What came of the attempt to become the manager.
pub(super) enum Acquired {
    /// This process is the manager.
    Session(Box<ManagerSession>),
    /// That one is.
    Already {
        /// Its process number, if it can be looked at.
        pid: Option<u32>,
    },
}

/// How a manager joins its job.
pub(super) type Join = fn(&mut Store, JobId, &ProcessIdentity, &Path, Timestamp) -> Result<(Lease, Job), StoreError>;

/// Becomes the manager, or answers who is it.
pub(super) fn become_manager(request: &LaunchRequest) -> Result<Option<ManagerSession>, ManagerError> {
    crash_point!("manager-started");
    sys::become_manager().map_err(ManagerError::system("detach from the client"))?;
    let flags = sys::install_stop_flags().map_err(ManagerError::system("install signal handlers"))?;
    panics::install_hook();
    // An answer to whoever starts the job, before anything of it changes.
    sys::expect_room(LEAST_THREADS, LEAST_FILES).map_err(ManagerError::NoRoom)?;
    // Nothing of this process can go on with a thread that does not come back.
    let leave = Box::new(|error: ManagerError| {
        let is_orderly = matches!(error, ManagerError::HandlersStay { .. });
        std::process::exit(if is_orderly { SUCCESS } else { FAILURE })
    });
    // A share of a host goes on with what runs; only who names the job takes it up again.
    let join: Join = if request.workers.is_some() { Store::join_share } else { Store::join };
    let taken = acquire(&request.db, request.job, flags.clone(), Clock::Wall, leave, inherit, join);
    match taken.map_err(|error| error.of_file_limit(&flags))? {
        Acquired::Already { pid } => {
            sys::write_ready(&LaunchAnswer::Already { pid }.to_line());
            Ok(None)
        }
        Acquired::Session(mut session) => {
            session.most_workers = request.workers;
            let (pid, epoch) = (std::process::id(), session.lease.epoch());
            sys::write_ready(&LaunchAnswer::Ready { pid, epoch }.to_line());
            sys::close_ready_pipe().map_err(ManagerError::system("close the ready pipe"))?;
            crash_point!("ready");
            log::bound(&session.context.files);
            let _in_job = session.span.clone().entered();
            info!("manager {pid} of job {} ({}), epoch {epoch}", session.job.id, session.job.name);
            Ok(Some(*session))
        }
    }
}

/// Takes on the umask and the limits that units get.
fn inherit(submitter: &Submitter) -> Result<(), ManagerError> {
    sys::inherit(submitter).map_err(ManagerError::system("take on the submitter's umask and limits"))
}

/// Takes the lock and the next epoch, and writes who the manager is. What `inherit` refuses leaves the job as it was.
pub(super) fn acquire(
    db: &Path,
    job: JobId,
    flags: StopFlags,
    clock: Clock,
    leave: Leave,
    inherit: fn(&Submitter) -> Result<(), ManagerError>,
    join: Join,
) -> Result<Acquired, ManagerError> {
    let mut store = Store::open(db, Access::Manage)?;
    let clock = clock.or_of_store(store.server_time()?);
    let files = StateDir::beside(store.path()).job(job);
    create_private_dir(files.path()).map_err(ManagerError::system("create the job's directory"))?;
    let lock = match take_lock(&mut store, job, &files)? {
        Takeover::Won(lock) => lock,
        Takeover::Already { pid } => return Ok(Acquired::Already { pid }),
    };
    // Not before: the manager that leaves the job removes it.
    create_private_dir(&files.slots()).map_err(ManagerError::system("create the job's directory"))?;
    crash_point!("lock-taken");
    // A job of an older version has none recorded: its units keep the private umask that they were promised.
    let (submitter, spec) = (store.submitter(job)?, store.spec(job)?);
    submitter.as_ref().map_or(Ok(()), inherit)?;
    let identity = sys::own_identity().map_err(ManagerError::system("identify this process"))?;
    let program = sys::own_program().map_err(ManagerError::system("find this program"))?;
    let asked_at = store.has_several_managers().then(sys::since_boot);
    let (lease, job) = join(&mut store, job, &identity, &program, clock.now())?;
    crash_point!("epoch-raised");
    let length = store.lease_length(&job.limits);
    let renewals = length.zip(asked_at).map(|(length, asked_at)| Renewals::new(sys::since_boot, asked_at, length));
    renewals.iter().for_each(|renewals| store.note_renewals(lease, renewals));
    let mut context = JobContext::of(&job, spec, files, store.file().clone());
    context.trace = submitter.and_then(|submitter| submitter.trace);
    let traceparent = context.trace.as_ref().map(tracing::field::display);
    let span = info_span!("job", id = job.id.0, uid = job.uid, name = job.name, epoch = lease.epoch().0, traceparent);
    Ok(Acquired::Session(Box::new(ManagerSession {
        store,
        renewals,
        lease,
        job,
        context,
        span,
        flags,
        clock,
        lock: Some(lock),
        leave,
        spans: None,
        most_workers: None,
    })))
}
