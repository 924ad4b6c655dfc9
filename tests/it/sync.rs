//! A job is brought in line with a source that has changed.

use std::fmt::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{World, text, wait_for};

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

    let planned = world.ok(&["sync", "1", "--csv", after, "--dry-run"]);
    let done = world.ok(&["sync", "1", "--csv", after]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(planned, "+1 new, ~3 changed, -2 gone (2 had ended), 9995 the same");
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
fn without_keys_a_unit_is_known_by_its_content_and_what_is_gone_is_skipped() {
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
fn a_unit_that_was_gone_and_is_in_the_source_again_runs_and_one_that_was_skipped_does_not() {
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

/// A job with the unit `b`, and the units `a` and `c` of which a sync did not find the first.
fn world_with_a_gone_unit() -> World {
    let world = World::new();
    world.ok(&["run", "-q", "--unit-key", "{}", "--", "echo", "ran {}", ":::", "a", "b", "c"]);
    world.ok(&["sync", "1", "--", ":::", "b", "c"]);
    world
}

#[test]
fn results_skip_what_is_gone_although_it_has_completed() {
    let world = world_with_a_gone_unit();

    let results = world.run(&["results", "1"]);
    let all = world.ok(&["results", "1", "--all"]);
    let csv = world.ok(&["results", "1", "--all", "--format", "csv"]);

    assert_eq!(text(&results.stdout).lines().count(), 2, "{}", text(&results.stdout));
    assert!(!text(&results.stdout).contains("ran a"));
    assert!(text(&results.stderr).contains("gone from the source or were replaced: 1;"), "{}", text(&results.stderr));
    let marks: Vec<Value> =
        all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["outdated"].clone()).collect();
    assert_eq!(marks, [json!("gone"), json!(null), json!(null)]);
    assert_eq!(csv.lines().next().unwrap(), "seq,key,status,item,result,error,outdated,flag,exit_code,seconds");
    assert!(csv.lines().nth(1).unwrap().starts_with("1,a,completed,a,ran a,,gone,,0,0."), "{csv}");
    assert_eq!(world.status("1")["progress"]["completed"], 3, "a completion never changes");
    assert_eq!(world.units("1")[0]["outdated"], "gone");
    world.assert_sound("1");
}

#[test]
fn a_completed_unit_that_is_in_the_source_again_is_not_gone_any_more() {
    let world = world_with_a_gone_unit();

    let again = world.ok(&["sync", "1", "--", ":::", "b", "c"]);
    let back = world.ok(&["--json", "sync", "1", "--", ":::", "a", "b", "c"]);

    assert_eq!(again, "+0 new, ~0 changed, -0 gone, 2 the same");
    let back: Value = serde_json::from_str(&back).unwrap();
    assert_eq!((&back["same"], &back["back"], &back["changed"]), (&json!(3), &json!(1), &json!(0)));
    assert_eq!(world.ok(&["results", "1"]).lines().count(), 3);
}

#[test]
fn add_and_sync_know_the_units_by_the_key_that_the_job_was_created_with() {
    let world = World::new();
    world.write("people.csv", "id,mail\n1,a\n2,b\n");
    world.ok(&["run", "-q", "--unit-key", "{id}", "--csv", "people.csv", "--", "echo", "{mail}"]);

    let added = world.run(&["add", "1", "--csv", "people.csv"]);
    let same = world.ok(&["sync", "1", "--csv", "people.csv"]);
    let given = world.ok(&["sync", "1", "--unit-key", "{id}", "--csv", "people.csv"]);

    assert_eq!(text(&added.stdout).trim(), "0 units added, 2 already there");
    assert_eq!(same, "+0 new, ~0 changed, -0 gone, 2 the same");
    assert_eq!(given, same);
    for verb in ["add", "sync"] {
        let refused = world.fails(4, &[verb, "1", "--unit-key", "{mail}", "--csv", "people.csv"]);
        assert!(refused.contains(r#"by the key "{id}", not "{mail}""#), "{refused}");
    }
    world.ok(&["create", "-q", "--csv", "people.csv", "--", "echo", "{mail}"]);
    let refused = world.fails(4, &["sync", "2", "--unit-key", "{id}", "--csv", "people.csv"]);
    assert!(refused.contains("was created without --unit-key"), "{refused}");
    assert_eq!(world.units("1").len() + world.units("2").len(), 4);
}

#[test]
fn add_refuses_one_key_twice_and_counts_other_content_under_a_key_of_the_job() {
    let world = World::new();
    world.write("old.csv", "id,n\n1,x\n2,y\n");
    world.ok(&["create", "-q", "--unit-key", "{id}", "--csv", "old.csv", "--", "echo", "{n}"]);
    world.write("twice.csv", "id,n\n9,a\n9,b\n");
    world.write("other.csv", "id,n\n1,x\n2,z\n3,c\n");

    let refused = world.fails(2, &["add", "1", "--csv", "twice.csv"]);
    assert!(refused.contains(r#"the same key "9""#), "{refused}");
    assert_eq!(world.units("1").len(), 2);
    let added = world.run(&["--json", "add", "1", "--csv", "other.csv"]);
    let said = text(&added.stderr);
    assert!(said.contains("of those already there, with other content: 1; `sync` takes it"), "{said}");
    let answer: Value = serde_json::from_slice(&added.stdout).unwrap();
    let counts = (&answer["units_changed"], &answer["units_skipped"], &answer["units_differ"]);
    assert_eq!(counts, (&json!(1), &json!(2), &json!(1)));
}

#[test]
fn a_source_with_one_key_twice_or_without_units_is_refused_by_sync() {
    let world = World::new();
    world.write("old.csv", "id,n\n1,x\n");
    world.ok(&["create", "-q", "--unit-key", "{id}", "--csv", "old.csv", "--", "echo", "{id}"]);
    world.write("twice.csv", "id,n\n1,x\n2,y\n2,z\n");
    world.write("new_twice.csv", "id,n\n1,x\n3,y\n3,z\n");
    world.write("empty.csv", "id,n\n");

    for file in ["twice.csv", "new_twice.csv"] {
        let refused = world.fails(2, &["sync", "1", "--csv", file]);
        assert!(refused.contains("two units of the source have the same key"), "{refused}");
    }
    let refused = world.fails(3, &["sync", "1", "--csv", "empty.csv"]);
    assert!(refused.contains("--allow-empty"), "{refused}");
    assert_eq!(world.status("1")["progress"]["pending"], 1);
    let emptied = world.ok(&["sync", "1", "--csv", "empty.csv", "--allow-empty"]);

    assert_eq!(emptied, "+0 new, ~0 changed, -1 gone, 0 the same");
}

#[test]
fn a_changed_unit_that_runs_is_left_alone_and_that_is_said() {
    let world = World::new();
    let (old, new) = (world.write("old.csv", "id,n\n1,x\n"), world.write("new.csv", "id,n\n1,y\n"));
    world.write("unit.sh", "touch started; until test -e go; do sleep 0.02; done");
    world.ok(&["submit", "-q", "--unit-key", "{id}", "--csv", old.to_str().unwrap(), "--", "sh", "unit.sh", "{n}"]);
    wait_for(&world, "the unit to start", || world.path("started").exists());

    let done = world.run(&["--json", "sync", "1", "--csv", new.to_str().unwrap()]);
    world.write("go", "");
    world.ok(&["wait", "1"]);

    let plan: Value = serde_json::from_str(&text(&done.stdout)).unwrap();
    assert_eq!((&plan["changed"], &plan["changed_running"]), (&json!(1), &json!(1)));
    assert!(text(&done.stderr).contains("run with their old content"), "{}", text(&done.stderr));
    assert_eq!(world.ok(&["sync", "1", "--csv", new.to_str().unwrap()]), "+0 new, ~1 changed, -0 gone, 0 the same");
}

#[test]
fn fault_133_syncs_of_one_source_at_once_are_as_good_as_one() {
    for unit_key in [&[][..], &["--unit-key", "{id}"]] {
        let world = World::new();
        let rows = |name: &'static str, rows: usize| csv((1..=rows).map(move |id| (id, format!("{name} {id}"))));
        let before = world.write("before.csv", &rows("old", 2000));
        let after = world.write("after.csv", &rows("new", 6000));
        let (before, after) = (before.to_str().unwrap(), after.to_str().unwrap());
        let create = [&["create", "-q", "--csv", before][..], unit_key, &["--", "true", "{name}"]].concat();
        world.ok(&create);

        let sync = |_| world.job_manager(&["sync", "1", "--csv", after]).stdout(Stdio::piped()).spawn().unwrap();
        let syncs: Vec<_> = (0..4).map(sync).collect();
        let said: Vec<String> = syncs.into_iter().map(|sync| text(&sync.wait_with_output().unwrap().stdout)).collect();

        let nothing = "+0 new, ~0 changed, -0 gone, 6000 the same\n";
        assert_eq!(said.iter().filter(|said| *said == nothing).count(), 3, "{said:?}");
        assert_eq!(world.status("1")["progress"]["pending"], 6000);
        world.assert_sound("1");
    }
}

#[test]
fn fault_133_a_sync_that_was_killed_is_ended_by_the_next_one() {
    let world = World::new();
    let rows = |rows: usize| csv((1..=rows).map(|id| (id, format!("name {id}"))));
    let (before, after) = (world.write("before.csv", &rows(10)), world.write("after.csv", &rows(20_000)));
    let after = after.to_str().unwrap();
    world.ok(&["create", "-q", "--unit-key", "{id}", "--csv", before.to_str().unwrap(), "--", "true", "{name}"]);

    let mut sync = world.job_manager(&["sync", "1", "--csv", after]).spawn().unwrap();
    wait_for(&world, "the first new units", || world.count("count(*) FROM jobs WHERE total > 10") == 1);
    sync.kill().unwrap();
    sync.wait().unwrap();
    world.ok(&["sync", "1", "--csv", after]);

    assert_eq!(world.ok(&["sync", "1", "--csv", after]), "+0 new, ~0 changed, -0 gone, 20000 the same");
    assert_eq!(world.count("count(*) FROM units"), 20_000);
}

#[test]
fn fault_133_a_unit_that_another_one_replaces_is_not_revived() {
    let world = World::new();
    let before = world.write("before.csv", &csv([(1, "old".to_owned())].into_iter()));
    let after = world.write("after.csv", &csv([(1, "new".to_owned())].into_iter()));
    world.ok(&["create", "-q", "--unit-key", "{id}", "--csv", before.to_str().unwrap(), "--", "true", "{name}"]);
    world.ok(&["sync", "1", "--csv", after.to_str().unwrap()]);

    world.fails(3, &["retry", "1", "--status", "skipped"]);

    assert_eq!(world.status("1")["progress"]["pending"], 1);
}

#[test]
fn fault_223_no_filter_revives_a_unit_that_is_gone_from_the_source() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true", ":::", "a", "b"]);
    world.ok(&["sync", "1", "--", ":::", "b"]);

    for filter in [
        &["--status", "skipped"][..],
        &["--seq", "1-1", "--status", "skipped"],
        &["--match", "a", "--status", "skipped"],
    ] {
        world.fails(3, &[&["retry", "1"], filter].concat());
    }
    world.ok(&["sync", "1", "--", ":::", "a", "b"]);

    assert_eq!(world.status("1")["progress"]["pending"], 2, "the source has it again");
}

#[test]
fn fault_295_a_unit_that_is_gone_and_runs_is_alone_with_what_it_makes_and_does_not_run_again() {
    let world = World::new();
    let row = |id: usize| csv([(id, "x".to_owned())].into_iter());
    let (old, new) = (world.write("old.csv", &row(1)), world.write("new.csv", &row(2)));
    let script = "echo begin {id} >>ran; until test -e go-{id}; do sleep 0.02; done; echo {id} >made-{name}; \
        echo end {id} >>ran; test {id} = 2";
    let submit = ["submit", "-q", "-j", "2", "--csv", old.to_str().unwrap(), "--unit-key", "{id}", "--creates"];
    let submit =
        [&submit[..], &["made-{name}", "--max-attempts", "5", "--backoff", "0s..1ms", "--shell", "--", script]];
    world.ok(&submit.concat());
    wait_for(&world, "the unit to start", || world.status("1")["progress"]["running"] == 1);

    let refused = world.fails(4, &["sync", "1", "--csv", new.to_str().unwrap()]);
    world.write("go-1", "");
    world.write("go-2", "");
    wait_for(&world, "it to end", || world.status("1")["progress"]["running"] == 0);
    world.ok(&["wait", "1", "--timeout", "20s"]);
    let gone = world.units("1");
    world.ok(&["sync", "1", "--csv", new.to_str().unwrap()]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1", "--timeout", "20s"]);

    assert!(refused.contains("is gone from the source and still runs"), "{refused}");
    assert_eq!((&gone[0]["status"], &gone[0]["attempts"]), (&json!("skipped"), &json!(1)), "{gone:?}");
    assert_eq!(world.lines("ran"), ["begin 1", "end 1", "begin 2", "end 2"]);
    world.assert_sound("1");
}

#[test]
fn a_sync_with_some_of_the_items_is_refused_and_the_others_are_not_taken_for_gone() {
    let world = World::new();
    world.ok(&["create", "-q", "--range", "1-5", "--", "true", "{}"]);

    let said = world.fails(2, &["sync", "1", "--limit", "2", "--range", "1-5"]);

    assert!(said.contains("would count as gone"), "{said}");
    assert_eq!(world.status("1")["progress"]["pending"], 5);
}
