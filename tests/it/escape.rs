//! What ends with a build or a service, and what is isolated from it.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::support::{World, is_alive, is_root, text, wait_for};

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

/// Puts a `systemd-run` on the search path that notes how it is called and becomes the program, as the real one does;
/// while `no-systemd` exists it finds nobody to ask.
fn with_systemd(world: &World, args: &[&str]) -> Output {
    let fake = "#!/bin/sh\necho \"$*\" >>\"$HOME/asked\"\n\
        test ! -e \"$HOME/no-systemd\" || { echo 'Failed to connect to bus' >&2; exit 1; }\n\
        until [ \"$1\" = -- ]; do shift; done; shift; exec \"$@\"\n";
    std::fs::create_dir_all(world.path("bin")).unwrap();
    let program = world.write("bin/systemd-run", fake);
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    world.job_manager(args).env("PATH", path).output().unwrap()
}

/// Returns the names of the scopes that were made for managers.
fn scopes(world: &World) -> Vec<String> {
    let asked = world.lines("asked");
    let words = asked.iter().flat_map(|line| line.split(' '));
    words.filter_map(|word| word.strip_prefix("--unit=")).map(str::to_owned).collect()
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

#[test]
fn each_manager_of_a_job_with_a_scope_is_started_in_a_new_one() {
    let world = World::new();

    let ran = with_systemd(&world, &["submit", "-q", "--scope", "--", "sleep", "600"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let job = text(&ran.stdout).trim().to_owned();
    let first = world.manager(&job);
    world.kill_manager(&job);
    let resumed = with_systemd(&world, &["resume", &job]);

    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert_ne!(world.manager(&job), first);
    let uid = world.status(&job)["job"]["uid"].as_str().unwrap().to_owned();
    let scopes = scopes(&world);
    assert_eq!(scopes.len(), 2, "{scopes:?}");
    assert!(scopes.iter().all(|scope| scope.starts_with(&format!("job-manager-{uid}-"))), "{scopes:?}");
    assert_ne!(scopes[0], scopes[1]);
    let kind = if is_root() { "--system" } else { "--user" };
    for line in world.lines("asked") {
        assert!(line.starts_with(&format!("{kind} --scope --collect --quiet ")), "{line}");
    }
    world.ok(&["cancel", &job]);
}

#[test]
fn a_scope_that_cannot_be_made_is_refused_before_anything_is_created() {
    let world = World::new();
    let empty = world.path("empty");
    std::fs::create_dir(&empty).unwrap();
    world.write("no-systemd", "");

    let refused = with_systemd(&world, &["submit", "--scope", "--", "true"]);
    let missing = world.job_manager(&["create", "--scope", "--", "/bin/true"]).env("PATH", &empty).output().unwrap();

    let (said, none) = (text(&refused.stderr), text(&missing.stderr));
    assert_eq!((refused.status.code(), missing.status.code()), (Some(1), Some(1)), "{said}{none}");
    assert!(said.contains("nothing was created") && said.contains("Failed to connect to bus"), "{said}");
    assert!(none.contains("systemd-run is not on PATH"), "{none}");
    assert!(!world.db().exists());
}

#[test]
fn a_job_with_a_scope_is_resumed_without_one_only_on_request() {
    let world = World::new();
    let ran = with_systemd(&world, &["submit", "-q", "--scope", "--shell", "--", "test -e go || sleep 600"]);
    let job = text(&ran.stdout).trim().to_owned();
    world.kill_manager(&job);
    world.write("no-systemd", "");
    world.write("go", "");

    let refused = with_systemd(&world, &["resume", &job]);
    let before = world.status(&job)["status"].clone();
    let resumed = with_systemd(&world, &["resume", &job, "--no-scope"]);

    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("Failed to connect to bus") && said.contains("--no-scope"), "{said}");
    assert_eq!(before, "stopped");
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    world.ok(&["wait", &job]);
    world.assert_sound(&job);
}
