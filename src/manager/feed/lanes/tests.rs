//! Whose turn it is.

use super::*;
use crate::manager::feed::FEED_UNITS;
use crate::model::{JobId, UnitId};

const JOB: JobId = JobId(1);

fn groups(names: &[&str]) -> Vec<Group> {
    let of = |name: &&str| Group {
        name: (*name).to_owned(),
        most: None,
        read_through: 0,
        failures: 0,
        stopped: None,
        hold: None,
    };
    names.iter().map(of).collect()
}

fn lanes(names: &[&str], most: usize) -> Lanes {
    let limits = Groups { most: Some(most), ..Groups::by("{}") };
    Lanes::new(&limits, groups(names), Seq(1000), Seq(0), Instant::now())
}

fn put(lanes: &mut Lanes, lane: u32, origin: Origin, seq: i64) {
    lanes.push(origin, Unit { lane: Some(lane), ..Unit::pending(JOB, seq) });
}

fn taken(lanes: &mut Lanes) -> Vec<i64> {
    std::iter::from_fn(|| lanes.pop().map(|unit| unit.id.seq().0)).collect()
}

#[test]
fn groups_take_turns_and_one_at_its_limit_is_passed_over() {
    let mut lanes = lanes(&["a", "b"], 2);
    (1..=4).for_each(|seq| put(&mut lanes, 1, Origin::Fresh, seq));
    put(&mut lanes, 2, Origin::Fresh, 5);

    assert_eq!(taken(&mut lanes), [1, 5, 2]);
    lanes.end(2);
    assert!(!lanes.is_any_ready());
    lanes.end(1);
    assert_eq!(taken(&mut lanes), [3]);
}

#[test]
fn units_of_a_group_that_are_due_go_first_and_fresh_ones_have_their_turn() {
    let mut lanes = lanes(&["a"], 100);
    (1..=2).for_each(|seq| put(&mut lanes, 1, Origin::Fresh, seq));
    (11..=16).for_each(|seq| put(&mut lanes, 1, Origin::Due, seq));

    assert_eq!(taken(&mut lanes), [11, 12, 13, 14, 1, 15, 16, 2]);
    assert_eq!((lanes.len(), lanes.due()), (0, 0));
}

#[test]
fn a_held_group_is_not_read_and_goes_on_at_its_time() {
    let mut lanes = lanes(&["a"], 1);
    put(&mut lanes, 1, Origin::Fresh, 1);
    let until = Timestamp::from_micros(1_000_000);

    lanes.hold(1, until);
    lanes.hold(1, Timestamp::from_micros(5));
    assert!(!lanes.is_any_ready() && !lanes.has_unread() && lanes.wanted().is_empty());

    assert_eq!(lanes.follow_holds(Timestamp::from_micros(999_999)), Some(until));
    assert_eq!(lanes.follow_holds(until), None);
    assert!(lanes.is_any_ready() && lanes.has_unread());
}

#[test]
fn many_groups_share_the_room_and_all_that_waits_makes_room_when_none_of_it_may_start() {
    let names: Vec<String> = (0..FEED_UNITS * 2).map(|name| name.to_string()).collect();
    let mut lanes = lanes(&names.iter().map(String::as_str).collect::<Vec<_>>(), 1);

    let wanted = lanes.wanted();
    assert_eq!((wanted.len(), wanted.iter().map(|read| read.units).max()), (FEED_UNITS, Some(1)));
    for (seq, read) in (1..).zip(&wanted) {
        assert!(lanes.advance(read, Some(Seq(seq)), false));
        // One of each runs.
        put(&mut lanes, read.lane, Origin::Fresh, seq);
    }
    assert_eq!(taken(&mut lanes).len(), FEED_UNITS);
    for (seq, read) in (1001..).zip(&wanted) {
        put(&mut lanes, read.lane, Origin::Fresh, seq);
    }
    assert!(lanes.wanted().is_empty() && !lanes.is_any_ready());

    let crowded = lanes.crowded();
    assert_eq!(crowded.len(), FEED_UNITS);
    crowded.into_iter().for_each(|lane| drop(lanes.empty(lane)));
    let wanted: Vec<u32> = lanes.wanted().iter().map(|read| read.lane).collect();
    assert!(wanted.len() == FEED_UNITS && wanted.iter().all(|lane| *lane > FEED_UNITS as u32), "the others");
}

#[test]
fn what_was_read_and_has_not_begun_is_read_again_by_the_next_manager() {
    let mut lanes = lanes(&["a", "b"], 1);
    let wanted = lanes.wanted();
    assert!(lanes.advance(&wanted[0], Some(Seq(30)), true) && lanes.advance(&wanted[1], Some(Seq(20)), false));

    let in_hand = [UnitId::new(JOB, Seq(10))];

    assert_eq!(lanes.read_through(in_hand.iter().map(|unit| unit.seq())), Seq(9));
    assert_eq!(lanes.read_through(std::iter::empty()), Seq(20));
    let marks = lanes.marks(in_hand.into_iter().map(|unit| (unit, 1)));
    assert_eq!(marks, [("a".to_owned(), Seq(9)), ("b".to_owned(), Seq(20))]);
    assert_eq!(lanes.marks(std::iter::empty()), [("a".to_owned(), Seq(30))]);
}
