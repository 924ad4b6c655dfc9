//! A manager's life, from the arguments it was started with to its exit code.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tracing::{Span, error, info, warn};

use super::conclusion::{conclude, record_failure};
use super::coordinator::{Coordinator, Held, RunOutcome};
use super::dispatcher::{self, CallbackDispatcher};
use super::error::ManagerError;
use super::last_attempts::LastAttempts;
use super::lease_guard::LeaseGuard;
use super::recorder::Recorder;
use super::session::{ManagerSession, become_manager};
use super::shared::Shared;
use super::spans::SpanExport;
use super::transient::retry_transient;
use super::worker::WorkerContext;
use super::worker_pool::WorkerPool;
use super::{FAILURE, SUCCESS, events, panics};
use crate::crash::crash_point;
use crate::handler::{Handlers, JobReport, Runner};
use crate::launch::{LaunchAnswer, LaunchRequest};
use crate::model::{JobStatus, Limits, chain};
use crate::recovery::{Leftovers, clear_outbox, clear_slots};
use crate::store::{Access, Lease, Store};
use crate::sys::{self, SlotNotes};

/// Runs the job of `request` in this process and returns its exit code.
pub(super) fn manage(request: &LaunchRequest, handlers: &Handlers) -> i32 {
    match become_manager(request) {
        Ok(Some(mut session)) => {
            session.spans = SpanExport::begin(&session.context, session.clock.now());
            match run_session(session, handlers) {
                Ok(_) => SUCCESS,
                Err(_) => FAILURE,
            }
        }
        Ok(None) => SUCCESS,
        Err(error) => {
            let message = chain(&error);
            error!("{message}");
            sys::write_ready(&LaunchAnswer::Refused { message, kind: error.kind() }.to_line());
            FAILURE
        }
    }
}

/// Runs the job, leaves it in the state that its end calls for, and returns that.
pub(super) fn run_session(mut session: ManagerSession, handlers: &Handlers) -> Result<JobStatus, ManagerError> {
    let _in_job = session.span.clone().entered();
    let outcome = run_to_its_end(&mut session, handlers);
    if let Some(spans) = session.spans.take() {
        // The lock is free by now: nobody waits for the collector.
        spans.end(outcome.as_ref().ok().copied(), session.clock.now());
    }
    outcome
}

fn run_to_its_end(session: &mut ManagerSession, handlers: &Handlers) -> Result<JobStatus, ManagerError> {
    let made = panics::catch(|| handlers.runner_of(&session.job.handler, &session.context));
    let runner = made.map_err(|message| ManagerError::Panicked { message }).and_then(|made| Ok(made?));
    let listeners = runner.as_ref().ok().and_then(|runner| runner.listeners());
    let dispatcher = CallbackDispatcher::new([handlers.callbacks().clone()].into_iter().chain(listeners));
    let dispatcher = Arc::new(dispatcher.in_span(&session.span));
    let outcome = run_and_tell(session, runner, &dispatcher);
    // Another manager may go on with the job, and need not wait.
    drop(session.lock.take());
    if let Err(error) = dispatcher.notify_leave() {
        error!("{}", chain(&error));
    }
    outcome
}

