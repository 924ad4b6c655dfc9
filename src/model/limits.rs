//! The bounds within which a job's units run.

use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Conditions;
use super::JobId;
use super::bounds::{MaxFailures, Rate};
use super::millis;
use super::slots::MAX_WORKERS;
use super::words::words;
use super::{FlagIf, Groups, MemorySizes, Meter, OnHostLoss, Sample, Slots, SpellingError, TimeLimit, UnitStatus};

/// What happens to a unit whose attempt was cut off by the death or the stop of its manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnInterrupt {
    /// Run it again: every unit runs at least once.
    Retry,
    /// Fail it; its start is durable before it runs. A unit that fails by itself is tried again all the same: see
    /// [`Limits::set_at_most_once`].
    Fail,
}

words!(OnInterrupt, "answer to an interruption", { Retry => "retry", Fail => "fail" });

/// Bounds of a job; stored as one JSON document, so that a new bound needs no migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// Units that may run at the same time.
    pub workers: usize,
    /// Attempts before a failing unit is failed permanently.
    pub max_attempts: u32,
    /// Upper bound of the delay before the second attempt; doubles with every further one.
    #[serde(with = "millis", rename = "backoff_base_ms")]
    pub backoff_base: Duration,
    /// Upper bound of every delay.
    #[serde(with = "millis", rename = "backoff_cap_ms")]
    pub backoff_cap: Duration,
    /// Time one attempt may take, counted while the machine is awake; zero is no limit.
    #[serde(with = "millis::optional", rename = "timeout_ms")]
    pub timeout: Option<Duration>,
    /// Template of the time that a unit's attempt may take, in place of `timeout`; its values are those of the payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_from: Option<String>,
    /// Time without output or a word from inside after which an attempt is ended, counted while the machine is awake; zero is no limit.
    #[serde(with = "millis::optional", rename = "idle_timeout_ms", skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Duration>,
    /// Memory that all processes of an attempt may have together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemorySizes>,
    /// Workers that a unit takes while it runs.
    #[serde(skip_serializing_if = "Slots::is_one")]
    pub slots: Slots,
    /// What must hold before a unit starts.
    #[serde(skip_serializing_if = "Conditions::is_empty")]
    pub start: Conditions,
    /// Time between TERM and KILL for a unit that has to end.
    #[serde(with = "millis", rename = "kill_after_ms")]
    pub kill_after: Duration,
    /// How long a manager that is not heard of keeps its units, where other hosts may take them over; [`Limits::LEASE`] without it.
    #[serde(with = "millis::optional", rename = "lease_ms", skip_serializing_if = "Option::is_none")]
    pub lease: Option<Duration>,
    /// What happens to a unit that was running when its manager died.
    pub on_interrupt: OnInterrupt,
    /// Attempts that may start in a span of time.
    pub rate: Option<Rate>,
    /// Failed units at which the job pauses.
    pub max_failures: Option<MaxFailures>,
    /// Time after the first start of the job at which it pauses, its running units ended; zero is no limit.
    #[serde(with = "millis::optional", rename = "deadline_ms")]
    pub deadline: Option<Duration>,
    /// No unit starts before that job has completed.
    pub after: Option<JobId>,
    /// Units that run first and alone; the others wait for an approval.
    pub canary: Option<u32>,
    /// Whether those are drawn at random over all units that the job is created with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// Units that may run at the same time under all managers of the job, in place of `workers`, which is that of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_workers: Option<usize>,
    /// What is counted of each attempt, such as money, and within which bounds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<Meter>,
    /// What happens to the units of a host that is not heard of any more, where a job has several.
    #[serde(skip_serializing_if = "OnHostLoss::is_retry")]
    pub on_host_loss: OnHostLoss,
    /// How long a unit may wait in all because its attempts were postponed, before the next postponement fails it.
    #[serde(with = "millis::optional", rename = "max_later_ms", skip_serializing_if = "Option::is_none")]
    pub max_later: Option<Duration>,
    /// Fewest units that may run at a time where their number follows what whoever they ask can take; `workers` is then the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapt: Option<usize>,
    /// How units are grouped, and the bounds of each group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// Where it holds of its result, a unit that completes is flagged: a person is to look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag_if: Option<FlagIf>,
    /// Whether what flagged units say is kept from whoever reads results, and from the unit that the job ends with, until a person has
    /// accepted it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hold_flagged: bool,
}

/// How long an attempt may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timeout {
    /// All may take the same time, or as long as they like.
    Each(Option<Duration>),
    /// Each may take what this template says, with the values of the payload.
    From(String),
}

impl FromStr for Timeout {
    type Err = SpellingError;

