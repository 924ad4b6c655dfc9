//! Machines that are short of memory, load and disk.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::*;
use crate::model::{JobId, Seq, Unit, Why};

const GIB: u64 = 1 << 30;

/// A machine with figures that a test changes.
#[derive(Clone, Default)]
struct Fake(Rc<Figures>);

#[derive(Default)]
struct Figures {
    memory: Cell<u64>,
    disk: RefCell<Option<u64>>,
    runnable: Cell<u64>,
    looks: Cell<u32>,
}

impl Readings for Fake {
    fn memory(&self) -> io::Result<Bytes> {
        self.0.looks.set(self.0.looks.get() + 1);
        Ok(Bytes(self.0.memory.get()))
    }

    fn load(&self, _: &dyn Fn(&Load) -> bool) -> io::Result<Load> {
        Ok(Load { runnable: self.0.runnable.get(), processors: 4.0 })
    }

    fn disk(&self, _: &Path) -> io::Result<Bytes> {
        self.0.disk.borrow().map(Bytes).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// A manager with a hundred units that wait, and as many workers.
struct Manager {
    fake: Fake,
    watch: MachineWatch,
    feed: Feed,
    start: Conditions,
}

impl Manager {
    fn new(start: Conditions) -> Manager {
        let fake = Fake::default();
        let feed = Feed::after(Seq(0));
        let mut watch = MachineWatch::new(fake.clone());
        watch.settle(&feed, &start);
        feed.put_after(Seq(0), (1..=100).map(|seq| Unit::pending(JobId(1), seq)).collect());
        Manager { watch, fake, feed, start }
    }

    fn with_memory(bytes: u64) -> Manager {
        Manager::new(Conditions { memfree: Some(Bytes(bytes)), ..Conditions::default() })
    }

    /// Looks when it is time to, lets the workers take what they may, and returns how many units that were.
    fn look(&mut self) -> usize {
        self.watch.looked_at = self.watch.looked_at.and_then(|at| at.checked_sub(LOOK_EVERY));
        self.watch.settle(&self.feed, &self.start);
        self.take()
    }

    fn take(&mut self) -> usize {
        let mut taken = 0;
        while self.feed.has_room() {
            self.feed.take(0).unwrap();
            taken += 1;
        }
        taken
    }

    fn waits(&self) -> Option<Why> {
        self.watch.waits.as_ref().map(Waits::cause)
    }
}

#[test]
fn nothing_starts_before_the_first_look() {
    let manager = Manager::with_memory(GIB);

    assert!(!manager.feed.has_room());
}

#[test]
fn units_wait_while_the_machine_is_short_of_memory_and_go_on_behind_a_margin() {
    let mut manager = Manager::with_memory(10 * GIB);

    manager.fake.0.memory.set(10 * GIB - 1);
    assert_eq!((manager.look(), manager.waits()), (0, Some(Why::WaitingForMemory)));
    // At the limit itself it would flutter.
    manager.fake.0.memory.set(10 * GIB + 5);
    assert_eq!((manager.look(), manager.look(), manager.look()), (0, 0, 0));
    manager.fake.0.memory.set(11 * GIB);
    assert_eq!((manager.look(), manager.waits()), (0, Some(Why::WaitingForMemory)), "one look is not enough");
    assert_eq!((manager.look(), manager.waits()), (1, None));
}

#[test]
fn near_the_limit_one_unit_starts_between_two_looks_whatever_ends_meanwhile() {
    let mut manager = Manager::with_memory(10 * GIB);
    manager.fake.0.memory.set(12 * GIB);

    assert_eq!(manager.look(), 1);
    manager.feed.end_taken();
    assert_eq!(manager.take(), 0);
    assert_eq!(manager.look(), 1);
}

#[test]
fn one_look_lets_no_more_start_than_there_is_room_for() {
    let mut manager = Manager::with_memory(2 * GIB);
    manager.fake.0.memory.set(10 * GIB);

    assert_eq!(manager.look(), 4);
    assert_eq!(manager.take(), 0);
    // One that ends is replaced at once: its memory is there again.
    manager.feed.end_taken();
    assert_eq!(manager.take(), 1);
    manager.fake.0.memory.set(6 * GIB);
    assert_eq!(manager.look(), 2);
}

#[test]
fn each_start_of_a_burst_is_seen_before_the_memory_is_gone() {
    let mut manager = Manager::with_memory(2 * GIB);
    let mut running = 0;

    for _ in 0..50 {
        // Every unit takes 1 GiB of 16.
        manager.fake.0.memory.set((16 - running) * GIB);
        running += manager.look() as u64;
    }

    // The last one starts while there are 2 GiB.
    assert_eq!(running, 15);
}

#[test]
fn far_from_the_limit_nothing_is_held_back() {
    let mut manager = Manager::with_memory(1);
    manager.fake.0.memory.set(GIB);

    assert_eq!(manager.look(), 100);
}

#[test]
fn units_wait_while_too_many_processes_want_to_run() {
    let mut manager = Manager::new(Conditions { load: Some(Percent(75)), ..Conditions::default() });

    manager.fake.0.runnable.set(3);
    assert_eq!((manager.look(), manager.waits()), (0, Some(Why::WaitingForLoad)));
    manager.fake.0.runnable.set(0);
    assert_eq!((manager.look(), manager.look(), manager.waits()), (0, 3, None));
    manager.fake.0.runnable.set(2);
    assert_eq!((manager.look(), manager.take()), (1, 0));
}

#[test]
fn units_wait_while_a_disk_is_short_of_space_or_is_not_there() {
    let disk = "/data=10G".parse().unwrap();
    let mut manager = Manager::new(Conditions { diskfree: vec![disk], ..Conditions::default() });

    assert_eq!((manager.look(), manager.waits()), (0, Some(Why::WaitingForDisk)));
    manager.fake.0.disk.replace(Some(9 * GIB));
    assert_eq!((manager.look(), manager.waits()), (0, Some(Why::WaitingForDisk)));
    manager.fake.0.disk.replace(Some(20 * GIB));
    assert_eq!((manager.look(), manager.look()), (0, 1));
}

#[test]
fn the_machine_is_looked_at_five_times_a_second_and_only_while_units_wait() {
    let mut manager = Manager::with_memory(1);
    manager.fake.0.memory.set(GIB);

    for _ in 0..1000 {
        manager.watch.settle(&manager.feed, &manager.start);
    }
    assert_eq!(manager.fake.0.looks.get(), 1);
    manager.take();
    assert_eq!(manager.look(), 0);
    assert_eq!(manager.fake.0.looks.get(), 1);
}

#[test]
fn a_limit_that_is_taken_away_lets_everything_start() {
    let mut manager = Manager::with_memory(10 * GIB);
    assert_eq!(manager.look(), 0);

    manager.start = Conditions::default();

    assert_eq!((manager.look(), manager.waits()), (100, None));
}
