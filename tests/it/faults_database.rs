//! Databases that are busy, foreign, damaged or full, and many processes at one file.

use std::fs;
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::support::{
    World, identity, is_root, needs_file, on_server, repeat, send, text, wait_for, without, without_tool,
};

#[test]
fn fault_57_many_writers_never_see_a_busy_database() {
    needs_file!("SQLite has one writer");
    let world = World::new();
    let numbers = world.numbers(150);
    let jobs: Vec<String> =
        (0..6).map(|_| world.ok(&["submit", "-j", "2", "--lines", &numbers, "--", "true"])).collect();

    for job in &jobs {
        world.ok(&["list", "--json"]);
        world.ok(&["wait", job]);
    }

    for job in &jobs {
        let log = world.ok(&["logs", "--manager", job]);
        assert!(!log.contains("error") && !log.contains("busy"), "{log}");
        assert_eq!(world.status(job)["progress"]["completed"], 150);
    }
}

#[test]
fn fault_58_every_open_of_the_database_comes_from_sqlite() {
    needs_file!("it is opened by SQLite alone");
    let world = World::new();
    if world.command("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        return without_tool("strace");
    }
    world.ok(&["submit", "--hold", "--", "true", ":::", "a", "b"]);

    let traced = world
        .command("strace")
        .args(["-f", "-qq", "-e", "trace=openat,open,creat", "-o", "trace", crate::support::BIN, "start", "1"])
        .output()
        .unwrap();
    assert!(traced.status.success(), "{}", text(&traced.stderr));
    world.ok(&["wait", "1"]);

    // SQLite opens its files with O_NOFOLLOW; std never does.
    let opens: Vec<String> = world
        .lines("trace")
        .into_iter()
        .filter(|line| line.contains("/jobs.db\"") || line.contains("/jobs.db-"))
        .collect();
    assert!(!opens.is_empty());
    for open in opens {
        assert!(open.contains("O_NOFOLLOW"), "{open}");
    }
}

