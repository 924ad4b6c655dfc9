//! Who is the manager: managers that cannot be seen, and the moment of death.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use job_manager::client::{Health, StopOptions};
use job_manager::explain::Why;
use job_manager::model::JobId;
use job_manager::{Client, ClientError, NewJob, NewUnit};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Random, World, exists, is_alive, is_root, kill, repeat, send, text, wait_for, without};

/// Starts a job of units that note their process and wait, and returns it with those processes.
pub fn waiting_job(world: &World, units: usize) -> (String, Vec<u32>) {
    let numbers = world.numbers(units);
    let job =
        world.ok(&["submit", "-j", "8", "--lines", &numbers, "--shell", "--", ": {}; echo $$ >>pids; exec sleep 600"]);
    wait_for(world, "the units to run", || world.lines("pids").len() == units);
    let pids = world.lines("pids").iter().map(|pid| pid.parse().unwrap()).collect();
    (job, pids)
}

#[test]
fn fault_113_from_another_pid_namespace_the_manager_runs_and_can_be_stopped() {
    if !is_root() {
        return without("a PID namespace needs root");
    }
    let world = World::new();
    let (job, _) = waiting_job(&world, 2);
    let inside = |args: &[&str]| {
        let mut command = world.command("unshare");
        command.args(["-p", "-f", "--mount-proc"]).arg(crate::support::BIN).args(args).output().unwrap()
    };
    let asked = Instant::now();

    let status: Value = serde_json::from_slice(&inside(&["status", "--json"]).stdout).unwrap();
    let resumed = inside(&["resume"]);
    let took = asked.elapsed();
    world.sh("mv jobs.db.d/1/lock aside; chmod 700 jobs.db.d");
    let unknown_or_held: Value = serde_json::from_slice(&inside(&["status", "--json"]).stdout).unwrap();
    let stopped = inside(&["stop", "--now", "--wait"]);

    assert_eq!((&status["status"], &status["pid"]), (&"running".into(), &Value::Null), "{status}");
    assert!(status["waiting_for"].to_string().contains("another container or namespace"), "{status}");
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
    assert!(took < Duration::from_secs(5), "the answer took {took:?}");
    assert!(["unknown", "running"].contains(&unknown_or_held["status"].as_str().unwrap()), "{unknown_or_held}");
    assert_eq!(stopped.status.code(), Some(0), "{}", text(&stopped.stderr));
    assert_eq!(world.status(&job)["job_status"], "paused");
}

/// Removes what is kept beside the database, wherever that is.
const REMOVE: &str = "rm -r \"$(readlink -f jobs.db.d)\"";

#[test]
fn fault_113_a_lock_that_a_cleaner_deletes_is_made_again_and_stop_and_cancel_reach_the_manager() {
    let world = World::new();
    let (job, units) = waiting_job(&world, 4);
    let manager = world.manager(&job);

    world.sh(REMOVE);
    let status = world.status(&job);
    let resumed = world.ok(&["resume", &job]);
    wait_for(&world, "the lock to be made again", || exists(&world.path("jobs.db.d/1/lock")));
    world.ok(&["stop", &job, "--now", "--wait"]);
    world.ok(&["resume", &job]);
    wait_for(&world, "the units to run again", || world.lines("pids").len() == 8);
    world.sh(REMOVE);
    world.ok(&["cancel", &job]);

    assert_eq!((&status["status"], &status["pid"]), (&"running".into(), &manager.into()), "{status}");
    assert_eq!(resumed, manager.to_string());
    assert!(!units.iter().any(|unit| is_alive(*unit)));
    let cancelled = world.status(&job);
    assert_eq!((&cancelled["job_status"], &cancelled["progress"]["cancelled"]), (&"cancelled".into(), &4.into()));
    world.assert_no_process_left();
    world.assert_sound(&job);
}

