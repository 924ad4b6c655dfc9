//! The desktop, or an address, is told of the first failed unit and of the end or the pause of a job.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Answer, World, serve, text, wait_for};

const KEY: &str = "a key that nobody sees";

/// What a receiver was told, each message with its signature and its text.
type Told = Mutex<Vec<(Value, Option<String>, String)>>;

/// A receiver; returns its address and what it was told, each with its signature.
fn receiver() -> (String, Arc<Told>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&told);
    let address = serve(move |asked| {
        let document: Value = serde_json::from_str(&asked.body).unwrap();
        all.lock().unwrap().push((document, asked.signature.clone(), asked.body.clone()));
        Answer::ok("")
    });
    (format!("http://{address}/x?y=%20z&a=[b]"), told)
}

fn events(told: &Told) -> Vec<String> {
    told.lock().unwrap().iter().map(|(document, ..)| document["event"].as_str().unwrap().to_owned()).collect()
}

fn with_key(world: &World, args: &[&str]) -> Command {
    let mut command = world.job_manager(args);
    command.env("JOB_MANAGER_NOTIFY_KEY", KEY);
    command
}

/// The HMAC by a program that is not ours.
fn signature(body: &str) -> String {
    let script = "import hashlib, hmac, sys; print(hmac.new(sys.argv[1].encode(), sys.argv[2].encode(), hashlib.sha256).hexdigest())";
    let output = Command::new("python3").args(["-c", script, KEY, body]).output().unwrap();
    format!("sha256={}", text(&output.stdout).trim())
}

#[test]
fn an_address_is_told_once_of_the_first_failure_and_of_each_end_and_pause_with_a_signature() {
    let world = World::new();
    let (address, told) = receiver();
    let script = r#"test {} != 1 || exit 7; test {} != 2 || exit 8; until test -e go; do sleep 0.05; done"#;
    let submit = ["submit", "-q", "--name", "a \"b\"", "-j", "1", "--max-attempts", "1", "--notify", &address];
    let submit = [&submit[..], &["--shell", "--", script, ":::", "1", "2", "3"]].concat();
    assert!(with_key(&world, &submit).status().unwrap().success());
    wait_for(&world, "the first failure to be told", || events(&told) == ["first_failure"]);
    wait_for(&world, "the unit to run", || world.status("1")["progress"]["running"] == 1);
    world.ok(&["stop", "1", "--now"]);
    world.wait_for_status("1", "paused");
    wait_for(&world, "the pause to be told", || events(&told) == ["first_failure", "job_paused"]);
    world.write("go", "");
    assert!(with_key(&world, &["resume", "1"]).status().unwrap().success());
    world.run(&["wait", "1"]);
    wait_for(&world, "the end to be told", || events(&told).len() == 3);

    let told = told.lock().unwrap();
    let (first, (end, ..)) = (&told[0].0, &told[2]);
    assert_eq!((&first["unit"]["seq"], &first["job"]["name"]), (&1.into(), &"a \"b\"".into()));
    assert!(first["text"].as_str().unwrap().contains("unit 1 has failed: exited with code 7"), "{first}");
    assert_eq!((&end["event"], &end["job"]["status"]), (&"job_ended".into(), &"failed".into()));
    assert!(end["text"].as_str().unwrap().ends_with("failed: 1 of 3 units completed, 2 failed"), "{end}");
    for (_, signed, body) in &*told {
        assert_eq!(signed.as_deref(), Some(&*signature(body)));
    }
}

#[test]
fn fault_511_the_key_of_notifications_is_in_no_row_log_argument_or_other_process() {
    let world = World::new();
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", hanging.local_addr().unwrap());
    let hook = world.write("hook", "#!/bin/sh\nenv >hook.env\n");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let hook = hook.to_str().unwrap();
    let script = "env >unit.env; test {} = 2 || exit 1; until test -e go; do sleep 0.05; done";
    let submit = ["submit", "-q", "-j", "2", "--max-attempts", "1", "--notify", &address, "--hook", hook];
    let job = with_key(&world, &[&submit[..], &["--shell", "--", script, ":::", "1", "2"]].concat()).output().unwrap();
    let job = text(&job.stdout).trim().to_owned();

    let (_stream, _) = hanging.accept().unwrap();
    // Somebody tells of it now, and hangs.
    let manager = world.manager(&job);
    let children = std::fs::read_to_string(format!("/proc/{manager}/task/{manager}/children")).unwrap_or_default();
    let tasks = std::fs::read_dir(format!("/proc/{manager}/task")).unwrap();
    let of_task =
        |task: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(task.unwrap().path().join("children"));
    let children = tasks.map(|task| of_task(task).unwrap_or_default()).chain([children]).collect::<String>();
    let mut seen = 0;
    for child in children.split_whitespace() {
        for file in ["cmdline", "environ"] {
            let content = std::fs::read(format!("/proc/{child}/{file}")).unwrap_or_default();
            assert!(!text(&content).contains(KEY), "{child} {file}");
            seen += usize::from(text(&content).contains("curl"));
        }
    }
    assert!(seen > 0, "no curl among the children of the manager");
    wait_for(&world, "the hook", || crate::support::exists(&world.path("hook.env")));
    let files = ["unit.env", "hook.env"].map(|name| std::fs::read(world.path(name)).unwrap());
    let log = world.ok(&["logs", "--manager", &job]);
    let stored = world.stored();
    for content in files.iter().map(Vec::as_slice).chain([log.as_bytes(), &stored]) {
        assert!(
            !text(content).contains(KEY) && !text(content).contains("JOB_MANAGER_NOTIFY_KEY="),
            "{}",
            text(content)
        );
    }
    world.write("go", "");
}

