//! Who has run a job.

use serde_json::{Value, json};

use crate::support::World;

fn managers(world: &World, job: &str) -> Value {
    let document: Value = serde_json::from_str(&world.ok(&["status", job, "-v", "--json"])).unwrap();
    document["managers"].clone()
}

#[test]
fn a_verbose_status_says_who_has_run_a_job_when_where_and_how_that_ended() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--shell", "--", "until test -e go; do sleep 0.02; done"]);
    let first = world.manager(&job);
    world.kill_manager(&job);
    let lost = managers(&world, &job);
    world.ok(&["resume", &job]);
    world.ok(&["stop", &job, "--now", "--wait"]);
    world.ok(&["resume", &job]);
    let live = world.ok(&["status", &job, "-v"]);
    world.write("go", "");
    world.ok(&["wait", &job]);

    let of = |seen: &Value, key: &str| seen.as_array().unwrap().iter().map(|run| run[key].clone()).collect::<Vec<_>>();
    let seen = managers(&world, &job);
    assert_eq!((&lost[0]["state"], &lost[0]["pid"]), (&json!("lost"), &json!(first)), "{lost}");
    assert_eq!(of(&seen, "number"), [1, 2, 3]);
    assert_eq!(of(&seen, "state"), ["lost", "left", "left"]);
    assert_eq!(of(&seen, "reason"), [json!(null), json!("asked to stop"), json!("completed")]);
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    assert_eq!(of(&seen, "host"), [json!(host), json!(host), json!(host)]);
    assert!(of(&seen, "started_at").iter().chain(&of(&seen, "ended_at")).all(Value::is_string), "{seen}");
    let lines: Vec<&str> = live.lines().skip_while(|line| !line.starts_with("managers  1: process ")).collect();
    assert!(lines[0].starts_with(&format!("managers  1: process {first} on {host}, 20")), "{live}");
    assert!(lines[0].ends_with(", lost") && lines[1].ends_with(", left: asked to stop"), "{live}");
    assert!(
        lines[1].starts_with("          2: process ") && lines[2].contains(&format!(" on {host}, since 20")),
        "{live}"
    );
    world.assert_sound(&job);
}

#[test]
fn a_status_that_is_not_verbose_says_nothing_of_former_managers_and_a_deleted_job_leaves_none() {
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--", "true"]);
    world.ok(&["wait", &job]);

    let plain = world.status(&job);
    let text = world.ok(&["status", &job]);
    world.ok(&["rm", &job, "-y"]);

    assert!(plain.get("managers").is_none() && !text.contains("managers"), "{plain} {text}");
    assert_eq!(world.count("count(*) FROM managers"), 0);
}

#[test]
fn a_job_that_never_ran_has_had_no_manager() {
    let world = World::new();
    let job = world.ok(&["create", "-q", "--", "true"]);

    assert_eq!(managers(&world, &job), json!([]));
}
