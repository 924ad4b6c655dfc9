//! Processes of the units of one run, as `/proc` shows them.

use super::Driver;
use super::verbs::Known;
use crate::support::{identity, is_alive, of_world};

/// Says whether a number is still that of a process of this test.
pub fn is_of_world(driver: &Driver, pid: u32) -> bool {
    let dir = driver.world.path("");
    let dir = dir.display().to_string();
    identity(pid).is_some() && variable(pid, "JM_TEST_WORLD").as_deref() == Some(dir.trim_end_matches('/'))
}

/// Returns the processes of a job's units that run the units' program itself.
pub fn units_of(driver: &Driver, job: &Known) -> Vec<u32> {
    of_world(&driver.world.path("")).into_iter().filter(|pid| is_unit_of(*pid, job)).collect()
}

/// Says whether a process that lives runs a unit of a job.
pub fn is_unit_of(pid: u32, job: &Known) -> bool {
    is_alive(pid) && command_of(pid).contains("./unit") && cookie_is_of(pid, job)
}

/// Writes down the daemons that live beside units of a job which had completed before they were looked for: nothing of that
/// job may end them any more.
pub fn note_daemons(driver: &Driver, job: &Known) {
    if job.batch.has_source() {
        return;
    }
    let listed = driver.world.run(&["units", &job.id, "--status", "completed", "--json", "--limit", "1000"]);
    let Ok(page) = serde_json::from_slice::<serde_json::Value>(&listed.stdout) else { return };
    let Some(units) = page["units"].as_array() else { return };
    let completed: Vec<String> = units.iter().map(|unit| unit["seq"].to_string()).collect();
    let daemons = of_world(&driver.world.path("")).into_iter().filter(|pid| {
        let unit = variable(*pid, "JOB_MANAGER_UNIT");
        command_of(*pid).ends_with("\0daemon\0")
            && cookie_is_of(*pid, job)
            && unit.is_some_and(|unit| completed.contains(&unit))
    });
    driver.daemons.lock().unwrap().extend(daemons);
}

fn cookie_is_of(pid: u32, job: &Known) -> bool {
    variable(pid, "JOB_MANAGER_COOKIE").is_some_and(|cookie| cookie.starts_with(&format!("{}:", job.uid)))
}

fn command_of(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn variable(pid: u32, name: &str) -> Option<String> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let begin = format!("{name}=");
    let mut variables = environment.split(|byte| *byte == 0);
    let found = variables.find_map(|variable| variable.strip_prefix(begin.as_bytes()))?;
    Some(String::from_utf8_lossy(found).into_owned())
}
