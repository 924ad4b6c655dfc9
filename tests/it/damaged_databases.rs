//! Databases that lack a part or hold what cannot be read, met by every verb.

use serde_json::Value;

use crate::support::{World, needs_file, text};

/// Every verb that looks at a database, with arguments that reach it; those that look first, those that delete last.
const VERBS: [&[&str]; 44] = [
    &["list"],
    &["status", "1"],
    &["status", "1", "-v"],
    &["units", "1"],
    &["units", "1", "--sort", "duration"],
    &["unit", "1:1"],
    &["failures", "1"],
    &["explain", "1"],
    &["explain", "1:1"],
    &["logs", "1"],
    &["logs", "1:1"],
    &["logs", "1", "--manager"],
    &["results", "1"],
    &["wait", "1", "--timeout", "0"],
    &["doctor"],
    &["sync", "1", "--lines", "names", "--dry-run"],
    &["prune", "--dry-run"],
    &["create", "--json", "--dry-run", "--key", "k", "--lines", "names", "--", "true"],
    &["create", "--json", "--key", "k", "--lines", "names", "--", "true"],
    &["create", "--json", "--", "true"],
    &["scale", "1", "2"],
    &["scale", "--machine", "2"],
    &["set", "1", "timeout=1s"],
    &["add", "1", "--lines", "more"],
    &["sync", "1", "--lines", "more"],
    &["stop", "1"],
    &["approve", "1"],
    &["kill", "1:1"],
    &["retry", "1", "--all"],
    &["skip", "1", "--seq", "1"],
    &["recover", "1"],
    &["recover", "--all"],
    &["resume", "--all"],
    &["resume", "1"],
    &["start", "1"],
    &["submit", "--json", "--", "true"],
    &["run", "--json", "--", "true"],
    &["unit-progress", "1", "2"],
    &["unit-result", "1"],
    &["unit-checkpoint", "get"],
    &["cancel", "1:1"],
    &["cancel", "-y", "1"],
    &["rm", "-y", "1"],
    &["prune", "-y"],
];

/// What is done to a database, and what an error that comes of it names. The kinds of failures are only a way to find units
/// faster, and the index is met by managers only.
const DAMAGE: [(&str, &str); 14] = [
    ("UPDATE specs SET spec = '[]'", "spec"),
    ("UPDATE specs SET spec = '{}'", "spec"),
    ("UPDATE specs SET spec = CAST(x'ff' AS TEXT)", "spec"),
    ("DROP TABLE jobs", "jobs"),
    ("DROP TABLE specs", "specs"),
    ("DROP TABLE units", "units"),
    ("DROP TABLE attempts", "attempts"),
    ("DROP TABLE metadata", "metadata"),
    ("DROP TABLE managers", "managers"),
    ("DROP TABLE settings", "settings"),
    ("DROP TABLE failure_kinds", "failure_kinds"),
    ("DROP INDEX units_waiting", "units_waiting"),
    ("ALTER TABLE units RENAME COLUMN revision TO gone", "revision"),
    ("ALTER TABLE jobs RENAME COLUMN limits TO gone", "limits"),
];

#[test]
fn fault_337_every_verb_names_the_damage_of_a_database_and_none_calls_it_an_error_that_should_not_happen() {
    needs_file!("its tables are damaged");
    for (damage, named) in DAMAGE {
        let world = World::new();
        world.write("names", "a\nb\n");
        world.write("more", "b\nc\n");
        world.ok(&["create", "-q", "--key", "k", "--lines", "names", "--", "true"]);
        world.sql(&format!("PRAGMA ignore_check_constraints = ON; PRAGMA legacy_alter_table = ON; {damage}"));
        let mut has_named = false;

        for args in VERBS {
            let mut command = world.job_manager(args);
            command
                .arg("--json")
                .env("JOB_MANAGER_UNIT", "1")
                .env("JOB_MANAGER_ATTEMPT", "1")
                .env("JOB_MANAGER_JOB", "1");
            if args.contains(&"--") {
                command = world.job_manager(args);
            }
            let ran = command.output().unwrap();

            let (code, said) = (ran.status.code(), text(&ran.stderr));
            assert!(!matches!(code, None | Some(1 | 101)), "{damage}: {args:?}: {code:?}: {said}");
            if code == Some(5) && ran.stdout.is_empty() {
                let document: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{args:?}: {said}"));
                assert_eq!(document["error"]["kind"], "database", "{damage}: {args:?}: {said}");
                assert!(said.contains(named), "{damage}: {args:?}: {said}");
                has_named = true;
            }
            assert!(!said.contains("JM_TEST_WORLD"), "{args:?} shows an environment: {said}");
        }

        assert!(has_named || ["failure_kinds", "units_waiting"].contains(&named), "{damage}: no verb met it");
    }
}