#[test]
fn a_receiver_that_hangs_delays_no_unit_and_a_failure_to_tell_is_said_and_ends_nothing() {
    let world = World::new();
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", hanging.local_addr().unwrap());

    let submit = ["submit", "-q", "-j", "1", "--max-attempts", "1", "--notify", &silent, "--range", "1-40"];
    let began = Instant::now();
    world.ok(&[&submit[..], &["--", "false"]].concat());
    wait_for(&world, "all units to end", || world.status("1")["progress"]["failed"] == 40);
    let took = began.elapsed();
    let without = ["run", "-q", "--notify", "http://127.0.0.1:1/", "--", "true"];
    world.ok(&without);

    assert!(took < Duration::from_secs(9), "{took:?}");
    wait_for(&world, "the failure to be kept", || world.status("2")["callback_error"].is_string());
    let said = world.status("2")["callback_error"].as_str().unwrap().to_owned();
    assert!(said.starts_with("notification of job_ended to http://127.0.0.1:1: ended with code 7"), "{said}");
    assert_eq!(world.status("2")["job_status"], "completed");
}

#[test]
fn a_job_whose_messages_are_signed_sends_none_without_the_key() {
    let world = World::new();
    let (address, told) = receiver();
    let create = ["create", "-q", "--notify", &address, "--", "true"];
    assert!(with_key(&world, &create).status().unwrap().success());
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);
    wait_for(&world, "why nobody was told", || world.status("1")["callback_error"].is_string());

    let said = world.status("1")["callback_error"].as_str().unwrap().to_owned();
    assert!(said.contains("JOB_MANAGER_NOTIFY_KEY is not set where the manager was started"), "{said}");
    assert_eq!(told.lock().unwrap().len(), 0);
    let shown = world.ok(&["status", "1"]);
    assert!(shown.contains("\ncallback  notification of job_ended to http://127.0.0.1:"), "{shown}");
    // The path may be a secret.
    let documents = [shown, said, world.ok(&["--json", "status", "1"]), world.ok(&["logs", "--manager", "1"])];
    assert!(
        documents.iter().all(|shown| shown.contains("http://127.0.0.1:") && !shown.contains("/x?y")),
        "{documents:?}"
    );
}

#[test]
fn a_receiver_that_sends_a_message_elsewhere_or_refuses_it_was_not_told() {
    let world = World::new();
    for status in ["302 Found", "404 Not Found", "503 Service Unavailable"] {
        let address = serve(move |_| Answer { status, header: "Location: /elsewhere\r\n", body: String::new() });
        let job = world.ok(&["submit", "-q", "--notify", &format!("http://{address}/x"), "--", "true"]);
        world.ok(&["wait", &job]);
        wait_for(&world, "why nobody was told", || world.status(&job)["callback_error"].is_string());
        let said = world.status(&job)["callback_error"].as_str().unwrap().to_owned();
        assert!(said.ends_with(&format!("it answered {}", &status[..3])), "{said}");
    }
}

#[test]
fn a_desktop_is_told_in_words_and_what_cannot_be_told_is_refused_before_anything_is_created() {
    let world = World::new();
    for (notify, why) in [
        ("ftp://x", "expected desktop or a URL"),
        ("https://a:b@x", "contains a user name or password"),
        ("http://x/ y", "percent-encode it"),
        ("http://x:99999/", "has no host, or a port"),
        ("", "expected desktop or a URL"),
    ] {
        assert!(world.fails(2, &["submit", "--notify", notify, "--", "true"]).contains(why), "{notify}");
    }
    let mut nowhere = world.job_manager(&["submit", "--notify", "desktop", "--", "true"]);
    for name in ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"] {
        nowhere.env_remove(name);
    }
    let nowhere = nowhere.output().unwrap();
    assert!(text(&nowhere.stderr).contains("there is no desktop session to notify"), "{}", text(&nowhere.stderr));
    let desktop = |args: &[&str], path: &str| {
        let mut command = world.job_manager(args);
        command.env("DISPLAY", ":99").env("PATH", path).output().unwrap()
    };
    let missing = desktop(&["submit", "--notify", "desktop", "--", "/bin/true"], "/nowhere");
    assert!(text(&missing.stderr).contains("notify-send"), "{}", text(&missing.stderr));
    let missing = desktop(&["submit", "--notify", "http://x", "--", "/bin/true"], "/nowhere");
    assert!(text(&missing.stderr).contains("curl"), "{}", text(&missing.stderr));
    assert!(!crate::support::exists(&world.db()));

    let said = world.path("said");
    let script = format!("#!/bin/sh\nprintf '%s|' \"$@\" >>{}\n", said.display());
    let stand_in = world.write("notify-send", &script);
    std::fs::set_permissions(&stand_in, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", world.path(".").display(), std::env::var("PATH").unwrap());
    let ended = desktop(&["run", "-q", "--name", "<b>", "--notify", "desktop", "--", "true"], &path);
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    wait_for(&world, "the desktop to be told", || crate::support::exists(&said));
    wait_for(&world, "the whole of it", || std::fs::read_to_string(&said).unwrap().ends_with('|'));
    let said = std::fs::read_to_string(&said).unwrap();
    assert!(said.contains("|--|Job 1 (<b>)|completed: 1 of 1 unit completed|"), "{said}");
}
