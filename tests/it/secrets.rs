//! Secrets of the submitter's environment: kept by name, given by whoever starts the job.

use std::fs;
use std::process::Command;

use crate::support::{World, text};

/// Variables that nobody but units should read; each value ends in `-secret`.
const SECRETS: [(&str, &str); 6] = [
    ("MYSQL_PWD", "mysql-secret"),
    ("SMTP_PASS", "smtp-secret"),
    ("GITHUB_PAT", "github-secret"),
    ("SENTRY_DSN", "https://dsn-secret"),
    ("DATABASE", "postgres://app:database-secret@db/app"),
    ("BW_SESSION", "session-secret"),
];

fn with_secrets(mut command: Command) -> Command {
    command.envs(SECRETS);
    command
}

fn assert_no_secret_in_the_database(world: &World) {
    assert!(!world.stored().windows(7).any(|bytes| bytes == b"-secret"), "a secret is in the database");
}

#[test]
fn fault_200_no_secret_of_the_submitter_is_kept_or_shown_and_units_have_all_of_them() {
    let world = World::new();
    let script = "echo $MYSQL_PWD $SMTP_PASS $GITHUB_PAT $SENTRY_DSN $DATABASE $BW_SESSION >values; mv values seen; \
                  test -e go || exec sleep 600";

    let run = with_secrets(world.job_manager(&["submit", "-q", "--shell", "--", script])).output().unwrap();
    assert!(run.status.success(), "{}", text(&run.stderr));
    world.sh("until test -e seen; do sleep 0.02; done");
    assert_no_secret_in_the_database(&world);
    assert_eq!(world.lines("seen"), [SECRETS.map(|(_, value)| value).join(" ")]);
    world.kill_manager("1");
    world.write("go", "");
    assert!(with_secrets(world.job_manager(&["resume", "1"])).status().unwrap().success());
    world.ok(&["wait", "1"]);

    assert_no_secret_in_the_database(&world);
    for verb in
        [&["status", "1"][..], &["unit", "1:1"], &["explain", "1"], &["logs", "1", "--manager"], &["doctor"], &["list"]]
    {
        for json in [&[][..], &["--json"]] {
            let shown = world.job_manager(&[verb, json].concat()).output().unwrap();
            let shown = format!("{}{}", text(&shown.stdout), text(&shown.stderr));
            assert!(!shown.contains("-secret"), "{verb:?}: {shown}");
        }
    }
    let doctor = text(&world.run(&["doctor"]).stdout);
    assert!(
        doctor.contains("by name only") && doctor.contains("GITHUB_PAT") && doctor.contains("DATABASE"),
        "{doctor}"
    );
}

#[test]
fn fault_200_a_secret_that_an_older_version_kept_is_named_by_doctor_and_not_shown() {
    let world = World::new();
    world.ok(&["create", "-q", "--key", "k", "--env", "MODE=old-secret", "--", "true"]);
    world.sql("UPDATE specs SET spec = replace(spec, '\"MODE\"', '\"GITHUB_PAT\"')");

    let doctor = text(&world.run(&["doctor"]).stdout);
    let other = world.fails(4, &["create", "--key", "k", "--", "true"]);

    assert!(doctor.contains("job 1 keeps the values of GITHUB_PAT in plain text"), "{doctor}");
    assert!(!doctor.contains("old-secret"), "{doctor}");
    assert!(other.contains("GITHUB_PAT") && !other.contains("old-secret"), "{other}");
}

#[test]
fn fault_201_a_start_without_a_secret_that_was_asked_for_is_refused_and_resume_gives_it() {
    let world = World::new();
    let script = "echo $GITHUB_PAT >seen";
    let submit = ["create", "-q", "--env", "GITHUB_PAT", "--shell", "--", script];
    assert!(with_secrets(world.job_manager(&submit)).status().unwrap().success());

    let start = world.fails(4, &["start", "1"]);
    let resume = world.fails(4, &["resume", "1"]);
    let before = (world.status("1")["job_status"].clone(), world.units("1")[0]["attempts"].clone());
    let unknown = world.fails(2, &["resume", "1", "--env", "GITHUB_PAT=x", "--env", "OTHER=x"]);
    let unset = world.fails(2, &["resume", "1", "--env", "GITHUB_PAT"]);
    world.ok(&["resume", "1", "--env", "GITHUB_PAT=given-secret"]);

    for said in [start, resume] {
        assert!(said.contains("GITHUB_PAT, not set here") && said.contains("resume 1 --env NAME=VALUE"), "{said}");
    }
    assert_eq!(before, ("created".into(), 0.into()));
    assert!(unknown.contains("get no secret OTHER: they get ") && unknown.contains("GITHUB_PAT"), "{unknown}");
    assert!(unset.contains("no such variable"), "{unset}");
    world.ok(&["wait", "1"]);
    assert_eq!(world.lines("seen"), ["given-secret"]);
    assert_no_secret_in_the_database(&world);
}

#[test]
fn fault_201_of_several_jobs_each_gets_the_secrets_that_it_was_submitted_with() {
    let world = World::new();
    let script = "test \"${{GITHUB_PAT:-none}}\" = \"$WANTED\" || exit 1; test -e go || exec sleep 600";
    let submit = |wanted: &str, given: &[&str]| {
        let wanted = format!("WANTED={wanted}");
        let args =
            [&["submit", "-q", "--shell", "--max-attempts", "1", "--env", &wanted], given, &["--", script]].concat();
        assert!(
            world
                .job_manager(&args)
                .env("GITHUB_PAT", wanted.trim_start_matches("WANTED="))
                .status()
                .unwrap()
                .success()
        );
    };
    submit("a-secret", &["--env", "GITHUB_PAT"]);
    world.ok(&["submit", "-q", "--env-only", "PATH,JM_TEST_WORLD", "--env", "WANTED=none", "--shell", "--", script]);
    world.kill_manager("1");
    world.kill_manager("2");
    world.write("go", "");

    world.ok(&["recover", "--all", "--env", "GITHUB_PAT=a-secret"]);

    world.ok(&["wait", "1"]);
    world.ok(&["wait", "2"]);
}

