//! Which worker slot an attempt ran in: kept with its start, counted from 1 wherever a person sees it.

use serde_json::Value;

use crate::support::{World, wait_for};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The slots of a job's running units, in order.
fn running_slots(world: &World, job: &str) -> Vec<i64> {
    let page = json(&world.ok(&["units", job, "--running", "--json"]));
    let mut slots: Vec<i64> =
        page["units"].as_array().unwrap().iter().filter_map(|unit| unit["slot"].as_i64()).collect();
    slots.sort_unstable();
    slots
}

#[test]
fn running_units_say_in_which_slots_and_each_attempt_keeps_its_own() {
    let world = World::new();
    let script = "echo $JOB_MANAGER_SLOT; test $JOB_MANAGER_UNIT -lt 3 || while ! test -e go; do sleep 0.1; done; \
                  test $JOB_MANAGER_UNIT != 2 || exit 1";
    let run = ["submit", "-q", "-j", "2", "--max-attempts", "2", "--backoff", "1ms", "--shell", "--", script, ":::"];
    let job = world.ok(&[&run[..], &["a", "b", "c", "d"]].concat());

    wait_for(&world, "two units in two slots", || running_slots(&world, &job) == [1, 2]);
    let shown = world.ok(&["units", &job, "--running"]);
    world.write("go", "");
    world.run(&["wait", &job]);
    let units = world.units(&job);
    let failed = json(&world.ok(&["unit", &format!("{job}:2"), "--json"]));
    let said = world.ok(&["unit", &format!("{job}:2")]);

    assert!(shown.lines().next().unwrap().contains("TIME  SLOT  ITEM"), "{shown}");
    for unit in &units {
        let printed = unit["stdout"].as_str().unwrap_or_default().trim();
        assert_eq!(unit["slot"].to_string(), printed, "{unit}");
    }
    let attempts = failed["attempts_not_completed"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    for attempt in attempts {
        assert_eq!(attempt["slot"].to_string(), attempt["stdout"].as_str().unwrap().trim(), "{attempt}");
    }
    assert!(said.contains("\nslot      ") && said.contains(", slot "), "{said}");
    assert!(!world.ok(&["units", &job]).contains("SLOT"));
    world.assert_sound(&job);
}

#[test]
fn fault_504_an_attempt_that_a_death_has_cut_off_keeps_its_slot() {
    let world = World::new();
    let script = "test -e go || sleep 600";
    let job = world.ok(&["submit", "-q", "-j", "2", "--backoff", "1ms", "--shell", "--", script, ":::", "a", "b"]);
    wait_for(&world, "two units in two slots", || running_slots(&world, &job) == [1, 2]);
    let slots: Vec<Value> = world.units(&job).iter().map(|unit| unit["slot"].clone()).collect();

    world.kill_manager(&job);
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    for (seq, slot) in (1..).zip(slots) {
        let view = json(&world.ok(&["unit", &format!("{job}:{seq}"), "--json"]));
        let attempt = &view["attempts_not_completed"][0];
        assert_eq!((&attempt["cause"], &attempt["slot"]), (&"crashed".into(), &slot), "{view}");
        assert!(view["unit"]["slot"].is_i64(), "{view}");
    }
    world.assert_sound(&job);
}

#[cfg(feature = "serve")]
#[test]
fn lanes_hold_each_attempt_once_and_pauses_and_kinds_of_failures_are_told() {
    let world = World::new();
    let script = "test {} -gt 3 || { echo bad >&2; exit 7; }; test {} != 9 || { test -e go || exit 65; }";
    let script = script
        .replace("{ echo", "{{ echo")
        .replace("7; }", "7; }}")
        .replace("{ test", "{{ test")
        .replace("65; }", "65; }}");
    let run = [
        "run",
        "-q",
        "-j",
        "2",
        "--max-attempts",
        "2",
        "--backoff",
        "1ms",
        "--exit",
        "65=fail",
        "--range",
        "1-10",
        "--shell",
        "--",
    ];
    world.run(&[&run[..], &[&script]].concat());
    world.write("go", "");
    world.ok(&["retry", "1", "--seq", "9"]);
    world.run(&["wait", "1"]);
    let dashboard = world.serve(&[]);

    let lanes = dashboard.get("/api/v1/jobs/1/lanes");
    let charts = dashboard.get("/api/v1/jobs/1/charts");
    let strips = dashboard.get("/api/v1/strips?jobs=1,7");

    let of = |kind: &str| {
        let runs = lanes["runs"].as_array().unwrap().iter().filter(|run| run["kind"] == kind);
        let mut seqs: Vec<i64> = runs.map(|run| run["seq"].as_i64().unwrap()).collect();
        seqs.sort_unstable();
        seqs
    };
    assert_eq!(of("completed"), [4, 5, 6, 7, 8, 9, 10], "{lanes}");
    assert_eq!((of("failed"), of("retried")), (vec![1, 2, 3], vec![1, 2, 3, 9]), "{lanes}");
    assert_eq!((&lanes["slots"], &lanes["is_cut"]), (&json("[1, 2]"), &false.into()));
    // Between the end of the first manager and the start of the second one.
    assert_eq!(charts["pauses"].as_array().unwrap().len(), 1, "{charts}");
    let kinds = &charts["failures"]["kinds"];
    assert_eq!((kinds.as_array().unwrap().len(), &kinds[0]["units"]), (1, &3.into()), "{charts}");
    let known = dashboard.get("/api/v1/jobs/1/failures")["clusters"][0]["cluster"].clone();
    assert_eq!(kinds[0]["cluster"], known);
    let sum = |strip: &Value, of: &str| {
        strip["ends"].as_array().unwrap().iter().map(|ends| ends[of].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((sum(&strips["jobs"][0], "completed"), sum(&strips["jobs"][0], "failed")), (7, 3), "{strips}");
    assert_eq!((strips["jobs"].as_array().unwrap().len(), sum(&strips["database"], "completed")), (1, 7), "{strips}");
    assert_eq!(dashboard.ask("GET /api/v1/strips?jobs=x", &[], "").status, 400);
}

#[cfg(feature = "serve")]
#[test]
fn fault_508_a_damaged_record_of_a_manager_hides_no_picture() {
    let world = World::new();
    world.ok(&["run", "-q", "--range", "1-5", "--", "true"]);
    world.damage("UPDATE managers SET state = 'x'");
    let dashboard = world.serve(&[]);

    let charts = dashboard.get("/api/v1/jobs/1/charts");
    let lanes = dashboard.get("/api/v1/jobs/1/lanes");

    assert_eq!((&charts["counted"], &charts["pauses"]), (&5.into(), &json("[]")), "{charts}");
    assert_eq!(lanes["runs"].as_array().map(Vec::len), Some(5), "{lanes}");
}

#[cfg(feature = "serve")]
#[test]
fn fault_515_pictures_and_sorted_units_are_other_ones_at_once_after_a_change() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--range", "1-4", "--", "test", "{}", "-gt", "2"]);
    let dashboard = world.serve(&[]);
    let drawn = || {
        let charts = dashboard.get("/api/v1/jobs/1/charts");
        let lanes = dashboard.get("/api/v1/jobs/1/lanes");
        let sorted = dashboard.get("/api/v1/jobs/1/units?sort=finished");
        let states: String =
            sorted["units"].as_array().unwrap().iter().map(|unit| &unit["status"].as_str().unwrap()[..1]).collect();
        (
            charts["failures"]["kinds"][0]["units"].as_i64(),
            lanes["runs"].as_array().unwrap().len(),
            states.matches('f').count(),
        )
    };
    assert_eq!((drawn(), drawn()), ((Some(2), 4, 2), (Some(2), 4, 2)));

    world.ok(&["retry", "1", "--seq", "1", "--no-start"]);
    assert_eq!(drawn().0, Some(1));
    assert_eq!(drawn().2, 1);

    world.ok(&["skip", "1", "--seq", "2"]);
    assert_eq!((drawn().0, drawn().2), (None, 0));

    world.run(&["resume", "1"]);
    world.run(&["wait", "1"]);
    assert_eq!((drawn().0, drawn().2), (Some(1), 1));

    world.ok(&["rm", "1", "-y"]);
    assert_eq!(dashboard.ask("GET /api/v1/jobs/1/charts", &[], "").status, 404);
}
