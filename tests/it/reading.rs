//! What reading many units costs.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::{World, wait_for};

const UNITS: usize = 3000;

#[test]
fn fault_190_results_are_written_by_the_buffer_in_every_format() {
    let world = World::new();
    world.ok(&["create", "--range", &format!("1-{UNITS}"), "--", "true", "{}"]);
    for format in ["csv", "jsonl"] {
        // Each write becomes a message of its own.
        let (reader, writer) = UnixDatagram::pair().unwrap();
        reader.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut program = world.job_manager(&["results", "--format", format]);
        let mut child = program.stdout(OwnedFd::from(writer)).spawn().unwrap();
        drop(program);
        let (mut text, mut writes, mut buffer) = (Vec::new(), 0, vec![0; 1 << 20]);

        let lines = if format == "csv" { UNITS + 1 } else { UNITS };
        while text.iter().filter(|byte| **byte == b'\n').count() < lines {
            let length = reader.recv(&mut buffer).unwrap();
            text.extend_from_slice(&buffer[..length]);
            writes += 1;
        }

        assert!(child.wait().unwrap().success());
        assert!(writes <= text.len() / (16 << 10) + 4, "{format}: {} bytes in {writes} writes", text.len());
    }
}

#[test]
fn pages_of_a_search_lead_to_every_unit_that_matches() {
    let world = World::new();
    world.ok(&["create", "--range", &format!("1-{UNITS}"), "--", "true", "{}"]);
    let mut found = Vec::new();
    let mut after = Value::from(0);

    while after != Value::Null {
        let page = world.ok(&["units", "--match", "7$", "--limit", "70", "--json", "--after", &after.to_string()]);
        let page: Value = serde_json::from_str(&page).unwrap();
        found.extend(page["units"].as_array().unwrap().iter().map(|unit| unit["seq"].as_u64().unwrap()));
        after = page["next_after"].clone();
    }

    assert_eq!(found, (7..=3000).step_by(10).collect::<Vec<_>>());
}

#[test]
fn results_of_a_large_job_come_in_order_and_all_of_them_whatever_is_asked_for() {
    const MANY: usize = 25_001;
    let world = World::new();
    world.ok(&["create", "--range", &format!("1-{MANY}"), "--", "true", "{}"]);
    let lines = |args: &[&str]| {
        let text = world.ok(&[&["results"], args].concat());
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let json = |number: usize| {
        format!(
            r#"{{"seq":{number},"key":null,"status":"pending","payload":{number},"result":null,"error":null,"exit_code":null,"seconds":null}}"#
        )
    };
    let csv = |number: usize| format!("{number},,pending,{number},,,,");
    let header = "seq,key,status,item,result,error,exit_code,seconds".to_owned();

    assert!(lines(&[]).into_iter().eq((1..=MANY).map(json)));
    assert!(lines(&["--format", "csv"]).into_iter().eq(std::iter::once(header).chain((1..=MANY).map(csv))));
    assert!(lines(&["--seq", "4001-20000"]).into_iter().eq((4001..=20_000).map(json)));
    assert!(lines(&["--match", "77$"]).into_iter().eq((77..=MANY).step_by(100).map(json)));
}

#[test]
fn whoever_has_read_enough_of_the_results_of_a_large_job_ends_them() {
    let world = World::new();
    world.ok(&["create", "--range", "1-25000", "--", "true", "{}"]);
    let mut child = world.job_manager(&["results"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 8];

    child.stdout.take().unwrap().read_exact(&mut first).unwrap();

    assert_eq!(&first, b"{\"seq\":1");
    wait_for(&world, "the end of the program", || child.try_wait().unwrap().is_some());
}
