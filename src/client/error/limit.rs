//! Why a limit cannot be used.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Amount, span};
use crate::sys::ZoneError;

/// A limit that cannot be used; nothing was created or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// A limit lies outside its range.
    #[error("a job can have 1 to {max} workers, not {given}")]
    WorkersOutOfRange {
        /// What was asked for.
        given: usize,
        /// The most that a job may have.
        max: usize,
    },
    /// A lease was asked for where there is none.
    #[error("a lease is for jobs in a database on a server, which several hosts share; this database is a file")]
    NoLease,
    /// Units whose output is thrown away cannot be ended for want of it.
    #[error(
        "nothing is read of what these units write, so that nobody can tell which are idle: keep their output, or give a time limit"
    )]
    IdleUnheard,
    /// It was said what becomes of units of a lost host where a job has one host.
    #[error("what becomes of the units of a lost host is for jobs in a database on a server; this database is a file")]
    NoOtherHost,
    /// A manager would not have the time to end its units before others run them.
    #[error(
        "a lease of {} is too short for units that have {} to end: it must be at least {}",
        span(*given), span(*kill_after), span(*shortest)
    )]
    LeaseTooShort {
        /// The lease.
        given: Duration,
        /// The time between TERM and KILL.
        kill_after: Duration,
        /// The shortest one that is enough for that.
        shortest: Duration,
    },
    /// Units that may run at most once are not tried again.
    #[error("a unit that may run at most once is never tried again later")]
    NeverLater,
    /// The least number of workers is above the most.
    #[error("at least {least} units are to run at a time, and at most {workers}: adapt from 1 to {workers}")]
    AdaptOutOfRange {
        /// The fewest.
        least: usize,
        /// The most.
        workers: usize,
    },
    /// Units were to be drawn at random, and none run before the others.
    #[error("a sample is drawn for a canary: say how many units run before the others")]
    SampleOfNothing,
    /// More units were to be drawn than can be kept in mind.
    #[error("a sample has {most} units at most, not {size}")]
    SampleTooLarge {
        /// How many were to be drawn.
        size: u32,
        /// The most.
        most: u32,
    },
    /// The path by whose file system units wait is relative to nothing.
    #[error("the file system of {} cannot be waited for: give an absolute path", path.display())]
    RelativeDisk {
        /// The path.
        path: PathBuf,
    },
    /// The file system by whose space units wait cannot be looked at.
    #[error("cannot look at the file system of {}", path.display())]
    NoDisk {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A job would count too much.
    #[error("a job can have {most} meters at most")]
    TooManyMeters {
        /// The most that a job may have.
        most: usize,
    },
    /// A meter has no name, or that of another one.
    #[error("{name:?} is no name of a meter, or two meters have it")]
    MeterName {
        /// The name.
        name: String,
    },
    /// A budget or a rate is zero, with which no unit would ever start.
    #[error("the meter {name} may spend nothing, with which no unit would ever start")]
    NothingToSpend {
        /// The meter.
        name: String,
    },
    /// More is set aside for an attempt than the budget has, with which no unit would ever start.
    #[error("{reserve} {name} are reserved for an attempt, and the budget is {budget}: no unit would ever start")]
    ReserveAboveBudget {
        /// The meter.
        name: String,
        /// What is reserved.
        reserve: Amount,
        /// The budget.
        budget: Amount,
    },
    /// A meter would read a number where no JSON is kept.
    #[error("the meter {name} reads {path} in the JSON that an attempt prints, and the result of these units is none")]
    MeterWithoutJson {
        /// The meter.
        name: String,
        /// Where it would read.
        path: String,
    },
    /// The time zone of a budget by the day is not known here.
    #[error("cannot tell the days of the budget")]
    DayZone {
        /// The cause.
        source: ZoneError,
    },
    /// The time zone of a window is not known here.
    #[error("cannot use the window")]
    Zone {
        /// The cause.
        source: ZoneError,
    },
}
