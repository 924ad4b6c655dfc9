//! What a unit inherits: what the process that submitted it had, and nothing that was about that process only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{World, needs_file, text, wait_for, without_tool};

/// Runs a script that calls `"$BIN"`, which must succeed.
fn sh(world: &World, script: &str) {
    let ran = world.sh(script);
    assert!(ran.status.success(), "{script}: {}\n{}", text(&ran.stderr), world.report());
}

/// Lists files and directories of ours with a bit for others than their owner.
fn shared_below(dir: &Path, found: &mut Vec<(PathBuf, u32)>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let about = entry.metadata().unwrap();
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            found.push((entry.path(), mode));
        }
        if about.is_dir() {
            shared_below(&entry.path(), found);
        }
    }
}

#[test]
fn units_create_files_under_the_umask_of_the_submitter_whoever_starts_them() {
    let world = World::new();

    sh(&world, "umask 027; \"$BIN\" run -q -- sh -c 'umask >direct; : >made'");
    sh(&world, "umask 002; \"$BIN\" create -q -- sh -c 'umask >resumed'");
    sh(&world, "umask 077; \"$BIN\" start last; \"$BIN\" wait last");

    assert_eq!(world.lines("direct"), ["0027"]);
    assert_eq!(fs::metadata(world.path("made")).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(world.lines("resumed"), ["0002"]);
}

#[test]
fn no_file_of_ours_is_open_to_others_although_the_umask_is_000() {
    needs_file!("files of SQLite have a mode");
    let world = World::new().with_db("store/jobs.db");
    fs::create_dir(world.path("store")).unwrap();
    fs::set_permissions(world.path("store"), fs::Permissions::from_mode(0o755)).unwrap();
    let flags = "--output full --key k -j 2 --output-dir kept --then true";
    sh(
        &world,
        &format!(
            "umask 000; \"$BIN\" create -q {flags} -- sh -c 'echo out; until test -e go; do sleep 0.02; done' ::: a b"
        ),
    );
    // Before the machine has one place, which the first job holds.
    sh(&world, "umask 000; \"$BIN\" run -q -k --output full -- true");
    sh(
        &world,
        "umask 000; \"$BIN\" scale --machine 1 && \"$BIN\" start 1 && \"$BIN\" create -q --name other -- true ::: a",
    );
    sh(&world, "umask 000; \"$BIN\" add other -- ::: c; \"$BIN\" cancel -y other");
    wait_for(&world, "a unit to run", || world.status("1")["progress"]["running"] == 1);

    let mut shared = Vec::new();
    shared_below(&world.path("store"), &mut shared);
    shared_below(&world.path("kept"), &mut shared);

    assert!(world.path("store/jobs.db-wal").exists() && world.path("store/jobs.db-shm").exists());
    assert!(
        fs::read_dir(world.path("store/jobs.db.d/1/slots")).unwrap().count() > 0
            && world.path("store/jobs.db.d/places").exists()
    );
    assert_eq!(fs::metadata(world.path("kept")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(shared, []);
    world.write("go", "");
    world.ok(&["wait", "1"]);
}

#[test]
fn units_have_the_limits_and_the_nice_value_of_the_submitter_whoever_starts_them() {
    let world = World::new();
    let unit = "echo $(ulimit -S -n) $(ulimit -S -c) $(ulimit -S -s) $(nice) >seen-{}";

    sh(
        &world,
        &format!(
            "ulimit -S -n 200; ulimit -S -c 0; ulimit -S -s 4096; nice -n 3 \"$BIN\" create -q --shell -- '{unit}' ::: a"
        ),
    );
    sh(&world, "ulimit -S -n 300; \"$BIN\" start last; \"$BIN\" wait last");
    sh(&world, &format!("ulimit -S -n 300; \"$BIN\" create -q --shell -- '{unit}' ::: b"));
    sh(&world, "ulimit -S -n 100; nice -n 5 \"$BIN\" start last; \"$BIN\" wait last");

    let own: i32 = text(&world.sh("nice").stdout).trim().parse().unwrap();
    assert_eq!(world.lines("seen-a"), [format!("200 0 4096 {}", own + 3)]);
    assert!(world.lines("seen-b")[0].starts_with("300 "), "{:?}", world.lines("seen-b"));
    assert!(world.lines("seen-b")[0].ends_with(&format!(" {}", own + 5)), "a nicer starter stays nicer");
}

#[test]
fn units_have_default_signals_whatever_the_submitter_ignored_or_blocked() {
    let world = World::new();
    let script = "import os, signal\n\
        for s in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP, signal.SIGRTMIN + 3): signal.signal(s, signal.SIG_IGN)\n\
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})\n\
        os.execv(os.environ['BIN'], ['job-manager', 'submit', '-q', '--', 'grep', '-E', 'Sig(Ign|Blk)', '/proc/self/status'])\n";

    let ran = world.command("python3").args(["-c", script]).output().unwrap();
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    world.ok(&["wait", "last"]);

    // The C library has every child that it spawns ignore its own two signals, 32 and 33.
    let seen = world.ok(&["logs", "last:1"]).replace("0000000180000000", "0000000000000000");
    assert_eq!(seen, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000");
}

#[test]
fn variables_about_the_submitting_process_are_not_handed_on_and_its_settings_are() {
    let world = World::new();
    fs::create_dir(world.path("there")).unwrap();
    let about = [
        ("SHLVL", "7"),
        ("OLDPWD", "/elsewhere"),
        ("PWD", "/elsewhere"),
        ("COLUMNS", "80"),
        ("NOTIFY_SOCKET", "/run/x"),
        ("LISTEN_FDS", "1"),
        ("NODE_CHANNEL_FD", "3"),
        ("PARALLEL_SEQ", "4"),
        ("MAKELEVEL", "2"),
        ("MAKEFLAGS", "k -j4 --jobserver-auth=3,4"),
        ("TERM", "vt52"),
        ("SSH_AUTH_SOCK", "/run/agent"),
    ];
    let mut submit = world.job_manager(&["run", "-q", "--cwd", "there", "--env", "COLUMNS", "--", "env"]);

    let ran = submit.envs(about).output().unwrap();
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let seen = world.ok(&["logs", "last:1"]);
    let value = |name: &str| {
        let mut lines = seen.lines().filter_map(|line| line.split_once('='));
        lines.find_map(|(other, value)| (other == name).then(|| value.to_owned()))
    };

    for name in ["SHLVL", "OLDPWD", "NOTIFY_SOCKET", "LISTEN_FDS", "NODE_CHANNEL_FD", "PARALLEL_SEQ", "MAKELEVEL"] {
        assert_eq!(value(name), None, "{name}");
    }
    let there = world.path("there").canonicalize().unwrap();
    assert_eq!(value("PWD").as_deref(), there.to_str());
    assert_eq!(value("MAKEFLAGS").as_deref(), Some("k"));
    assert_eq!(value("COLUMNS").as_deref(), Some("80"));
    assert_eq!(value("TERM").as_deref(), Some("vt52"));
    assert_eq!(value("SSH_AUTH_SOCK").as_deref(), Some("/run/agent"));
}

#[test]
fn a_recipe_of_make_submits_units_that_run_make_without_a_word_about_a_jobserver() {
    let world = World::new();
    if world.sh("make --version").status.code() != Some(0) {
        return without_tool("make");
    }
    world.write("Makefile", "all:\n\t+@\"$(BIN)\" run -q -- $(MAKE) -f inner\n");
    world.write("inner", "all:\n\t@echo level $(MAKELEVEL)\n");

    // A `make` that runs these tests would make this one its own sub-make, which prints the directories it enters.
    sh(&world, "env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -j4 >said 2>&1");

    assert_eq!(world.ok(&["logs", "last:1"]), "level 0");
    assert_eq!(world.ok(&["logs", "last:1", "--stderr"]), "");
}
