//! Failed units by kind, and what is done with one kind.

use job_manager::failures::FailureCluster;
use job_manager::model::{JobId, JobStatus};
use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext, UnitError, testing};
use serde_json::Value;

use crate::support::{World, needs_file};

const UNITS: u32 = 1000;

/// A failure of one of five kinds, as different from the others of its kind as real ones are.
fn fail(number: u32, _: &UnitContext<'_>) -> Result<(), UnitError> {
    let noise = number.wrapping_mul(2_654_435_761);
    Err(UnitError::fail(match number % 10 {
        0 => format!("cannot open /data/{noise:x}/photo {number}.jpg: No such file or directory (os error 2)"),
        1 | 2 => format!("server answered with status 503 after {}.{} s", noise % 100, noise % 7),
        3..5 => format!("server answered with status 404 after {} s", noise % 100),
        5..7 => format!("no user {noise:08x}-1111-7abc-8def-0123456789ab in \"table {noise}\""),
        _ => format!("2026-11-23T10:{:02}:00Z row {number} is locked by 0x{noise:x}", noise % 60),
    }))
}

fn failed_job(client: &Client, numbers: impl Iterator<Item = u32>) -> JobId {
    let units = numbers.map(|number| NewUnit::new(&number).unwrap());
    let job = client.create_job(&NewJob::new("failures", "fail"), units).unwrap().job;
    let mut handlers = Handlers::new();
    handlers.register("fail", fail);
    assert_eq!(testing::run_job(client, job, &handlers).unwrap(), JobStatus::Failed);
    job
}

#[test]
fn a_thousand_failures_fall_into_their_kinds_with_the_same_ids_in_every_job() {
    needs_file!("this process makes it");
    let world = World::new();
    let client = Client::create(&world.db()).unwrap();
    let one = failed_job(&client, 0..UNITS);
    let other = failed_job(&client, (UNITS..2 * UNITS).rev());

    let [clusters, others] = [one, other].map(|job| client.failures(job).unwrap());

    let seen: Vec<(&str, i64)> = clusters.iter().map(|cluster| (cluster.text.as_str(), cluster.count)).collect();
    assert_eq!(
        seen,
        [
            ("<time> row <n> is locked by <n>", 300),
            ("server answered with status 503 after <n> s", 200),
            ("server answered with status 404 after <n> s", 200),
            ("no user <uuid> in <text>", 200),
            ("cannot open <path> <n>.jpg: No such file or directory (os error 2)", 100),
        ]
    );
    let ids = |clusters: &[FailureCluster]| {
        let mut ids: Vec<_> = clusters.iter().map(|cluster| (cluster.id.unwrap(), cluster.count)).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&clusters), ids(&others));
    assert_eq!((clusters[0].first.0, clusters[0].last.0), (8, 1000));
    assert!(clusters[0].example.contains("row 7 is locked"), "{}", clusters[0].example);
}

#[test]
fn commands_are_told_apart_by_their_last_words_and_retried_by_kind() {
    let world = World::new();
    let script = "case {} in a*) echo reading {} >&2; echo no space for item {#} >&2; exit 1;; b*) exit 3;; c*) kill -9 $$;; esac";
    let items = ["a1", "b1", "a2", "c1", "ok"];
    world.run(&[&["run", "-q", "--max-attempts", "1", "--shell", "--", script, ":::"], &items[..]].concat());

    let found: Value = serde_json::from_str(&world.ok(&["failures", "1", "--json"])).unwrap();
    let table = world.ok(&["failures"]);
    let failed = world.ok(&["units", "1", "--failed"]);
    let clusters = found["clusters"].as_array().unwrap();
    let id = clusters[0]["cluster"].as_str().unwrap();
    let retried = world.ok(&["retry", "--no-start", "1", "--cluster", id]);

    let kinds: Vec<(&str, &str, i64)> = clusters
        .iter()
        .map(|kind| (kind["cause"].as_str().unwrap(), kind["text"].as_str().unwrap(), kind["count"].as_i64().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("failed", "exited with code 1: no space for item <n>", 2),
            ("failed", "exited with code 3", 1),
            ("killed", "killed by signal <n> (SIGKILL)", 1),
        ]
    );
    assert_eq!(found["schema"], 1);
    assert!(failed.contains("exited with code 1: no space for item 3"), "{failed}");
    assert!(failed.lines().any(|line| line.ends_with("exited with code 3")), "{failed}");
    assert!(table.contains(id) && table.contains("no space for item <n>"), "{table}");
    assert_eq!(retried, "2 units pending again");
    let states: Vec<Value> = world.units("1").iter().map(|unit| unit["status"].clone()).collect();
    assert_eq!(states, ["pending", "failed", "pending", "failed", "completed"]);
    world.fails(3, &["retry", "1", "--cluster", "000000000000"]);
    world.fails(2, &["retry", "1", "--cluster", "nonsense"]);
    world.assert_sound("1");
}

#[test]
fn units_are_selected_by_what_their_items_look_like() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--", "false", ":::", "a.jpg", "b.png", "c.jpg", "d\"x"]);

    let listed = world.ok(&["units", "1", "--match", "^[ab]\\.", "-q"]);
    let retried = world.ok(&["retry", "--no-start", "1", "--failed", "--match", "\\.jpg$", "--seq", "2-"]);
    let quoted = world.ok(&["units", "1", "--match", "d\"x", "-q"]);

    assert_eq!(listed, "1\n2");
    assert_eq!(retried, "1 unit pending again");
    assert_eq!(quoted, "4");
    world.fails(2, &["retry", "1", "--match", "("]);
    world.fails(3, &["retry", "1", "--match", "nothing like it"]);
}
