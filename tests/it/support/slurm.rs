//! A Slurm cluster of one world: a controller and three nodes on this machine, in a network of their own, because they ask
//! nobody who he is.
//!
//! The nodes share the machine's processes; each has a directory of its own, in which its daemon runs,
//! and the name that Slurm puts into the environment of tasks.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;

use super::processes::{all, end_with_variable, kill};
use super::{World, send, text, wait_for};

const NODES: [&str; 3] = ["n1", "n2", "n3"];

/// The daemons, which end with this guard.
pub struct Cluster<'w> {
    world: &'w World,
    /// A process that holds the network, and ends with its standard input.
    network: Child,
    /// The controller, then the nodes.
    daemons: Vec<Child>,
}

impl<'w> Cluster<'w> {
    /// Says which of the programs is not installed.
    pub fn missing(world: &World) -> Option<&'static str> {
        let programs = ["slurmctld", "slurmd", "sbatch", "nsenter", "ip"];
        programs.into_iter().find(|program| world.command(program).arg("-V").output().is_err())
    }

    /// Starts the daemons and waits until all nodes take tasks.
    pub fn start(world: &'w World) -> Cluster<'w> {
        fs::create_dir_all(world.path("slurm/state")).unwrap();
        // What a site has for the same purpose: a directory on the local disk, another one on each node.
        let dir = world.path("");
        let prolog = format!("#!/bin/sh\necho \"export STATE={}local-$SLURMD_NODENAME\"\n", dir.display());
        let prolog = world.write("slurm/prolog", &prolog);
        fs::set_permissions(prolog, fs::Permissions::from_mode(0o755)).unwrap();
        world.write("slurm/slurm.conf", &configuration(&dir));
        let mut cluster = Cluster { world, network: network(world), daemons: Vec::new() };
        cluster.daemon(&world.path("slurm"), "slurmctld", &["-D", "-i"]);
        for node in NODES {
            fs::create_dir(world.path(node)).unwrap();
            cluster.daemon(&world.path(node), "slurmd", &["-D", "-N", node]);
        }
        wait_for(world, "three idle nodes", || {
            for (daemon, dir) in cluster.daemons.iter_mut().zip(["slurm"].iter().chain(&NODES)) {
                let ended = daemon.try_wait().unwrap();
                assert!(ended.is_none(), "{dir}: {ended:?}\n{}", world.lines(&format!("{dir}/log")).join("\n"));
            }
            let nodes = cluster.command("sinfo").args(["-h", "-N", "-o", "%t"]).output().unwrap();
            text(&nodes.stdout).lines().filter(|state| *state == "idle").count() == NODES.len()
        });
        cluster
    }

    /// Prepares one of Slurm's commands.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.world.command("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.network.id())).arg(program);
        command.env("SLURM_CONF", self.world.path("slurm/slurm.conf"));
        command
    }

    fn daemon(&mut self, home: &Path, program: &str, args: &[&str]) {
        let log = fs::File::create(home.join("log")).unwrap();
        let mut command = self.command(program);
        command.args(args).current_dir(home).stdout(log.try_clone().unwrap()).stderr(log);
        self.daemons.push(command.spawn().unwrap());
    }

    /// Runs one of Slurm's commands, which must succeed, and returns what it printed.
    pub fn ok(&self, program: &str, args: &[&str]) -> String {
        let output = self.command(program).args(args).output().unwrap();
        assert!(output.status.success(), "{program} {args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Kills all processes of the last node, as a power cut does, and tells the controller, which would find it out.
    pub fn kill_last_node(&mut self) {
        let node = *NODES.last().unwrap();
        // Those who watch over tasks go first, so that none of them reports a task as ended.
        let watchers = watchers_in(&self.world.path(node));
        assert!(!watchers.is_empty(), "no task on {node}");
        for pid in watchers {
            kill(pid);
        }
        let mut daemon = self.daemons.pop().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        end_with_variable(&format!("SLURMD_NODENAME={node}"));
        self.ok("scontrol", &["update", &format!("nodename={node}"), "state=down", "reason=killed"]);
    }

    /// Returns task number, state and node of each task of an array, in the order of their numbers.
    pub fn tasks(&self, array: &str) -> Vec<(String, String, String)> {
        let listed = self.ok("squeue", &["-h", "-r", "-t", "all", "-j", array, "-o", "%K %T %N"]);
        let mut tasks: Vec<_> = listed
            .lines()
            .map(|line| {
                let mut words = line.split(' ').map(str::to_owned);
                let mut next = || words.next().unwrap_or_default();
                (next(), next(), next())
            })
            .collect();
        tasks.sort();
        tasks
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        let homes = NODES.map(|node| self.world.path(node));
        for pid in homes.iter().flat_map(|home| watchers_in(home)) {
            send(pid, Signal::SIGKILL);
        }
        for daemon in self.daemons.iter_mut().chain([&mut self.network]) {
            // It may have ended already.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// Returns the processes that watch over tasks for the daemon in that directory.
fn watchers_in(home: &Path) -> Vec<u32> {
    let is_watcher =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "slurmstepd\n");
    let is_here = |pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == home);
    all().into_iter().filter(is_watcher).filter(is_here).collect()
}

/// Starts a process in a network of its own, in which nothing but loopback is.
fn network(world: &World) -> Child {
    let mut command = world.command("unshare");
    // Slurm resolves addresses only where one besides 127.0.0.1 is configured.
    let script = "ip address add 192.0.2.1/32 dev lo && ip link set lo up && echo up && exec cat";
    command.args(["--net", "sh", "-c", script]);
    let mut network = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(network.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    network
}

/// Returns the configuration of a cluster without passwords, accounting and limits.
fn configuration(dir: &Path) -> String {
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let host = host.split('.').next().unwrap().to_owned();
    let dir = dir.display();
    format!(
        "ClusterName=world\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort=6817\n\
         AuthType=auth/none\nCredType=cred/none\nSlurmUser=root\nSlurmdUser=root\n\
         StateSaveLocation={dir}slurm/state\nSlurmdSpoolDir={dir}%n/spool\n\
         SlurmctldPidFile={dir}slurm/controller.pid\nSlurmdPidFile={dir}%n/pid\n\
         ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nTaskProlog={dir}slurm/prolog\n\
         SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSchedulerType=sched/builtin\nSchedulerParameters=sched_interval=1\n\
         SlurmdParameters=config_overrides\nMpiDefault=none\nKillWait=10\n\
         JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
         NodeName=n[1-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[6818-6820] CPUs=2\n\
         PartitionName=all Nodes=ALL Default=YES State=UP\n"
    )
}
