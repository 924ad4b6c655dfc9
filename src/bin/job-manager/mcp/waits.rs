//! Calls that wait for a job.
//!
//! A call that waits takes no thread: one watcher looks at each job, however many calls wait for it, and there are only so many watchers.
//! A call without one is answered when its time is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use job_manager::model::JobId;
use rmcp::RoleServer;
use rmcp::service::RequestContext;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::jobs::{JobGiven, Jobs};
use super::progress::{BEAT, Progress};

/// Most jobs that are watched at a time.
pub(super) const WATCHERS: usize = 64;
/// Most calls that wait which use the database at a time, to begin or to be answered.
const AT_A_TIME: usize = 16;

/// What a call waits for, and how long if it says so.
pub(super) type Wait = (JobGiven, Option<Duration>);

/// How long calls wait that do not say so: some hosts give up a call after five seconds, and one of which they hear after a minute.
const UNHEARD: Duration = Duration::from_secs(4);
const FOLLOWED: Duration = Duration::from_secs(40);

/// What a watcher has seen of a job.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    ended: i64,
    /// No units before the first look.
    total: i64,
    is_over: bool,
}

/// All calls of a server that wait.
pub(super) struct Waits {
    watched: Mutex<HashMap<JobId, watch::Receiver<Seen>>>,
    watchers: Arc<Semaphore>,
    at_a_time: Semaphore,
    gone: CancellationToken,
}

impl Waits {
    pub fn new(gone: CancellationToken) -> Self {
        let (watchers, at_a_time) = (Arc::new(Semaphore::new(WATCHERS)), Semaphore::new(AT_A_TIME));
        Self { watched: Mutex::default(), watchers, at_a_time, gone }
    }

    /// Waits for its turn to use the database.
    pub async fn turn(&self) -> SemaphorePermit<'_> {
        self.at_a_time.acquire().await.expect("nobody closes it")
    }

    /// Waits until a job rests, the time is over or nobody waits any more; what is wrong with the call is left to its answer.
    pub async fn wait(&self, jobs: &Jobs, (given, time): Wait, context: &RequestContext<RoleServer>) {
        let mut progress = Progress::of(context);
        let time = time.unwrap_or(if progress.is_followed() { FOLLOWED } else { UNHEARD });
        let until = Instant::now() + time;
        let found = {
            let (_turn, jobs) = (self.turn().await, jobs.clone());
            tokio::task::spawn_blocking(move || jobs.of(&given).map(|(_, job)| job)).await
        };
        let Ok(Ok(job)) = found else { return };
        let mut beats = interval(BEAT);
        loop {
            let mut seen = self.watch(jobs, job);
            loop {
                let now = *seen.borrow_and_update();
                if now.is_over {
                    return;
                }
                tokio::select! {
                    biased;
                    () = context.ct.cancelled() => return,
                    () = self.gone.cancelled() => return,
                    () = sleep_until(until) => return,
                    _ = beats.tick() => progress.tell(now.ended, now.total).await,
                    // A watcher ends when nobody listens, which may be told to the last that begins to.
                    changed = seen.changed() => if changed.is_err() { break },
                }
            }
        }
    }

    /// Returns what is seen of a job, by the watcher that it has or gets.
    fn watch(&self, jobs: &Jobs, job: JobId) -> watch::Receiver<Seen> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|_, seen| seen.has_changed().is_ok());
        if let Some(seen) = watched.get(&job) {
            return seen.clone();
        }
        let (told, seen) = watch::channel(Seen::default());
        watched.insert(job, seen.clone());
        let (watchers, jobs) = (Arc::clone(&self.watchers), jobs.of_nobody(&self.gone));
        tokio::spawn(async move {
            let _place = watchers.acquire_owned().await;
            // A panic is seen by those who wait as the end of the watcher.
            drop(tokio::task::spawn_blocking(move || look(&jobs, job, &told)).await);
        });
        seen
    }
}

/// Looks at a job until it rests or nobody but the list of watched jobs listens.
fn look(jobs: &Jobs, job: JobId, told: &watch::Sender<Seen>) {
    let waited = jobs.to_read().map(|client| {
        client.map(|client| {
            client.wait_while(job, None, |job| {
                told.send_replace(Seen { ended: job.progress.ended(), total: job.progress.total, is_over: false });
                told.receiver_count() > 1 && !jobs.is_given_up()
            })
        })
    });
    if !matches!(waited, Ok(Some(Ok(None)))) {
        // Also when it cannot be looked at: the answers say why.
        told.send_modify(|seen| seen.is_over = true);
    }
}
