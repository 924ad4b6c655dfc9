//! Changing the limits of a job by their names, for every face: the same words, the same refusals.

mod change;
mod refused;
pub mod values;
mod written;

use std::collections::HashSet;
use std::path::Path;

use job_manager::client::Client;
use job_manager::model::{Job, JobId, Limits};

pub use change::{Change, LIMITS, NONE, change};
use change::{HOLD, of_meter};
pub use refused::SettingError;
pub use written::{written, written_limits};

/// The limits of each group.
const OF_GROUPS: [&str; 3] = ["per-group", "group-rate", "group-failures"];
/// The limits of which several values unite.
const UNITED: [&str; 2] = ["diskfree", "window"];

/// Refuses two values for one limit, unless its values unite: nothing unites with none.
fn refuse_two_values(changes: &[Change]) -> Result<(), SettingError> {
    let mut seen = HashSet::new();
    let takes_away = |key: &str| changes.iter().any(|change| change.key == key && change.takes_away);
    let mut single =
        changes.iter().map(|change| change.key.as_str()).filter(|key| !UNITED.contains(key) || takes_away(key));
    match single.find(|key| !seen.insert(*key)) {
        Some(key) => Err(SettingError::GivenTwice(key.to_owned())),
        None => Ok(()),
    }
}

/// Refuses changes of a meter that the job does not have: one that is made by a slip of the pen counts nothing.
fn refuse_unknown_meter(changes: &[Change], job: &Job) -> Result<(), SettingError> {
    let of_meters = changes.iter().filter_map(|change| Some((of_meter(&change.key)?, change.taken.is_some())));
    let (added, others): (Vec<_>, Vec<_>) = of_meters.partition(|((kind, _), is_taken)| *kind == "meter" && !is_taken);
    let known: Vec<&str> = job.limits.meters.iter().map(|meter| meter.name.as_str()).collect();
    let is_known = |name: &str| known.contains(&name) || added.iter().any(|((_, new), _)| *new == name);
    match others.into_iter().find(|((_, name), _)| !is_known(name)) {
        None => Ok(()),
        Some(((_, name), _)) => {
            let known = known.iter().map(|name| (*name).to_owned()).collect();
            Err(SettingError::NoMeter { job: job.id, name: name.to_owned(), known })
        }
    }
}

/// Refuses to take a meter away together with a budget that nobody has named, or beside another bound that it would get.
fn refuse_lost_budget(changes: &[Change], job: &Job) -> Result<(), SettingError> {
    for name in changes.iter().filter_map(|change| change.taken.as_ref()) {
        let others = changes.iter().filter(|change| change.taken.as_ref() != Some(name));
        let is_named = others.clone().any(|change| of_meter(&change.key).is_some_and(|(_, of)| of == name));
        let mut limits = job.limits.clone();
        others.for_each(|change| (change.apply)(&mut limits));
        let left = limits.meters.iter().find(|meter| meter.name == *name);
        if left.is_some_and(|meter| meter.budget.is_some() || (is_named && meter.is_bounded())) {
            return Err(SettingError::MeterBounded { job: job.id, name: name.clone() });
        }
    }
    Ok(())
}

/// Makes the changes; those of a kind that unite replace what was there before. Paths are relative to `cwd`, that of the units.
fn apply_all(changes: &[Change], cwd: Option<&Path>, limits: &mut Limits) {
    let is_changed = |key| changes.iter().any(|change| change.key == key);
    let zone = limits.start.window.as_ref().map(|windows| windows.zone.clone());
    if is_changed("diskfree") {
        limits.start.diskfree.clear();
    }
    if is_changed("window") {
        limits.start.window = None;
    }
    // A meter is taken away at the end: a bound that is taken from it would make another one.
    let (last, first): (Vec<&Change>, Vec<_>) = changes.iter().partition(|change| change.taken.is_some());
    first.into_iter().chain(last).for_each(|change| (change.apply)(limits));
    if let (Some(windows), Some(zone)) = (&mut limits.start.window, zone) {
        // The clock is the one by which the job was created.
        windows.zone = zone;
    }
    if let Some(cwd) = cwd {
        limits.start.resolve(cwd);
    }
}

/// What a change has come to.
pub struct Changed {
    /// The limits since then.
    pub limits: Limits,
    /// Whether a hold was to be lifted, and there was none.
    pub was_unheld: bool,
}

/// Changes limits of a job: all of them, or nothing. Holds are lifted after that.
///
/// # Errors
/// When two values are given for one limit, the job does not have what a change is about, a bound would go unsaid, and as
/// [`Client::set_limits`] refuses them.
pub fn set(client: &Client, job: JobId, changes: &[Change]) -> Result<Changed, SettingError> {
    refuse_two_values(changes)?;
    let row = client.job(job)?;
    refuse_unknown_meter(changes, &row)?;
    refuse_lost_budget(changes, &row)?;
    let is_of_groups = |change: &Change| change.group.is_some() || OF_GROUPS.contains(&change.key.as_str());
    if let Some(change) = changes.iter().find(|change| is_of_groups(change) && row.limits.groups.is_none()) {
        return Err(SettingError::NoGroups { job, given: change.key.clone() });
    }
    let cwd = client.units_cwd(&row)?;
    let groups: Vec<_> = changes.iter().filter_map(|change| change.group.clone()).collect();
    if !groups.is_empty() && groups.len() < changes.len() {
        return Err(SettingError::GroupsAlone);
    }
    if !groups.is_empty() {
        client.limit_groups(job, &groups)?;
    }
    let limits = client.set_limits(job, |limits| apply_all(changes, cwd.as_deref(), limits))?;
    let was_unheld = changes.iter().any(|change| change.key == HOLD) && !client.lift_hold(job)?;
    Ok(Changed { limits, was_unheld })
}
