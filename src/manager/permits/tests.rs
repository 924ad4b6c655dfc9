//! Tests of several managers that share the permits of a machine.

use super::*;
use crate::model::{Seq, Unit};

/// A manager with as many units as it likes, and none that ends by itself.
struct Manager {
    permits: MachinePermits,
    feed: Feed,
}

impl Manager {
    fn new(state: &StateDir, job: i64, limit: usize) -> Manager {
        let mut permits = MachinePermits::new(state, JobId(job));
        permits.set_limit(Some(limit));
        let feed = Feed::after(Seq(0));
        feed.put_after(Seq(0), (1..=100).map(|seq| Unit::pending(JobId(job), seq)).collect());
        Manager { permits, feed }
    }

    /// Lets it look around once, and its workers take what they may.
    fn look(&mut self) -> usize {
        self.permits.looked_at = None;
        self.permits.rebalance(&self.feed, 10);
        while self.feed.has_room() {
            self.feed.take(0).unwrap();
        }
        self.permits.held.len()
    }

    /// Lets one of its units end, whose worker takes another one if it may.
    fn end_unit(&mut self) {
        self.feed.end_taken();
        if self.feed.has_room() {
            self.feed.take(0).unwrap();
        }
    }
}

fn state(dir: &tempfile::TempDir) -> StateDir {
    let state = StateDir::beside(&dir.path().join("jobs.db"));
    fs::create_dir_all(state.path()).unwrap();
    state
}

#[test]
fn all_managers_together_have_no_more_places_than_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (Manager::new(&state(&dir), 1, 3), Manager::new(&state(&dir), 2, 3));

    assert_eq!((first.look(), second.look()), (3, 0));
    drop(first);
    assert_eq!(second.look(), 3);
}

#[test]
fn a_manager_that_waits_gets_its_share_as_units_end() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (Manager::new(&state(&dir), 1, 4), Manager::new(&state(&dir), 2, 4));
    first.look();
    second.look();

    for _ in 0..4 {
        first.look();
        first.end_unit();
        first.look();
        second.look();
    }

    assert_eq!((first.look(), second.look()), (2, 2));
}

#[test]
fn no_place_is_passed_on_while_its_unit_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (Manager::new(&state(&dir), 1, 2), Manager::new(&state(&dir), 2, 2));
    first.look();
    second.look();

    assert_eq!((first.look(), second.look()), (2, 0));
    first.end_unit();

    assert_eq!((first.look(), second.look()), (1, 1));
}

#[test]
fn the_last_place_of_a_manager_goes_to_one_that_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (Manager::new(&state(&dir), 1, 1), Manager::new(&state(&dir), 2, 1));
    assert_eq!((first.look(), second.look()), (1, 0));
    first.permits.taken_at = Instant::now().checked_sub(KEEP_LAST).unwrap();

    first.look();
    first.end_unit();

    assert_eq!((first.look(), second.look()), (0, 1));
}

#[test]
fn a_suspended_manager_that_waits_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (Manager::new(&state(&dir), 1, 2), Manager::new(&state(&dir), 2, 2));
    first.look();
    second.look();
    let old = SystemTime::now() - WAITS_NO_MORE * 2;
    fs::File::options().write(true).open(&second.permits.own_wait).unwrap().set_modified(old).unwrap();

    first.look();
    first.end_unit();

    assert_eq!(first.look(), 2);
}

#[test]
fn places_beyond_a_lowered_limit_are_given_back_as_units_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = Manager::new(&state(&dir), 1, 3);
    manager.look();

    manager.permits.set_limit(Some(1));

    assert_eq!(manager.look(), 3);
    manager.end_unit();
    assert_eq!(manager.look(), 2);
    manager.end_unit();
    assert_eq!(manager.look(), 1);
    assert_eq!(manager.permits.held[0].0, 0);
}
