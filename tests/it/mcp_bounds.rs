//! What a model may use of a machine, and how it is refused the rest.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use crate::support::{Host, World, exists};

/// Makes a world with a directory that is allowed, one that is not, and ways from the one into the other.
fn world() -> World {
    let world = World::new();
    for name in ["in/sub", "out"] {
        fs::create_dir_all(world.path(name)).unwrap();
    }
    world.write("out/secret.txt", "secret\n");
    world.write("out/table.csv", "a\n1\n");
    world.write("in/list.txt", "a\nb\n");
    world.write("in/schema.json", "{}");
    for (to, at) in [("../out", "in/way"), ("../out/secret.txt", "in/link.txt"), ("/bin/sh", "in/echo")] {
        symlink(to, world.path(at)).unwrap();
    }
    world.write("in/tool", "#!/bin/sh\n");
    fs::set_permissions(world.path("in/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    world
}

#[test]
fn fault_490_what_leads_out_of_the_allowed_directories_is_refused_and_nothing_is_created() {
    let world = world();
    let path = |name: &str| world.path(name).display().to_string();
    let mut host = Host::bounded(&world, &["--allow-dir", &path("in"), "--allow-command", "echo"]);
    let database = path("out/other.db");
    world.ok(&["run", "--db", &database, "-q", "--", "true"]);

    let escapes = [
        json!({ "lines_file": "/etc/passwd" }),
        json!({ "lines_file": path("out/secret.txt") }),
        json!({ "lines_file": "../out/secret.txt" }),
        json!({ "lines_file": "sub/../../out/secret.txt" }),
        json!({ "lines_file": "way/secret.txt" }),
        json!({ "lines_file": "link.txt" }),
        json!({ "lines_file": "/proc/self/environ" }),
        json!({ "lines_file": format!("/proc/self/root{}", path("out/secret.txt")) }),
        json!({ "lines_file": path("out/not-there") }),
        json!({ "csv_file": path("out/table.csv") }),
        json!({ "jsonl_file": path("out/secret.txt") }),
        json!({ "json_file": path("out/secret.txt") }),
        json!({ "sql_database": database, "sql_query": "SELECT id FROM jobs" }),
        json!({ "glob": ["/etc/*"] }),
        json!({ "glob": ["../out/*"] }),
        json!({ "glob": ["way/*"] }),
        json!({ "glob": ["*/secret.txt"] }),
        json!({ "glob": ["link*"] }),
        json!({ "glob": ["*/../../out/*"] }),
        json!({ "glob": ["{/etc/passwd,x}"] }),
        json!({ "glob": ["\\.\\./out/*"] }),
        json!({ "glob": ["list.txt", "/etc/hostname"] }),
        json!({ "range": "1-1", "cwd": path("out") }),
        json!({ "range": "1-1", "cwd": path("in/way") }),
        json!({ "range": "1-1", "cwd": path("in/sub/../..") }),
        json!({ "items": ["../out"], "cwd": format!("{}/{{}}", path("in")) }),
        json!({ "items": ["way"], "cwd": format!("{}/{{}}", path("in")) }),
        json!({ "items": ["a", path("out")], "cwd": "{}" , "order": "{}" }),
        json!({ "range": "1-1", "creates": path("out/made") }),
        json!({ "range": "1-1", "creates": "way/made" }),
        json!({ "items": ["x", "../../out/made"], "creates": "sub/{}" }),
        json!({ "range": "1-1", "output_dir": path("out/kept") }),
        json!({ "range": "1-1", "output_dir": "way" }),
        json!({ "range": "1-1", "diskfree": ["/etc=1K"] }),
    ];
    for escape in escapes {
        for tool in ["preview_batch", "start_batch"] {
            let mut batch = json!({ "command": ["echo", "{}"], "cwd": path("in") });
            if escape.get("range").is_some() {
                batch["command"] = json!(["echo"]);
            }
            batch.as_object_mut().unwrap().extend(escape.as_object().unwrap().clone());
            let refused = host.refused(tool, batch);

            let can_be_acted_on = refused.contains("--allow-dir") || refused.contains("cwd is an absolute path");
            assert!(can_be_acted_on && refused.contains("Nothing was created"), "{escape}: {refused}");
            assert!(!refused.contains("root:") && !refused.contains("secret\n"), "{escape}: {refused}");
        }
    }

    let inside =
        host.ok("preview_batch", json!({ "command": ["echo", "{}"], "lines_file": "list.txt", "cwd": path("in") }));
    assert_eq!(inside["units"], 2);
    let own = json!({ "command": ["echo", "{}"], "glob": ["*.txt"], "exclude": ["link*"], "cwd": path("in") });
    assert_eq!(host.ok("preview_batch", own)["units"], 1);
    // An item that is refused behind others may leave a database, and never a job.
    assert_eq!(host.ok("list_jobs", json!({}))["jobs"], json!([]));
    assert!(!exists(&world.path("out/kept")) && !exists(&world.path("out/made")));
}

#[test]
fn fault_491_what_runs_another_command_than_the_allowed_ones_is_refused_and_nothing_is_created() {
    let world = world();
    let path = |name: &str| world.path(name).display().to_string();
    let mut host = Host::bounded(&world, &["--allow-dir", &path("in"), "--allow-command", "echo"]);

    let escapes = [
        (json!({ "command": ["sh", "-c", "true"] }), "--allow-command"),
        (json!({ "command": ["/bin/sh"] }), "--allow-command"),
        (json!({ "command": ["env", "echo"] }), "--allow-command"),
        (json!({ "command": ["no-such-program"] }), "--allow-command"),
        // A file of that name is not that command.
        (json!({ "command": ["./echo"] }), "--allow-command"),
        (json!({ "command": [path("in/echo")] }), "--allow-command"),
        (json!({ "command": ["./tool"] }), "--allow-command"),
        (json!({ "command": ["{}"], "items": ["sh"] }), "named by the items"),
        (json!({ "command": ["{x}/echo"], "items_json": "[{\"x\":\".\"}]" }), "named by the items"),
        (json!({ "command": ["e{}"], "items": ["cho"] }), "named by the items"),
        (json!({ "shell": "echo" }), "--allow-shell"),
        (json!({ "command": ["echo"], "then": "true" }), "--allow-shell"),
        (json!({ "command": ["echo"], "check": "true" }), "--allow-shell"),
        (json!({ "command": ["echo"], "hook": "sh" }), "--allow-command"),
        (json!({ "command": ["echo"], "hook": "./tool" }), "--allow-command"),
        (json!({ "command": ["echo"], "env": ["PATH=/tmp"] }), "PATH decides which code runs"),
        (json!({ "command": ["echo"], "env": ["LD_PRELOAD=./x.so"] }), "LD_PRELOAD decides"),
        (json!({ "command": ["echo"], "env": ["LD_LIBRARY_PATH=."] }), "decides which code runs"),
        (json!({ "command": ["echo"], "env": ["BASH_ENV=x"] }), "decides which code runs"),
        (json!({ "command": ["echo"], "env": ["PYTHONSTARTUP=x"] }), "decides which code runs"),
        (json!({ "command": ["echo"], "env": ["GIT_SSH_COMMAND=x"] }), "decides which code runs"),
        (json!({ "command": ["echo"], "env": ["NODE_OPTIONS=x"] }), "decides which code runs"),
        (json!({ "command": ["echo"], "env": ["PATH"] }), "decides which code runs"),
    ];
    for (escape, said) in escapes {
        for tool in ["preview_batch", "start_batch"] {
            let mut batch = escape.clone();
            batch["cwd"] = json!(path("in"));
            let refused = host.refused(tool, batch);

            assert!(refused.contains(said) && refused.contains("Nothing was created"), "{escape}: {refused}");
        }
    }
    assert!(!exists(&world.db()));

    let mode = json!({ "command": ["echo", "a"], "cwd": path("in"), "env": ["MODE=fast", "LANG=C"] });
    let allowed = host.ok("start_batch", mode);
    assert_eq!(host.wait_for_job(&allowed["job"]["id"]), "completed");
}

#[test]
fn fault_492_without_flags_a_server_in_the_root_or_a_home_reads_nothing_and_runs_nothing() {
    let world = world();
    let home = world.path("in");
    for dir in ["/".to_owned(), home.display().to_string()] {
        let mut host = Host::bounded_in(&world, &dir, &home);

        let run = host.refused("start_batch", json!({ "command": ["echo"], "cwd": home }));
        let read = host.refused("preview_batch", json!({ "command": ["echo", "{}"], "lines_file": "list.txt" }));

        assert!(run.contains("allowed: none") && read.contains("allowed: none"), "{dir}: {run}; {read}");
    }
    let mut host = Host::bounded_in(&world, &world.path("out").display().to_string(), &home);
    let read = host.refused("preview_batch", json!({ "command": ["echo", "{a}"], "csv_file": "table.csv" }));
    assert!(read.contains("--allow-command"), "{read}");
    assert!(!exists(&world.db()));
}

#[test]
fn a_server_that_changes_nothing_offers_what_reads_and_refuses_the_rest() {
    let world = world();
    world.ok(&["create", "--", "true"]);
    let mut host = Host::bounded(&world, &["--read-only", "--allow-dir", "/", "--allow-command", "*", "--allow-shell"]);

    let listed = host.ask("tools/list", &json!({}));
    let offered: Vec<&Value> = listed["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    for tool in ["start_batch", "resume_job", "cancel_job", "change_settings", "change_units"] {
        assert!(!offered.iter().any(|name| *name == tool), "{tool} is offered");
        let refused = host.refused(tool, json!({ "job": 1, "command": ["true"] }));
        assert!(refused.contains("--read-only"), "{refused}");
    }
    assert_eq!(host.ok("job_status", json!({ "job": 1 }))["job_status"], "created");
    assert_eq!(host.ok("preview_batch", json!({ "command": ["true"] }))["units"], 1);
}

#[test]
fn a_bound_that_means_nothing_is_refused_at_the_start() {
    let world = world();

    for (flags, said) in [
        (["--allow-dir", "/no/such/place"], "no such directory"),
        (["--allow-dir", "in/list.txt"], "no such directory"),
        (["--allow-command", "no-such-program"], "command not found: no-such-program"),
    ] {
        let refused = world.fails(2, &[&["mcp"], &flags[..]].concat());
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn fault_520_a_job_that_a_person_created_is_not_run_by_a_model_that_may_not_run_its_command() {
    let world = world();
    let path = |name: &str| world.path(name).display().to_string();
    let (inside, outside, hook) = (path("in"), path("out"), path("in/tool"));
    for (dir, args) in [
        (&inside, &["--", "echo", "a"][..]),
        (&inside, &["--", "cat"]),
        (&inside, &["--shell", "--", "true"]),
        (&outside, &["--", "echo", "a"]),
        (&inside, &["--hook", &hook, "--", "echo", "a"]),
        (&inside, &["--then", "true", "--", "echo", "a"]),
        (&inside, &["--", "{}", ":::", "echo", "true"]),
    ] {
        world.ok(&[&["create", "--cwd", dir], args].concat());
    }
    let mut host = Host::bounded(&world, &["--allow-dir", &inside, "--allow-command", "echo"]);
    for (job, said) in [
        (2, "--allow-command NAME"),
        (3, "--allow-shell"),
        (4, "--allow-dir DIR"),
        (5, "--allow-command NAME"),
        (6, "--allow-shell"),
        (7, "--allow-command '*'"),
    ] {
        for (tool, arguments) in [
            ("resume_job", json!({ "job": job })),
            ("approve_job", json!({ "job": job })),
            ("change_units", json!({ "job": job, "action": "retry", "status": ["failed"] })),
        ] {
            let refused = host.refused(tool, arguments);
            assert!(refused.contains(&format!("job {job} ")) && refused.contains(said), "{tool}: {refused}");
            assert!(refused.contains("Nothing was changed") && refused.contains("in a terminal"), "{tool}: {refused}");
        }
        assert_eq!(host.ok("job_status", json!({ "job": job }))["job_status"], "created");
    }
    host.ok("resume_job", json!({ "job": 1 }));

    assert_eq!(host.wait_for_job(&json!(1)), "completed");
    let mut all = Host::new(&world);
    all.ok("resume_job", json!({ "job": 4 }));
    assert_eq!(all.wait_for_job(&json!(4)), "completed");
}
