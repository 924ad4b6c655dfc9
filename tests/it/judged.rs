//! Attempts are judged: whether they live, whether what they made is right, and what the next one is told of that.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::support::{World, text, wait_for};

/// Runs a job to its end, whatever that is, and returns its only unit with the attempts that came to nothing.
fn run(world: &World, flags: &[&str], script: &str) -> Value {
    let submit = ["submit", "-q", "--backoff", "10ms", "--kill-after", "5s"];
    let job = world.ok(&[&submit, flags, &["--shell", "--", script]].concat());
    world.run(&["wait", "-q", &job]);
    unit(world, &job)
}

fn unit(world: &World, job: &str) -> Value {
    serde_json::from_str(&world.ok(&["unit", &format!("{job}:1"), "--json"])).unwrap()
}

fn failed_attempts(unit: &Value) -> Vec<(&str, &str)> {
    let of = |attempt: &'_ Value, field: &str| attempt[field].as_str().unwrap().len();
    let attempts = unit["attempts_not_completed"].as_array().unwrap_or_else(|| panic!("{unit}"));
    attempts
        .iter()
        .map(|attempt| {
            assert!(of(attempt, "cause") > 0);
            (attempt["cause"].as_str().unwrap(), attempt["error"].as_str().unwrap())
        })
        .collect()
}

fn micros(unit: &Value, field: &str) -> i64 {
    let at: jiff::Timestamp = unit["unit"][field].as_str().unwrap_or_else(|| panic!("{unit}")).parse().unwrap();
    at.as_microsecond()
}

#[test]
fn fault_400_a_unit_that_hangs_in_silence_with_its_output_open_is_ended_and_says_what_it_said_last() {
    let world = World::new();

    let hung =
        run(&world, &["--idle-timeout", "700ms", "--max-attempts", "1"], "echo loading; echo half >&2; sleep 600");

    assert_eq!(failed_attempts(&hung), [("idle", "no sign of life for 700ms, its last line: half")], "{hung}");
    let took = Duration::from_micros((micros(&hung, "finished_at") - micros(&hung, "started_at")).unsigned_abs());
    assert!(took >= Duration::from_millis(700) && took < Duration::from_millis(1700), "{took:?}");
    assert_eq!(world.status("1")["idle_timeout_seconds"], 0.7);
    world.assert_no_process_left();
    world.assert_sound("1");
}

#[test]
fn whatever_a_unit_says_from_inside_is_a_sign_of_life() {
    let world = World::new();
    let script = "for word in 'progress 1 4' 'checkpoint put 7' 'result 1' 'add 2' 'progress 4 4'; do \
        sleep 1.2; test {} = 2 || \"$BIN\" unit-$word >/dev/null; done";

    let said = [
        &["submit", "-q", "--idle-timeout", "2500ms", "--max-attempts", "1", "--shell", "--"][..],
        &[script, ":::", "1"],
    ];
    let job = world.ok(&said.concat());
    world.run(&["wait", "-q", &job]);

    let units = world.units(&job);
    assert_eq!(units[0]["status"], "completed", "{}", world.report());
    assert!(units[1]["error"].as_str().unwrap().starts_with("no sign of life for 2.5s"), "{}", units[1]);
}

#[test]
fn a_time_without_a_sign_of_life_is_refused_where_nobody_listens_and_changed_where_somebody_does() {
    let world = World::new();

    let refused = world.fails(2, &["create", "--output", "none", "--idle-timeout", "10m", "--", "true"]);
    let created = world.db().exists();
    let deaf = world.ok(&["create", "--output", "none", "--", "true"]);
    let changed = world.fails(2, &["set", &deaf, "idle-timeout=10m"]);
    let job = world.ok(&["create", "--max-attempts", "1", "--shell", "--", "sleep 600"]);
    world.ok(&["set", &job, "idle-timeout=300ms"]);
    world.ok(&["start", &job]);
    world.fails(10, &["wait", &job]);

    for said in [refused, changed] {
        assert!(said.contains("--output none") && said.contains("--timeout"), "{said}");
    }
    assert!(!created);
    assert_eq!(failed_attempts(&unit(&world, &job)), [("idle", "no sign of life for 300ms")]);
    world.ok(&["set", &deaf, "idle-timeout=0"]);
}

