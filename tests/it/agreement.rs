//! What is said of a job at one moment is one answer, whoever is asked: rows, records and locks of any kind.

use std::fs;
use std::time::Duration;

use job_manager::client::JobOutcome;
use job_manager::explain::{NextStep, Why};
use job_manager::model::JobFilter;
use job_manager::{Client, ClientError};

use crate::faults_manager::waiting_job;
use crate::support::{Random, World, merged, wait_for};

const ROUNDS: usize = 300;

/// Chooses one of some texts; of two rounds in three the first one.
fn one_of<'a>(random: &mut Random, texts: &[&'a str]) -> &'a str {
    if random.below(3) > 0 { texts[0] } else { texts[usize::try_from(random.below(texts.len() as u64)).unwrap()] }
}

/// Returns a statement that makes of a job whatever there can be of it.
fn forged(random: &mut Random, job: &str, now: i64) -> String {
    let status =
        one_of(random, &["running", "created", "paused", "awaiting_approval", "completed", "failed", "cancelled"]);
    let finished = if ["completed", "failed", "cancelled"].contains(&status) { "1" } else { "NULL" };
    let [pending, running, completed, failed] = [0; 4].map(|_| random.below(3));
    let total = pending + running + completed + failed;
    let request = one_of(random, &["NULL", "'stop'", "'stop_now'", "'cancel'"]);
    let hold = match one_of(random, &["none", "hour"]) {
        "hour" => format!("{}, hold_reason = 'quota'", now + 3_600_000_000),
        _ => "NULL, hold_reason = NULL".to_owned(),
    };
    let rate = "{\"units\":1,\"per_ms\":3600000}";
    let rated = format!("{rate},\"after\":null");
    let limits = one_of(random, &["null,\"after\":null", &rated, "null,\"after\":99"]);
    let limits = merged("limits", &format!("{{\"rate\":{limits}}}"));
    let due = match one_of(random, &["none", "hour"]) {
        "hour" => format!("{}", now + 3_600_000_000),
        _ => "NULL".to_owned(),
    };
    // Far from the ages at which it counts as silent or stalled: the readers do not look at the same instant.
    let heartbeat = match one_of(random, &["now", "minute"]) {
        "minute" => now - 60_000_000,
        _ => now,
    };
    let texts = [
        ("waits", one_of(random, &["", "{\"for\":\"callbacks\",\"waiting\":7}"])),
        ("halt_reason", one_of(random, &["", "too many"])),
    ];
    let told = texts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("INSERT INTO metadata (job_id, key, value) VALUES ({job}, '{key}', '{value}');"));
    let told = told.collect::<String>();
    format!(
        "BEGIN; \
         UPDATE jobs SET status = '{status}', finished_at = {finished}, started_at = 1, stop_request = {request}, \
             hold_until = {hold}, limits = {limits}, \
             claimed_through = total, total = {total}, pending = {pending}, running = {running}, completed = {completed}, \
             failed = {failed}, skipped = 0, cancelled = 0 WHERE id = {job}; \
         UPDATE units SET status = 'pending', started_at = NULL, not_before = {due} WHERE job_id = {job} AND seq <= {pending}; \
         UPDATE managers SET heartbeat_at = {heartbeat} WHERE job_id = {job}; \
         DELETE FROM metadata WHERE job_id = {job} AND key IN ('waits', 'halt_reason'); {told} COMMIT"
    )
}

#[test]
fn status_explain_wait_and_lists_agree_about_any_job() {
    let world = World::new();
    let (living, _) = waiting_job(&world, 3);
    let dead = world.ok(&["submit", "-q", "-j", "3", "--", "sleep", "600", ":::", "a", "b", "c"]);
    wait_for(&world, "its units to run", || world.status(&dead)["progress"]["running"] == 3);
    // It neither writes nor ends, and holds its lock.
    world.suspend(world.manager(&living));
    world.kill_manager(&dead);
    let client = Client::open(&world.db()).unwrap();
    let ids = [&living, &dead].map(|job| client.find_job(job).unwrap());
    let mut conn = world.connection().without_sync();
    let lock = client.job_files(ids[1]).lock();
    let mut random = Random::seeded();
    let mut causes = std::collections::BTreeMap::<Why, u32>::new();

    for round in 0..ROUNDS {
        let which = usize::try_from(random.below(2)).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let job = [&living, &dead][which];
        conn.execute(&forged(&mut random, job, i64::try_from(now.as_micros()).unwrap())).unwrap();
        let held = (which == 1 && random.below(3) == 0).then(|| {
            let file = fs::File::options().read(true).write(true).open(&lock).unwrap();
            file.lock().unwrap();
            file
        });

        let id = ids[which];
        let (status, explained) = (client.get_manager_status(id).unwrap(), client.explain(id, None).unwrap());
        let waited = match client.wait(id, Some(Duration::ZERO)) {
            Ok(outcome) => Some(outcome),
            Err(ClientError::WaitTimedOut { .. }) => None,
            Err(error) => panic!("round {round}: {error}"),
        };
        let listed = client.snapshots(&JobFilter::default()).unwrap().jobs;
        let listed = listed.iter().find(|seen| seen.job.id == id).unwrap();
        let document = serde_json::to_value(client.job_list(&JobFilter::default()).unwrap()).unwrap();
        let document = document["jobs"].as_array().unwrap().iter().find(|found| found["job"]["id"] == id.0).unwrap();

        let said = format!("round {round}: {status:?} {explained:?}");
        assert_eq!(status.waiting_for, explained.waiting_for, "{said}");
        assert_eq!(status.word(), listed.word(), "{said}");
        assert_eq!(document["waiting_for"], serde_json::json!(status.waiting_for), "{said}");
        assert_eq!(document["job_status"], status.job_status.as_str(), "{said}");
        assert_eq!(document["status"], serde_json::json!(status.status), "{said}");
        assert_eq!(status.is_interrupted(), explained.cause == Why::ManagerLost, "{said}");
        assert_eq!(status.is_interrupted(), waited == Some(JobOutcome::ManagerLost), "{said}");
        assert_eq!(status.word() == "unknown", explained.cause == Why::ManagerUnknown, "{said}");
        if explained.cause == Why::ManagerLost {
            let next = if status.cancel_requested { NextStep::Cancel(id) } else { NextStep::Resume(id) };
            assert_eq!(explained.next_step, next, "{said}");
        }
        *causes.entry(explained.cause).or_default() += 1;
        if let Some(file) = held {
            file.unlock().unwrap();
        }
    }

    for cause in [Why::ManagerLost, Why::Starting, Why::Stopping, Why::Held, Why::Working] {
        assert!(causes.contains_key(&cause), "{causes:?}");
    }
    assert!(causes.len() >= 12, "{causes:?}");
}

#[test]
fn nobody_looks_at_the_lock_of_a_job_that_ended_long_ago_and_everybody_at_that_of_one_whose_manager_may_live_on() {
    let world = World::new();
    world.ok(&["run", "-q", "--", "true"]);
    let held = fs::File::options().read(true).write(true).open(world.path("jobs.db.d/1/lock")).unwrap();
    held.lock().unwrap();

    for (status, ended) in [("running", ""), ("stopped", "UPDATE jobs SET started_at = 1, finished_at = 1")] {
        world.sql(ended);
        let listed = world.ok(&["list", "--json"]);
        let seen = world.status("1");

        assert!(listed.contains(&format!("\"status\":\"{status}\"")), "{listed}");
        assert_eq!((&seen["status"], &seen["job_status"]), (&status.into(), &"completed".into()));
    }
}
