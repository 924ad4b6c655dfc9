//! The main thread while workers run: feeds them, follows signals and requests, and knows when the job is over.

mod claims;
mod ending;
mod groups;
mod groups_seen;
mod leaving;
mod other;
mod over_budget;
mod range_size;
mod refill;
mod requests;
mod room;
mod run_outcome;
mod running;
mod sharing;
mod spending;
mod stopping;

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::error::ManagerError;
use super::halt;
use super::machine::MachineWatch;
use super::permits::MachinePermits;
use super::schedule::Schedule;
use super::shared::Shared;
use super::transient::TransientRetries;
use crate::handler::Runner;
use crate::model::{Epoch, Job, Kill, Share, StateDir, StopRequest, Timestamp};
use crate::store::{Lease, Store};
use crate::sys::{Adopted, Machine, StopFlags};

use claims::Claims;
use groups_seen::GroupsSeen;
pub(super) use leaving::{Held, Leave};
use other::{Other, OtherSeen};
use over_budget::OverBudget;
use range_size::RangeSize;
pub(super) use run_outcome::RunOutcome;

/// How often units that are due are looked for while many fresh ones are queued.
const LOOK_FOR_DUE: Duration = Duration::from_millis(200);
/// Longest wait between two looks at the signals' flags.
const POLL_SIGNALS: Duration = Duration::from_millis(50);
/// Time between two looks at what clients committed.
const POLL_REQUESTS: Duration = Duration::from_millis(100);
/// Time between two looks at whether other managers of the job have given something back.
const POLL_OTHERS: Duration = Duration::from_millis(500);

pub(super) struct Coordinator<'a> {
    store: &'a mut Store,
    lease: Lease,
    runner: &'a dyn Runner,
    /// Demands workers, and how many were demanded: no more than there are units for them.
    grow: Sender<usize>,
    demanded: usize,
    shared: &'a Shared,
    flags: &'a StopFlags,
    /// What this process holds as the manager of the job.
    held: Option<Held<'a>>,
    /// Most units that run at a time here.
    most_workers: Option<usize>,
    /// What is wrong with the lock.
    lock_trouble: Option<String>,
    /// The job as it was last read.
    job: Job,
    request: Option<(StopRequest, Option<Duration>)>,
    looked_at: Instant,
    /// When units that are due were last looked for, and when the next one is as far as that look told.
    due_looked_at: Instant,
    next_due: Option<Timestamp>,
    /// Requests to end attempts that are not over yet.
    asked: Vec<Kill>,
    /// What the store's clock showed when it was last looked at, and when that was.
    clock_seen: (Timestamp, Instant),
    permits: MachinePermits,
    machine: MachineWatch,
    schedule: Schedule,
    /// When units may start, if not now.
    starts_at: Option<Timestamp>,
    /// When the day of budgets by the day ends.
    day_ends: Option<Timestamp>,
    adopted: Adopted,
    reaped_at: Instant,
    tried_at: Instant,
    other_seen: OtherSeen,
    /// The revision of the job at which it was last looked whether anything is left of it, while nothing may start.
    end_looked_for: Option<i64>,
    /// Whether the job's last unit was added, because all others had ended.
    finalizer_added: bool,
    range_size: RangeSize,
    seen_version: Option<i64>,
    seen_revision: i64,
    /// Managers of the job that have units, this one included.
    at_work: usize,
    claims: Claims,
    /// How many units were in hand when ranges were last given back for want of workers.
    handed_over: Option<usize>,
    /// What it knows of the groups of its units, where they have some.
    groups: GroupsSeen,
}

