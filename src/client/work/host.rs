//! The managers of one host.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use super::event::{WorkEvent, WorkOptions};
use crate::client::cancel::failed;
use crate::client::{Client, ClientError};
use crate::handler::JobContext;
use crate::model::{ErrorKind, Job, JobFilter, JobId, JobStatus, chain};
use crate::recovery::end_noted;
use crate::store::StoreError;
use crate::sys::{JobLock, LockProbe, ProcessEnd};

/// A manager that ends sooner has failed.
const SHORT_LIFE: Duration = Duration::from_secs(5);
/// Longest pause before a manager is started again.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The managers of a host, by their jobs.
pub(super) struct Host<'a> {
    pub client: &'a Client,
    pub options: &'a WorkOptions,
    pub tell: &'a mut dyn FnMut(WorkEvent),
    pub managers: BTreeMap<JobId, Watched>,
    is_away: bool,
}

/// The manager of a job, which lives or did.
pub(super) struct Watched {
    /// What is known of the job, also while the database is away.
    pub context: JobContext,
    /// The process that lives, if it can be seen.
    pub process: Option<ProcessEnd>,
    /// Whether it was started here.
    pub is_own: bool,
    pub lives: bool,
    pub is_cleared: bool,
    pub began: Instant,
    /// Starts in a row that came to nothing.
    pub failures: u32,
    pub not_before: Instant,
    /// Why the job cannot run on this host.
    pub refused: Option<ClientError>,
}

impl Watched {
    pub fn new(context: JobContext) -> Watched {
        let now = Instant::now();
        Watched {
            context,
            process: None,
            is_own: false,
            lives: false,
            is_cleared: false,
            began: now,
            failures: 0,
            not_before: now,
            refused: None,
        }
    }

    /// Has the next start wait if the ones before came to nothing.
    pub fn pause(&mut self, has_failed: bool) {
        let now = Instant::now();
        self.failures = if has_failed { self.failures + 1 } else { 0 };
        let seconds = self.failures.checked_sub(2).map_or(0, |power| 1_u64 << power.min(6));
        self.not_before = now + Duration::from_secs(seconds).min(LONGEST_PAUSE);
    }
}

