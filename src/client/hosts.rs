//! The hosts of a job on a server, by what their managers do.

use std::time::Duration;

use super::status::ManagerStatus;
use crate::model::counted::counted;
use crate::model::text::one_line;
use crate::model::{DatabaseFile, LeaseHolder, ManagerLoad, ManagerRun, ManagerState};
use crate::status::{Health, is_held_at};

/// Hosts that are named in one line.
const MOST_NAMED: usize = 8;

/// Parts managers that have not recorded their end into those that live as far as can be told, and those of this host that have
/// certainly ended, which are lost. One of another host is called silent after a third of a lease.
pub(super) fn living_and_lost(
    holders: Vec<LeaseHolder>,
    lease: Duration,
    here: Health,
    place: &DatabaseFile,
) -> (Vec<ManagerRun>, Vec<ManagerRun>) {
    let shown = |holder: LeaseHolder| {
        let is_here = is_held_at(place, &holder);
        let LeaseHolder { run, is_valid, .. } = holder;
        let load = run.load.map(|load| ManagerLoad { here: is_here, ..load });
        let silent_s = load.as_ref().map_or(0, |load| load.silent_s);
        let is_silent = !is_here && (!is_valid || Duration::from_secs(silent_s) >= lease / 3);
        let reason = is_silent.then(|| format!("silent since {}, on host {}", run.heartbeat_at, run.host));
        if is_here && here == Health::Stopped {
            return ManagerRun { state: ManagerState::Lost, ended_at: Some(run.heartbeat_at), load: None, ..run };
        }
        ManagerRun { reason, load, ..run }
    };
    holders.into_iter().map(shown).partition(|run| run.state == ManagerState::Live)
}

impl ManagerStatus {
    /// Says on which hosts the job runs, unless it runs on this one only.
    pub fn hosts(&self) -> Option<String> {
        let is_elsewhere = |run: &ManagerRun| run.load.as_ref().is_some_and(|load| !load.here);
        if !self.managers.iter().any(is_elsewhere) {
            return None;
        }
        let named = |run: &ManagerRun| {
            let load = run.load.as_ref();
            let workers = load.and_then(|load| load.workers);
            let workers = workers.map(|workers| format!(", {}", counted(workers, "worker"))).unwrap_or_default();
            let silent = run.reason.as_ref().and(load).map(|load| format!(", silent for {} s", load.silent_s));
            format!("{} (process {}{workers}{})", one_line(&run.host), run.pid, silent.unwrap_or_default())
        };
        let shown: Vec<String> = self.managers.iter().take(MOST_NAMED).map(named).collect();
        let more = self.managers.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("running on {}: {}{more}", counted(self.managers.len(), "host"), shown.join(", ")))
    }
}