/// Runs the job, and tells the service of its end unless others do.
fn run_and_tell(
    session: &mut ManagerSession,
    runner: Result<Arc<dyn Runner>, ManagerError>,
    dispatcher: &Arc<CallbackDispatcher>,
) -> Result<JobStatus, ManagerError> {
    let outcome = runner.and_then(|runner| {
        panics::catch(|| run_job(session, Arc::clone(&runner), dispatcher))
            .unwrap_or_else(|message| Err(ManagerError::Panicked { message }))
            .and_then(|end| {
                conclude(&mut session.store, session.lease, &session.flags, &*runner, &end, session.clock.now())
            })
    });
    let outcome = outcome.map_err(|error| error.of_file_limit(&session.flags));
    if let Some(status) = outcome.as_ref().err().and_then(ManagerError::ended_as) {
        // Whoever did that tells the service of it.
        info!("the job is {status}: another manager or a client has seen to that");
        return Ok(status);
    }
    let mut status = outcome.as_ref().ok().copied();
    if let Err(error) = &outcome {
        error!("{}", chain(error));
        // A manager that was superseded has no say in the job's state any more. One that only could not write leaves
        // the job as it would be after its death: interrupted, and to be resumed.
        let is_recovery = matches!(error, ManagerError::Recovery { .. });
        if error.is_fenced() || error.is_passing() && !is_recovery {
            return outcome;
        }
        status = record_failure(&mut session.store, session.lease, error, session.clock.now()).filter(|_| !is_recovery);
    }
    if status == Some(JobStatus::Running) {
        // Other managers go on with it, and the last one tells its end.
        return outcome;
    }
    if let Err(error) = notify_end(session, dispatcher) {
        error!("{}", chain(&error));
    }
    outcome
}

/// Lets go of the job, tells the service of its end, and keeps what went wrong in its callbacks.
fn notify_end(session: &mut ManagerSession, dispatcher: &Arc<CallbackDispatcher>) -> Result<(), ManagerError> {
    let job = session.store.job(session.job.id);
    // After the look, or a later manager might have begun; and before anybody is told, who may want to go on with the job.
    drop(session.lock.take());
    let job = job?;
    dispatcher.notify_job_end(JobReport { job: job.id, name: job.name, status: job.status, progress: job.progress })?;
    match dispatcher.first_error() {
        Some(message) => Ok(session.store.put_callback_error(session.lease, message)?),
        None => Ok(()),
    }
}

fn run_job(
    session: &mut ManagerSession,
    runner: Arc<dyn Runner>,
    dispatcher: &Arc<CallbackDispatcher>,
) -> Result<RunOutcome, ManagerError> {
    let notes = SlotNotes::open(&session.context.files.notes(), Limits::MAX_WORKERS)
        .map_err(ManagerError::system("open the notes of the slots"))?;
    let (store, lease, flags) = (&mut session.store, session.lease, &session.flags);
    let now = session.clock.now();
    let recovered = retry_transient(flags, || {
        let leftovers = Leftovers::end(store, lease, &session.context, &notes)?;
        leftovers.done.iter().for_each(|done| info!("{done}"));
        Ok::<_, ManagerError>(leftovers.record(store, &session.context, &notes, now)?)
    })?;
    // Nothing of theirs runs here any more, so that every manager may have the units of those before this one.
    retry_transient(flags, || store.give_back_but(lease, &[]))?;
    for line in recovered.unreadable {
        warn!("{line}: that unit runs again");
    }
    for unit in recovered.lost {
        warn!("unit {unit} was changed or given to another manager meanwhile: what became of it here is not recorded");
    }
    for (mut unit, change) in recovered.units {
        if !dispatcher.wants(change.to) {
            continue;
        }
        // One after the other: all of them together may be long.
        unit.payload = retry_transient(flags, || store.payload(unit.id))?;
        dispatcher.notify_unit(dispatcher::report(&session.context, unit, &change))?;
    }
    // What ended before may be a reason to pause.
    session.job = retry_transient(flags, || store.job(lease.job()))?;
    session.job.limits.bound_workers(session.most_workers);
    let shared = Shared::new(session.clock.clone(), session.job.limits.clone());
    if let Some(hold) = &session.job.hold {
        shared.hold(hold.until);
    }
    if session.job.limits.adapt.is_some() {
        let before = retry_transient(&session.flags, || session.store.adapted(session.lease))?;
        shared.adaptation.follow(&session.job.limits, before, &shared.feed);
    }
    let worker_context = WorkerContext {
        job: &session.context,
        runner,
        dispatcher,
        shared: &shared,
        notes: &notes,
        last_attempts: &LastAttempts::of(session.store.path().to_owned()),
        span: &session.span,
        spans: session.spans.as_ref(),
    };
    let mut recorder_store = retry_transient(&session.flags, || Store::open(session.store.path(), Access::Manage))?;
    session.renewals.iter().for_each(|renewals| recorder_store.note_renewals(session.lease, renewals));
    let (grow, demands) = std::sync::mpsc::channel();
    let mut coordinator = Coordinator::new(
        &mut session.store,
        &session.job,
        session.lease,
        &*worker_context.runner,
        grow,
        &shared,
        &session.flags,
    )?;
    coordinator.bound_workers(session.most_workers);
    coordinator.set_held(Held { lock: &mut session.lock, notes: &notes, leave: &session.leave });
    let guard = session.renewals.clone().map(LeaseGuard::new).transpose();
    let guard = guard.map_err(ManagerError::system("watch the lease"))?;
    let end =
        with_threads(&worker_context, recorder_store, session.lease, coordinator, demands, dispatcher, guard.as_ref());
    drop(worker_context);
    if let Some(error) = shared.take_error() {
        return Err(error);
    }
    if let Err(error @ ManagerError::HandlersStay { .. }) = end {
        return Err(error);
    }
    crash_point!("threads-ended");
    // Every end is committed; kept any longer, it could be mistaken for the end of a later attempt.
    clear_outbox(&session.context.files).map_err(ManagerError::system("clear the ends of units"))?;
    if matches!(end, Ok(RunOutcome::Finished(_)))
        && let Err(error) = clear_slots(&session.context)
    {
        // They do no harm, and are deleted with the job.
        warn!("files of the job are left: {}", chain(&error));
    }
    end
}

