//! Whether a job's manager lives: one answer for the library, the command line and the manager itself.
//!
//! The evidence is gathered by [`observe_manager`] and judged by `judge`, a pure table. The lock decides wherever it
//! can be looked at; the process number, checked against the start of the process and the boot of the host, is the
//! second opinion; the age of a heartbeat only ever says "stalled". What cannot be seen is unknown, never dead. A
//! record that another database's manager has written says nothing about this one. Nothing here writes.

mod observe;
mod verdict;

pub use observe::{ManagerHealth, observe_manager};
pub use verdict::{Health, Reason};
