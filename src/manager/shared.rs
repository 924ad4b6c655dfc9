//! What the manager's threads share.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::adaptation::Adaptation;
use super::budgets::Budgets;
use super::clock::Clock;
use super::error::ManagerError;
use super::feed::Feed;
use super::shortage::Shortage;
use super::stops::SlotStop;
use crate::model::{AttemptId, Kill, Lack, Limits, Seq, Timestamp, Waits};
use crate::sys::opening;

/// Time in which no unit starts after one could not be started for want of something.
const HOLD_BACK: Duration = Duration::from_millis(250);
/// Time after which a hold that a unit asked for stands in the row of the job.
const HOLD_COMMITTED: Duration = Duration::from_secs(2);

/// State that every thread of the manager sees.
pub(super) struct Shared {
    /// Units on their way to the workers.
    pub feed: Arc<Feed>,
    /// The time.
    pub clock: Clock,
    /// How many units run at a time, where the job adapts that.
    pub adaptation: Adaptation,
    /// What is lacking to run as many units at a time as should.
    pub shortage: Shortage,
    /// What the job has spent.
    pub budgets: Budgets,
    stopping: AtomicBool,
    ending: AtomicBool,
    /// Whether the lease has run out.
    suspended: AtomicBool,
    /// End of the job's hold in microseconds since the Unix epoch; long past when there is none.
    hold_until: AtomicI64,
    /// When the hold was last asked for.
    held_at: Mutex<Instant>,
    /// The stops of the slots that were opened.
    stops: Mutex<Vec<Arc<SlotStop>>>,
    limits: Mutex<Arc<Limits>>,
    /// What the next start waits for of the machine.
    waits: Mutex<Option<Waits>>,
    has_failed: AtomicBool,
    first_error: Mutex<Option<ManagerError>>,
    /// Held while the recorder writes; `true` once units were left, after which it writes nothing.
    are_left: Mutex<bool>,
    failures: AtomicU64,
    /// Failures at which the job halts.
    most_failures: AtomicU64,
    /// Whether some worker has a long result in memory.
    long_result: (Mutex<bool>, Condvar),
}

impl Shared {
    pub fn new(clock: Clock, limits: Limits) -> Self {
        Self {
            feed: Arc::new(Feed::new()),
            clock,
            adaptation: Adaptation::default(),
            shortage: Shortage::default(),
            budgets: Budgets::default(),
            stopping: AtomicBool::new(false),
            hold_until: AtomicI64::new(i64::MIN),
            held_at: Mutex::new(Instant::now()),
            ending: AtomicBool::new(false),
            suspended: AtomicBool::new(false),
            stops: Mutex::default(),
            limits: Mutex::new(Arc::new(limits)),
            waits: Mutex::new(None),
            has_failed: AtomicBool::new(false),
            first_error: Mutex::default(),
            are_left: Mutex::default(),
            failures: AtomicU64::new(0),
            most_failures: AtomicU64::new(u64::MAX),
            long_result: Default::default(),
        }
    }

    /// Keeps the first error of any thread, stops the feed and ends the running units.
    pub fn fail(&self, error: ManagerError) {
        // Later errors are consequences of the first.
        if !self.has_failed.swap(true, Ordering::SeqCst) {
            *lock(&self.first_error) = Some(error);
        }
        self.end_units();
        self.stop_feeding();
    }

    /// Waits until no other worker has a long result in memory, and says that this one has.
    pub fn begin_long_result(&self) {
        let (is_there, gone) = &self.long_result;
        let is_there = is_there.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = gone.wait_while(is_there, |is_there| *is_there);
        *waited.unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Lets the next worker have its long result.
    pub fn end_long_result(&self) {
        let (is_there, gone) = &self.long_result;
        *is_there.lock().unwrap_or_else(PoisonError::into_inner) = false;
        gone.notify_one();
    }

    /// Returns `true` if some thread has failed.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst)
    }

    /// Takes the first error of any thread.
    pub fn take_error(&self) -> Option<ManagerError> {
        lock(&self.first_error).take()
    }

    /// Writes what became of units; nothing is written, and none returned, once units were left.
    pub fn write<T>(&self, write: impl FnOnce() -> T) -> Option<T> {
        let are_left = lock(&self.are_left);
        (!*are_left).then(write)
    }

