//! What the next start of a unit waits for: something of the machine, or a time.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Bytes, Percent, RawText, Timestamp, Why, counted};

/// What the next start waits for; what the machine lacks is noted by the manager, which is the one that looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Waits {
    /// Memory.
    Memory {
        /// Bytes that are available.
        available: Bytes,
        /// Bytes that must be.
        wanted: Bytes,
        /// Bytes at which units start again.
        again: Bytes,
    },
    /// Processors.
    Load {
        /// Processes that run or want to.
        runnable: u64,
        /// Processors that may be used.
        processors: f64,
        /// The share of them that may be busy, in per cent.
        limit: Percent,
    },
    /// Space on a file system.
    Disk {
        /// A path on it.
        path: RawText,
        /// Bytes that are free.
        free: Bytes,
        /// Bytes that must be.
        wanted: Bytes,
        /// Bytes at which units start again.
        again: Bytes,
    },
    /// What cannot be looked at, because nobody knows that it is enough then.
    Unreadable {
        /// The resource.
        what: Resource,
        /// The cause.
        error: String,
    },
    /// What starting one more unit takes.
    Lack {
        /// What is lacking.
        what: Lack,
        /// How that shows.
        error: String,
    },
    /// A hook or callbacks, which are slower than units end.
    Callbacks {
        /// Units of which they are still to be told.
        waiting: usize,
    },
    /// The next opening of a window.
    Window {
        /// The windows, with their zone.
        windows: String,
        /// When one opens.
        until: Timestamp,
    },
    /// The next day of a budget by the day.
    Budget {
        /// What is spent of which budget.
        said: String,
        /// When that day begins.
        until: Timestamp,
    },
    /// The rate of a meter.
    MeterRate {
        /// The rate, with the name of its meter.
        rate: String,
        /// When there is enough for the next attempt, if none under way costs more than usual.
        until: Timestamp,
    },
    /// The rate of the groups that have units left.
    GroupRate {
        /// The rate.
        rate: String,
        /// When the first of them may start a unit.
        until: Timestamp,
    },
    /// The end of the hold of every group that has units left.
    GroupHold {
        /// How many are held, and why.
        said: String,
        /// When the first of them goes on.
        until: Timestamp,
    },
    /// A point in time.
    Time {
        /// That time.
        until: Timestamp,
    },
}

/// What a manager needs to start a unit, and may have too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// Files that a process, or the machine, may have open.
    OpenFiles,
    /// Processes and threads that a user, or a control group, may have.
    Processes,
    /// Memory.
    Memory,
    /// Space on a disk.
    Space,
}

/// What a machine has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Memory.
    Memory,
    /// Processors.
    Load,
    /// Space on the file system of a path.
    Disk(RawText),
}

impl Waits {
    /// Returns the cause in one word.
    pub fn cause(&self) -> Why {
        match self {
            Self::Memory { .. } | Self::Unreadable { what: Resource::Memory, .. } => Why::WaitingForMemory,
            Self::Load { .. } | Self::Unreadable { what: Resource::Load, .. } => Why::WaitingForLoad,
            Self::Disk { .. } | Self::Unreadable { what: Resource::Disk(_), .. } => Why::WaitingForDisk,
            Self::Lack { .. } => Why::LacksResources,
            Self::Callbacks { .. } => Why::WaitingForCallbacks,
            Self::Window { .. } => Why::WaitingForWindow,
            Self::Budget { .. } => Why::OverBudget,
            Self::MeterRate { .. } | Self::GroupRate { .. } => Why::RateLimited,
            Self::GroupHold { .. } => Why::Held,
            Self::Time { .. } => Why::WaitingForTime,
        }
    }

    /// Returns until when, where that is known.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Window { until, .. }
            | Self::Budget { until, .. }
            | Self::MeterRate { until, .. }
            | Self::GroupRate { until, .. }
            | Self::GroupHold { until, .. }
            | Self::Time { until } => Some(*until),
            _ => None,
        }
    }

    /// Returns the limit that can be taken away to wait no longer.
    pub fn limit(&self) -> &'static str {
        match self.cause() {
            Why::WaitingForMemory => "memfree",
            Why::WaitingForLoad => "load",
            Why::WaitingForDisk => "diskfree",
            Why::WaitingForWindow => "window",
            Why::LacksResources | Why::WaitingForCallbacks => "workers",
            Why::OverBudget => "budget",
            Why::RateLimited => "rate",
            _ => "not-before",
        }
    }
}

impl Resource {
    /// Returns the resource of the file system of a path.
    pub fn disk(path: PathBuf) -> Self {
        Self::Disk(RawText::from(path.into_os_string()))
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { available, wanted, again } => {
                write!(f, "memory: {available} of {wanted} available")?;
                goes_on(f, *available, *wanted, *again)
            }
            Self::Load { runnable, processors, limit } => {
                let allowed = processors * f64::from(limit.0) / 100.0;
                write!(
                    f,
                    "load: {runnable} runnable, fewer than {allowed} wanted ({}% of {processors} processors)",
                    limit.0
                )
            }
            Self::Disk { path, free, wanted, again } => {
                let path = path.to_string_lossy();
                write!(f, "disk space: {free} of {wanted} free on the file system of {path}")?;
                goes_on(f, *free, *wanted, *again)
            }
            Self::Unreadable { what, error } => match what {
                Resource::Memory => write!(f, "memory: cannot tell how much is available: {error}"),
                Resource::Load => write!(f, "load: cannot tell how many processes run: {error}"),
                Resource::Disk(path) => {
                    write!(f, "disk space: cannot look at {}: {error}", path.to_string_lossy())
                }
            },
            Self::Lack { what, error } => write!(f, "{what}: {error}"),
            Self::Callbacks { waiting } => {
                let ends = counted(i64::try_from(*waiting).unwrap_or(i64::MAX), "end");
                write!(f, "the hook or callbacks: {ends} still to be told")
            }
            Self::Window { windows, until } => write!(f, "the window {windows}, which opens at {until}"),
            Self::Budget { said, until } => write!(f, "the next day of its budget, which begins at {until} ({said})"),
            Self::MeterRate { rate, .. } => write!(f, "its rate of {rate}"),
            Self::GroupRate { rate, .. } => write!(f, "the rate of its groups, {rate} each"),
            Self::GroupHold { said, until } => write!(f, "{until}: {said}"),
            Self::Time { until } => write!(f, "{until} (not-before)"),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenFiles => "open files",
            Self::Processes => "processes",
            Self::Memory => "memory for processes",
            Self::Space => "space for the files of units",
        })
    }
}

/// Says from when on units start again, where there is enough and not yet enough for that.
fn goes_on(f: &mut fmt::Formatter<'_>, there: Bytes, wanted: Bytes, again: Bytes) -> fmt::Result {
    if there >= wanted { write!(f, ", goes on at {again}") } else { Ok(()) }
}

#[cfg(test)]
mod tests;