/// Runs the coordinator on this thread while workers and recorder run on theirs; all have ended when it returns.
fn with_threads(
    worker_context: &WorkerContext<'_>,
    recorder_store: Store,
    lease: Lease,
    coordinator: Coordinator<'_>,
    demands: Receiver<usize>,
    dispatcher: &Arc<CallbackDispatcher>,
    guard: Option<&LeaseGuard>,
) -> Result<RunOutcome, ManagerError> {
    let (events, inbox) = events::channel(&worker_context.shared.feed);
    let (tell, calls) = dispatcher.notify_units(Arc::clone(&worker_context.shared.feed))?.unzip();
    let end = std::thread::scope(|threads| {
        // The guard ends with the coordinator too, and no unit runs without it.
        let _end_of_watch = guard.map(LeaseGuard::end_of_watch);
        if let Some(guard) = guard {
            start(threads, worker_context.span, "lease", move || guard.watch(worker_context.shared))?;
        }
        let recorder = Recorder::new(
            recorder_store,
            lease,
            worker_context.shared,
            inbox,
            tell,
            Arc::clone(&worker_context.runner),
        );
        let record = move || {
            if let Err(message) = panics::catch(|| recorder.run()) {
                worker_context.shared.fail(ManagerError::Panicked { message });
            }
        };
        start(threads, worker_context.span, "recorder", record)?;
        let pool = WorkerPool::new(threads, worker_context, events);
        // The recorder ends with the last sender: that of the pool goes with the coordinator's demands.
        start(threads, worker_context.span, "pool", move || pool.follow(&demands))?;
        coordinator.run()
    });
    if let Some(calls) = calls {
        dispatcher.wait_for(&calls);
    }
    end
}

/// Starts one of the manager's own threads.
fn start<'scope>(
    threads: &'scope std::thread::Scope<'scope, '_>,
    job: &Span,
    name: &str,
    run: impl FnOnce() + Send + 'scope,
) -> Result<(), ManagerError> {
    let job = job.clone();
    let run = move || job.in_scope(run);
    let started = std::thread::Builder::new().name(name.to_owned()).spawn_scoped(threads, run);
    started.map(drop).map_err(ManagerError::system("start the threads of the manager"))
}
