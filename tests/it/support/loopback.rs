//! Servers on loopback that answer as a test wants it: one request a connection, each on a thread of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// What somebody asked.
pub struct Asked {
    /// Such as `GET`.
    pub method: String,
    /// Such as `/batches/7`.
    pub path: String,
    /// What stands in the header `Idempotency-Key`.
    pub token: Option<String>,
    /// What stands in the header `X-Job-Manager-Signature`.
    pub signature: Option<String>,
    pub body: String,
}

/// Answers requests until the test ends; whoever asked may have died. Returns the address.
pub fn serve(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            std::thread::spawn(move || {
                let Some(asked) = read(&mut stream) else { return };
                let Answer { status, header, body } = answer(&asked);
                let length = body.len();
                let said = format!("HTTP/1.0 {status}\r\n{header}Content-Length: {length}\r\n\r\n{body}");
                let _ = stream.write_all(said.as_bytes());
            });
        }
    });
    address
}

/// An answer.
pub struct Answer {
    pub status: &'static str,
    /// One header with its line end, or nothing.
    pub header: &'static str,
    pub body: String,
}

impl Answer {
    pub fn ok(body: impl Into<String>) -> Answer {
        Answer { status: "200 OK", header: "", body: body.into() }
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut token, mut signature, mut length) = (None, None, 0);
    loop {
        let mut line = String::new();
        // Nothing more comes from one who has died.
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "idempotency-key" => token = Some(value.trim().to_owned()),
            "x-job-manager-signature" => signature = Some(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, token, signature, body: String::from_utf8(body).ok()? })
}
