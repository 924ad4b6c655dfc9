//! What is handed out, how often, and what is read again.

use super::*;
use crate::model::JobId;

fn unit(seq: i64) -> Unit {
    Unit {
        id: UnitId::new(JobId(1), Seq(seq)),
        key: None,
        payload: "null".to_owned(),
        attempts: 0,
        crashes: 0,
        checkpoint: None,
        came_back: false,
    }
}

#[test]
fn a_unit_in_hand_is_not_queued_again_until_its_end_is_committed() {
    let feed = Feed::new(Seq(0));
    feed.put_fresh(Seq(0), vec![unit(1), unit(2)]);
    let taken = feed.take(false).unwrap();

    feed.put_due(vec![unit(1), unit(2), unit(3)]);
    assert_eq!(feed.level().queued, 2);
    feed.release([taken.id]);
    feed.begin_reading();

    feed.put_due(vec![unit(1)]);
    assert_eq!(feed.level().queued, 3);
}

#[test]
fn a_unit_that_was_read_before_the_commit_of_its_end_is_not_run_again() {
    let feed = Feed::new(Seq(0));
    feed.put_due(vec![unit(1)]);
    feed.take(false).unwrap();

    feed.begin_reading();
    let read_too_early = unit(1);
    feed.release([read_too_early.id]);

    feed.put_due(vec![read_too_early]);
    assert_eq!((feed.level().queued, feed.level().in_hand), (0, 0));
}

#[test]
fn units_read_behind_a_cursor_that_was_moved_back_are_read_again() {
    let feed = Feed::new(Seq(0));
    feed.put_fresh(Seq(0), vec![unit(1), unit(2)]);

    feed.recall();

    assert!(!feed.put_fresh(Seq(2), vec![unit(3)]));
    assert!(feed.put_fresh(Seq(0), vec![unit(1), unit(2), unit(3)]));
}

#[test]
fn recalled_units_can_be_read_again() {
    let feed = Feed::new(Seq(3));
    feed.put_fresh(Seq(3), vec![unit(4), unit(5)]);
    feed.take(false).unwrap();

    feed.recall();

    assert_eq!(feed.cursor(), Seq(4));
    assert!(feed.put_fresh(Seq(4), vec![unit(5)]));
}

#[test]
fn nothing_is_claimed_beyond_a_unit_whose_first_attempt_has_not_ended() {
    let feed = Feed::new(Seq(0));
    feed.put_fresh(Seq(0), vec![unit(1), unit(2), unit(3)]);
    feed.take(false).unwrap();
    feed.take(false).unwrap();

    feed.release([unit(1).id]);
    assert_eq!(feed.claimed_through(), Seq(1));
    feed.release([unit(2).id, unit(3).id]);

    assert_eq!(feed.claimed_through(), Seq(3));
}

#[test]
fn the_recorder_rests_only_while_workers_have_units_and_nobody_waits() {
    let feed = Feed::new(Seq(0));
    let began = Instant::now();
    let far = began + Duration::from_secs(3600);

    feed.rest_until(far);
    feed.put_fresh(Seq(0), vec![unit(1), unit(2)]);
    feed.rest_until(began);
    feed.hurry();
    feed.rest_until(far);
    std::thread::scope(|threads| {
        threads.spawn(|| feed.rest_until(far));
        feed.take(false).unwrap();
        feed.take(false).unwrap();
    });

    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn somebody_who_waits_is_not_forgotten_while_the_recorder_commits() {
    let feed = Feed::new(Seq(0));
    feed.put_fresh(Seq(0), vec![unit(1)]);
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
    let feed = Feed::new(Seq(0));
    feed.put_fresh(Seq(0), (1..=5).map(unit).collect());
    assert_eq!(feed.level().ready, 5);

    feed.limit_rate(Duration::from_secs(3600), false);
    assert_eq!(feed.level().ready, 0);
    feed.limit_rate(Duration::from_secs(3600), true);
    assert_eq!(feed.level().ready, 1);
    feed.limit_rate(MOMENT / 3, true);
    assert!(feed.level().ready >= 4);
}

#[test]
fn a_closed_feed_gives_nothing() {
    let feed = Feed::new(Seq(0));
    feed.put_fresh(Seq(0), vec![unit(1)]);

    feed.close();

    assert!(feed.take(false).is_none());
    feed.put_fresh(feed.cursor(), vec![unit(2)]);
    assert_eq!(feed.level().queued, 0);
    assert_eq!((feed.level().queued, feed.level().in_hand), (0, 0));
}