#[test]
fn a_check_decides_whether_a_unit_that_ended_well_is_right() {
    let world = World::new();
    let flags = ["--max-attempts", "1", "--exit", "3=fail,4=skip", "--creates", "made"];
    let check = "echo looked >&2; read found <{out}; read said <\"$JOB_MANAGER_RESULT_FILE\"; \
        echo \"found $found, said $said\" >&2; exit $found";
    let made = |found: &str| {
        let job =
            run(&world, &[&flags[..], &["--check", check]].concat(), &format!("echo {found} >{{out}}; echo done"));
        (job, world.path("made").exists())
    };

    let (wrong, wrong_is_there) = made("1");
    let (worthless, _) = made("3");
    let (nothing, _) = made("4");
    let (right, right_is_there) = made("0");

    assert_eq!(failed_attempts(&wrong), [("rejected", "found 1, said done")]);
    assert_eq!(failed_attempts(&worthless), [("rejected", "found 3, said done")]);
    assert_eq!(
        (&nothing["unit"]["status"], &nothing["unit"]["error"]),
        (&"skipped".into(), &"found 4, said done".into())
    );
    assert_eq!(right["unit"]["status"], "completed", "{right}");
    assert_eq!((wrong_is_there, right_is_there), (false, true));
    let failures = world.ok(&["failures", "1"]);
    assert!(failures.contains("rejected") && failures.contains("said done"), "{failures}");
    world.assert_no_process_left();
}

#[test]
fn a_check_has_what_is_left_of_the_time_of_its_attempt_and_says_something_itself() {
    let world = World::new();
    let once = ["--max-attempts", "1"];

    let late = run(&world, &[&once[..], &["--timeout", "800ms", "--check", "sleep 600"]].concat(), "sleep 0.2");
    let idle = run(&world, &[&once[..], &["--idle-timeout", "300ms", "--check", "sleep 600"]].concat(), "true");
    let silent = run(&world, &[&once[..], &["--check", "exit 7"]].concat(), "true");
    let said = run(&world, &[&once[..], &["--check", "echo not right; exit 7"]].concat(), "true");
    let killed = run(&world, &[&once[..], &["--check", "kill -9 $$"]].concat(), "true");
    let of_bash = ["--shell-path", "bash", "--check", "[[ ab == a* ]]"];
    let bash = run(&world, &[&once[..], &of_bash].concat(), "true");

    assert_eq!(failed_attempts(&late), [("timed_out", "timed out after 800ms, in its check")]);
    assert_eq!(failed_attempts(&idle), [("idle", "no sign of life for 300ms, in its check")]);
    assert_eq!(failed_attempts(&silent), [("rejected", "the check exited with code 7")]);
    assert_eq!(failed_attempts(&said), [("rejected", "not right")]);
    assert_eq!(bash["unit"]["status"], "completed", "{bash}");
    assert_eq!(failed_attempts(&killed), [("rejected", "the check was killed by signal 9 (SIGKILL)")]);
    world.assert_no_process_left();
}

#[test]
fn a_model_that_obeys_only_when_it_is_told_its_last_error_completes_at_its_second_attempt() {
    let world = World::new();
    let model = "case \"$JOB_MANAGER_LAST_ERROR\" in *'the name is missing'*) echo \"name after $(cat \"$JOB_MANAGER_LAST_OUTPUT_FILE\")\";; \
        *) echo nonsense;; esac";
    let check = "grep -q name \"$JOB_MANAGER_RESULT_FILE\" && exit 0; echo 'the name is missing' >&2; exit 1";

    let unit = run(&world, &["--check", check, "--result", "text"], model);

    assert_eq!((&unit["unit"]["status"], &unit["unit"]["attempts"]), (&"completed".into(), &2.into()), "{unit}");
    assert_eq!(unit["unit"]["result"], "name after nonsense");
    assert_eq!(failed_attempts(&unit), [("rejected", "the name is missing")]);
    world.assert_sound("1");
}

#[test]
fn fault_401_a_unit_whose_manager_dies_in_its_check_runs_again_and_is_told_what_was_wrong_before_that() {
    let world = World::new();
    let script = "echo \"$JOB_MANAGER_ATTEMPT ${{JOB_MANAGER_LAST_ERROR:-nothing}}\" >>runs";
    let check = "case $(wc -l <runs) in 1) echo wrong >&2; exit 1;; 2) touch checking; sleep 600;; esac";
    let submit = ["submit", "-q", "--backoff", "10ms", "--check", check, "--shell", "--", script];

    let job = world.ok(&submit);
    wait_for(&world, "the second check", || world.path("checking").exists());
    world.kill_manager(&job);
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    assert_eq!(world.lines("runs"), ["1 nothing", "2 wrong", "2 wrong"]);
    world.assert_no_process_left();
    world.assert_sound(&job);
}

