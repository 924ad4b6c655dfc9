//! A manager's life, from the arguments it was started with to its exit code.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::abandon::Leave;
use super::clock::Clock;
use super::coordinator::{Coordinator, ReignEnd};
use super::error::{ManagerError, chain};
use super::log::log_line;
use super::patience::patiently;
use super::recorder::Recorder;
use super::shared::Shared;
use super::staff::Staff;
use super::takeover::{Takeover, take_over};
use super::teller::{self, Teller};
use super::worker::Crew;
use super::{events, panics};
use crate::crash::crash_point;
use crate::files::create_private_dir;
use crate::handler::{Handlers, JobContext, JobReport, Runner};
use crate::launch::{Answer, LaunchRequest};
use crate::model::{Job, JobId, JobStatus, Limits, Progress, StateDir, StopRequest};
use crate::recovery::{Leftovers, clear_outbox};
use crate::store::{Access, Reign, Store, StoreError};
use crate::sys::{self, JobLock, SlotNotes, StopFlags};

const SUCCESS: i32 = 0;
const FAILURE: i32 = 1;
/// Threads of a manager with one worker, and the process of its unit.
const LEAST_THREADS: usize = 6;
/// Files that a manager with one worker has open, and those of its unit.
const LEAST_FILES: usize = 24;

/// What a manager has once it is the one.
pub(super) struct Post {
    store: Store,
    reign: Reign,
    job: Job,
    context: JobContext,
    flags: StopFlags,
    clock: Clock,
    // Held until the job is in the state that it is left in; dropping it earlier would let a successor begin beside us.
    lock: Option<JobLock>,
    leave: Leave,
}

/// What came of the attempt to become the manager.
pub(super) enum Taken {
    /// This process is the manager.
    Post(Box<Post>),
    /// That one is.
    Already {
        /// Its process number, if it can be looked at.
        pid: Option<u32>,
    },
}

