//! What is done about the processes and ends of one unit.

use std::borrow::Cow;
use std::process::{Child, Command, Stdio};

use super::outbox::Outbox;
use super::*;
use crate::model::{DatabaseFile, Job, JobId, NewJob, NewUnit, StateDir, UnitDetail, UnitFilter, UnitOutcome};
use crate::store::{Access, CreateOutcome, PageBound};
use crate::sys::{COOKIE_VARIABLE, SlotFile, own_identity};

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

/// A job of one unit whose manager has just begun its lease.
struct World {
    dir: tempfile::TempDir,
    store: Store,
    lease: Lease,
    job: JobContext,
}

impl World {
    fn new() -> World {
        World::of(1)
    }

    fn of(units: i32) -> World {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
        let units: Vec<NewUnit> = (1..=units).map(|unit| NewUnit::new(&unit).unwrap()).collect();
        let created = store.create_job(&NewJob::new("job", "command"), &units, true, NOW).unwrap();
        let CreateOutcome::Created(id) = created else { panic!("there was a job") };
        let (lease, job) = store.join(id, &own_identity().unwrap(), "program".as_ref(), NOW).unwrap();
        let job = context(&dir, store.file(), &job);
        std::fs::create_dir_all(job.files.slots()).unwrap();
        World { dir, store, lease, job }
    }

    fn recover(&mut self) {
        let notes = SlotNotes::open(&self.dir.path().join("notes"), 1).unwrap();
        let leftovers = Leftovers::end(&mut self.store, self.lease, &self.job, &notes).unwrap();
        leftovers.record(&mut self.store, &self.job, &notes, NOW).unwrap();
    }

    fn unit(&mut self) -> UnitDetail {
        self.store.units(self.job.id, &UnitFilter::all(), None, 1).unwrap().remove(0)
    }
}

fn context(dir: &tempfile::TempDir, database: &DatabaseFile, job: &Job) -> JobContext {
    JobContext::of(
        job,
        "null".to_owned(),
        StateDir::beside(&dir.path().join("jobs.db")).job(JobId(1)),
        database.clone(),
    )
}

#[test]
fn a_process_in_a_slot_is_ended_although_no_row_says_that_a_unit_runs() {
    let mut world = World::new();
    let slot = SlotFile::at(world.job.files.slot(0));
    let mut orphan = Command::new("sleep").arg("600").stdin(slot.occupy(b"").unwrap()).spawn().unwrap();

    world.recover();

    let free = slot.is_free().unwrap();
    // Only in case it was not ended; the kill of one that has ended fails.
    let _ = orphan.kill();
    orphan.wait().unwrap();
    assert!(free);
}

#[test]
fn fault_131_a_kept_end_is_not_that_of_a_unit_which_a_client_has_renewed() {
    let mut world = World::new();
    let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, PageBound::units(1)).unwrap().units.remove(0);
    let end = UnitOutcome::Completed { result: None }.into();
    let ended = Ended {
        epoch: world.lease.epoch(),
        seq: Seq(1),
        attempt: 1,
        revision: read.revision,
        span_us: (NOW.as_micros(), NOW.as_micros()),
        slot: Some(1),
        end: Cow::Owned(end),
    };
    let _committed = Outbox::open(&world.job.files, 0).unwrap().post(&ended);
    let notes = SlotNotes::open(&world.dir.path().join("notes"), 1).unwrap();
    notes.set(0, note(&read, 1));
    world.store.skip_units(world.job.id, &UnitFilter::all(), "old", NOW).unwrap();
    let new = (Seq(1), NewUnit::new(&2).unwrap());
    world.store.renew_units(world.job.id, &[new], NOW).unwrap();

    world.recover();

    let unit = world.unit();
    assert_eq!((unit.status, unit.crashes, unit.payload.as_str()), (UnitStatus::Pending, 0, "2"));
}

#[test]
fn fault_135_a_unit_whose_start_is_committed_first_has_not_run_before() {
    let mut world = World::new();
    world.job.limits.on_interrupt = OnInterrupt::Fail;
    let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, PageBound::units(1)).unwrap().units.remove(0);
    SlotNotes::open(&world.dir.path().join("notes"), 1).unwrap().set(0, note(&read, 1));

    world.recover();

    assert_eq!((world.unit().status, world.unit().crashes), (UnitStatus::Pending, 0));
}

#[test]
fn a_unit_is_not_run_again_while_somebody_holds_a_slot() {
    let mut world = World::new();
    let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, PageBound::units(1)).unwrap().units;
    world.store.record(world.lease, &Batch::of(&[policy::started(&read[0], NOW, 1)])).unwrap();
    // This process bears no mark of a unit, as one that shed them all.
    let _held = SlotFile::at(world.job.files.slot(0)).occupy(b"").unwrap();

    world.recover();

    let unit = world.unit();
    assert_eq!(unit.status, UnitStatus::Failed);
    assert!(unit.error.unwrap().starts_with("needs attention"));
}

