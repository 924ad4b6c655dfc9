//! What happens to machines and servers, and when it did.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;

use super::servers::Servers;
use super::{LEASE, Settings};
use crate::support::{Cut, Machine, Network, Random, Shutdown, World, send};

/// How a program ends that does not find its database.
const UNREACHABLE: i32 = 5;

/// What excuses two runs of one unit at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excuse {
    /// The machine of the earlier run was cut off.
    Cut,
    /// Its manager was suspended.
    Suspended,
    /// Its manager was dead, and nobody watched over what it had left.
    Unwatched,
    /// No server took changes for longer than leases last.
    Away,
    /// What an asynchronous standby had not heard of is lost.
    Failover,
}

/// Something that lasted from one time to another, in seconds since 1970.
#[derive(Debug, Clone)]
pub struct Spell {
    pub excuse: Excuse,
    /// None for all machines.
    pub machine: Option<String>,
    pub from: f64,
    pub to: f64,
}

impl Spell {
    /// Says whether somebody who starts may not have found a server lately.
    fn has_hidden_servers(&self) -> bool {
        matches!(self.excuse, Excuse::Away | Excuse::Cut) && self.to > now() - 15.0
    }
}

/// A machine with what is the matter with it.
struct Node {
    machine: Machine,
    work: Option<Child>,
    /// Whether it was us who ended `work`.
    is_ended: bool,
    work_at: Instant,
    cut_until: Option<Instant>,
    stopped: Vec<u32>,
    stopped_until: Option<Instant>,
}

#[derive(Debug, Default)]
pub struct Tally {
    pub managers_killed: usize,
    pub works_killed: u32,
    pub works_refused: u32,
    pub machines_killed: u32,
    pub suspended: u32,
    pub cut: u32,
    pub sessions_ended: u32,
    pub restarts: u32,
    pub failovers: u32,
}

pub struct Troubles<'w> {
    world: &'w World,
    nodes: Vec<Node>,
    url: String,
    pub spells: Vec<Spell>,
    /// When managers were killed, and where.
    pub kills: Vec<(String, f64)>,
    pub tally: Tally,
    pub wrong: Vec<String>,
}

pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

impl<'w> Troubles<'w> {
    pub fn new(world: &'w World, network: &mut Network, settings: &Settings, url: String) -> Troubles<'w> {
        let node = |machine| Node {
            machine,
            work: None,
            is_ended: true,
            work_at: Instant::now(),
            cut_until: None,
            stopped: Vec::new(),
            stopped_until: None,
        };
        let nodes = (0..settings.machines).map(|_| node(network.machine(world))).collect();
        Troubles {
            world,
            nodes,
            url,
            spells: Vec::new(),
            kills: Vec::new(),
            tally: Tally::default(),
            wrong: Vec::new(),
        }
    }

    pub fn machine(&self, index: usize) -> &Machine {
        &self.nodes[index].machine
    }

    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.nodes.iter().map(|node| &node.machine)
    }

    /// Does something to one of the machines or to the servers.
    pub fn make(&mut self, random: &mut Random, servers: &mut Servers, may_fail_over: bool) {
        let index = random.below(self.nodes.len() as u64) as usize;
        let lease = LEASE.as_millis() as u64;
        let for_a_while = Duration::from_millis(100 + random.below(lease * 5 / 2));
        match random.below(32) {
            0..=7 => self.kill_manager(index),
            8..=10 => self.kill_work(index, random),
            11 => self.kill_machine(index, random),
            12..=17 => self.suspend(index, for_a_while),
            18..=23 => {
                let cut = [Cut::ToServers, Cut::FromServers, Cut::Both][random.below(3) as usize];
                self.cut(index, cut, for_a_while);
            }
            24..=28 => {
                servers.end_sessions(random);
                self.tally.sessions_ended += 1;
            }
            29 if may_fail_over => self.all(Excuse::Away, |troubles| {
                troubles.tally.failovers += 1;
                if !servers.is_synchronous {
                    troubles.spell(Excuse::Failover, None);
                }
                servers.fail_over(random);
            }),
            _ => self.all(Excuse::Away, |troubles| {
                let how = [Shutdown::Fast, Shutdown::Immediate, Shutdown::Kill][random.below(3) as usize];
                servers.restart(how, Duration::from_millis(random.below(1_000)));
                troubles.tally.restarts += 1;
            }),
        }
    }

