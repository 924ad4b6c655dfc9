//! Why a limit cannot be used.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Amount, span};
use crate::sys::{MemoryHomeError, ZoneError};

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
    /// Results are compared that are no JSON.
    #[error("`{condition}` is about results in JSON, and this job keeps the output of its units as text")]
    FlagWithoutJson {
        /// The comparison.
        condition: String,
    },
    /// A lease was asked for where there is none.
    #[error("a lease is for jobs in a database on a server, which several hosts share; this database is a file")]
    NoLease,
    /// Units whose output is thrown away cannot be ended for want of it.
    #[error(
        "nothing is read of what these units write, so that nobody can tell which are idle: keep their output, or give a time limit"
    )]
    IdleUnheard,
    /// Attempts end before it could matter that they are idle.
    #[error(
        "an attempt may take {}, which is over before it has given no sign of life for {}: give a shorter time for that, or a longer one for the attempt",
        span(*timeout), span(*idle)
    )]
    IdleAfterTimeout {
        /// The time without a sign of life.
        idle: Duration,
        /// The time that an attempt may take.
        timeout: Duration,
    },
    /// The memory of units is to be limited where that cannot be done.
    #[error(
        "the memory of units cannot be limited here, which takes a control group that this user may divide, as in a service or scope of systemd"
    )]
    NoMemoryLimit(#[source] MemoryHomeError),
    /// The memory of a function of the program is that of its manager.
    #[error("only the memory of commands can be limited, and the units of this job are run by the handler {handler:?}")]
    MemoryOfHandler {
        /// The handler.
        handler: String,
    },
    /// There is no attempt that would have more memory.
    #[error("a unit with one attempt never has more memory than at first: give one size, or more attempts")]
    MemoryNeverGrows,
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
    /// Units are to be ended at once and after a time.
    #[error("running units are ended at once, or those that need longer than a time: not both")]
    NowOrLater,
    /// No exit code completes a unit.
    #[error("no unit would ever complete: exit code 0 is a failure, and no other one is ok")]
    NeverOk,
    /// Units that may run at most once are not tried again.
    #[error("a unit that may run at most once is never tried again")]
    NeverLater,
    /// Units may be tried again later, and may not wait for that.
    #[error("units that may wait for no time at all cannot be tried again later: give a time above zero, or no limit")]
    NoTimeForLater,
    /// What a command says when it is done means that it is to run again.
    #[error("exit code 0 says that a command is done: a unit that is tried again after it would be tried for ever")]
    NeverDone,
    /// An exit code has a unit tried again at once, and no attempt is counted.
    #[error(
        "exit code {code} would have a unit tried again at once, and for ever, because no attempt is counted: give a time above zero"
    )]
    AtOnce {
        /// The code.
        code: i32,
    },
    /// An exit code has a unit tried again after a backoff that is none, and no attempt is counted.
    #[error(
        "exit code {code} has a unit tried again after the backoff, which is zero, and no attempt is counted: give a backoff above zero"
    )]
    BusyAtOnce {
        /// The code.
        code: i32,
    },
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
    /// Nothing is set aside for an attempt, with which a budget is kept by nobody.
    #[error("0 {name} are reserved for an attempt, which keeps no budget: reserve what one may cost")]
    NothingReserved {
        /// The meter.
        name: String,
    },
    /// Something is set aside for an attempt where nothing is bounded.
    #[error("{reserve} {name} are reserved for an attempt, and {name} has neither a budget nor a rate: give it one")]
    ReservedForNothing {
        /// The meter.
        name: String,
        /// What is reserved.
        reserve: Amount,
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
    /// All units would be in one group.
    #[error(
        "every unit would be in the group {by:?}: give a template with a placeholder, such as {{customer}} or {{url/host}}"
    )]
    OneGroup {
        /// The template.
        by: String,
    },
    /// A group may run no units at a time, or more than the job.
    #[error("a group can run 1 to {workers} units at a time, as many as the job has workers, not {most}")]
    PerGroupOutOfRange {
        /// What was asked for.
        most: usize,
        /// The workers of the job.
        workers: usize,
    },
    /// A group may have no failed unit, and none has failed yet.
    #[error("a group with 0 failed units would never start: give 1 or more")]
    NoGroupStarts,
    /// Units that are there would be in other groups.
    #[error("how units are grouped is said when the job is created")]
    OtherGroups,
    /// The time zone of a window is not known here.
    #[error("cannot use the window")]
    Zone {
        /// The cause.
        source: ZoneError,
    },
}
