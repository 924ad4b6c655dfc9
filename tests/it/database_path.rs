//! Where a database may lie, and what is not touched because a path was wrong.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use serde_json::json;

use crate::support::{Host, World, exists, needs_file, text};

/// All about a file that a look may not change.
fn seen(path: &Path) -> (u32, u64, i64, i64) {
    let found = fs::symlink_metadata(path).unwrap();
    (found.mode(), found.len(), found.mtime(), found.ctime_nsec())
}

#[test]
fn no_verb_makes_the_directory_of_a_database_whose_disk_may_not_be_mounted() {
    needs_file!("it lies on a disk that may be missing");
    let world = World::new();
    let db = world.path("disk/deep/jobs.db");
    let db = db.to_str().unwrap();
    let submitting: [&[&str]; 3] = [&["submit", "--", "true"], &["run", "--", "true"], &["create", "--", "true"]];
    let others =
        ["list", "status", "cancel", "resume", "start", "logs", "results", "wait", "watch", "prune", "recover"];

    for verb in submitting.into_iter().chain(others.iter().map(std::slice::from_ref)) {
        let said = world.fails(3, &[&["--db", db], verb].concat());
        assert!(said.contains("disk/deep for the database") && said.contains("mount its disk"), "{verb:?}: {said}");
    }
    let by_variable = world.job_manager(&["submit", "--", "true"]).env("JOB_MANAGER_DB", db).output().unwrap();
    world.fails(3, &["serve", "--port", "0", "--db", db]);
    let world = world.with_db("disk/deep/jobs.db");
    let started = Host::new(&world).call("start_batch", json!({ "command": ["true"] }));

    assert_eq!(by_variable.status.code(), Some(3));
    assert!(started.failed && started.text.contains("mount its disk"), "{}", started.text);
    assert!(!exists(&world.path("disk")));
}

#[test]
fn a_url_is_refused_as_a_database_by_its_scheme_and_its_password_is_not_told() {
    let world = World::new();
    let urls = ["Postgres://me:secret@host/jobs", "postgres:jobs?password=secret", "file:jobs.db", "sqlite:jobs.db"];
    let of_a_server = ["postgres://me:secret@host/jobs", "postgresql:///jobs?password=secret"];
    let urls = urls.into_iter().chain(of_a_server.into_iter().filter(|_| cfg!(not(feature = "postgres"))));
    let names = || fs::read_dir(world.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let (before, verbs) = (
        names(),
        [
            &["create", "--", "true"][..],
            &["list"],
            &["status"],
            &["doctor", "--json"],
            &["service", "install", "--print"],
        ],
    );

    for db in urls.chain(["file:///jobs.db", ":memory:", "http://host/jobs.db"]) {
        for verb in verbs {
            let said = world.fails(2, &[&["--db", db], verb].concat());
            let begin = if db.starts_with(':') { db } else { db.split_inclusive(':').next().unwrap() };
            assert!(
                said.contains(&format!("{begin} begins no path")) && !said.contains("secret"),
                "{db} {verb:?}: {said}"
            );
        }
    }

    assert_eq!(names(), before);
    world.ok(&["--db", "./:memory:", "create", "--", "true"]);
    world.ok(&["--db", "./file:jobs.db", "create", "--", "true"]);
    world.ok(&["--db", "a:b.db", "create", "--", "true"]);
}

#[test]
fn fault_340_a_connection_string_is_refused_as_a_database_wherever_one_is_named_and_its_password_is_not_told() {
    let world = World::new();
    let names = || fs::read_dir(world.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let before = names();
    let host_is = [
        ("host=db.example dbname=jobs user=me password=secret", "host="),
        ("password = 'secret' host=db", "password="),
        ("service=jobs", "service="),
        ("dbname=postgres://me:secret@host/jobs", "dbname="),
        ("Server=db;Database=jobs;User Id=me;Password=secret", "Server="),
        ("postgres:jobs?password=secret", "postgres:"),
        ("POSTGRESQL:me:secret@host", "POSTGRESQL:"),
        ("jdbc:postgresql://host/jobs?password=secret", "jdbc:"),
        ("me:secret@host/jobs", "me:"),
        ("me:secret@host", "me:"),
    ];

    for (db, begin) in host_is {
        let verbs: [&[&str]; 5] = [
            &["create", "--db", db, "--", "true"],
            &["--db", db, "list"],
            &["--db", db, "doctor", "--json"],
            &["--db", db, "service", "install", "--print"],
            &["create", "--sql", db, "SELECT 1 AS a", "--", "echo", "{a}"],
        ];
        for verb in verbs {
            let said = world.fails(2, verb);
            assert!(said.contains(&format!("{begin} begins no path")) && !said.contains("secret"), "{verb:?}: {said}");
        }
        let by_variable = world.job_manager(&["list"]).env("JOB_MANAGER_DB", db).output().unwrap();
        assert_eq!(by_variable.status.code(), Some(2), "{db}");
        assert!(!text(&by_variable.stderr).contains("secret"), "{db}");
    }

    assert_eq!(names(), before);
    for db in ["./host=a.db", "jobs=1.db", "a:b.db", "dir=x/jobs.db"] {
        fs::create_dir_all(world.path("dir=x")).unwrap();
        world.ok(&["--db", db, "create", "--", "true"]);
    }
}

#[test]
fn the_directory_of_the_default_database_is_made() {
    needs_file!("it has a default place");
    let world = World::new();

    let created = world.job_manager(&["create", "--", "true"]).env_remove("JOB_MANAGER_DB").output().unwrap();

    assert!(created.status.success(), "{}", text(&created.stderr));
    assert!(exists(&world.path("data/job-manager/jobs.db")));
}

#[test]
fn what_is_no_file_is_refused_as_a_database_and_left_as_it_is() {
    needs_file!("its path names something else");
    let world = World::new();
    let pipe = world.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o644)).unwrap();
    let socket = world.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let (dir, dangling) = (world.path("dir"), world.path("dangling"));
    fs::create_dir(&dir).unwrap();
    symlink("nothing", &dangling).unwrap();

    for (path, kind) in [
        (Path::new("/dev/null"), "a device"),
        (&pipe, "a pipe"),
        (&socket, "a socket"),
        (&dir, "a directory"),
        (&dangling, "a link to"),
    ] {
        let before = seen(path);
        for verb in [&["submit", "--", "true"][..], &["list"], &["cancel"]] {
            let said = world.fails(5, &[&["--db", path.to_str().unwrap()], verb].concat());
            assert!(said.contains(&format!("it is {kind}")), "{said}");
        }
        assert_eq!(seen(path), before, "{kind}");
    }
    assert!(!exists(&world.path("nothing")) && fs::read_dir(&dir).unwrap().next().is_none());
    let world = world.with_db("/dev/null");
    let started = Host::new(&world).call("start_batch", json!({ "command": ["true"] }));
    assert!(started.failed && started.text.contains("it is a device"), "{}", started.text);
}

