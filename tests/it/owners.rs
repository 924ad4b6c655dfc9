//! Whose a database is, who may run what stands in it, and what is said of files that may not be opened.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::{BIN, Host, World, is_root, needs_file, text, wait_for, without};

const NOBODY: u32 = 65534;

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A world of a user called nobody, where root looks in; none without root and a way to become that user.
fn world_of_nobody() -> Option<World> {
    let world = World::new();
    if !is_root() || !world.sh("command -v setpriv").status.success() {
        without("another user needs root and setpriv");
        return None;
    }
    // That user may not be let into the directory of the program.
    fs::copy(BIN, world.path("job-manager")).unwrap();
    allow(&world.path("job-manager"), 0o755);
    std::os::unix::fs::chown(world.path("."), Some(NOBODY), Some(NOBODY)).unwrap();
    Some(world)
}

fn command_of_nobody(world: &World, args: &[&str]) -> Command {
    let mut command = world.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "./job-manager"]).args(args);
    command
}

fn as_nobody(world: &World, args: &[&str]) -> Output {
    command_of_nobody(world, args).output().unwrap()
}

fn ok_as_nobody(world: &World, args: &[&str]) -> String {
    let output = as_nobody(world, args);
    assert!(output.status.success(), "{args:?}: {}\n{}", text(&output.stderr), world.report());
    text(&output.stdout)
}

/// Files beside the database that belong to somebody else than its owner.
fn files_of_others(world: &World) -> String {
    text(&world.sh("find jobs.db* ! -uid 65534").stdout)
}

#[test]
fn fault_196_root_does_not_run_the_units_of_somebody_else_unless_it_is_meant() {
    needs_file!("it has an owner and a mode");
    let Some(world) = world_of_nobody() else { return };
    let script = "id -u >ran";
    ok_as_nobody(&world, &["create", "-q", "--shell", "--", script]);
    let verbs: [&[&str]; 6] = [
        &["start", "1"],
        &["resume", "1"],
        &["submit", "--", "true"],
        &["run", "--", "true"],
        &["create", "--", "true"],
        &["submit", "--dry-run", "--", "true"],
    ];

    for verb in verbs {
        let said = world.fails(4, verb);
        assert!(said.contains("jobs.db belongs to nobody, and its units would run as root"), "{verb:?}: {said}");
        assert!(said.contains("`sudo -u nobody`") && said.contains("--any-owner"), "{verb:?}: {said}");
    }
    let mut host = Host::new(&world);
    for (tool, given) in [("start_batch", json!({ "command": ["true"] })), ("resume_job", json!({ "job": "1" }))] {
        let said = host.call(tool, given);
        assert!(said.failed && said.text.contains("sudo -u"), "{tool}: {}", said.text);
    }
    drop(host);

    assert!(!world.path("ran").exists());
    assert_eq!(world.count("(SELECT count(*) FROM jobs)"), 1);
    assert_eq!(files_of_others(&world), "");
    world.ok(&["--any-owner", "start", "1"]);
    world.ok(&["wait", "1"]);
    assert_eq!(fs::read_to_string(world.path("ran")).unwrap(), "0\n");
    assert_eq!(files_of_others(&world), "");
    ok_as_nobody(&world, &["logs", "1", "--manager"]);
    ok_as_nobody(&world, &["run", "-q", "--output", "full", "--", "true"]);
}

#[test]
fn fault_196_an_interrupted_job_of_somebody_else_is_not_taken_up_and_the_variable_says_that_it_is_meant() {
    needs_file!("it has an owner and a mode");
    let Some(world) = world_of_nobody() else { return };
    ok_as_nobody(&world, &["submit", "-q", "--shell", "--", "test -e go || exec sleep 600"]);
    world.kill_manager("1");

    let resumed = world.run(&["resume", "--all"]);
    let recovered = world.run(&["recover", "--all"]);
    let before = world.status("1")["job_status"].clone();
    world.write("go", "");
    let meant = world.job_manager(&["recover", "1"]).env("JOB_MANAGER_ANY_OWNER", "1").output().unwrap();

    for refused in [resumed, recovered] {
        let said = text(&refused.stderr);
        assert!(!refused.status.success() && said.contains("sudo -u nobody"), "{said}");
    }
    assert_eq!(before, "running");
    assert!(meant.status.success(), "{}", text(&meant.stderr));
    world.ok(&["wait", "1"]);
    assert_eq!(files_of_others(&world), "");
}

#[test]
fn fault_197_what_root_does_to_a_job_of_somebody_leaves_no_file_that_its_owner_cannot_open() {
    needs_file!("it has an owner and a mode");
    let Some(world) = world_of_nobody() else { return };
    ok_as_nobody(&world, &["create", "-q", "--name", "first", "--", "true", ":::", "1", "2"]);
    ok_as_nobody(&world, &["submit", "-q", "--name", "second", "--", "sleep", "600"]);
    world.kill_manager("2");

    world.ok(&["skip", "-y", "first", "--all"]);
    world.ok(&["add", "first", "--", ":::", "3"]);
    world.ok(&["list"]);
    world.ok(&["cancel", "-y", "second"]);
    let mut watcher = world.job_manager(&["watch", "first"]).spawn().unwrap();
    // SQLite gives it away a moment after it has made it.
    let is_owners = |name: &str| fs::metadata(world.path(name)).is_ok_and(|file| file.uid() == NOBODY);
    wait_for(&world, "files of the owner", || is_owners("jobs.db-wal") && is_owners("jobs.db-shm"));
    watcher.kill().unwrap();
    watcher.wait().unwrap();

    assert_eq!(files_of_others(&world), "");
    ok_as_nobody(&world, &["start", "first"]);
    ok_as_nobody(&world, &["wait", "first"]);
    ok_as_nobody(&world, &["rm", "-y", "second"]);
}

