//! What is handed out, how often, and what is read again.

mod ranges;

use super::state::MOMENT;
use super::*;
use crate::model::{JobId, Seq};

fn unit(seq: i64) -> Unit {
    Unit::pending(JobId(1), seq)
}

#[test]
fn a_unit_in_hand_is_not_queued_again_until_its_end_is_committed() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), vec![unit(1), unit(2)]);
    let taken = feed.take(0).unwrap();

    feed.put_due(vec![unit(1), unit(2), unit(3)]);
    assert_eq!(feed.level().queued, 2);
    feed.release([taken.id], false);
    feed.begin_reading(true);

    feed.put_due(vec![unit(1)]);
    assert_eq!(feed.level().queued, 3);
}

#[test]
fn a_unit_that_was_read_before_the_commit_of_its_end_is_not_run_again() {
    let feed = Feed::after(Seq(0));
    feed.put_due(vec![unit(1)]);
    feed.take(0).unwrap();

    feed.begin_reading(true);
    let read_too_early = unit(1);
    feed.release([read_too_early.id], false);

    feed.put_due(vec![read_too_early]);
    assert_eq!((feed.level().queued, feed.level().in_hand), (0, 0));
}

#[test]
fn after_a_lack_fewer_units_run_at_a_time_and_little_by_little_more_again() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), (1..=40).map(unit).collect());
    (0..10).for_each(|_| drop(feed.take(0)));

    feed.hold_back(Duration::ZERO);
    feed.end_taken();
    assert_eq!((feed.level().running, feed.level().ready, feed.has_room()), (9, 0, false));

    assert!(!feed.let_more_run(20));
    assert_eq!(feed.level().ready, 2);
    while !feed.let_more_run(20) {}
    assert!(feed.has_room() && feed.level().ready == 30);
}

#[test]
fn of_units_that_cannot_start_one_is_tried_again_after_a_pause() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), vec![unit(1), unit(2)]);
    feed.take(0).unwrap();
    let pause = Duration::from_millis(50);

    let began = Instant::now();
    feed.hold_back(pause);
    feed.take(1).unwrap();

    assert!(began.elapsed() >= pause);
}

#[test]
fn units_read_behind_a_cursor_that_was_moved_back_are_read_again() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), vec![unit(1), unit(2)]);

    feed.recall();

    assert!(!feed.put_after(Seq(2), vec![unit(3)]));
    assert!(feed.put_after(Seq(0), vec![unit(1), unit(2), unit(3)]));
}

#[test]
fn recalled_units_can_be_read_again() {
    let feed = Feed::after(Seq(3));
    feed.put_after(Seq(3), vec![unit(4), unit(5)]);
    feed.take(0).unwrap();

    feed.recall();

    assert_eq!(feed.cursor(), Seq(4));
    assert!(feed.put_after(Seq(4), vec![unit(5)]));
}

#[test]
fn nothing_is_claimed_beyond_a_unit_whose_first_attempt_has_not_ended() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), vec![unit(1), unit(2), unit(3)]);
    feed.take(0).unwrap();
    feed.take(0).unwrap();

    feed.release([unit(1).id], false);
    assert_eq!(feed.claimed_through(), Seq(1));
    feed.release([unit(2).id, unit(3).id], false);

    assert_eq!(feed.claimed_through(), Seq(3));
}

#[test]
fn the_recorder_rests_only_while_workers_have_units_and_nobody_waits() {
    let feed = Feed::after(Seq(0));
    let began = Instant::now();
    let far = began + Duration::from_secs(3600);

    feed.rest_until(far);
    feed.put_after(Seq(0), vec![unit(1), unit(2)]);
    feed.rest_until(began);
    feed.hurry();
    feed.rest_until(far);
    std::thread::scope(|threads| {
        threads.spawn(|| feed.rest_until(far));
        feed.take(0).unwrap();
        feed.take(0).unwrap();
    });

    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn somebody_who_waits_is_not_forgotten_while_the_recorder_commits() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), vec![unit(1)]);
    feed.hurry();
    let far = Instant::now() + Duration::from_secs(3600);

    feed.rest_until(far);
    let soon = Instant::now() + Duration::from_millis(30);
    feed.rest_until(soon);

    assert!(Instant::now() >= soon, "the same hurry counted twice");
}

#[test]
fn a_rate_is_in_step_and_nobody_catches_up_after_a_time_without_units() {
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    let late = start + second / 10;

    assert_eq!(following(late, start, second), start + second);
    assert_eq!(following(start + second * 60, start, second), start + second * 61);
}

