//! Deleting jobs that are over.

use serde_json::Value;

use crate::support::{World, exists};

#[test]
fn only_finished_jobs_go_and_only_when_it_was_confirmed() {
    let world = World::new();
    for _ in 0..3 {
        world.ok(&["run", "-q", "--", "true", ":::", "a", "b"]);
    }
    world.run(&["run", "-q", "--max-attempts", "1", "--", "false"]);
    world.run(&["run", "-q", "--max-attempts", "1", "--", "false"]);
    world.ok(&["retry", "5", "--failed"]);
    world.ok(&["create", "--", "true"]);

    let dry: Value = serde_json::from_str(&world.ok(&["prune", "--keep", "1", "--dry-run", "--json"])).unwrap();
    let refused = world.fails(2, &["prune", "--keep", "1"]);
    let none = world.ok(&["prune", "--older-than", "30d"]);
    let pruned = world.ok(&["prune", "--keep", "1", "-y"]);
    let again = world.ok(&["prune", "--keep", "1"]);

    assert_eq!(dry["would_delete"], serde_json::json!([1, 2, 3]));
    assert!(refused.contains("delete 3 finished jobs with 6 units"), "{refused}");
    assert_eq!(none, "0 jobs with 0 units deleted");
    assert_eq!(pruned, "3 jobs with 6 units deleted");
    assert_eq!(again, "0 jobs with 0 units deleted");
    assert_eq!(world.ok(&["list", "-q"]), "6\n5\n4");
    assert!(!exists(&world.db().with_extension("db.d").join("1")));
}

#[test]
fn a_job_is_as_old_as_its_end() {
    let world = World::new();
    for _ in 0..2 {
        world.ok(&["run", "-q", "--", "true"]);
    }
    world.sql("UPDATE jobs SET finished_at = finished_at - 31 * 86400000000 WHERE id = 1");

    world.ok(&["prune", "--older-than", "30d", "-y"]);

    assert_eq!(world.ok(&["list", "-q"]), "2");
}
