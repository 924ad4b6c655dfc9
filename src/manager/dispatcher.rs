//! Tells the service what became of its units: callbacks run here, after the commit, on threads of their own.
//!
//! No thread waits for a callback but at the manager's end, and there each has [`LAST_CALL_TIME`]: one that does not return is
//! left behind, and with it the calls that would have come after it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Span, error};

use super::error::ManagerError;
use super::feed::Feed;
use super::panics;
use crate::handler::{Callbacks, JobContext, JobReport, UnitReport};
use crate::model::{Unit, UnitStatus};
use crate::store::UnitChange;

/// Time that a callback may take when nothing else of the job is left to do; a hook, which is ended after half a minute, needs
/// less.
const LAST_CALL_TIME: Duration = Duration::from_secs(40);
/// Time between two looks at a callback that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Calls callbacks and remembers the first thing that went wrong with them.
pub(super) struct CallbackDispatcher {
    callbacks: Vec<Callbacks>,
    /// The job's, in which calls are made.
    span: Span,
    last_call_time: Duration,
    first_error: OnceLock<String>,
    /// What is being called, and since when.
    under_way: Mutex<Option<(String, Instant)>>,
    /// Whether a callback of units was left behind: no other is called for units any more.
    has_left: AtomicBool,
}

/// Disconnected once a thread has made its calls.
pub(super) type Calls = Receiver<()>;

impl CallbackDispatcher {
    /// Makes one that tells everybody in those lists.
    pub fn new(callbacks: impl IntoIterator<Item = Callbacks>) -> Self {
        Self {
            callbacks: callbacks.into_iter().collect(),
            span: Span::none(),
            last_call_time: LAST_CALL_TIME,
            first_error: OnceLock::new(),
            under_way: Mutex::new(None),
            has_left: AtomicBool::new(false),
        }
    }

    /// Makes its calls in a span; not every subscriber knows in which one a thread is.
    pub fn in_span(self, span: &Span) -> Self {
        Self { span: span.clone(), ..self }
    }

    /// Returns `true` if units that end like this are of interest to anybody.
    pub fn wants(&self, status: UnitStatus) -> bool {
        self.callbacks.iter().any(|callbacks| callbacks.wants(status))
    }

    /// Starts to tell of units until the last sender has gone, if anybody wants to be told; the recorder never waits for that,
    /// units of the feed do.
    pub fn notify_units(
        self: &Arc<Self>,
        feed: Arc<Feed>,
    ) -> Result<Option<(Sender<UnitReport>, Calls)>, ManagerError> {
        if !self.callbacks.iter().any(Callbacks::wants_units) {
            return Ok(None);
        }
        let (tell, reports) = channel();
        let calls = self.call(move |dispatcher| {
            for report in reports {
                dispatcher.tell_unit(&report);
                feed.end_report();
            }
        })?;
        Ok(Some((tell, calls)))
    }

    /// Tells of one unit, and waits for that.
    pub fn notify_unit(self: &Arc<Self>, report: UnitReport) -> Result<(), ManagerError> {
        let calls = self.call(move |dispatcher| dispatcher.tell_unit(&report))?;
        self.wait_for(&calls);
        Ok(())
    }

    /// Tells of the end of the job, and waits for that.
    pub fn notify_job_end(self: &Arc<Self>, report: JobReport) -> Result<(), ManagerError> {
        let calls = self.call(move |dispatcher| {
            for callback in dispatcher.callbacks.iter().flat_map(Callbacks::job_end) {
                dispatcher.guard("on_job_end".to_owned(), || callback(&report));
            }
        })?;
        self.wait_for(&calls);
        Ok(())
    }

    /// Has those finish who have begun to tell something, and waits for that.
    pub fn notify_leave(self: &Arc<Self>) -> Result<(), ManagerError> {
        if self.callbacks.iter().any(|callbacks| !callbacks.leave().is_empty()) {
            let calls = self.call(|dispatcher| {
                for callback in dispatcher.callbacks.iter().flat_map(Callbacks::leave) {
                    dispatcher.guard("a notification".to_owned(), || callback(&()));
                }
            })?;
            self.wait_for(&calls);
        }
        Ok(())
    }

    /// Waits until a thread has made its calls, or one of them takes too long.
    pub fn wait_for(&self, calls: &Calls) {
        let asked = Instant::now();
        while let Err(RecvTimeoutError::Timeout) = calls.recv_timeout(LOOK_AGAIN) {
            let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((name, since)) = under_way
                && since.max(asked).elapsed() > self.last_call_time
            {
                self.has_left.store(true, Ordering::Relaxed);
                return self.fail(format!("{name} did not return within {:?} and is left behind", self.last_call_time));
            }
        }
    }