impl<'a> Coordinator<'a> {
    pub fn new(
        store: &'a mut Store,
        job: &Job,
        lease: Lease,
        runner: &'a dyn Runner,
        grow: Sender<usize>,
        shared: &'a Shared,
        flags: &'a StopFlags,
    ) -> Result<Self, ManagerError> {
        let (request, seen_revision) = (request_of(job), job.revision);
        let unfinished = usize::try_from(job.progress.unfinished()).unwrap_or(usize::MAX);
        let looked_at = Instant::now();
        let share = store.share(lease, &job.limits)?;
        let mut job = job.clone();
        if share.is_some_and(|share| job.limits.total_workers.is_some() || share.is_spare(&job.limits)) {
            // None was granted yet, or another manager has them.
            job.limits.workers = 0;
        }
        let Share { at_work, rank, .. } = share.unwrap_or(Share::WHOLE);
        // Those that came while the job was taken over.
        let asked = store.kills(job.id)?;
        if let Some(rate) = job.limits.rate {
            // Not at once after an interruption, or a job that is resumed again and again would exceed its rate. Managers that begin
            // at the same time take turns.
            let wait = if lease.epoch() == Epoch(1) { Duration::ZERO } else { rate.interval_among(rank.max(1)) };
            shared.feed.limit_rate(rate.interval_among(at_work), wait);
        }
        let mut permits = MachinePermits::new(&StateDir::beside(store.path()), job.id);
        permits.set_limit(store.machine_workers()?);
        // Before there are units: no worker is to take one without a permit.
        permits.rebalance(&shared.feed, job.limits.workers);
        let mut machine = MachineWatch::new(Machine::this());
        machine.settle(&shared.feed, &job.limits.start);
        // A manager before this one may have added it.
        let finalizer_added = store.has_finalizer(job.id)?;
        let adopted = Adopted::new().map_err(ManagerError::system("look for children"))?;
        let mut coordinator = Self {
            store,
            lease,
            runner,
            grow,
            demanded: 0,
            shared,
            flags,
            held: None,
            most_workers: None,
            lock_trouble: None,
            job,
            request,
            looked_at,
            due_looked_at: looked_at,
            // Not looked for yet.
            next_due: Some(Timestamp::from_micros(0)),
            asked,
            clock_seen: (shared.clock.now(), looked_at),
            permits,
            machine,
            schedule: Schedule::default(),
            starts_at: None,
            day_ends: None,
            adopted,
            reaped_at: looked_at,
            tried_at: looked_at,
            other_seen: OtherSeen { completed: None, next_look: looked_at },
            end_looked_for: None,
            finalizer_added,
            range_size: RangeSize::default(),
            seen_version: None,
            seen_revision,
            at_work,
            claims: Claims::new(),
            handed_over: None,
            groups: GroupsSeen::default(),
        };
        coordinator.look_at_spending()?;
        coordinator.know_groups()?;
        coordinator.demand_workers(unfinished);
        Ok(coordinator)
    }

    pub(super) fn take_turns(&mut self, retries: &mut TransientRetries) -> Result<RunOutcome, ManagerError> {
        loop {
            if self.shared.has_failed() {
                return Ok(RunOutcome::Failed);
            }
            self.reap_adopted();
            self.try_for_more();
            self.poll_requests()?;
            if let Some(stop) = self.stop_wanted() {
                return self.stop_as_asked(stop);
            }
            self.shared.bound_failures(halt::most_failures(&self.job));
            let (failures, now) = (self.shared.failures(), self.shared.clock.now());
            if let Some(halt) = halt::halt(&self.job, failures, now).or_else(|| self.uncounted()) {
                return self.halt(halt);
            }
            self.follow_days(now)?;
            match self.other_job()? {
                Other::Completed => {}
                Other::Unfinished => {
                    if let Some(end) = self.finish_unless_needed()? {
                        return Ok(end);
                    }
                    // It may wait for the very permit that this one has.
                    self.share_places();
                    self.shared.feed.wait_for_change(self.shared.feed.level(), POLL_REQUESTS);
                    continue;
                }
                Other::Hopeless(halt) => return self.halt(halt),
            }
            match self.schedule.hold(&self.job.limits.start, now) {
                Ok(starts_at) => self.starts_at = starts_at,
                Err(halt) => return self.halt(halt),
            }
            if self.job.limits.workers == 0 {
                // Others have all that the job has together.
                self.hand_over()?;
                self.share_places();
                retries.succeed();
                self.shared.feed.wait_for_change(self.shared.feed.level(), POLL_REQUESTS);
                continue;
            }
            self.handed_over = None;
            // Before units are read: none of them is to start on an old look.
            self.look_at_machine();
            let next_due = self.refill()?;
            retries.succeed();
            let waits = self.look_at_machine();
            let waits = match self.over_budget() {
                Some(OverBudget::Halt(halt)) => return self.halt(halt),
                Some(OverBudget::Wait(waits)) => {
                    self.shared.clock.skip_to(waits.until().unwrap_or(now));
                    Some(waits)
                }
                None => waits,
            };
            self.tell_waits(waits);
            self.share_places();
            let level = self.shared.feed.level();
            self.demand_workers(level.in_hand);
            if next_due.is_some()
                && let Some(end) = self.finish_unless_needed()?
            {
                return Ok(end);
            }
            if level.in_hand == 0 && !self.shared.feed.has_unread() && next_due.is_none() {
                if self.is_range_due(0) {
                    // More were in hand when it was looked whether one is due.
                    continue;
                }
                if self.do_others_have_units()? {
                    self.shared.feed.wait_for_change(level, POLL_OTHERS);
                    continue;
                }
                if let Some(end) = self.finish()? {
                    return Ok(end);
                }
                if let Some(halt) = self.only_stopped_groups()? {
                    return self.halt(halt);
                }
                self.shared.feed.recall();
                continue;
            }
            if level.in_hand == 0
                && let Some(due) = next_due
            {
                self.shared.clock.skip_to(due);
            }
            let until_due = next_due.map_or(POLL_SIGNALS, |due| due.since(self.shared.clock.now()));
            self.shared.feed.wait_for_change(level, until_due.clamp(Duration::from_millis(1), POLL_SIGNALS));
        }
    }
}

fn request_of(job: &Job) -> Option<(StopRequest, Option<Duration>)> {
    job.stop_request.map(|request| (request, job.stop_grace))
}

#[cfg(test)]
mod tests;