#[test]
fn fault_113_a_manager_that_is_hidden_from_another_user_is_not_dead() {
    if !is_root() {
        return without("another user needs root");
    }
    let world = World::new();
    let (job, _) = waiting_job(&world, 1);
    let bin = world.path("job-manager");
    fs::copy(crate::support::BIN, &bin).unwrap();
    let script = "chmod 755 . job-manager; chmod 666 jobs.db*; chmod 700 jobs.db.d; mount -t proc -o hidepid=2 proc /proc || exit 99; \
        setpriv --reuid=65534 --regid=65534 --clear-groups ./job-manager status --json";

    let ran = world.command("unshare").args(["-m", "sh", "-c", script]).output().unwrap();
    let Ok(status) = serde_json::from_slice::<Value>(&ran.stdout) else {
        return without(&format!("no other user here: {}", text(&ran.stderr)));
    };

    assert_eq!((&status["status"], &status["job_status"]), (&"unknown".into(), &"running".into()), "{status}");
    assert!(status["waiting_for"].to_string().contains("may not be looked at"), "{status}");
    world.ok(&["cancel", &job]);
}

#[test]
fn fault_113_who_writes_for_a_dead_manager_raises_its_epoch_first() {
    let world = World::new();
    let (job, units) = waiting_job(&world, 2);
    world.kill_manager(&job);

    world.ok(&["cancel", &job]);

    assert_eq!(world.status(&job)["epoch"], 2);
    assert!(!units.iter().any(|unit| is_alive(*unit)));
}

#[test]
fn fault_113_a_lock_that_somebody_unknown_holds_is_said_as_the_reason() {
    let world = World::new();
    let (job, _) = waiting_job(&world, 1);
    world.kill_manager(&job);
    let lock = fs::File::open(world.path("jobs.db.d/1/lock")).unwrap();
    lock.lock().unwrap();

    let said = world.fails(4, &["resume", &job]);

    assert!(said.contains("holds the lock but is not the recorded process"), "{said}");
    drop(lock);
    world.ok(&["resume", &job]);
}

#[test]
fn fault_114_a_resume_right_after_a_kill_names_a_manager_that_runs_the_job() {
    let world = World::new();
    let job = world.ok(&["submit", "-j", "8", "--range", "1-400", "--", "sleep", "600"]);

    for round in 0..repeat(25, 100) {
        wait_for(&world, "8 units to run", || world.status(&job)["progress"]["running"] == 8);
        let killed = world.manager(&job);
        kill(killed);
        let status = world.status(&job);
        let resumed = world.ok(&["resume", &job]);

        assert_eq!(status["status"], "stopped", "round {round}: {status}");
        assert_ne!(resumed, killed.to_string(), "round {round}");
        assert_eq!(resumed, world.manager(&job).to_string(), "round {round}");
    }
    world.ok(&["cancel", &job]);
    world.assert_sound(&job);
}

#[test]
fn fault_114_a_resume_while_the_job_stops_is_refused_and_one_that_succeeds_lasts() {
    let world = World::new();
    let job = world.ok(&["submit", "--shell", "--", "until test -e go; do sleep 0.02; done"]);
    world.ok(&["stop", &job]);
    let by_request = world.fails(4, &["resume", &job]);
    world.write("go", "");
    assert_eq!(world.run(&["wait", &job]).status.code(), Some(0));
    let job = world.ok(&["submit", "--range", "1-3", "--", "sleep", "600"]);

    for round in 0..repeat(15, 60) {
        world.ok(&["stop", &job, "--now"]);
        let mut resumed = world.run(&["resume", &job]);
        if resumed.status.code() == Some(4) {
            assert!(text(&resumed.stderr).contains("is still stopping"), "{}", text(&resumed.stderr));
            assert_eq!(world.run(&["wait", &job]).status.code(), Some(12));
            resumed = world.run(&["resume", &job]);
        }
        assert!(resumed.status.success(), "round {round}: {}", text(&resumed.stderr));
        // A stop that was meant for the manager before would have paused it by the time that a unit runs.
        wait_for(&world, "a unit to run", || world.status(&job)["progress"]["running"] != 0);
        assert_eq!(world.manager(&job).to_string(), text(&resumed.stdout).trim(), "round {round}");
    }

    assert!(by_request.contains("is still stopping"), "{by_request}");
    world.ok(&["cancel", &job]);
}

