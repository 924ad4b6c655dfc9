//! The one thread that writes units: everything that arrived while the previous commit ran goes into the next one.
//!
//! An idle manager commits a single event at once, a busy one commits thousands together. While units are queued that
//! the workers can go on with, and nobody waits for an answer, commits keep a distance: the processor time of a commit
//! is then the units'. A unit counts as done when its commit has returned, and only then leaves the feed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use tracing::{error, warn};

use super::error::ManagerError;
use super::events::Event;
use super::log;
use super::merged::{Merged, merge};
use super::rate_meter::{HEARTBEAT_EVERY, RateMeter};
use super::shared::Shared;
use super::transient::TransientRetries;
use crate::crash::crash_point;
use crate::handler::{Runner, UnitReport};
use crate::model::{ResourcesOfAll, Tally, UnitStatus, chain};
use crate::store::{Batch, Fault, Lease, Recorded, Store, StoreError};

/// Events of one commit, so that its memory is bounded.
const BATCH_EVENTS: usize = 2048;
/// Distance between the starts of two commits that nobody waits for.
const COMMIT_EVERY: Duration = Duration::from_millis(20);

/// Writes events until all senders are gone.
pub(super) struct Recorder<'a> {
    store: Store,
    lease: Lease,
    shared: &'a Shared,
    events: Receiver<Event>,
    reports: Option<Sender<UnitReport>>,
    runner: Arc<dyn Runner>,
    rate_meter: RateMeter,
    /// What attempts have taken of the machine that is not written yet.
    resources: ResourcesOfAll,
    /// What is counted of attempts that is not written yet.
    tally: Tally,
}

impl<'a> Recorder<'a> {
    /// Makes a recorder; what services are told goes to `reports`, and what units wrote is `runner`'s.
    pub fn new(
        mut store: Store,
        lease: Lease,
        shared: &'a Shared,
        events: Receiver<Event>,
        reports: Option<Sender<UnitReport>>,
        runner: Arc<dyn Runner>,
    ) -> Self {
        let rate_meter = RateMeter::new(store.beat_every());
        let (resources, tally) = Default::default();
        Self { store, lease, shared, events, reports, runner, rate_meter, resources, tally }
    }

