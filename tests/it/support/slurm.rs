//! A Slurm cluster of one world: a controller and three nodes on this machine, heard on loopback only.
//!
//! The nodes share the machine's processes; each has a directory of its own, in which its daemon runs,
//! and the name that Slurm puts into the environment of tasks.

use std::fs;
use std::net::TcpListener;
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
    controller: Child,
    nodes: Vec<Child>,
}

impl<'w> Cluster<'w> {
    /// Says which of the programs is not installed.
    pub fn missing(world: &World) -> Option<&'static str> {
        ["slurmctld", "slurmd", "sbatch"].into_iter().find(|program| world.command(program).arg("-V").output().is_err())
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
        let controller = daemon(world, &dir, "slurmctld", &["-D", "-i"]);
        let nodes = NODES.map(|node| {
            let home = world.path(node);
            fs::create_dir(&home).unwrap();
            daemon(world, &home, "slurmd", &["-D", "-N", node])
        });
        let cluster = Cluster { world, controller, nodes: nodes.into() };
        wait_for(world, "three idle nodes", || {
            let nodes = cluster.command("sinfo").args(["-h", "-N", "-o", "%t"]).output().unwrap();
            text(&nodes.stdout).lines().filter(|state| *state == "idle").count() == NODES.len()
        });
        cluster
    }

    /// Prepares one of Slurm's commands.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.world.command(program);
        command.env("SLURM_CONF", self.world.path("slurm/slurm.conf"));
        command
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
        let mut daemon = self.nodes.pop().unwrap();
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
        for daemon in self.nodes.iter_mut().chain([&mut self.controller]) {
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

fn daemon(world: &World, home: &Path, program: &str, args: &[&str]) -> Child {
    let log = fs::File::create(home.join(format!("{program}.log"))).unwrap();
    world
        .command(program)
        .args(args)
        .arg("-f")
        .arg(world.path("slurm/slurm.conf"))
        .current_dir(home)
        .stdout(log.try_clone().unwrap())
        .stderr(Stdio::from(log))
        .spawn()
        .unwrap()
}

/// Returns the configuration of a cluster without passwords, accounting and limits.
fn configuration(dir: &Path) -> String {
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let host = host.split('.').next().unwrap().to_owned();
    let free: Vec<TcpListener> = (0..=NODES.len()).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
    let ports: Vec<u16> = free.iter().map(|port| port.local_addr().unwrap().port()).collect();
    let dir = dir.display();
    let mut text = format!(
        "ClusterName=world\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={}\n\
         AuthType=auth/none\nCredType=cred/none\nSlurmUser=root\nSlurmdUser=root\n\
         StateSaveLocation={dir}slurm/state\nSlurmdSpoolDir={dir}%n/spool\n\
         SlurmctldPidFile={dir}slurm/controller.pid\nSlurmdPidFile={dir}%n/pid\n\
         ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nTaskProlog={dir}slurm/prolog\n\
         SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSchedulerType=sched/builtin\n\
         SlurmdParameters=config_overrides\nMpiDefault=none\nKillWait=10\n\
         JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n",
        ports[0]
    );
    for (node, port) in NODES.iter().zip(&ports[1..]) {
        text += &format!("NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2\n");
    }
    text + "PartitionName=all Nodes=ALL Default=YES State=UP\n"
}