    /// Returns the first thing that went wrong in a callback.
    pub fn first_error(&self) -> Option<&str> {
        self.first_error.get().map(String::as_str)
    }

    /// Makes calls on a thread that nobody has to wait for.
    fn call(self: &Arc<Self>, calls: impl FnOnce(&Self) + Send + 'static) -> Result<Calls, ManagerError> {
        let (end, ended) = channel();
        let (dispatcher, job) = (Arc::clone(self), self.span.clone());
        let run = move || {
            job.in_scope(|| calls(&dispatcher));
            // What the program gave is its own again before anybody hears of the end.
            drop((dispatcher, job));
            drop::<Sender<()>>(end);
        };
        let started = std::thread::Builder::new().name("callbacks".to_owned()).spawn(run);
        started.map(|_| ended).map_err(ManagerError::system("start the threads of the manager"))
    }

    fn tell_unit(&self, report: &UnitReport) {
        let name = if report.status == UnitStatus::Completed { "on_unit_complete" } else { "on_unit_failed" };
        for callback in self.callbacks.iter().flat_map(|callbacks| callbacks.of(report.status)) {
            if !self.has_left.load(Ordering::Relaxed) {
                self.guard(format!("{name} of unit {}:{}", report.job, report.seq), || callback(report));
            }
        }
    }

    fn guard(&self, name: String, callback: impl FnOnce() -> Result<(), String>) {
        let set = |call| *self.under_way.lock().unwrap_or_else(PoisonError::into_inner) = call;
        set(Some((name, Instant::now())));
        let told = panics::catch(callback).map_err(|message| format!("a callback panicked: {message}"));
        set(None);
        if let Err(message) = told.and_then(|told| told) {
            self.fail(message);
        }
    }

    fn fail(&self, message: String) {
        error!("{message}");
        // The first one is kept; the log has them all.
        let _ = self.first_error.set(message);
    }
}

/// Describes the end of a unit.
pub(super) fn report(job: &JobContext, unit: Unit, change: &UnitChange) -> UnitReport {
    UnitReport {
        job: job.id,
        job_name: job.name.clone(),
        seq: unit.id.seq(),
        key: unit.key,
        payload: unit.payload,
        status: change.to,
        attempts: change.attempts,
        result: change.result().map(str::to_owned),
        error: change.error().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::Handlers;
    use crate::model::{JobId, JobStatus, Progress, Seq};

    fn report(seq: i64) -> UnitReport {
        UnitReport {
            job: JobId(1),
            job_name: "job".to_owned(),
            seq: Seq(seq),
            key: None,
            payload: "1".to_owned(),
            status: UnitStatus::Completed,
            attempts: 1,
            result: None,
            error: None,
        }
    }

    #[test]
    fn fault_330_a_callback_that_does_not_return_is_left_behind_by_name_and_no_other_is_called_for_units() {
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        let (hold, held) = channel::<()>();
        let held = Mutex::new(held);
        let mut handlers = Handlers::new();
        handlers.on_unit_complete(move |unit| {
            tell.lock().unwrap().send(unit.seq.0).unwrap();
            if unit.seq == Seq(2) {
                let _ = held.lock().unwrap().recv();
            }
        });
        let mut dispatcher = CallbackDispatcher::new([handlers.callbacks().clone()]);
        dispatcher.last_call_time = Duration::from_millis(200);
        let dispatcher = Arc::new(dispatcher);
        let feed = Arc::new(Feed::new());
        let (sender, calls) = dispatcher.notify_units(Arc::clone(&feed)).unwrap().unwrap();

        for seq in 1..=3 {
            feed.begin_report();
            sender.send(report(seq)).unwrap();
        }
        drop(sender);
        dispatcher.wait_for(&calls);
        let job = JobReport {
            job: JobId(1),
            name: "job".to_owned(),
            status: JobStatus::Completed,
            progress: Progress::default(),
        };
        dispatcher.notify_job_end(job).unwrap();

        let said = dispatcher.first_error().unwrap();
        assert_eq!(said, "on_unit_complete of unit 1:2 did not return within 200ms and is left behind");
        drop(hold);
        assert!(calls.recv().is_err(), "the thread goes on when the callback returns");
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [1, 2], "a unit was told of after its callback was left");
    }
}
