//! Disks that fill up, fail, vanish or lose power.

use std::fs;
use std::path::Path;

use crate::support::{World, is_alive, is_root, needs_file, repeat, text, wait_for, without, without_tool};

#[test]
fn fault_61_a_job_waits_for_space_and_goes_on_by_itself() {
    needs_file!("the disk of the database is full");
    if !is_root() {
        return without("mounting a small disk needs root");
    }
    let world = World::new();
    // Each result is 8 kB: what is left of the 4 MiB fills up in the middle.
    let script = "mkdir small && mount -t tmpfs -o size=4m none small && export JOB_MANAGER_DB=$PWD/small/jobs.db && \
        head -c 3000000 /dev/zero >small/filler && \
        \"$BIN\" submit -q -j 4 --shell --lines \"$1\" -- 'echo {} >>done; head -c 8000 /dev/zero | tr \"\\\\0\" x' && \
        until \"$BIN\" status --json | grep -q 'the disk of the database is full'; do sleep 0.1; done; \
        \"$BIN\" status --json >full.json; cp done done.full; rm small/filler; \"$BIN\" wait -q --timeout 60s; echo \"wait $?\"; \
        \"$BIN\" status --json >end.json; \"$BIN\" logs --manager >log; \
        \"$BIN\" list -q >/dev/null; \"$BIN\" doctor >doctor";
    let numbers = world.numbers(120);

    let ran = world.command("unshare").args(["-m", "sh", "-c", script, "sh", &numbers]).output().unwrap();

    assert!(text(&ran.stdout).ends_with("wait 0\n"), "{} {}", text(&ran.stdout), text(&ran.stderr));
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(world.path(name)).unwrap()).unwrap()
    };
    let full = read("full.json");
    let ran_by_then = world.lines("done.full").len() as u64;
    assert!(full["progress"]["completed"].as_u64().unwrap() <= ran_by_then, "done without having run: {full}");
    assert!(full["progress"]["completed"].as_u64().unwrap() < 120, "{full}");
    assert_eq!(read("end.json")["progress"]["completed"], 120);
    assert_eq!(world.lines("done").len(), 120, "a unit ran twice");
    let log = world.lines("log").join("\n");
    assert!(log.contains("waiting for space") && log.contains("the disk has space again"), "{log}");
}

#[test]
fn fault_56_what_was_acknowledged_survives_a_power_cut() {
    needs_file!("the power of its disk is cut");
    if !is_root() || !Path::new("/dev/loop-control").exists() {
        return without("cutting the power of a disk needs root and loop devices");
    }
    let world = World::new();
    if !world.sh("command -v mkfs.ext4 && command -v python3").status.success() {
        return without("cutting the power of a disk needs mkfs.ext4 and python3");
    }
    let cuts: u64 = repeat(4, 50);
    let mut kept_in_all = 0;
    world.write("cut.py", include_str!("../../fixtures/power_cut.py"));
    world.sh("truncate -s 64M disk.img && mkfs.ext4 -q disk.img && mkdir disk");

    for cut in 0..cuts {
        let units = world.numbers(3000);
        // A different moment each time; what `wait`s saw as completed is noted outside of the disk.
        let script = "mount -o loop disk.img disk && export JOB_MANAGER_DB=$PWD/disk/jobs.db && rm -rf disk/jobs.db* && \
            \"$BIN\" submit -q -j 4 --lines \"$1\" -- true >/dev/null && python3 cut.py \"$BIN\" disk \"$2\" >acknowledged; \
            pkill -KILL -f \"[m]anager $PWD/disk\"; \
            until umount disk 2>/dev/null; do sleep 0.05; done; \
            mount -o loop disk.img disk && \"$BIN\" status --json >status.json && \"$BIN\" doctor >doctor && \
            \"$BIN\" resume >/dev/null; \"$BIN\" wait -q --timeout 60s; echo \"end $?\"; umount disk";
        let moment = (cut * 37 % 400 + 20).to_string();
        let ran = world.command("unshare").args(["-m", "sh", "-c", script, "sh", &units, &moment]).output().unwrap();

        let said = format!("cut {cut}: {}{}", text(&ran.stdout), text(&ran.stderr));
        let acknowledged: u64 =
            world.lines("acknowledged").concat().trim().parse().unwrap_or_else(|_| panic!("{said}"));
        let status: serde_json::Value = serde_json::from_str(&world.lines("status.json").concat()).unwrap();
        let kept = status["progress"]["completed"].as_u64().unwrap();
        assert!(kept >= acknowledged, "{kept} of {acknowledged} acknowledged units are kept: {said}");
        kept_in_all += kept;
        assert!(world.lines("doctor").join("\n").contains("is sound"), "{said}");
        assert!(text(&ran.stdout).ends_with("end 0\n"), "{said}");
    }
    println!("{cuts} cuts, {kept_in_all} completed units before them, none lost");
}

