//! Lines that are no messages, requests whose parameters do not fit, and many calls at a time.

use std::time::Duration;

use serde_json::json;

use crate::support::{Host, World};

/// Time for an answer beside many that wait; a build without optimisation is several times slower.
const QUICK: Duration = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });

#[test]
fn fault_499_what_comes_before_the_conversation_is_opened_ends_no_server() {
    let world = World::new();
    let mut host = Host::silent(&world);

    for method in ["notifications/initialized", "notifications/cancelled", "notifications/other"] {
        host.say(&json!({ "jsonrpc": "2.0", "method": method, "params": { "requestId": 5 } }));
    }
    host.say(&json!({ "jsonrpc": "2.0", "id": 900, "result": {} }));
    let early = host.ask("tools/list", &json!({}));
    let ping = host.ask("ping", &json!({}));
    host.open();

    assert!(early["error"]["code"].is_i64() && ping["result"].is_object(), "{early} {ping}");
    assert_eq!(host.ok("list_jobs", json!({}))["jobs"], json!([]));
}

#[test]
fn fault_493_every_line_that_is_no_message_is_answered_with_its_number_where_one_can_be_read() {
    let world = World::new();
    let mut host = Host::new(&world);
    let deep = "[".repeat(200) + &"]".repeat(200);
    let long = "x".repeat(17 << 20);
    let call = |id: &str, items: &str| {
        let params = format!(r#"{{"name":"start_batch","arguments":{{"command":["true"],"items":{items}}}}}"#);
        format!(r#"{{"jsonrpc":"2.0","method":"tools/call","params":{params},"id":{id}}}"#).into_bytes()
    };
    let with = |before: &str, bytes: &[u8], after: &str| [before.as_bytes(), bytes, after.as_bytes()].concat();

    for (line, code, id) in [
        (call("7", r#"["\ud800"]"#), -32700, json!(7)),
        (call(r#""a b""#, r#"["\udc00\ud800"]"#), -32700, json!("a b")),
        (call("8", &deep), -32700, json!(8)),
        (with(r#"{"jsonrpc":"2.0","id":9,"method":"ping","params":{"a":"#, deep.as_bytes(), "}}"), -32700, json!(9)),
        (with(r#"{"jsonrpc":"2.0","id":10,"method":""#, b"\xff\xfe", r#""}"#), -32700, json!(10)),
        (with(r#"{"jsonrpc":"2.0","method":""#, b"\xff", r#"","id":"11"}"#), -32700, json!("11")),
        (with(r#"{"jsonrpc":"2.0","method":"ping","id":""#, b"\xff", r#""}"#), -32700, json!(null)),
        (br#"{"jsonrpc":"2.0","id":12,"method":"ping","params":{"#.to_vec(), -32700, json!(12)),
        (br#"{"jsonrpc":"2.0","method":"ping","id":1"#.to_vec(), -32700, json!(null)),
        (
            with(r#"{"jsonrpc":"2.0","id":13,"method":"tools/call","params":{"a":""#, long.as_bytes(), r#""}}"#),
            -32600,
            json!(13),
        ),
        (call("14", &format!("[\"{long}\"]")), -32600, json!(14)),
        (format!("\"{long}\"").into_bytes(), -32600, json!(null)),
        (br#"{"jsonrpc":"2.0","id":15,"method":"ping","id":16}"#.to_vec(), -32600, json!(null)),
        (br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#.to_vec(), -32600, json!(null)),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.to_vec(), -32600, json!(null)),
        (br#"{"jsonrpc":"2.0","id":17}"#.to_vec(), -32600, json!(17)),
        (br#"{"jsonrpc":"2.0","id":18,"method":5}"#.to_vec(), -32600, json!(18)),
        (br#"[{"jsonrpc":"2.0","id":19,"method":"ping"}]"#.to_vec(), -32600, json!(null)),
    ] {
        host.say_bytes(&line);
        let answer = host.message();

        let shown = String::from_utf8_lossy(&line[..line.len().min(90)]).into_owned();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{shown}: {answer}");
    }
    assert_eq!(host.ok("list_jobs", json!({}))["jobs"], json!([]));
}

#[test]
fn fault_494_parameters_that_do_not_fit_a_request_of_the_protocol_are_refused_as_such() {
    let world = World::new();
    let mut host = Host::new(&world);

    for (method, params, said) in [
        ("tools/call", json!(null), "an object"),
        ("tools/call", json!({}), "name"),
        ("tools/call", json!({ "name": 5 }), "string"),
        ("tools/call", json!({ "name": "list_jobs", "arguments": "all" }), "arguments"),
        ("tools/call", json!({ "name": "list_jobs", "arguments": [1] }), "arguments"),
        ("tools/call", json!({ "name": "list_jobs", "arguments": 5 }), "arguments"),
        ("tools/call", json!([]), "tools/call"),
        ("tools/call", json!({ "name": "no_such_tool", "arguments": {} }), "no_such_tool"),
        ("tools/list", json!(5), "tools/list"),
        ("tools/list", json!({ "cursor": "x" }), "cursor"),
    ] {
        let answer = host.ask(method, &params);

        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(answer["error"]["code"] == -32602 && message.contains(said), "{method} {params}: {answer}");
    }
    let unknown = host.ask("no/such/method", &json!({}));
    // What the newest revision does not have any more.
    let newest = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {} } });
    let mut modern = Host::silent(&world);
    for method in ["ping", "initialize"] {
        assert_eq!(modern.ask(method, &newest)["error"]["code"], -32601, "{method}");
    }
    // What a model can mend by itself comes as the result of the call, whatever the revision.
    let field = host.refused("list_jobs", json!({ "itemz": 1 }));
    let missing = host.refused("job_status", json!({}));

    assert_eq!(unknown["error"]["code"], -32601);
    assert!(field.contains("unknown field `itemz`") && missing.contains("missing field `job`"), "{field} {missing}");
}

#[test]
fn fault_495_six_hundred_calls_that_wait_leave_the_others_quick() {
    let world = World::new();
    let mut host = Host::new(&world);
    let job = host.ok("start_batch", json!({ "command": ["sleep", "60"] }))["job"]["id"].clone();

    let waiting: Vec<u64> = (0..600).map(|_| host.begin("wait_job", &json!({ "job": job, "timeout": 50 }))).collect();
    for (tool, arguments) in [
        ("list_jobs", json!({})),
        ("job_status", json!({ "job": job })),
        ("start_batch", json!({ "command": ["true"] })),
    ] {
        let answered = host.call(tool, arguments);
        assert!(!answered.failed && answered.took < QUICK, "{tool} took {:?}: {}", answered.took, answered.text);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.pid())).unwrap();
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
    host.ok("cancel_job", json!({ "job": job, "reason": "test" }));
    let mut left = waiting;
    while !left.is_empty() {
        let answer = host.message();
        assert_eq!(answer["result"]["structuredContent"]["job_status"], "cancelled", "{answer}");
        left.retain(|id| answer["id"] != *id);
    }

    assert!(threads.trim().parse::<u32>().unwrap() < 140, "{threads} threads");
}
