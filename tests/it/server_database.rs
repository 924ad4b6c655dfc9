//! The command line on a database of a PostgreSQL server: what of its address goes where.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::support::{Server, World, wait_for, without_tool};

fn server() -> Option<&'static Server> {
    let server = Server::shared();
    if server.is_none() {
        without_tool("postgres");
    }
    server
}

/// Runs a verb on the database that a variable names, in an environment that is about a server too.
fn run(world: &World, db: &str, args: &[&str]) -> Output {
    let mut command = world.command(crate::support::BIN);
    command.args(args).env("JOB_MANAGER_DB", db).env("XDG_STATE_HOME", world.path("state"));
    command.env("PGSSLMODE", "prefer").env("PGUSER", "nobody").env("OTHER", "stays").output().unwrap()
}

fn ok(output: Output) -> String {
    let (said, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{said}{error}");
    said
}

fn marker(world: &World) -> PathBuf {
    let mut entries = fs::read_dir(world.path("state/job-manager")).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.is_file()).unwrap()
}

#[test]
fn fault_108_a_password_in_the_variable_reaches_the_manager_and_no_unit_file_or_argument() {
    let Some(server) = server() else { return };
    let world = World::new();
    let db = format!("{}&password=s3cret%2Fword", server.empty_database());
    let hook = world.write("hook.sh", "#!/bin/sh\nenv >hook.env\n");
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let script =
        "env >unit.env; cat /proc/$PPID/cmdline >manager.cmdline; tr '\\0' '\\n' </proc/$PPID/environ >manager.environ";

    ok(run(&world, &db, &["run", "--hook", hook.to_str().unwrap(), "--shell", "--", script]));
    wait_for(&world, "the hook to end", || {
        fs::read_to_string(world.path("hook.env")).is_ok_and(|env| env.contains("JOB_MANAGER_DB="))
    });

    let read = |name: &str| fs::read_to_string(world.path(name)).unwrap();
    let marker = marker(&world);
    for name in ["unit.env", "hook.env"] {
        let env = read(name);
        assert!(!env.contains("\nPG") && !env.starts_with("PG") && !env.contains("s3cret"), "{name}: {env}");
        assert!(
            env.contains("OTHER=stays") && env.contains(&format!("JOB_MANAGER_DB={}\n", marker.display())),
            "{name}: {env}"
        );
    }
    assert!(read("manager.environ").contains("PGPASSWORD=s3cret/word"));
    assert!(!read("manager.cmdline").contains("s3cret"));
    let found =
        std::process::Command::new("grep").arg("-rl").args(["s3cret", "--"]).arg(world.path("state")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[test]
fn a_unit_finds_its_database_by_the_variable_and_gets_libpqs_variables_by_name_only() {
    let Some(server) = server() else { return };
    let world = World::new();
    let db = server.empty_database();
    let script = format!("{} list --quiet >found; env >unit.env", crate::support::BIN);

    ok(run(&world, &db, &["run", "--env", "PGUSER", "--shell", "--", &script]));

    let env = fs::read_to_string(world.path("unit.env")).unwrap();
    assert_eq!(fs::read_to_string(world.path("found")).unwrap().trim(), "1");
    assert!(env.contains("PGUSER=nobody") && !env.contains("PGSSLMODE"), "{env}");
}

#[test]
fn units_of_a_job_in_a_file_keep_the_variables_of_libpq() {
    let world = World::new();
    let db = world.path("jobs.db");

    ok(run(&world, db.to_str().unwrap(), &["run", "--shell", "--", "env >unit.env"]));

    let env = fs::read_to_string(world.path("unit.env")).unwrap();
    assert!(env.contains("PGSSLMODE=prefer") && env.contains("PGUSER=nobody"), "{env}");
}

#[test]
fn a_server_that_is_not_there_is_said_with_exit_code_5() {
    let world = World::new();
    let db = format!("postgres:///jobs?host={}&password=s3cret", world.path("none").display());

    let refused = run(&world, &db, &["list"]);

    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(5), "{said}");
    assert!(said.contains("cannot reach the PostgreSQL database jobs") && !said.contains("s3cret"), "{said}");
    assert!(!world.path("state").exists());
}

#[test]
fn fault_354_a_job_is_copied_from_a_server_into_a_file_and_back() {
    let Some(server) = server() else { return };
    let world = World::new();
    let (from, back) = (server.empty_database(), server.empty_database());
    // One of its units fails, and so does it.
    run(&world, &from, &["run", "--shell", "--range", "1-3", "--", "test {} != 2 || exit 3; echo {}"]);
    let file = world.path("copy.db");
    let file = file.to_str().unwrap();

    ok(run(&world, &from, &["copy", "1", "--to", file]));
    ok(run(&world, file, &["copy", "1", "--to", &back]));

    let units = |db: &str| ok(run(&world, db, &["units", "1", "--json"]));
    let results = |db: &str| ok(run(&world, db, &["results", "1"]));
    assert_eq!(results(&from), results(file));
    assert_eq!(results(&from), results(&back));
    assert_eq!(units(&from).matches("\"failed\"").count(), units(&back).matches("\"failed\"").count());
}

#[test]
fn doctor_says_what_keeps_the_database() {
    let Some(server) = server() else { return };
    let world = World::new();
    let db = server.database();

    let said = String::from_utf8(run(&world, &db, &["doctor"]).stdout).unwrap();

    assert!(said.contains(" answers, PostgreSQL ") && !said.contains("SQLite"), "{said}");
}