    /// Keeps the recorder from writing for the time being, and permanently where that is set to `true`.
    pub fn hold_recorder(&self) -> MutexGuard<'_, bool> {
        lock(&self.are_left)
    }

    /// Returns the attempts that are under way.
    pub fn under_way(&self) -> Vec<AttemptId> {
        lock(&self.stops).iter().filter_map(|stop| stop.attempt()).collect()
    }

    /// Counts units that have failed permanently.
    pub fn count_failures(&self, failures: u64) {
        self.failures.fetch_add(failures, Ordering::Relaxed);
        self.look_at_failures();
    }

    /// Takes note of how many units of all managers of the job have failed permanently since its latest start.
    pub fn learn_failures(&self, failures: u64) {
        self.failures.fetch_max(failures, Ordering::Relaxed);
        self.look_at_failures();
    }

    /// Takes up the number of failures at which the job halts: from then on no unit starts.
    pub fn bound_failures(&self, most: Option<u64>) {
        let most = most.unwrap_or(u64::MAX);
        if self.most_failures.swap(most, Ordering::Relaxed) != most {
            self.look_at_failures();
        }
    }

    fn look_at_failures(&self) {
        let most = self.most_failures.load(Ordering::Relaxed);
        self.feed.fail_enough(self.failures() >= most);
    }

    /// Returns how many units have failed permanently since the manager began, or since the job did where it may have several.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Lets no further unit start, and tells running handlers that they may come to an end.
    pub fn stop_feeding(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.feed.close();
    }

    /// Returns `true` if the job is being stopped.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Lets no unit start before `until`; the units that wait here are read again later.
    pub fn hold(&self, until: Timestamp) {
        *lock(&self.held_at) = Instant::now();
        self.hold_until.fetch_max(until.as_micros(), Ordering::SeqCst);
        self.feed.recall();
    }

    /// Takes up the end of the hold by the row of the job, which clients lift. Returns `false` while the row may not have a hold yet that
    /// a unit has just asked for: it is to be looked at again.
    pub fn follow_hold(&self, until: Option<Timestamp>) -> bool {
        let (of_row, of_ours) = (until.filter(|until| *until > self.clock.now()), self.held_until());
        match of_row.cmp(&of_ours) {
            std::cmp::Ordering::Greater => of_row.into_iter().for_each(|until| self.hold(until)),
            std::cmp::Ordering::Less if lock(&self.held_at).elapsed() < HOLD_COMMITTED => return false,
            std::cmp::Ordering::Less => {
                let until = of_row.map_or(i64::MIN, Timestamp::as_micros);
                self.hold_until.store(until, Ordering::SeqCst);
            }
            std::cmp::Ordering::Equal => {}
        }
        true
    }

    /// Brings the end of the hold forward.
    pub fn shorten_hold(&self, step: Duration) {
        let step = i64::try_from(step.as_micros()).unwrap_or(i64::MAX);
        let shorter = |until: i64| Some(until.saturating_sub(step));
        // The closure never declines, so that this always succeeds.
        let _ = self.hold_until.fetch_update(Ordering::SeqCst, Ordering::SeqCst, shorter);
    }

    /// Returns the end of the hold, while there is one.
    pub fn held_until(&self) -> Option<Timestamp> {
        let until = Timestamp::from_micros(self.hold_until.load(Ordering::SeqCst));
        (until > self.clock.now()).then_some(until)
    }

    /// Ends the running units; each goes back to pending.
    pub fn end_units(&self) {
        self.ending.store(true, Ordering::SeqCst);
        lock(&self.stops).iter().for_each(|stop| stop.event.ring());
    }

    /// Lets no unit start and ends those that run: others may take them over soon. Each goes back to pending if that can be recorded.
    pub fn suspend(&self) {
        // In this order: an attempt that begins meanwhile is either among those that are ended here, or finds the flag.
        self.suspended.store(true, Ordering::SeqCst);
        self.feed.suspend(true);
        lock(&self.stops).iter().for_each(|stop| stop.give_up());
    }

    /// Lets units start again.
    pub fn go_on(&self) {
        self.suspended.store(false, Ordering::SeqCst);
        self.feed.suspend(false);
    }

    /// Returns `true` while the lease has run out.
    pub fn is_suspended(&self) -> bool {
        self.suspended.load(Ordering::SeqCst)
    }

    /// Opens a slot: its stop rings when the unit in it is to end.
    pub fn open_slot(&self) -> io::Result<Arc<SlotStop>> {
        let _opening = opening();
        let stop = Arc::new(SlotStop::new()?);
        lock(&self.stops).push(Arc::clone(&stop));
        Ok(stop)
    }

    /// Lets fewer units run at a time for a while: something was lacking to start one.
    pub fn hold_back(&self, what: Lack, error: &str) {
        self.shortage.begin(what, error);
        self.feed.hold_back(HOLD_BACK);
    }

    /// Ends one attempt, and returns whether it runs here.
    pub fn kill(&self, kill: &Kill) -> bool {
        lock(&self.stops).iter().any(|stop| stop.kill(kill))
    }

    /// Ends the attempt at a unit whose start could not be recorded, and returns whether it runs here.
    pub fn disown(&self, unit: Seq) -> bool {
        lock(&self.stops).iter().any(|stop| stop.disown(unit))
    }

    /// Returns the limits of attempts that start now.
    pub fn limits(&self) -> Arc<Limits> {
        Arc::clone(&lock(&self.limits))
    }

    /// Changes them.
    pub fn set_limits(&self, limits: Limits) {
        *lock(&self.limits) = Arc::new(limits);
    }

    /// Notes what the next start waits for of the machine.
    pub fn set_waits(&self, waits: Option<&Waits>) {
        let mut noted = lock(&self.waits);
        if noted.as_ref() != waits {
            *noted = waits.cloned();
        }
    }

    /// Returns what the next start waits for of the machine.
    pub fn waits(&self) -> Option<Waits> {
        lock(&self.waits).clone()
    }

    /// Returns `true` if running units are being ended.
    pub fn is_ending_units(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code between lock and unlock can leave what it holds half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
