//! Completion in the shells themselves: options, names of jobs, numbers of units, kinds of failures, limits.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{BIN, World, exists, needs_file, text, without};

/// A job of which unit 2 failed, and two whose names no shell takes for a word.
fn world() -> World {
    let world = World::new();
    world.run(&[
        "run",
        "-q",
        "--name",
        "photos",
        "--max-attempts",
        "1",
        "--",
        "test",
        "{}",
        "!=",
        "b",
        ":::",
        "a",
        "b",
        "c",
    ]);
    world.ok(&["create", "-q", "--name", "night owl", "--", "true"]);
    world.ok(&["create", "-q", "--name", "it's:done", "--", "true"]);
    world
}

/// Prepares a program that finds the one under test by the search path, as a shell does.
fn command(world: &World, program: &str) -> Command {
    let mut command = world.command(program);
    let dir = Path::new(BIN).parent().unwrap().display();
    command.env("PATH", format!("{dir}:{}", std::env::var("PATH").unwrap())).env("TERM", "dumb");
    command
}

fn is_there(shell: &str) -> bool {
    let found = Command::new(shell).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        without(&format!("no {shell}"));
    }
    found
}

/// Calls the function as bash does for a line with the cursor at its end, without its own way of splitting it: the words are given.
const IN_BASH: &str = r#"
source <("$BIN" completions bash)
COMP_LINE=$1 COMP_POINT=${#1}; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
current=${COMP_WORDS[COMP_CWORD]}
[[ $current == [:=] ]] && current=''
_job_manager job-manager "$current" ''
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn in_bash(world: &World, line: &str, words: &[&str]) -> Vec<String> {
    let output = command(world, "bash").args(["--norc", "-c", IN_BASH, "bash", line]).args(words).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
    text(&output.stdout).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_is_offered_options_jobs_units_kinds_of_failures_and_limits() {
    needs_file!("a Tab does not wait for a server");
    let world = world();
    let offered = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        let last = words.pop().unwrap();
        // As bash splits the last one.
        let parts: Vec<String> = last
            .split_inclusive([':', '='])
            .flat_map(|part| match part.strip_suffix([':', '=']) {
                Some(before) => vec![before.to_owned(), part[before.len()..].to_owned()],
                None => vec![part.to_owned()],
            })
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        words.extend(if parts.is_empty() { vec![""] } else { parts });
        in_bash(&world, line, &words)
    };
    let kind = world.ok(&["failures", "photos", "-q"]);

    assert!(offered("job-manager sta").contains(&"status".to_owned()));
    assert!(offered("job-manager retry --").contains(&"--cluster".to_owned()));
    assert!(offered("job-manager units photos --status ").contains(&"failed".to_owned()));
    assert_eq!(offered("job-manager units photos --status=fa"), ["failed"]);
    assert_eq!(offered("job-manager status pho"), ["photos"]);
    // By their numbers, because they would have to be quoted.
    let all = offered("job-manager status ");
    for job in ["photos", "2", "3", "last"] {
        assert!(all.iter().any(|found| found == job), "{job}: {all:?}");
    }
    assert!(!all.iter().any(|found| found.contains("owl") || found.contains("done")), "{all:?}");
    assert_eq!(offered("job-manager status night"), ["2"]);
    assert_eq!(offered("job-manager unit photos:"), ["2"]);
    assert_eq!(offered("job-manager unit 1:3"), ["3"]);
    assert_eq!(offered("job-manager unit :1"), ["1"]);
    assert_eq!(offered("job-manager retry photos --cluster "), [kind.as_str()]);
    assert_eq!(offered("job-manager set photos max-f"), ["max-failures="]);
    assert_eq!(offered("job-manager set photos ra"), ["rate="]);
    world.ok(&["create", "-q", "--name", "grouped", "--group", "{}", "--", "true", ":::", "alpha", "alps", "beta"]);
    assert_eq!(offered("job-manager units grouped --group al"), ["alpha", "alps"]);
    assert_eq!(offered("job-manager units photos --group "), [""; 0]);
    let elsewhere = format!("job-manager status --db {} ", world.path("none.db").display());
    assert!(!offered(&elsewhere).contains(&"photos".to_owned()));
}

/// Types into an interactive bash: pairs of a text to wait for, and what to type then.
const TYPED: &str = r#"
import os, pty, select, sys, time
steps = list(zip(sys.argv[1::2], sys.argv[2::2]))
pid, master = pty.fork()
if pid == 0: os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])
seen, deadline = b'', time.time() + 30
while time.time() < deadline:
    if select.select([master], [], [], 0.05)[0]:
        try: seen += os.read(master, 65536)
        except OSError: break
    if steps and steps[0][0].encode() in seen:
        os.write(master, steps.pop(0)[1].encode())
        print(seen.decode(errors='replace'))
        seen = b''
print(seen.decode(errors='replace'))
sys.exit(f'gave up: {steps}' if steps else 0)
"#;

#[test]
fn a_name_and_a_unit_are_completed_in_an_interactive_bash() {
    needs_file!("a Tab does not wait for a server");
    let world = world();
    world.write("completion", &world.ok(&["completions", "bash"]));

    let steps = [
        ("bash-", "source completion; PS1='rea''dy> '\n"),
        ("ready> ", "job-manager unit pho\t"),
        // Without the blank that bash has set.
        ("photos", "\u{7f}:\t"),
        (":2", "\n"),
        ("exited with code 1", "exit\n"),
    ];
    let args = steps.iter().flat_map(|(wait, keys)| [*wait, *keys]);
    let output = command(&world, "python3").args(["-c", TYPED]).args(args).output().unwrap();

    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn zsh_is_offered_jobs_with_what_they_are() {
    needs_file!("a Tab does not wait for a server");
    if !is_there("zsh") {
        return;
    }
    let world = world();
    world.write("completion", &world.ok(&["completions", "zsh"]));
    // What _describe is given: the menu itself needs a terminal.
    let script = "compdef() { :; }; _describe() { print -rl -- \"${(P@)4}\" \"${(P@)3}\" }; source ./completion; \
                  words=(job-manager status ''); CURRENT=3; _clap_dynamic_completer_job_manager";

    let output = command(&world, "zsh").args(["-f", "-c", script]).output().unwrap();

    let said = text(&output.stdout);
    assert!(said.contains("photos:job 1") && said.contains("2:night owl"), "{output:?}");
}

#[test]
fn fish_is_offered_jobs_with_what_they_are() {
    needs_file!("a Tab does not wait for a server");
    if !is_there("fish") {
        return;
    }
    let world = world();
    world.write("completion", &world.ok(&["completions", "fish"]));
    let script = "source completion; complete -C 'job-manager status '; complete -C 'job-manager unit photos:'";

    let output = command(&world, "fish").args(["--no-config", "-c", script]).output().unwrap();

    let said = text(&output.stdout);
    assert!(said.contains("photos\tjob 1") && said.contains("2\tnight owl") && said.contains("photos:2"), "{output:?}");
}

#[test]
fn completion_is_silent_without_a_database_and_makes_none() {
    let world = World::new().with_db("none.db");

    let asked = command(&world, BIN)
        .args(["--", "job-manager", "status", ""])
        .envs([("JOB_MANAGER_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", "2")])
        .output()
        .unwrap();
    let unknown =
        command(&world, BIN).args(["--", "job-manager"]).env("JOB_MANAGER_COMPLETE", "cobol").output().unwrap();

    for output in [asked, unknown] {
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(!text(&output.stdout).contains("photos"), "{output:?}");
    }
    assert!(!exists(&world.db()));
}
