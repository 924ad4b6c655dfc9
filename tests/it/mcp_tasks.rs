//! Batches as tasks, for hosts that declare the extension: by messages, and by the library's own client over two servers.

use std::process::Stdio;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, ElicitationCapability, GetTaskParams,
    Implementation, InputResponses, ProtocolVersion, TaskPayload, UpdateTaskParams,
};
use rmcp::service::{ClientLifecycleMode, RoleClient, RunningService, serve_client_with_lifecycle};
use serde_json::{Value, json};

use crate::support::{Host, World};

/// What a host of the newest revision says of itself with each request.
fn meta(capabilities: &Value) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    })
}

fn asking() -> Value {
    json!({ "extensions": { "io.modelcontextprotocol/tasks": {} }, "elicitation": {} })
}

fn start(host: &mut Host<'_>, capabilities: &Value, batch: &Value) -> Value {
    let params = json!({ "name": "start_batch", "arguments": batch, "_meta": meta(capabilities) });
    host.ask("tools/call", &params)["result"].clone()
}

fn ask(host: &mut Host<'_>, method: &str, id: &Value, more: &Value) -> Value {
    let mut params = json!({ "taskId": id, "_meta": meta(&asking()) });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    host.ask(method, &params)
}

fn task(host: &mut Host<'_>, id: &Value) -> Value {
    ask(host, "tasks/get", id, &json!({}))["result"].clone()
}

#[test]
fn a_batch_is_a_task_for_hosts_that_declare_them_and_waits_for_the_person_there() {
    let world = World::new();
    let mut host = Host::silent(&world);
    let batch = json!({ "command": ["echo", "{}"], "range": "1-5", "canary": 2 });

    let plain = start(&mut host, &json!({ "elicitation": {} }), &batch);
    let begun = start(&mut host, &asking(), &batch);
    let id = &begun["taskId"];
    world.wait_for_status("2", "awaiting_approval");
    let open = task(&mut host, id);
    let elsewhere = json!({ "inputResponses": { "other": { "action": "accept" } } });
    ask(&mut host, "tasks/update", id, &elsewhere);
    let dismissed = json!({ "inputResponses": { "approval_2": { "action": "cancel" } } });
    ask(&mut host, "tasks/update", id, &dismissed);
    let still = task(&mut host, id);
    let agreed = json!({ "inputResponses": { "approval_2": { "action": "accept", "content": {} } } });
    let acknowledged = ask(&mut host, "tasks/update", id, &agreed);
    world.wait_for_status("2", "completed");
    let done = task(&mut host, id);

    assert_eq!(plain["structuredContent"]["job"]["id"], 1, "{plain}");
    assert_eq!(
        (&begun["resultType"], &begun["status"], &begun["ttlMs"]),
        (&json!("task"), &json!("working"), &json!(null))
    );
    assert!(begun["statusMessage"].as_str().unwrap().starts_with("Job 2 (echo) started: 5 units"), "{begun}");
    assert_eq!(world.status("2")["job"]["uid"], *id);
    for open in [open, still] {
        assert_eq!(open["status"], "input_required", "{open}");
        let question = &open["inputRequests"]["approval_2"];
        assert_eq!(question["method"], "elicitation/create", "{open}");
        assert!(question["params"]["message"].as_str().unwrap().contains("2 of 2 ended well"), "{open}");
    }
    assert_eq!(acknowledged["result"], json!({ "resultType": "complete" }));
    assert_eq!((&done["status"], &done["result"]["isError"]), (&json!("completed"), &json!(false)));
    let document = &done["result"]["structuredContent"];
    assert_eq!((&document["job_status"], &document["units"]), (&json!("completed"), &json!(5)));
    Host::new(&world).expect_form("start_batch", document);
}

#[test]
fn tasks_are_cancelled_declined_and_refused() {
    let world = World::new();
    let mut host = Host::silent(&world);
    let sleeping = json!({ "command": ["sleep", "60"] });
    let canary = json!({ "command": ["true"], "range": "1-3", "canary": 1, "name": "pilot" });

    let sleeper = start(&mut host, &asking(), &sleeping)["taskId"].clone();
    ask(&mut host, "tasks/cancel", &sleeper, &json!({}));
    world.wait_for_status("1", "cancelled");
    let again = ask(&mut host, "tasks/cancel", &sleeper, &json!({}));
    let pilot = start(&mut host, &asking(), &canary)["taskId"].clone();
    world.wait_for_status("2", "awaiting_approval");
    let silent =
        json!({ "taskId": pilot, "_meta": meta(&json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } })) });
    let unasked = host.ask("tasks/get", &silent)["result"].clone();
    let declined = json!({ "inputResponses": { "approval_1": { "action": "decline" } } });
    ask(&mut host, "tasks/update", &pilot, &declined);
    world.wait_for_status("2", "cancelled");

    assert_eq!(task(&mut host, &sleeper)["status"], "cancelled");
    assert!(again["result"].is_object(), "{again}");
    assert_eq!(unasked["status"], "working");
    assert!(unasked["statusMessage"].as_str().unwrap().contains("approve_job"), "{unasked}");
    let task = task(&mut host, &pilot);
    assert_eq!(task["status"], "cancelled");
    assert_eq!(world.status("2")["progress"]["completed"], 1);
    for id in ["pilot", "2", "0199", "nobody"] {
        let unknown = ask(&mut host, "tasks/get", &json!(id), &json!({}));
        assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    }
    let undeclared = host.ask("tasks/get", &json!({ "taskId": pilot, "_meta": meta(&json!({})) }));
    assert_eq!(undeclared["error"]["code"], -32021, "{undeclared}");
    let misfit = host.ask("tasks/get", &json!({ "taskId": 5, "_meta": meta(&asking()) }));
    assert_eq!(misfit["error"]["code"], -32602, "{misfit}");
}

