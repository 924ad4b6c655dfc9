//! A manager's life, from the arguments it was started with to its exit code.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::sync::mpsc::sync_channel;

use super::coordinator::{Coordinator, ReignEnd};
use super::error::{ManagerError, chain};
use super::log::log_line;
use super::recorder::{CHANNEL_EVENTS, Recorder};
use super::shared::Shared;
use super::takeover::{Takeover, take_over};
use super::worker::{Crew, work};
use super::{panics, recover};
use crate::handler::{Handlers, JobContext};
use crate::launch::{Answer, LaunchRequest};
use crate::model::{Job, Limits, StateDir, StopRequest, Timestamp};
use crate::store::{Access, Reign, Store};
use crate::sys::{self, JobLock, SlotNotes, StopFlags};

const SUCCESS: i32 = 0;
const FAILURE: i32 = 1;

/// What a manager has once it is the one.
struct Post {
    store: Store,
    reign: Reign,
    job: Job,
    context: JobContext,
    flags: StopFlags,
    // Held until the process ends; dropping it earlier would let a successor begin beside us.
    _lock: JobLock,
}

/// Runs the job of `request` in this process and returns its exit code.
pub(super) fn manage(request: &LaunchRequest, handlers: &Handlers) -> i32 {
    match take_post(request) {
        Ok(Some(post)) => serve(post, handlers),
        Ok(None) => SUCCESS,
        Err(error) => {
            let message = chain(&error);
            log_line!("error: {message}");
            sys::write_ready(&Answer::Refused { message }.to_line());
            FAILURE
        }
    }
}

/// Becomes the manager, or answers who is it.
fn take_post(request: &LaunchRequest) -> Result<Option<Post>, ManagerError> {
    sys::become_manager().map_err(ManagerError::system("detach from the client"))?;
    let flags = sys::install_stop_flags().map_err(ManagerError::system("install signal handlers"))?;
    panics::install_hook();

    let mut store = Store::open(&request.db, Access::Write)?;
    let files = StateDir::beside(store.path()).job(request.job);
    make_private_dir(&files.slots()).map_err(ManagerError::system("create the job's directory"))?;
    let lock = match take_over(&mut store, request.job, &files)? {
        Takeover::Won(lock) => lock,
        Takeover::Already { pid } => {
            sys::write_ready(&Answer::Already { pid }.to_line());
            return Ok(None);
        }
    };
    let identity = sys::own_identity().map_err(ManagerError::system("identify this process"))?;
    let (reign, job) = store.begin_reign(request.job, &identity, Timestamp::now())?;
    sys::write_ready(&Answer::Ready { pid: identity.pid, epoch: reign.epoch }.to_line());
    sys::close_ready_pipe().map_err(ManagerError::system("close the ready pipe"))?;
    log_line!("manager {} of job {} ({}), epoch {}", identity.pid, job.id, job.name, reign.epoch);

    let context = JobContext {
        id: job.id,
        uid: job.uid.clone(),
        epoch: reign.epoch,
        limits: job.limits.clone(),
        spec: job.spec.clone(),
        files,
    };
    Ok(Some(Post { store, reign, job, context, flags, _lock: lock }))
}

/// Runs the job and leaves it in the state that its end calls for.
fn serve(mut post: Post, handlers: &Handlers) -> i32 {
    let outcome = panics::catch(|| run_job(&mut post, handlers))
        .unwrap_or_else(|message| Err(ManagerError::Panicked { message }))
        .and_then(|end| conclude(&mut post, end));
    match outcome {
        Ok(()) => SUCCESS,
        Err(error) => {
            let message = chain(&error);
            log_line!("error: {message}");
            // A manager that was superseded has no say in the job's state any more.
            if !error.is_fenced()
                && let Err(second) = post.store.fail_job(post.reign, &message, &format!("{error:?}"), Timestamp::now())
            {
                log_line!("error: cannot record the failure: {}", chain(&second));
            }
            FAILURE
        }
    }
}

fn conclude(post: &mut Post, end: ReignEnd) -> Result<(), ManagerError> {
    match end {
        ReignEnd::Finished(status) => log_line!("the job is {status}"),
        ReignEnd::Stopped(StopRequest::Cancel) => {
            post.store.cancel_job(post.reign, Timestamp::now())?;
            log_line!("the job is cancelled");
        }
        ReignEnd::Stopped(StopRequest::Stop | StopRequest::StopNow) => {
            // The last unit may have ended while it was being stopped.
            match post.store.finish_job(post.reign, Timestamp::now())? {
                Some(status) => log_line!("the job is {status}"),
                None => {
                    post.store.pause_job(post.reign)?;
                    log_line!("the job is paused");
                }
            }
        }
        ReignEnd::Failed => unreachable!("a failed thread leaves its error"),
    }
    // Statistics help the next reader; a batch that is done is not undone by their absence.
    if let Err(error) = post.store.optimize() {
        log_line!("{}", chain(&error));
    }
    Ok(())
}

fn run_job(post: &mut Post, handlers: &Handlers) -> Result<ReignEnd, ManagerError> {
    let notes = SlotNotes::open(&post.context.files.notes(), Limits::MAX_WORKERS)
        .map_err(ManagerError::system("open the notes of the slots"))?;
    recover::recover(&mut post.store, post.reign, &post.context, &notes)?;
    let handler = handlers.handler_of(&post.job.handler, &post.context)?;

    let (waker, stop) = sys::wake_pair().map_err(ManagerError::system("make a pipe"))?;
    let claimed_through = post.store.claimed_through(post.job.id)?;
    let shared = Shared::new(waker, claimed_through);
    let crew = Crew { job: &post.context, handler, shared: &shared, notes: &notes, stop: &stop };
    let recorder_store = Store::open(post.store.path(), Access::Write)?;
    let coordinator = Coordinator::new(&mut post.store, &post.job, post.reign, &shared, &post.flags)?;
    let end = with_threads(&crew, recorder_store, post.reign, coordinator);
    drop(crew);
    match shared.into_error() {
        Some(error) => Err(error),
        None => end,
    }
}

/// Runs the coordinator on this thread while workers and recorder run on theirs; all have ended when it returns.
fn with_threads(
    crew: &Crew<'_>,
    recorder_store: Store,
    reign: Reign,
    coordinator: Coordinator<'_>,
) -> Result<ReignEnd, ManagerError> {
    let workers = crew.job.limits.workers;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .thread_name(|slot| format!("worker-{slot}"))
        .build()
        .map_err(|source| ManagerError::Workers { workers, source })?;
    let (events, inbox) = sync_channel(CHANNEL_EVENTS);
    std::thread::scope(|threads| {
        let recorder = Recorder::new(recorder_store, reign, crew.shared, inbox);
        threads.spawn(move || {
            if let Err(message) = panics::catch(|| recorder.run()) {
                crew.shared.fail(ManagerError::Panicked { message });
            }
        });
        pool.in_place_scope(|scope| {
            for slot in 0..workers {
                let events = events.clone();
                scope.spawn(move |_| work(crew, slot, events));
            }
            // The recorder ends with the last sender.
            drop(events);
            coordinator.run()
        })
    })
}

fn make_private_dir(dir: &std::path::Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
