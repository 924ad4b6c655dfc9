//! Lists after the command: files of items, combinations and pairs, for every verb that takes items.

use crate::support::{World, exists, text};

/// Returns the commands of a dry run.
fn commands(world: &World, line: &[&str]) -> Vec<String> {
    let printed = world.ok(&[&["create", "--dry-run", "1000"], line].concat());
    printed.lines().map(str::to_owned).collect()
}

/// Refuses a creation, and checks that nothing was created.
fn refused(world: &World, line: &[&str]) -> String {
    refused_with(2, world, line)
}

fn refused_with(code: i32, world: &World, line: &[&str]) -> String {
    let said = world.fails(code, &[&["create"], line].concat());
    let is_created = exists(&world.db()) && world.count("(SELECT count(*) FROM jobs)") > 0;
    assert!(!is_created, "{line:?} left a job: {said}");
    assert_eq!(world.run(&[&["create", "--dry-run"], line].concat()).status.code(), Some(code), "{line:?}");
    said
}

#[test]
fn a_file_that_is_named_as_a_list_is_read_and_never_an_item() {
    let world = World::new();
    for name in ["a", "b c", "keep"] {
        world.write(name, "");
    }
    world.write("list.txt", "\u{feff}a\r\nb c\r\n");

    world.ok(&["run", "-q", "--", "rm", "{}", "::::", "list.txt"]);

    assert!(exists(&world.path("list.txt")) && exists(&world.path("keep")));
    assert!(!exists(&world.path("a")) && !exists(&world.path("b c")));
}

