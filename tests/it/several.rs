//! Units of several items.

use crate::support::{World, exists, text};

fn commands(world: &World, line: &[&str]) -> Vec<String> {
    let printed = world.ok(&[&["create", "--dry-run", "1000"], line].concat());
    printed.lines().map(str::to_owned).collect()
}

fn refused(world: &World, line: &[&str]) -> String {
    let said = world.fails(2, &[&["create"], line].concat());
    let is_created = exists(&world.db()) && world.count("(SELECT count(*) FROM jobs)") > 0;
    assert!(!is_created, "{line:?} left a job: {said}");
    said
}

#[test]
fn a_unit_has_so_many_items_as_arguments_of_their_own() {
    let world = World::new();
    world.write("people", "name,mail\nAda,a@x\nBob,b@x\nCy,c@x\n");

    let words =
        commands(&world, &["-n", "2", "--", "echo", "{}", "--in={}", "{/.}", "{#}", ":::", "d/a.x", "b c", "e"]);
    let parts = commands(&world, &["-n", "2", "--", "diff", "{1}", "{2}", ":::", "a", "b", "c", "d"]);
    let fields = commands(&world, &["-n", "2", "--csv", "people", "--", "echo", "{name}", "x", "{2}"]);

    assert_eq!(words, ["echo d/a.x 'b c' '--in=d/a.x' '--in=b c' a 'b c' 1", "echo e '--in=e' e 2"]);
    assert_eq!(parts, ["diff a b", "diff c d"]);
    assert_eq!(fields, ["echo Ada Bob x a@x b@x", "echo Cy x c@x"]);
}

