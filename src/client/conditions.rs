//! What must hold before a unit starts, in the words and the time zone of whoever asks for it.

use std::path::Path;

use super::{ClientError, LimitError};
use crate::model::{
    Conditions, Job, Spending, StartTimeError, Timestamp, Waits, Window, Windows, day_of, spending_of,
    start_time as read_time,
};
use crate::sys::{ZoneError, disk_of, own_zone, zone_of};

/// A time or a time zone that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// The text is not one point in time.
    #[error(transparent)]
    Time(#[from] StartTimeError),
    /// The time zone is not known on this machine.
    #[error(transparent)]
    Zone(#[from] ZoneError),
}

/// Returns windows on the wall clock of this process.
///
/// ```
/// use job_manager::client::windows;
/// use job_manager::NewJob;
///
/// let mut new = NewJob::new("nightly", "command");
/// new.limits.start.window = Some(windows(vec!["22:00-06:00".parse()?])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the variable TZ names a zone that is not known here.
pub fn windows(spans: Vec<Window>) -> Result<Windows, ClockError> {
    Ok(Windows { spans, zone: own_zone()? })
}

/// Reads a point in time as people write it: RFC 3339, the next `22:00`, a date, or `+2h`; without an offset on the wall clock
/// of this process.
///
/// ```
/// use job_manager::client::start_time;
/// use job_manager::model::Timestamp;
///
/// assert!(start_time("+2h")? > Timestamp::now());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the text is none, or one that clocks show never or twice, and when the variable TZ names a zone that is not known here.
pub fn start_time(text: &str) -> Result<Timestamp, ClockError> {
    Ok(read_time(text, Timestamp::now(), &zone_of(&own_zone()?)?)?)
}

/// Refuses conditions that cannot be looked at.
pub(super) fn check_conditions(start: &Conditions) -> Result<(), ClientError> {
    for disk in &start.diskfree {
        let path = || disk.path.clone();
        if !disk.path.is_absolute() {
            return Err(LimitError::RelativeDisk { path: path() }.into());
        }
        disk_of(Path::new(&disk.path)).map_err(|source| LimitError::NoDisk { path: path(), source })?;
    }
    if let Some(windows) = &start.window {
        zone_of(&windows.zone).map_err(|source| LimitError::Zone { source })?;
    }
    Ok(())
}

/// Returns the budget by the day that lets no unit start before the next one, if that is so by what the job has spent; a manager notes it
/// with its next heartbeat only.
pub(super) fn waits_for_budget(job: &Job, spending: &[Spending], now: Timestamp) -> Option<Waits> {
    job.limits.meters.iter().find_map(|meter| {
        let zone = meter.budget.as_ref()?.day_zone.as_ref()?;
        // One that is unknown here only is not judged.
        let (start, until) = day_of(now, &zone_of(zone).ok()?)?;
        let spent = spending_of(spending, meter).filter(|spent| spent.day_start >= start)?;
        (spent.most_under_way(meter) == 0).then(|| Waits::Budget { said: spent.over_budget(meter), until })
    })
}

/// Returns the time that the next start waits for, if it does; the machine that it may wait for is the manager's.
pub(super) fn waits_for_time(job: &Job, now: Timestamp) -> Option<Waits> {
    let start = &job.limits.start;
    if let Some(until) = start.not_before.filter(|until| *until > now) {
        return Some(Waits::Time { until });
    }
    let windows = start.window.as_ref()?;
    // The manager pauses a job whose zone it does not know; one that is unknown here only is not judged.
    let opening = windows.opening(now, &zone_of(&windows.zone).ok()?);
    (!opening.is_open).then(|| Waits::Window { windows: windows.to_string(), until: opening.until })
}