#[test]
fn fault_202_units_have_the_variables_of_an_allow_list_and_no_others() {
    let world = World::new();
    let args =
        ["run", "-q", "--env-only", "PATH", "COLOUR,NOT_SET", "--env", "MODE=fast", "--shell", "--", "env >seen"];

    let ran = world.job_manager(&args).env("COLOUR", "blue").env("OTHER", "kept").output().unwrap();

    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let seen = fs::read_to_string(world.path("seen")).unwrap();
    assert!(seen.contains("COLOUR=blue") && seen.contains("MODE=fast") && seen.contains("PATH="), "{seen}");
    assert!(!seen.contains("OTHER=") && !seen.contains("HOME=") && !seen.contains("NOT_SET"), "{seen}");
    assert!(!world.stored().windows(4).any(|bytes| bytes == b"kept"));
    world.fails(2, &["create", "--env-only", "A=1", "--", "true"]);
}

#[test]
fn units_have_the_environment_of_the_submission_and_secrets_of_the_start() {
    let world = World::new();
    let mut create = world.job_manager(&["create", "-q", "--env", "MODE=fast", "--shell", "--"]);
    create.arg("echo $MODE $COLOUR $API_KEY >>seen").env("COLOUR", "blue").env("API_KEY", "first-secret");
    assert!(create.status().unwrap().success());

    let mut start = world.job_manager(&["start", "1"]);
    assert!(start.env("COLOUR", "red").env("API_KEY", "second-secret").output().unwrap().status.success());
    world.ok(&["wait", "1"]);

    assert_eq!(world.lines("seen"), ["fast blue second-secret"]);
    assert_no_secret_in_the_database(&world);
    world.fails(2, &["create", "-q", "--env", "API_KEY=x", "--", "true"]);
}

#[test]
fn a_job_does_not_start_without_a_secret_that_was_asked_for_and_says_which_others_are_missing() {
    let world = World::new();
    let mut create = world.job_manager(&["create", "-q", "--env", "API_KEY", "--", "true"]);
    assert!(create.env("API_KEY", "x").env("OTHER_TOKEN", "y").status().unwrap().success());

    let said = world.fails(4, &["start", "1"]);
    let started = world.job_manager(&["start", "1"]).env("API_KEY", "x").output().unwrap();

    assert!(said.contains("need API_KEY") && !said.contains("OTHER_TOKEN"), "{said}");
    let hint = String::from_utf8(started.stderr).unwrap();
    assert!(hint.contains("run without OTHER_TOKEN") && !hint.contains("API_KEY"), "{hint}");
    world.ok(&["wait", "1"]);
}

#[test]
fn a_start_that_is_refused_changes_nothing() {
    let world = World::new();
    let mut submit =
        world.job_manager(&["run", "-q", "--canary", "1", "--env", "API_KEY", "--", "true", ":::", "1", "2"]);
    assert_eq!(submit.env("API_KEY", "x").status().unwrap().code(), Some(12));

    world.fails(4, &["approve", "1"]);
    world.fails(4, &["resume", "1"]);

    assert_eq!(world.status("1")["job_status"], "awaiting_approval");
}

#[test]
fn fault_526_a_retry_or_a_review_whose_start_is_refused_changes_nothing() {
    let world = World::new();
    let with_key = |args: &[&str]| {
        let output = world.job_manager(args).env("API_KEY", "x").output().unwrap();
        output.status.code()
    };
    let failed = ["run", "-q", "--max-attempts", "1", "--env", "API_KEY", "--", "false"];
    assert_eq!(with_key(&failed), Some(10));
    let flagged = ["run", "-q", "--env", "API_KEY", "--hold-flagged", "--then", "true", "--shell"];
    with_key(&[&flagged[..], &["--", r#""$BIN" unit-flag odd"#]].concat());

    let retried = world.fails(4, &["retry", "1"]);
    let accepted = world.fails(4, &["review", "2", "--accept"]);
    let redone = world.fails(4, &["review", "2", "--redo"]);

    assert!(retried.contains("API_KEY, not set here") && retried.contains("--env NAME=VALUE"), "{retried}");
    assert!(
        accepted.contains("API_KEY, not set here") && redone.contains("API_KEY, not set here"),
        "{accepted} {redone}"
    );
    assert_eq!(
        (&world.status("1")["job_status"], &world.status("1")["progress"]["failed"]),
        (&"failed".into(), &1.into())
    );
    assert!(world.ok(&["review", "2"]).contains("odd"));
    world.ok(&["review", "2", "--accept", "--env", "API_KEY=x"]);
    world.ok(&["wait", "2"]);
}

#[test]
fn an_approval_without_a_secret_says_how_it_is_given_to_it() {
    let world = World::new();
    let run = ["run", "-q", "--canary", "1", "--env", "API_KEY", "--", "true", ":::", "1", "2"];
    assert_eq!(world.job_manager(&run).env("API_KEY", "x").status().unwrap().code(), Some(12));

    let said = world.fails(4, &["approve", "1"]);

    assert!(said.contains("approve 1 --env NAME=VALUE"), "{said}");
    world.ok(&["approve", "1", "--env", "API_KEY=x"]);
}
