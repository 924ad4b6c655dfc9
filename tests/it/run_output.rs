//! What `run` shows of its units: with `-k` and `--tag` their whole output, without them the ends of failures.

use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::support::{World, repeat, send, text, wait_for};

/// The second unit ends first: the first one waits for a word from the test.
const SECOND_FIRST: &str = "echo {}; echo {} >&2; touch began; test {} = b || while ! test -e go; do sleep 0.01; done";

#[test]
fn output_comes_in_the_order_of_the_units_or_in_that_of_their_ends() {
    let world = World::new();
    let run = |flag: &str| {
        let _ = (std::fs::remove_file(world.path("began")), std::fs::remove_file(world.path("go")));
        let run = ["run", "-j", "2", flag, "--shell", "--", SECOND_FIRST, ":::", "a", "b"];
        let running = world.job_manager(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&world, "the second to have ended", || {
            world.path("began").exists() && world.status("last")["progress"]["completed"] == 1
        });
        world.write("go", "");
        let ran = running.wait_with_output().unwrap();
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        (text(&ran.stdout), text(&ran.stderr))
    };

    let (kept, kept_stderr) = run("-k");
    let (tagged, tagged_stderr) = run("--tag");

    assert_eq!(kept, "a\nb\n");
    assert!(kept_stderr.starts_with("a\nb\n") && kept_stderr.contains("2 of 2 completed"), "{kept_stderr}");
    assert_eq!(tagged, "b\tb\na\ta\n");
    assert!(tagged_stderr.starts_with("b\tb\na\ta\n"), "{tagged_stderr}");
}

#[test]
fn the_output_of_many_small_units_is_whole_and_in_order() {
    let world = World::new();
    let count = repeat(1500, 100_000);

    let ran = world.run(&["run", "-k", "-j", "4", "--range", &format!("1-{count}"), "--", "echo", "{}"]);

    let expected: String = (1..=count).map(|number| format!("{number}\n")).collect();
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert!(ran.stdout == expected.as_bytes(), "{} bytes for {}", ran.stdout.len(), expected.len());
}

#[test]
fn every_byte_of_the_last_attempt_arrives_once_and_nothing_of_the_others() {
    let world = World::new();
    let script = "head -c 200000 /dev/zero | tr '\\0' {}; printf '\\033[2J\\377'; test $JOB_MANAGER_ATTEMPT = 2";

    for flags in [&["-k"][..], &["-k", "--tag"]] {
        let submit = ["run", "--backoff", "1ms", "-j", "2", "--shell"];
        let ran = world.run(&[&submit[..], flags, &["--", script, ":::", "x", "y"]].concat());

        let output = |item: char| {
            let mut bytes = item.to_string().repeat(200_000).into_bytes();
            bytes.extend(b"\x1b[2J\xff");
            bytes
        };
        let tagged = |item: char| [format!("{item}\t").as_bytes(), &output(item), b"\n"].concat();
        let each = |item| if flags.len() == 1 { output(item) } else { tagged(item) };
        let expected = [each('x'), each('y')].concat();
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        assert!(ran.stdout == expected, "{flags:?}: {} bytes for {}", ran.stdout.len(), expected.len());
    }
}

#[test]
fn output_that_would_be_cut_or_mixed_is_refused_before_anything_is_created() {
    let world = World::new();

    for (flags, said) in [
        (&["--output", "none"][..], "--output none keeps nothing"),
        (&["--output", "tail"], "--output tail keeps the ends"),
        (&["--output-dir", "out"], "--output-dir writes it into files"),
        (&["--json"], "--json answers with one document"),
    ] {
        for flag in ["-k", "--tag"] {
            let refused = world.fails(2, &[&["run", flag], flags, &["--", "true"]].concat());
            assert!(refused.contains(said), "{refused}");
        }
    }
    assert!(!world.db().exists());
    world.ok(&["create", "-q", "--key", "k", "--", "echo", "a"]);
    let kept_less = world.fails(4, &["run", "-k", "--key", "k", "--", "echo", "a"]);
    assert!(kept_less.contains("output \"tail\" → \"full\""), "{kept_less}");
    assert_eq!(world.status("1")["job_status"], "created");
}

