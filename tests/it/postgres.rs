//! The server of a test ends with it, whatever ends the test.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Server, World, is_alive, wait_for, without_tool};

const ABANDONS: &str = "JM_TEST_ABANDONS_SERVER";

#[test]
fn a_server_ends_with_the_test_that_has_started_it_when_that_is_killed() {
    if std::env::var_os(ABANDONS).is_some() {
        let server = Server::start().unwrap();
        println!("\nserver {} {}", server.pid(), server.dir().display());
        std::thread::park();
    }
    if Server::shared().is_none() {
        return without_tool("postgres");
    }
    let world = World::new();
    let name = "postgres::a_server_ends_with_the_test_that_has_started_it_when_that_is_killed";
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", name, "--nocapture"]).env(ABANDONS, "1").stdout(Stdio::piped());
    let mut test = test.spawn().unwrap();
    let mut lines = BufReader::new(test.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("server ")).unwrap();
    let (pid, dir) = line.trim_start_matches("server ").split_once(' ').unwrap();
    let pid = pid.parse().unwrap();
    assert!(is_alive(pid) && Path::new(dir).is_dir());

    test.kill().unwrap();
    test.wait().unwrap();

    wait_for(&world, "the server to end", || !is_alive(pid) && !Path::new(dir).exists());
}