#[test]
fn fault_114_a_resume_while_a_signal_stops_the_job_is_refused() {
    let world = World::new();
    let job = world.ok(&[
        "submit",
        "--shell",
        "--",
        "echo $$ >>pids; until test -e go; do sleep 0.02; done",
        ":::",
        "a",
        "b",
    ]);
    wait_for(&world, "a unit to run", || !world.lines("pids").is_empty());

    send(world.manager(&job), Signal::SIGTERM);
    wait_for(&world, "the signal to be seen", || {
        world.count(&format!("(SELECT count(*) FROM metadata WHERE job_id = {job} AND key = 'stopping')")) == 1
    });
    let refused = world.fails(4, &["resume", &job]);
    world.write("go", "");
    world.run(&["wait", &job]);

    assert!(refused.contains("is still stopping"), "{refused}");
    assert_eq!(world.count("(SELECT count(*) FROM metadata WHERE key = 'stopping')"), 0);
}

#[test]
fn fault_114_a_cancel_right_after_a_kill_a_stop_or_a_start_cancels() {
    let world = World::new();

    for round in 0..repeat(10, 50) {
        let job = world.ok(&["submit", "-j", "4", "--range", "1-8", "--", "sleep", "600"]);
        match round % 3 {
            0 => kill(world.manager(&job)),
            1 => drop(world.ok(&["stop", &job, "--now"])),
            _ => {}
        }
        world.ok(&["cancel", &job]);
        assert_eq!(world.status(&job)["job_status"], "cancelled", "round {round}");
        world.ok(&["rm", &job, "-y"]);
    }
    world.assert_no_process_left();
}

#[test]
fn fault_115_one_damaged_record_keeps_no_other_job_from_being_resumed() {
    let world = World::new();
    let (damaged, _) = waiting_job(&world, 1);
    let sound = world.ok(&["submit", "--", "sleep", "600"]);
    world.kill_manager(&damaged);
    world.kill_manager(&sound);
    world.damage(&format!("UPDATE managers SET boot_id = 'x' WHERE job_id = {damaged}"));

    let said = world.fails(5, &["status", &damaged]);
    let listed = world.ok(&["list"]);
    let document = world.ok(&["list", "--json"]);
    let resumed = world.fails(5, &["resume", "--all"]);

    assert!(said.contains("its boot_id is \"x\""), "{said}");
    assert!(listed.contains("unknown") && listed.contains("interrupted"), "{listed}");
    assert!(document.contains("its boot_id is \\\"x\\\""), "{document}");
    assert!(resumed.contains("its boot_id is \"x\""), "{resumed}");
    assert_eq!(world.status(&sound)["status"], "running");
}

/// What the verbs say about one job, in one word each.
fn verdicts(client: &Client, job: JobId) -> [String; 4] {
    let said = |error: ClientError| format!("error: {error}");
    let status = client.get_manager_status(job).map_or_else(said, |status| match status.status {
        Health::Stopped => "lost".to_owned(),
        Health::Unknown => "unknown".to_owned(),
        Health::Running => "lives".to_owned(),
        other => format!("{other:?}"),
    });
    let explained = client.explain(job, None).map_or_else(said, |explained| match explained.cause {
        Why::ManagerLost => "lost".to_owned(),
        Why::ManagerUnknown => "unknown".to_owned(),
        _ => "lives".to_owned(),
    });
    let waited = client.outcome(job).map_or_else(said, |outcome| match outcome {
        Some(_) => "lost".to_owned(),
        None => "lives".to_owned(),
    });
    let stopped = match client.stop_manager(job, StopOptions::default()) {
        Ok(()) => "lives".to_owned(),
        Err(ClientError::Interrupted { .. }) => "lost".to_owned(),
        Err(error) => said(error),
    };
    [status, explained, waited, stopped]
}

/// Process number, start, boot, host, namespaces and heartbeat of a manager as a row, in which what is no number cannot stand as one.
fn forged_row(job: JobId, parts: &[Option<String>]) -> String {
    let is_number = |column: usize| matches!(column, 0 | 1 | 5);
    let value = |(column, part): (usize, &Option<String>)| match part {
        Some(text) if !is_number(column) => format!("'{text}'"),
        Some(text) => text.parse::<i64>().map_or("9223372036854775807".to_owned(), |number| number.to_string()),
        None => "NULL".to_owned(),
    };
    let values: Vec<String> = parts.iter().enumerate().map(value).collect();
    // A part that must be there and is not leaves no row.
    format!(
        "INSERT OR IGNORE INTO managers (job_id, number, uid, state, version, pid, start_ticks, boot_id, host, namespaces,
         heartbeat_at) VALUES ({}, 1, 'uid', 'live', '', {})",
        job.0,
        values.join(", ")
    )
}