#[test]
fn a_job_that_is_paused_gives_what_has_ended_behind_the_unit_that_was_waited_for() {
    let world = World::new();
    let script = "echo {}; test {} != a || { touch runs; sleep 600; }";
    let script = script.replace("{ ", "{{ ").replace("; }", "; }}");
    let run = ["run", "-k", "-j", "2", "--shell", "--", &script, ":::", "a", "b", "c"];
    let running = world.job_manager(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&world, "two units to have ended", || {
        world.path("runs").exists() && world.status("last")["progress"]["completed"] == 2
    });

    world.ok(&["stop", "--now", "--wait"]);
    let ran = running.wait_with_output().unwrap();

    assert_eq!(ran.status.code(), Some(12), "{}", text(&ran.stderr));
    assert_eq!(text(&ran.stdout), "b\nc\n");
}

#[test]
fn ctrl_c_leaves_the_job_alone_also_while_its_output_is_printed() {
    let world = World::new();
    let script = "echo {}; touch began; test {} = a || while ! test -e go; do sleep 0.05; done";
    let run = ["run", "-k", "-j", "2", "--shell", "--", script, ":::", "a", "b"];
    let running = world.job_manager(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&world, "a unit to have ended", || {
        world.path("began").exists() && world.status("last")["progress"]["completed"] == 1
    });

    send(running.id(), Signal::SIGINT);
    let ran = running.wait_with_output().unwrap();
    world.write("go", "");

    assert_eq!(ran.status.code(), Some(130));
    assert!(text(&ran.stderr).contains("goes on without this terminal"), "{}", text(&ran.stderr));
    world.ok(&["wait"]);
}

#[test]
fn a_reader_that_has_seen_enough_leaves_the_job_alone() {
    let world = World::new();

    let ran = world.sh("\"$BIN\" run -k -j 1 --range 1-200 -- echo {} 2>said | head -1");

    assert_eq!(text(&ran.stdout), "1\n");
    assert!(world.lines("said").concat().contains("goes on without this terminal"), "{:?}", world.lines("said"));
    world.ok(&["wait"]);
}

#[test]
fn without_them_the_last_lines_of_failures_are_shown_and_where_the_output_is() {
    let world = World::new();
    let script = "for n in 1 2 3 4 5 6 7; do echo line $n >&2; done; echo {}; test {} = good";

    let run = ["run", "-j", "1", "--max-attempts", "1", "--shell", "--", script, ":::"];
    let ran = world.run(&[&run[..], &["bad", "good"]].concat());
    let many: Vec<String> = (1..=15).map(|number| number.to_string()).collect();
    let many = world.run(&[&run[..], &many.iter().map(String::as_str).collect::<Vec<_>>()].concat());

    let said = text(&ran.stderr);
    assert!(said.contains("unit 1 (bad) failed: exited with code 1\n  | line 3\n  | line 4\n"), "{said}");
    assert!(said.contains("  | line 7\n") && !said.contains("line 2") && !said.contains("unit 2"), "{said}");
    assert!(said.contains("job-manager logs 1    shows the last that each of its units wrote"), "{said}");
    assert_eq!(text(&many.stderr).matches(") failed: ").count(), 10);
    let kind = world.ok(&["failures", "-q", "1"]);
    assert!(
        said.contains("  1 failed: ") && said.contains(&format!("job-manager retry 1 --cluster {kind} ")),
        "{said}"
    );
    assert!(text(&many.stderr).contains("further failures are not shown, `job-manager failures 2`"));
    assert_eq!(ran.status.code(), Some(10));
}

