//! The processes, notes and ends of units that a dead manager left.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::error::RecoveryError;
use super::former::{former_databases_gone, strays_of};
use super::held_slots::held_slots;
use super::noted::{note, noted_seq};
use super::outbox::{self, Ended, Kept};
use super::policy;
use super::said::{clear_words, said_later};
use crate::crash::crash_point;
use crate::handler::{JobContext, clear_partial};
use crate::model::{
    AttemptId, Kill, KillThen, Limits, OnInterrupt, Seq, Timestamp, Unit, UnitId, UnitOutcome, UnitStatus, counted,
};
use crate::store::{Batch, Lease, Standing, Store, UnitChange};
use crate::sys::{Cookie, Orphans, SlotNotes, end_lock_holders, end_orphans, sync_segments};

/// Time in which a slot may be held although no process of a unit is found: by a child that its manager had just started
/// and that has not come to its exec, or by a manager that is about to learn that it was superseded.
const SETTLE_TIME: Duration = Duration::from_secs(4);
const SETTLE_POLL: Duration = Duration::from_millis(10);

/// Time after which whoever still holds a slot is ended without a mark of a unit.
const HOLD_TIME: Duration = Duration::from_millis(500);

/// What is left of a lease whose processes have been ended.
pub struct Leftovers {
    /// The lease under which the ends of the units are recorded.
    lease: Lease,
    interrupted: Vec<(Unit, UnitStatus)>,
    /// Interrupted units of which processes remain.
    remaining: HashSet<Seq>,
    are_gone: bool,
    /// What was done, for the log.
    pub done: Vec<String>,
}

/// What came of a recovery.
pub struct Recovered {
    /// What became of the units that were interrupted or had ended.
    pub units: Vec<(Unit, UnitChange)>,
    /// Where ends of units are that cannot be read.
    pub unreadable: Vec<String>,
    /// Units that were left alone, because they were changed meanwhile or are another manager's.
    pub lost: Vec<UnitId>,
}

impl Leftovers {
    /// Ends the processes that a dead manager left behind, and clears away what their units were making.
    ///
    /// Calling it when nothing was interrupted costs two small reads.
    pub fn end(
        store: &mut Store,
        lease: Lease,
        job: &JobContext,
        notes: &SlotNotes,
    ) -> Result<Leftovers, RecoveryError> {
        crash_point!("before-recovery");
        let interrupted = interrupted_units(store, lease, job, notes)?;
        let (mut left, mut held, mut done) = (Vec::new(), held_slots(job)?, Vec::new());
        let former = former_databases_gone(store, job)?;
        if !interrupted.is_empty() || !held.is_empty() || !former.is_empty() {
            let mut units: HashSet<Seq> = interrupted.iter().map(|(unit, _)| unit.id.seq()).collect();
            // What an attempt left behind that had ended it may have left on purpose.
            for (ended, _) in uncommitted(store, job, kept_ends(job)?.ended)? {
                units.remove(&ended.seq);
            }
            if !former.is_empty() {
                units.extend(strays_of(store, job)?);
            }
            let ended;
            (left, ended) = end_processes(job, &units)?;
            held = held_slots(job)?;
            done.push(format!("recovering {}; processes ended: {ended}", counted(interrupted.len(), "unit")));
        }
        let noted = notes.read();
        let remaining = remaining_of(&held, &left, &interrupted, &noted);
        let mut in_use = held.clone();
        in_use.extend(
            (0..noted.len()).filter(|slot| noted_seq(noted[*slot]).is_some_and(|seq| left.contains(&Some(seq)))),
        );
        // Before a unit runs again, or is given up.
        done.extend(
            clear_partial(&job.files, &job.database, &in_use)
                .map_err(RecoveryError::system("read what units were making"))?,
        );
        let are_gone = held.is_empty() && left.is_empty();
        if are_gone {
            store.forget_former_databases(lease, &former)?;
        }
        crash_point!("orphans-ended");
        Ok(Leftovers { lease, interrupted, remaining, are_gone, done })
    }

    /// Returns `true` if no process of a unit lives any more.
    pub fn are_gone(&self) -> bool {
        self.are_gone
    }

