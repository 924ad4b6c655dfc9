//! What a manager does about the units that ran when the one before it died.

use super::error::ManagerError;
use super::log::log_line;
use super::policy;
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
    let now = Timestamp::now();
    let changes: Vec<UnitChange> = interrupted
        .iter()
        .map(|(unit, from)| policy::crashed(unit, *from, orphans_gone, &job.limits, reign.epoch, now))
        .collect();
    if !changes.is_empty() {
        store.record(reign, &changes, None, None)?;
    }
    notes.clear();
    Ok(())
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
        let Some(row) = store.units(reign.job, &UnitFilter::one(seq), None, 1)?.pop() else { continue };
        if row.status == UnitStatus::Pending && row.attempts + 1 == attempt {
            let id = UnitId::new(reign.job, seq);
            let unit = Unit { id, key: row.key, payload: row.payload, attempts: row.attempts, crashes: row.crashes };
            found.push((unit, UnitStatus::Pending));
        }
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