#[test]
fn fault_62_an_error_of_the_disk_stops_the_job_with_the_reason() {
    needs_file!("its disk has errors");
    let world = World::new();
    if !world.sh("command -v strace").status.success() {
        return without_tool("strace");
    }
    for nth in [3, 6, 9] {
        let world = World::new();
        let numbers = world.numbers(400);
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={nth}+");
        let mut strace = world.command("strace");
        strace.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            &inject,
            crate::support::BIN,
        ]);
        strace.args(["submit", "-j", "2", "--lines", &numbers, "--shell", "--", "echo {} >>done"]);
        // strace ends with the last process it follows, the manager.
        let traced = strace.output().unwrap();

        if world.run(&["list", "-q"]).stdout.is_empty() {
            assert!(!traced.status.success(), "no job and no error");
            continue;
        }
        let status = world.status("last");
        assert_eq!(status["status"], if status["epoch"] == 0 { "not_started" } else { "stopped" }, "{status}");
        let said = format!("{}{}{}", text(&traced.stderr), world.report(), status["error"]);
        assert!(said.contains("I/O error"), "{said}");
        world.run(&["resume", "last"]);
        if status["job_status"] != "failed" || status["progress"]["pending"] != 0 {
            world.ok(&["wait", "last"]);
        }
        world.assert_sound("1");
    }
}

#[test]
fn fault_65_a_reader_that_holds_a_snapshot_disturbs_no_writer() {
    needs_file!("the log of SQLite grows under a snapshot");
    let world = World::new();
    world.ok(&["run", "-q", "--", "true"]);
    let reader = world.hold_snapshot();
    let numbers = world.numbers(2000);

    world.ok(&["run", "-q", "-j", "4", "--lines", &numbers, "--", "true"]);

    assert_eq!(world.status("last")["progress"]["completed"], 2000);
    assert!(world.ok(&["doctor"]).contains("changes wait to be moved into the database"));
    drop(reader);
    world.assert_sound("2");
}

#[test]
fn fault_67_a_manager_notices_that_its_database_was_moved() {
    needs_file!("it is moved");
    let world = World::new();
    let numbers = world.numbers(2000);
    let job = world.ok(&["submit", "-j", "2", "--lines", &numbers, "--shell", "--", "sleep 0.01"]);
    world.wait_for_completed(&job, 10);
    let manager = world.manager(&job);

    fs::rename(world.db(), world.path("moved.db")).unwrap();

    wait_for(&world, "the manager to end", || !is_alive(manager));
    let log = fs::read_to_string(world.path("jobs.db.d/1/manager.log")).unwrap();
    assert!(log.contains("was moved, deleted or replaced"), "{log}");
    world.fails(3, &["status", &job]);
    assert!(!world.db().exists(), "a reader created an empty database");
    // Put back with its log, it is as if the manager had died.
    fs::rename(world.path("moved.db"), world.db()).unwrap();
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);
    world.assert_sound(&job);
}

#[test]
fn fault_69_a_truncated_database_is_never_taken_for_a_sound_one() {
    needs_file!("it is cut short");
    let world = World::new();
    let numbers = world.numbers(3000);
    // With a small environment the file ends with units, of which every byte counts, and not with the job's settings.
    let mut create = world.job_manager(&["create", "-q", "--lines", &numbers, "--", "/bin/true"]);
    create.env_clear().env("JOB_MANAGER_DB", world.db());
    assert!(create.output().unwrap().status.success());
    world.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let whole = fs::read(world.db()).unwrap();

    for kept in [whole.len() - 1, whole.len() - 4096, whole.len() / 2, 4096, 1000, 16] {
        fs::write(world.db(), &whole[..kept]).unwrap();

        let doctor = world.run(&["doctor"]);
        let said = text(&doctor.stdout);
        assert!(!doctor.status.success() && !said.contains("is sound"), "{kept} of {} bytes: {said}", whole.len());
        let listed = world.run(&["units", "1", "--limit", "100000"]);
        assert!(!listed.status.success(), "{kept} of {} bytes: all units were listed", whole.len());
    }
}