#[test]
fn fault_198_a_database_that_anybody_can_write_or_replace_is_not_run() {
    needs_file!("it has an owner and a mode");
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);
    let open = |said: &str| said.contains("anybody can write to") && said.contains("chmod ");
    let path = world.path(".").canonicalize().unwrap();

    allow(&path, 0o777);
    for verb in
        [&["start", "1"][..], &["submit", "--", "true"], &["cancel", "1"], &["--db", "new.db", "create", "--", "true"]]
    {
        let said = world.fails(5, verb);
        assert!(open(&said) && said.contains("chmod +t"), "{verb:?}: {said}");
    }
    world.ok(&["list"]);
    allow(&path, 0o1777);
    allow(&world.db(), 0o666);
    let said = world.fails(5, &["start", "1"]);
    assert!(open(&said) && said.contains("chmod o-w"), "{said}");
    allow(&world.db(), 0o600);
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);
    allow(&path, 0o777);
    world.ok(&["--any-owner", "run", "-q", "--", "true"]);
    assert!(world.fails(5, &["--db", "/dev/jobs.db", "create", "--", "true"]).contains("among the devices"));
}

#[test]
fn fault_199_a_file_that_may_not_be_opened_is_named_with_its_owner_and_mode() {
    needs_file!("it has an owner and a mode");
    let Some(world) = world_of_nobody() else { return };
    std::os::unix::fs::chown(world.path("."), Some(0), Some(0)).unwrap();
    allow(&world.path("."), 0o755);
    world.ok(&["run", "-q", "--output", "full", "--", "echo", "out"]);
    let said = |args: &[&str]| {
        let refused = as_nobody(&world, args);
        assert!(!refused.status.success(), "{args:?}");
        text(&refused.stderr)
    };

    for verb in [&["list"][..], &["status", "1"], &["cancel", "1"], &["logs", "1"], &["submit", "--", "true"]] {
        let said = said(verb);
        assert!(
            said.contains("jobs.db is owned by root, mode 0600") || said.contains("belongs to root"),
            "{verb:?}: {said}"
        );
    }
    allow(&world.db(), 0o644);
    let read_only = said(&["cancel", "1"]);
    assert!(read_only.contains("jobs.db is owned by root, mode 0644"), "{read_only}");
    // SQLite can be read by others while somebody else keeps its log.
    world.ok(&["submit", "-q", "--", "sleep", "600"]);
    world.sh("chmod 666 jobs.db-wal jobs.db-shm");
    let log = said(&["logs", "--manager", "1"]);
    assert!(log.contains("jobs.db.d is owned by root, mode 0700"), "{log}");
    allow(&world.path("jobs.db.d"), 0o755);
    allow(&world.path("jobs.db.d/1"), 0o755);
    let log = said(&["logs", "--manager", "1"]);
    assert!(log.contains("manager.log is owned by root, mode 0600"), "{log}");
    let output = said(&["logs", "1:1"]);
    assert!(output.contains("output is owned by root, mode 0700"), "{output}");
    allow(&world.path("."), 0o700);
    assert!(fs::metadata(world.path(".")).unwrap().mode() & 0o077 == 0);
    let closed = said(&["--db", world.db().to_str().unwrap(), "list"]);
    assert!(closed.contains("is owned by root, mode 0700"), "{closed}");
    world.ok(&["cancel", "-y", "2"]);
}

#[test]
fn fault_196_the_dashboard_an_approval_and_the_server_of_tools_ask_whether_another_owner_is_meant() {
    needs_file!("it has an owner and a mode");
    let Some(world) = world_of_nobody() else { return };
    for name in ["first", "second", "third", "fourth"] {
        let submit = ["run", "-q", "--name", name, "--canary", "1", "--", "true", ":::", "a", "b"];
        assert_eq!(as_nobody(&world, &submit).status.code(), Some(12));
    }
    let awaits = |name: &str| world.status(name)["job_status"] == "awaiting_approval";

    let refused = world.fails(4, &["approve", "first"]);
    let served = world.serve(&[]).post("/api/v1/jobs/first/approve", "{}");
    let called = Host::new(&world).call("approve_job", json!({ "job": "first" }));

    assert!(refused.contains("sudo -u nobody"), "{refused}");
    assert!(served.status == 409 && served.body.contains("would run as root"), "{served:?}");
    assert!(called.failed && called.text.contains("sudo -u"), "{}", called.text);
    assert!(awaits("first"), "a refused approval left the job approved");
    world.ok(&["--any-owner", "approve", "second"]);
    let served = world.serve(&["--any-owner"]).post("/api/v1/jobs/third/approve", "{}");
    assert_eq!(served.status, 200, "{served:?}");
    let called = Host::with_flags(&world, &["--any-owner"]).call("approve_job", json!({ "job": "fourth" }));
    assert!(!called.failed, "{}", called.text);
    for name in ["second", "third", "fourth"] {
        world.ok(&["wait", name]);
    }
    assert_eq!(files_of_others(&world), "");
}