#[test]
fn fault_60_many_processes_create_one_database_at_once() {
    let (rounds, processes) = (repeat(5, 200), repeat(20, 50));
    for _ in 0..rounds {
        let world = World::new();
        let clients: Vec<_> = (0..processes)
            .map(|_| {
                world
                    .job_manager(&["create", "-q", "--", "true"])
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for client in clients {
            let output = client.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        assert_eq!(world.count("(SELECT count(*) FROM jobs)"), processes);
        let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/");
        let migrations = format!("{migrations}{}", if on_server() { "postgres" } else { "sqlite" });
        let migrations = fs::read_dir(migrations).unwrap().count();
        let done = world.count("(SELECT count(*) FROM __diesel_schema_migrations)");
        assert_eq!(usize::try_from(done).unwrap(), migrations);
    }
}

#[test]
fn whoever_reads_a_database_that_is_just_being_made_waits_until_it_is() {
    needs_file!("its making is held up by a lock");
    let world = World::new();
    let mut submit = world.job_manager(&["create", "--range", "1-3", "--", "true", "{}"]);
    let mut submit = submit.env("JOB_MANAGER_CRASH", "inside-setup:stop").stdout(Stdio::null()).spawn().unwrap();
    let is_at = |pid: u32, state: char| identity(pid).is_some_and(|found| found.state == state);
    wait_for(&world, "the database to be half made", || is_at(submit.id(), 'T'));

    let list = world.job_manager(&["list", "-q"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lock = world.path("jobs.db.d/setup.lock");
    wait_for(&world, "the reader to wait or to end", || {
        let files = fs::read_dir(format!("/proc/{}/fd", list.id()));
        is_at(list.id(), 'Z')
            || files
                .is_ok_and(|files| files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|at| at == lock)))
    });
    send(submit.id(), Signal::SIGCONT);
    let list = list.wait_with_output().unwrap();

    assert!(list.status.success(), "{}", text(&list.stderr));
    assert!(submit.wait().unwrap().success());
}

#[test]
fn a_database_whose_maker_died_is_none_until_the_next_one_makes_it() {
    needs_file!("its maker leaves it empty");
    let world = World::new();
    let mut create = world.job_manager(&["create", "--range", "1-3", "--", "true", "{}"]);
    create.env("JOB_MANAGER_CRASH", "inside-setup:kill").output().unwrap();

    let missing = world.fails(3, &["list"]);
    world.ok(&["create", "--range", "1-3", "--", "true", "{}"]);

    assert!(missing.contains("no database at"), "{missing}");
    assert_eq!(world.ok(&["list", "-q"]), "1");
}

#[test]
fn a_new_database_is_readable_by_its_owner_only() {
    needs_file!("it has a mode");
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();

    world.sh("umask 000; \"$BIN\" run -q -- true");

    let mode = |name: &str| fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("jobs.db"), 0o600);
    assert_eq!(mode("jobs.db.d"), 0o700);
    assert_eq!(mode("jobs.db.d/1"), 0o700);
    assert_eq!(mode("jobs.db.d/1/manager.log"), 0o600);
}

#[test]
fn fault_68_a_foreign_or_newer_database_is_refused_with_the_reason() {
    needs_file!("its version is a number of SQLite's");
    let world = World::new();
    world.write("text.db", "this is no database, only some text that is long enough to be looked at");
    world.sql("CREATE TABLE somebody_elses (id INTEGER)");

    let foreign = world.fails(5, &["list"]);
    let no_database = world.fails(5, &["--db", "text.db", "submit", "--", "true"]);
    fs::remove_file(world.db()).unwrap();
    world.ok(&["create", "-q", "--", "true"]);
    world.sql("PRAGMA user_version = 99");
    let newer = world.fails(5, &["list"]);

    assert!(foreign.contains("belongs to another program"), "{foreign}");
    assert!(no_database.contains("it is not an SQLite database"), "{no_database}");
    assert!(!no_database.contains("damaged"), "{no_database}");
    assert!(newer.contains("schema 99") && newer.contains("install a newer"), "{newer}");
}

#[test]
fn fault_69_a_damaged_database_is_called_damaged_and_never_empty() {
    needs_file!("its bytes are damaged");
    let world = World::new();
    let numbers = world.numbers(2000);
    world.ok(&["create", "-q", "--lines", &numbers, "--", "true"]);
    world.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let mut bytes = fs::read(world.db()).unwrap();

    let middle = bytes.len() / 2;
    bytes[1024..middle].fill(0xa5);
    fs::write(world.db(), &bytes).unwrap();

    let said = world.fails(5, &["units", "1"]);
    assert!(said.contains("damaged"), "{said}");
    bytes[..100].fill(b'x');
    fs::write(world.db(), &bytes).unwrap();
    let said = world.fails(5, &["list"]);
    assert!(said.contains("damaged"), "{said}");
}

#[test]
fn fault_61_on_a_full_disk_nothing_is_created_and_the_reason_is_named() {
    needs_file!("its disk is full");
    if !is_root() {
        return without("mounting a small disk needs root");
    }
    let world = World::new();
    let numbers = world.numbers(100_000);
    let script = "mkdir small && mount -t tmpfs -o size=1m none small && \
        \"$BIN\" --db small/jobs.db create -q --name first -- true; \
        \"$BIN\" --db small/jobs.db create -q --lines \"$1\" -- true; echo \"code $?\"; \
        \"$BIN\" --db small/jobs.db list -q";

    let ran = world.command("unshare").args(["-m", "sh", "-c", script, "sh", &numbers]).output().unwrap();

    assert!(text(&ran.stdout).ends_with("code 5\n1\n"), "{} {}", text(&ran.stdout), text(&ran.stderr));
    assert!(text(&ran.stderr).contains("the disk is full"), "{}", text(&ran.stderr));
}

#[test]
fn fault_66_a_read_only_database_can_be_read_and_not_written() {
    needs_file!("it is made read-only");
    if !is_root() {
        return without("mounting needs root");
    }
    let world = World::new();
    world.ok(&["run", "-q", "--", "true"]);
    world.ok(&["create", "-q", "--", "true"]);
    let script = "mount --bind . . && mount -o remount,ro,bind . && cd . && \
        \"$BIN\" list -q; echo \"list $?\"; \"$BIN\" cancel 2; echo \"cancel $?\"";

    let ran = world.command("unshare").args(["-m", "sh", "-c", script]).output().unwrap();

    let said = format!("{}{}", text(&ran.stdout), text(&ran.stderr));
    assert!(said.contains("cancel 5"), "{said}");
    assert!(said.contains("list 0") || said.contains("list 5"), "{said}");
}

#[test]
fn fault_70_a_creation_that_is_killed_leaves_no_job() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);
    // The first chunk is written while the source is still open.
    let mut creator = world
        .command("sh")
        .args(["-c", "{ seq 15000; exec sleep 600; } | exec \"$BIN\" create -q - -- true {}"])
        .spawn()
        .unwrap();
    wait_for(&world, "the first units to be written", || world.count("(SELECT count(*) FROM units)") > 1);

    assert_eq!(world.ok(&["list", "-q"]), "1");
    crate::support::kill_world(&world);
    creator.wait().unwrap();
    world.ok(&["create", "-q", "--", "true"]);

    assert_eq!(world.ok(&["list", "-q"]), "3\n1");
    assert_eq!(world.count("(SELECT count(*) FROM units)"), 2);
}
