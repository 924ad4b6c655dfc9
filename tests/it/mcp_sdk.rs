//! The server, as the official SDK of the protocol for Python meets it: every answer is compared with the form that its tool declares.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::support::{BIN, World, python, text, without};

#[test]
fn fault_502_a_host_that_is_killed_with_its_process_group_leaves_its_batch_to_the_next_one() {
    let world = World::new();
    if let Err(missing) = python(&world, "python_sdk.py", &["mcp", "jsonschema"]) {
        return without(&missing);
    }
    std::fs::create_dir(world.path("files")).unwrap();
    for size in 1..=200 {
        std::fs::write(world.path(&format!("files/{size}.txt")), vec![0; size]).unwrap();
    }
    let client = |mode: &str| -> Command {
        let mut command = python(&world, "python_sdk.py", &[]).unwrap();
        command.arg(mode).arg(BIN).arg(world.path("files").canonicalize().unwrap());
        command
    };

    let mut first = client("first");
    let mut first = first.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(first.stdout.take().unwrap()).read_line(&mut said).unwrap();
    // It has said so, or has ended.
    let _ = killpg(Pid::from_raw(i32::try_from(first.id()).unwrap()), Signal::SIGKILL);
    let mut why = String::new();
    first.stderr.take().unwrap().read_to_string(&mut why).unwrap();
    first.wait().unwrap();
    assert_eq!(said, "started\n", "{why}");
    let second = client("second").output().unwrap();

    assert!(second.status.success(), "{}", text(&second.stderr));
}