impl<'a> Host<'a> {
    pub fn new(client: &'a Client, options: &'a WorkOptions, tell: &'a mut dyn FnMut(WorkEvent)) -> Host<'a> {
        Host { client, options, tell, managers: BTreeMap::new(), is_away: false }
    }

    /// Takes note of the jobs that managers of this host have left, whatever has become of the jobs since.
    pub fn look_for_leftovers(&mut self) -> Result<(), ClientError> {
        let Ok(entries) = fs::read_dir(self.client.state.path()) else { return Ok(()) };
        let jobs = entries.filter_map(|entry| Some(JobId(entry.ok()?.file_name().to_str()?.parse().ok()?)));
        for job in jobs.filter(|job| self.client.job_files(*job).slots().exists()) {
            // Before the rest, which asks the store again.
            let found = self.client.store().job(job);
            match found {
                Ok(row) => drop(self.watched(&row)?),
                // Deleted, or not to be read: nothing is known of its processes.
                Err(StoreError::JobNotFound(_) | StoreError::Unreadable(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub fn watched(&mut self, row: &Job) -> Result<&mut Watched, ClientError> {
        if !self.managers.contains_key(&row.id) {
            let mut store = self.client.store();
            let context = JobContext::of(row, store.spec(row.id)?, self.client.job_files(row.id), store.file().clone());
            self.managers.insert(row.id, Watched::new(context));
        }
        Ok(self.managers.get_mut(&row.id).expect("it is there by now"))
    }

    /// Waits that long, or until a manager ends, or a signal comes.
    pub fn pause(&self, time: Duration) {
        let processes = self.managers.values().filter_map(|watched| watched.process.as_ref());
        // The look that follows finds out the rest.
        if ProcessEnd::any_within(processes, time).is_err() {
            std::thread::sleep(time);
        }
    }

    /// Returns `true` if a manager has ended since the last look.
    pub fn look_at_managers(&mut self) -> bool {
        let mut has_ended = false;
        for (job, watched) in self.managers.iter_mut().filter(|(_, watched)| watched.lives) {
            let lives = match &watched.process {
                // Whatever has become of its lock: that may be deleted, or held by whoever looks at it.
                Some(process) => !process.is_within(Duration::ZERO).unwrap_or(false),
                None => LockProbe::of(&watched.context.files.lock()) == LockProbe::Held,
            };
            if lives {
                continue;
            }
            (watched.lives, watched.is_cleared, watched.process, watched.is_own) = (false, false, None, false);
            watched.pause(watched.began.elapsed() < SHORT_LIFE);
            (self.tell)(WorkEvent::Ended { job: *job });
            has_ended = true;
        }
        has_ended
    }

    /// Starts managers of jobs that have none here, and ends what those have left whose jobs do not go on here. Returns `true` if
    /// there is nothing to do.
    pub fn take_up(&mut self) -> Result<bool, ClientError> {
        let rows = match self.jobs() {
            Ok(rows) => rows,
            Err(error) if is_passing(&error) => {
                if !std::mem::replace(&mut self.is_away, true) {
                    (self.tell)(WorkEvent::Away { reason: chain(&error) });
                }
                self.clear_dead();
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        self.is_away = false;
        for row in &rows {
            self.start_here(row);
        }
        self.clear_dead();
        let waits = |row: &Job| self.managers.get(&row.id).is_none_or(|watched| watched.refused.is_none());
        Ok(!rows.iter().any(waits) && !self.managers.values().any(|watched| watched.lives))
    }

    /// Returns the jobs that are to run here.
    fn jobs(&self) -> Result<Vec<Job>, ClientError> {
        let mut store = self.client.store();
        let Some(named) = &self.options.jobs else {
            let filter = JobFilter { statuses: vec![JobStatus::Running], ..JobFilter::default() };
            return Ok(store.jobs(&filter)?.jobs);
        };
        let mut found = Vec::new();
        for job in named {
            match store.job(*job) {
                Ok(row) if matches!(row.status, JobStatus::Running | JobStatus::Created) => found.push(row),
                Ok(_) | Err(StoreError::JobNotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Ends what dead managers have left whose jobs have none here now.
    pub fn clear_dead(&mut self) {
        for (job, watched) in self.managers.iter_mut().filter(|(_, watched)| !watched.lives && !watched.is_cleared) {
            let files = &watched.context.files;
            let cleared = match JobLock::try_acquire(&files.lock()) {
                // Nobody begins meanwhile.
                Ok(Some(_lock)) => end_noted(&watched.context).map_err(failed(&watched.context)),
                // Somebody else has started one.
                Ok(None) => continue,
                Err(error) => Err(ClientError::files("lock", files.lock())(error)),
            };
            watched.is_cleared = true;
            match cleared {
                Ok(0) => {}
                Ok(processes) => (self.tell)(WorkEvent::Cleared { job: *job, processes }),
                Err(error) => (self.tell)(WorkEvent::Failed { job: *job, reason: chain(&error) }),
            }
        }
    }

    /// Returns `true` while managers live that were started here.
    pub fn has_own(&self) -> bool {
        self.managers.values().any(|watched| watched.lives && watched.is_own)
    }

    /// Asks the managers that were started here to leave their jobs.
    pub fn ask_own(&mut self) {
        for (job, watched) in self.managers.iter().filter(|(_, watched)| watched.is_own) {
            if let Some(Err(error)) = watched.process.as_ref().map(ProcessEnd::ask) {
                (self.tell)(WorkEvent::Failed { job: *job, reason: error.to_string() });
            }
        }
    }

    /// Returns why a job could not run here, if one could not.
    pub fn refusal(self) -> Result<(), ClientError> {
        self.managers.into_values().find_map(|watched| watched.refused).map_or(Ok(()), Err)
    }
}

/// Returns `true` for what is worth another try.
pub(super) fn is_passing(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::Database | ErrorKind::TimedOut)
}
