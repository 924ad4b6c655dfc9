//! What people type first: no words, a question, a command in the wrong place.

use crate::support::{World, exists, text};

#[test]
fn help_lists_the_verbs_in_groups_and_nothing_asked_is_no_success() {
    let world = World::new();

    let alone = world.run(&[]);
    let asked = world.ok(&["help"]);

    let without_db = world.job_manager(&[]).env_remove("JOB_MANAGER_DB").output().unwrap();
    for help in [text(&alone.stderr), text(&without_db.stderr), asked.clone()] {
        assert!(help.contains("Start and follow:\n  submit") && help.contains("From inside a unit:"), "{help}");
    }
    assert_eq!((alone.status.code(), text(&alone.stdout).as_str()), (Some(2), ""));
    assert_eq!(world.ok(&["--help"]), asked);
    assert_eq!(world.ok(&["help", "submit"]), world.ok(&["submit", "--help"]));
    assert_eq!(world.ok(&["help", "ls"]), world.ok(&["list", "--help"]));
    assert!(world.ok(&["help", "exit-codes"]).contains("127"));
    assert!(world.ok(&["help", "placeholders"]).contains("{ext}"));
    assert!(world.fails(2, &["help", "weather"]).contains("no verb or topic \"weather\""));
    assert!(!exists(&world.db()));
}

#[test]
fn a_command_that_stands_in_the_wrong_place_is_answered_with_the_right_one() {
    let world = World::new();
    world.write("a.jpg", "");
    world.write("b.jpg", "");

    for (line, said) in [
        (&["run", "echo", "hi"][..], "did you mean: job-manager run -- echo hi"),
        (&["run", "true"], "did you mean: job-manager run -- true"),
        (&["submit", "gzip", "-9", "{}", ":::", "a", "b"], "did you mean: job-manager submit -- gzip -9 {} ::: a b"),
        (&["run", "--glob", "a.jpg", "b.jpg", "--", "echo", "{}"], "quote the pattern"),
        (&["run", "--lines", "a.jpg", "b.jpg", "--", "echo", "{}"], "--lines a.jpg --lines b.jpg"),
        (&["run", "-P", "4", "gzip", "{}"], "no option -P: write -j N"),
    ] {
        let refused = world.fails(2, line);
        assert!(refused.contains(said), "{line:?}: {refused}");
    }
    for line in [&["run", "--", "echo hi"][..], &["run", "--", "echo {} there", ":::", "a"]] {
        let refused = world.fails(127, line);
        assert!(refused.contains("is one word with blanks, did you mean --shell"), "{line:?}: {refused}");
    }
    assert!(!exists(&world.db()));
}

#[test]
fn help_and_version_that_cannot_be_written_are_an_error_and_not_a_panic() {
    let world = World::new();
    for words in
        ["help", "help submit", "help placeholders", "--help", "submit --help", "--version", "status --version"]
    {
        let output = world.sh(&format!("\"$BIN\" {words} >/dev/full"));
        let said = text(&output.stderr);
        let is_usage = words == "status --version";
        assert_eq!(output.status.code(), Some(if is_usage { 2 } else { 1 }), "{words}: {said}");
        assert!(!said.contains("panicked"), "{words}: {said}");
    }
}
