//! Starting and detaching: nothing that happens to the parent reaches the manager.

use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::support::{BIN, World, identity, is_alive, kill, repeat, text, wait_for, zombies_below};

/// A job that runs until the file `go` exists.
const WAITS: [&str; 5] = ["--shell", "--", "until test -e go; do sleep 0.02; done; echo {}", ":::", "a"];

fn submit_waiting(world: &World) -> String {
    world.ok(&[&["submit"], &WAITS[..]].concat())
}

fn finish(world: &World, job: &str) {
    world.write("go", "");
    world.ok(&["wait", job]);
    world.assert_sound(job);
}

#[test]
fn fault_01_the_manager_outlives_its_parent_and_is_nobodys_child() {
    let world = World::new();

    let job = submit_waiting(&world);
    let manager = world.manager(&job);
    let found = identity(manager).unwrap();

    assert_ne!(found.parent, std::process::id());
    assert_ne!(found.session, identity(std::process::id()).unwrap().session);
    finish(&world, &job);
    wait_for(&world, "the manager to end", || !is_alive(manager));
}

#[test]
fn fault_02_a_kill_of_the_parents_group_at_any_instant_does_not_reach_the_manager() {
    let world = World::new();

    for round in 0..20 {
        let mut parent = world.command("sh");
        let script = format!("\"$BIN\" submit -q --name r{round} -- sleep 600 ::: a; kill -KILL 0");
        let mut parent = parent.args(["-c", &script]).process_group(0).stdout(Stdio::null()).spawn().unwrap();
        let group = Pid::from_raw(i32::try_from(parent.id()).unwrap());
        parent.wait().unwrap();
        // The group is empty by now, unless the kill has missed somebody.
        let _ = killpg(group, Signal::SIGKILL);

        let status = world.status(&format!("r{round}"));
        assert_eq!(status["status"], "running", "round {round}: {status}");
        assert!(is_alive(world.manager(&format!("r{round}"))));
        world.ok(&["cancel", &format!("r{round}")]);
    }
}

#[test]
fn fault_02_a_terminal_that_closes_does_not_end_the_job() {
    let world = World::new();
    let script = "import os,pty,sys\n\
        pid,master=pty.fork()\n\
        if pid==0: os.execvp(os.environ['BIN'],[os.environ['BIN'],'submit','-q','--','sleep','600'])\n\
        data=b''\n\
        while b'1' not in data: data+=os.read(master,100)\n\
        os.close(master)\n";

    let ran = world.command("python3").args(["-c", script]).output().unwrap();

    assert!(ran.status.success(), "{}", text(&ran.stderr));
    wait_for(&world, "the job to run without its terminal", || world.status("1")["progress"]["running"] == 1);
    assert!(is_alive(world.manager("1")));
}

#[test]
fn fault_03_a_parent_that_never_waits_gets_no_zombie_and_no_wrong_answer() {
    let world = World::new();
    let script = "import os,signal,subprocess,time\n\
        p=subprocess.Popen([os.environ['BIN'],'submit','-q','--','sleep','600'],stdout=subprocess.PIPE)\n\
        p.stdout.read()\n\
        open('ready','w').close()\n\
        time.sleep(600)\n";
    let mut parent = world.command("python3").args(["-c", script]).spawn().unwrap();
    wait_for(&world, "the job to be started", || world.path("ready").exists());
    let manager = world.manager("1");

    kill(manager);
    let killed = Instant::now();
    wait_for(&world, "the status to say so", || world.status("1")["status"] == "stopped");

    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
    assert!(!zombies_below(parent.id()).contains(&manager));
    world.ok(&["resume", "1"]);
    assert!(is_alive(world.manager("1")));
    parent.kill().unwrap();
    parent.wait().unwrap();
}

#[test]
fn fault_04_nothing_of_the_parent_is_held_by_manager_or_units() {
    let world = World::new();
    let started = Instant::now();

    let ran = world
        .sh("exec 9>held; x=$(\"$BIN\" submit -q -- sh -c 'ls -l /proc/self/fd >fds; sleep 600'); echo \"got $x\"");
    let took = started.elapsed();
    wait_for(&world, "the unit to list its descriptors", || world.lines("fds").len() > 2);

    assert_eq!(text(&ran.stdout), "got 1\n");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let manager = world.manager("1");
    let open: Vec<String> = std::fs::read_dir(format!("/proc/{manager}/fd"))
        .unwrap()
        .map(|entry| {
            std::fs::read_link(entry.unwrap().path()).map(|link| link.display().to_string()).unwrap_or_default()
        })
        .collect();
    assert!(!open.iter().any(|link| link.ends_with("/held")), "{open:?}");
    let unit = world.lines("fds").join("\n");
    assert!(!unit.contains("jobs.db-wal") && !unit.contains("/held") && !unit.contains("/lock"), "{unit}");
}

#[test]
fn what_a_manager_prints_goes_nowhere_once_it_is_ready() {
    let world = World::new();

    let job = world.ok(&["submit", "--", "sleep", "600"]);

    // A pipe that nobody reads would make every `println!` of a service panic.
    let stdout = format!("/proc/{}/fd/1", world.manager(&job));
    wait_for(&world, "the ready pipe to be closed", || {
        std::fs::read_link(&stdout).unwrap() == std::path::Path::new("/dev/null")
    });
}

#[test]
fn fault_05_a_unit_reads_nothing_of_its_parents_standard_input() {
    let world = World::new();

    let ran = world.sh("printf 'protocol\\n' | { \"$BIN\" run -q -- cat; cat; }");

    assert_eq!(text(&ran.stdout), "1\nprotocol\n");
    assert_eq!(world.ok(&["logs"]), "");
}

