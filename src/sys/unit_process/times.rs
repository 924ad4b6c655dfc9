//! How long a process may take, and how it ended.

use std::io;
use std::time::{Duration, Instant};

use crate::model::Resources;
use crate::sys::LifeSign;

/// The time that a process has.
#[derive(Debug, Clone, Copy)]
pub struct Times<'a> {
    /// For all of it.
    pub timeout: Option<Duration>,
    /// Without a sign of life.
    pub idle: Option<Duration>,
    /// Where it gives signs of life besides its output.
    pub life: Option<&'a LifeSign>,
    /// Between TERM and KILL.
    pub kill_after: Duration,
}

impl Times<'_> {
    /// Lets a process take so long, whatever it says meanwhile.
    pub fn limited(timeout: Option<Duration>, kill_after: Duration) -> Self {
        Self { timeout, idle: None, life: None, kill_after }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Exit code, if it exited.
    pub exit_code: Option<i32>,
    /// Signal, if one ended it.
    pub signal: Option<i32>,
    /// What it took of the machine.
    pub resources: Resources,
    /// Whether it was ended by us because its time was over.
    pub timed_out: bool,
    /// Whether it was ended by us because it gave no sign of life.
    pub idle: bool,
    /// Whether it was ended by us because it was to stop.
    pub stopped: bool,
    /// What is left of the time to end well, when it was ended by us.
    pub grace_left: Option<Duration>,
    /// Whether processes it left behind still held its captured output when it was over.
    pub leaked: bool,
}

/// What is still to happen to a process that runs.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    pub timeout_at: Option<Instant>,
    pub idle_at: Option<Instant>,
    pub kill_at: Option<Instant>,
    pub timed_out: bool,
    pub idle: bool,
    pub stopped: bool,
}

impl Deadlines {
    /// Counts from `now`.
    pub fn of(times: &Times<'_>, now: Instant) -> Deadlines {
        let at = |span: Option<Duration>| span.map(|span| now + span);
        Deadlines { timeout_at: at(times.timeout), idle_at: at(times.idle), ..Deadlines::default() }
    }

    /// Counts the time without a sign of life from `now`, when there was one.
    pub fn live(&mut self, idle: Option<Duration>, now: Instant) {
        self.idle_at = idle.map(|idle| now + idle);
    }

    /// Returns `true` the first time that the process is to be ended.
    pub fn end(&mut self, stop: bool, now: Instant, kill_after: Duration) -> bool {
        let is_over = |at: Option<Instant>| at.is_some_and(|at| now >= at);
        let (timed_out, idle) = (is_over(self.timeout_at), is_over(self.idle_at));
        if self.kill_at.is_some() || !(stop || timed_out || idle) {
            return false;
        }
        (self.stopped, self.timed_out, self.idle) = (stop, !stop && timed_out, !stop && !timed_out);
        self.kill_at = Some(now + kill_after);
        true
    }

    /// Returns when something is to happen to a process that has not ended.
    pub fn next(&self) -> Option<Instant> {
        self.kill_at.or_else(|| self.timeout_at.into_iter().chain(self.idle_at).min())
    }

    /// Returns `true` if nobody of a group has time any more whose leader has ended; where nobody can be seen, there may be
    /// somebody.
    pub fn is_over(&self, now: Instant, has_others: impl FnOnce() -> io::Result<bool>) -> bool {
        self.kill_at.is_none_or(|at| now >= at) || !has_others().unwrap_or(true)
    }
}
