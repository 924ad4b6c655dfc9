//! What could hurt jobs about their server: its state, judged; each finding is one sentence that ends with what to do.

mod horizon;
mod said;

use std::ops::RangeInclusive;
use std::time::Duration;

use self::said::{found, grant, ok, warning};
use super::Client;
use super::finding::{Finding, Severity};
use crate::model::counted::counted;
use crate::store::{CounterCheck, ServerSettings, ServerState, Standby};

/// The versions that the tests have run with.
const TESTED: RangeInclusive<i32> = 15..=15;
/// Age of a transaction that holds the horizon back and is not simply under way.
const LONG_TRANSACTION: Duration = Duration::from_secs(5 * 60);
/// Sessions that a manager begins.
const CONNECTIONS_PER_MANAGER: i64 = 3;

/// Looks at the server of a database; nothing is found of a database in a file.
pub(super) fn findings(client: &Client) -> Vec<Finding> {
    // Each in a statement of its own: the two guards would wait for each other.
    let state = client.store().server_state();
    let state = match state {
        Ok(Some(state)) => state,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![found(Severity::Error, "server", error.to_string())],
    };
    let counters = client.store().check_counters();
    let counters = match counters {
        Ok(check) => counters_of(&check),
        Err(error) => found(Severity::Warning, "counters", error.to_string()),
    };
    let mut findings = of(&state, LONG_TRANSACTION);
    findings.push(counters);
    findings
}

/// Judges what was seen of a server; a transaction that is younger than `long` is under way.
fn of(state: &ServerState, long: Duration) -> Vec<Finding> {
    let ServerState { settings, standbys, holders, tables_without_vacuum } = state;
    let mut findings = vec![version(settings)];
    findings.extend(durability(settings));
    findings.push(standbys_of(settings, standbys));
    findings.extend(horizon::of(settings, holders, long));
    findings.extend([in_clear(settings), connections(settings), vacuum(settings, tables_without_vacuum)]);
    findings
}

fn version(settings: &ServerSettings) -> Finding {
    let (found, version) = (settings.number / 10_000, &settings.version);
    let tested = if TESTED.start() == TESTED.end() {
        TESTED.start().to_string()
    } else {
        format!("{} to {}", TESTED.start(), TESTED.end())
    };
    let difference = match found {
        found if found < *TESTED.start() => "older",
        found if found > *TESTED.end() => "newer",
        _ => return ok("server", format!("PostgreSQL {version}")),
    };
    let message =
        format!("PostgreSQL {version} is {difference} than what was tested, {tested}: try it with a small job before");
    warning("server", message)
}

fn durability(settings: &ServerSettings) -> Vec<Finding> {
    let ServerSettings { fsync, full_page_writes, synchronous_commit, .. } = settings;
    let mut findings = Vec::new();
    let mut warn = |message: String| findings.push(warning("durability", message));
    if !fsync {
        warn("fsync is off, a crash of its machine can destroy the database: set it on".to_owned());
    }
    if !full_page_writes {
        warn("full_page_writes is off, a crash of its machine can destroy pages: set it on".to_owned());
    }
    match synchronous_commit.as_str() {
        "on" | "remote_apply" => {}
        "off" => warn(
            "synchronous_commit is off, a crash of the server loses results that were recorded: set it on for this role and \
             database"
                .to_owned(),
        ),
        other => warn(format!(
            "synchronous_commit is {other}, a failover can lose results that were recorded: set it on for this role and database"
        )),
    }
    if findings.is_empty() {
        findings.push(ok("durability", "fsync, full_page_writes and synchronous_commit are on"));
    }
    findings
}

fn standbys_of(settings: &ServerSettings, standbys: &[Standby]) -> Finding {
    let named = |is: bool| -> Vec<&str> {
        let chosen = standbys.iter().filter(|standby| standby.is_synchronous == Some(is));
        chosen.map(|standby| standby.name.as_deref().unwrap_or("without a name")).collect()
    };
    let (synchronous, asynchronous) = (named(true).join(", "), named(false).join(", "));
    if standbys.is_empty() {
        ok("standbys", "no server follows this one")
    } else if standbys.iter().any(|standby| standby.is_synchronous.is_none()) {
        let servers = counted(standbys.len(), "server");
        ok("standbys", format!("{servers} may follow this one, how is hidden from this role: {}", grant(settings)))
    } else if asynchronous.is_empty() {
        ok("standbys", format!("synchronous: {synchronous}"))
    } else if synchronous.is_empty() {
        warning(
            "standbys",
            format!(
                "asynchronous, so that a failover loses results that were recorded: name {asynchronous} in synchronous_standby_names"
            ),
        )
    } else {
        warning(
            "standbys",
            format!("a failover to {asynchronous} loses results that were recorded: take {synchronous}"),
        )
    }
}

fn in_clear(settings: &ServerSettings) -> Finding {
    match &settings.in_clear {
        None => ok("encryption", "what is sent is encrypted, or stays on this machine"),
        Some(server) => warning(
            "encryption",
            format!(
                "what is sent to {server} can be read on the way: set ssl on there, and sslmode=verify-full in the URL"
            ),
        ),
    }
}

fn connections(settings: &ServerSettings) -> Finding {
    let left = settings.connections_left.max(0);
    let seen = format!("{left} of {} are left", counted(settings.max_connections, "connection"));
    let needed = settings.managers.max(1) * CONNECTIONS_PER_MANAGER;
    if left >= needed {
        return ok("sessions", seen);
    }
    let message = format!(
        "{seen}, and {} can need {needed}: raise max_connections, or the limit of the role or the database",
        counted(settings.managers.max(1), "manager")
    );
    warning("sessions", message)
}

fn vacuum(settings: &ServerSettings, tables: &[String]) -> Finding {
    if !settings.autovacuum {
        return warning("autovacuum", "off, so that tables grow with every unit: set autovacuum and track_counts on");
    }
    match tables {
        [] => ok("autovacuum", "on"),
        [first, ..] => warning(
            "autovacuum",
            format!("off for {}: ALTER TABLE {first} RESET (autovacuum_enabled)", tables.join(", ")),
        ),
    }
}

fn counters_of(check: &CounterCheck) -> Finding {
    if !check.wrong.is_empty() {
        let jobs: Vec<String> = check.wrong.iter().map(ToString::to_string).collect();
        let message = format!(
            "those of job {} are not those of its units, because somebody else has written: copy the job, or delete it",
            jobs.join(", ")
        );
        return found(Severity::Error, "counters", message);
    }
    match check.omitted {
        0 => ok("counters", "those of every job are those of its units"),
        omitted => ok("counters", format!("right, but for {} that take long to count", counted(omitted, "older job"))),
    }
}

#[cfg(test)]
mod tests;
