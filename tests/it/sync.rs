//! A job is brought in line with a source that has changed.

use std::fmt::Write as _;

use crate::support::World;

const ROWS: usize = 10_000;

fn csv(rows: impl Iterator<Item = (usize, String)>) -> String {
    rows.fold("id,name\n".to_owned(), |mut text, (id, name)| {
        writeln!(text, "{id},{name}").unwrap();
        text
    })
}

#[test]
fn only_what_changed_in_a_permuted_and_edited_file_runs_again() {
    let world = World::new();
    let name = |id: usize| format!("name {id}");
    let before = world.write("before.csv", &csv((1..=ROWS).map(|id| (id, name(id)))));
    // The other way round, three names edited, two rows gone, one new.
    let edited = |id: usize| if [7, 70, 700].contains(&id) { format!("new {id}") } else { name(id) };
    let rows = (1..=ROWS + 1).rev().filter(|id| ![5, 50].contains(id));
    let after = world.write("after.csv", &csv(rows.map(|id| (id, edited(id)))));
    let (before, after) = (before.to_str().unwrap(), after.to_str().unwrap());
    world.ok(&[
        "run",
        "-q",
        "--output",
        "none",
        "--unit-key",
        "{id}",
        "--csv",
        before,
        "--",
        "sh",
        "-c",
        "echo \"$1\" >>ran",
        "sh",
        "{name}",
    ]);
    world.sh("mv ran first");

    let planned = world.ok(&["sync", "1", "--unit-key", "{id}", "--csv", after, "--dry-run"]);
    let done = world.ok(&["sync", "1", "--unit-key", "{id}", "--csv", after]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(planned, "+1 new, ~3 changed, -0 gone, 9995 the same");
    assert_eq!(done, planned);
    let mut ran = world.lines("ran");
    ran.sort();
    assert_eq!(ran, ["name 10001", "new 7", "new 70", "new 700"]);
    assert_eq!(
        world.ok(&["sync", "1", "--unit-key", "{id}", "--csv", after]),
        "+0 new, ~0 changed, -0 gone, 9999 the same"
    );
    world.assert_sound("1");
}

#[test]
fn without_keys_a_unit_is_known_by_its_content_and_what_is_gone_is_left_out() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "sh", "-c", "echo {} >>ran", ":::", "a", "b", "b", "c"]);

    let done = world.ok(&["sync", "1", "--", ":::", "c", "b", "d"]);
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(done, "+1 new, ~0 changed, -2 gone, 2 the same");
    let mut ran = world.lines("ran");
    ran.sort();
    assert_eq!(ran, ["b", "c", "d"]);
    world.assert_sound("1");
}

#[test]
fn a_pending_unit_that_changed_is_replaced() {
    let world = World::new();
    let csv = |name: &str| world.write(&format!("{name}.csv"), &format!("id,name\n1,{name}\n"));
    let (old, new) = (csv("old"), csv("new"));
    let command = ["--", "sh", "-c", "echo \"$1\" >>ran", "sh", "{name}"];
    world.ok(&[&["create", "-q", "--unit-key", "{id}", "--csv", old.to_str().unwrap()][..], &command].concat());

    world.ok(&["sync", "1", "--unit-key", "{id}", "--csv", new.to_str().unwrap()]);
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(world.lines("ran"), ["new"]);
    let progress = &world.status("1")["progress"];
    assert_eq!((progress["completed"].as_i64(), progress["skipped"].as_i64()), (Some(1), Some(1)));
    world.assert_sound("1");
}

#[test]
fn a_unit_that_was_gone_and_is_in_the_source_again_runs_and_one_that_was_left_out_does_not() {
    let world = World::new();
    world.write("b.out", "there");
    world.ok(&["create", "-q", "--creates", "{}.out", "--shell", "--", "echo {} >>ran; touch {}.out", ":::", "a", "b"]);
    world.ok(&["sync", "1", "--", ":::", "b"]);
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);

    let again = world.ok(&["sync", "1", "--", ":::", "a", "b"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(again, "+0 new, ~1 changed, -0 gone, 1 the same");
    assert_eq!(world.lines("ran"), ["a"]);
    world.assert_sound("1");
}

#[test]
fn a_unit_that_changed_does_not_go_on_from_what_was_kept_for_its_old_content() {
    let world = World::new();
    let csv = |name: &str| world.write(&format!("{name}.csv"), &format!("id,name\n1,{name}\n"));
    let (old, new) = (csv("old"), csv("new"));
    world.write("unit.sh", r#""$BIN" unit-checkpoint get >>kept 2>/dev/null; "$BIN" unit-checkpoint put "page of $1""#);
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    world.ok(&["run", "-q", "--unit-key", "{id}", "--csv", old, "--", "sh", "unit.sh", "{name}"]);

    world.ok(&["sync", "1", "--unit-key", "{id}", "--csv", new]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    assert!(world.lines("kept").is_empty(), "{:?}", world.lines("kept"));
}
