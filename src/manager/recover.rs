//! What a manager does about the units that ran when the one before it died.

use std::time::{Duration, Instant};

use super::error::ManagerError;
use super::log::log_line;
use super::outbox::{self, Ended, Kept};
use super::policy;
use super::{teller, worker};
use crate::crash::crash_point;
use crate::handler::{JobContext, UnitReport, clear_partial};
use crate::model::{Seq, Timestamp, Unit, UnitDetail, UnitFilter, UnitId, UnitStatus, counted};
use crate::store::{Batch, Reign, Store, UnitChange};
use crate::sys::{Cookie, SlotFile, SlotNotes, end_orphans, sync_segments};

/// Time in which a slot may be held although no process of a unit is found: by a child that its manager had just started
/// and that has not come to its exec, or by a manager that is about to learn that it was superseded.
const SETTLE_TIME: Duration = Duration::from_secs(4);
const SETTLE_POLL: Duration = Duration::from_millis(10);

/// Ends the processes that a dead manager left behind and gives its units back, before any of them runs again.
///
/// Calling it when nothing was interrupted costs two small reads. Returns what became of units that were.
pub(super) fn recover(
    store: &mut Store,
    reign: Reign,
    job: &JobContext,
    notes: &SlotNotes,
    now: Timestamp,
) -> Result<Vec<UnitReport>, ManagerError> {
    crash_point!("before-recovery");
    let interrupted = interrupted_units(store, reign, notes)?;
    let mut orphans_gone = true;
    if !interrupted.is_empty() || !slots_are_free(job)? {
        let begin = format!("{}:", job.uid);
        let cookie = Cookie { begin: &begin, database: &job.database };
        let (asked, mut ended) = (Instant::now(), 0);
        orphans_gone = loop {
            let (more, gone) = end_orphans(Some(cookie), &job.files.slots(), job.limits.kill_after)
                .map_err(ManagerError::system("end the processes of interrupted units"))?;
            ended += more;
            let are_free = gone && slots_are_free(job)?;
            if are_free || asked.elapsed() > SETTLE_TIME {
                break are_free;
            }
            std::thread::sleep(SETTLE_POLL);
        };
        log_line!("recovering {}; processes ended: {ended}", counted(interrupted.len(), "unit"));
    }
    if orphans_gone {
        // Before a unit runs again, or is given up.
        let cleared =
            clear_partial(&job.files, &job.database).map_err(ManagerError::system("read what units were making"))?;
        cleared.iter().for_each(|done| log_line!("{done}"));
    }
    crash_point!("orphans-ended");
    let Kept { ended, unreadable } =
        outbox::read(&job.files).map_err(ManagerError::system("read the ends of units"))?;
    unreadable.iter().for_each(|what| log_line!("{what}: that unit runs again"));
    if !ended.is_empty() {
        sync_segments(&job.files.output()).map_err(ManagerError::system("make the output of units durable"))?;
    }
    let mut changes = recorded_late(store, reign, job, &ended, now)?;
    for (unit, from) in interrupted {
        if !changes.iter().any(|(_, change)| change.unit == unit.id) {
            let change = policy::crashed(&unit, from, orphans_gone, &job.limits, reign.epoch, now);
            changes.push((unit, change));
        }
    }
    let (units, changes): (Vec<Unit>, Vec<UnitChange>) = changes.into_iter().unzip();
    let mut reports = Vec::new();
    if !changes.is_empty() {
        let recorded = store.record(reign, &Batch::of(&changes))?;
        let kept = units.into_iter().zip(&changes).filter(|(unit, _)| !recorded.lost.contains(&unit.id));
        reports.extend(kept.map(|(unit, change)| teller::report(job, unit, change)));
    }
    crash_point!("recovery-recorded");
    notes.clear();
    outbox::clear(&job.files).map_err(ManagerError::system("clear the ends of units"))?;
    Ok(reports)
}

