//! `{out}` with `--creates`: a path is absent or whole, whatever happens.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{BIN, World, is_root, needs_file, repeat, send, text, wait_for, without, without_tool};

/// Runs a job of one unit that makes `a.out`, and returns that.
fn run_making(world: &World, flags: &[&str], script: &str) -> Value {
    let submit = ["submit", "-q", "--backoff", "10ms", "--creates", "{}.out"];
    let once: &[&str] = if flags.contains(&"--max-attempts") { &[] } else { &["--max-attempts", "1"] };
    let job = world.ok(&[&submit, once, flags, &["--shell", "--", script, ":::", "a"]].concat());
    world.run(&["wait", "-q", &job]);
    world.units(&job).pop().unwrap()
}

/// Returns the names under which attempts make something, as far as they are there.
fn unfinished(world: &World) -> Vec<String> {
    let names = fs::read_dir(world.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".jm-")).collect()
}

#[test]
fn what_a_command_makes_has_its_name_only_when_the_attempt_has_ended_well() {
    let world = World::new();
    let look = "test ! -e {}.out || echo there >>seen; echo {out} >>outs";

    let failed = run_making(&world, &[], &format!("{look}; echo half >{{out}}; exit 1"));
    let late = run_making(&world, &["--timeout", "300ms"], &format!("{look}; echo half >{{out}}; sleep 600"));
    let wrong = run_making(&world, &["--check", "false"], &format!("{look}; echo half >{{out}}"));
    let nothing = run_making(&world, &[], &look.replace("{}.out", "{}.none"));
    let left = (unfinished(&world), world.path("a.out").exists());
    let made = run_making(&world, &[], &format!("{look}; echo whole >{{out}}"));
    let done = run_making(&world, &[], "echo again >{out}");

    for unit in [failed, late, wrong, nothing] {
        assert_eq!(unit["status"], "failed", "{unit}");
        assert!(!unit["error"].as_str().unwrap().contains("unfinished"), "{unit}");
    }
    assert_eq!(left, (vec![], false));
    assert_eq!((&made["status"], &done["status"]), (&"completed".into(), &"skipped".into()));
    assert_eq!(world.lines("a.out"), ["whole"]);
    assert!(!world.path("seen").exists());
    let outs = world.lines("outs");
    assert!(outs.iter().all(|out| out.contains("/.jm-") && out.ends_with("-1-1-a.out")), "{outs:?}");
}

#[test]
fn a_run_says_how_many_units_had_nothing_to_make() {
    let world = World::new();
    world.write("b.out", "");

    let run =
        ["run", "--exit", "77=skip", "--creates", "{}.out", "--shell", "--", "test {} != c || exit 77; touch {out}"];
    let ran = world.run(&[&run[..], &[":::", "a", "b", "c"]].concat());
    let none = world.run(&["run", "--creates", "d", "--", "touch", "{out}"]);

    let said = text(&ran.stderr);
    assert!(said.contains("1 unit skipped: what they make is there already"), "{said}");
    assert!(!text(&none.stderr).contains("there already"), "{}", text(&none.stderr));
}

