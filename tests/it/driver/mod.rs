//! Six processes at a time that issue every verb at random on the same jobs, while managers and clients are killed.
//!
//! `make test` runs it for a minute, `make soak` with twenty seeds. The order in which the processes of a run meet is
//! not repeatable; the verbs that each of them issues are.

mod batches;
mod invariants;
mod moments;
mod processes;
mod verbs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Random, World};

const PROCESSES: u64 = 6;

/// What the processes of one run share.
pub struct Driver {
    world: World,
    /// The first verb of the run that broke a promise.
    violations: Mutex<Vec<String>>,
    /// Requests to end one unit that were not refused, by unit.
    kills: Mutex<BTreeMap<String, usize>>,
    /// Daemons that lived when their units had completed.
    daemons: Mutex<BTreeSet<u32>>,
    verbs: AtomicUsize,
    killed: AtomicUsize,
}

impl Driver {
    fn new() -> Driver {
        let world = World::new();
        batches::prepare(&world);
        Driver {
            world,
            violations: Mutex::default(),
            kills: Mutex::default(),
            daemons: Mutex::default(),
            verbs: AtomicUsize::new(0),
            killed: AtomicUsize::new(0),
        }
    }

    fn violation(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    fn is_violated(&self) -> bool {
        !self.violations.lock().unwrap().is_empty()
    }

    /// Issues verbs from all processes at once for that long, lets every job end and checks what must hold.
    fn drive(&self, seed: u64, span: Duration) {
        let until = Instant::now() + span;
        std::thread::scope(|scope| {
            for process in 0..PROCESSES {
                scope.spawn(move || {
                    let mut random = Random::of(seed.wrapping_mul(31).wrapping_add(process));
                    while Instant::now() < until && !self.is_violated() {
                        verbs::issue_one(self, &mut random);
                    }
                });
            }
        });
        moments::create_beside_a_creation(self, &mut Random::of(seed));
        let found = self.violations.lock().unwrap();
        assert!(found.is_empty(), "seed {seed}: {}\n{}", found.join("\n"), self.world.report());
        drop(found);
        invariants::check(self);
        println!(
            "seed {seed}: {} verbs, {} processes killed, 0 violations",
            self.verbs.load(Ordering::Relaxed),
            self.killed.load(Ordering::Relaxed)
        );
    }
}

#[test]
fn every_verb_from_six_processes_at_once_keeps_the_promises() {
    let seed = Random::seed();
    Driver::new().drive(seed, Duration::from_secs(30));
}

#[test]
#[ignore = "runs for half an hour: make soak SEEDS=20 SECONDS=90"]
fn every_verb_for_many_seeds() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let first = Random::seed();
    for seed in first..first + number("JM_TEST_SEEDS", 20) {
        Driver::new().drive(seed, Duration::from_secs(number("JM_TEST_SECONDS", 90)));
    }
}