#[test]
fn the_end_names_what_took_longest_and_a_bar_fits_the_screen() {
    let world = World::new();
    let script = "sleep {}; exit $((${{JOB_MANAGER_UNIT}} - 1))";
    // A terminal that has no name is drawn on by nobody.
    world.write("run.sh", &format!("TERM=xterm \"$BIN\" run --max-attempts 1 --shell -- '{script}' ::: 1.1 0 0"));

    for columns in [45, 60, 120] {
        let seen = world.sh(&format!("script -qec 'stty rows 24 cols {columns}; sh run.sh' /dev/null"));

        let seen = text(&seen.stdout);
        let bars: Vec<&str> = seen.split(['\r', '\n']).filter(|line| line.contains("/3 ")).collect();
        assert!(!bars.is_empty(), "{seen}");
        for bar in bars {
            let bar = bar.trim_start_matches("\u{1b}[2K");
            assert!(bar.starts_with("job ") && bar.chars().count() <= columns, "{columns}: {bar:?}");
        }
        assert!(seen.contains("slowest: unit 1 (1.1) 1."), "{seen}");
        assert!(seen.contains("--cluster "), "{seen}");
    }
}

#[test]
fn a_line_about_the_progress_comes_now_and_then_where_there_is_no_terminal() {
    let world = World::new();
    let run = |every: &str| {
        let script = "while ! test -e go; do sleep 0.01; done";
        let _ = std::fs::remove_file(world.path("go"));
        let run = ["run", "--progress-every", every, "--shell", "--", script];
        let said = std::fs::File::create(world.path("said")).unwrap();
        world.job_manager(&run).stderr(said).stdout(Stdio::null()).spawn().unwrap()
    };

    let mut running = run("20ms");
    wait_for(&world, "two lines", || {
        world.lines("said").iter().filter(|line| line.contains("0 of 1 (0 %)")).count() > 1
    });
    world.write("go", "");
    running.wait().unwrap();
    let mut silent = run("none");
    world.write("go", "");
    silent.wait().unwrap();

    assert!(!world.lines("said").concat().contains("0 of 1"), "{:?}", world.lines("said"));
    world.fails(2, &["watch", "--progress-every", "soon"]);
}

#[test]
fn the_tag_of_a_unit_without_an_item_is_its_number() {
    let world = World::new();

    let ran = world.run(&["run", "--tag", "--", "printf", "q\\n"]);

    assert_eq!(text(&ran.stdout), "1\tq\n");
}

#[test]
fn fault_534_who_follows_a_unit_that_cannot_begin_is_told_why() {
    for kept in ["full", "tail"] {
        let world = World::new();
        let script = "test -e go || exit 1";
        let submit = ["submit", "-q", "-j", "1", "--max-attempts", "1", "--max-failures", "1", "--output", kept];
        world.ok(&[&submit[..], &["--shell", "--", script, ":::", "a", "b", "c"]].concat());
        world.run(&["wait", "1"]);

        let followed = world.run(&["logs", "-f", "1:3"]);

        let said = text(&followed.stderr);
        assert!(followed.status.success() && followed.stdout.is_empty(), "{followed:?}");
        assert!(said.contains("unit 3 has not begun: job 1 ") && said.contains("try: job-manager "), "{said}");
        world.write("go", "");
        world.ok(&["resume", "1"]);
        world.run(&["wait", "1"]);
        assert_eq!(text(&world.run(&["logs", "-f", "1:3"]).stderr), "");
    }
}

#[test]
fn fault_535_a_unit_is_followed_through_all_of_its_attempts() {
    let world = World::new();
    let script = "echo attempt $JOB_MANAGER_ATTEMPT; test $JOB_MANAGER_ATTEMPT = 1 && until test -e go; do sleep 0.02; done; \
        test $JOB_MANAGER_ATTEMPT = 4";
    let submit = ["submit", "-q", "--output", "full", "--backoff", "1ms..1ms", "--shell", "--", script];
    world.ok(&submit);
    wait_for(&world, "the first attempt", || world.ok(&["logs", "1:1"]) == "attempt 1");

    let out = std::fs::File::create(world.path("followed")).unwrap();
    let mut follower = world.job_manager(&["logs", "-f", "1:1"]).stdout(out).spawn().unwrap();
    wait_for(&world, "it to follow the first", || world.lines("followed") == ["attempt 1"]);
    world.write("go", "");
    let ended = follower.wait().unwrap();

    assert!(ended.success());
    assert_eq!(world.lines("followed"), [1, 2, 3, 4].map(|attempt| format!("attempt {attempt}")));
}