#[test]
fn fault_08_units_have_default_signals_whatever_the_parent_left() {
    let world = World::new();
    let script = "import os,signal\n\
        for s in (signal.SIGCHLD,signal.SIGINT,signal.SIGHUP,signal.SIGQUIT): signal.signal(s,signal.SIG_IGN)\n\
        signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGTERM,signal.SIGUSR1])\n\
        os.execvp(os.environ['BIN'],[os.environ['BIN'],'run','-q','--','grep','-E','Sig(Blk|Ign)','/proc/self/status'])\n";

    let ran = world.command("python3").args(["-c", script]).output().unwrap();

    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let log = world.ok(&["logs"]);
    let masks: Vec<u64> =
        log.lines().map(|line| u64::from_str_radix(line.rsplit('\t').next().unwrap(), 16).unwrap()).collect();
    // The C library ignores its own two signals, 32 and 33, in every process it spawns.
    assert_eq!((masks[0], masks[1] & 0x7fff_ffff), (0, 0), "{log}");
}

#[test]
fn fault_10_a_manager_that_dies_before_it_is_ready_is_reported_with_its_last_words() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    // A directory in the place of the slots' directory stops every manager before it is ready.
    std::fs::create_dir_all(world.path("jobs.db.d/1")).unwrap();
    world.write("jobs.db.d/1/slots", "in the way");

    let started = Instant::now();
    let said = world.fails(1, &["start", "1"]);

    assert!(said.contains("cannot create the job's directory"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(world.status("1")["status"], "not_started");
    std::fs::remove_file(world.path("jobs.db.d/1/slots")).unwrap();
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);
}

#[test]
fn fault_11_a_job_whose_client_died_before_the_start_can_be_started() {
    let world = World::new();

    // What is left when the client dies between the commit of the job and the spawn of its manager.
    let job = world.ok(&["submit", "--hold", "--", "true", ":::", "a", "b"]);
    let before = world.status(&job);
    world.ok(&["start", &job]);
    world.ok(&["wait", &job]);

    assert_eq!((before["status"].as_str(), before["job_status"].as_str()), (Some("not_started"), Some("created")));
    world.assert_sound(&job);
}

#[test]
fn fault_12_a_client_killed_while_the_manager_becomes_ready_does_no_harm() {
    let world = World::new();

    for delay_ms in 0..20 {
        let job = world.ok(&["create", "--", "true", ":::", "a"]);
        let mut client = world.job_manager(&["start", &job]).stdout(Stdio::piped()).spawn().unwrap();
        let until = Instant::now() + Duration::from_millis(delay_ms);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        client.kill().unwrap();
        client.wait().unwrap();

        let again = world.run(&["start", &job]);
        // Exit code 4: the manager had started and has finished the job already.
        assert!(matches!(again.status.code(), Some(0 | 4)), "{}", text(&again.stderr));
        world.ok(&["wait", &job]);
        assert_eq!(world.count(&format!("(SELECT completed FROM jobs WHERE id = {job})")), 1);
    }
}

#[test]
fn fault_13_a_job_goes_on_when_the_program_is_deleted() {
    let world = World::new();
    let copy = world.path("copy");
    std::fs::copy(BIN, &copy).unwrap();

    let mut submit = world.command(&copy);
    assert!(submit.arg("submit").args(WAITS).status().unwrap().success());
    std::fs::remove_file(&copy).unwrap();

    finish(&world, "1");
    assert_eq!(world.status("1")["job_status"], "completed");
}

#[test]
fn fault_14_of_many_starts_at_once_one_wins_and_all_name_it() {
    let world = World::new();

    for _ in 0..repeat(5, 50) {
        let job = world.ok(&["create", "--", "sleep", "600"]);
        let clients: Vec<_> = (0..repeat(20, 100))
            .map(|number| {
                let verb = if number % 2 == 0 { "start" } else { "resume" };
                world.job_manager(&[verb, &job]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let answers: Vec<String> = clients
            .into_iter()
            .map(|client| {
                let output = client.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", text(&output.stderr));
                text(&output.stdout).trim().to_owned()
            })
            .collect();

        let manager = world.manager(&job).to_string();
        assert!(answers.iter().all(|answer| *answer == manager), "{answers:?} {manager}");
        assert_eq!(world.status(&job)["epoch"], 1);
        world.ok(&["cancel", &job]);
    }
}

#[test]
fn fault_15_jobs_and_databases_do_not_disturb_each_other() {
    let world = World::new();
    let numbers = world.numbers(50);

    for job in 0..4 {
        let db = if job % 2 == 0 { "one.db" } else { "two.db" };
        world.ok(&["--db", db, "submit", "-q", "-j", "4", "--lines", &numbers, "--", "true"]);
    }

    for db in ["one.db", "two.db"] {
        for job in ["1", "2"] {
            world.ok(&["--db", db, "wait", job]);
            let status: serde_json::Value =
                serde_json::from_str(&world.ok(&["--db", db, "status", job, "--json"])).unwrap();
            assert_eq!(status["progress"]["completed"], 50);
        }
    }
}

#[test]
fn a_submission_returns_at_once_for_a_long_job() {
    let world = World::new();
    world.ok(&["submit", "--hold", "--", "true"]);

    let started = Instant::now();
    world.ok(&["submit", "--", "sleep", "600"]);

    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}
