//! Whether a job's manager lives: one answer for the library, the command line and the manager itself.
//!
//! The evidence is gathered by [`observe_manager`] and judged by `judge`, a pure table. The lock decides wherever it
//! can be looked at; the process number, checked against the start of the process and the boot of the host, is the
//! second opinion; the age of a heartbeat only ever says "stalled". What cannot be seen is unknown, never dead. A
//! record that another database's manager has written says nothing about this one. Nothing here writes.
//!
//! A database on a server may have managers on other hosts, whose locks and processes cannot be looked at from here: of those the
//! lease decides, by the clock of the server.

mod observe;
mod verdict;

pub use observe::{ManagerHealth, is_held_at, observe_manager};
pub use verdict::{Health, Reason};
