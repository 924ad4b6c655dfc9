//! A batch of calls to an API that answers 429 when it is asked too often: each refused call waits as the API says and costs
//! no attempt, and fewer calls are made at a time until none is refused.
//!
//! ```text
//! cargo run --example rate_limited -- calls.db 127.0.0.1:8080 1000
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use job_manager::{Client, NewJob, NewUnit, UnitContext, UnitError};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Call {
    address: String,
    number: u64,
}

fn call(call: Call, unit: &UnitContext<'_>) -> Result<String, UnitError> {
    let mut stream = TcpStream::connect(&call.address)?;
    // What is asked twice with one token is done, and billed, once.
    let (number, token) = (call.number, unit.token());
    write!(stream, "GET /{number} HTTP/1.0\r\nidempotency-key: {token}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("half an answer")?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        Some("429") => Err(match header(head, "retry-after").and_then(|seconds| seconds.parse().ok()) {
            Some(seconds) => UnitError::busy_for(Duration::from_secs(seconds)),
            None => UnitError::busy(),
        }),
        other => Err(UnitError::retry(format!("answered {}", other.unwrap_or("nothing")))),
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|it| it.1)
}

fn main() -> Result<(), Box<dyn Error>> {
    job_manager::run_if_manager(|handlers| {
        handlers.register("call", call);
    });

    let args: Vec<String> = std::env::args().skip(1).collect();
    let [db, address, count] = args.as_slice() else { return Err("usage: rate_limited DB ADDRESS COUNT".into()) };
    let client = Client::create(db.as_ref())?;
    let calls = (1..=count.parse::<u64>()?).map(|number| NewUnit::new(&Call { address: address.clone(), number }));
    let mut job = NewJob::new("calls", "call");
    // At most 64 at a time, and never fewer than 2.
    (job.limits.workers, job.limits.adapt) = (64, Some(2));
    println!("job {}", client.try_submit(&job, calls)?.job);
    Ok(())
}
