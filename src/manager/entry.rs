//! The hook by which an executable becomes a launcher or a manager.

use std::ffi::OsString;

use tracing::error;

use super::{FAILURE, log};
use crate::crash::crash_point;
use crate::handler::Handlers;
use crate::launch::{self, LaunchArgumentsError, LaunchRequest, Stage};
use crate::model::handed_on;
use crate::sys;

/// Takes this process over when it was started as a launcher or manager; returns at once in an ordinary process.
///
/// Call it first thing in `main`, before the service reads its arguments, takes a port or installs signal handlers: a
/// manager leaves its session, resets all signals and never returns from here. `register` is called in a manager only.
/// Under an async runtime's own `main` it works too, at the price of that runtime's idle threads.
///
/// A process that a manager starts to run a command with a limit of memory becomes that command here.
///
/// A manager says what it does by events and spans of `tracing`: `job` at the level INFO, in it `unit` and in that `attempt`
/// at the level DEBUG. It writes them into the job's log, unless there is a global subscriber by the time at which `register`
/// returns: `register` is the place to set one, and a log of its own is then the service's affair.
///
/// ```no_run
/// job_manager::run_if_manager(|_handlers| {});
/// // the ordinary program follows
/// ```
pub fn run_if_manager(register: impl FnOnce(&mut Handlers)) {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    sys::join_if_asked(&args);
    let Some(launched) = LaunchRequest::from_args(&args) else { return launch::note_hook() };
    let code = match launched {
        Ok(request) if request.stage == Stage::Manager => {
            let mut handlers = Handlers::new();
            register(&mut handlers);
            // Afterwards, so that the service can have its own.
            log::install();
            super::run::manage(&request, &handlers)
        }
        launched => {
            log::install();
            launched.map_or_else(refuse, become_launcher)
        }
    };
    std::process::exit(code);
}

fn refuse(error: LaunchArgumentsError) -> i32 {
    error!("{error}");
    2
}

fn become_launcher(request: LaunchRequest) -> i32 {
    // A manager started from within a unit is a job of its own, and must not be ended as that unit's orphan.
    let cookie = std::iter::once((OsString::from(sys::COOKIE_VARIABLE), None));
    let changed = cookie.chain(std::env::vars_os().filter_map(|(name, value)| {
        let seen = handed_on(&name, value.clone());
        (seen.as_ref() != Some(&value)).then_some((name, seen))
    }));
    crash_point!("launcher-started");
    let manager = LaunchRequest { stage: Stage::Manager, ..request };
    match sys::detach_and_respawn(&manager.title(), manager.to_args(), changed) {
        Ok(()) => 0,
        Err(error) => {
            error!("cannot detach from the client: {error}");
            FAILURE
        }
    }
}
