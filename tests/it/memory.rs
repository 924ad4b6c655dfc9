//! Attempts with a limit of memory.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{World, is_root, wait_for, without};

const MIB: u64 = 1 << 20;
/// Takes ninety mebibytes in a process below the shell.
const NINETY: &str = "python3 -c 'x = bytearray(90 << 20)' || exit 7";

/// The group of this process; none where the tests may make no groups below it.
fn own_group() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap();
    let path = groups.lines().find_map(|line| line.split_once(":memory:")).map(|(_, path)| path.to_owned());
    let found = path.map(|path| Path::new("/sys/fs/cgroup/memory").join(path.trim_start_matches('/')));
    let found = found.filter(|dir| is_root() && dir.join("memory.limit_in_bytes").exists());
    // They may be there to be looked at only.
    let probe = |dir: &PathBuf| {
        let probe = dir.join(format!("jm-test-{}", std::process::id()));
        fs::create_dir(&probe).is_ok() && fs::remove_dir(&probe).is_ok()
    };
    let found = found.filter(probe);
    if found.is_none() {
        without("needs root and control groups of version 1 that count memory");
    }
    found
}

/// The groups of attempts that are there of any job with that uid.
fn groups_of(own: &Path, uid: &str) -> Vec<String> {
    let of_job = format!("job-manager-unit-{}", &uid[uid.len() - 12..]);
    let names = fs::read_dir(own).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(&of_job)).collect()
}

fn json(world: &World, arguments: &[&str]) -> Value {
    serde_json::from_str(&world.ok(arguments)).unwrap()
}

fn uid(world: &World) -> String {
    json(world, &["--json", "status", "1"])["job"]["uid"].as_str().unwrap().to_owned()
}

#[test]
fn an_attempt_that_wants_more_memory_than_it_may_have_is_ended_and_the_next_one_has_twice_as_much() {
    let Some(own) = own_group() else { return };
    let world = World::new();

    world.ok(&["run", "--memory", "32M..128M", "--backoff", "1h..1h", "--shell", "--", NINETY]);
    let attempts = json(&world, &["--json", "unit", "1:1"])["attempts_not_completed"].clone();
    let status = json(&world, &["--json", "status", "1"]);

    for (at, limit) in [(0, 32), (1, 64)] {
        let attempt = &attempts[at];
        let error = attempt["error"].as_str().unwrap();
        assert_eq!(attempt["cause"], "killed", "{attempt}");
        assert!(error.contains(&format!("more than {limit} MiB of memory")), "{attempt}");
        let peak = attempt["peak_memory_bytes"].as_u64().unwrap();
        assert!(peak > limit * MIB / 8 * 7 && peak <= limit * MIB, "{attempt}");
        assert_eq!(attempt["peak_memory_is_bound"], false, "{attempt}");
    }
    assert!(attempts[2].is_null(), "{attempts}");
    let most = status["resources"]["peak_memory_bytes_max"].as_u64().unwrap();
    assert!(most > 90 * MIB && most <= 128 * MIB, "{status}");
    assert_eq!(status["memory"]["first_bytes"], 32 * MIB, "{status}");
    assert!(world.ok(&["status", "1"]).contains("an attempt may have 32 MiB, up to 128 MiB"));
    assert_eq!(groups_of(&own, &uid(&world)), [""; 0]);
}

#[test]
fn a_unit_that_the_largest_size_is_too_small_for_has_failed_and_other_failures_are_tried_again_with_the_same() {
    let Some(_) = own_group() else { return };
    let world = World::new();

    world.fails(10, &["run", "--memory", "32M..64M", "--shell", "--", NINETY]);
    let too_large = json(&world, &["--json", "unit", "1:1"]);
    world.fails(10, &["run", "--memory", "32M..64M", "--backoff", "0s..0s", "--max-attempts", "3", "--", "false"]);
    let failed = json(&world, &["--json", "unit", "2:1"]);

    assert_eq!(too_large["unit"]["attempts"], 2, "{too_large}");
    assert!(too_large["unit"]["error"].as_str().unwrap().contains("more than 64 MiB of memory"), "{too_large}");
    assert_eq!(failed["unit"]["attempts"], 3, "{failed}");
    assert_eq!(failed["unit"]["error"], "exited with code 1");
}

