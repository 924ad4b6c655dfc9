//! What ends with a build or a service, and what is kept apart from it.

use std::process::Output;

use crate::support::{World, is_alive, text, wait_for};

/// The variable that the fake runner of these tests goes by, with its value in the first build.
const BUILD: &str = "RUNNER_TRACKING_ID=github_1";

/// Kills every process of this world whose environment has a line of the given value, as a runner does when a build ends.
const SWEEP: &str = r#"for dir in /proc/[0-9]*; do
    vars=$(tr '\0' '\n' 2>/dev/null <$dir/environ) || continue
    case "$vars" in *"JM_TEST_WORLD=$JM_TEST_WORLD"*) ;; *) continue ;; esac
    case "$vars" in *"$1"*) [ "${dir#/proc/}" = $$ ] || kill -KILL "${dir#/proc/}" 2>/dev/null ;; esac
done
exit 0"#;

fn in_build(world: &World, args: &[&str]) -> Output {
    let (name, value) = BUILD.split_once('=').unwrap();
    world.job_manager(args).env(name, value).env("BUILD_ID", "77").output().unwrap()
}

fn sweep(world: &World) {
    let swept = world.command("sh").args(["-c", SWEEP, "sweep", BUILD]).output().unwrap();
    assert!(swept.status.success(), "{}", text(&swept.stderr));
}

/// Submits a job inside the build and waits until its unit runs.
fn submit_in_build(world: &World, flags: &[&str]) -> String {
    let unit = ["--shell", "--", "echo $$ >unit; until test -e go; do sleep 0.02; done"];
    let ran = in_build(world, &[&["submit", "-q"], flags, &unit[..]].concat());
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    wait_for(world, "the unit to run", || !world.lines("unit").is_empty());
    text(&ran.stdout).trim().to_owned()
}

fn environment_of(pid: u32) -> String {
    text(&std::fs::read(format!("/proc/{pid}/environ")).unwrap()).replace('\0', "\n")
}

#[test]
fn fault_07_a_sweep_of_a_ci_runner_interrupts_a_job_that_can_be_resumed() {
    let world = World::new();
    let job = submit_in_build(&world, &[]);

    sweep(&world);

    wait_for(&world, "the job to be interrupted", || world.ok(&["status", &job, "-q"]) == "interrupted");
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);
    world.assert_sound(&job);
}

#[test]
fn fault_07_a_job_that_escapes_is_not_found_by_a_sweep_neither_when_it_is_resumed_inside_a_build() {
    let world = World::new();
    let job = submit_in_build(&world, &["--escape-ci"]);
    let unit: u32 = world.lines("unit")[0].parse().unwrap();
    let first = world.manager(&job);

    sweep(&world);
    let survived = (is_alive(first), is_alive(unit));
    world.kill_manager(&job);
    let resumed = in_build(&world, &["resume", &job]);
    sweep(&world);

    assert_eq!(survived, (true, true));
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    let second = world.manager(&job);
    let environment = environment_of(second);
    assert!(!environment.contains(BUILD) && !environment.contains("BUILD_ID="), "{environment}");
    world.write("go", "");
    world.ok(&["wait", &job]);
    world.assert_sound(&job);
}