    /// Reads what `TimeLimit` reads, or a template such as `{t}`.
    fn from_str(text: &str) -> Result<Self, SpellingError> {
        if text.contains('{') {
            return Ok(Self::From(text.to_owned()));
        }
        text.parse().map(|TimeLimit(span)| Self::Each(span))
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self::Each(None)
    }
}

impl Limits {
    /// Manager deaths during one unit after which that unit is failed.
    pub const MAX_CRASHES: u32 = 3;
    /// Most workers a job may have; each is a thread.
    pub const MAX_WORKERS: usize = MAX_WORKERS;
    /// How long a lease is unless a job says otherwise, or its units take longer to end.
    pub const LEASE: Duration = Duration::from_secs(60);
    /// Time after which a connection to a server is given up whose other end does not answer.
    pub const DEAD_CONNECTION: Duration = Duration::from_secs(8);

    /// Returns how long a manager that is not heard of keeps its units, where other hosts may take them over.
    pub fn lease_length(&self) -> Duration {
        self.lease.unwrap_or_else(|| Self::LEASE.max(self.shortest_lease()))
    }

    /// Returns the shortest lease with which a manager has the time to end its units before others may run them: two thirds pass
    /// before it begins, and a request that was on its way may have to be given up.
    pub fn shortest_lease(&self) -> Duration {
        (self.kill_after + Self::DEAD_CONNECTION) * 3
    }

    /// Lets each manager of the job run so many units at a time, however many managers there are.
    pub fn set_workers(&mut self, workers: usize) {
        (self.workers, self.total_workers) = (workers, None);
    }

    /// Lets no more than `most` units run at a time.
    pub(crate) fn bound_workers(&mut self, most: Option<usize>) {
        self.workers = self.workers.min(most.unwrap_or(usize::MAX));
    }

    /// Returns `true` if the number of units that may fail is limited, in the job or in each group.
    pub(crate) fn bounds_failures(&self) -> bool {
        self.max_failures.is_some() || self.groups.as_ref().is_some_and(|groups| groups.max_failures.is_some())
    }

    /// Returns `true` if something is limited that all managers of the job have together.
    pub(crate) fn are_shared(&self) -> bool {
        let is_metered = self.meters.iter().any(Meter::is_bounded);
        self.max_failures.is_some()
            || self.rate.is_some()
            || self.total_workers.is_some()
            || self.groups.is_some()
            || is_metered
    }

    /// Returns the meter of that name, which is added where there is none.
    pub fn meter(&mut self, name: &str) -> &mut Meter {
        let place = self.meters.iter().position(|meter| meter.name == name).unwrap_or_else(|| {
            self.meters.push(Meter::new(name));
            self.meters.len() - 1
        });
        &mut self.meters[place]
    }

    /// Lets every unit run at most once: it has one attempt, whose start is durable before it runs. Nothing runs it again but
    /// a retry that somebody asks for, or a sync that gives it other content; no change of limits takes this back.
    pub fn set_at_most_once(&mut self) {
        (self.max_attempts, self.on_interrupt) = (1, OnInterrupt::Fail);
    }

    /// Returns `true` if every unit runs at most once.
    pub fn is_at_most_once(&self) -> bool {
        self.max_attempts == 1 && self.on_interrupt == OnInterrupt::Fail
    }

    /// Returns the states of units that are skipped when their source does not have them any more. A failed one that may run
    /// at most once stays so: it does not run again when the source has it again.
    pub(crate) fn skipped_when_gone(&self) -> &'static [UnitStatus] {
        if self.is_at_most_once() { &[UnitStatus::Pending] } else { &[UnitStatus::Pending, UnitStatus::Failed] }
    }

    /// Says how long an attempt may take, in place of what was said before.
    pub fn set_timeout(&mut self, timeout: Timeout) {
        (self.timeout, self.timeout_from) = match timeout {
            Timeout::Each(span) => (span, None),
            Timeout::From(template) => (None, Some(template)),
        };
    }
}

/// Returns the number of processors that this process may use; asked for once, because that reads several files.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: processors(),
            max_attempts: 4,
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(300),
            timeout: None,
            timeout_from: None,
            idle_timeout: None,
            memory: None,
            slots: Slots::default(),
            start: Conditions::default(),
            kill_after: Duration::from_secs(10),
            lease: None,
            on_interrupt: OnInterrupt::Retry,
            rate: None,
            max_failures: None,
            deadline: None,
            after: None,
            canary: None,
            sample: None,
            total_workers: None,
            meters: Vec::new(),
            on_host_loss: OnHostLoss::Retry,
            max_later: None,
            adapt: None,
            groups: None,
            flag_if: None,
            hold_flagged: false,
        }
    }
}

#[cfg(test)]
mod tests;
