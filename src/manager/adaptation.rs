//! How many units run at a time where that follows what whoever they ask can take.
//!
//! Of a job without groups there is one number. Where units have groups, each of which asks somebody of its own, a group has a
//! number as soon as one of its units was busy, and until all of it may run again; the job's own follows what has the whole job wait.

mod number;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::info;

use super::feed::Feed;
use crate::model::{Adapted, HoldScope, Limits, Postponement, Timestamp, UnitOutcome};
use number::Number;

/// The numbers, where the job adapts them.
#[derive(Default)]
pub(super) struct Adaptation(Mutex<Option<State>>);

struct State {
    /// Fewest units, and most of a group without a bound.
    bounds: (usize, usize),
    of_job: Number,
    /// Those of the lanes that are held down.
    of_lanes: HashMap<u32, Number>,
    /// What an earlier manager came to of groups that are not known here yet.
    before: BTreeMap<String, usize>,
}

impl Adaptation {
    /// Takes up the limits of a job: numbers that were adapted stay as far as they let them. `before` is what an earlier manager
    /// came to.
    pub fn follow(&self, limits: &Limits, before: Option<Adapted>, feed: &Feed) {
        let mut state = self.lock();
        let former = state.take();
        let lanes = former.iter().flat_map(|state| state.of_lanes.keys());
        lanes.for_each(|lane| feed.adapt_lane(*lane, None));
        *state = limits.adapt.map(|least| match former {
            Some(state) => state.within(least, limits.workers, feed),
            None => State::new(least, limits.workers, before),
        });
        feed.adapt_workers(state.as_ref().map_or(usize::MAX, |state| state.of_job.workers));
    }

    /// Has groups that have become known begin where an earlier manager was.
    pub fn know_groups(&self, feed: &Feed) {
        if let Some(state) = self.lock().as_mut() {
            let (known, before) = std::mem::take(&mut state.before)
                .into_iter()
                .map(|(group, workers)| (feed.find_lane(&group), group, workers))
                .partition::<Vec<_>, _>(|(lane, ..)| lane.is_some());
            state.before = before.into_iter().map(|(_, group, workers)| (group, workers)).collect();
            for (lane, _, workers) in known {
                lane.into_iter().for_each(|lane| state.begin_lane(lane, workers, feed));
            }
        }
    }

    /// Counts how an attempt ended that began at `began`, of a unit in that lane.
    pub fn count(&self, outcome: &UnitOutcome, lane: Option<u32>, began: Instant, now: Timestamp, feed: &Feed) {
        let mut state = self.lock();
        let Some(state) = state.as_mut() else { return };
        let of_group =
            lane.filter(|_| !matches!(outcome, UnitOutcome::Later(Postponement { hold: HoldScope::Job, .. })));
        if let Some(lane) = of_group {
            state.count_in_lane(outcome, lane, began, now, feed);
        }
        let before = state.of_job.workers;
        match outcome {
            UnitOutcome::Completed { .. } => state.of_job.ended_well(began.elapsed()),
            busy if busy.is_busy() && of_group.is_none() => state.of_job.was_busy(began, Instant::now(), now),
            _ => {}
        }
        if state.of_job.workers != before {
            if state.of_job.workers < before {
                say(state.of_job.workers, before, "", outcome);
            }
            feed.adapt_workers(state.of_job.workers);
        }
    }

    /// Returns how many units run at a time, groups aside.
    pub fn workers(&self) -> Option<usize> {
        self.lock().as_ref().map(|state| state.of_job.workers)
    }

    /// Returns what it has come to.
    pub fn adapted(&self, feed: &Feed) -> Option<Adapted> {
        self.lock().as_ref().map(|state| {
            let busy_at = state.of_lanes.values().filter_map(|number| number.busy_at).chain(state.of_job.busy_at).max();
            let numbers = state.of_lanes.iter().map(|(lane, number)| (*lane, number.workers));
            let known = feed.named_lanes(numbers).into_iter();
            let before = state.before.iter().map(|(group, workers)| (group.clone(), *workers));
            let groups = known.chain(before).take(Adapted::MOST_GROUPS).collect();
            Adapted { workers: state.of_job.workers, busy_at, groups }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        // No code between lock and unlock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(least: usize, most: usize, before: Option<Adapted>) -> State {
        let (workers, busy_at, before) = before
            .map_or((None, None, BTreeMap::new()), |before| (Some(before.workers), before.busy_at, before.groups));
        let mut of_job = Number::new(least, most, workers);
        of_job.busy_at = busy_at;
        State { bounds: (least, most), of_job, of_lanes: HashMap::new(), before }
    }

    fn within(self, least: usize, most: usize, feed: &Feed) -> State {
        let of_job = self.of_job.within(least, most);
        let mut state = State { bounds: (least, most), of_job, of_lanes: HashMap::new(), ..self };
        for (lane, number) in self.of_lanes {
            state.keep(lane, state.bounded(number, lane, feed), feed);
        }
        state
    }

    /// Takes up what a group may run at most by now.
    fn bounded(&self, number: Number, lane: u32, feed: &Feed) -> Number {
        let most = feed.bound_of_lane(lane).0.min(self.bounds.1);
        number.within(self.bounds.0.min(most), most)
    }

    fn begin_lane(&mut self, lane: u32, workers: usize, feed: &Feed) {
        let most = feed.bound_of_lane(lane).0.min(self.bounds.1);
        self.keep(lane, Number::new(self.bounds.0.min(most), most, Some(workers)), feed);
    }

    fn count_in_lane(&mut self, outcome: &UnitOutcome, lane: u32, began: Instant, now: Timestamp, feed: &Feed) {
        let number = match self.of_lanes.remove(&lane) {
            Some(number) => self.bounded(number, lane, feed),
            None if outcome.is_busy() => {
                // Whoever was asked could not take what ran, however many more might have run.
                let (most, running) = feed.bound_of_lane(lane);
                let most = most.min(self.bounds.1);
                Number::new(self.bounds.0.min(most), most, Some(running))
            }
            None => return,
        };
        let (before, mut number) = (number.workers, number);
        match outcome {
            UnitOutcome::Completed { .. } => number.ended_well(began.elapsed()),
            busy if busy.is_busy() => number.was_busy(began, Instant::now(), now),
            _ => {}
        }
        if number.workers < before {
            say(number.workers, before, &of_group(lane, feed), outcome);
        }
        self.keep(lane, number, feed);
    }

    /// Keeps the number of a lane while it is held down.
    fn keep(&mut self, lane: u32, number: Number, feed: &Feed) {
        feed.adapt_lane(lane, number.is_held_down().then_some(number.workers));
        if number.is_held_down() {
            self.of_lanes.insert(lane, number);
        } else {
            self.of_job.busy_at = self.of_job.busy_at.max(number.busy_at);
        }
    }
}

fn of_group(lane: u32, feed: &Feed) -> String {
    feed.named_lanes([(lane, 0)].into_iter()).into_iter().map(|(name, _)| format!(" of the group {name}")).collect()
}

fn say(workers: usize, before: usize, of_group: &str, outcome: &UnitOutcome) {
    info!("{workers}{of_group} at a time from now on, before {before}: {}", outcome.error().unwrap_or("busy"));
}