    /// Records the ends of units that no commit had reached, gives the other units back, and returns what became of all.
    pub fn record(
        self,
        store: &mut Store,
        job: &JobContext,
        notes: &SlotNotes,
        now: Timestamp,
    ) -> Result<Recovered, RecoveryError> {
        let (lease, Kept { ended, unreadable }) = (self.lease, kept_ends(job)?);
        if !ended.is_empty() {
            sync_segments(&job.files.output()).map_err(RecoveryError::system("make the output of units durable"))?;
        }
        let late = uncommitted(store, job, ended)?;
        let mut changes = Vec::new();
        for (ended, mut row) in late {
            if matches!(ended.end.outcome, UnitOutcome::Later(_)) {
                row.unit.postponed = store.postponed(row.unit.id)?;
            }
            changes.push(recorded_late(job, ended, row, now));
        }
        let kills = store.kills(job.id)?;
        for (unit, from) in self.interrupted {
            if !changes.iter().any(|(_, change)| change.unit == unit.id) {
                let is_gone = !self.remaining.contains(&unit.id.seq());
                let change = match asked_of(store, &kills, &unit, from)? {
                    Some(kill) if is_gone => policy::obeyed(&unit, kill, &job.limits, lease.epoch(), now),
                    _ => match said_later(store, job, &unit, from)?.filter(|_| is_gone) {
                        Some(said) => said.change(&unit, from, &job.limits, lease.epoch(), now),
                        None => policy::crashed(&unit, from, is_gone, &job.limits, lease.epoch(), now),
                    },
                };
                changes.push((unit, change));
            }
        }
        let (units, changes): (Vec<Unit>, Vec<UnitChange>) = changes.into_iter().unzip();
        let (mut kept, mut lost) = (Vec::new(), Vec::new());
        if !changes.is_empty() {
            // While this host was away others may have been given its units.
            let groups = job.limits.groups.as_ref();
            let (tally, meters) = (UnitChange::tally(&changes), &job.limits.meters);
            let late = Batch { is_late: true, meters, groups, tally: Some(&tally), ..Batch::of(&changes) };
            lost = store.record(lease, &late)?.lost;
            kept.extend(units.into_iter().zip(changes).filter(|(unit, _)| !lost.contains(&unit.id)));
        }
        store.settle_kills(lease, &kills, now)?;
        crash_point!("recovery-recorded");
        notes.clear();
        outbox::clear(&job.files).map_err(RecoveryError::system("clear the ends of units"))?;
        clear_words(job).map_err(RecoveryError::system("clear what units have said"))?;
        Ok(Recovered { units: kept, unreadable, lost })
    }
}

/// Ends the processes of the units that a dead manager was running by its notes, without a look at the database, which may be away;
/// returns how many there were. The caller holds the job's lock.
pub fn end_noted(job: &JobContext) -> Result<usize, RecoveryError> {
    if !job.files.slots().exists() {
        return Ok(0);
    }
    let notes = SlotNotes::open(&job.files.notes(), Limits::MAX_WORKERS);
    let notes = notes.map_err(RecoveryError::system("open the notes of the slots"))?;
    let units: HashSet<Seq> = notes.read().into_iter().filter_map(noted_seq).collect();
    if units.is_empty() && held_slots(job)?.is_empty() {
        return Ok(0);
    }
    Ok(end_processes(job, &units)?.1)
}

fn kept_ends(job: &JobContext) -> Result<Kept, RecoveryError> {
    outbox::read(&job.files).map_err(RecoveryError::system("read the ends of units"))
}

/// Returns the ends that no commit had reached when a manager died, with the rows that wait for them.
fn uncommitted(
    store: &mut Store,
    job: &JobContext,
    kept: Vec<Ended<'static>>,
) -> Result<Vec<(Ended<'static>, Standing)>, RecoveryError> {
    let mut found = Vec::new();
    for ended in kept {
        let row = store.standing(UnitId::new(job.id, ended.seq))?;
        found.extend(row.filter(|row| is_end_of(&ended, row)).map(|row| (ended, row)));
    }
    Ok(found)
}

/// Returns the change of a unit that had ended when a manager died, but whose end had not been committed.
fn recorded_late(job: &JobContext, ended: Ended<'static>, row: Standing, now: Timestamp) -> (Unit, UnitChange) {
    let (from, seen_attempts, span) = (row.status, row.unit.attempts, ended.span_until(now));
    let unit = Unit { attempts: ended.attempt.saturating_sub(1), ..row.unit };
    let change = policy::ended(&unit, ended.end.into_owned(), span, &job.limits, ended.epoch);
    (unit, UnitChange { from, seen_attempts, ..change })
}

/// Returns what was asked of the attempt at a unit that was under way when its manager died; nothing where it was to be tried
/// again, because every interrupted unit is.
fn asked_of(store: &mut Store, kills: &[Kill], unit: &Unit, from: UnitStatus) -> Result<Option<Kill>, RecoveryError> {
    let (seq, revision, attempt) = (unit.id.seq(), unit.revision, unit.attempts);
    let Some(kill) = kills.iter().find(|kill| kill.attempt.seq == seq) else { return Ok(None) };
    if from != UnitStatus::Running || kill.then == KillThen::Retry {
        return Ok(None);
    }
    let Some(started_at) = store.standing(unit.id)?.and_then(|row| row.started_at) else { return Ok(None) };
    let interrupted = AttemptId { seq, revision, attempt, started_us: started_at.as_micros() };
    Ok(kill.is_about(interrupted).then(|| Kill { attempt: interrupted, ..kill.clone() }))
}

