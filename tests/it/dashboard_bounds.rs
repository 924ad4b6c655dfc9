//! How long answers of a dashboard are, whatever the jobs hold, and the whole of what they cut.

use std::io::{Read, Write};

use serde_json::Value;

use crate::support::{Served, World, needs_file};

/// Most bytes of an answer.
const BOUND: usize = 512 * 1024;
const MIB: usize = 1 << 20;
/// What the lines of the other items have: 8 to 100.
const SMALL_ITEMS: usize = 2 * 2 + 90 * 3 + 4;

/// Returns a figure of a process's memory in MiB.
fn memory(pid: u32, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// A job of a hundred units, of which one failed, with large values wherever there are some; of the items only the first are, for the
/// sake of time.
fn large_job(world: &World) {
    let script = "echo said {}; test {} != 7";
    world.run(&[
        "run",
        "-q",
        "--max-attempts",
        "1",
        "--label",
        "note=short",
        "--range",
        "1-100",
        "--shell",
        "--",
        script,
    ]);
    // Written out: an SQLite that is built for tests takes long to make such texts.
    let text = |bytes: usize| format!("'{}'", "x".repeat(bytes));
    let json = |bytes: usize| format!("'\"{}\"'", "x".repeat(bytes));
    let change = format!(
        "BEGIN; UPDATE units SET payload = {} WHERE seq <= 7; UPDATE units SET result = {} WHERE seq = 1;
         UPDATE units SET error = {2} WHERE status = 'failed';
         UPDATE metadata SET value = {2} WHERE key LIKE 'label:%';
         UPDATE specs SET spec = json_set(spec, '$.argv[0]', {2}); COMMIT",
        json(4 * MIB),
        json(4 * MIB),
        text(MIB),
    );
    world.connection().without_sync().execute(&change).unwrap();
}

/// Sends a request and counts the bytes of the answer's body, without keeping them.
fn downloaded(dashboard: &Served, path: &str) -> (String, usize) {
    let (mut stream, host) = (dashboard.connect(), dashboard.host());
    let token = &dashboard.token;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n").unwrap();
    let (mut block, mut head, mut bytes) = (vec![0; MIB], Vec::new(), 0);
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    loop {
        match stream.read(&mut block).unwrap() {
            0 => return (String::from_utf8(head).unwrap().to_lowercase(), bytes),
            read => bytes += read,
        }
    }
}

#[test]
fn no_answer_is_longer_than_its_bound_and_what_is_cut_is_downloaded_whole_in_little_memory() {
    needs_file!("rows are changed in the file");
    let world = World::new();
    large_job(&world);
    let dashboard = world.serve(&[]);

    for path in [
        "",
        "/1",
        "/1/units",
        "/1/units?limit=300",
        "/1/units?sort=duration",
        "/1/units/1",
        "/1/units/7",
        "/1/failures",
        "/1/charts",
        "/1/explain",
        "/1/explain?unit=7",
        "/1/log",
        "/1/units?match=(",
    ] {
        let reply = dashboard.ask(&format!("GET /api/v1/jobs{path}"), &[], "");

        assert!(reply.body.len() <= BOUND, "{path}: {} bytes", reply.body.len());
        assert!(reply.status < 500 && reply.json().is_object(), "{path}: {}", reply.status);
    }
    let (job, unit) = (dashboard.get("/api/v1/jobs/1"), dashboard.get("/api/v1/jobs/1/units/7"));
    let is_cut = |text: &Value, bytes: usize| text.as_str().unwrap().contains(&format!("(cut, {bytes} bytes in all)"));
    assert!(is_cut(&job["labels"]["note"], MIB) && is_cut(&job["about"]["command"], MIB), "{job}");
    assert!(is_cut(&unit["unit"]["payload"], 4 * MIB) && is_cut(&unit["unit"]["error"], MIB), "{unit}");
    assert_eq!((&unit["unit"]["seq"], &unit["unit"]["status"]), (&7.into(), &"failed".into()));
    let before = memory(dashboard.pid(), "VmHWM");
    for (path, bytes) in [
        ("units/7/download/item.txt", 4 * MIB),
        ("units/1/download/result.txt", 4 * MIB),
        ("units/7/download/error.txt", MIB),
        ("download/items.txt?status=failed", 4 * MIB + 1),
        ("download/items.jsonl", 7 * (4 * MIB + 3) + SMALL_ITEMS),
    ] {
        let (head, found) = downloaded(&dashboard, &format!("/api/v1/jobs/1/{path}"));

        assert_eq!(found, bytes, "{path}: {head}");
        assert!(head.contains("content-disposition: attachment; filename=\"job-1-"), "{head}");
    }
    assert!(downloaded(&dashboard, "/api/v1/jobs/1/download/job.json").1 > 2 * MIB);
    let after = memory(dashboard.pid(), "VmHWM");
    eprintln!("memory at most {before} MiB by answers, {after} MiB after the downloads");
    assert!(after < 256, "{after} MiB");
}

#[test]
fn results_items_output_and_log_are_downloaded_as_the_command_line_prints_them() {
    let world = World::new();
    world.write("items.jsonl", "{\"name\":\"a\"}\n{\"name\":\"b\"}\n");
    let script = "echo said {name}; echo why >&2; test {name} = a";
    world.run(&["run", "-q", "--max-attempts", "1", "--jsonl", "items.jsonl", "--shell", "--", script]);
    world.run(&["run", "-q", "--max-attempts", "1", "--output", "full", "--", "seq", "{}", ":::", "30000"]);
    let names: Vec<String> = (0..=1000).map(|n| format!("\"n{n}\":{n}")).collect();
    world.write("wide.jsonl", &format!("{{{}}}\n", names.join(",")));
    world.run(&["run", "-q", "--jsonl", "wide.jsonl", "--", "true", "{n0}"]);
    let dashboard = world.serve(&[]);
    let get = |path: &str| {
        let reply = dashboard.ask(&format!("GET /api/v1/jobs/{path}"), &[], "");
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    };
    let printed = |args: &[&str]| String::from_utf8(world.run(args).stdout).unwrap();

    for format in ["csv", "tsv", "jsonl"] {
        assert_eq!(
            get(&format!("1/download/results.{format}")),
            printed(&["results", "1", "--format", format]),
            "{format}"
        );
    }
    assert_eq!(get("1/download/results.csv?status=failed"), printed(&["results", "1", "--format", "csv", "--failed"]));
    assert_eq!(get("1/download/items.jsonl?status=failed"), "{\"name\":\"b\"}\n");
    assert_eq!(get("2/download/items.txt"), "30000\n");
    assert_eq!(get("1/units/1/download/stdout.txt"), "said a\n");
    assert_eq!(get("1/units/2/download/stderr.txt?attempt=1"), "why\n");
    assert_eq!(get("2/units/1/download/stdout.txt").len(), printed(&["logs", "2:1"]).len());
    assert_eq!(get("1/download/log.txt"), printed(&["logs", "1", "--manager"]));
    let log: Value = serde_json::from_str(&get("1/log")).unwrap();
    assert_eq!(log["lines"].as_array().unwrap().len(), get("1/download/log.txt").lines().count());
    for (status, path) in [
        (404, "1/units/1/download/error.txt"),
        (404, "1/units/9/download/item.txt"),
        (404, "9/download/results.csv"),
        // Not all values would have a column.
        (422, "3/download/results.csv"),
        (200, "3/download/results.jsonl"),
        (404, "1/download/results.xml"),
        (400, "1/download/results.csv?match=("),
        (400, "1/units/1/download/stdout.txt?attempt=x"),
    ] {
        assert_eq!(dashboard.ask(&format!("GET /api/v1/jobs/{path}"), &[], "").status, status, "{path}");
    }
    assert_eq!(dashboard.bare("GET /api/v1/jobs/1/download/log.txt", &[("Host", &dashboard.host())], "").status, 401);
}
