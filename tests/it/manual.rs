//! What brings the command line to the shell and to `man`.

use std::fs;

use crate::support::{World, exists, text};

#[test]
fn completions_are_scripts_that_their_shell_can_read() {
    let world = World::new();

    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.ok(&["completions", shell]);
        assert!(script.contains("JOB_MANAGER_COMPLETE") && script.contains("job-manager"), "{shell}: {script}");
    }
    let read = world.sh("\"$BIN\" completions bash >script && bash -n script && \"$BIN\" completions zsh | head -1");
    world.fails(2, &["completions", "cobol"]);

    assert!(read.status.success() && read.stderr.is_empty(), "{}", text(&read.stderr));
    assert!(!exists(&world.db()));
}

#[test]
fn each_verb_has_a_manual_page_with_its_flags_and_its_example() {
    let world = World::new();

    let page = world.ok(&["man"]);
    let written = world.ok(&["man", "new/man1"]);
    world.write("file", "");
    let refused = world.fails(1, &["man", "file/man1"]);

    assert!(page.contains(".TH job-manager 1"), "{page}");
    assert!(written.lines().any(|line| line == "new/man1/job-manager.1"));
    assert!(refused.contains("cannot write the manual page file/man1"), "{refused}");
    for path in written.lines() {
        assert!(fs::read_to_string(world.path(path)).unwrap().contains(".TH job-manager"), "{path}");
    }
    for topic in ["placeholders", "exit-codes"] {
        assert!(written.lines().any(|line| line == format!("new/man1/job-manager-{topic}.1")), "{written}");
    }
    let submit = fs::read_to_string(world.path("new/man1/job-manager-submit.1")).unwrap().replace('\\', "");
    assert!(submit.contains("--max-attempts") && submit.contains("Example:"), "{submit}");
}