    /// Runs until the last worker has gone and everything it sent is committed.
    ///
    /// After an error it keeps taking events, so that no worker waits for it, and writes nothing more.
    pub fn run(mut self) {
        let mut batch = Vec::new();
        let mut next_commit = Instant::now() + COMMIT_EVERY;
        loop {
            match self.events.recv_timeout(HEARTBEAT_EVERY) {
                Ok(event) => {
                    batch.push(event);
                    self.shared.feed.rest_until(next_commit);
                    batch.extend(self.events.try_iter().take(BATCH_EVENTS - 1));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            next_commit = Instant::now() + COMMIT_EVERY;
            if let Err(error) = self.commit(&mut batch) {
                self.give_up(error);
                while self.events.recv().is_ok() {}
                return;
            }
        }
        // Of a job that stops while units wait.
        let (resources, tally) = (std::mem::take(&mut self.resources), std::mem::take(&mut self.tally));
        let rest = Batch {
            resources: Some(&resources).filter(|resources| !resources.is_empty()),
            tally: Some(&tally).filter(|tally| !tally.is_empty()),
            ..Batch::default()
        };
        if (rest.resources.is_some() || rest.tally.is_some())
            && let Err(error) = self.record_with_retries(&rest)
        {
            self.give_up(error);
        }
    }

    fn give_up(&self, error: StoreError) {
        let error = ManagerError::from(error);
        if error.ended_as().is_none() {
            error!("{}", chain(&error));
        }
        self.shared.fail(error);
    }

    fn commit(&mut self, batch: &mut Vec<Event>) -> Result<(), StoreError> {
        let Merged { changes, notes, spends, waiting, reports, slots } = merge(batch.drain(..));
        self.rate_meter.count(changes.iter().filter(|change| change.to.is_terminal()).count());
        let heartbeat = self.rate_meter.beat(self.shared, changes.is_empty() && notes.is_empty() && spends.is_empty());
        if heartbeat.is_some() {
            log::rotate_when_full();
        }
        if changes.is_empty() && notes.is_empty() && spends.is_empty() && heartbeat.is_none() {
            return Ok(());
        }
        if !slots.is_empty()
            && let Err(error) = self.runner.sync_outputs(&slots)
        {
            // The end of a unit is worth more than the certainty that a power cut leaves its output.
            warn!("the output of units may not outlive a power cut: {error}");
        }
        // The mark moves with the heartbeat only: it saves reading at the next start, and costs a walk of the feed.
        let rests = heartbeat.as_ref().map(|_| self.shared.feed.rests()).unwrap_or_default();
        let took = changes.iter().filter_map(|change| change.end.as_ref()?.resources);
        took.for_each(|took| self.resources.add(took));
        changes.iter().for_each(|change| change.count_in(&mut self.tally));
        // They are texts, which is too much work for every commit.
        let ended = changes.iter().filter(|change| change.end.is_some()).count();
        let are_due = heartbeat.is_some() || self.shared.feed.may_end_with(ended);
        let (resources, tally) = (std::mem::take(&mut self.resources), std::mem::take(&mut self.tally));
        let limits = self.shared.limits();
        let began = Instant::now();
        let recorded = self.record_with_retries(&Batch {
            changes: &changes,
            notes: &notes,
            spends: &spends,
            meters: &limits.meters,
            groups: limits.groups.as_ref(),
            rests: &rests,
            heartbeat: heartbeat.as_ref(),
            resources: Some(&resources).filter(|resources| are_due && !resources.is_empty()),
            tally: Some(&tally).filter(|tally| are_due && !tally.is_empty()),
            is_late: false,
        })?;
        if !are_due {
            (self.resources, self.tally) = (resources, tally);
        }
        self.tally.add_commit(began.elapsed());
        // Before those that have ended make room for others.
        self.shared.feed.stop_groups(&recorded.stopped_groups);
        let ends = changes.iter().filter(|change| change.end.is_some()).map(|change| change.unit);
        self.shared.budgets.learn(&self.shared.feed, &limits.meters, &recorded.settled, ends);
        if !recorded.lost.is_empty() {
            // Whoever changed one that was about to start may have changed those that wait behind it.
            self.shared.feed.recall();
        }
        for unit in &recorded.lost {
            // The row of one that does not run for anybody would say so while its process goes on.
            let ending = if self.shared.disown(unit.seq()) { ", and ends its attempt" } else { "" };
            warn!("unit {unit} was changed by a client meanwhile, this manager leaves it alone{ending}");
        }
        let failed =
            changes.iter().filter(|change| change.to == UnitStatus::Failed && !recorded.lost.contains(&change.unit));
        match recorded.failures {
            Some(of_all_managers) => self.shared.learn_failures(of_all_managers),
            None => match failed.count() as u64 {
                0 => {}
                failures => self.shared.count_failures(failures),
            },
        }
        for (unit, waiter) in waiting {
            // A worker waits for the answer as long as it lives.
            let _ = waiter.send(!recorded.lost.contains(&unit));
        }
        // Before the units may run again.
        let said_later = changes.iter().filter(|change| change.may_have_said_later());
        said_later.for_each(|change| self.runner.forget_word(change.unit.seq()));
        let are_some_sent_back = changes.iter().any(|change| change.to == UnitStatus::Pending);
        let ended = changes.iter().filter(|change| change.to != UnitStatus::Running).map(|change| change.unit);
        // Before anybody is told: whoever listens may be slow.
        self.shared.feed.release(ended, are_some_sent_back);
        if let Some(listener) = &self.reports {
            for (_, report) in reports.into_iter().filter(|(unit, _)| !recorded.lost.contains(unit)) {
                self.shared.feed.begin_report();
                // The listener lives as long as this thread.
                let _ = listener.send(*report);
            }
        }
        Ok(())
    }

    /// Commits; a full disk and a busy database are waited out, and no unit starts meanwhile.
    fn record_with_retries(&mut self, batch: &Batch<'_>) -> Result<Recorded, StoreError> {
        crash_point!("before-commit");
        let mut retries = TransientRetries::default();
        loop {
            let Some(recorded) = self.shared.write(|| self.store.record(self.lease, batch)) else {
                return Err(self.lease.fenced());
            };
            match recorded {
                Ok(recorded) => {
                    crash_point!("after-commit");
                    retries.succeed();
                    self.shared.feed.stall(false);
                    return Ok(recorded);
                }
                Err(error) => {
                    let full = error.fault() == Some(Fault::Full);
                    self.shared.feed.stall(true);
                    retries.try_again(error, self.shared.is_ending_units())?;
                    if full {
                        // As long as there is no space at all this fails too, and is tried again with the commit.
                        let _ = self.store.spare_space();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::time::Instant;

    use super::*;
    use crate::manager::Clock;
    use crate::model::{AttemptId, NewJob, NewUnit, Seq, Timestamp, UnitFilter};
    use crate::recovery::policy;
    use crate::store::{Access, CreateOutcome, PageBound};
    use crate::sys::own_identity;

    struct Nothing;

    impl Runner for Nothing {
        fn run(&self, _: &crate::handler::Attempt<'_>) -> crate::model::AttemptEnd {
            unreachable!("nothing runs here")
        }
    }

    #[test]
    fn fault_134_an_attempt_whose_start_finds_its_unit_changed_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.db");
        let mut store = Store::open(&path, Access::Create).unwrap();
        let units = [NewUnit::new(&1).unwrap(), NewUnit::new(&2).unwrap()];
        let created = store.create_job(&NewJob::new("job", "x"), &units, true, Timestamp::now()).unwrap();
        let CreateOutcome::Created(job) = created else { panic!("there was a job") };
        let identity = own_identity().unwrap();
        let (lease, job_row) = store.join(job, &identity, "program".as_ref(), Timestamp::now()).unwrap();
        let shared = Shared::new(Clock::Wall, job_row.limits);
        let at = Timestamp::now();
        let read = store.fresh_units(job, Seq(0), Seq::MAX, PageBound::units(10)).unwrap().units;
        let slots = [(); 2].map(|()| shared.open_slot().unwrap());
        for (slot, unit) in slots.iter().zip(&read) {
            slot.begin(AttemptId { seq: unit.id.seq(), revision: 0, attempt: 1, started_us: at.as_micros() });
        }
        store.skip_units(job, &UnitFilter::one(Seq(2)), "not this one", at).unwrap();
        let (_events, inbox) = sync_channel(1);
        let mut recorder =
            Recorder::new(Store::open(&path, Access::Write).unwrap(), lease, &shared, inbox, None, Arc::new(Nothing));

        let starts = read.iter().map(|unit| Event::Started(policy::started(unit, at, 1), None));
        recorder.commit(&mut starts.collect()).unwrap();

        assert_eq!(slots.map(|slot| slot.is_ending()), [false, true]);
    }

    #[test]
    fn the_mark_behind_which_the_next_manager_reads_moves_with_the_heartbeat() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.db");
        let mut store = Store::open(&path, Access::Create).unwrap();
        let units = [NewUnit::new(&1).unwrap(), NewUnit::new(&2).unwrap()];
        let created = store.create_job(&NewJob::new("job", "x"), &units, true, Timestamp::now()).unwrap();
        let CreateOutcome::Created(job) = created else { panic!("there was a job") };
        let identity = own_identity().unwrap();
        let (lease, job_row) = store.join(job, &identity, "program".as_ref(), Timestamp::now()).unwrap();
        let shared = Shared::new(Clock::Wall, job_row.limits);
        let read = store.fresh_units(job, Seq(0), Seq::MAX, PageBound::units(10)).unwrap().units;
        shared.feed.add(store.claim(lease, 1000, Seq::MAX).unwrap().unwrap().range);
        shared.feed.put_after(Seq(0), read.clone());
        shared.feed.release(read.iter().map(|unit| unit.id), false);
        let (_events, inbox) = sync_channel(1);
        let mut recorder =
            Recorder::new(Store::open(&path, Access::Write).unwrap(), lease, &shared, inbox, None, Arc::new(Nothing));

        let began = Instant::now();
        while store.claimed_through(job).unwrap() == Seq(0) {
            assert!(began.elapsed() < HEARTBEAT_EVERY * 10, "the mark has not moved");
            recorder.commit(&mut Vec::new()).unwrap();
            std::thread::yield_now();
        }

        assert_eq!(store.claimed_through(job).unwrap(), Seq(2));
    }
}
