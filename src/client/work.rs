//! The share of a host in jobs: their managers are started here, watched, and started again when they die.
//!
//! The end of a manager is seen at once, from its process; from its lock, several times a second, where the process cannot be seen.
//! Which jobs there are is asked less often. While the database is away the processes that a dead manager left are ended all the same.
//!
//! Known weakness: a manager that somebody else has started is watched like one of ours, and is not asked to leave.

mod event;
mod host;
mod starting;

use std::time::{Duration, Instant};

use super::{Client, ClientError};
use crate::sys::StopFlags;
use host::Host;

pub use event::{WorkEvent, WorkOptions};

/// Time between two looks at managers whose processes cannot be seen, and at what signals ask for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Time between two looks for jobs.
const ASK_EVERY: Duration = Duration::from_secs(2);

impl Client {
    /// Runs this host's share of jobs until a signal asks it to leave, and tells what happens.
    ///
    /// Each running job gets a manager on this host, which shares its units with those of other hosts. One that dies is
    /// started again, and what it left running is ended. When asked to leave, the managers that were started here are
    /// stopped: what they own is given back, and the last manager of a job pauses it. A second signal has them end the
    /// units that run.
    ///
    /// ```no_run
    /// # use job_manager::client::{WorkOptions, install_stop_flags};
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let options = WorkOptions { exit_when_idle: true, ..WorkOptions::default() };
    /// client.work(&options, &install_stop_flags().expect("signals can be handled"), |event| eprintln!("{event:?}"))?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When there is nothing left to do but jobs that cannot run on this host; and when the database refuses for good.
    pub fn work(
        &self,
        options: &WorkOptions,
        signals: &StopFlags,
        mut tell: impl FnMut(WorkEvent),
    ) -> Result<(), ClientError> {
        let mut host = Host::new(self, options, &mut tell);
        host.look_for_leftovers()?;
        let mut ask_at = Instant::now();
        while !signals.stop_requested() {
            let has_ended = host.look_at_managers();
            if has_ended || Instant::now() >= ask_at {
                let is_idle = host.take_up()?;
                ask_at = Instant::now() + ASK_EVERY;
                if options.exit_when_idle && is_idle {
                    return host.refusal();
                }
            }
            host.pause(LOOK_EVERY);
        }
        host.ask_own();
        let mut is_hurried = false;
        while host.has_own() {
            if signals.now_requested() && !std::mem::replace(&mut is_hurried, true) {
                host.ask_own();
            }
            host.pause(LOOK_EVERY);
            host.look_at_managers();
        }
        host.clear_dead();
        Ok(())
    }
}