#[test]
fn a_unit_knows_its_items_and_shows_them() {
    let world = World::new();
    let script = "printf '%s\\n' \"$JOB_MANAGER_PAYLOAD\"; cat";

    let job = world.ok(&["run", "-q", "-n", "2", "--stdin", "item", "--", "sh", "-c", script, ":::", "a", "b c", "d"]);
    let shown = world.ok(&["unit", &format!("{job}:1")]);

    let outputs: Vec<&str> =
        [0, 1].map(|index| world.units(&job)[index]["stdout"].as_str().unwrap().to_owned().leak() as &str).to_vec();
    assert_eq!(outputs, ["[\"a\",\"b c\"]\na\nb c\n", "[\"d\"]\nd\n"]);
    assert!(shown.contains(r#"["a","b c"]"#), "{shown}");
    let said = refused(&World::new(), &["-n", "2", "--stdin", "item", "--", "cat", ":::", "a", "b\nc"]);
    assert!(said.contains("--stdin payload"), "{said}");
}

#[test]
fn as_many_items_as_the_system_takes_are_one_unit_and_none_is_lost() {
    let world = World::new();
    let count = 120_000;
    world.write("count", "printf '%s %s\\n' $# \"$1\"\n");
    let numbers = world.numbers(count);

    let job = world.ok(&["run", "-q", "-X", "--lines", &numbers, "--", "sh", "count", "{}", "{#}"]);

    let units = world.units(&job);
    let mut expected = 1;
    for unit in &units {
        let said = unit["stdout"].as_str().unwrap();
        let (arguments, first) = said.trim().split_once(' ').unwrap();
        assert_eq!(first, expected.to_string());
        expected += arguments.parse::<usize>().unwrap() - 1;
    }
    assert_eq!(expected, count + 1);
    assert!((2..20).contains(&units.len()), "{} units", units.len());
    let few = commands(&world, &["-X", "-n", "3", "--", "echo", "{}", ":::", "a", "b", "c", "d"]);
    assert_eq!(few, ["echo a b c", "echo d"]);
}

#[test]
fn a_script_gets_several_items_as_quoted_words() {
    let world = World::new();
    let script = "printf '<%s>' {}; printf '|%s' {/}";

    let job = world.ok(&["run", "-q", "-n", "2", "--shell", "--", script, ":::", "a b", "x/$(y)"]);

    assert_eq!(world.units(&job)[0]["stdout"], "<a b><x/$(y)>|a b|$(y)");
    let world = World::new();
    for script in ["echo x{}", "echo \"{}\"", "x={}; echo", "cat < {}", "cat >{}", "echo {}{}", "echo {}x"] {
        let said = refused(&world, &["-n", "2", "--shell", "--", script, ":::", "a", "b"]);
        assert!(said.contains("{}"), "{script}: {said}");
    }
}

#[test]
fn what_names_one_item_is_refused_where_a_unit_has_several() {
    let world = World::new();
    world.write("people", "name\nAda\nBob\n");
    let items = [":::", "a", "b"];

    for (options, command) in [
        (&["--unit-key", "{}"][..], &["echo", "{}"][..]),
        (&["--unit-key", "constant"], &["echo", "{}"]),
        (&["--creates", "out/{/}"], &["echo", "{}"]),
        (&["--cwd", "{//}"], &["echo", "{}"]),
        (&["--env", "X={}"], &["echo", "{}"]),
        (&["--csv", "people"], &["echo", "x{name}"]),
        (&["--csv", "people", "--shell"], &["echo x{name}"]),
        (&[], &["echo", "{3}"]),
        (&[], &["echo", "{}-{1}"]),
    ] {
        let items = if options.contains(&"--csv") { &[][..] } else { &items };
        let line = [&["-n", "2"], options, &["--"], command, items].concat();
        refused(&world, &line);
    }
    let said = refused(&world, &["-X", "--", "echo", "{1}", ":::", "a", "b"]);
    assert!(said.contains("-n"), "{said}");
    let said = refused(&world, &["-X", "--", "echo", ":::", "a", "b"]);
    assert!(said.contains("{}"), "{said}");
    refused(&world, &["-n", "2", "--", "echo"]);
    refused(&world, &["-n", "0", "--", "echo", "{}", ":::", "a"]);
}

#[test]
fn items_are_added_in_groups_and_a_source_of_groups_is_not_compared() {
    let world = World::new();
    let job = world.ok(&["create", "-n", "2", "--", "echo", "{}", ":::", "a", "b", "c"]);

    let added = world.ok(&["add", &job, "--", ":::", "d", "e", "f"]);
    let said = world.fails(4, &["sync", &job, "--", ":::", "a", "b"]);

    assert_eq!(added, "2 units added");
    let payloads: Vec<String> = world.units(&job).iter().map(|unit| unit["payload"].to_string()).collect();
    assert_eq!(payloads, [r#"["a","b"]"#, r#"["c"]"#, r#"["d","e"]"#, r#"["f"]"#]);
    assert!(said.contains("several items"), "{said}");
}

#[test]
fn a_failed_unit_is_split_into_its_items_once() {
    let world = World::new();
    let script = "for x; do test \"$x\" != b || exit 1; done";
    world.run(&[
        "run",
        "-q",
        "-n",
        "2",
        "--max-attempts",
        "1",
        "--",
        "sh",
        "-c",
        script,
        "sh",
        "{}",
        ":::",
        "a",
        "b",
        "c",
    ]);

    let split = world.ok(&["retry", "--no-start", "1", "--one-by-one"]);
    let again = world.fails(3, &["retry", "1", "--one-by-one"]);
    let skipped = world.fails(3, &["retry", "1", "--status", "skipped"]);
    world.ok(&["resume", "1"]);
    let waited = world.run(&["wait", "1"]);

    assert_eq!(split, "2 units pending again");
    assert!(!again.is_empty() && !skipped.is_empty());
    assert_eq!(waited.status.code(), Some(10), "{}", text(&waited.stderr));
    let units = world.units("1");
    let seen: Vec<(String, &str)> =
        units.iter().map(|unit| (unit["payload"].to_string(), unit["status"].as_str().unwrap())).collect();
    let seen: Vec<(&str, &str)> = seen.iter().map(|(payload, status)| (payload.as_str(), *status)).collect();
    assert_eq!(
        seen,
        [(r#"["a","b"]"#, "skipped"), (r#"["c"]"#, "completed"), (r#"["a"]"#, "completed"), (r#"["b"]"#, "failed")]
    );
    world.assert_sound("1");
    // A failed unit of one item is retried as any other.
    assert_eq!(world.ok(&["retry", "--no-start", "1", "--one-by-one"]), "1 unit pending again");
}

#[test]
fn units_of_one_item_cannot_be_split() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--", "false", "{}", ":::", "a"]);

    let said = world.fails(4, &["retry", "1", "--one-by-one"]);

    assert!(said.contains("one item"), "{said}");
}

#[test]
fn units_are_not_split_into_ones_that_can_never_run() {
    let world = World::new();
    let command = ["--", "false", "{1}", "{2}", ":::", "1", "2", "3"];
    world.run(&[&["run", "-q", "--max-attempts", "1", "-n", "3"][..], &command].concat());

    let said = world.fails(2, &["retry", "last", "--one-by-one"]);

    assert!(said.contains("unit 1 ") && said.contains("{2}"), "{said}");
    let units = world.units("1");
    assert_eq!((units.len(), &units[0]["status"]), (1, &"failed".into()));
}

#[test]
fn units_are_not_split_into_ones_that_would_make_the_same_path() {
    let world = World::new();
    let command = ["--creates", "all.out", "--", "false", "{}", ":::", "1", "2"];
    world.run(&[&["run", "-q", "--max-attempts", "1", "-n", "2"][..], &command].concat());

    let said = world.fails(2, &["retry", "last", "--one-by-one"]);

    assert!(said.contains("units 2 and 3 would make the same path") && said.contains("all.out"), "{said}");
    let units = world.units("1");
    assert_eq!((units.len(), &units[0]["status"]), (1, &"failed".into()));
}

#[test]
fn the_last_unit_that_lacks_an_item_is_told_so() {
    let world = World::new();
    let create =
        |second: &str| world.run(&["create", "-q", "-n", "2", "--", "echo", "{1}", second, ":::", "a", "b", "c"]);

    let refused = text(&create("{2}").stderr);
    assert!(refused.contains("the last unit has 1 item, {2} is one more: write {2:-} for an empty text"), "{refused}");
    assert!(create("{2:-}").status.success());
}
