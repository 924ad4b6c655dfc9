//! Jobs that are copied into another database.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::support::{World, is_root, needs_file, send, text, wait_for, without};

/// Columns of the units that a copy has as they are.
const UNITS: &str = "seq, key, payload, status, attempts, crashes, not_before, started_at, finished_at, exit_code, signal, \
     error, result, stdout, stderr, outdated, revision, kind";
const ATTEMPTS: &str =
    "unit_id & 4294967295, attempt, epoch, started_at, ended_at, cause, exit_code, signal, error, stdout, stderr";
const NOTES: &str = "unit_id & 4294967295, done, total, message, checkpoint";
const KINDS: &str = "unit_id & 4294967295, kind";
const METERS: &str = "name, spent, unmetered, day_start, before_day, costs";
const SPENDS: &str = "unit_id & 4294967295, name, amount, under_way";
const PATHS: &str = "unit_id & 4294967295, path_hash";
const JOB: &str = "name, key, handler, limits, status, hold_until, hold_reason, epoch, claimed_through, total, pending, \
     running, completed, failed, skipped, cancelled, created_at, started_at, finished_at";
const MANAGERS: &str =
    "number, state, reason, host, boot_id, pid, start_ticks, version, program, heartbeat_at, started_at, ended_at";

/// Makes a job whose units are in every state but running, with attempts, notes, results and a made path.
fn job_in_every_state(world: &World) -> String {
    let script = "case {} in 2) echo bad >&2; exit 1;; 3) exit 77;; \
         4) \"$JOB_MANAGER_BIN\" unit-checkpoint 17; \"$JOB_MANAGER_BIN\" unit-spend usd=0.5; exit 1;; *) echo out {} >made{}; printf 'caf\\351\\n';; esac";
    let options = [
        "--max-attempts",
        "2",
        "--backoff",
        "1ms",
        "--exit",
        "77=skip",
        "--canary",
        "6",
        "--label",
        "of=photos",
        "--meter",
        "usd",
    ];
    let mut submit = world.job_manager(&["submit", "-j", "1", "--creates", "made{}", "--lines", &world.numbers(12)]);
    let submit = submit.args(options).args(["--shell", "--", script]);
    let submitted = submit.env("JOB_MANAGER_BIN", crate::support::BIN).output().unwrap();
    assert!(submitted.status.success(), "{}", text(&submitted.stderr));
    let job = text(&submitted.stdout).trim().to_owned();
    world.wait_for_status(&job, "awaiting_approval");
    wait_for(world, "the manager to be gone", || world.status(&job)["status"] == "stopped");
    world.ok(&["cancel", &format!("{job}:8")]);
    world.ok(&["retry", "--no-start", &job, "--seq", "2"]);
    job
}

/// Counts the rows that two databases do not have in common.
fn differences(world: &World, one: &str, two: &str) -> i64 {
    let mut conn = SqliteConnection::establish(world.path(one).to_str().unwrap()).unwrap();
    conn.batch_execute(&format!("ATTACH '{}' AS other", world.path(two).display())).unwrap();
    let tables = [
        ("jobs", JOB),
        ("specs", "spec"),
        ("units", UNITS),
        ("attempts", ATTEMPTS),
        ("unit_notes", NOTES),
        ("failure_kinds", KINDS),
        ("made_paths", PATHS),
        ("managers", MANAGERS),
        ("meters", METERS),
        ("spends", SPENDS),
    ];
    let sides = [("main", "other"), ("other", "main")];
    let both = tables.iter().flat_map(|table| sides.map(|side| (table, side)));
    both.map(|((table, columns), (here, there))| {
        let query = format!(
            "(SELECT count(*) FROM (SELECT {columns} FROM {here}.{table} EXCEPT SELECT {columns} FROM {there}.{table})) \
             + abs((SELECT count(*) FROM {here}.{table}) - (SELECT count(*) FROM {there}.{table}))"
        );
        let found: i64 = diesel::dsl::sql::<BigInt>(&format!("SELECT {query}")).get_result(&mut conn).unwrap();
        if found > 0 {
            println!("{found} rows of {table} in {here} and not in {there}");
        }
        found
    })
    .sum()
}

