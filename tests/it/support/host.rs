//! A host of the MCP server, as raw as it gets: lines in, lines out.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::forms::{Forms, forms_of};
use super::{World, processor_time, wait_for};

/// No answer may take longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// A server that may use everything.
const ALL: [&str; 6] = ["mcp", "--allow-dir", "/", "--allow-command", "*", "--allow-shell"];

pub struct Host<'w> {
    world: &'w World,
    child: Child,
    stdin: Option<Box<dyn Write>>,
    lines: Receiver<String>,
    asked: u64,
    forms: Forms,
}

/// What a tool answered.
pub struct Answered {
    pub failed: bool,
    pub text: String,
    pub document: Value,
    /// Bytes of the document.
    pub bytes: usize,
    pub took: Duration,
}

impl<'w> Host<'w> {
    /// Starts the server in a process group of its own, over pipes, and opens the conversation.
    pub fn new(world: &'w World) -> Host<'w> {
        let mut host = Host::silent(world);
        host.open();
        host
    }

    /// Starts the server with flags before its verb, and opens the conversation.
    pub fn with_flags(world: &'w World, flags: &[&str]) -> Host<'w> {
        let mut host = Host::launch(world, &[flags, &ALL[..]].concat());
        host.open();
        host
    }

    /// Starts the server over pipes and says nothing to it.
    pub fn silent(world: &'w World) -> Host<'w> {
        Host::launch(world, &ALL)
    }

    /// Starts the server with bounds of its own and says nothing to it.
    pub fn silent_with(world: &'w World, flags: &[&str]) -> Host<'w> {
        Host::launch(world, &[&["mcp"], flags].concat())
    }

    /// Starts the server with bounds of its own, and opens the conversation.
    pub fn bounded(world: &'w World, flags: &[&str]) -> Host<'w> {
        let mut host = Host::launch(world, &[&["mcp"], flags].concat());
        host.open();
        host
    }

    /// Starts the server with bounds of its own, and opens the conversation as a host that can ask its person.
    pub fn asking(world: &'w World, flags: &[&str]) -> Host<'w> {
        let mut host = Host::launch(world, &[&["mcp"], flags].concat());
        host.open_with(&json!({ "elicitation": {} }));
        host
    }

    /// Waits for a question of the server to the person, answers it, and returns what it says.
    pub fn answer_question(&mut self, action: &str) -> String {
        let question = self.message();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        self.say(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": action, "content": {} } }));
        question["params"]["message"].as_str().unwrap().to_owned()
    }

    fn launch(world: &'w World, args: &[&str]) -> Host<'w> {
        Host::spawn(world, world.job_manager(args))
    }

    fn spawn(world: &'w World, mut command: Command) -> Host<'w> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Host { world, child, stdin: Some(Box::new(stdin)), lines: lines_of(stdout), asked: 0, forms: Forms::default() }
    }

    /// Starts the server without flags in a directory, with a home, and opens the conversation.
    pub fn bounded_in(world: &'w World, dir: &str, home: &Path) -> Host<'w> {
        let mut command = world.job_manager(&["--db", world.db().to_str().unwrap(), "mcp"]);
        command.current_dir(dir).env("HOME", home);
        let mut host = Host::spawn(world, command);
        host.open();
        host
    }

    /// Starts the server over sockets, as hosts that run on Node do.
    pub fn over_sockets(world: &'w World) -> Host<'w> {
        let (stdin, theirs_in) = UnixStream::pair().unwrap();
        let (stdout, theirs_out) = UnixStream::pair().unwrap();
        let child = world
            .job_manager(&ALL)
            .stdin(OwnedFd::from(theirs_in))
            .stdout(OwnedFd::from(theirs_out))
            .process_group(0)
            .spawn()
            .unwrap();
        let mut host = Host {
            world,
            child,
            stdin: Some(Box::new(stdin)),
            lines: lines_of(stdout),
            asked: 0,
            forms: Forms::default(),
        };
        host.open();
        host
    }

    /// Opens the conversation.
    pub fn open(&mut self) {
        self.open_with(&json!({}));
    }

    fn open_with(&mut self, capabilities: &Value) {
        let about = json!({ "name": "test", "version": "0" });
        let opened = self.ask(
            "initialize",
            &json!({ "protocolVersion": "2025-06-18", "capabilities": capabilities, "clientInfo": about }),
        );
        assert_eq!(opened["result"]["serverInfo"]["name"], "job-manager", "{opened}");
        self.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes one message.
    pub fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string());
    }

    /// Writes one line.
    pub fn say_text(&mut self, line: &str) {
        self.say_bytes(line.as_bytes());
    }

    /// Writes one line of whatever bytes.
    pub fn say_bytes(&mut self, line: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin.write_all(&[line, b"\n"].concat()).unwrap();
        stdin.flush().unwrap();
    }

    /// Writes one message, unless nobody reads it any more.
    pub fn try_say(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        // The server may have ended, which is what the caller waits for.
        let _ = stdin.write_all(format!("{message}\n").as_bytes());
    }

    /// Says how the server ended, if it has.
    pub fn try_end(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Writes a call without waiting for its answer, and returns its number.
    pub fn begin(&mut self, tool: &str, arguments: &Value) -> u64 {
        self.begin_request("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// Like [`Host::begin`], and asks to hear of the progress under that token.
    pub fn begin_with_progress(&mut self, tool: &str, arguments: &Value, token: &Value) -> u64 {
        let meta = json!({ "progressToken": token });
        self.begin_request("tools/call", &json!({ "name": tool, "arguments": arguments, "_meta": meta }))
    }

    fn begin_request(&mut self, method: &str, params: &Value) -> u64 {
        self.asked += 1;
        let id = self.asked;
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Waits for the answer of that number; every line that comes must be a message.
    pub fn answer(&mut self, id: u64) -> Value {
        serde_json::from_str(&self.answer_text(id)).unwrap()
    }

    /// Calls a tool with arguments as they are written, and returns the line of the answer.
    pub fn call_text(&mut self, tool: &str, arguments: &str) -> String {
        self.asked += 1;
        let id = self.asked;
        self.say_text(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
        ));
        self.answer_text(id)
    }

    fn answer_text(&mut self, id: u64) -> String {
        loop {
            let line = self.lines.recv_timeout(DEADLINE).unwrap_or_else(|error| {
                panic!("no answer to {id}: {error}\n{}", self.world.report());
            });
            let message: Value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}, not a message: {line:?}"));
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            if message["id"] == id {
                return line;
            }
        }
    }

    /// Waits for the next message, whatever it is.
    pub fn message(&mut self) -> Value {
        let line = self.lines.recv_timeout(DEADLINE).unwrap_or_else(|error| panic!("no message: {error}"));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}, not a message: {line:?}"))
    }

    /// Waits for a refusal of something that had no number.
    pub fn refusal(&mut self) -> Value {
        let message = self.message();
        assert!(message["id"].is_null() && message["error"].is_object(), "{message}");
        message
    }

    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.begin_request(method, params);
        self.answer(id)
    }

    /// Calls a tool; what comes back must be a result.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Answered {
        let asked = Instant::now();
        let id = self.begin(tool, &arguments);
        let message = self.answer(id);
        let result = message.get("result").unwrap_or_else(|| panic!("{tool} {arguments}: {message}"));
        let failed = result["isError"].as_bool().unwrap();
        let document: Value = serde_json::from_str(result["content"][1]["text"].as_str().unwrap()).unwrap();
        if failed {
            // Clients compare it with the form of what was asked for, also where that was refused.
            assert!(result["structuredContent"].is_null(), "{result}");
        } else {
            assert_eq!(result["structuredContent"], document, "the text differs from the structure");
            self.expect_form(tool, &document);
        }
        Answered {
            failed,
            text: result["content"][0]["text"].as_str().unwrap().to_owned(),
            bytes: document.to_string().len(),
            document,
            took: asked.elapsed(),
        }
    }

    /// Compares an answer with what its tool says of its answers.
    pub fn expect_form(&mut self, tool: &str, document: &Value) {
        if self.forms.is_empty() {
            self.forms = forms_of(&self.ask("tools/list", &json!({})));
        }
        self.forms.expect(tool, document);
    }

    /// Calls a tool, which must succeed, and returns its document.
    pub fn ok(&mut self, tool: &str, arguments: Value) -> Value {
        let answered = self.call(tool, arguments);
        assert!(!answered.failed, "{tool}: {}\n{}", answered.text, self.world.report());
        answered.document
    }

    /// Calls a tool, which must fail, and returns what it says.
    pub fn refused(&mut self, tool: &str, arguments: Value) -> String {
        let answered = self.call(tool, arguments);
        assert!(answered.failed, "{tool} did not fail: {}", answered.text);
        answered.text
    }

    /// Waits for a job with as many calls as it takes, and returns its state.
    pub fn wait_for_job(&mut self, job: &Value) -> String {
        let started = Instant::now();
        loop {
            let status = self.ok("wait_job", json!({ "job": job, "timeout": 10 }));
            if status["job_status"] != "running" {
                return status["job_status"].as_str().unwrap().to_owned();
            }
            assert!(started.elapsed() < DEADLINE, "{status}");
        }
    }

    /// Closes standard input.
    pub fn hang_up(&mut self) {
        self.stdin = None;
    }

    /// Stops reading, and closes that end.
    pub fn stop_listening(&mut self) {
        let (_, nothing) = channel();
        self.lines = nothing;
    }

    /// Returns the processor time that the server has used.
    pub fn processor_time(&self) -> Duration {
        processor_time(self.child.id())
    }

    /// Waits for the end of the server, and returns how long that took.
    pub fn wait_for_end(&mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        let mut ended = None;
        let world = self.world;
        wait_for(world, "the server to end", || {
            ended = self.try_end();
            ended.is_some()
        });
        (ended.unwrap(), asked.elapsed())
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines in a thread, which ends and closes the stream when there are no more, or nobody wants them.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            if line.is_err() || sender.send(line.unwrap()).is_err() {
                break;
            }
        }
    });
    receiver
}