/// Returns `true` if a row still waits for exactly this end; a place keeps its last end long after that was committed.
fn is_end_of(ended: &Ended<'_>, row: &Standing) -> bool {
    let started_at = ended.span().started_at;
    if row.unit.revision != ended.revision {
        return false;
    }
    match row.status {
        UnitStatus::Running => row.unit.attempts == ended.attempt && row.started_at == Some(started_at),
        // Its start had not been committed. Whatever sent it back since then has set a later time.
        UnitStatus::Pending => {
            row.unit.attempts + 1 == ended.attempt && row.not_before.is_none_or(|not_before| not_before <= started_at)
        }
        UnitStatus::Completed | UnitStatus::Failed | UnitStatus::Skipped | UnitStatus::Cancelled => false,
    }
}

/// Returns a unit whose row says that it waits.
fn waiting_unit(store: &mut Store, id: UnitId) -> Result<Option<Unit>, RecoveryError> {
    Ok(store.standing(id)?.filter(|row| row.status == UnitStatus::Pending).map(|row| row.unit))
}

/// Returns the units whose rows say that they run, and those that a slot's note shows to have started although the
/// start had not been committed.
fn interrupted_units(
    store: &mut Store,
    lease: Lease,
    job: &JobContext,
    notes: &SlotNotes,
) -> Result<Vec<(Unit, UnitStatus)>, RecoveryError> {
    let mut found: Vec<(Unit, UnitStatus)> =
        store.running_units(lease)?.into_iter().map(|unit| (unit, UnitStatus::Running)).collect();
    if job.limits.on_interrupt == OnInterrupt::Fail {
        // None of them runs before its start is committed.
        return Ok(found);
    }
    for noted in notes.read() {
        let Some(seq) = noted_seq(noted) else { continue };
        let waiting = waiting_unit(store, UnitId::new(job.id, seq))?;
        let is_noted = |unit: &Unit| note(unit, unit.attempts + 1) == noted;
        found.extend(waiting.filter(is_noted).map(|unit| (unit, UnitStatus::Pending)));
    }
    Ok(found)
}

/// Ends the processes of some units of a dead lease, and of all that hold slots; returns for each that could not be ended the
/// unit that it names, and how many have ended. What other units left running on purpose is left alone.
fn end_processes(job: &JobContext, units: &HashSet<Seq>) -> Result<(Vec<Option<Seq>>, usize), RecoveryError> {
    let failed = || RecoveryError::system("end the processes of interrupted units");
    let begin = format!("{}:", job.uid);
    let cookie = Cookie { begin: &begin, units: Some(units), database: &job.database };
    let (slots, grace) = (job.files.slots(), job.limits.kill_after);
    let (asked, mut ended) = (Instant::now(), 0);
    loop {
        let Orphans { ended: more, left } = end_orphans(Some(cookie), &slots, grace).map_err(failed())?;
        ended += more;
        if asked.elapsed() > SETTLE_TIME || left.is_empty() && held_slots(job)?.is_empty() {
            return Ok((left, ended));
        }
        if asked.elapsed() > HOLD_TIME {
            ended += end_lock_holders(&slots, grace).map_err(failed())?;
        }
        std::thread::sleep(SETTLE_POLL);
    }
}

/// Returns the interrupted units of which processes remain: those that a process names, and those in slots that are held.
///
/// What holds a slot of which no note tells may belong to any interrupted unit that no note names.
fn remaining_of(
    held: &[usize],
    left: &[Option<Seq>],
    interrupted: &[(Unit, UnitStatus)],
    noted: &[u64],
) -> HashSet<Seq> {
    let mut remaining: HashSet<Seq> = left.iter().flatten().copied().collect();
    for slot in held {
        match noted.get(*slot).and_then(|noted| noted_seq(*noted)) {
            Some(seq) => drop(remaining.insert(seq)),
            None => {
                let is_noted = |seq: Seq| noted.iter().any(|noted| noted_seq(*noted) == Some(seq));
                remaining.extend(interrupted.iter().map(|(unit, _)| unit.id.seq()).filter(|seq| !is_noted(*seq)));
            }
        }
    }
    remaining
}

#[cfg(test)]
mod tests;
