//! The main thread while workers run: feeds them, follows signals and wishes, and knows when the job is over.

use std::time::{Duration, Instant};

use super::error::ManagerError;
use super::feed::Origin;
use super::log::log_line;
use super::panics;
use super::shared::Shared;
use crate::model::{Job, JobStatus, StopRequest, Timestamp};
use crate::store::{Reign, Store, StoreError};
use crate::sys::StopFlags;

/// Longest wait between two looks at the signals' flags.
const POLL_SIGNALS: Duration = Duration::from_millis(50);
/// Time between two looks at what clients committed.
const POLL_WISHES: Duration = Duration::from_millis(150);
/// Units kept ready; the feed is refilled below half of it.
const FEED_UNITS: usize = 512;

/// How a reign ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReignEnd {
    /// Every unit has ended; the job has its final state.
    Finished(JobStatus),
    /// A signal or a wish stopped it.
    Stopped(StopRequest),
    /// Some thread failed.
    Failed,
}

pub(super) struct Coordinator<'a> {
    store: &'a mut Store,
    reign: Reign,
    shared: &'a Shared,
    flags: &'a StopFlags,
    wish: Option<(StopRequest, Option<Duration>)>,
    looked_at: Instant,
    seen_version: i64,
    seen_revision: i64,
    /// Whether everything that waits for its first attempt has been read.
    exhausted: bool,
}

impl<'a> Coordinator<'a> {
    pub fn new(
        store: &'a mut Store,
        job: &Job,
        reign: Reign,
        shared: &'a Shared,
        flags: &'a StopFlags,
    ) -> Result<Self, ManagerError> {
        let seen_version = store.data_version()?;
        let (wish, seen_revision) = (wish_of(job), job.revision);
        let looked_at = Instant::now();
        Ok(Self { store, reign, shared, flags, wish, looked_at, seen_version, seen_revision, exhausted: false })
    }

    /// Runs until the job has ended or has to stop; every unit taken by then has ended and is committed.
    pub fn run(mut self) -> Result<ReignEnd, ManagerError> {
        let end =
            panics::catch(|| self.feed_workers()).unwrap_or_else(|message| Err(ManagerError::Panicked { message }));
        self.shared.feed.close();
        if end.is_err() {
            self.shared.end_units();
        }
        end
    }

    fn feed_workers(&mut self) -> Result<ReignEnd, ManagerError> {
        loop {
            if self.shared.has_failed() {
                return Ok(ReignEnd::Failed);
            }
            self.look_for_wishes()?;
            if let Some(stop) = self.stop_wanted() {
                return self.stop(stop);
            }
            let next_due = self.refill()?;
            let level = self.shared.feed.level();
            if level.in_hand == 0 && self.exhausted && next_due.is_none() {
                if let Some(status) = self.store.finish_job(self.reign, Timestamp::now())? {
                    return Ok(ReignEnd::Finished(status));
                }
                // Units were added in this very moment.
                self.exhausted = false;
                continue;
            }
            let until_due = next_due.map_or(POLL_SIGNALS, |due| due.since(Timestamp::now()));
            self.shared.feed.wait_for_change(level, until_due.clamp(Duration::from_millis(1), POLL_SIGNALS));
        }
    }

    /// Tops the feed up and returns when the next unit that came back is due, if it had room for all that are.
    fn refill(&mut self) -> Result<Option<Timestamp>, ManagerError> {
        let level = self.shared.feed.level();
        if level.queued > FEED_UNITS / 2 {
            return Ok(None);
        }
        let now = Timestamp::now();
        // Rows of units in hand may still say that they are due: the page is wide enough to see beyond them.
        let due = self.store.due_units(self.reign.job, now, FEED_UNITS + level.in_hand)?;
        self.shared.feed.put(Origin::Due, due);
        if !self.exhausted {
            let page = self.store.fresh_units(self.reign.job, self.shared.feed.cursor(), FEED_UNITS)?;
            self.exhausted = page.len() < FEED_UNITS;
            self.shared.feed.put(Origin::Fresh, page);
        }
        Ok(self.store.next_due(self.reign.job)?)
    }

    /// Reads the job again when another connection has committed something.
    fn look_for_wishes(&mut self) -> Result<(), ManagerError> {
        if self.looked_at.elapsed() < POLL_WISHES {
            return Ok(());
        }
        self.looked_at = Instant::now();
        let version = self.store.data_version()?;
        if version == self.seen_version {
            return Ok(());
        }
        self.seen_version = version;
        let job = self.store.job(self.reign.job)?;
        if job.epoch != self.reign.epoch {
            let Reign { job, epoch } = self.reign;
            return Err(StoreError::Fenced { job, epoch }.into());
        }
        if job.revision != self.seen_revision {
            // Units may have been added, or taken back from those that wait here.
            self.seen_revision = job.revision;
            self.shared.feed.recall();
            self.exhausted = false;
        }
        self.wish = wish_of(&job);
        Ok(())
    }

    fn stop_wanted(&self) -> Option<(StopRequest, Option<Duration>)> {
        match self.wish {
            Some(wish) => Some(wish),
            None if self.flags.now_requested() => Some((StopRequest::StopNow, None)),
            None if self.flags.stop_requested() => Some((StopRequest::Stop, None)),
            None => None,
        }
    }

    /// Lets running units finish, or ends them, and waits for the commit of their ends.
    fn stop(&mut self, first: (StopRequest, Option<Duration>)) -> Result<ReignEnd, ManagerError> {
        self.shared.feed.close();
        let began = Instant::now();
        let mut wanted = first;
        log_line!("stopping ({}), {} units in hand", wanted.0, self.shared.feed.level().in_hand);
        loop {
            let grace_over = wanted.1.is_some_and(|grace| began.elapsed() >= grace);
            let at_once = wanted.0 != StopRequest::Stop && wanted.1.is_none();
            if !self.shared.is_ending_units() && (at_once || grace_over || self.flags.now_requested()) {
                log_line!("ending the running units");
                self.shared.end_units();
            }
            let level = self.shared.feed.level();
            if self.shared.has_failed() {
                return Ok(ReignEnd::Failed);
            }
            if level.in_hand == 0 {
                return Ok(ReignEnd::Stopped(wanted.0));
            }
            self.shared.feed.wait_for_change(level, POLL_SIGNALS);
            self.look_for_wishes()?;
            wanted = self.wish.unwrap_or(wanted);
        }
    }
}

fn wish_of(job: &Job) -> Option<(StopRequest, Option<Duration>)> {
    job.stop_request.map(|request| (request, job.stop_grace))
}
