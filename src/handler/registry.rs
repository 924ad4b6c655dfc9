//! Handlers by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::callbacks::{Callbacks, JobReport, Listener, UnitReport};
use super::runner::{Attempt, HandlerError, JobContext, Runner};
use super::typed::run_typed;
use super::{COMMAND, CommandHandler, Handler, UnitContext, UnitError};
use crate::model::{Cause, UnitOutcome};

type Factory = Arc<dyn Fn(&JobContext) -> Result<Arc<dyn Runner>, HandlerError> + Send + Sync>;

/// The handlers that a program offers, and what it wants to be told; `command` is always among them.
///
/// A clone has the same handlers. Jobs name their handler by text and never by address, so that a newer build of the program can resume them. A name
/// that is registered twice means the later handler.
///
/// ```
/// use job_manager::{Handlers, UnitContext, UnitError};
///
/// fn register(handlers: &mut Handlers) {
///     handlers
///         .register("square", |number: i64, _unit: &UnitContext<'_>| {
///             number.checked_mul(number).ok_or_else(|| UnitError::fail("too large"))
///         })
///         .on_unit_failed(|unit| eprintln!("{}: {:?}", unit.seq, unit.error));
/// }
/// # register(&mut Handlers::new());
/// ```
#[derive(Clone)]
pub struct Handlers {
    factories: BTreeMap<String, Factory>,
    callbacks: Callbacks,
}

impl Handlers {
    /// Returns a registry that knows the command handler only.
    pub fn new() -> Self {
        let mut handlers = Self { factories: BTreeMap::new(), callbacks: Callbacks::default() };
        handlers.insert(COMMAND, Arc::new(|job| Ok(Arc::new(CommandHandler::new(job)?))));
        handlers
    }

    /// Registers a function or closure.
    pub fn register<P, R, F>(&mut self, name: &str, function: F) -> &mut Self
    where
        P: DeserializeOwned + 'static,
        R: Serialize + 'static,
        F: Fn(P, &UnitContext<'_>) -> Result<R, UnitError> + Send + Sync + 'static,
    {
        self.insert_runner(name, move |attempt: &Attempt<'_>| run_typed(attempt, &function))
    }

    /// Registers a type with state of its own.
    pub fn register_handler(&mut self, name: &str, handler: impl Handler) -> &mut Self {
        let run = move |attempt: &Attempt<'_>| run_typed(attempt, |payload, unit| handler.run(payload, unit));
        self.insert_runner(name, run)
    }

    /// Registers an async function or closure; as many run at once as the job has workers.
    ///
    /// It runs on a runtime of the manager's own, with timers and sockets. An attempt that exceeds the job's timeout,
    /// or that a hasty stop ends, is dropped at its next `await`.
    ///
    /// ```
    /// use job_manager::{Handlers, UnitContext};
    ///
    /// let mut handlers = Handlers::new();
    /// handlers.register_async("nap", async |ms: u64, _unit: &UnitContext<'_>| {
    ///     tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    ///     Ok(ms)
    /// });
    /// ```
    #[cfg(feature = "async")]
    pub fn register_async<P, R, F>(&mut self, name: &str, function: F) -> &mut Self
    where
        P: DeserializeOwned + 'static,
        R: Serialize + 'static,
        F: AsyncFn(P, &UnitContext<'_>) -> Result<R, UnitError> + Send + Sync + 'static,
    {
        let (name, function) = (name.to_owned(), Arc::new(function));
        self.insert(
            &name.clone(),
            Arc::new(move |_| {
                let setup = |source| HandlerError::Setup { name: name.clone(), source };
                Ok(Arc::new(super::asynchronous::runner_of(Arc::clone(&function)).map_err(setup)?))
            }),
        )
    }

    /// Calls `callback` in the manager for every unit that has completed.
    ///
    /// Callbacks of units run on one thread of their own, in the order of the commits, after the commit: what they see
    /// is durable. A death of the manager in between loses the call, and it is never made twice. Slow callbacks slow
    /// the job down. A panic in one is recorded in the job and in the log, and stops nothing. One that has not returned forty
    /// seconds after all else of the job was done is left behind, and with it the calls for units that were to follow: the
    /// manager ends, and the job and the log name it.
    pub fn on_unit_complete(&mut self, callback: impl Fn(&UnitReport) + Send + Sync + 'static) -> &mut Self {
        self.callbacks.unit_complete.push(listener(callback));
        self
    }

    /// Calls `callback` in the manager for every unit that has failed permanently; see
    /// [`on_unit_complete`](Self::on_unit_complete).
    pub fn on_unit_failed(&mut self, callback: impl Fn(&UnitReport) + Send + Sync + 'static) -> &mut Self {
        self.callbacks.unit_failed.push(listener(callback));
        self
    }

    /// Calls `callback` when the manager has recorded the job's end, or its pause, and is about to end itself.
    pub fn on_job_end(&mut self, callback: impl Fn(&JobReport) + Send + Sync + 'static) -> &mut Self {
        self.callbacks.job_end.push(listener(callback));
        self
    }

    /// Makes the runner of a job; one that fails its units when no handler of that name is known.
    pub(crate) fn runner_of(&self, name: &str, job: &JobContext) -> Result<Arc<dyn Runner>, HandlerError> {
        match self.factories.get(name) {
            Some(factory) => factory(job),
            // The units and not the job, so that whoever has the right program can retry them, and nothing crashes in a loop.
            None => {
                let known = self.factories.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let error = format!("unknown handler {name:?}, this program knows: {known}");
                Ok(Arc::new(move |_: &Attempt<'_>| {
                    UnitOutcome::Failed { cause: Cause::NotStarted, error: error.clone() }.into()
                }))
            }
        }
    }

    /// Returns what the program wants to be told.
    pub(crate) fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }

    fn insert_runner(&mut self, name: &str, runner: impl Runner + 'static) -> &mut Self {
        let runner: Arc<dyn Runner> = Arc::new(runner);
        self.insert(name, Arc::new(move |_| Ok(Arc::clone(&runner))))
    }

    fn insert(&mut self, name: &str, factory: Factory) -> &mut Self {
        self.factories.insert(name.to_owned(), factory);
        self
    }
}

/// A callback, with which nothing can go wrong but a panic.
fn listener<T: 'static>(callback: impl Fn(&T) + Send + Sync + 'static) -> Listener<T> {
    Arc::new(move |report| {
        callback(report);
        Ok(())
    })
}

impl Default for Handlers {
    fn default() -> Self {
        Self::new()
    }
}