#[test]
fn a_copy_has_every_row_of_its_job_and_goes_on_where_that_stood() {
    needs_file!("both databases are files");
    let world = World::new();
    let job = job_in_every_state(&world);

    let said: serde_json::Value = serde_json::from_str(&world.ok(&["copy", &job, "--to", "b.db", "--json"])).unwrap();
    world.ok(&["--db", "b.db", "copy", "--to", "c.db"]);

    assert_eq!(differences(&world, "jobs.db", "b.db"), 0);
    assert_eq!(differences(&world, "jobs.db", "c.db"), 0);
    let copy: serde_json::Value = serde_json::from_str(&world.ok(&["--db", "b.db", "status", "--json"])).unwrap();
    let source = world.status(&job);
    assert_eq!(copy["copied_from"], source["job"]["uid"]);
    assert_eq!((&said["job"]["uid"], &said["units"]), (&copy["job"]["uid"], &12.into()));
    assert_ne!(copy["job"]["uid"], source["job"]["uid"]);
    assert_eq!((&copy["labels"]["of"], &copy["status"]), (&"photos".into(), &"stopped".into()));
    assert!(
        world
            .ok(&["--db", "b.db", "status"])
            .contains(&format!("copy of   job {}", source["job"]["uid"].as_str().unwrap()))
    );
    world.ok(&["--db", "b.db", "approve"]);
    assert_eq!(world.run(&["--db", "b.db", "wait"]).status.code(), Some(10));
    let ended: serde_json::Value = serde_json::from_str(&world.ok(&["--db", "b.db", "status", "--json"])).unwrap();
    let counts = &ended["progress"];
    assert_eq!((&counts["completed"], &counts["failed"], &counts["cancelled"]), (&8.into(), &2.into(), &1.into()));
    assert_eq!(world.status(&job), source);
}

#[test]
fn a_job_comes_back_from_the_database_that_it_was_copied_to() {
    needs_file!("both databases are files");
    let world = World::new();
    let job = job_in_every_state(&world);
    world.ok(&["copy", &job, "--to", "b.db"]);

    let back = world.ok(&["--db", "b.db", "copy", "--to", "jobs.db", "-q"]);

    assert_eq!(back, "2");
    world.ok(&["rm", &job, "-y"]);
    assert_eq!(differences(&world, "jobs.db", "b.db"), 0);
}

#[test]
fn what_cannot_be_copied_as_it_is_is_refused_and_leaves_nothing() {
    needs_file!("both databases are files");
    let world = World::new();
    world.ok(&["create", "--job-key", "night", "--", "true"]);
    world.ok(&["submit", "--name", "runs", "--shell", "--", "until test -e go; do sleep 0.01; done"]);
    world.ok(&["create", "--name", "waits", "--after", "1", "--", "true"]);
    world.ok(&["create", "--name", "once", "--at-most-once", "--", "true"]);
    world.run(&["run", "-q", "--name", "over", "--at-most-once", "--", "false"]);
    world.sh("ln -s jobs.db other-name.db");

    let itself = world.fails(2, &["copy", "1", "--to", "other-name.db"]);
    let running = world.fails(4, &["copy", "runs", "--to", "b.db"]);
    let waiting = world.fails(4, &["copy", "waits", "--to", "b.db"]);
    let once = world.fails(4, &["copy", "once", "--to", "b.db"]);
    let over = world.fails(4, &["copy", "over", "--to", "b.db"]);
    let unknown = world.fails(3, &["copy", "none", "--to", "b.db"]);
    let url = world.fails(2, &["copy", "1", "--to", "postgres://me:secret@host/db"]);
    let made = world.path("b.db").exists();
    world.ok(&["copy", "1", "--to", "b.db"]);
    let twice = world.fails(4, &["copy", "1", "--to", "b.db"]);
    world.ok(&["create", "--db", "c.db", "--job-key", "night", "--", "false"]);
    let key = world.fails(4, &["copy", "1", "--to", "c.db"]);

    assert!(itself.contains("is the database that the job is in"), "{itself}");
    assert!(running.contains("cannot copy job 2"), "{running}");
    assert!(waiting.contains("job 3 waits for job 1, which stays where it is"), "{waiting}");
    assert!(once.contains("--cancel-source"), "{once}");
    assert!(over.contains("--cancel-source"), "{over}");
    assert!(unknown.contains("no job \"none\""), "{unknown}");
    assert!(!url.contains("secret"), "{url}");
    assert!(!made);
    assert!(twice.contains("a copy of this job already, job 1"), "{twice}");
    assert!(key.contains("a job with the key \"night\" already, job 1"), "{key}");
    assert_eq!(world.ok(&["--db", "c.db", "list", "-a", "-q"]), "1");
    world.write("go", "");
    world.ok(&["wait", "runs"]);
}

