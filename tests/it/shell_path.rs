//! Another shell than /bin/sh for scripts.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{World, exists, without_tool};

fn has_bash(world: &World) -> bool {
    world.command("bash").arg("--version").stdout(Stdio::null()).status().is_ok()
}

#[test]
fn scripts_and_commands_of_a_file_run_in_the_shell_that_was_asked_for() {
    let world = World::new();
    if !has_bash(&world) {
        return without_tool("bash");
    }
    let arrays = "list=({} $'\\t'); [[ ${#list[@]} = 2 ]] && cat <<<\"$BASH ${list[0]}\"";
    let commands = world.write("commands", "- a=(1 2) 2>/dev/null\nb=(1 2); [[ ${#b[@]} = 2 ]] && echo \"{}$BASH\"\n");
    let script = "[[ -n $BASH_VERSION ]] && cat <<<{}";

    let written =
        world.ok(&["run", "-k", "--shell", "--shell-path", "bash", "--", script, ":::", "it's \\ $HOME", "b"]);
    let then = ["--then", "echo $BASH >then"];
    let file = ["--commands", commands.to_str().unwrap(), "--max-attempts", "1"];
    let ran = world.run(&[&["run", "-k", "--shell-path", "bash"], &file[..], &then[..]].concat());

    assert_eq!(written, "it's \\ $HOME\nb");
    let printed = crate::support::text(&ran.stdout);
    assert!(printed.starts_with("{}/") && printed.ends_with("/bash\n"), "{printed}");
    assert!(world.lines("then")[0].ends_with("/bash"));
    let spec = world.count(r#"count(*) FROM specs WHERE job_id = 1 AND spec LIKE '%"shell_path":"/%/bash"%'"#);
    assert_eq!(spec, 1);
    // A value never stands where only some shells quote.
    world.fails(2, &["create", "--shell", "--shell-path", "bash", "--", arrays, ":::", "a"]);
}

#[test]
fn a_shell_that_cannot_run_scripts_is_refused_before_anything_is_created() {
    let world = World::new();
    world.write("data", "");
    let list = world.write("list", "true\n");
    let list = list.to_str().unwrap();

    for given in [&["--shell", "--", "true"][..], &["--commands", list]] {
        world.fails(127, &[&["submit", "--shell-path", "no-such-shell"], given].concat());
        world.fails(126, &[&["submit", "--shell-path", "./data"], given].concat());
        let refused = world.fails(2, &[&["submit", "--shell-path", "cat"], given].concat());
        assert!(
            refused.contains("cannot be the shell of scripts: it does not run a script given after -c"),
            "{refused}"
        );
    }
    let without_script = world.fails(2, &["submit", "--shell-path", "sh", "--", "true"]);

    assert!(
        without_script.contains("--shell-path requires --shell, --commands, --then or --check"),
        "{without_script}"
    );
    assert!(!exists(&world.db()));
}

#[cfg(feature = "mcp")]
#[test]
fn a_batch_from_a_conversation_may_name_its_shell_too() {
    let world = World::new();
    if !has_bash(&world) {
        return without_tool("bash");
    }
    let mut host = crate::support::Host::new(&world);

    let started =
        host.call("start_batch", json!({ "shell": "[[ -n $BASH ]] && echo {}", "shell_path": "bash", "items": ["a"] }));
    world.ok(&["wait"]);
    let refused = host.refused("start_batch", json!({ "shell": "true", "shell_path": "cat" }));
    let senseless = host.refused("start_batch", json!({ "command": ["true"], "shell_path": "sh" }));

    assert!(!started.failed, "{}", started.text);
    assert_eq!(world.units("1")[0]["status"], Value::from("completed"));
    assert!(refused.contains("cannot be the shell"), "{refused}");
    assert!(senseless.contains("shell_path requires shell"), "{senseless}");
}

#[test]
fn a_script_for_the_end_alone_may_have_a_shell() {
    let world = World::new();
    if !has_bash(&world) {
        return without_tool("bash");
    }
    world.ok(&["run", "-q", "--shell-path", "bash", "--then", "cat <<<\"$BASH\" >then", "--", "true"]);
    assert!(world.lines("then")[0].ends_with("/bash"));
}

#[test]
fn a_shell_is_a_program_without_options() {
    let world = World::new();
    let refused = world.fails(2, &["submit", "--shell", "--shell-path", "sh -e", "--", "true"]);
    assert!(refused.contains("--shell-path takes a program, without options"), "{refused}");
    for option in ["--shell-path", "--cwd"] {
        let refused = world.fails(2, &["submit", "--shell", option, "", "--", "true"]);
        assert!(refused.contains("it is empty, expected e.g."), "{refused}");
    }
    assert!(!exists(&world.db()));
}
