//! Programs of units and the directory they run in: what a shell runs is run, and what is missing is named.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::{BIN, World, is_root, text, without};

/// Puts a program into the world.
fn program(world: &World, name: &str, content: &[u8]) {
    let path = world.path(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

fn error_of(world: &World, job: &str) -> String {
    world.units(job)[0]["error"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_script_that_names_no_interpreter_is_run_by_the_shell_as_a_program_an_item_and_a_hook() {
    let world = World::new();
    program(&world, "plain", b"echo \"$0 $# $1\" $PWD $JOB_MANAGER_UNIT\n");
    program(&world, "hook", b"echo $1 >>told\n");

    let fixed = world.ok(&["submit", "--hook", "./hook", "--", "./plain", "{}", ":::", "a b"]);
    world.ok(&["wait", &fixed]);
    let chosen = world.ok(&["submit", "--", "{}", "x", ":::", "./plain"]);
    world.ok(&["wait", &chosen]);

    let here = world.path("").canonicalize().unwrap();
    let said = world.ok(&["logs", &format!("{fixed}:1")]);
    assert!(said.ends_with(&format!("plain 1 a b {} 1", here.display())), "{said}");
    assert!(world.ok(&["logs", &format!("{chosen}:1")]).contains("plain 1 x "));
    assert_eq!(world.lines("told"), ["job_ended"]);
}

#[test]
fn a_missing_interpreter_is_named_at_the_door_and_when_it_goes_later() {
    let world = World::new();
    program(&world, "script", b"#!/nowhere/python9 -u\nprint(1)\n");
    program(&world, "windows", b"#!/bin/sh\r\necho\r\n");
    program(&world, "later", b"#!./interpreter\n");
    program(&world, "interpreter", b"#!/bin/sh\n");

    let refused = world.fails(126, &["submit", "--", "./script"]);
    let with_return = world.fails(126, &["submit", "--", "./windows"]);
    let job = world.ok(&["create", "--", "./later"]);
    fs::remove_file(world.path("interpreter")).unwrap();
    world.ok(&["start", &job]);
    world.run(&["wait", &job]);
    let chosen = world.ok(&["submit", "--", "{}", ":::", "./script"]);
    world.run(&["wait", &chosen]);

    assert!(refused.contains("its interpreter \"/nowhere/python9\" is missing"), "{refused}");
    assert!(with_return.contains("its interpreter \"/bin/sh\\r\" is missing"), "{with_return}");
    assert!(error_of(&world, &job).contains("interpreter\" is missing"), "{}", error_of(&world, &job));
    assert!(error_of(&world, &chosen).contains("\"/nowhere/python9\" is missing"), "{}", error_of(&world, &chosen));
}

#[test]
fn a_program_for_another_machine_is_said_to_be_one_and_never_handed_to_a_shell() {
    let world = World::new();
    let mut foreign = fs::read(BIN).unwrap()[..4096].to_vec();
    // A machine that nobody emulates.
    foreign[18..20].copy_from_slice(&[0xfe, 0xca]);
    program(&world, "foreign", &foreign);
    program(&world, "binary", b"touch ran\n\0\x01\x02\n");

    for name in ["./foreign", "./binary"] {
        let job = world.ok(&["submit", "--max-attempts", "1", "--", name]);
        world.run(&["wait", &job]);
        let error = error_of(&world, &job);
        assert!(error.contains("neither a script nor a program for this machine: Exec format error"), "{error}");
    }
    assert!(!world.path("ran").exists());
}

#[test]
fn absolute_paths_need_no_working_directory_and_neither_do_verbs_that_read() {
    let world = World::new();
    fs::create_dir(world.path("there")).unwrap();
    let there = world.path("there").display().to_string();
    let in_deleted = |line: &str| {
        let script = format!("mkdir -p gone && cd gone && rmdir ../gone && {line}");
        world.sh(&script)
    };

    let script = "'pwd >seen; cat >>seen'";
    let ran = in_deleted(&format!("\"$BIN\" run -q --stdin item --cwd '{there}' --shell -- {script} ::: a"));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    for verb in [
        "list",
        "status last",
        "units last",
        "unit last:1",
        "logs last:1",
        "results last",
        "explain last",
        "failures last",
    ] {
        let read = in_deleted(&format!("\"$BIN\" {verb}"));
        assert!(read.status.success(), "{verb}: {}", text(&read.stderr));
    }
    for verb in ["retry last --all --no-start", "resume last", "wait last", "rm -y last"] {
        let did = in_deleted(&format!("\"$BIN\" {verb}"));
        assert!(!text(&did.stderr).contains("directory"), "{verb}: {}", text(&did.stderr));
    }
    let refused = in_deleted("\"$BIN\" submit -- true");

    assert_eq!(fs::read_to_string(world.path("there/seen")).unwrap(), format!("{there}\na"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("give --cwd with an absolute path"), "{}", text(&refused.stderr));
}

#[test]
fn patterns_are_looked_up_where_the_units_run_and_files_that_are_read_where_the_caller_is() {
    let world = World::new();
    fs::create_dir_all(world.path("out/p")).unwrap();
    for name in ["out/p/a", "out/p/-b", "out/-c"] {
        world.write(name, "");
    }
    world.write("list", "p/a\n");

    let job =
        world.ok(&["run", "-q", "--cwd", "out", "--glob", "p/*", "--glob=-c", "--lines", "list", "--", "ls", "{}"]);
    let job = if job.is_empty() { "last".to_owned() } else { job };
    fs::create_dir(world.path("elsewhere")).unwrap();
    world.write("out/p/d", "");
    let from_elsewhere =
        format!("cd elsewhere && \"$BIN\" add {job} --glob 'p/d' && \"$BIN\" resume {job} && \"$BIN\" wait {job}");
    let added = world.sh(&from_elsewhere);
    let refused = world.fails(2, &["create", "--cwd", "{/.}", "--glob", "p/*", "--", "ls", "{}"]);

    assert!(added.status.success(), "{}", text(&added.stderr));
    let mut items: Vec<String> =
        world.units(&job).iter().map(|unit| unit["payload"].as_str().unwrap().to_owned()).collect();
    items.sort();
    assert_eq!(items, ["./-c", "p/-b", "p/a", "p/a", "p/d"]);
    assert!(refused.contains("give an absolute pattern"), "{refused}");
}

#[test]
fn fault_343_a_bare_name_is_never_a_file_in_the_directory_of_the_unit() {
    let world = World::new();
    program(&world, "only-here", b"#!/bin/sh\necho ran >>ran\n");
    let mut without = world.job_manager(&["run", "-q", "--max-attempts", "1", "--", "{}", ":::", "only-here", "true"]);

    let ran = world.run(&["run", "-q", "--max-attempts", "1", "--", "{}", ":::", "only-here", "true"]);
    let without = without.env_remove("PATH").output().unwrap();

    for (job, ran) in [("1", ran), ("2", without)] {
        assert_eq!(ran.status.code(), Some(10), "{}", text(&ran.stderr));
        assert!(error_of(&world, job).contains("No such file"), "{}", error_of(&world, job));
        assert_eq!(world.status(job)["progress"]["completed"], 1);
    }
    assert!(world.lines("ran").is_empty());
}

#[test]
fn a_search_goes_on_behind_a_file_that_this_user_may_not_execute() {
    if !is_root() {
        return without("another user needs root");
    }
    let world = World::new();
    world.sh("mkdir closed open own; chmod 777 own; chmod 755 .");
    program(&world, "closed/tool", b"#!/bin/sh\necho closed\n");
    program(&world, "open/tool", b"#!/bin/sh\necho open\n");
    world.sh("chmod 700 closed/tool");
    fs::copy(BIN, world.path("own/job-manager")).unwrap();
    let script = "PATH=../closed:../open:$PATH setpriv --reuid=65534 --regid=65534 --clear-groups \
         ./job-manager --db any.db --any-owner run -q --tag -- '{}' ::: tool";

    let ran = world.sh(&format!("cd own && {script}"));

    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert!(text(&ran.stdout).contains("open"), "{}", text(&ran.stdout));
}