#[test]
fn a_database_without_a_name_is_a_usage_error() {
    let world = World::new();

    let said = world.fails(2, &["list", "--db", ""]);
    let by_variable = world.job_manager(&["submit", "--", "true"]).env("JOB_MANAGER_DB", "").output().unwrap();

    assert_eq!(by_variable.status.code(), Some(2));
    assert!(said.contains("unset JOB_MANAGER_DB"), "{said}");
    assert!(!exists(&world.path("data")));
}

#[test]
fn the_database_of_another_program_is_not_changed() {
    needs_file!("it is of another program");
    let world = World::new().with_db("open.db");
    world.sql("PRAGMA journal_mode = WAL; CREATE TABLE units (text TEXT)");
    let reader = world.hold_snapshot();
    world.sql("INSERT INTO units VALUES ('a')");
    // As its program leaves it when it dies: with a log that has not been moved into the database.
    for end in ["", "-wal"] {
        fs::copy(world.path(&format!("open.db{end}")), world.path(&format!("other.db{end}"))).unwrap();
    }
    drop(reader);
    let world = world.with_db("other.db");
    assert!(fs::metadata(world.path("other.db-wal")).unwrap().len() > 0);
    let text_file = world.write("text.db", "these are notes of mine");
    let before = [seen(&world.db()), seen(&world.path("other.db-wal")), seen(&text_file)];

    for verb in [&["submit", "--", "true"][..], &["list"]] {
        assert!(world.fails(5, verb).contains("belongs to another program"));
        world.fails(5, &[&["--db", text_file.to_str().unwrap()], verb].concat());
    }

    assert_eq!([seen(&world.db()), seen(&world.path("other.db-wal")), seen(&text_file)], before);
    for name in ["other.db-shm", "other.db.d", "text.db.d", "text.db-wal"] {
        assert!(!exists(&world.path(name)), "{name}");
    }
}

#[test]
fn a_link_to_a_database_shares_its_locks() {
    needs_file!("a link leads to it");
    let world = World::new();
    let job = world.ok(&["submit", "-q", "--", "sleep", "600"]);
    symlink("jobs.db", world.path("link.db")).unwrap();

    let pid = world.ok(&["--db", world.path("link.db").to_str().unwrap(), "start", &job]);

    assert_eq!(pid, world.manager(&job).to_string());
    assert!(!exists(&world.path("link.db.d")));
}

#[cfg(feature = "postgres")]
#[test]
fn fault_108_a_url_with_a_password_is_refused_as_an_argument_and_its_password_is_not_told() {
    let world = World::new();

    for db in [
        "postgres://me:secret@host/jobs",
        "postgresql:///jobs?password=secret",
        "postgres://me:se/secret@host/jobs",
        "postgres:///jobs?sslpassword=secret",
    ] {
        let verbs: [&[&str]; 4] = [
            &["create", "--db", db, "--", "true"],
            &["--db", db, "list"],
            &["--db", db, "service", "install", "--print"],
            &["copy", "last", "--to", db],
        ];
        for verb in verbs {
            let said = world.fails(2, verb);
            let ways = ["PGPASSFILE", "PGSERVICE", "JOB_MANAGER_DB"];
            assert!(ways.iter().all(|way| said.contains(way)) && !said.contains("secret"), "{verb:?}: {said}");
        }
    }
}
