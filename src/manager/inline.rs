//! Running a job inside the calling process, for tests: the same engine, without detachment and signals.
//!
//! The engine has a thread of its own, so that one whose handlers do not come back can be left behind with them.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::channel;

use super::clock::Clock;
use super::error::ManagerError;
use super::panics;
use super::run::run_session;
use super::session::{Acquired, acquire};
use crate::handler::Handlers;
use crate::model::{JobId, JobStatus};
use crate::store::Store;
use crate::sys::StopFlags;

/// Runs a job until it has ended or is paused, and returns the state it is left in.
///
/// # Errors
/// [`ManagerError::HandlersStay`] when handlers do not come back; their threads live on.
pub(crate) fn run_inline(db: &Path, job: JobId, handlers: &Handlers, clock: Clock) -> Result<JobStatus, ManagerError> {
    panics::extend_hook();
    let (tell, told) = channel();
    let left = tell.clone();
    let leave = move |error| {
        // Whoever asked is there as long as nobody has answered.
        let _ = left.send(Err(error));
    };
    let session = match acquire(db, job, StopFlags::default(), clock, Box::new(leave), |_| Ok(()), Store::join)? {
        Acquired::Session(session) => session,
        Acquired::Already { pid } => return Err(ManagerError::Already { job, pid }),
    };
    let handlers = handlers.clone();
    let run = move || {
        let outcome = run_session(*session, &handlers);
        // What the program gave to its handlers is its own again when it is told.
        drop(handlers);
        // After handlers that came back too late nobody listens any more.
        let _ = tell.send(outcome);
    };
    let thread = std::thread::Builder::new().name("manager".to_owned()).spawn(run);
    let thread = thread.map_err(ManagerError::system("start the thread of the manager"))?;
    match (told.recv(), thread) {
        (Ok(outcome), _) => outcome,
        (Err(_), thread) => match thread.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => unreachable!("a thread that ends has sent the outcome"),
        },
    }
}