#[test]
fn combined_lists_are_one_unit_for_each_combination_and_its_parts_are_arguments() {
    let world = World::new();
    world.write("sizes", "1\n2\n");

    let printed = commands(&world, &["--", "cp", "{}", "{1/.}-{2}", "{2}", ":::", "d/a.x", "b y", "::::", "sizes"]);
    let job = world.ok(&["create", "--", "true", "{}", ":::", "a", "b", "::::", "sizes"]);

    assert_eq!(printed, ["cp d/a.x 1 a-1 1", "cp d/a.x 2 a-2 2", "cp 'b y' 1 'b y-1' 1", "cp 'b y' 2 'b y-2' 2"]);
    let payloads: Vec<String> = world.units(&job).iter().map(|unit| unit["payload"].to_string()).collect();
    assert_eq!(payloads, [r#"["a","1"]"#, r#"["a","2"]"#, r#"["b","1"]"#, r#"["b","2"]"#]);
}

#[test]
fn paired_lists_go_item_by_item_and_unequal_ones_are_refused_with_their_lengths() {
    let world = World::new();
    world.write("three", "1\n\n3\n");

    let printed = commands(&world, &["--", "echo", "{2}", "{1}", ":::", "a", "b", "c", "::::+", "three"]);
    let said = refused(&world, &["--", "echo", "{}", ":::", "a", "b", "::::+", "three"]);

    assert_eq!(printed, ["echo 1 a", "echo '' b", "echo 3 c"]);
    assert!(said.contains("list 1 has 2, three has 3"), "{said}");
}

#[test]
fn an_empty_list_is_named() {
    let world = World::new();
    world.write("empty", "");

    for (line, name) in [
        (&["--", "echo", "{}", ":::"][..], "no items"),
        (&["--", "echo", "{}", "::::", "empty"], "empty has no"),
        (&["--", "echo", "{}", ":::", "a", ":::"], "list 2"),
        (&["--", "echo", "{}", ":::", "::::", "empty"], "empty has no items"),
        (&["--", "echo", "{}", ":::", "a", "::::", "empty", ":::", "b"], "empty"),
    ] {
        let said = refused_with(3, &world, line);
        assert!(said.contains(name), "{line:?}: {said}");
    }
    let job = world.ok(&["create", "--allow-empty", "--", "echo", "{}", ":::", "a", ":::"]);
    assert!(world.units(&job).is_empty());
}

#[test]
fn what_cannot_be_a_list_is_refused_before_anything_is_created() {
    let world = World::new();
    std::fs::write(world.path("utf16"), b"\xff\xfea\0\n\0").unwrap();

    for (line, reason) in [
        (&["--", "echo", "{}", ":::+", "a"][..], "pairs a list with the one before it"),
        (&["--", "echo", "{}", "::::"], "name one after it"),
        (&["--", "echo", "{}", "::::", "absent"], "cannot read absent"),
        (&["--", "echo", "{}", "::::", "."], "cannot read ."),
        (&["--", "echo", "{}", ":::", "a", "::::", "utf16"], "iconv"),
        (&["--", "echo", "{}", "::::", "-", "-"], "standard input can be read once"),
        (&["-", "--", "echo", "{}", "::::", "-"], "standard input can be read once"),
        (&["--range", "1-2", "--", "echo", "{}", ":::", "a", ":::", "b"], "no other source"),
        (&["--null", "--", "echo", "{}", ":::", "a", ":::", "b"], "--null"),
        (&["--commands", "absent", "--", ":::", "a"], ""),
        (&["--", "echo", "x{}", ":::", "a", ":::", "b"], "{1}"),
        (&["--", "echo", "{3}", ":::", "a", ":::", "b"], "{3}"),
        (&["--shell", "--", "echo x{}", ":::", "a", ":::", "b"], "{}"),
        (&["--unit-key", "{}", "--", "echo", "{}", ":::", "a", ":::", "b"], "{1}"),
        (&["--creates", "{}", "--", "echo", "{}", ":::", "a", ":::", "b"], "{1}"),
    ] {
        let said = refused(&world, line);
        assert!(said.contains(reason), "{line:?}: {said}");
    }
}

#[test]
fn limits_and_separators_hold_for_lists() {
    let world = World::new();
    world.write("nul", "a\nb\0c\0");

    let limited = commands(&world, &["--limit", "3", "--", "echo", "{}", ":::", "a", "b", ":::", "1", "2"]);
    let separated = world.ok(&["create", "--null", "--", "echo", "{}", "::::", "nul", ":::+", "1", "2"]);
    let piped = world.sh("printf 'x\\ny\\n' | \"$BIN\" create --dry-run -- echo {1} {2} ::: 1 2 :::: -");

    assert_eq!(limited, ["echo a 1", "echo a 2", "echo b 1"]);
    assert_eq!(world.units(&separated)[0]["payload"], serde_json::json!(["a\nb", "1"]));
    assert_eq!(text(&piped.stdout), "echo 1 x\necho 1 y\necho 2 x\necho 2 y\n");
}

#[test]
fn parts_of_a_combination_are_quoted_in_a_script() {
    let world = World::new();
    let script = "printf '<%s>' {} \"{1}\" {2}";

    let job = world.ok(&["run", "-q", "--shell", "--", script, ":::", "a b", ":::", "$(x)"]);

    assert_eq!(world.units(&job)[0]["stdout"], "<a b><$(x)><a b><$(x)>");
}

#[test]
fn combinations_can_be_added_to_a_job_of_them_and_to_no_other() {
    let world = World::new();
    let job = world.ok(&["create", "--", "echo", "{}", ":::", "a", ":::", "1"]);
    let plain = world.ok(&["create", "--", "echo", "{}", ":::", "a"]);

    world.ok(&["add", &job, "--", ":::", "b", ":::", "1", "2"]);
    let fewer = world.fails(2, &["add", &job, "--", ":::", "c"]);
    let more = world.fails(2, &["add", &plain, "--", ":::", "b", ":::", "1", "2"]);
    let synced = world.ok(&["sync", &job, "--", ":::", "a", "c", ":::", "1"]);

    assert_eq!(world.units(&job).len(), 4);
    assert!(fewer.contains("combination") && more.contains("combination"), "{fewer}{more}");
    assert!(synced.starts_with("+1 new, ~0 changed, -2 gone, 1 the same"), "{synced}");
}

#[test]
fn an_empty_list_that_is_allowed_is_named() {
    let world = World::new();

    let ran = world.run(&["run", "--allow-empty", "--", "echo", "{1}", "{2}", ":::", "a", "b", "::::", "/dev/null"]);

    assert!(ran.status.success() && text(&ran.stderr).contains("/dev/null has no items"), "{}", text(&ran.stderr));
}
