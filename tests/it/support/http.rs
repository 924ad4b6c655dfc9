//! HTTP as plain text over a socket, so that a test can say anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{World, send};

const DEADLINE: Duration = Duration::from_secs(30);

/// A dashboard of a world; ended with this guard.
pub struct Served {
    process: Child,
    pub port: u16,
    /// What programs show.
    pub token: String,
    /// What the printed address holds.
    pub entry: String,
}

/// What a server answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl World {
    /// Starts a dashboard, on a free port unless another one is given, and waits until it listens.
    pub fn serve(&self, flags: &[&str]) -> Served {
        let port: &[&str] = if flags.contains(&"--port") { &[] } else { &["--port", "0"] };
        let mut command = self.job_manager(&["serve", "--json"]);
        command.args(port).args(flags);
        Served::start(command)
    }

    /// Like [`World::serve`], with no more than that many open files.
    pub fn serve_with_descriptors(&self, limit: u32) -> Served {
        let mut command = self.command("sh");
        let script = format!("ulimit -n {limit}; exec \"$0\" serve --json --port 0");
        command.args(["-c", &script]).arg(self.job_manager(&[]).get_program());
        Served::start(command)
    }
}

impl Served {
    fn start(mut command: Command) -> Served {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let address = said["address"].as_str().unwrap().trim_end_matches('/');
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        let entry = said["url"].as_str().unwrap().split_once("#token=").unwrap().1.to_owned();
        Served { process, port, token: said["token"].as_str().unwrap().to_owned(), entry }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends it as a service manager would, and waits until it is gone.
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        send(self.process.id(), Signal::SIGTERM);
        let asked = Instant::now();
        loop {
            if let Some(exit) = self.process.try_wait().unwrap() {
                return exit;
            }
            assert!(asked.elapsed() < DEADLINE, "the dashboard does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a request with these headers and no other.
    pub fn bare(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut text = format!("{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        let mut stream = self.connect();
        stream.write_all(format!("{text}\r\n{body}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Reply::parse(&String::from_utf8(answer).unwrap())
    }

    /// Sends a request with the right host and the token.
    pub fn ask(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let (host, bearer) = (self.host(), format!("Bearer {}", self.token));
        let usual = [("Host", host.as_str()), ("Authorization", bearer.as_str())];
        self.bare(request, &[&usual, headers].concat(), body)
    }

    /// Reads a document, which must be there.
    pub fn get(&self, path: &str) -> Value {
        let reply = self.ask(&format!("GET {path}"), &[], "");
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.json()
    }

    /// Asks for a change.
    pub fn post(&self, path: &str, body: &str) -> Reply {
        self.ask(&format!("POST {path}"), &[("Content-Type", "application/json")], body)
    }

    /// Opens the stream of events; each line is one of the answer.
    pub fn events(&self) -> impl Iterator<Item = String> + use<> {
        let mut stream = self.connect();
        let (host, token) = (self.host(), &self.token);
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n").unwrap();
        BufReader::new(stream).lines().map_while(Result::ok)
    }

    /// Shows the token of the address, as the page does, and returns the cookie that comes of it.
    pub fn sign_in(&self) -> String {
        let bearer = format!("Bearer {}", self.entry);
        let reply = self.bare("POST /api/v1/session", &[("Host", &self.host()), ("Authorization", &bearer)], "");
        reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Reply {
    fn parse(text: &str) -> Reply {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned()));
        let mut reply = Reply { status, headers: headers.collect(), body: body.to_owned() };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.body = joined(body);
        }
        reply
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Joins the pieces of a body that was sent in pieces.
fn joined(mut pieces: &str) -> String {
    let mut body = String::new();
    while let Some((bytes, rest)) = pieces.split_once("\r\n") {
        let bytes = usize::from_str_radix(bytes, 16).unwrap();
        if bytes == 0 {
            return body;
        }
        body.push_str(&rest[..bytes]);
        pieces = &rest[bytes + 2..];
    }
    panic!("the answer was broken off");
}