#[test]
fn a_field_of_the_data_is_written_in_quotes_where_out_is_ours_and_is_its_own_elsewhere() {
    let world = World::new();
    let items = world.write("items", r#"{"in":"x","out":"y"}"#).display().to_string();

    let ours =
        world.ok(&["run", "-q", "--creates", "{out}", "--jsonl", &items, "--shell", "--", "echo {\"out\"} >{out}"]);
    let theirs = world.ok(&["run", "-q", "--jsonl", &items, "--", "sh", "-c", "echo $1 >theirs", "sh", "{out}"]);
    let unknown = world.fails(2, &["run", "--", "touch", "{out}"]);
    let shown = world.ok(&["create", "--dry-run", "--creates", "b", "--", "touch", "{out}"]);

    assert_eq!(
        (world.lines("y"), world.lines("theirs")),
        (vec!["y".to_owned()], vec!["y".to_owned()]),
        "{ours}{theirs}"
    );
    assert!(unknown.contains("{out}"), "{unknown}");
    assert!(shown.contains("{out}"), "{shown}");
}

#[test]
fn what_somebody_else_made_meanwhile_is_not_replaced() {
    let world = World::new();

    let unit = run_making(&world, &["--max-attempts", "4"], "echo ours >{out}; echo theirs >a.out");

    assert_eq!((&unit["status"], &unit["attempts"]), (&"failed".into(), &1.into()), "{unit}");
    assert!(unit["error"].as_str().unwrap().contains("was made by somebody else meanwhile"), "{unit}");
    assert_eq!(world.lines("a.out"), ["theirs"]);
    assert_eq!(unfinished(&world), [""; 0]);
}

#[test]
fn a_partial_that_is_kept_is_there_for_the_next_attempt_under_the_same_name() {
    let world = World::new();
    let script = "echo $JOB_MANAGER_ATTEMPT >>{out}; test $JOB_MANAGER_ATTEMPT = 3";

    let unit = run_making(&world, &["--keep-partial", "--max-attempts", "3"], script);

    assert_eq!(unit["status"], "completed", "{unit}");
    assert_eq!(world.lines("a.out"), ["1", "2", "3"]);
    assert_eq!(unfinished(&world), [""; 0]);
}

#[test]
fn a_directory_is_made_and_removed_like_a_file() {
    let world = World::new();

    run_making(&world, &[], "mkdir {out}; touch {out}/part; exit 1");
    let left = (unfinished(&world), world.path("a.out").exists());
    let made = run_making(&world, &[], "mkdir -p {out}/deep; echo whole >{out}/deep/file");

    assert_eq!(left, (vec![], false));
    assert_eq!(made["status"], "completed", "{made}");
    assert_eq!(world.lines("a.out/deep/file"), ["whole"]);
}

#[test]
fn fault_402_what_an_attempt_left_under_its_own_name_is_removed_when_its_manager_has_died() {
    let world = World::new();
    let script = "echo {out} >>outs; echo half >{out}; until test -e go; do sleep 0.02; done; echo whole >{out}";
    let submit = || {
        let submit = ["submit", "-q", "--backoff", "10ms", "--creates", "{}.out", "--shell", "--", script, ":::", "a"];
        let job = world.ok(&submit);
        wait_for(&world, "the unit to make a half", || unfinished(&world).len() == 1);
        world.kill_manager(&job);
        job
    };

    let given_up = submit();
    world.ok(&["cancel", "-y", &given_up]);
    assert_eq!(unfinished(&world), [""; 0]);
    let resumed = submit();
    world.write("go", "");
    world.ok(&["resume", &resumed]);
    world.ok(&["wait", &resumed]);

    assert_eq!(world.lines("a.out"), ["whole"]);
    assert_eq!(unfinished(&world), [""; 0]);
    world.assert_sound(&resumed);
}

/// Kills whoever makes the n-th of some calls while a job of one unit is run, for growing n; the path must be absent or whole
/// then, and whole when the job has been resumed to its end.
fn kill_at_every(calls: &str, step: usize, script: &str, whole: impl Fn(&World) -> bool) {
    if !World::new().sh("command -v strace").status.success() {
        return without_tool("strace");
    }
    for nth in (1..2_000).step_by(step) {
        let world = World::new();
        let create =
            ["create", "-q", "-j", "1", "--backoff", "10ms", "--creates", "made/a", "--check", "test -e {out}"];
        world.sh("mkdir made && seq 20000 >whole");
        world.ok(&[&create[..], &["--shell", "--", script]].concat());
        let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:signal=SIGKILL:when={nth}"));
        let mut strace = world.command("strace");
        strace.args(["-f", "-qq", "-o", "strace.log", "-e", &trace, "-e", &inject, BIN, "start", "1"]);

        strace.output().unwrap();
        let is_whole = !world.path("made/a").exists() || whole(&world);
        world.run(&["stop", "1", "--now", "--wait"]);
        let log = world.lines("strace.log").join("\n");
        let hit = log.contains("(INJECTED)") || log.contains("killed by SIGKILL");

        assert!(is_whole, "half at call {nth}: {log}");
        for _ in 0..6 {
            world.run(&["resume", "1"]);
            if world.run(&["wait", "-q", "1", "--timeout", "30s"]).status.code() == Some(0) {
                break;
            }
        }
        let unit = world.units("1").pop().unwrap();
        assert!(unit["status"] == "completed" && whole(&world), "call {nth}: {unit}\n{log}\n{}", world.report());
        let made: Vec<_> = fs::read_dir(world.path("made")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(made, ["a"], "call {nth}: {log}");
        world.assert_sound("1");
        if !hit {
            println!("{} calls", nth / step);
            assert!(nth > 1, "nothing was hit");
            return;
        }
    }
}

#[test]
fn fault_445_a_half_that_a_command_writes_to_the_path_itself_is_not_taken_for_made() {
    let world = World::new();
    let half = "echo half >{}.out; : {out}";

    let failed = run_making(&world, &[], &format!("{half}; exit 1"));
    let gone = !world.path("a.out").exists();
    let nothing = run_making(&world, &[], half);
    let gone = gone && !world.path("a.out").exists();
    let both = run_making(&world, &[], &format!("{half}; echo whole >{{out}}; exit 1"));
    let gone = gone && !world.path("a.out").exists();
    let script = format!("{half}; until test -e go; do sleep 0.02; done");
    let job = world.ok(&["submit", "-q", "--creates", "{}.out", "--shell", "--", &script, ":::", "a"]);
    wait_for(&world, "the unit to make a half", || world.lines("a.out") == ["half"]);
    world.kill_manager(&job);
    world.ok(&["cancel", "-y", &job]);
    let gone = gone && !world.path("a.out").exists();
    let made = run_making(&world, &[], "echo whole >{out}");

    for unit in [&failed, &both] {
        assert!(unit["error"].as_str().unwrap().contains("a.out, which was unfinished"), "{unit}");
    }
    let said = nothing["error"].as_str().unwrap();
    assert!(said.contains("did not make {out}, which becomes /") && said.contains("/a.out"), "{said}");
    assert!(gone && made["status"] == "completed", "{made}");
    assert_eq!((world.lines("a.out"), unfinished(&world)), (vec!["whole".to_owned()], vec![]));
}

#[test]
fn fault_446_a_name_of_any_length_that_a_file_may_have_is_made_and_a_longer_one_refused() {
    let world = World::new();
    let names: Vec<String> = [230, 246, 247, 255].map(|length| "n".repeat(length)).to_vec();
    let items = world.write("names", &names.join("\n")).display().to_string();
    let long = world.write("long", &format!("{}\n", "n".repeat(256))).display().to_string();
    let run = |script: &str, items: &str| {
        let flags = ["run", "-q", "--max-attempts", "1", "--creates", "{}", "--lines", items];
        world.run(&[&flags[..], &["--shell", "--", script]].concat())
    };

    let failed = run("echo half >{}; exit 1", &items);
    let left: Vec<_> = names.iter().filter(|name| world.path(name).exists()).collect();
    let made = run("echo whole >{out}", &items);
    let again = run("echo more >{}", &items);
    let refused = run("echo whole >{}", &long);

    assert_eq!((failed.status.code(), left), (Some(10), Vec::<&String>::new()));
    assert_eq!((made.status.code(), again.status.code()), (Some(0), Some(0)), "{}", text(&made.stderr));
    assert!(names.iter().all(|name| world.lines(name) == ["whole"]));
    let said = text(&refused.stderr);
    assert!(refused.status.code() == Some(2) && said.contains("256 bytes, and at most 255 are possible"), "{said}");
}

#[test]
fn fault_447_what_no_earlier_attempt_left_is_not_replaced() {
    let world = World::new();
    std::os::unix::fs::symlink("nowhere", world.path("a.out")).unwrap();

    let linked = run_making(&world, &[], "echo whole >{out}");
    let is_link = fs::symlink_metadata(world.path("a.out")).unwrap().is_symlink();
    fs::remove_file(world.path("a.out")).unwrap();
    let failed = run_making(&world, &[], "test -e again || exit 1; echo whole >{out}");
    world.write("a.out", "of somebody else");
    world.write("again", "");
    let job = world.ok(&["list", "-q", "--limit", "1"]);
    world.ok(&["retry", "--no-start", &job]);
    world.ok(&["resume", &job]);
    world.run(&["wait", "-q", &job]);
    let retried = world.units(&job).pop().unwrap();

    let said = linked["error"].as_str().unwrap();
    assert!(is_link && said.contains("a.out is a link that leads to nothing"), "{said}");
    assert_eq!((&failed["status"], &retried["status"]), (&"failed".into(), &"skipped".into()), "{retried}");
    assert_eq!(world.lines("a.out"), ["of somebody else"]);
}

fn is_same(one: &Path, other: &Path) -> bool {
    fs::read(one).is_ok_and(|one| fs::read(other).is_ok_and(|other| one == other))
}

#[test]
fn fault_403_a_path_is_absent_or_whole_after_a_kill_at_every_rename_and_sync() {
    let calls = "rename,renameat,renameat2,fsync,unlink,unlinkat";
    kill_at_every(calls, 1, "cat whole >{out}", |world| is_same(&world.path("whole"), &world.path("made/a")));
}

#[test]
fn fault_403_a_directory_is_absent_or_whole_after_a_kill_at_every_rename_and_sync() {
    let script = "mkdir {out}; cat whole >{out}/one; cat whole >{out}/two";
    kill_at_every("rename,renameat,renameat2,fsync,rmdir", repeat(2, 1), script, |world| {
        let is_whole = |name: &str| is_same(&world.path("whole"), &world.path("made/a").join(name));
        is_whole("one") && is_whole("two")
    });
}

#[test]
fn fault_403_a_path_is_absent_or_whole_after_a_kill_at_every_open() {
    let step = repeat(11, 1);
    kill_at_every("openat", step, "cat whole >{out}", |world| is_same(&world.path("whole"), &world.path("made/a")));
}

#[test]
fn fault_405_no_completed_unit_stands_beside_a_path_that_is_not_whole_after_a_power_cut() {
    needs_file!("the power of its disk is cut");
    if !is_root() || !Path::new("/dev/loop-control").exists() {
        return without("cutting the power of a disk needs root and loop devices");
    }
    let world = World::new();
    if !world.sh("command -v mkfs.ext4 && command -v python3").status.success() {
        return without("cutting the power of a disk needs mkfs.ext4 and python3");
    }
    world.write("cut.py", include_str!("../../fixtures/power_cut.py"));
    world.sh("truncate -s 64M disk.img && mkfs.ext4 -q disk.img && mkdir disk && seq 2000 >whole");
    let mut completed_in_all = 0;
    for cut in 0..repeat(3_u64, 30) {
        let units = world.numbers(1500);
        let script = "mount -o loop disk.img disk && export JOB_MANAGER_DB=$PWD/disk/jobs.db && rm -rf disk/* && mkdir disk/made && \
            \"$BIN\" submit -q -j 4 --creates 'disk/made/{}' --lines \"$1\" --shell -- 'cat whole >{out}' >/dev/null && \
            manager=$(\"$BIN\" status --json | sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/') && \
            python3 cut.py \"$BIN\" disk \"$2\" >acknowledged; kill -KILL $manager; \
            until umount disk 2>/dev/null; do sleep 0.05; done; \
            mount -o loop disk.img disk && \"$BIN\" units --status completed --limit 2000 --json >completed.json; \
            for made in disk/made/*; do cmp -s whole $made && echo ${made##*/} >>wholes || echo $made >>halves; done; \
            \"$BIN\" resume >/dev/null; \"$BIN\" wait -q --timeout 60s; echo \"end $?\"; ls -A disk/made | wc -l; umount disk";
        let moment = (cut * 137 % 700 + 150).to_string();
        world.sh("rm -f wholes halves");

        let ran = world.command("unshare").args(["-m", "sh", "-c", script, "sh", &units, &moment]).output().unwrap();

        let said = format!("cut {cut}: {}{}", text(&ran.stdout), text(&ran.stderr));
        let completed: Value =
            serde_json::from_str(&world.lines("completed.json").concat()).unwrap_or_else(|_| panic!("{said}"));
        let wholes = world.lines("wholes");
        let completed = completed["units"].as_array().unwrap_or_else(|| panic!("{completed} {said}"));
        for unit in completed {
            assert!(wholes.contains(&unit["payload"].as_str().unwrap().to_owned()), "{unit} is not whole: {said}");
        }
        assert!(world.lines("halves").iter().all(|half| half.ends_with('*')), "{:?} {said}", world.lines("halves"));
        assert!(text(&ran.stdout).ends_with("end 0\n1500\n"), "{said}");
        completed_in_all += completed.len();
    }
    println!("{completed_in_all} completed units before the cuts, all of them whole");
    assert!(completed_in_all > 0);
}

#[test]
fn the_example_of_films_makes_whole_copies_by_an_encoder_that_hangs_fails_and_is_killed() {
    let world = World::new();
    fs::create_dir(world.path("films")).unwrap();
    let films = ["alien", "brazil", "casablanca", "duel"];
    films.iter().for_each(|film| drop(world.write(&format!("films/{film}.mov"), &format!("the film {film}\n"))));
    let run = || {
        let mut run = world.command(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/transcode/run.sh"));
        run.arg(world.path("films")).arg(world.path("made")).env("JOB_MANAGER", BIN);
        run.env("WINDOW", "00:00-24:00").env("SPARE", "1K").env("SILENT", "1s").env("BACKOFF", "100ms..1s");
        run.env("HANGS", "alien").env("FAILS", "brazil").env("WAITS", "casablanca");
        run.output().unwrap()
    };
    let copy = |film: &str| world.path(&format!("made/small/{film}.mp4"));
    let db = world.path("made/jobs.db");
    let verb = |words: &[&str]| world.run(&[&["--db", db.to_str().unwrap()], words].concat());
    let status = || serde_json::from_slice::<Value>(&verb(&["--json", "status", "films"]).stdout).unwrap();

    let (killed, half) = std::thread::scope(|threads| {
        let killed = threads.spawn(run);
        let called =
            || fs::read_to_string(world.path("made/calls.log")).is_ok_and(|calls| calls.contains("casablanca"));
        wait_for(&world, "the encoder to wait in the middle of a film", called);
        let pid = status()["pid"].as_u64().unwrap();
        send(u32::try_from(pid).unwrap(), Signal::SIGKILL);
        (killed.join().unwrap(), copy("casablanca").exists())
    });
    world.write("made/go-on", "");
    let resumed = verb(&["resume", "films"]);
    let waited = verb(&["wait", "films"]);
    let again = run();

    assert!(!killed.status.success() && !half, "{}", text(&killed.stderr));
    assert!(resumed.status.success() && waited.status.success(), "{}{}", text(&resumed.stderr), text(&waited.stderr));
    for film in films {
        assert_eq!(fs::read_to_string(copy(film)).unwrap(), format!("first half of the film {film}\nsecond half\n"));
    }
    assert_eq!(fs::read_dir(world.path("made/small")).unwrap().count(), films.len());
    assert!(again.status.success() && text(&again.stderr).contains("4 units skipped"), "{}", text(&again.stderr));
    let calls = world.lines("made/calls.log");
    let of = |film: &str| calls.iter().filter(|call| *call == film).count();
    assert!(of("alien") >= 2 && of("brazil") >= 2, "{calls:?}");
}
