//! Machines of a test's own: each has a network, processes, a name and mounts to itself, and shares the disk with the others.
//!
//! They are joined by cables to a network in which servers can run, at addresses of its own. All of it belongs to processes that
//! end when their standard input does: nothing is left of it after a panic, or a KILL.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;

use super::processes::{all, children_of};
use super::{World, is_root, send, text};

/// Addresses at which servers can listen.
pub const SERVERS: [&str; 2] = ["10.77.0.1", "10.77.0.2"];
/// Whoever may be a client.
pub const CLIENTS: &str = "10.77.0.0/16";

/// A network for servers, to which machines are joined.
pub struct Network {
    holder: Child,
    machines: u32,
}

impl Network {
    /// Says what is missing here; the first is a program.
    pub fn missing(world: &World) -> Option<&'static str> {
        let programs = ["unshare", "nsenter", "ip", "iptables", "hostname", "perl"];
        let found = |program: &&str| world.command(program).arg("--version").output().is_err();
        programs.into_iter().find(found)
    }

    /// Makes a network; none without the rights for it.
    pub fn new(world: &World) -> Option<Network> {
        if !is_root() {
            return None;
        }
        let addresses: String =
            SERVERS.iter().map(|address| format!("ip address add {address}/32 dev lo && ")).collect();
        let script = format!("{addresses} ip link set lo up && echo up && exec cat");
        let mut holder = world.command("unshare");
        let holder = started(holder.args(["--net", "sh", "-c", &script]));
        Some(Network { holder, machines: 0 })
    }

    /// Returns by what a program is started in it.
    pub fn within(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--net=/proc/{}/ns/net", self.holder.id())]
    }

    /// Joins a machine to it.
    pub fn machine(&mut self, world: &World) -> Machine {
        self.machines += 1;
        let (number, servers) = (self.machines, self.within());
        let name = format!("h{number}");
        // The first process of a machine is the parent of those that have lost theirs: ignored, they leave no zombies.
        let script = format!("hostname {name} && ip link set lo up && echo up && exec env --ignore-signal=CHLD cat");
        let own = ["--net", "--pid", "--uts", "--mount", "--fork", "--kill-child", "--mount-proc"];
        let mut shell = world.command("unshare");
        let shell = started(shell.args(own).args(["sh", "-c", &script]));
        let first = *children_of(shell.id()).first().expect("it has said that it is up");
        let machine = Machine { name, number, shell, first, servers };
        let cable = format!(
            "ip link add {link} type veth peer name eth0 netns {first} && \
             ip address add 10.77.{number}.1/24 dev {link} && ip link set {link} up",
            link = machine.link()
        );
        machine.at_servers(&["sh", "-c", &cable]);
        let route = format!(
            "ip address add 10.77.{number}.2/24 dev eth0 && ip link set eth0 up && ip route add default via 10.77.{number}.1"
        );
        machine.here(&["sh", "-c", &route]);
        machine
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        end(&mut self.holder);
    }
}

/// Which way nothing passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    ToServers,
    FromServers,
    Both,
}

/// A machine, which is switched off with this guard.
pub struct Machine {
    pub name: String,
    number: u32,
    shell: Child,
    /// Its first process, as it is seen from outside.
    first: u32,
    /// By what a program is started where the servers are.
    servers: Vec<String>,
}

impl Machine {
    /// Returns the directory of its own files.
    pub fn state(&self, world: &World) -> PathBuf {
        world.path(&format!("state-{}", self.name))
    }

    /// Prepares a program that runs on it, in the directory of the world.
    pub fn command(&self, world: &World, program: &str) -> Command {
        let mut command = world.command("nsenter");
        command.args(self.entry()).arg(format!("--wd={}", world.path("").display())).arg(program);
        command.env("XDG_STATE_HOME", self.state(world));
        command
    }

    fn entry(&self) -> Vec<String> {
        let target = format!("--target={}", self.first);
        [&target, "--net", "--pid", "--uts", "--mount"].map(str::to_owned).to_vec()
    }

    /// Returns its processes but the first, as they are seen from outside.
    pub fn processes(&self) -> Vec<u32> {
        let space = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid"));
        let own = space(self.first).ok();
        let is_here = |pid: &u32| *pid != self.first && own.is_some() && space(*pid).ok() == own;
        all().into_iter().filter(is_here).collect()
    }

    /// Returns those of its processes whose arguments, or title, have a text in them.
    pub fn running(&self, text: &str) -> Vec<u32> {
        let has = |pid: &u32| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).replace('\0', " ").contains(text)
        };
        self.processes().into_iter().filter(has).collect()
    }

    /// Kills all of its processes, as a power cut does.
    pub fn kill_all(&self) {
        for _ in 0..3 {
            self.processes().into_iter().for_each(|pid| send(pid, Signal::SIGKILL));
        }
    }

    /// Drops what comes along the cable.
    pub fn cut(&self, cut: Cut) {
        if cut != Cut::FromServers {
            self.at_servers(&["iptables", "-w", "-A", "INPUT", "-i", &self.link(), "-j", "DROP"]);
        }
        if cut != Cut::ToServers {
            self.here(&["iptables", "-w", "-A", "INPUT", "-i", "eth0", "-j", "DROP"]);
        }
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        let (link, all) = (self.link(), "while iptables -w -D INPUT -i \"$1\" -j DROP 2>/dev/null; do :; done");
        self.at_servers(&["sh", "-c", all, "sh", &link]);
        self.here(&["sh", "-c", all, "sh", "eth0"]);
    }

    fn link(&self) -> String {
        format!("h{}", self.number)
    }

    fn here(&self, command: &[&str]) {
        let mut entry = Command::new("nsenter");
        succeed(entry.args([format!("--target={}", self.first), "--net".to_owned()]).args(command));
    }

    fn at_servers(&self, command: &[&str]) {
        succeed(Command::new(&self.servers[0]).args(&self.servers[1..]).args(command));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end(&mut self.shell);
    }
}

/// Starts what says that it is up, and ends with its standard input.
fn started(command: &mut Command) -> Child {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    child
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
}

fn end(child: &mut Child) {
    // It may have ended already.
    let _ = child.kill();
    let _ = child.wait();
}
