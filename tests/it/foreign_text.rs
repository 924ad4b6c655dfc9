//! Text that is not ours: harmless on a terminal, byte for byte in a file, whatever verb prints it.

use std::process::Command;

use crate::support::{World, text, without_tool};

/// Sets a window's title, begins a colour with one character, and turns the direction of what follows.
const NASTY: &str = "N\u{1b}]0;x\u{7}\u{9b}31m\u{202e}Z";
/// How it looks where it is harmless.
const SHOWN: &str = "N\u{fffd}]0;x\u{fffd}\u{fffd}31m\u{fffd}Z";
const IN_TERMINAL: &str = "import os,pty,sys
pid,terminal=pty.fork()
if pid==0: os.execvp(sys.argv[1],sys.argv[1:])
while True:
  try: data=os.read(terminal,65536)
  except OSError: break
  if not data: break
  sys.stdout.buffer.write(data)
os.waitpid(pid,0)
";

/// Makes a job whose name, label, items, keys, outputs, errors and reasons are nasty.
fn world() -> World {
    let world = World::new();
    let script = "printf '%s\\r\\n50%%\\r100%%\\n' \"$JOB_MANAGER_KEY\"; printf %s \"$JOB_MANAGER_KEY\" >&2; \
        job-manager unit-result \"$JOB_MANAGER_KEY\"; job-manager unit-progress 1 2 \"$JOB_MANAGER_KEY\"; exit {n}";
    world.write("items.jsonl", &[0, 1, 2].map(|n| serde_json::json!({ "n": n, "text": NASTY }).to_string()).join("\n"));
    let label = format!("team={NASTY}");
    let created = world
        .job_manager(&["create", "-j", "1", "--max-attempts", "1", "--name", NASTY, "--label", &label])
        .args(["--jsonl", "items.jsonl", "--unit-key", "{text}{n}", "--shell", "--", script])
        .output()
        .unwrap();
    assert!(created.status.success(), "{}", text(&created.stderr));
    world.ok(&["skip", "1", "--seq", "3", "--reason", NASTY]);
    world.ok(&["start", "1"]);
    world.fails(10, &["wait", "1"]);
    world
}

/// Returns what a verb prints on a terminal.
fn on_terminal(world: &World, args: &[&str]) -> Vec<u8> {
    let program = world.job_manager(&[]);
    let mut python = Command::new("python3");
    python.env("NO_COLOR", "1").args(["-c", IN_TERMINAL]).arg(program.get_program()).args(args);
    python.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(dir) = program.get_current_dir() {
        python.current_dir(dir);
    }
    let printed = python.output().unwrap();
    assert!(printed.status.success(), "{}", text(&printed.stderr));
    printed.stdout
}

#[test]
fn text_of_others_is_harmless_on_a_terminal_and_the_same_bytes_in_a_file_for_every_verb() {
    if Command::new("python3").arg("-V").output().is_err() {
        return without_tool("python3");
    }
    let world = world();
    let submit = ["submit", "--dry-run", "1", "--", "echo", "{}", ":::", NASTY];
    // Each with whether it shows the text as it is, and not cut or with escapes of its own.
    let verbs: [(&[&str], bool); 36] = [
        (&["list"], true),
        (&["list", "--json"], false),
        (&["status"], true),
        (&["status", "--json"], false),
        (&["units"], false),
        (&["units", "--json"], false),
        (&["unit", "1:1"], true),
        (&["unit", "1:2"], true),
        (&["unit", "1:3"], true),
        (&["unit", "1:2", "--json"], false),
        (&["logs"], true),
        (&["logs", "1:1"], true),
        (&["logs", "1:1", "-n", "3"], true),
        (&["logs", "1:1", "--stderr"], true),
        (&["logs", "--manager"], false),
        (&["results"], false),
        (&["results", "--format", "csv"], true),
        (&["failures"], false),
        (&["failures", "--json"], false),
        (&["explain"], false),
        (&["explain", "1:2"], false),
        (&["explain", "1:3"], false),
        (&["wait", "1"], false),
        (&["watch", "1"], true),
        (&submit, true),
        (&["status", NASTY], false),
        (&["status", "no-such\u{1b}]0;x\u{7}"], false),
        (&["units", "1", "--match", NASTY], false),
        (&["prune", "--dry-run", "--keep", "0"], false),
        (&["doctor"], false),
        (&["set", "1", NASTY], false),
        (&["sync", "1", "--jsonl", "items.jsonl", "--dry-run"], false),
        (&["submit", "--glob", NASTY, "--", "echo", "{}"], false),
        (&["submit", "--lines", NASTY, "--", "echo", "{}"], false),
        (&["submit", "--cwd", NASTY, "--", "true"], false),
        (&["cancel", "1"], false),
    ];

    for (verb, is_shown) in verbs {
        let args = [&["--color", "never"], verb].concat();
        let shown = on_terminal(&world, &args);
        let shown = String::from_utf8(shown).unwrap_or_else(|error| panic!("{verb:?}: {error}"));
        let output = world.job_manager(&args).output().unwrap();
        let piped = [text(&output.stdout), text(&output.stderr)].concat();

        let harmful = |c: char| matches!(c, '\u{7}' | '\u{9b}' | '\u{202e}');
        assert!(!shown.contains(harmful) && !shown.contains("\u{1b}]"), "{verb:?}: {shown:?}");
        // Only a bar that is drawn moves the cursor.
        assert!(verb[0] == "watch" || !shown.contains('\u{1b}'), "{verb:?}: {shown:?}");
        assert!(!is_shown || (shown.contains(SHOWN) && piped.contains(NASTY)), "{verb:?}: {shown:?} {piped:?}");
        assert!(!piped.contains('\u{fffd}'), "{verb:?}: {piped:?}");
    }
    assert_eq!(
        world.job_manager(&["logs", "1:1"]).output().unwrap().stdout,
        format!("{NASTY}0\r\n50%\r100%\n").into_bytes()
    );
    assert!(on_terminal(&world, &["logs", "1:1"]).windows(9).any(|bytes| bytes == b"50%\r100%\r"));
}

