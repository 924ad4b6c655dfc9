//! What a command says of its unit after its attempt is over.

use std::fs;
use std::process::Output;

use crate::support::{World, text, wait_for};

/// A unit that keeps the environment of each of its runs, `env.0` first, and the second of which waits for `go`.
const UNIT: &str = "run=$(ls env.* 2>/dev/null | wc -l); cat /proc/self/environ >env.new; mv env.new env.$run; ";

const WORDS: [&[&str]; 3] = [&["unit-result", "17"], &["unit-progress", "1", "2"], &["unit-checkpoint", "put", "17"]];

/// Says something as a process does that a run of the unit left behind.
fn say(world: &World, run: &str, words: &[&str], change: impl Fn(&str) -> String) -> Output {
    let kept = fs::read(world.path(run)).unwrap();
    let mut command = world.job_manager(words);
    for variable in text(&kept).split('\0').filter(|variable| variable.starts_with("JOB_MANAGER_")) {
        let (name, value) = variable.split_once('=').unwrap();
        command.env(name, if name == "JOB_MANAGER_COOKIE" { change(value) } else { value.to_owned() });
    }
    command.output().unwrap()
}

fn unchanged(cookie: &str) -> String {
    cookie.to_owned()
}

/// Runs a unit twice, with the same number of attempt, and leaves it at its second run.
fn at_its_second_run(again: fn(&World)) -> World {
    let world = World::new();
    world.write(
        "unit.sh",
        &format!("{UNIT} test $run = 0 && test -e fails && exit 1; until test -e go; do sleep 0.02; done"),
    );
    again(&world);
    wait_for(&world, "the second run", || world.path("env.1").exists());
    wait_for(&world, "its start to be recorded", || world.status("1")["progress"]["running"] == 1);
    world
}

fn after_a_retry(world: &World) {
    world.write("fails", "");
    world.fails(10, &["run", "-q", "--max-attempts", "1", "--", "sh", "unit.sh"]);
    world.ok(&["retry", "--no-start", "1", "--failed"]);
    world.ok(&["resume", "1"]);
}

fn after_an_interruption(world: &World) {
    world.ok(&["submit", "-q", "--", "sh", "unit.sh"]);
    wait_for(world, "the first run", || world.path("env.0").exists());
    world.ok(&["stop", "1", "--now", "--wait"]);
    world.ok(&["resume", "1"]);
}

fn after_the_death_of_the_manager(world: &World) {
    world.ok(&["submit", "-q", "--", "sh", "unit.sh"]);
    wait_for(world, "the first run", || world.path("env.0").exists());
    world.kill_manager("1");
    world.ok(&["resume", "1"]);
}

#[test]
fn fault_257_a_late_child_has_no_say_about_another_attempt_of_the_same_number() {
    for again in [after_a_retry, after_an_interruption, after_the_death_of_the_manager] {
        let world = at_its_second_run(again);

        let late: Vec<Output> = WORDS.iter().map(|words| say(&world, "env.0", words, unchanged)).collect();
        let of_it: Vec<Output> = WORDS
            .iter()
            .map(|words| say(&world, "env.1", &[&words[..words.len() - 1], &["3"]].concat(), unchanged))
            .collect();
        world.write("go", "");
        world.ok(&["wait", "1"]);

        for refused in late {
            assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
        }
        for taken in of_it {
            assert!(taken.status.success(), "{}", text(&taken.stderr));
        }
        let results = world.ok(&["results"]);
        assert!(results.contains("\"result\":3"), "{results}");
    }
}

#[test]
fn fault_443_a_late_child_postpones_no_other_attempt_of_the_same_number() {
    for again in [after_a_retry, after_an_interruption, after_the_death_of_the_manager] {
        let world = at_its_second_run(again);

        let late = say(&world, "env.0", &["unit-later", "1h"], unchanged);
        world.write("go", "");
        world.ok(&["wait", "1"]);

        assert_eq!(late.status.code(), Some(4), "{}", text(&late.stderr));
    }
}

#[test]
fn fault_257_units_of_older_versions_and_commands_without_the_cookie_have_their_say() {
    let world = at_its_second_run(after_an_interruption);
    // As an older version writes it, with the lease and the number only.
    let older = |cookie: &str| {
        let (attempt, database) = cookie.split_once(';').unwrap();
        format!("{};{database}", attempt.split(':').take(4).collect::<Vec<_>>().join(":"))
    };

    let early = say(&world, "env.0", WORDS[0], older);
    let of_older = say(&world, "env.1", WORDS[0], older);
    let without = say(&world, "env.1", WORDS[0], |_| String::new());
    world.write("go", "");
    world.ok(&["wait", "1"]);

    assert_eq!(early.status.code(), Some(4), "another lease: {}", text(&early.stderr));
    for taken in [of_older, without] {
        assert!(taken.status.success(), "{}", text(&taken.stderr));
    }
}
