//! The worker threads: pools of rayon's, each with as many loops as threads; more of them when a job is scaled up.

use std::ops::Range;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Barrier};
use std::thread::Scope;
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use tracing::warn;

use super::error::ManagerError;
use super::events::Events;
use super::worker::{WorkerContext, work};
use crate::model::{Lack, chain};
use crate::sys::{self, OPEN_FILES_BESIDE_UNITS, OPEN_FILES_PER_UNIT};

/// Threads of one pool. Each looks for work at all others of its pool before it sleeps, so that a pool of a thousand
/// would be busy with itself for seconds.
const POOL_THREADS: usize = 32;
/// Workers that are started at first, and then twice as many each time: whether they and the processes of their units can be had is
/// tried before, which takes long for a thousand.
const STARTED_FIRST: usize = 64;

/// Starts workers within the scope of a manager's threads.
pub(super) struct WorkerPool<'scope, 'env> {
    threads: &'scope Scope<'scope, 'env>,
    worker_context: &'scope WorkerContext<'env>,
    events: Events<'env>,
    started: usize,
}

impl<'scope, 'env> WorkerPool<'scope, 'env> {
    /// Creates an empty pool.
    pub fn new(
        threads: &'scope Scope<'scope, 'env>,
        worker_context: &'scope WorkerContext<'env>,
        events: Events<'env>,
    ) -> Self {
        Self { threads, worker_context, events, started: 0 }
    }

    /// Starts workers on demand until nobody can ask any more.
    pub fn follow(mut self, demands: &Receiver<usize>) {
        while let Ok(wanted) = demands.recv() {
            self.grow(wanted);
        }
    }

    /// Makes sure that there are `wanted` workers, or as many as this process can have, and notes what is lacking.
    ///
    /// There are never fewer than before, the feed lets them wait.
    fn grow(&mut self, wanted: usize) {
        let (workers, mut lack) = if wanted > self.started { self.with_files(wanted) } else { (self.started, None) };
        // The first of many begin with their units while the others are started, and nobody is started for a job that is over.
        while self.started < workers && !self.worker_context.shared.feed.is_closed_within(Duration::ZERO) {
            let next = workers.min(self.started + self.started.max(STARTED_FIRST));
            let (next, lacks_threads) = self.with_threads(next, wanted);
            if next > self.started
                && let Err(error) = self.start(next)
            {
                lack = Some((Lack::Processes, chain(&error)));
                break;
            }
            if lacks_threads.is_some() {
                lack = lacks_threads;
                break;
            }
        }
        self.worker_context.shared.shortage.set_workers(lack);
    }

    fn start(&mut self, workers: usize) -> Result<(), ManagerError> {
        let first = self.started;
        let pools = (first..workers).step_by(POOL_THREADS).map(|first| pool(first..workers.min(first + POOL_THREADS)));
        let pools: Vec<Pool> =
            pools.collect::<Result<_, _>>().map_err(|source| ManagerError::Workers { workers, source })?;
        let (worker_context, events) = (self.worker_context, self.events.clone());
        let run = move || run_workers(&pools, worker_context, &events);
        let running = std::thread::Builder::new().name("pool".to_owned()).spawn_scoped(self.threads, run);
        running.map_err(ManagerError::system("start workers"))?;
        self.started = workers;
        Ok(())
    }

    /// Returns how many of the `wanted` workers can have the files that they need, and what is lacking for more.
    fn with_files(&self, wanted: usize) -> (usize, Option<(Lack, String)>) {
        let files = if self.worker_context.runner.commits_each_unit() { OPEN_FILES_PER_UNIT } else { 2 };
        let limit = match sys::allow_open_files(OPEN_FILES_BESIDE_UNITS + files * wanted as u64) {
            Ok(limit) => limit,
            Err(error) => {
                warn!("cannot raise the limit of open files: {error}");
                return (wanted, None);
            }
        };
        let by_files = limit.saturating_sub(OPEN_FILES_BESIDE_UNITS) / files;
        let by_files = usize::try_from(by_files).unwrap_or(usize::MAX).max(self.started.max(1));
        if by_files >= wanted {
            return (wanted, None);
        }
        let enough = format!("the limit is {limit}, which is enough for {by_files} of {wanted} workers");
        (by_files, Some((Lack::OpenFiles, enough)))
    }

    /// Returns how many workers this process can have now, up to `next` of the `wanted` ones, and what it lacks for those.
    fn with_threads(&self, next: usize, wanted: usize) -> (usize, Option<(Lack, String)>) {
        // A unit of a command is a process beside its worker's thread; those that run now are there already.
        let runs_commands = self.worker_context.runner.commits_each_unit();
        let threads = if runs_commands { 2 } else { 1 };
        let idle =
            if runs_commands { self.started.saturating_sub(self.worker_context.shared.feed.level().busy) } else { 0 };
        let (spare, refused) = sys::spare_threads(threads * (next - self.started) + idle + 1);
        let Some(error) = refused else { return (next, None) };
        let workers = self.started + spare.saturating_sub(idle + 1) / threads;
        let what = sys::lack_of(&error).unwrap_or(Lack::Processes);
        (workers, Some((what, format!("there are enough for {workers} of {wanted} workers: {error}"))))
    }
}

/// A pool, and the slots of its threads.
type Pool = (ThreadPool, Range<usize>);

fn pool(slots: Range<usize>) -> Result<Pool, ThreadPoolBuildError> {
    let first = slots.start;
    let builder = ThreadPoolBuilder::new().num_threads(slots.len());
    let pool = builder.thread_name(move |index| format!("worker-{}", first + index)).build()?;
    Ok((pool, slots))
}

/// Runs a loop on each thread of all pools until the feed is closed.
fn run_workers<'env>(pools: &[Pool], worker_context: &WorkerContext<'env>, events: &Events<'env>) {
    let Some(((pool, slots), others)) = pools.split_first() else { return };
    pool.in_place_scope(|scope| {
        // No unit of a pool runs before every loop has a thread of its own: a handler that waits inside rayon would
        // otherwise pick up a loop that has none, and never come back from it.
        let all_here = Arc::new(Barrier::new(slots.len() + 1));
        for slot in slots.clone() {
            let (events, all_here) = (events.clone(), Arc::clone(&all_here));
            scope.spawn(move |_| {
                all_here.wait();
                work(worker_context, slot, events);
            });
        }
        all_here.wait();
        run_workers(others, worker_context, events);
    });
}