    /// Ends what has lasted long enough, and starts `work` again where it is time.
    pub fn mend(&mut self, all: bool) {
        let is_over = |until: &mut Option<Instant>| until.take_if(|until| all || Instant::now() >= *until).is_some();
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            let name = node.machine.name.clone();
            if is_over(&mut node.cut_until) {
                node.machine.mend();
                self.ended(Excuse::Cut, &name);
            }
            let node = &mut self.nodes[index];
            if is_over(&mut node.stopped_until) {
                node.stopped.drain(..).for_each(|pid| send(pid, Signal::SIGCONT));
                // What waits for it outside stands still with it.
                node.work.iter().for_each(|work| send(work.id(), Signal::SIGCONT));
                self.ended(Excuse::Suspended, &name);
            }
            self.look_at_work(index, all);
        }
    }

    fn look_at_work(&mut self, index: usize, all: bool) {
        let node = &mut self.nodes[index];
        if let Some(ended) = node.work.as_mut().and_then(|work| work.try_wait().unwrap()) {
            if !node.is_ended && ended.code() == Some(UNREACHABLE) && self.spells.iter().any(Spell::has_hidden_servers)
            {
                // It was about to start, and is told so: whoever has placed it starts it again.
                self.tally.works_refused += 1;
            } else if !node.is_ended {
                let said = self.world.lines(&format!("work-{}.log", node.machine.name));
                self.wrong.push(format!("work on {} has ended: {ended}, {:?}", node.machine.name, said.last()));
            }
            node.work = None;
        }
        if node.work.is_none() && (all || Instant::now() >= node.work_at) {
            self.start_work(index);
        }
    }

    pub fn start_work(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let log = self.world.path(&format!("work-{}.log", node.machine.name));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = node.machine.command(self.world, crate::support::BIN);
        command.args(["work", "--any"]).env("JOB_MANAGER_DB", &self.url);
        command.env("JOB_MANAGER_TEST_LEASE_MS", LEASE.as_millis().to_string());
        node.work = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        node.is_ended = false;
        let name = node.machine.name.clone();
        self.ended(Excuse::Unwatched, &name);
    }

    fn kill_manager(&mut self, index: usize) {
        let machine = &self.nodes[index].machine;
        let managers = machine.running("job-manager: job ");
        self.tally.managers_killed += managers.len();
        if !managers.is_empty() {
            self.kills.push((machine.name.clone(), now()));
        }
        managers.into_iter().for_each(|pid| send(pid, Signal::SIGKILL));
    }

    fn kill_work(&mut self, index: usize, random: &mut Random) {
        let node = &mut self.nodes[index];
        if node.work.is_none() {
            return;
        }
        node.is_ended = true;
        node.work_at = Instant::now() + Duration::from_millis(random.below(LEASE.as_millis() as u64));
        node.machine.running(" work --any").into_iter().for_each(|pid| send(pid, Signal::SIGKILL));
        self.tally.works_killed += 1;
        let name = node.machine.name.clone();
        self.spell(Excuse::Unwatched, Some(name));
        // Often with its managers: then nobody is left who knows of its units.
        if random.below(2) == 0 {
            self.kill_manager(index);
        }
    }

    fn kill_machine(&mut self, index: usize, random: &mut Random) {
        let node = &mut self.nodes[index];
        node.is_ended = true;
        node.work_at = Instant::now() + Duration::from_millis(random.below(LEASE.as_millis() as u64 * 2));
        self.kills.push((node.machine.name.clone(), now()));
        node.machine.kill_all();
        self.tally.machines_killed += 1;
    }

    /// Stops its manager for a while, or all of it.
    fn suspend(&mut self, index: usize, how_long: Duration) {
        let node = &mut self.nodes[index];
        let managers = node.machine.running("job-manager: job ");
        if node.stopped_until.is_some() || managers.is_empty() {
            return;
        }
        self.tally.suspended += 1;
        let is_whole = self.tally.suspended.is_multiple_of(4);
        node.stopped = if is_whole { node.machine.processes() } else { managers };
        node.stopped.iter().for_each(|pid| send(*pid, Signal::SIGSTOP));
        node.stopped_until = Some(Instant::now() + how_long);
        let name = node.machine.name.clone();
        self.spell(Excuse::Suspended, Some(name));
    }

    fn cut(&mut self, index: usize, cut: Cut, how_long: Duration) {
        let node = &mut self.nodes[index];
        if node.cut_until.is_some() {
            return;
        }
        node.machine.cut(cut);
        node.cut_until = Some(Instant::now() + how_long);
        self.tally.cut += 1;
        let name = node.machine.name.clone();
        self.spell(Excuse::Cut, Some(name));
    }

    /// Does something that concerns all machines while it lasts.
    fn all(&mut self, excuse: Excuse, what: impl FnOnce(&mut Self)) {
        let from = now();
        what(self);
        self.spells.push(Spell { excuse, machine: None, from, to: now() });
    }

    fn spell(&mut self, excuse: Excuse, machine: Option<String>) {
        self.spells.push(Spell { excuse, machine, from: now(), to: f64::INFINITY });
    }

    fn ended(&mut self, excuse: Excuse, machine: &str) {
        let is_it = |spell: &&mut Spell| spell.excuse == excuse && spell.machine.as_deref() == Some(machine);
        for spell in self.spells.iter_mut().filter(is_it).filter(|spell| spell.to == f64::INFINITY) {
            spell.to = now();
        }
    }

    /// Has `work` leave everywhere.
    pub fn leave(&mut self) {
        for node in &mut self.nodes {
            node.is_ended = true;
            node.machine.running(" work --any").into_iter().for_each(|pid| send(pid, Signal::SIGTERM));
        }
        for node in &mut self.nodes {
            let ended = node.work.take().map(|mut work| work.wait().unwrap());
            if ended.is_some_and(|ended| !ended.success()) {
                self.wrong.push(format!("work on {} has left with {ended:?}", node.machine.name));
            }
        }
    }
}