#[test]
fn units_that_the_rate_does_not_let_start_are_not_ready() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), (1..=5).map(unit).collect());
    assert_eq!(feed.level().ready, 5);

    feed.limit_rate(Duration::from_secs(3600), Duration::from_secs(3600));
    assert_eq!(feed.level().ready, 0);
    feed.limit_rate(Duration::from_secs(3600), Duration::ZERO);
    assert_eq!(feed.level().ready, 1);
    feed.limit_rate(MOMENT / 3, Duration::ZERO);
    assert!(feed.level().ready >= 4);
}

#[test]
fn a_closed_feed_gives_nothing() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), vec![unit(1)]);

    feed.close();

    assert!(feed.take(0).is_none());
    feed.put_after(feed.cursor(), vec![unit(2)]);
    assert_eq!(feed.level().queued, 0);
    assert_eq!((feed.level().queued, feed.level().in_hand), (0, 0));
}

/// A unit that takes so many workers.
fn large(seq: i64, slots: usize) -> Unit {
    Unit { slots, ..unit(seq) }
}

#[test]
fn a_large_unit_waits_for_as_many_workers_and_nothing_overtakes_it() {
    let feed = Feed::after(Seq(0));
    feed.limit_workers(4);
    feed.put_after(Seq(0), vec![unit(1), large(2, 4), unit(3), large(4, 3), unit(5)]);

    feed.take(0).unwrap();
    assert!(!feed.has_room(), "the large one needs all four");
    assert_eq!(feed.take(1).unwrap().id.seq(), Seq(2));
    assert!(!feed.has_room());
    assert_eq!(feed.take(4).unwrap().id.seq(), Seq(3));
    assert_eq!(feed.take(0).unwrap().id.seq(), Seq(4));
    assert!(!feed.has_room());
    assert_eq!((feed.level().busy, feed.level().running), (4, 2));
}

#[test]
fn a_unit_that_takes_more_workers_than_there_are_runs_alone() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), vec![large(1, 4), unit(2)]);

    feed.limit_workers(2);

    assert_eq!(feed.take(0).unwrap().id.seq(), Seq(1));
    assert!(!feed.has_room());
    assert_eq!(feed.take(4).unwrap().id.seq(), Seq(2));
    feed.limit_workers(0);
    feed.put_due(vec![large(3, 4)]);
    assert!(!feed.has_room());
}

#[test]
fn all_workers_that_a_large_unit_gives_back_are_taken_again() {
    let feed = Feed::after(Seq(0));
    feed.limit_workers(3);
    feed.put_after(Seq(0), vec![large(1, 3), unit(2), unit(3), unit(4)]);
    let began = std::sync::Barrier::new(4);

    std::thread::scope(|threads| {
        assert_eq!(feed.take(0).unwrap().id.seq(), Seq(1));
        for _ in 0..2 {
            threads.spawn(|| {
                feed.take(0).unwrap();
                began.wait();
            });
        }
        threads.spawn(|| {
            feed.take(3).unwrap();
            began.wait();
        });
        began.wait();
    });

    assert_eq!(feed.level().running, 3);
}

#[test]
fn what_the_machine_does_not_let_start_is_not_ready() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), vec![unit(1), large(2, 3), unit(3)]);
    assert_eq!(feed.level().ready, 5);

    feed.set_gate(Gate::CLOSED);
    assert_eq!(feed.level().ready, 0);
    feed.set_gate(Gate::more(0, 2));
    assert_eq!(feed.level().ready, 4);
    feed.set_gate(Gate::ONE);
    feed.take(0).unwrap();
    assert!(!feed.has_room());
}

#[test]
fn fault_218_units_that_are_due_go_before_fresh_ones_and_these_have_their_turn() {
    let feed = Feed::after(Seq(0));
    feed.put_after(Seq(0), (1..=3).map(unit).collect());
    feed.put_due((101..=110).map(unit).collect());

    let order: Vec<i64> = (0..13).map(|_| feed.take(0).unwrap().id.seq().0).collect();

    assert_eq!(order, [101, 102, 103, 104, 1, 105, 106, 107, 108, 2, 109, 110, 3]);
}

#[test]
fn fault_219_of_long_units_few_are_in_hand_and_one_of_a_kind_always() {
    let feed = Feed::after(Seq(0));
    let long = |seq| Unit { payload: "x".repeat(20 << 20), ..unit(seq) };

    assert!(feed.level().is_low_of_fresh());
    feed.put_after(Seq(0), vec![long(1)]);
    assert!(feed.level().is_low_of_fresh() && feed.level().room_bytes() < 12 << 20);
    feed.put_after(Seq(1), vec![long(2)]);
    let level = feed.level();
    assert!(!level.is_low_of_fresh() && level.is_low_of_due() && level.room_bytes() == 0);
    let taken = [feed.take(0).unwrap().id, feed.take(0).unwrap().id];
    assert!(feed.level().is_low_of_fresh(), "a worker may wait for it");
    feed.release(taken, false);
    assert_eq!(feed.level().bytes, 0);
}