#[test]
fn a_command_with_a_limit_of_memory_starts_as_any_other() {
    let Some(_) = own_group() else { return };
    let world = World::new();
    let said = "import os, sys; print(sys.argv, os.environ['a.b'], os.getcwd(), os.getpgrp() == os.getpid(), sys.stdin.read())";
    world.write("said", said);
    world.write("plain.sh", "echo plain \"$1\"");
    world.sh("chmod +x plain.sh; touch no-program");
    let show = |options: &[&str], command: &[&str]| {
        let all = [&["run", "-q", "--max-attempts", "1", "--env", "a.b=c"][..], options, &["--"], command].concat();
        world.run(&all);
        let unit = json(&world, &["--json", "unit", "last:1"]);
        let text = unit["unit"]["stdout"].to_string();
        let cause = unit["attempts_not_completed"][0]["cause"].clone();
        (text, unit["unit"]["status"].clone(), unit["unit"]["exit_code"].clone(), cause)
    };
    let limited = ["--memory", "256M"];

    let commands: [&[&str]; 3] = [&["python3", "said", "x y"], &["./plain.sh", "$1"], &["sh", "-c", "kill -9 $$"]];
    for command in commands {
        assert_eq!(show(&limited, command), show(&[], command), "{command:?}");
    }
    let shown = show(&limited, &["python3", "said", "x y"]);
    assert!(shown.0.contains("['said', 'x y'] c /") && shown.0.contains(" True "), "{shown:?}");
    // Named by the unit only, because a command that cannot start is refused with its job.
    let items = |options: &[&str]| {
        world.run(
            &[&["run", "-q", "--max-attempts", "1"][..], options, &["--", "{}", ":::", "./no-program", "./nowhere"]]
                .concat(),
        );
        world.units("last").iter().map(|unit| unit["error"].clone()).collect::<Vec<_>>()
    };
    let errors = items(&limited);
    assert_eq!(errors, items(&[]));
    assert!(errors.iter().all(|error| error.as_str().unwrap().contains("cannot start")), "{errors:?}");
}

#[test]
fn a_check_has_what_the_attempt_may_have() {
    let Some(_) = own_group() else { return };
    let world = World::new();

    world.fails(10, &["run", "--memory", "64M", "--check", NINETY, "--", "true"]);

    let unit = json(&world, &["--json", "unit", "1:1"]);
    assert_eq!(unit["attempts_not_completed"][0]["cause"], "killed", "{unit}");
}

#[test]
fn a_limit_of_memory_can_be_changed_while_the_job_waits() {
    let Some(_) = own_group() else { return };
    let world = World::new();
    world.ok(&["create", "--key", "k", "--memory", "32M", "--shell", "--", NINETY]);
    let said = world.fails(4, &["create", "--key", "k", "--memory", "64M", "--shell", "--", NINETY]);
    assert!(said.contains("does something else"), "{said}");

    world.ok(&["set", "1", "memory=128M"]);
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(world.units("1")[0]["attempts"], 1);
}

#[test]
fn fault_463_a_manager_that_dies_leaves_no_group_behind_when_its_job_goes_on() {
    let Some(own) = own_group() else { return };
    let world = World::new();
    let script = "echo up >>up; until [ -e go ]; do sleep 0.02; done";
    world.ok(&["submit", "-q", "--memory", "64M", "--shell", "--", script]);
    wait_for(&world, "the unit", || world.path("up").exists());
    let uid = uid(&world);
    assert_eq!(groups_of(&own, &uid).len(), 1);

    world.kill_manager("1");
    world.ok(&["resume", "1"]);
    wait_for(&world, "the unit to run again", || world.lines("up").len() == 2);
    assert_eq!(groups_of(&own, &uid).len(), 1);
    world.write("go", "");
    world.ok(&["wait", "1"]);

    assert_eq!(groups_of(&own, &uid), [""; 0]);
    world.assert_sound("1");
}

#[test]
fn fault_464_a_limit_of_memory_that_cannot_be_had_is_refused_before_anything_is_created() {
    let Some(_) = own_group() else { return };
    let world = World::new();
    // In a world of its own of mounts, where no control group is to be seen.
    let script = "umount -l /sys/fs/cgroup && exec \"$@\"";
    let without_groups = |args: &[&str]| {
        let mut command = world.command("unshare");
        command.args(["-m", "sh", "-c", script, "sh", crate::support::BIN]).args(args).output().unwrap()
    };

    for dry in [&[][..], &["--dry-run"]] {
        let refused = without_groups(&[&["create", "--memory", "64M"], dry, &["--", "true"]].concat());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("the memory of units cannot be limited here"), "{said}");
    }
    assert!(!world.db().exists());
    world.fails(2, &["create", "--memory", "4G..16G", "--max-attempts", "1", "--", "true"]);
    world.fails(2, &["create", "--memory", "16G..4G", "--", "true"]);
}

#[test]
fn fault_465_a_manager_where_memory_cannot_be_limited_runs_no_unit_without_its_limit() {
    let Some(_) = own_group() else { return };
    let world = World::new();
    world.ok(&["create", "--memory", "64M", "--", "touch", "ran"]);

    let script = "umount -l /sys/fs/cgroup && exec \"$@\"";
    let started = world
        .command("unshare")
        .args(["-m", "sh", "-c", script, "sh", crate::support::BIN, "start", "1"])
        .output()
        .unwrap();

    // It has answered before it looks at the settings of the job.
    assert!(started.status.success(), "{started:?}");
    world.wait_for_status("1", "failed");
    let said = world.ok(&["status", "1"]);
    assert!(said.contains("the memory of units cannot be limited here"), "{said}");
    assert!(!world.path("ran").exists());
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    assert!(world.path("ran").exists());
}