#[test]
fn a_unit_that_holds_what_is_no_text_is_named_and_nothing_is_copied() {
    needs_file!("both databases are files");
    let world = World::new();
    world.ok(&["create", "--lines", &world.numbers(3), "--", "true", "{}"]);
    world.sql("UPDATE units SET payload = CAST(x'22ff22' AS TEXT) WHERE seq = 2");

    let said = world.fails(5, &["copy", "--to", "b.db"]);

    assert!(said.contains("cannot read unit 1:2"), "{said}");
    assert_eq!(world.ok(&["--db", "b.db", "list", "-a", "-q"]), "");
}

/// Returns the uid of a job in the other database.
fn status_uid(world: &World, job: &str) -> String {
    let status = world.ok(&["--db", "b.db", "status", job, "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    status["job"]["uid"].as_str().unwrap().to_owned()
}

#[test]
fn fault_345_a_copy_that_is_killed_at_any_point_is_whole_or_absent_and_a_second_one_completes_it() {
    needs_file!("both databases are files");
    for point in ["copy-part:kill@1", "copy-part:kill@2", "copy-held:kill", "source-cancelled:kill"] {
        let world = World::new();
        world.ok(&["create", "--at-most-once", "--lines", &world.numbers(40), "--shell", "--", "echo {} >>ran"]);
        let copy = ["copy", "--to", "b.db", "--cancel-source"];
        world.ok(&["create", "--db", "b.db", "--", "true"]);

        let killed = world.job_manager(&copy).env("JOB_MANAGER_CRASH", point).output().unwrap();

        assert_eq!(killed.status.code(), None, "{point}");
        assert_eq!(world.ok(&["--db", "b.db", "list", "-a", "-q"]), "1", "{point}");
        // Sweeps what was interrupted.
        world.ok(&["create", "--db", "b.db", "--", "true"]);
        let expected = if point.starts_with("source") { "cancelled" } else { "created" };
        assert_eq!(world.status("1")["job_status"], expected, "{point}");

        let moved = world.ok(&[&copy[..], &["-q"]].concat());

        let source = world.status("1");
        assert_eq!(source["job_status"], "cancelled", "{point}");
        world.assert_sound("1");
        let again = world.fails(4, &["retry", "1", "--all"]);
        assert!(again.contains(status_uid(&world, &moved).as_str()), "{again}");
        world.fails(4, &copy);
        world.ok(&["--db", "b.db", "resume", &moved]);
        world.ok(&["--db", "b.db", "wait", &moved]);
        let status = world.ok(&["--db", "b.db", "status", &moved, "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        assert_eq!((&status["copied_from"], &status["progress"]["completed"]), (&source["job"]["uid"], &40.into()));
        assert_eq!(world.lines("ran").len(), 40, "{point}");
    }
}

#[test]
fn fault_345_a_job_that_somebody_changes_while_it_moves_stays_where_it_is() {
    needs_file!("both databases are files");
    let world = World::new();
    world.ok(&["create", "--lines", &world.numbers(3), "--", "true", "{}"]);
    let mut copy = world.job_manager(&["copy", "--to", "b.db", "--cancel-source"]);
    let copying = copy.env("JOB_MANAGER_CRASH", "copy-held:stop").stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_for(&world, "the copy to be written", || crate::support::identity(copying.id()).unwrap().state == 'T');

    world.ok(&["skip", "1", "--seq", "2"]);
    send(copying.id(), nix::sys::signal::Signal::SIGCONT);
    let ended = copying.wait_with_output().unwrap();

    assert_eq!(ended.status.code(), Some(4));
    assert!(
        text(&ended.stderr).contains("job 1 was changed while it was being copied, try again"),
        "{}",
        text(&ended.stderr)
    );
    assert_eq!(world.ok(&["--db", "b.db", "list", "-a", "-q"]), "");
    assert_eq!(world.status("1")["job_status"], "created");
}

#[test]
fn fault_345_what_is_retried_while_an_ended_job_is_copied_runs_in_one_place_only() {
    needs_file!("both databases are files");
    let world = World::new();
    world.ok(&["submit", "--at-most-once", "--shell", "--", "echo >>ran; false"]);
    world.run(&["wait"]);
    world.ok(&["create", "--db", "b.db", "--", "true"]);
    let lock = std::fs::File::create(world.path("b.db.d/partial.lock")).unwrap();
    lock.lock().unwrap();
    let mut copy = world.job_manager(&["copy", "1", "--to", "b.db", "--cancel-source"]);
    let copying = copy.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let pid = copying.id().to_string();
    let waits = |line: &str| line.contains("->") && line.split_ascii_whitespace().any(|word| word == pid);
    let locks = || std::fs::read_to_string("/proc/locks").unwrap();
    wait_for(&world, "the copy to wait for the other database", || locks().lines().any(waits));

    world.ok(&["retry", "--no-start", "1", "--all"]);
    lock.unlock().unwrap();
    let ended = copying.wait_with_output().unwrap();

    assert_eq!(ended.status.code(), Some(4), "{}", text(&ended.stderr));
    assert!(text(&ended.stderr).contains("job 1 was changed"), "{}", text(&ended.stderr));
    assert_eq!(world.ok(&["--db", "b.db", "list", "-a", "-q"]), "1");
}

#[test]
fn a_copy_of_a_job_that_a_signal_stopped_waits_for_whoever_starts_it() {
    needs_file!("both databases are files");
    let world = World::new();
    let script = "until test -e go; do sleep 0.01; done; : {}";
    let job = world.ok(&["submit", "-j", "1", "--shell", "--", script, ":::", "a", "b"]);
    wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);
    send(world.manager(&job), nix::sys::signal::Signal::SIGTERM);
    wait_for(&world, "the job to stop", || world.status(&job)["waiting_for"].to_string().contains("stop"));
    world.write("go", "");
    world.wait_for_status(&job, "paused");
    wait_for(&world, "the manager to be gone", || world.status(&job)["status"] == "stopped");

    world.ok(&["copy", &job, "--to", "b.db"]);
    world.ok(&["--db", "b.db", "recover", "--all"]);

    let copy: serde_json::Value = serde_json::from_str(&world.ok(&["--db", "b.db", "status", "--json"])).unwrap();
    assert_eq!((&copy["job_status"], &copy["status"]), (&"paused".into(), &"stopped".into()), "{copy}");
}

#[test]
fn the_log_of_a_copied_unit_is_the_end_that_its_row_keeps() {
    needs_file!("both databases are files");
    let world = World::new();
    world.ok(&["run", "-q", "--output", "full", "--", "echo", "said"]);

    world.ok(&["copy", "--to", "b.db"]);

    assert_eq!(world.ok(&["logs", "1:1"]), "said");
    assert_eq!(world.ok(&["--db", "b.db", "logs", "1:1"]), "said");
    assert_eq!(world.ok(&["--db", "b.db", "logs", "1:1", "-n", "1"]), "said");
}

#[test]
fn fault_345_units_that_may_run_at_most_once_are_retried_where_their_job_has_moved_only() {
    needs_file!("both databases are files");
    let world = World::new();
    world.run(&["run", "-q", "--at-most-once", "--shell", "--", "echo >>ran; false"]);

    world.ok(&["copy", "1", "--to", "b.db", "--cancel-source"]);

    assert_eq!(world.status("1")["job_status"], "failed");
    world.fails(4, &["retry", "1", "--all"]);
    for source in [&["copy", "1", "--to", "c.db"][..], &["copy", "1", "--to", "c.db", "--cancel-source"]] {
        world.fails(4, source);
    }
    world.ok(&["--db", "b.db", "retry", "--no-start", "--all"]);
    world.ok(&["--db", "b.db", "resume"]);
    world.fails(10, &["--db", "b.db", "wait"]);
    assert_eq!(world.lines("ran").len(), 2);
}

#[test]
fn a_job_of_somebody_else_is_not_copied_to_where_it_would_run_as_whoever_copies_it() {
    needs_file!("both databases are files");
    if !is_root() {
        return without("another user needs root");
    }
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    world.sh("chown 65534 jobs.db");

    let refused = world.fails(4, &["copy", "--to", "b.db"]);
    let made = world.path("b.db").exists();
    world.ok(&["copy", "--to", "b.db", "--any-owner"]);

    assert!(refused.contains("belongs to") && !made, "{refused}");
}
