//! Who a process is, told so that a reused number is never mistaken for it.

use std::path::PathBuf;

use serde::Serialize;

use super::{Adapted, DatabaseFile, Timestamp, Waits};

/// Identity of a process: its number means nothing without the boot, the host and the instant of its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessIdentity {
    /// Process number.
    pub pid: u32,
    /// Clock ticks since boot at which it started; unlike seconds of the wall clock they never move.
    pub start_ticks: u64,
    /// Identity of the boot of its host.
    pub boot_id: String,
    /// Name of its host; says nothing while the boot is the same, because names change.
    pub host: String,
    /// The PID and time namespaces in which number and ticks were told; `None` from older versions.
    pub namespaces: Option<String>,
}

/// A sign of life that a manager writes about every second.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// When it was written.
    pub at: Timestamp,
    /// Units that may run at a time.
    pub workers: usize,
    /// Units that run.
    pub running: usize,
    /// Units that ended per second lately.
    pub rate_per_second: f64,
    /// What the next start of a unit waits for of the machine.
    pub waits: Option<Waits>,
    /// How many units run at a time, where the job adapts that.
    pub adapted: Option<Adapted>,
}

/// What the latest manager of a job wrote about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ManagerRecord {
    /// Who it is or was.
    pub identity: ProcessIdentity,
    /// The database that it opened; `None` from older versions.
    pub database: Option<DatabaseFile>,
    /// When its recorder last wrote; only ever a sign of a stall, never of death.
    pub heartbeat_at: Option<Timestamp>,
    /// Units that ended per second lately.
    pub rate_per_second: Option<f64>,
    /// What the next start of a unit waited for of the machine.
    pub waits: Option<Waits>,
    /// How many units run at a time on each host, where the job adapts that; of a job in a file there is one, without a host.
    pub adapted: Vec<(Option<String>, Adapted)>,
    /// The executable that it ran.
    pub program: Option<PathBuf>,
    /// Why the job halted by itself, if it did.
    pub halt_reason: Option<String>,
    /// Whether it paused the job because of a signal that nobody's request went with, as at the shutdown of a machine.
    pub stopped_by_signal: bool,
    /// Why it lets no unit start any more, from then until the job is in the state that calls for.
    pub stopping: Option<String>,
}