#[test]
fn a_task_is_bounded_as_the_tools_are() {
    let world = World::new();
    world.run(&["run", "-q", "--canary", "1", "--range", "1-3", "--", "true", "{}"]);
    let id = world.status("1")["job"]["uid"].clone();
    let yes = json!({ "inputResponses": { "approval_1": { "action": "accept", "content": {} } } });

    let mut bounded = Host::bounded(&world, &["--allow-dir", "/", "--allow-command", "echo"]);
    let unasked = task(&mut bounded, &id);
    let refused = ask(&mut bounded, "tasks/update", &id, &yes);
    let mut reader = Host::bounded(&world, &["--read-only"]);
    let read = task(&mut reader, &id);
    let changes = ["tasks/update", "tasks/cancel"].map(|method| ask(&mut reader, method, &id, &yes));

    assert_eq!((&unasked["status"], &read["status"]), (&json!("working"), &json!("working")));
    assert!(refused["error"]["message"].as_str().unwrap().contains("\"true\" is not allowed"), "{refused}");
    for change in changes {
        assert!(change["error"]["message"].as_str().unwrap().contains("--read-only"), "{change}");
    }
    assert_eq!(world.status("1")["job_status"], "awaiting_approval");
}

#[test]
fn fault_503_a_task_is_answered_by_another_server_after_the_first_was_killed() {
    let world = World::new();
    let files = world.path("files");
    std::fs::create_dir(&files).unwrap();
    for size in 1..=500 {
        std::fs::write(files.join(format!("{size}.txt")), vec![0; size]).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = "until [ $(basename \"$1\" .txt) -lt 400 ] || [ -e go ]; do sleep 0.05; done; wc -c < \"$1\"";
    let batch = json!({
        "command": ["sh", "-c", script, "-", "{}"], "glob": ["*.txt"], "cwd": files.canonicalize().unwrap(), "canary": 20,
    });

    runtime.block_on(async {
        let (mut first, client) = connect(&world).await;
        let call = CallToolRequestParams::new("start_batch").with_arguments(batch.as_object().unwrap().clone());
        let Ok(CallToolResponse::Task(begun)) = client.call_tool_once(call).await else { panic!("no task") };
        let id = begun.task.task_id;
        until(&client, &id, |payload| matches!(payload, TaskPayload::InputRequired { .. })).await;
        let yes = InputResponses::from([("approval_20".to_owned(), json!({ "action": "accept", "content": {} }))]);
        client.update_task(UpdateTaskParams::new(&id, yes)).await.unwrap();
        until(&client, &id, |_| world.status("1")["progress"]["completed"].as_i64() >= Some(100)).await;
        first.kill().await.unwrap();

        let (_second, client) = connect(&world).await;
        let running = client.get_task(GetTaskParams::new(&id)).await.unwrap().task;
        std::fs::write(files.join("go"), "").unwrap();
        let done = until(&client, &id, |payload| matches!(payload, TaskPayload::Completed { .. })).await;

        assert_eq!(running.payload, TaskPayload::Working);
        let TaskPayload::Completed { result } = done else { panic!("{done:?}") };
        assert_eq!(result["structuredContent"]["units"], 500);
    });
    assert_eq!(world.status("1")["progress"]["completed"], 500);
}

type Client = RunningService<RoleClient, ClientConfig>;

/// Starts a server and opens a conversation with the library's own client, which takes tasks.
async fn connect(world: &World) -> (tokio::process::Child, Client) {
    let args = ["mcp", "--allow-dir", "/", "--allow-command", "sh"];
    let mut command = tokio::process::Command::from(world.job_manager(&args));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let mut capabilities = ClientCapabilities::builder().enable_tasks().build();
    capabilities.elicitation = Some(ElicitationCapability::default());
    let client = ClientConfig::new(capabilities, Implementation::new("test", "0"));
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    (child, serve_client_with_lifecycle(client, pipes, lifecycle).await.unwrap())
}

/// Looks at a task until it is as it should be.
async fn until(client: &Client, id: &str, is_so: impl Fn(&TaskPayload) -> bool) -> TaskPayload {
    for _ in 0..600 {
        let task = client.get_task(GetTaskParams::new(id)).await.unwrap().task;
        if is_so(&task.payload) {
            return task.payload;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the task did not come so far");
}
