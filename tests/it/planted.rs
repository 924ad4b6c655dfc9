//! Others can write where the database lies, and have put something there under the name of a file of ours.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use crate::support::{World, exists, is_root, needs_file, text, without};

const NOBODY: u32 = 65534;

fn give(path: &Path, owner: u32) {
    std::os::unix::fs::lchown(path, Some(owner), Some(owner)).unwrap();
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A world with a job that runs `cat`, one worker, not started; and a file that must stay as it is.
fn world() -> World {
    let world = World::new();
    world.write("precious", "precious");
    let once = ["--max-attempts", "1", "--stdin", "payload"];
    world.ok(&[&["create", "-q", "-j", "1"], &once[..], &["--", "cat"]].concat());
    world
}

/// What is said of the job's only unit and by its manager.
fn told(world: &World) -> String {
    let unit = world.run(&["unit", "1:1"]);
    format!("{}{}", text(&unit.stdout), world.report())
}

fn assert_untouched(world: &World) {
    assert_eq!(fs::read_to_string(world.path("precious")).unwrap(), "precious");
}

#[test]
fn fault_193_a_directory_that_somebody_planted_beside_the_database_is_refused_by_every_verb() {
    needs_file!("somebody plants what lies beside it");
    let world = world();
    let dir = world.path("jobs.db.d");
    let aside = world.path("aside");
    fs::rename(&dir, &aside).unwrap();
    let verbs: [&[&str]; 5] =
        [&["start", "1"], &["list"], &["status", "1"], &["submit", "--", "true"], &["cancel", "1"]];
    let refused = |what: &str| {
        for verb in verbs {
            let said = world.fails(5, verb);
            assert!(said.contains("jobs.db.d") && said.contains(what), "{verb:?}: {said}");
        }
    };

    symlink(&aside, &dir).unwrap();
    refused("is a link, not a directory of this database: remove it");
    fs::remove_file(&dir).unwrap();
    fs::write(&dir, "").unwrap();
    refused("is a file, not a directory of this database");
    fs::remove_file(&dir).unwrap();
    fs::rename(&aside, &dir).unwrap();
    allow(&dir, 0o770);
    refused("can be written to by others (mode 0770)");
    allow(&dir, 0o700);
    if is_root() {
        give(&dir, NOBODY);
        refused("belongs to nobody, not to root");
        give(&dir, 0);
    }

    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);
}

#[test]
fn fault_193_a_new_database_is_not_made_beside_what_somebody_planted() {
    needs_file!("somebody plants what lies beside it");
    for name in ["jobs.db.d", "jobs.db-wal", "jobs.db-shm", "jobs.db-journal"] {
        let world = World::new();
        world.write("precious", "precious");
        symlink(world.path("precious"), world.path(name)).unwrap();

        let said = world.fails(5, &["create", "--", "true"]);

        assert!(said.contains(name) && said.contains("is a link"), "{said}");
        assert!(!exists(&world.db()));
        assert_untouched(&world);
    }
}

