//! MachinePermits for running units that all managers of a database share, once somebody has limited how many there are.
//!
//! A permit is a locked file: the kernel gives it back with its manager, however that ends. A manager that needs more of
//! them locks a file of its own and writes into it how many it has. Free permits go to whoever has the fewest; a manager
//! with two more than one that waits gives one up, and its last one goes to a manager without any after a while. No unit
//! is interrupted for that: a permit is passed on when a unit ends. Without a limit no file is touched.
//!
//! Known weaknesses: what a dead manager left running is not counted until it is ended, and a unit that waits for another
//! job's units keeps its permit meanwhile, so that jobs which start jobs can wait for each other for ever.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tracing::{info, warn};

use super::feed::Feed;
use crate::files::{How, create_private_dir, open_private};
use crate::model::{JobId, StateDir, counted};
use crate::sys::{JobLock, LockProbe};

/// Time between two looks at the permits.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Time for which a manager keeps its only permit while another has none.
const KEEP_LAST: Duration = Duration::from_secs(1);
/// Time for which a manager that gave its last permit up lets others go first: each of them looks within that.
const LET_OTHERS: Duration = Duration::from_millis(200);
/// Age above which nobody counts as waiting: a manager that waits renews its file all the time, a suspended one does not.
const WAITS_NO_MORE: Duration = Duration::from_secs(2);

/// What one manager has of the permits.
pub(super) struct MachinePermits {
    state: StateDir,
    /// The file that is locked while this manager waits.
    own_wait: PathBuf,
    waits: Option<JobLock>,
    limit: Option<usize>,
    /// MachinePermits by number, the highest last.
    held: Vec<(usize, JobLock)>,
    /// When the last permit was taken.
    taken_at: Instant,
    looked_at: Option<Instant>,
    /// What went wrong with the files at the last look.
    trouble: Option<String>,
    /// When the last permit was given up for a manager that had none.
    gave_last: Option<Instant>,
}

impl MachinePermits {
    pub fn new(state: &StateDir, job: JobId) -> Self {
        Self {
            state: state.clone(),
            own_wait: state.waits_for_permit(job),
            waits: None,
            limit: None,
            held: Vec::new(),
            taken_at: Instant::now(),
            looked_at: None,
            trouble: None,
            gave_last: None,
        }
    }

    /// Changes how many permits there are.
    pub fn set_limit(&mut self, limit: Option<usize>) {
        if limit == self.limit {
            return;
        }
        match limit {
            Some(limit) => info!("at most {} run over all jobs from now on", counted(limit, "unit")),
            None => info!("the number of units over all jobs is not limited any more"),
        }
        self.limit = limit;
        self.looked_at = None;
    }

    /// Takes and gives back permits, and lets no more workers run than this manager has permits, nor more than `workers`.
    pub fn rebalance(&mut self, feed: &Feed, workers: usize) {
        let Some(limit) = self.limit else {
            feed.limit_workers(workers);
            self.held.clear();
            self.stop_waiting();
            return;
        };
        if self.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.look(feed, workers, limit);
            self.looked_at = Some(Instant::now());
        }
    }

    fn look(&mut self, feed: &Feed, workers: usize, limit: usize) {
        let level = feed.level();
        let wanted = workers.min(level.busy + level.ready).min(limit);
        let shared = self.share(feed, wanted, limit).map_err(|error| error.to_string()).err();
        if shared != self.trouble {
            match &shared {
                Some(error) => warn!("cannot share permits in {}: {error}", self.state.permits().display()),
                None => info!("permits can be shared again"),
            }
            self.trouble = shared;
        }
        if self.trouble.is_some() {
            // As many as this manager has in any case.
            feed.limit_workers(self.held.len().min(limit));
        }
    }

    fn share(&mut self, feed: &Feed, wanted: usize, limit: usize) -> io::Result<()> {
        // Those beyond a limit that was lowered do not count, and go first.
        let valid = self.held.partition_point(|(permit, _)| *permit < limit);
        let smallest = if wanted > 0 { self.smallest_waiter()? } else { None };
        let keep = wanted.min(valid) - usize::from(self.should_yield(smallest) && valid > 0 && wanted >= valid);
        if keep < self.held.len() {
            // Units that run beyond that come to their end first.
            let busy = feed.limit_workers(keep);
            self.held.truncate(keep.max(busy));
            if self.held.is_empty() && wanted > 0 {
                self.gave_last = Some(Instant::now());
            }
            self.stop_waiting();
            return Ok(());
        }
        if keep < wanted {
            self.take(wanted, limit, smallest)?;
        } else {
            self.stop_waiting();
        }
        feed.limit_workers(self.held.len());
        Ok(())
    }

    fn take(&mut self, wanted: usize, limit: usize, smallest: Option<usize>) -> io::Result<()> {
        create_private_dir(&self.state.permits())?;
        for permit in 0..limit {
            let lets_others = self.gave_last.is_some_and(|at| at.elapsed() < LET_OTHERS);
            let others_first = smallest.is_some_and(|theirs| theirs < self.held.len() || lets_others);
            if self.held.len() == wanted || others_first {
                break;
            }
            if self.held.iter().any(|(held, _)| *held == permit) {
                continue;
            }
            if let Some(lock) = JobLock::try_acquire(&self.state.permit(permit))? {
                let at = self.held.partition_point(|(held, _)| *held < permit);
                self.held.insert(at, (permit, lock));
                self.taken_at = Instant::now();
            }
        }
        if self.held.len() == wanted {
            self.stop_waiting();
            return Ok(());
        }
        if self.waits.is_none() {
            // Somebody who looks at it in this instant is in the way; the next round takes it.
            self.waits = JobLock::try_acquire(&self.own_wait)?;
        }
        let mut file = open_private(&self.own_wait, How::Replace)?;
        file.write_all(self.held.len().to_string().as_bytes())
    }

    fn stop_waiting(&mut self) {
        if self.waits.take().is_some() {
            // One that is left behind is free, and says nothing.
            let _ = fs::remove_file(&self.own_wait);
        }
    }

    /// Returns `true` if one of the permits is due to a manager that waits and has so many.
    fn should_yield(&self, smallest: Option<usize>) -> bool {
        match (self.held.len(), smallest) {
            (_, None) | (0, _) => false,
            (1, Some(theirs)) => theirs == 0 && self.taken_at.elapsed() >= KEEP_LAST,
            (ours, Some(theirs)) => ours >= theirs + 2,
        }
    }

    /// Returns how many permits the manager has that has the fewest of those that wait for more.
    fn smallest_waiter(&self) -> io::Result<Option<usize>> {
        let entries = match fs::read_dir(self.state.permits()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut fewest = None;
        for entry in entries {
            let path = entry?.path();
            let is_wait = path.extension().is_some();
            if !is_wait || path == self.own_wait || !matches!(LockProbe::of(&path), LockProbe::Held) {
                continue;
            }
            // It may be gone, or just being written.
            let renewed = fs::metadata(&path).and_then(|file| file.modified());
            let (Ok(renewed), Ok(text)) = (renewed, read(&path)) else { continue };
            let Ok(theirs) = text.parse::<usize>() else { continue };
            let is_suspended = SystemTime::now().duration_since(renewed).is_ok_and(|age| age > WAITS_NO_MORE);
            if !is_suspended && fewest.is_none_or(|fewest| theirs < fewest) {
                fewest = Some(theirs);
            }
        }
        Ok(fewest)
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open_private(path, How::Read)?.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