/// Returns the changes of units that had ended when a manager died, but whose end had not been committed.
fn recorded_late(
    store: &mut Store,
    reign: Reign,
    job: &JobContext,
    kept: &[Ended<'_>],
    now: Timestamp,
) -> Result<Vec<(Unit, UnitChange)>, ManagerError> {
    let mut changes = Vec::new();
    for ended in kept {
        let id = UnitId::new(reign.job, ended.seq);
        let Some(row) = store.units(reign.job, &UnitFilter::one(ended.seq), None, 1)?.pop() else { continue };
        if !is_end_of(ended, &row) {
            continue;
        }
        let unit = Unit {
            id,
            key: row.key,
            payload: row.payload,
            attempts: ended.attempt.saturating_sub(1),
            crashes: row.crashes,
            revision: row.revision,
            checkpoint: None,
            came_back: true,
            slots: 1,
        };
        let change =
            policy::ended(&unit, ended.end.clone().into_owned(), ended.span_until(now), &job.limits, ended.epoch);
        changes.push((unit, UnitChange { from: row.status, seen_attempts: row.attempts, ..change }));
    }
    Ok(changes)
}

/// Says whether a row still waits for exactly this end; a place keeps its last end long after that was committed.
fn is_end_of(ended: &Ended<'_>, row: &UnitDetail) -> bool {
    let started_at = ended.span().started_at;
    if row.revision != ended.revision {
        return false;
    }
    match row.status {
        UnitStatus::Running => row.attempts == ended.attempt && row.started_at == Some(started_at),
        // Its start had not been committed. Whatever sent it back since then has set a later time.
        UnitStatus::Pending => {
            row.attempts + 1 == ended.attempt && row.not_before.is_none_or(|not_before| not_before <= started_at)
        }
        UnitStatus::Completed | UnitStatus::Failed | UnitStatus::Skipped | UnitStatus::Cancelled => false,
    }
}

/// Returns a unit whose row says that it waits.
fn waiting_unit(store: &mut Store, id: UnitId) -> Result<Option<Unit>, ManagerError> {
    let row = store.units(id.job(), &UnitFilter::one(id.seq()), None, 1)?.pop();
    Ok(row.filter(|row| row.status == UnitStatus::Pending).map(|row| Unit {
        id,
        key: row.key,
        payload: row.payload,
        attempts: row.attempts,
        crashes: row.crashes,
        revision: row.revision,
        checkpoint: None,
        came_back: true,
        slots: 1,
    }))
}

/// Returns the units whose rows say that they run, and those that a slot's note shows to have started although the
/// start had not been committed.
fn interrupted_units(
    store: &mut Store,
    reign: Reign,
    notes: &SlotNotes,
) -> Result<Vec<(Unit, UnitStatus)>, ManagerError> {
    let mut found: Vec<(Unit, UnitStatus)> =
        store.running_units(reign.job)?.into_iter().map(|unit| (unit, UnitStatus::Running)).collect();
    for note in notes.read().into_iter().filter(|note| *note != 0) {
        let seq = Seq(i64::try_from(note >> 32).expect("the upper half of a word fits"));
        let waiting = waiting_unit(store, UnitId::new(reign.job, seq))?;
        let is_noted = |unit: &Unit| worker::note(unit, unit.attempts + 1) == note;
        found.extend(waiting.filter(is_noted).map(|unit| (unit, UnitStatus::Pending)));
    }
    Ok(found)
}

fn slots_are_free(job: &JobContext) -> Result<bool, ManagerError> {
    let entries = std::fs::read_dir(job.files.slots()).map_err(ManagerError::system("list the job's slots"))?;
    for entry in entries {
        let path = entry.map_err(ManagerError::system("list the job's slots"))?.path();
        if !SlotFile::at(path).is_free().map_err(ManagerError::system("look at the job's slots"))? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::process::Command;

    use super::*;
    use crate::manager::outbox::Outbox;
    use crate::model::{DatabaseFile, Job, JobId, NewJob, NewUnit, StateDir, UnitOutcome};
    use crate::store::{Access, CreateOutcome};
    use crate::sys::own_identity;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    /// A job of one unit whose manager has just begun its reign.
    struct World {
        dir: tempfile::TempDir,
        store: Store,
        reign: Reign,
        job: JobContext,
    }

    impl World {
        fn new() -> World {
            let dir = tempfile::tempdir().unwrap();
            let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
            let units = [NewUnit::new(&1).unwrap()];
            let created = store.create_job(&NewJob::new("job", "command"), &units, true, NOW).unwrap();
            let CreateOutcome::Created(id) = created else { panic!("there was a job") };
            let (reign, job) = store.begin_reign(id, &own_identity().unwrap(), "program".as_ref(), NOW).unwrap();
            let job = context(&dir, store.file(), job);
            std::fs::create_dir_all(job.files.slots()).unwrap();
            World { dir, store, reign, job }
        }

        fn recover(&mut self) {
            let notes = SlotNotes::open(&self.dir.path().join("notes"), 1).unwrap();
            recover(&mut self.store, self.reign, &self.job, &notes, NOW).unwrap();
        }

        fn unit(&mut self) -> UnitDetail {
            self.store.units(self.job.id, &UnitFilter::all(), None, 1).unwrap().remove(0)
        }
    }

    fn context(dir: &tempfile::TempDir, database: &DatabaseFile, job: Job) -> JobContext {
        let files = StateDir::beside(&dir.path().join("jobs.db")).job(JobId(1));
        let Job { id, uid, name, epoch, limits, spec, .. } = job;
        JobContext { id, uid, name, epoch, limits, spec, files, database: database.clone() }
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
        let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, 1).unwrap().remove(0);
        let end = UnitOutcome::Completed { result: None }.into();
        let ended = Ended {
            epoch: world.reign.epoch,
            seq: Seq(1),
            attempt: 1,
            revision: read.revision,
            span_us: (NOW.as_micros(), NOW.as_micros()),
            end: Cow::Owned(end),
        };
        let _committed = Outbox::open(&world.job.files, 0).unwrap().post(&ended);
        let notes = SlotNotes::open(&world.dir.path().join("notes"), 1).unwrap();
        notes.set(0, worker::note(&read, 1));
        world.store.skip_units(world.job.id, &UnitFilter::all(), "old", NOW).unwrap();
        let new = (Seq(1), NewUnit::new(&2).unwrap());
        world.store.renew_units(world.job.id, &[new], NOW).unwrap();

        world.recover();

        let unit = world.unit();
        assert_eq!((unit.status, unit.crashes, unit.payload.as_str()), (UnitStatus::Pending, 0, "2"));
    }

    #[test]
    fn a_unit_is_not_run_again_while_somebody_holds_a_slot() {
        let mut world = World::new();
        let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, 1).unwrap();
        world.store.record(world.reign, &Batch::of(&[policy::started(&read[0], NOW)])).unwrap();
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
        let read = world.store.fresh_units(world.job.id, Seq(0), Seq::MAX, 1).unwrap();
        world.store.record(world.reign, &Batch::of(&[policy::started(&read[0], NOW)])).unwrap();
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
}
