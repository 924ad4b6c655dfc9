//! Defaults of one user: what `config.toml` sets, and what comes before it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::{World, exists, text};

fn write(world: &World, config: &str) -> std::path::PathBuf {
    fs::create_dir_all(world.path(".config/job-manager")).unwrap();
    let path = world.path(".config/job-manager/config.toml");
    fs::write(&path, config).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    path
}

#[test]
fn the_file_sets_defaults_of_new_jobs_and_options_come_before_it() {
    let world = World::new();
    let hook = world.write("hook", "#!/bin/sh\nprintf '%s\\n' \"$1\" >>told\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    write(&world, &format!("workers = 3\nmax-attempts = 2 # not 4\nhook = '{}'\n", hook.display()));
    let fails = ["--backoff", "1ms..1ms", "--", "false"];

    world.run(&[&["run", "-q"], &fails[..]].concat());
    world.run(&[&["run", "-q", "-j", "1", "--max-attempts", "1"], &fails[..]].concat());
    let told = fs::read_to_string(world.path("told")).unwrap();

    let of = |job: &str| (world.status(job)["workers"].clone(), world.units(job)[0]["attempts"].clone());
    assert_eq!([of("1"), of("2")], [(3.into(), 2.into()), (1.into(), 1.into())]);
    assert!(told.lines().count() >= 2, "{told}");
    // Where the command stands, and not where it is read.
    world.write("config.toml", "workers = many\n");
    world.ok(&["create", "--", "true"]);
}

#[test]
fn the_database_of_the_file_is_that_of_every_verb() {
    let world = World::new();
    let db = world.path("elsewhere.db");
    let path = write(&world, &format!("db = {:?}\n", db.display().to_string()));
    let without_variable = |args: &[&str]| {
        let output = world.job_manager(args).env_remove("JOB_MANAGER_DB").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };

    without_variable(&["create", "--name", "here", "--", "true"]);
    let listed = without_variable(&["list"]);
    let shown = without_variable(&["config"]);
    let document: Value = serde_json::from_str(&without_variable(&["config", "--json"])).unwrap();

    assert!(listed.contains("here") && exists(&db));
    let line = shown.lines().find(|line| line.starts_with("db ")).unwrap();
    assert!(line.ends_with(&format!("{}, line 1", path.display())), "{shown}");
    assert_eq!(document["settings"][0]["value"], db.display().to_string(), "{document}");
    assert_eq!(
        (&document["settings"][0]["from"]["line"], &document["settings"][1]["from"]),
        (&1.into(), &"default".into())
    );
    assert!(world.ok(&["config"]).contains("--db or JOB_MANAGER_DB"));
}

#[test]
fn a_line_that_cannot_be_heeded_is_an_error_that_names_it() {
    let world = World::new();
    let path = write(&world, "workers = 2\nworkres = 3\n");

    let unknown = world.fails(2, &["create", "--", "true"]);
    write(&world, "[jobs]\nworkers = 2\n");
    let table = world.fails(2, &["config"]);
    fs::set_permissions(write(&world, "workers = 2\n"), fs::Permissions::from_mode(0o666)).unwrap();
    let writable = world.fails(2, &["create", "--", "true"]);

    let named =
        format!("{}, line 2: unknown key \"workres\", expected one of db, workers, max-attempts, hook", path.display());
    assert!(unknown.contains(&named), "{unknown}");
    assert!(table.contains("line 1: unknown key \"jobs\""), "{table}");
    assert!(writable.contains("others can write to it"), "{writable}");
    // What needs no default is not kept from its work.
    world.ok(&["help"]);
    world.ok(&["completions", "bash"]);
}

#[test]
fn fault_538_a_file_that_others_can_replace_is_refused_and_what_is_wrong_names_its_line() {
    let world = World::new();
    let path = write(&world, "workers = 2\n");
    let mode = |dir: &str, mode: u32| fs::set_permissions(world.path(dir), fs::Permissions::from_mode(mode)).unwrap();
    let refused = |args: &[&str]| {
        let output = world.job_manager(args).env_remove("JOB_MANAGER_DB").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        text(&output.stderr)
    };

    mode(".config/job-manager", 0o777);
    let open = refused(&["config"]);
    mode(".config/job-manager", 0o755);
    fs::create_dir(world.path("open")).unwrap();
    fs::rename(&path, world.path("open/real.toml")).unwrap();
    std::os::unix::fs::symlink(world.path("open/real.toml"), &path).unwrap();
    world.ok(&["config"]);
    mode("open", 0o777);
    let linked = refused(&["config"]);
    fs::remove_file(&path).unwrap();
    write(&world, "\ndb = \"mysql://host/jobs\"\n");
    let other = refused(&["list"]);
    write(&world, "\n\nworkers = 5000\n");
    let many = refused(&["config"]);

    assert!(open.contains("others can write to its directory") && open.contains("chmod go-w"), "{open}");
    assert!(linked.contains(&world.path("open").display().to_string()), "{linked}");
    assert!(other.contains("config.toml, line 2: db: "), "{other}");
    assert!(many.contains("config.toml, line 3: workers: it must be at most 1024"), "{many}");
}
