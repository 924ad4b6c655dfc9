//! A key names one job: what is asked for under it is that job, or is refused.

use serde_json::{Value, json};

use crate::support::{World, text};

#[test]
fn a_key_of_a_job_with_another_command_is_refused_with_the_difference() {
    let world = World::new();
    let submit = ["submit", "-q", "--key", "k", "--env", "MODE=a", "--", "echo", "{}", ":::", "1", "2"];
    let job = world.ok(&submit);
    world.ok(&["wait", &job]);
    let dir = world.path("other");
    std::fs::create_dir(&dir).unwrap();
    let dir = dir.to_str().unwrap();

    assert_eq!(world.ok(&submit), job);
    for (differs, words) in [
        (r#"command ["echo","{}"] → ["ls","{}"]"#, &["--env", "MODE=a", "--", "ls", "{}"][..]),
        ("shell false → true", &["--env", "MODE=a", "--shell", "--", "echo {}"]),
        ("directory ", &["--env", "MODE=a", "--cwd", dir, "--", "echo", "{}"]),
        (r#"variable MODE "a" → "b""#, &["--env", "MODE=b", "--", "echo", "{}"]),
        (r#"variable MODE "a" → none"#, &["--", "echo", "{}"]),
        ("slots none → 2", &["--env", "MODE=a", "-j", "4", "--slots", "2", "--", "echo", "{}"]),
        ("timeout none → 7.0s", &["--env", "MODE=a", "--timeout", "7s", "--", "echo", "{}"]),
        (r#"stdin "null" → "item""#, &["--env", "MODE=a", "--stdin", "item", "--", "echo", "{}"]),
        (r#"unit key "" → "{}""#, &["--env", "MODE=a", "--unit-key", "{}", "--", "echo", "{}"]),
        (r#"creates none → "{}.out""#, &["--env", "MODE=a", "--creates", "{}.out", "--", "echo", "{}"]),
    ] {
        for verb in [&["submit"][..], &["create"], &["run"], &["submit", "--dry-run"], &["create", "--dry-run=2"]] {
            let refused = world.fails(4, &[verb, &["-q", "--key", "k"], words, &[":::", "1", "2"]].concat());
            assert!(refused.contains(differs), "{differs}: {refused}");
            assert_eq!(refused.lines().count(), 1, "{refused}");
        }
    }
    assert_eq!(world.ok(&["list", "-q", "-a"]), job);
}

#[test]
fn pace_names_and_the_terminal_make_no_difference_to_a_key() {
    let world = World::new();
    let job = world.ok(&["create", "-q", "--key", "k", "-j", "1", "--", "echo", "{}", ":::", "1", "2"]);
    world.ok(&["set", &job, "timeout=9s"]);

    let mut again = world.job_manager(&["create", "-q", "--key", "k", "-j", "7", "--name", "other", "--label", "a=b"]);
    again
        .args(["--rate", "5/s", "--cwd", ".", "--", "echo", "{}", ":::", "2", "1"])
        .env("TERM", "other")
        .env("NEW", "1");
    let again = again.output().unwrap();

    assert_eq!(text(&again.stdout).trim(), job, "{}", text(&again.stderr));
    assert_eq!(text(&again.stderr), "");
}

#[test]
fn a_key_with_other_items_names_the_job_and_how_many_differ() {
    let world = World::new();
    let create = |items: &str| {
        world.write("items.csv", items);
        let create =
            ["--json", "create", "--key", "k", "--unit-key", "{id}", "--csv", "items.csv", "--", "echo", "{n}"];
        let created = world.run(&create);
        assert!(created.status.success(), "{}", text(&created.stderr));
        (serde_json::from_str::<Value>(&text(&created.stdout)).unwrap(), text(&created.stderr))
    };
    create("id,n\n1,a\n2,b\n3,c\n");

    let (same, quiet) = create("id,n\n3,c\n1,a\n2,b\n");
    let (other, said) = create("id,n\n1,a\n2,B\n4,d\n5,e\n");
    world.ok(&["sync", "1", "--csv", "items.csv"]);
    let (synced, _) = create("id,n\n1,a\n2,B\n4,d\n5,e\n");

    assert_eq!((&same["new"], &same["units_differ"]), (&json!(false), &json!(null)));
    assert!(!quiet.contains("differ"), "{quiet}");
    assert_eq!(other["units_differ"], json!({ "new": 2, "changed": 1, "gone": 1 }));
    assert!(said.contains("2 new, 1 changed, 1 gone; `job-manager sync 1`"), "{said}");
    assert_eq!((&synced["new"], &synced["units_differ"]), (&json!(false), &json!(null)));
}

#[test]
fn a_library_is_refused_the_key_of_a_job_with_another_handler() {
    use diesel::{Connection, SqliteConnection};
    use job_manager::client::create_job_in;
    use job_manager::{Client, ClientError, NewJob, NewUnit};

    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let job = |handler: &str| {
        let mut job = NewJob::new("numbers", handler);
        job.key = Some("k".to_owned());
        job
    };
    let units = |count: u32| (1..=count).map(|n| NewUnit { payload: n.to_string(), key: None, group: None });
    let first = client.create_job(&job("square"), units(3)).unwrap();

    let same = client.create_job(&job("square"), units(3)).unwrap();
    let more = client.create_job(&job("square"), units(4)).unwrap();
    let other = client.create_job(&job("cube"), units(3));
    let mut conn = SqliteConnection::establish(client.path().to_str().unwrap()).unwrap();
    let same_inside = create_job_in(&mut conn, &job("square"), units(3)).unwrap();
    let other_inside = create_job_in(&mut conn, &job("cube"), units(3));

    assert_eq!((same.job, same.new, same.differs), (first.job, false, None));
    assert_eq!(more.differs.map(|differ| (differ.new, differ.gone)), Some((1, 0)));
    assert!(matches!(other, Err(ClientError::KeyOfAnotherJob { .. })), "{other:?}");
    assert_eq!(same_inside, first.job);
    assert!(matches!(other_inside, Err(ClientError::KeyOfAnotherJob { .. })), "{other_inside:?}");
}

#[test]
fn a_job_is_named_by_its_key_in_every_verb() {
    let world = World::new();
    let units = ["--unit-key", "u{}", "--output", "full", "--", "sh", "-c", "echo ran $1; exit $1", "sh", "{}"];
    world.ok(&[&["create", "-q", "--key", "k", "--max-attempts", "1"][..], &units, &[":::", "0", "1"]].concat());
    world.ok(&["create", "-q", "--job-key", "other", "--", "true"]);

    world.ok(&["scale", "--job-key", "k", "1"]);
    world.ok(&["scale", "--key", "k", "2"]);
    world.ok(&["set", "--key", "k", "rate=50/s", "timeout=1m"]);
    world.ok(&["start", "--key", "k"]);
    world.fails(10, &["wait", "--key", "k"]);
    for words in [&["status"][..], &["explain"], &["failures"], &["list", "-q"]] {
        let by_key = world.ok(&[words, &["--key", "k"]].concat());
        assert_eq!(by_key, world.ok(&[words, &["--job-key", "k", "--key", "k"]].concat()), "{words:?}");
        let missing = world.fails(3, &[words, &["--key", "nobody"]].concat());
        assert!(missing.contains(r#"no job has the key "nobody""#), "{missing}");
    }
    assert_eq!(world.ok(&["list", "-q", "--key", "k"]), "1");
    world.ok(&["add", "--key", "k", "--", ":::", "0"]);
    world.sh("printf '0\\n2\\n' | \"$BIN\" add --job-key k -");
    assert_eq!(world.units("1").len(), 3);
    assert_eq!(
        world.ok(&["sync", "--key", "k", "--dry-run", "--", ":::", "0", "1", "2"]).split(',').next(),
        Some("+0 new")
    );
    assert_eq!(world.ok(&["units", "-q", "--job-key", "k", "--key", "u1"]), "2");
    assert_eq!(world.ok(&["retry", "--no-start", "--job-key", "k", "--key", "u1", "-q"]), "1");
    world.ok(&["skip", "--job-key", "k", "--all"]);
    world.ok(&["cancel", "--key", "other"]);
    world.ok(&["rm", "-y", "--key", "other"]);
    assert_eq!(world.ok(&["list", "-q", "-a"]), "1");
}

#[test]
fn a_unit_is_named_by_its_key() {
    let world = World::new();
    let run = ["run", "-q", "--key", "k", "--unit-key", "u{}", "--", "echo", "ran {}", ":::", "a", "b"];
    world.ok(&run);
    world.ok(&["run", "-q", "--", "true"]);

    for named in [&["--job-key", "k", "--key", "ub"][..], &["1", "--key", "ub"], &["1:2"], &["--job-key", "k", ":2"]] {
        assert_eq!(world.ok(&[&["logs"], named].concat()), "ran b", "{named:?}");
        assert!(world.ok(&[&["unit"], named].concat()).contains("key       ub"), "{named:?}");
        let idle = world.fails(4, &[&["kill"], named].concat());
        assert!(idle.contains("1:2 does not run"), "{idle}");
    }
    let missing = world.fails(3, &["unit", "--key", "ub"]);
    assert!(missing.contains(r#"job 2 has no unit of the key "ub""#), "{missing}");
    world.fails(2, &["unit"]);
}

#[test]
fn what_names_a_job_twice_or_might_name_two_is_refused() {
    let world = World::new();
    world.ok(&["create", "-q", "--key", "k", "--name", "a", "--", "echo", "{}", ":::", "1", "2"]);
    world.ok(&["create", "-q", "--key", "l", "--name", "b:2", "--", "true"]);

    for words in [
        &["status", "1", "--job-key", "k"][..],
        &["status", "--job-key", "k", "--key", "l"],
        &["units", "1", "--job-key", "k"],
        &["unit", "1:1", "--job-key", "k"],
        &["unit", "1:1", "--key", "x"],
        &["cancel", "a:1", "--key", "k"],
        &["rm", "-y", "1", "--key", "k"],
        &["scale", "1", "2", "--key", "k"],
        &["set", "--key", "k", "a", "rate=1/s"],
        &["set", "--key", "k", "rate=1/s", "rate=2/s"],
        &["add", "--key", "k", "a", "--", ":::", "3"],
        &["resume", "--all", "--key", "k"],
    ] {
        let said = world.fails(2, words);
        assert!(!said.is_empty());
    }
    assert!(world.ok(&["--json", "explain", "b:2"]).contains(r#""job":{"id":2},"unit":null"#));
    world.ok(&["create", "-q", "--name", "b", "--", "true"]);
    let refused = world.fails(2, &["explain", "b:2"]);
    assert!(refused.contains("name of job 2"), "{refused}");
}

#[test]
fn fault_533_a_job_that_is_not_created_leaves_no_directory_for_its_output() {
    let world = World::new();
    let create =
        |dir: &str, more: &[&str]| world.run(&[&["create", "-q", "--output-dir", dir], more].concat()).status.code();
    let same_keys = ["--unit-key", "x", "--", "echo", "{}", ":::", "1", "2"];
    assert_eq!(create("kept", &["--key", "k", "--", "echo", "{}", ":::", "1"]), Some(0));
    world.sh("mkdir -p there/before");

    let refused = [
        create("a/b/c", &same_keys),
        create("there/before/new", &same_keys),
        create("other", &["--key", "k", "--", "echo", "{}", ":::", "1"]),
    ];

    assert!(refused.iter().all(|code| ![Some(0), None].contains(code)), "{refused:?}");
    let [made, not] = [["kept", "there/before"], ["a", "there/before/new"]];
    made.iter().for_each(|dir| assert!(world.path(dir).is_dir(), "{dir}"));
    not.iter().chain(&["other"]).for_each(|dir| assert!(!world.path(dir).exists(), "{dir}"));
}

#[test]
fn the_path_of_an_address_is_not_shown_when_another_job_has_the_key() {
    let world = World::new();
    let create = |address: &str| world.run(&["create", "-q", "--key", "k", "--notify", address, "--", "true"]);
    assert!(create("http://127.0.0.1:1/secret").status.success());

    for (address, said) in
        [("http://127.0.0.1:1/another", "another address"), ("http://127.0.0.1:2/", "http://127.0.0.1:2")]
    {
        let refused = create(address);
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(4), "{told}");
        assert!(told.contains(said) && !told.contains("secret") && !told.contains("/another"), "{told}");
    }
}
