//! The unit that continues interrupted jobs when the machine starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::{BIN, World, needs_file, text, without};

/// Runs `job-manager` beside a `systemctl` that notes how it is called, and fails while `no-systemd` exists.
fn run(world: &World, program: &str, args: &[&str]) -> Output {
    let fake = "#!/bin/sh\necho \"$*\" >>\"$HOME/asked\"\n\
        test ! -e \"$HOME/no-systemd\" || { echo 'Failed to connect to bus' >&2; exit 1; }\n";
    fs::create_dir_all(world.path("bin")).unwrap();
    let systemctl = world.write("bin/systemctl", fake);
    fs::set_permissions(systemctl, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    world.command(program).args(args).env("PATH", path).env_remove("XDG_CONFIG_HOME").output().unwrap()
}

fn unit_files(world: &World) -> Vec<PathBuf> {
    let dir = world.path(".config/systemd/user");
    fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

/// Splits the command of a unit as systemd does.
fn command_of(unit: &str) -> Vec<String> {
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let (mut words, mut quoted, mut letters) = (vec![String::new()], false, line.chars().peekable());
    while let Some(letter) = letters.next() {
        let word = words.last_mut().unwrap();
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            '\\' => word.push(letters.next().unwrap()),
            '%' | '$' if letters.peek() == Some(&letter) => word.push(letters.next().unwrap()),
            _ => word.push(letter),
        }
    }
    words
}

#[test]
fn after_a_reboot_the_unit_continues_what_was_interrupted() {
    let world = World::new().with_db("5% of $HOME \"jobs\".db");
    let program = world.path("my job-manager");
    fs::hard_link(BIN, &program).or_else(|_| fs::copy(BIN, &program).map(drop)).unwrap();
    let installed = run(&world, program.to_str().unwrap(), &["service", "install"]);
    assert!(installed.status.success(), "{}", text(&installed.stderr));
    let job = world.ok(&["submit", "--shell", "--", "test -e go || sleep 600; echo {}", ":::", "a", "b"]);
    let paused = world.ok(&["submit", "--", "sleep", "600"]);
    world.ok(&["stop", &paused, "--now", "--wait"]);
    world.kill_manager(&job);
    world.write("go", "");

    let units = unit_files(&world);
    let unit = fs::read_to_string(&units[0]).unwrap();
    let words = command_of(&unit);
    let started = Command::new(&words[0])
        .args(&words[1..])
        .env_clear()
        .env("HOME", world.path(""))
        .env("JM_TEST_WORLD", world.path("").as_os_str().to_str().unwrap().trim_end_matches('/'))
        .current_dir("/")
        .output()
        .unwrap();

    assert!(started.status.success(), "{words:?}: {}", text(&started.stderr));
    assert_eq!((units.len(), &words[0]), (1, &program.to_str().unwrap().to_owned()));
    world.ok(&["wait", &job]);
    world.assert_sound(&job);
    assert_eq!(world.status(&paused)["job_status"], "paused");
    let name = units[0].file_name().unwrap().to_str().unwrap();
    assert_eq!(world.lines("asked"), ["--user daemon-reload".to_owned(), format!("--user enable {name}")]);
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let world = World::new().with_db("5% of $HOME \"jobs\" \\");
    run(&world, BIN, &["service", "install"]);
    let unit = unit_files(&world).pop().unwrap();

    let verify = world
        .command("systemd-analyze")
        .args(["verify", "--user"])
        .arg(&unit)
        .env("XDG_RUNTIME_DIR", world.path(""))
        .env_remove("XDG_DATA_HOME")
        .output();

    let Ok(verified) = verify else { return without("systemd-analyze is not installed") };
    let said = text(&verified.stderr);
    assert!(verified.status.success() && !said.contains("job-manager"), "{said}");
}

#[test]
fn a_job_without_its_secret_stays_interrupted_and_the_others_go_on() {
    let world = World::new();
    let mut submit = world.job_manager(&["submit", "-q", "--env", "API_KEY", "--", "sleep", "600"]);
    let lacking = text(&submit.env("API_KEY", "a secret").output().unwrap().stdout).trim().to_owned();
    let other = world.ok(&["submit", "-q", "--shell", "--", "test -e go || sleep 600"]);
    run(&world, BIN, &["service", "install"]);
    for job in [&lacking, &other] {
        world.kill_manager(job);
    }
    world.write("go", "");

    let words = command_of(&fs::read_to_string(&unit_files(&world)[0]).unwrap());
    let started = world.command(&words[0]).args(&words[1..]).output().unwrap();

    assert_eq!(started.status.code(), Some(4), "{}", text(&started.stderr));
    assert!(text(&started.stderr).contains("API_KEY"), "{}", text(&started.stderr));
    world.ok(&["wait", &other]);
    assert_eq!(world.ok(&["status", &lacking, "-q"]), "interrupted");
}

#[test]
fn the_spelling_of_a_path_does_not_matter() {
    needs_file!("it has several paths");
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);
    fs::create_dir_all(world.path("other")).unwrap();
    std::os::unix::fs::symlink(world.path(""), world.path("other/link")).unwrap();
    let name = world.db().file_name().unwrap().to_str().unwrap().to_owned();
    let around = world.path("other/..").join(&name);
    let linked = world.path("other/link").join(&name);
    std::os::unix::fs::symlink(world.db(), world.path("itself.db")).unwrap();

    for db in [around.to_str().unwrap(), linked.to_str().unwrap(), "itself.db", &name] {
        let installed = run(&world, BIN, &["--db", db, "service", "install"]);
        assert!(installed.status.success(), "{}", text(&installed.stderr));
    }
    let units = unit_files(&world).len();
    let status = run(&world, BIN, &["--db", "itself.db", "service", "status"]);
    let removed = run(&world, BIN, &["--db", linked.to_str().unwrap(), "service", "uninstall"]);

    assert_eq!((units, status.status.code(), removed.status.code()), (1, Some(0), Some(0)));
    assert_eq!(unit_files(&world).len(), 0);
}

