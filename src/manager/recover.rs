//! What a manager does about the units that ran when the one before it died.

use super::error::ManagerError;
use super::log::log_line;
use super::outbox::{self, Ended};
use super::policy::{self, Span};
use crate::handler::JobContext;
use crate::model::{Seq, Timestamp, Unit, UnitFilter, UnitId, UnitStatus};
use crate::store::{Reign, Store, UnitChange};
use crate::sys::{SlotFile, SlotNotes, end_orphans};

/// Ends the processes that a dead manager left behind and gives its units back, before any of them runs again.
///
/// Calling it when nothing was interrupted costs two small reads.
pub(super) fn recover(
    store: &mut Store,
    reign: Reign,
    job: &JobContext,
    notes: &SlotNotes,
) -> Result<(), ManagerError> {
    let interrupted = interrupted_units(store, reign, notes)?;
    let mut orphans_gone = true;
    if !interrupted.is_empty() || !slots_are_free(job)? {
        let cookie = format!("{}:", job.uid);
        let (ended, gone) = end_orphans(Some(&cookie), &job.files.slots(), job.limits.kill_after)
            .map_err(ManagerError::system("end the processes of interrupted units"))?;
        orphans_gone = gone && slots_are_free(job)?;
        log_line!("recovering {} units, {ended} of their processes were ended", interrupted.len());
    }
    let ended = outbox::read(&job.files).map_err(ManagerError::system("read the ends of units"))?;
    let mut changes = recorded_late(store, reign, job, &ended, &interrupted)?;
    let now = Timestamp::now();
    for (unit, from) in &interrupted {
        if !changes.iter().any(|change| change.unit == unit.id) {
            changes.push(policy::crashed(unit, *from, orphans_gone, &job.limits, reign.epoch, now));
        }
    }
    if !changes.is_empty() {
        store.record(reign, &changes, None, None)?;
    }
    notes.clear();
    outbox::clear(&job.files).map_err(ManagerError::system("clear the ends of units"))
}

/// Returns the changes of units that had ended when the manager died, but whose end had not been committed.
fn recorded_late(
    store: &mut Store,
    reign: Reign,
    job: &JobContext,
    ended: &[Ended],
    interrupted: &[(Unit, UnitStatus)],
) -> Result<Vec<UnitChange>, ManagerError> {
    let mut changes = Vec::new();
    for ended in ended.iter().filter(|ended| ended.epoch.0 + 1 == reign.epoch.0) {
        let id = UnitId::new(reign.job, ended.seq);
        let known = interrupted.iter().find(|(unit, _)| unit.id == id);
        let (unit, from) = match known {
            Some((unit, from)) => (unit.clone(), *from),
            None => match waiting_unit(store, id)? {
                Some(unit) => (unit, UnitStatus::Pending),
                None => continue,
            },
        };
        // A row that runs has counted the attempt already.
        let before = if from == UnitStatus::Running { unit.attempts.saturating_sub(1) } else { unit.attempts };
        if before + 1 == ended.attempt {
            let unit = Unit { attempts: before, ..unit };
            let (started, over) = ended.span_us;
            let span = Span { started_at: Timestamp::from_micros(started), ended_at: Timestamp::from_micros(over) };
            let change = policy::ended(&unit, ended.end.clone(), span, &job.limits, ended.epoch);
            changes.push(UnitChange { from, ..change });
        }
    }
    Ok(changes)
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
