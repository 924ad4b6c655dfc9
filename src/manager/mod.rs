//! The detached process that runs one job, from the lock it takes to the state it leaves.
//!
//! Three kinds of threads: W workers, each a long claim-run-record loop in a slot of its own; one recorder, the only
//! one that writes units, in group commits; and the main thread, which feeds the workers and polls for signals and
//! requests. A unit is never a task that rayon could steal, so that a handler may use rayon itself.
//!
//! Invariants: nothing is written before the lock and the epoch are held; a unit is in hand from the moment it is
//! read until the commit of its end, and is never read again meanwhile; whatever goes wrong, the workers are told to
//! end, the recorder drains, and the reason is kept.

mod adaptation;
mod budgets;
mod clock;
mod conclusion;
mod coordinator;
mod dispatcher;
mod entry;
mod error;
mod events;
mod feed;
mod gate;
mod halt;
mod inline;
mod last_attempts;
mod lease_guard;
mod log;
mod machine;
mod merged;
mod panics;
mod permits;
mod rate_meter;
mod recorder;
mod run;
mod schedule;
mod session;
mod shared;
mod shortage;
mod spans;
mod stops;
mod takeover;
mod transient;
mod worker;
mod worker_pool;

pub(crate) use clock::Clock;
pub use clock::FakeClock;
pub use entry::run_if_manager;
pub(crate) use error::ManagerError;
pub(crate) use inline::run_inline;

/// Exit codes of a launcher or manager.
const SUCCESS: i32 = 0;
const FAILURE: i32 = 1;
