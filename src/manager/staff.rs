//! The worker threads: pools of rayon's, each with as many loops as threads; more of them when a job is scaled up.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Barrier};
use std::thread::Scope;

use rayon::ThreadPool;

use super::error::{ManagerError, chain};
use super::events::Events;
use super::log::log_line;
use super::worker::{Crew, work};
use crate::model::counted;

/// Starts workers within the scope of a manager's threads.
pub(super) struct Staff<'scope, 'env> {
    threads: &'scope Scope<'scope, 'env>,
    crew: &'scope Crew<'env>,
    events: Events<'env>,
    hired: usize,
}

impl<'scope, 'env> Staff<'scope, 'env> {
    /// Makes a staff of nobody.
    pub fn new(threads: &'scope Scope<'scope, 'env>, crew: &'scope Crew<'env>, events: Events<'env>) -> Self {
        Self { threads, crew, events, hired: 0 }
    }

    /// Makes sure that there are `wanted` workers; there are never fewer than before, the feed lets them wait.
    pub fn hire(&mut self, wanted: usize) -> Result<(), ManagerError> {
        let first = self.hired;
        if wanted <= first {
            return Ok(());
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(wanted - first)
            .thread_name(move |index| format!("worker-{}", first + index))
            .build()
            .map_err(|source| ManagerError::Workers { workers: wanted, source })?;
        let (crew, events) = (self.crew, self.events.clone());
        let man = move || man(&pool, crew, first..wanted, &events);
        let manned = std::thread::Builder::new().name("pool".to_owned()).spawn_scoped(self.threads, man);
        manned.map_err(ManagerError::system("start workers"))?;
        self.hired = wanted;
        Ok(())
    }

    /// Hires on demand until nobody can ask any more.
    pub fn follow(mut self, demands: &Receiver<usize>) {
        while let Ok(wanted) = demands.recv() {
            // The workers that are there go on.
            if let Err(error) = self.hire(wanted) {
                log_line!("still {}: {}", counted(self.hired, "worker"), chain(&error));
            }
        }
    }
}

/// Runs a loop on each thread of a pool until the feed is closed.
fn man<'env>(pool: &ThreadPool, crew: &Crew<'env>, slots: std::ops::Range<usize>, events: &Events<'env>) {
    pool.in_place_scope(|scope| {
        // No unit runs before every loop has a thread of its own: a handler that waits inside rayon would otherwise
        // pick up a loop that has none, and never come back from it.
        let all_here = Arc::new(Barrier::new(slots.len() + 1));
        for slot in slots {
            let (events, all_here) = (events.clone(), Arc::clone(&all_here));
            scope.spawn(move |_| {
                all_here.wait();
                work(crew, slot, events);
            });
        }
        all_here.wait();
    });
}