#[test]
fn a_slot_that_is_held_for_a_moment_by_no_process_of_a_unit_costs_no_unit() {
    let mut world = World::new();
    let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, PageBound::units(1)).unwrap().units;
    world.store.record(world.lease, &Batch::of(&[policy::started(&read[0], NOW, 1)])).unwrap();
    let held = SlotFile::at(world.job.files.slot(0)).occupy(b"").unwrap();

    std::thread::scope(|threads| {
        threads.spawn(move || {
            std::thread::sleep(SETTLE_POLL * 20);
            drop(held);
        });
        world.recover();
    });

    assert_eq!(world.unit().status, UnitStatus::Pending);
}

#[test]
fn fault_138_a_slot_that_stays_held_fails_the_unit_that_was_in_it_and_no_other() {
    let mut world = World::of(2);
    let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, PageBound::units(2)).unwrap().units;
    let starts = [policy::started(&read[0], NOW, 1), policy::started(&read[1], NOW, 1)];
    world.store.record(world.lease, &Batch::of(&starts)).unwrap();
    let notes = SlotNotes::open(&world.dir.path().join("notes"), 2).unwrap();
    notes.set(0, note(&read[0], 1));
    notes.set(1, note(&read[1], 1));
    // This process bears no mark of a unit, and is not ended.
    let _held = SlotFile::at(world.job.files.slot(1)).occupy(b"").unwrap();

    let leftovers = Leftovers::end(&mut world.store, world.lease, &world.job, &notes).unwrap();
    leftovers.record(&mut world.store, &world.job, &notes, NOW).unwrap();

    let units = world.store.units(world.job.id, &UnitFilter::all(), None, 2).unwrap();
    assert_eq!([units[0].status, units[1].status], [UnitStatus::Pending, UnitStatus::Failed]);
}

#[test]
fn fault_217_a_process_that_cannot_be_ended_fails_its_own_unit_and_no_other() {
    let unit = |seq| (Unit::pending(JobId(1), seq), UnitStatus::Running);
    let interrupted = [unit(1), unit(2), unit(3)];
    let noted: Vec<u64> = interrupted[..2].iter().map(|(unit, _)| note(unit, 1)).chain([0]).collect();
    let of = |held: &[usize], left: &[Option<Seq>]| remaining_of(held, left, &interrupted, &noted);

    assert_eq!(of(&[], &[]), HashSet::new());
    assert_eq!(of(&[], &[Some(Seq(2))]), HashSet::from([Seq(2)]), "a process names its unit");
    assert_eq!(of(&[0], &[None]), HashSet::from([Seq(1)]), "a note names the unit of a slot");
    assert_eq!(of(&[2], &[None]), HashSet::from([Seq(3)]), "only a unit of which no note tells may be in another slot");
}

#[test]
fn fault_293_a_recovery_that_was_cut_off_before_it_cleared_its_notes_counts_no_death_twice() {
    for start_was_committed in [true, false] {
        let mut world = World::new();
        let read =
            world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, PageBound::units(1)).unwrap().units.remove(0);
        if start_was_committed {
            world.store.record(world.lease, &Batch::of(&[policy::started(&read, NOW, 1)])).unwrap();
        }
        let notes = SlotNotes::open(&world.dir.path().join("notes"), 1).unwrap();
        let noted = note(&read, 1);

        for _ in 0..3 {
            // As the death left it.
            notes.set(0, noted);
            world.recover();
        }

        assert_eq!((world.unit().status, world.unit().crashes), (UnitStatus::Pending, 1), "{start_was_committed}");
    }
}

/// Starts a process that bears the mark of the first attempt at a unit, as one that has left its group.
fn left_by(world: &World, seq: i64) -> Child {
    let cookie = format!("{}:{seq}:1:1;{}", world.job.uid, world.job.database.to_text());
    Command::new("sleep").arg("600").env(COOKIE_VARIABLE, cookie).stdin(Stdio::null()).spawn().unwrap()
}

#[test]
fn fault_256_a_unit_whose_end_was_not_committed_keeps_its_daemon_and_an_interrupted_one_does_not() {
    let mut world = World::of(2);
    let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, PageBound::units(2)).unwrap().units;
    let starts = [policy::started(&read[0], NOW, 1), policy::started(&read[1], NOW, 1)];
    world.store.record(world.lease, &Batch::of(&starts)).unwrap();
    let (mut daemon, mut orphan) = (left_by(&world, 1), left_by(&world, 2));
    let ended = Ended {
        epoch: world.lease.epoch(),
        seq: Seq(1),
        attempt: 1,
        revision: read[0].revision,
        span_us: (NOW.as_micros(), NOW.as_micros()),
        slot: Some(1),
        end: Cow::Owned(UnitOutcome::Completed { result: None }.into()),
    };
    let _committed = Outbox::open(&world.job.files, 0).unwrap().post(&ended);

    world.recover();

    let lives = [&mut daemon, &mut orphan].map(|child| child.try_wait().unwrap().is_none());
    // The kill of one that has ended fails.
    for child in [&mut daemon, &mut orphan] {
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert_eq!(lives, [true, false]);
    let units = world.store.units(world.job.id, &UnitFilter::all(), None, 2).unwrap();
    assert_eq!([units[0].status, units[1].status], [UnitStatus::Completed, UnitStatus::Pending]);
}