#[test]
fn a_database_that_does_not_exist_yet_is_named_at_the_install_and_fails_the_unit() {
    needs_file!("a service is installed before there is one");
    let world = World::new();

    let installed = run(&world, BIN, &["service", "install"]);
    let unit = fs::read_to_string(&unit_files(&world)[0]).unwrap();
    let words = command_of(&unit);
    let started = Command::new(&words[0]).args(&words[1..]).env("HOME", world.path("")).output().unwrap();
    world.ok(&["create", "-q", "--", "true"]);
    let again = run(&world, BIN, &["service", "install"]);

    let named = format!("no database {} yet", world.db().display());
    assert!(installed.status.success() && text(&installed.stderr).contains(&named), "{}", text(&installed.stderr));
    assert_eq!(started.status.code(), Some(3), "{}", text(&started.stderr));
    assert!(unit.contains("Restart=on-failure\n") && !unit.contains("Condition"), "{unit}");
    assert!(!text(&again.stderr).contains("no database"), "{}", text(&again.stderr));
}

#[test]
fn installing_twice_brings_the_file_up_to_date_and_uninstalling_removes_it() {
    needs_file!("a service is installed before there is one");
    let world = World::new();
    run(&world, BIN, &["service", "install"]);
    let file = unit_files(&world).pop().unwrap();
    let first = fs::read_to_string(&file).unwrap();
    fs::write(&file, first.replace("recover", "outdated")).unwrap();

    let outdated = run(&world, BIN, &["service", "status"]);
    let again = run(&world, BIN, &["service", "install"]);
    let second = fs::read_to_string(&file).unwrap();
    let status = run(&world, BIN, &["service", "status"]);
    let removed = run(&world, BIN, &["service", "uninstall"]);
    let gone = run(&world, BIN, &["service", "uninstall"]);

    assert!(text(&outdated.stdout).contains("out of date"), "{}", text(&outdated.stdout));
    assert!(again.status.success() && status.status.success() && removed.status.success());
    assert_eq!(first, second);
    assert_eq!((unit_files(&world).len(), gone.status.code()), (0, Some(3)));
}

#[test]
fn a_file_of_somebody_else_is_replaced_only_on_request() {
    needs_file!("a service is installed before there is one");
    let world = World::new();
    run(&world, BIN, &["service", "install"]);
    let file = unit_files(&world).pop().unwrap();
    fs::write(&file, "[Service]\nExecStart=/bin/true\n").unwrap();

    let refused = run(&world, BIN, &["service", "install"]);
    let kept = fs::read_to_string(&file).unwrap();
    let forced = run(&world, BIN, &["service", "install", "-y"]);

    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(kept.contains("/bin/true"));
    assert!(forced.status.success() && fs::read_to_string(&file).unwrap().contains("recover --all"));
}

#[test]
fn without_a_service_manager_the_file_is_written_and_the_rest_is_named() {
    needs_file!("a service is installed before there is one");
    let world = World::new();
    world.write("no-systemd", "");

    let printed = run(&world, BIN, &["service", "install", "--print"]);
    let before = unit_files(&world).len();
    let refused = run(&world, BIN, &["service", "install"]);

    let said = text(&refused.stderr);
    assert_eq!((refused.status.code(), before), (Some(1), 0), "{said}");
    assert!(said.contains("not enabled") && said.contains("`systemctl --user enable job-manager-"), "{said}");
    assert!(said.contains("Failed to connect to bus"), "{said}");
    assert_eq!(fs::read_to_string(&unit_files(&world)[0]).unwrap(), text(&printed.stdout));
}