#[test]
fn the_output_of_the_attempt_before_is_in_a_file_that_goes_with_the_attempt() {
    let world = World::new();
    let script = "test $JOB_MANAGER_ATTEMPT = 1 && printf 'one\\ntwo' && exit 1; \
        cp \"$JOB_MANAGER_LAST_OUTPUT_FILE\" before; echo \"$JOB_MANAGER_LAST_OUTPUT_FILE\" >file";

    run(&world, &[], script);

    assert_eq!(fs::read_to_string(world.path("before")).unwrap(), "one\ntwo");
    let file = world.lines("file").pop().unwrap();
    assert!(file.contains("/attempts/") && !std::path::Path::new(&file).exists(), "{file}");
    assert!(!std::path::Path::new(&file).parent().unwrap().exists());
}

#[cfg(feature = "schema")]
#[test]
fn an_error_for_the_next_attempt_is_cut_between_characters() {
    let world = World::new();
    let name = "€".repeat(3000);
    let file = world.write("schema.json", &format!("{{\"required\":[\"{name}\"]}}")).display().to_string();
    world.write("empty", "{}");
    world.write("right", &format!("{{\"{name}\":1}}"));
    let script =
        "test $JOB_MANAGER_ATTEMPT != 1 || exec cat empty; printf %s \"$JOB_MANAGER_LAST_ERROR\" >error; cat right";

    let unit = run(&world, &["--schema", &file, "--result", "json"], script);

    let told = fs::read_to_string(world.path("error")).unwrap();
    let (_, said) = failed_attempts(&unit)[0];
    assert!(said.starts_with(&told) && said.len() > 9000, "{told}");
    assert!(told.len() > 4096 - 3 && told.len() <= 4096, "{}", told.len());
}