#[test]
fn what_is_kept_of_an_output_goes_into_a_file_byte_for_byte_and_harmlessly_on_a_terminal() {
    let world = World::new();
    let bytes = b"\x1b]0;x\x07\xff\0\r\n";
    std::fs::write(world.path("bytes"), bytes).unwrap();
    let script = "cat bytes; cat bytes >&2; test {} = 1";
    let object = serde_json::json!({
        "text": "\u{1b}]0;x\u{7}\u{fffd}\0\r\n", "base64": "G10wO3gH/wANCg==",
    });

    world.fails(
        10,
        &["run", "-q", "--max-attempts", "2", "--backoff", "1ms..1ms", "--shell", "--", script, ":::", "1", "0"],
    );

    for args in [
        &["logs", "1:1"][..],
        &["logs", "1:1", "--stderr"],
        &["logs", "1:2"],
        &["logs", "1:2", "--attempt", "1"],
        &["logs", "1:2", "--attempt", "2", "--stderr"],
        &["logs", "1:2", "-n", "1"],
    ] {
        assert_eq!(world.job_manager(args).output().unwrap().stdout, bytes, "{args:?}");
    }
    assert_eq!(world.job_manager(&["logs", "1"]).output().unwrap().stdout, bytes.repeat(2));
    let unit: serde_json::Value = serde_json::from_str(&world.ok(&["unit", "1:2", "--json"])).unwrap();
    assert_eq!((&unit["unit"]["stdout"], &unit["attempts_not_completed"][0]["stderr"]), (&object, &object));
    let shown = world.job_manager(&["unit", "1:2"]).output().unwrap().stdout;
    assert!(shown.windows(bytes.len()).any(|found| found == bytes), "{}", text(&shown));
    let results = world.ok(&["results", "1"]);
    let result: serde_json::Value = serde_json::from_str(results.lines().next().unwrap()).unwrap();
    assert_eq!(result["result"]["base64"], "G10wO3gH/wAN");
    if Command::new("python3").arg("-V").output().is_err() {
        return without_tool("python3");
    }
    for args in [&["logs", "1"][..], &["logs", "1:2", "--attempt", "1"], &["unit", "1:2"], &["failures", "1"]] {
        let shown = on_terminal(&world, args);
        assert!(!shown.iter().any(|byte| matches!(byte, 0 | 7 | 27 | 0xff)), "{args:?}: {}", text(&shown));
    }
}

#[test]
fn the_whole_output_of_a_unit_goes_into_a_file_byte_for_byte() {
    let world = World::new();
    let bytes = b"a\x1b[1m\xff\xc3\r\nno line end\0";
    std::fs::write(world.path("bytes"), bytes).unwrap();

    world.ok(&["run", "-q", "--output", "full", "--", "cat", "bytes"]);

    assert_eq!(world.job_manager(&["logs", "1:1"]).output().unwrap().stdout, bytes);
    assert_eq!(world.job_manager(&["logs", "1:1", "-n", "1"]).output().unwrap().stdout, b"no line end\0");
}

#[test]
fn fault_537_a_group_whose_name_is_not_utf_8_is_chosen_by_its_bytes_and_shown_as_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let world = World::new();
    let bytes = OsStr::from_bytes(b"ga\xffb");
    let created =
        world.job_manager(&["create", "-q", "--group", "{}", "--", "true", ":::", "plain"]).arg(bytes).output();
    assert!(created.unwrap().status.success());
    let with = |args: &[&str], last: &[u8]| {
        let output = world.job_manager(args).arg(OsStr::from_bytes(last)).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        text(&output.stdout)
    };

    let chosen = with(&["units", "1", "-q", "--group"], b"ga\xffb");
    let limited = with(&["set", "1"], b"group:ga\xffb=1");
    with(&["failures", "1", "--group"], b"ga\xffb");
    let table = world.ok(&["units", "1"]);
    let in_json = world.units("1")[1]["group"].as_str().unwrap().to_owned();

    assert_eq!(world.ok(&["units", "1", "-q", "--group", &in_json]), "2");
    assert_eq!((chosen.as_str(), limited.as_str()), ("2\n", "1 limit changed\n"));
    assert!(table.contains(" ga\u{fffd}b ") && !table.contains("base64"), "{table}");
}
