//! What a manager does about the units that ran when the one before it died.

use super::error::ManagerError;
use super::log::log_line;
use super::outbox::{self, Ended};
use super::policy;
use super::teller;
use crate::crash::crash_point;
use crate::handler::{JobContext, UnitReport};
use crate::model::{Seq, Timestamp, Unit, UnitDetail, UnitFilter, UnitId, UnitStatus};
use crate::store::{Batch, Reign, Store, UnitChange};
use crate::sys::{SlotFile, SlotNotes, end_orphans};

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
        let cookie = format!("{}:", job.uid);
        let (ended, gone) = end_orphans(Some(&cookie), &job.files.slots(), job.limits.kill_after)
            .map_err(ManagerError::system("end the processes of interrupted units"))?;
        orphans_gone = gone && slots_are_free(job)?;
        log_line!("recovering {} units, {ended} of their processes were ended", interrupted.len());
    }
    crash_point!("orphans-ended");
    let ended = outbox::read(&job.files).map_err(ManagerError::system("read the ends of units"))?;
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
    kept: &[Ended],
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
            checkpoint: None,
        };
        let change = policy::ended(&unit, ended.end.clone(), ended.span_until(now), &job.limits, ended.epoch);
        changes.push((unit, UnitChange { from: row.status, seen_attempts: row.attempts, ..change }));
    }
    Ok(changes)
}

/// Says whether a row still waits for exactly this end; a place keeps its last end long after that was committed.
fn is_end_of(ended: &Ended, row: &UnitDetail) -> bool {
    let started_at = ended.span().started_at;
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
        checkpoint: None,
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
        let attempt = u32::try_from(note & u64::from(u32::MAX)).expect("the lower half of a word fits");
        let waiting = waiting_unit(store, UnitId::new(reign.job, seq))?;
        found.extend(waiting.filter(|unit| unit.attempts + 1 == attempt).map(|unit| (unit, UnitStatus::Pending)));
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