#[cfg(feature = "schema")]
#[test]
fn results_that_a_schema_rejects_are_tried_again_with_the_place_and_grouped_by_it() {
    let world = World::new();
    let schema = r#"{"type":"object","required":["name"],"properties":{"age":{"type":"integer"}}}"#;
    let file = world.write("person.json", schema).display().to_string();
    let script = "case \"$JOB_MANAGER_LAST_ERROR\" in \
        */required:*) cat old;; */age/type:*) cat right;; *) cat empty;; esac";
    world.write("empty", "{}");
    world.write("old", r#"{"name":"Ada","age":"old"}"#);
    world.write("right", r#"{"name":"Ada","age":36}"#);

    let unit = run(&world, &["--schema", &file, "--result", "json"], script);
    let given_up = ["submit", "-q", "--max-attempts", "1", "--schema", &file, "--result", "json", "--"];
    let job = world.ok(&[&given_up[..], &["echo", "{{\"name\":1,\"age\":\"{}\"}}", ":::", "a", "b"]].concat());
    world.run(&["wait", "-q", &job]);

    assert_eq!((&unit["unit"]["status"], &unit["unit"]["attempts"]), (&"completed".into(), &3.into()), "{unit}");
    let age = "/properties/age/type: the value is not of type \"integer\" (at /age)";
    assert_eq!(failed_attempts(&unit), [("rejected", "/required: \"name\" is a required property"), ("rejected", age)]);
    let failures = world.ok(&["failures", &job, "--json"]);
    let failures: Value = serde_json::from_str(&failures).unwrap();
    assert_eq!(failures["clusters"].as_array().map(Vec::len), Some(1), "{failures}");
    world.assert_sound("1");
}

#[cfg(feature = "schema")]
#[test]
fn a_schema_that_cannot_be_used_is_refused_before_anything_is_created() {
    let world = World::new();
    let create = |schema: &str, flags: &[&str]| {
        let file = world.write("schema.json", schema).display().to_string();
        world.fails(2, &[&["create", "--schema", &file], flags, &["--", "true"]].concat())
    };
    let json = &["--result", "json"];

    assert!(create("{}", &[]).contains("--schema requires --result json"));
    assert!(create("{}", &["--result", "text"]).contains("--schema requires --result json"));
    assert!(create("{", json).contains("not a JSON document"));
    assert!(create(r#"{"type":"x"}"#, json).contains("cannot use the schema"));
    assert!(create(r#"{"$ref":"https://example.com/x"}"#, json).contains("cannot use the schema"));
    assert!(create(r#"{"$ref":"other.json"}"#, json).contains("cannot use the schema"));
    let missing = world.fails(2, &["create", "--schema", "nowhere", "--result", "json", "--", "true"]);
    assert!(missing.contains("cannot read the schema nowhere"), "{missing}");
    assert!(!world.db().exists());
}

#[test]
fn a_check_that_cannot_be_a_script_is_refused_before_anything_is_created() {
    let world = World::new();

    let unknown = world.fails(2, &["create", "--check", "test -s {naem}", "--", "cat", "{}", ":::", "a"]);
    let unquotable = world.fails(2, &["create", "--check", "cat <<E\n{}\nE", "--", "cat", "{}", ":::", "a"]);

    assert!(unknown.contains("{naem}") && unknown.contains("--check"), "{unknown}");
    assert!(unquotable.contains("{}"), "{unquotable}");
    assert!(!world.db().exists());
    let output = world.run(&["create", "--dry-run", "--check", "test -s {}", "--", "cat", "{}", ":::", "a"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[cfg(feature = "postgres")]
#[test]
fn fault_404_a_database_on_a_server_of_the_schema_before_is_read_as_it_is_and_brought_up_to_date() {
    let Some(world) = World::on_server() else { return };
    let job = world.ok(&["submit", "-q", "--max-attempts", "1", "--", "false"]);
    world.fails(10, &["wait", &job]);
    // Which that schema has no columns for.
    world.sql("UPDATE attempts SET cpu_us = NULL, peak_bytes = NULL, peak_is_bound = NULL, slot = NULL");
    world.sql("UPDATE units SET slot = NULL");
    let before = world.ok(&["unit", "1:1", "--json"]);
    let newest = world.schema_on_server();
    world.back_to_schema(8);

    for verb in [&["list", "-a"][..], &["status", "1"], &["failures", "1"], &["explain", "1"], &["results", "1"]] {
        world.ok(verb);
    }
    assert_eq!((world.ok(&["unit", "1:1", "--json"]), world.schema_on_server()), (before.clone(), 8));
    world.ok(&["doctor", "--migrate"]);

    assert_eq!((world.ok(&["unit", "1:1", "--json"]), world.schema_on_server()), (before, newest));
    run(&world, &["--idle-timeout", "300ms", "--max-attempts", "1"], "sleep 600");
    assert_eq!(world.count("(SELECT count(*) FROM attempts WHERE cause = 'idle')"), 1);
}

#[test]
fn what_could_judge_nothing_is_refused_by_what_is_wrong_with_it() {
    let world = World::new();
    let schema = world.write("bad.json", "{").display().to_string();
    for (options, words) in [
        (&["--check", " "][..], "it is empty, expected e.g. test -s out"),
        (&["--then", "\n"], "it is empty"),
        (&["--idle-timeout", "10m", "--timeout", "5m"], "which is over before it has given no sign of life for 10m00s"),
        (&["--result", "json", "--schema", &schema], "cannot use the schema /"),
        (&["--result", "json", "--schema", &schema], "bad.json"),
    ] {
        let said = world.fails(2, &[&["create"][..], options, &["--", "true"]].concat());
        assert!(said.contains(words), "{options:?}: {said}");
    }
    for items in [&[][..], &[":::", "a"]] {
        let said = world.fails(2, &[&["create", "--", "cp", "/dev/null", "{out}"][..], items].concat());
        assert!(said.contains("--creates PATH says what {out} becomes"), "{said}");
    }
    assert!(world.fails(2, &["unit-later"]).contains("--until 22:00"));
    assert!(!world.db().exists());

    let job = world.ok(&["create", "-q", "--timeout", "5m", "--", "true"]);
    assert!(world.fails(2, &["set", &job, "idle-timeout=10m"]).contains("sign of life"));
    world.ok(&["set", &job, "idle-timeout=10m", "timeout=1h"]);
}

#[test]
fn the_next_attempt_is_told_four_kilobytes_of_what_was_wrong() {
    let world = World::new();
    let check = r#"test -e seen && exit 0; printf '%05000d\n' 1 >&2; exit 1"#;
    let script = r#"test -z "$JOB_MANAGER_LAST_ERROR" || printf %s "$JOB_MANAGER_LAST_ERROR" >seen"#;

    world.ok(&["run", "-q", "--backoff", "10ms", "--check", check, "--", "sh", "-c", script]);

    assert_eq!(world.lines("seen")[0].len(), 4096);
}

#[test]
fn the_last_unit_of_a_job_is_shown_with_its_own_command() {
    let world = World::new();
    world.ok(&["run", "-q", "--then", "echo all done", "--", "true", ":::", "a"]);

    let last: Value = serde_json::from_str(&world.ok(&["unit", "1:2", "--json"])).unwrap();

    assert_eq!(last["command"], "echo all done", "{last}");
}