#[test]
fn fault_193_the_mode_of_a_new_database_is_taken_from_no_file_that_was_there() {
    needs_file!("it has a mode");
    let world = World::new();
    fs::create_dir(world.path("jobs.db.d")).unwrap();
    allow(&world.path("jobs.db.d"), 0o700);
    world.write("jobs.db.d/setup.lock", "");
    allow(&world.path("jobs.db.d/setup.lock"), 0o644);

    world.ok(&["create", "-q", "--", "true"]);

    assert_eq!(fs::metadata(world.db()).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn fault_193_in_a_directory_of_all_users_ones_own_database_works_and_that_of_a_planter_does_not() {
    needs_file!("somebody plants it");
    if !is_root() || !World::new().sh("command -v setpriv").status.success() {
        return without("another user needs root and setpriv");
    }
    let world = World::new();
    let shared = world.path("shared");
    fs::create_dir(&shared).unwrap();
    allow(&world.path("."), 0o755);
    allow(&shared, 0o1777);
    let planted = "mkdir shared/mine.db.d && chmod 777 shared/mine.db.d && : >shared/mine.db.d/setup.lock && chmod 666 shared/mine.db.d/setup.lock";
    let ran = world
        .command("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", planted])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", text(&ran.stderr));

    let said = world.fails(5, &["--db", "shared/mine.db", "submit", "-q", "--", "true"]);
    world.ok(&["--db", "shared/own.db", "run", "-q", "--", "true"]);

    assert!(said.contains("mine.db.d belongs to nobody, not to root"), "{said}");
    assert!(!exists(&world.path("shared/mine.db")));
}

#[test]
fn fault_194_a_log_of_sqlite_that_somebody_planted_is_not_read() {
    needs_file!("SQLite has a log beside it");
    for name in ["jobs.db-wal", "jobs.db-shm", "jobs.db-journal"] {
        let world = world();
        let path = world.path(name);
        symlink(world.path("precious"), &path).unwrap();
        let link = world.fails(5, &["start", "1"]);
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let pipe = world.fails(5, &["list"]);
        fs::remove_file(&path).unwrap();
        fs::hard_link(world.path("precious"), &path).unwrap();
        let second = world.fails(5, &["list"]);
        fs::remove_file(&path).unwrap();

        assert!(link.contains(name) && link.contains("is a link, not a file of this database"), "{link}");
        assert!(pipe.contains("is a pipe"), "{pipe}");
        assert!(second.contains("has 2 names"), "{second}");
        if is_root() {
            fs::write(&path, "").unwrap();
            give(&path, NOBODY);
            let strange = world.fails(5, &["list"]);
            assert!(strange.contains("belongs to nobody, not to root"), "{strange}");
        }
        assert_untouched(&world);
    }
}

#[test]
fn fault_195_no_file_of_a_job_is_opened_through_a_link_a_pipe_or_a_second_name() {
    for name in ["lock", "manager.log", "notes", "outbox/0.3", "output/1.0.3", "making/0"] {
        for kind in ["link", "hard link", "pipe"] {
            let world = World::new();
            world.write("precious", "precious");
            let create = ["create", "-q", "-j", "1", "--max-attempts", "1", "--output", "full", "--creates", "made"];
            world.ok(&[&create[..], &["--", "sh", "-c", "echo out; touch made"]].concat());
            let path = world.path(&format!("jobs.db.d/1/{name}"));
            for dir in [path.parent().unwrap().parent().unwrap(), path.parent().unwrap()] {
                if !exists(dir) {
                    fs::create_dir(dir).unwrap();
                }
                allow(dir, 0o700);
            }
            match kind {
                "link" => symlink(world.path("precious"), &path).unwrap(),
                "hard link" => fs::hard_link(world.path("precious"), &path).unwrap(),
                _ => nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap(),
            }

            let ran = world.job_manager(&["start", "1"]).output().unwrap();
            if ran.status.success() {
                world.sh("timeout 20 \"$BIN\" wait -q 1");
            }
            // What is read of it, or removed with its directory, is no matter of this test.
            let _ = fs::remove_file(&path);
            let said = format!("{}{}", text(&ran.stderr), told(&world));

            assert_untouched(&world);
            // A note about what is made is put away before the first unit.
            if name == "making/0" {
                continue;
            }
            assert!(said.contains(name), "{kind} {name}: {said}");
            assert!(
                ["is a link", "has 2 names", "is a pipe"].iter().any(|what| said.contains(what)),
                "{kind} {name}: {said}"
            );
        }
    }
}

#[test]
fn fault_195_a_slot_that_is_a_link_overwrites_no_file() {
    let world = world();
    for dir in ["jobs.db.d/1", "jobs.db.d/1/slots"] {
        fs::create_dir(world.path(dir)).unwrap();
        allow(&world.path(dir), 0o700);
    }
    symlink(world.path("precious"), world.path("jobs.db.d/1/slots/0")).unwrap();

    world.run(&["start", "1"]);
    world.sh("timeout 20 \"$BIN\" wait -q 1");

    assert_untouched(&world);
    let said = told(&world);
    assert!(said.contains("slots/0 is a link"), "{said}");
}

#[test]
fn fault_195_a_directory_that_is_swapped_under_a_manager_is_not_entered() {
    let world = World::new();
    world.write("precious", "precious");
    fs::create_dir(world.path("theirs")).unwrap();
    symlink(world.path("precious"), world.path("theirs/0")).unwrap();
    let script = "if test {} = 1; then mv jobs.db.d/1/slots aside; ln -s ../../theirs jobs.db.d/1/slots; fi";

    world.ok(&["run", "-q", "-j", "1", "--shell", "--stdin", "payload", "--", script, ":::", "1", "2", "3"]);

    assert_untouched(&world);
}

#[test]
fn fault_195_output_of_the_users_choice_goes_through_no_link() {
    let world = World::new();
    world.write("precious", "precious");
    fs::create_dir(world.path("out")).unwrap();
    symlink(world.path("precious"), world.path("out/1.1.out")).unwrap();

    world.run(&["run", "-q", "--max-attempts", "1", "--output-dir", "out", "--", "echo", "over"]);

    assert_untouched(&world);
    let said = world.ok(&["unit", "1:1"]);
    assert!(said.contains("1.1.out is a link"), "{said}");
}

#[test]
fn fault_195_a_directory_of_a_group_is_no_fault_when_what_is_ours_in_it_is_ours() {
    let world = world();
    allow(&world.path("."), 0o775);

    world.ok(&["start", "1"]);

    world.ok(&["wait", "1"]);
}
