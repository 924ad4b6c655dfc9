//! Hosts in network namespaces of their own, each with a cable to the one of the server.
//!
//! What a cable loses, it loses without a word: the other end is known under an address of the link layer that nobody has, so that
//! frames go out, and nobody takes them. A sender that is told of a loss does not wait as long. Known weakness: a test that is killed
//! leaves its namespaces behind.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::skipped::without_tool;

/// What a host calls the end of its cable.
const CABLE: &str = "cable";
/// Nobody has it.
const NOBODY: &str = "02:00:00:00:00:ff";

/// A server's host and others that reach it.
pub struct Cables {
    hosts: Vec<String>,
    server: String,
}

/// What gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// What a host sends to the server.
    ToServer,
    /// What the server sends.
    FromServer,
    Both,
}

impl Lost {
    pub const ALL: [Lost; 3] = [Lost::ToServer, Lost::FromServer, Lost::Both];
}

impl Cables {
    /// Makes so many hosts; none where that is not possible.
    #[track_caller]
    pub fn new(hosts: usize) -> Option<Cables> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let name = |host: &str| format!("jm-test-{}-{made}-{host}", std::process::id());
        let mut network = Cables { hosts: Vec::new(), server: name("server") };
        if !try_ip(&["netns", "add", &network.server]) {
            without_tool("ip netns");
            return None;
        }
        for number in 0..hosts {
            let host = name(&number.to_string());
            network.hosts.push(host.clone());
            ip(&["netns", "add", &host]);
            let (ours, theirs) = (format!("to{number}"), CABLE);
            ip(&[
                "link",
                "add",
                &ours,
                "netns",
                &network.server,
                "type",
                "veth",
                "peer",
                "name",
                theirs,
                "netns",
                &host,
            ]);
            for (end, namespace, device) in [(1, &network.server, ours.as_str()), (2, &host, theirs)] {
                let address = format!("10.77.{number}.{end}/24");
                ip(&["-n", namespace, "address", "add", &address, "dev", device]);
                ip(&["-n", namespace, "link", "set", "dev", device, "up"]);
            }
        }
        Some(network)
    }

    /// Returns the namespace of the server.
    pub fn of_server(&self) -> &str {
        &self.server
    }

    /// Returns the address under which a host reaches the server.
    pub fn server_for(&self, host: usize) -> String {
        format!("10.77.{host}.1")
    }

    /// Prepares a program on a host.
    pub fn on(&self, host: usize, program: &str) -> Vec<String> {
        ["ip", "netns", "exec", &self.hosts[host], program].map(str::to_owned).to_vec()
    }

    /// Loses from now on what goes over the cable of a host.
    pub fn cut(&self, host: usize, lost: Lost) {
        if lost != Lost::FromServer {
            ip(&[
                "-n",
                &self.hosts[host],
                "neighbour",
                "replace",
                &self.server_for(host),
                "lladdr",
                NOBODY,
                "dev",
                CABLE,
            ]);
        }
        if lost != Lost::ToServer {
            let (address, device) = (format!("10.77.{host}.2"), format!("to{host}"));
            ip(&["-n", &self.server, "neighbour", "replace", &address, "lladdr", NOBODY, "dev", &device]);
        }
    }

    /// Loses nothing any more.
    pub fn mend(&self, host: usize) {
        // One of them may not have been lost.
        try_ip(&["-n", &self.hosts[host], "neighbour", "del", &self.server_for(host), "dev", CABLE]);
        let (address, device) = (format!("10.77.{host}.2"), format!("to{host}"));
        try_ip(&["-n", &self.server, "neighbour", "del", &address, "dev", &device]);
    }
}

impl Drop for Cables {
    fn drop(&mut self) {
        for namespace in self.hosts.iter().chain([&self.server]) {
            try_ip(&["netns", "del", namespace]);
        }
    }
}

fn try_ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn ip(args: &[&str]) {
    let output = Command::new("ip").args(args).output().unwrap();
    assert!(output.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
