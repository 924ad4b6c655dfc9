//! A browser without a window, spoken to through two pipes.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};

use super::{World, wait_for};

const DEADLINE: Duration = Duration::from_secs(60);
const FAREWELL: Duration = Duration::from_secs(5);

/// The program that is looked for.
pub const CHROMIUM: &str = "chromium";

/// One page of a browser that ends with this guard.
pub struct Browser<'a> {
    world: &'a World,
    process: Child,
    to: File,
    from: Receiver<Value>,
    session: Option<String>,
    asked: u64,
    /// What the page complained about.
    pub complaints: Vec<String>,
}

impl<'a> Browser<'a> {
    /// Starts the browser with an empty page; none when there is none on this machine.
    pub fn start(world: &'a World) -> Option<Browser<'a>> {
        Command::new(CHROMIUM).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        let [to, from] = ["browser-in", "browser-out"].map(|name| world.path(name));
        for pipe in [&to, &from] {
            mkfifo(pipe, Mode::S_IRWXU).unwrap();
        }
        // Descriptors 3 and 4 are where a browser looks for them; `<>` does not wait for the other side.
        let script = "exec chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage \
                      --remote-debugging-pipe --user-data-dir=browser about:blank 3<>browser-in 4<>browser-out";
        let process = world
            .command("sh")
            .args(["-c", script])
            .env("TMPDIR", world.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = OpenOptions::new().read(true).write(true).open(to).unwrap();
        let (sender, received) = mpsc::channel();
        // Ends with the browser, which closes its side.
        std::thread::spawn(move || {
            for message in BufReader::new(File::open(from).unwrap()).split(0).map_while(Result::ok) {
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
            }
        });
        let from = received;
        let mut browser = Browser { world, process, to, from, session: None, asked: 0, complaints: Vec::new() };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Runtime.enable", "Page.enable", "Log.enable"] {
            browser.call(domain, &json!({}));
        }
        Some(browser)
    }

    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", &json!({ "url": url }));
    }

    /// Shows the page as on a screen of that width.
    pub fn resize(&mut self, width: u32) {
        let screen = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// Returns the value of an expression, null when its page gave way to another one meanwhile.
    pub fn eval(&mut self, expression: &str) -> Value {
        let question = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = match self.ask("Runtime.evaluate", &question) {
            Err(error) if error["message"] == "Inspected target navigated or closed" => return Value::Null,
            answer => answer.unwrap_or_else(|error| panic!("{expression}: {error}")),
        };
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until the page shows a text.
    pub fn wait_for_text(&mut self, text: &str) {
        let expression = format!("!!document.body && document.body.innerText.includes({})", json!(text));
        let world = self.world;
        wait_for(world, &format!("the page to show {text:?}"), || self.eval(&expression) == true);
    }

    /// Presses the button with that text.
    pub fn press(&mut self, label: &str) {
        let label = json!(label);
        self.eval(&format!("[...document.querySelectorAll('button')].find((b) => b.innerText === {label}).click()"));
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.ask(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.from.recv_timeout(DEADLINE);
            let mut answer = answer.unwrap_or_else(|error| panic!("the browser does not answer {method}: {error}"));
            if answer["id"] == self.asked {
                return if answer["error"].is_null() {
                    Ok(answer["result"].take())
                } else {
                    Err(answer["error"].take())
                };
            }
            if answer["method"] == "Runtime.exceptionThrown" || answer["method"] == "Log.entryAdded" {
                self.complaints.push(answer["params"].to_string());
            }
        }
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        // It ends its other processes itself, which hide the mark of the world; by force only when it does not answer.
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let asked = Instant::now();
        while asked.elapsed() < FAREWELL && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