/// Runs the job of `request` in this process and returns its exit code.
pub(super) fn manage(request: &LaunchRequest, handlers: &Handlers) -> i32 {
    match become_manager(request) {
        Ok(Some(post)) => match serve(post, handlers) {
            Ok(_) => SUCCESS,
            Err(_) => FAILURE,
        },
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
fn become_manager(request: &LaunchRequest) -> Result<Option<Post>, ManagerError> {
    crash_point!("manager-started");
    sys::become_manager().map_err(ManagerError::system("detach from the client"))?;
    let flags = sys::install_stop_flags().map_err(ManagerError::system("install signal handlers"))?;
    panics::install_hook();
    // An answer to whoever starts the job, before anything of it changes.
    sys::expect_room(LEAST_THREADS, LEAST_FILES).map_err(ManagerError::NoRoom)?;
    // Nothing of this process can go on with a thread that does not come back.
    let leave: Leave = Box::new(|error| {
        let is_asked_for = matches!(error, ManagerError::HandlersStay { .. });
        std::process::exit(if is_asked_for { SUCCESS } else { FAILURE })
    });
    let taken = take_post(&request.db, request.job, flags.clone(), Clock::Wall, leave);
    match taken.map_err(|error| error.of_file_limit(&flags))? {
        Taken::Already { pid } => {
            sys::write_ready(&Answer::Already { pid }.to_line());
            Ok(None)
        }
        Taken::Post(mut post) => {
            // A job of an older version has none recorded: its units keep the private umask that they were promised.
            if let Some(submitter) = post.store.submitter(post.job.id)? {
                sys::inherit(&submitter).map_err(ManagerError::system("take on the submitter's umask and limits"))?;
            }
            let (pid, epoch) = (std::process::id(), post.reign.epoch);
            sys::write_ready(&Answer::Ready { pid, epoch }.to_line());
            sys::close_ready_pipe().map_err(ManagerError::system("close the ready pipe"))?;
            crash_point!("ready");
            log_line!("manager {pid} of job {} ({}), epoch {epoch}", post.job.id, post.job.name);
            Ok(Some(*post))
        }
    }
}

/// Takes the lock and the next epoch, and writes who the manager is.
pub(super) fn take_post(
    db: &Path,
    job: JobId,
    flags: StopFlags,
    clock: Clock,
    leave: Leave,
) -> Result<Taken, ManagerError> {
    let mut store = Store::open(db, Access::Manage)?;
    let files = StateDir::beside(store.path()).job(job);
    create_private_dir(&files.slots()).map_err(ManagerError::system("create the job's directory"))?;
    let lock = match take_over(&mut store, job, &files)? {
        Takeover::Won(lock) => lock,
        Takeover::Already { pid } => return Ok(Taken::Already { pid }),
    };
    crash_point!("lock-taken");
    let identity = sys::own_identity().map_err(ManagerError::system("identify this process"))?;
    let program = sys::own_program().map_err(ManagerError::system("find this program"))?;
    let (reign, job) = store.begin_reign(job, &identity, &program, clock.now())?;
    crash_point!("epoch-raised");
    let context = JobContext::of(&job, files, store.file().clone());
    Ok(Taken::Post(Box::new(Post { store, reign, job, context, flags, clock, lock: Some(lock), leave })))
}

/// Runs the job, leaves it in the state that its end calls for, and returns that.
pub(super) fn serve(mut post: Post, handlers: &Handlers) -> Result<JobStatus, ManagerError> {
    let made = panics::catch(|| handlers.runner_of(&post.job.handler, &post.context));
    let runner = made.map_err(|message| ManagerError::Panicked { message }).and_then(|made| Ok(made?));
    let listeners = runner.as_ref().ok().and_then(|runner| runner.listeners());
    let teller = Teller::new([handlers.callbacks()].into_iter().chain(&listeners));
    let outcome = runner.and_then(|runner| {
        panics::catch(|| run_job(&mut post, Arc::clone(&runner), &teller))
            .unwrap_or_else(|message| Err(ManagerError::Panicked { message }))
            .and_then(|end| conclude(&mut post, &*runner, end))
    });
    let outcome = outcome.map_err(|error| error.of_file_limit(&post.flags));
    if let Err(error) = &outcome {
        let message = chain(error);
        log_line!("error: {message}");
        // A manager that was superseded has no say in the job's state any more. One that only could not write leaves
        // the job as it would be after its death: interrupted, and to be resumed.
        if error.is_fenced() || error.is_passing() {
            return outcome;
        }
        if let Err(second) = post.store.fail_job(post.reign, &message, &format!("{error:?}"), post.clock.now()) {
            log_line!("error: cannot record the failure: {}", chain(&second));
        }
    }
    // Whoever is told may want to go on with the job at once.
    drop(post.lock.take());
    if let Err(error) = tell_end(&mut post, &teller) {
        log_line!("error: {}", chain(&error));
    }
    outcome
}

/// Tells the service of the end, and keeps what went wrong in its callbacks.
fn tell_end(post: &mut Post, teller: &Teller<'_>) -> Result<(), StoreError> {
    let job = post.store.job(post.job.id)?;
    teller.tell_job_end(&JobReport { job: job.id, name: job.name, status: job.status, progress: job.progress });
    match teller.first_error() {
        Some(message) => post.store.put_callback_error(post.reign, message),
        None => Ok(()),
    }
}

fn conclude(post: &mut Post, runner: &dyn Runner, end: ReignEnd) -> Result<JobStatus, ManagerError> {
    let now = post.clock.now();
    let status = match end {
        ReignEnd::Finished(status) => status,
        ReignEnd::Stopped(StopRequest::Cancel) => patiently(&post.flags, || post.store.cancel_job(post.reign, now))?,
        // Its units may all have ended while it was being stopped.
        ReignEnd::Stopped(StopRequest::Stop | StopRequest::StopNow) | ReignEnd::Halted(_) => {
            let last = |progress: &Progress| runner.last_unit(progress);
            match (patiently(&post.flags, || post.store.finish_job(post.reign, now, last))?, end) {
                (Some(status), _) => status,
                (None, ReignEnd::Halted(halt)) => {
                    patiently(&post.flags, || post.store.halt_job(post.reign, halt.status, &halt.reason, now))?
                }
                (None, _) => {
                    crash_point!("before-pause");
                    let status = patiently(&post.flags, || post.store.pause_job(post.reign, now))?;
                    crash_point!("after-pause");
                    status
                }
            }
        }
        ReignEnd::Failed => unreachable!("a failed thread leaves its error"),
    };
    log_line!("the job is {status}");
    Ok(status)
}

fn run_job(post: &mut Post, runner: Arc<dyn Runner>, teller: &Teller<'_>) -> Result<ReignEnd, ManagerError> {
    let notes = SlotNotes::open(&post.context.files.notes(), Limits::MAX_WORKERS)
        .map_err(ManagerError::system("open the notes of the slots"))?;
    let (store, reign, flags) = (&mut post.store, post.reign, &post.flags);
    let now = post.clock.now();
    let recovered = patiently(flags, || {
        let leftovers = Leftovers::end(store, &post.context, &notes)?;
        leftovers.done.iter().for_each(|done| log_line!("{done}"));
        Ok::<_, ManagerError>(leftovers.record(store, reign, &post.context, &notes, now)?)
    })?;
    for line in recovered.unreadable {
        log_line!("{line}: that unit runs again");
    }
    for (mut unit, change) in recovered.units {
        if !teller.wants(change.to) {
            continue;
        }
        // One after the other: all of them together may be long.
        unit.payload = patiently(flags, || store.payload(unit.id))?;
        teller.tell_unit(&teller::report(&post.context, unit, &change));
    }
    let claimed_through = patiently(flags, || store.claimed_through(post.job.id))?;
    let shared = Shared::new(claimed_through, post.clock.clone(), post.job.limits.clone());
    if let Some(hold) = &post.job.hold {
        shared.hold(hold.until);
    }
    let crew = Crew { job: &post.context, runner, teller, shared: &shared, notes: &notes };
    let recorder_store = patiently(&post.flags, || Store::open(post.store.path(), Access::Manage))?;
    let (hire, demands) = std::sync::mpsc::channel();
    let mut coordinator =
        Coordinator::new(&mut post.store, &post.job, post.reign, &*crew.runner, hire, &shared, &post.flags)?;
    coordinator.hold_post(&mut post.lock, &post.leave);
    let end = with_threads(&crew, recorder_store, post.reign, coordinator, demands, teller);
    drop(crew);
    // Whoever left handlers behind has said so, and may be another one's by now.
    let end = match end {
        Err(error) if error.is_of_handlers() => return Err(error),
        end => end,
    };
    if let Some(error) = shared.into_error() {
        return Err(error);
    }
    crash_point!("threads-ended");
    // Every end is committed; kept any longer, it could be mistaken for the end of a later attempt.
    clear_outbox(&post.context.files).map_err(ManagerError::system("clear the ends of units"))?;
    end
}

/// Runs the coordinator on this thread while workers and recorder run on theirs; all have ended when it returns.
fn with_threads(
    crew: &Crew<'_>,
    recorder_store: Store,
    reign: Reign,
    coordinator: Coordinator<'_>,
    demands: Receiver<usize>,
    teller: &Teller<'_>,
) -> Result<ReignEnd, ManagerError> {
    let (events, inbox) = events::channel(&crew.shared.feed);
    std::thread::scope(|threads| {
        let (tell, reports) = teller.channel().unzip();
        if let Some(reports) = reports {
            start(threads, "callbacks", move || teller.tell_units(reports, &crew.shared.feed))?;
        }
        let recorder = Recorder::new(recorder_store, reign, crew.shared, inbox, tell, Arc::clone(&crew.runner));
        let record = move || {
            if let Err(message) = panics::catch(|| recorder.run()) {
                crew.shared.fail(ManagerError::Panicked { message });
            }
        };
        start(threads, "recorder", record)?;
        let staff = Staff::new(threads, crew, events);
        // The recorder ends with the last sender: that of the staff goes with the coordinator's demands.
        start(threads, "staff", move || staff.follow(crew.job.limits.workers, &demands))?;
        coordinator.run()
    })
}

/// Starts one of the manager's own threads.
fn start<'scope>(
    threads: &'scope std::thread::Scope<'scope, '_>,
    name: &str,
    run: impl FnOnce() + Send + 'scope,
) -> Result<(), ManagerError> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn_scoped(threads, run);
    started.map(drop).map_err(ManagerError::system("start the threads of the manager"))
}
