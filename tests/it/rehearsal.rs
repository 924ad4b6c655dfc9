//! A dry run says no where the creation says no, and leaves nothing behind.

use crate::support::{World, text};

/// Words after the verb, and what is said of them.
type Case<'a> = (i32, &'a [&'a str], &'a str);

#[test]
fn a_dry_run_refuses_what_the_creation_refuses() {
    let world = World::new();
    world.write("empty", "");
    world.write("late.csv", &("id,n\n".to_owned() + "7,x\n" + &numbered(30) + "7,y\n"));
    world.write("bad.jsonl", &("1\n".repeat(40) + "{\n"));
    world.write("no_database", "this is something else, and long enough to be told from an empty file");
    let long = "x".repeat(300);
    let key = "k".repeat(5000);
    let cases: &[Case<'_>] = &[
        (3, &["--lines", "empty", "--", "echo", "{}"], "no units"),
        (
            2,
            &["--unit-key", "{id}", "--csv", "late.csv", "--", "echo", "{n}"],
            "units 1 and 32 have the same key \"7\": each key must be unique",
        ),
        (2, &["--unit-key", &key, "--", "true"], "5000 bytes"),
        (2, &["--jsonl", "bad.jsonl", "--", "echo", "{}"], "bad.jsonl:41"),
        (2, &["--name", &long, "--", "true"], "300 bytes"),
        (2, &["--label", &format!("{long}=x"), "--", "true"], "300 bytes"),
        (3, &["--after", "nobody", "--", "true"], "nobody"),
        (5, &["--db", "no_database", "--", "true"], "no_database"),
        (127, &["--", "no-such-program"], "no-such-program"),
    ];
    world.ok(&["create", "-q", "--key", "taken", "--", "true"]);
    let before = world.sh("find . | sort").stdout;

    for (code, words, said) in cases {
        for verb in ["submit", "create", "run"] {
            let dry = world.fails(*code, &[&[verb, "--dry-run"], *words].concat());
            assert!(dry.contains(said), "{words:?}: {dry}");
        }
        let real = world.fails(*code, &[&["create"], *words].concat());
        assert!(real.contains(said), "{words:?}: {real}");
    }
    assert_eq!(text(&world.sh("find . | sort").stdout), text(&before), "nothing was left behind");
}

#[test]
fn a_dry_run_shows_the_first_commands_and_counts_all_units() {
    let world = World::new();

    let dry = world.run(&["submit", "--dry-run", "2", "--range", "1-25000", "--", "echo", "{}"]);

    assert!(dry.status.success());
    assert_eq!(text(&dry.stdout), "echo 1\necho 2\n");
    assert!(text(&dry.stderr).contains("units that would be created: 25000"), "{}", text(&dry.stderr));
    assert!(!world.db().exists());
}

fn numbered(count: usize) -> String {
    (100..100 + count).map(|id| format!("{id},x\n")).collect()
}
