//! Named places at which a test makes a process die, stop or panic; nothing of this is in a released program.
//!
//! `JOB_MANAGER_CRASH=before-commit:kill@3` kills the process that comes to that place for the third time. The actions
//! are `kill`, `abort`, `exit`, `stop` (as by SIGSTOP), `term` (a signal that asks it to stop), `sleep` (for ever) and `panic`. Every place has a scenario in
//! `fixtures/crash`.

/// Marks a place at which a test may make this process die.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "crash-points")]
        $crate::crash::reach($name);
    };
}

pub(crate) use crash_point;

#[cfg(all(feature = "crash-points", not(debug_assertions)))]
compile_error!("crash points belong into test builds only: build releases without the feature `crash-points`");

#[cfg(feature = "crash-points")]
pub(crate) use armed::reach;

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use nix::sys::signal::Signal;

    struct Plan {
        name: String,
        action: String,
        /// Times that the place is still passed unharmed.
        left: AtomicU32,
    }

    /// Does what the environment asks for at this place.
    pub(crate) fn reach(name: &str) {
        static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
        let Some(plan) = PLAN.get_or_init(read_plan).as_ref().filter(|plan| plan.name == name) else { return };
        if plan.left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        match plan.action.as_str() {
            "kill" => raise(Signal::SIGKILL),
            // To this thread, so that it stands still at this place: another thread would take its time to stop it.
            "stop" => nix::sys::signal::raise(Signal::SIGSTOP).expect("a thread may signal itself"),
            "term" => raise(Signal::SIGTERM),
            "abort" => std::process::abort(),
            "exit" => std::process::exit(7),
            "panic" => panic!("crash point {name}"),
            "sleep" => loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            },
            other => panic!("unknown action {other:?} at crash point {name}"),
        }
    }

    fn raise(signal: Signal) {
        nix::sys::signal::kill(nix::unistd::getpid(), signal).expect("a process may signal itself");
        if signal == Signal::SIGKILL {
            // Until the kernel comes round to it.
            loop {
                std::thread::park();
            }
        }
    }

    fn read_plan() -> Option<Plan> {
        let text = std::env::var("JOB_MANAGER_CRASH").ok()?;
        let (name, rest) = text.split_once(':')?;
        let (action, count) = rest.split_once('@').unwrap_or((rest, "1"));
        let left = AtomicU32::new(count.parse().expect("a count follows the @"));
        Some(Plan { name: name.to_owned(), action: action.to_owned(), left })
    }
}