/// The same parts as the texts of former schemas.
fn forged_texts(job: JobId, parts: &[Option<String>]) -> String {
    let keys = ["manager_pid", "manager_start_ticks", "boot_id", "host", "namespaces", "heartbeat_at"];
    let row =
        |(key, part): (&str, &Option<String>)| part.as_ref().map(|text| format!("({}, '{key}', '{text}')", job.0));
    let rows: Vec<String> = keys.into_iter().zip(parts).filter_map(row).collect();
    format!("INSERT INTO metadata (job_id, key, value) VALUES {}", rows.join(", "))
}

#[test]
fn fault_115_status_wait_explain_and_stop_agree_on_a_thousand_forged_records() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("jobs.db");
    let client = Client::create(&db).unwrap();
    let job = client.create_job(&NewJob::new("job", "x"), [NewUnit::new(&1).unwrap()]).unwrap().job;
    let mut conn = SqliteConnection::establish(db.to_str().unwrap()).unwrap();
    conn.batch_execute(
        "PRAGMA busy_timeout = 10000; PRAGMA ignore_check_constraints = ON;
         UPDATE jobs SET status = 'running', epoch = 1, started_at = 1",
    )
    .unwrap();
    let lock = client.job_files(job).lock();
    fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let own = [std::process::id(), stranger.id()].map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        (pid.to_string(), stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().to_owned())
    });
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().to_owned();
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let link = |kind: &str| fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().display().to_string();
    let namespaces = format!("{} {}", link("pid"), link("time"));
    let mut random = Random::seeded();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();

    for round in 0..1000 {
        let (pid, ticks) = own[usize::try_from(random.below(2)).unwrap()].clone();
        let sound = [pid, ticks, boot.clone(), host.clone(), namespaces.clone(), "1".to_owned()];
        let mut row: Vec<Option<String>> = sound.into_iter().map(Some).collect();
        for _ in 0..random.below(3) {
            let column = usize::try_from(random.below(row.len() as u64)).unwrap();
            let forged =
                ["", "x", "0", "-1", "7", "4194304", "99999999999999999999", "00000000-0000-0000-0000-000000000000"];
            row[column] = forged.get(usize::try_from(random.below(9)).unwrap()).map(|value| (*value).to_owned());
        }
        // Every other one as a schema before the table of managers would hold it.
        let forged = if round % 2 == 0 { forged_row(job, &row) } else { forged_texts(job, &row) };
        conn.batch_execute(&format!(
            "DELETE FROM managers; DELETE FROM metadata WHERE key <> 'creation'; {forged};
             UPDATE jobs SET stop_request = NULL, stop_grace_ms = NULL, stop_reason = NULL"
        ))
        .unwrap();
        let held = match random.below(3) {
            0 => {
                let _ = fs::remove_file(&lock);
                None
            }
            state => {
                let file = fs::File::create(&lock).unwrap();
                if state == 1 {
                    // A child of another test has what was open when it was forked, until it executes its program.
                    file.lock().unwrap();
                }
                Some(file)
            }
        };

        let [status, explained, waited, stopped] = verdicts(&client, job);

        assert_eq!(status, explained, "round {round}: {row:?}");
        // Who waits for, or asks, a manager that cannot be seen does so as if it lived.
        let asked = if status == "unknown" { "lives" } else { &status };
        assert_eq!((waited.as_str(), stopped.as_str()), (asked, asked), "round {round}: {row:?}");
        *seen.entry(status.split(' ').next().unwrap().to_owned()).or_default() += 1;
        // Closing it would leave the lock to such a child.
        if let Some(file) = held {
            file.unlock().unwrap();
        }
    }

    stranger.kill().unwrap();
    stranger.wait().unwrap();
    for verdict in ["error:", "lives", "lost", "unknown"] {
        assert!(seen.get(verdict).is_some_and(|count| *count >= 10), "{seen:?}");
    }
}
