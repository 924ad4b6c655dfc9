//! A world per test: its own directory, database and environment, and a guard that ends every process in it.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its own part of this")]

mod batch;
mod browser;
#[cfg(feature = "postgres")]
mod cables;
mod forms;
mod host;
#[cfg(feature = "postgres")]
mod hosts;
mod http;
mod loopback;
mod network;
mod packages;
#[cfg(feature = "postgres")]
mod postgres;
mod processes;
mod random;
#[cfg(feature = "postgres")]
mod schema;
mod skipped;
mod slurm;
mod store;
mod wait;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;

pub use batch::{Batch, SHARE};
pub use browser::{Browser, CHROMIUM};
#[cfg(feature = "postgres")]
pub use cables::{Cables, Lost};
pub use host::{Answered, Host};
#[cfg(feature = "postgres")]
pub use hosts::{Hosts, LEASE};
pub use http::{Reply, Served};
pub use loopback::{Answer, Asked, serve};
pub use network::{CLIENTS, Cut, Machine, Network, SERVERS};
pub use packages::{node, node_script, python};
#[cfg(feature = "postgres")]
pub use postgres::{Server, Shutdown};
pub use processes::{children_of, identity, is_alive, kill, of_world, processor_time, zombies_below};
pub use random::Random;
pub use skipped::{without, without_tool};
pub use slurm::Cluster;
pub(crate) use store::needs_file;
pub use store::{Connection, STORE, Store, merged, on_server};
pub use wait::wait_for;

/// The program under test.
pub const BIN: &str = env!("CARGO_BIN_EXE_job-manager");

/// A closed little world.
pub struct World {
    dir: tempfile::TempDir,
    store: Store,
}

impl World {
    #[track_caller]
    pub fn new() -> World {
        World::with_store(Store::of)
    }

    /// Makes a world whose jobs are on a server; none where PostgreSQL is not installed.
    #[cfg(feature = "postgres")]
    #[track_caller]
    pub fn on_server() -> Option<World> {
        if Server::shared().is_none() {
            without_tool("postgres");
            return None;
        }
        Some(World::with_store(Store::on_server))
    }

    #[track_caller]
    fn with_store(store: impl FnOnce(&Path) -> Store) -> World {
        let mut dir = tempfile::Builder::new().prefix("jm-test-").tempdir().unwrap();
        dir.disable_cleanup(std::env::var_os("JM_TEST_KEEP").is_some());
        let store = store(dir.path());
        World { dir, store }
    }

    /// Puts the database into another file in this world.
    pub fn with_db(mut self, name: &str) -> World {
        self.store = Store::File(self.path(name));
        self
    }

    /// Returns a path in this world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Returns the file of the database, or the one that stands for it on this machine.
    pub fn db(&self) -> PathBuf {
        self.store.file()
    }

    /// Returns what `--db` and the library take.
    pub fn address(&self) -> OsString {
        self.store.address()
    }

    /// Prepares a command in this world; everything it starts carries a mark by which it is found at the end.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .env_remove("XDG_CONFIG_HOME")
            .env("XDG_STATE_HOME", self.path("state"))
            .env("JOB_MANAGER_DB", self.address())
            .env("JM_TEST_WORLD", self.dir.path())
            .env("BIN", BIN)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Prepares `job-manager` with arguments.
    pub fn job_manager(&self, args: &[&str]) -> Command {
        let mut command = self.command(BIN);
        command.args(args);
        command
    }

    /// Prepares `job-manager` with a clock that is off by `step`; none without the library for it.
    ///
    /// The library is loaded by hand, because its own wrapper makes semaphores that two runs at once can collide on.
    pub fn with_clock(&self, step: &str, args: &[&str]) -> Option<Command> {
        let library = fs::read_dir("/usr/lib")
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path().join("faketime/libfaketime.so.1")))
            .find(|path| path.is_file())?;
        let mut command = self.job_manager(args);
        command.env("LD_PRELOAD", library).env("FAKETIME", step).env("DONT_FAKE_MONOTONIC", "1");
        Some(command)
    }

    /// Runs `job-manager` to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.job_manager(args).output().unwrap()
    }

    /// Runs `job-manager`, which must succeed, and returns what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "job-manager {args:?}: {}\n{}{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            self.report()
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs `job-manager`, which must fail with that exit code, and returns what it said.
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "job-manager {args:?} said: {said}");
        said
    }

    /// Starts a job through the library, in a service of its own, and returns its number.
    pub fn service(&self, handler: &str, units: u32, workers: u32) -> String {
        let (units, workers) = (units.to_string(), workers.to_string());
        let output =
            self.command(example("service")).arg(self.address()).args([handler, &units, &workers]).output().unwrap();
        assert!(output.status.success(), "{}\n{}", text(&output.stderr), self.report());
        text(&output.stdout).trim().to_owned()
    }

    /// Runs a shell script.
    pub fn sh(&self, script: &str) -> Output {
        self.command("sh").args(["-c", script]).output().unwrap()
    }

    /// Returns `status --json` of a job.
    pub fn status(&self, job: &str) -> Value {
        serde_json::from_str(&self.ok(&["status", job, "--json"])).unwrap()
    }

    /// Returns all units of a job as JSON, page by page.
    pub fn units(&self, job: &str) -> Vec<Value> {
        let (mut units, mut after) = (Vec::new(), "0".to_owned());
        loop {
            let text = self.ok(&["units", job, "--json", "--limit", "100000", "--after", &after]);
            let mut page: Value = serde_json::from_str(&text).unwrap();
            units.append(page["units"].as_array_mut().unwrap());
            match page["next_after"].as_i64() {
                Some(next) => after = next.to_string(),
                None => return units,
            }
        }
    }

    /// Returns the process of a job's manager, which must be running.
    pub fn manager(&self, job: &str) -> u32 {
        let status = self.status(job);
        let pid = status["pid"].as_u64().unwrap_or_else(|| panic!("no manager: {status}\n{}", self.report()));
        u32::try_from(pid).unwrap()
    }

    /// Kills a job's manager and waits until it is seen to be gone.
    pub fn kill_manager(&self, job: &str) {
        let pid = self.manager(job);
        kill(pid);
        wait_for(self, "the manager to be gone", || self.status(job)["status"] == "stopped");
    }

    /// Suspends a manager at a moment at which it does not hold the database's write lock.
    pub fn suspend(&self, manager: u32) {
        wait_for(self, "the manager to stand still between two commits", || {
            send(manager, Signal::SIGSTOP);
            wait_for(self, "it to stand still", || identity(manager).unwrap().state == 'T');
            let free = self.is_writable();
            if !free {
                send(manager, Signal::SIGCONT);
            }
            free
        });
    }

    /// Waits until a job is in that state.
    pub fn wait_for_status(&self, job: &str, status: &str) {
        wait_for(self, &format!("job {job} to be {status}"), || self.status(job)["job_status"] == status);
    }

    /// Waits until so many units of a job have completed.
    pub fn wait_for_completed(&self, job: &str, count: u64) {
        wait_for(self, &format!("{count} completed units"), || {
            self.status(job)["progress"]["completed"].as_u64().unwrap() >= count
        });
    }

    /// Writes a file of this world.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes a file with the numbers 1 to `count`, one per line.
    pub fn numbers(&self, count: usize) -> String {
        let text: String = (1..=count).map(|number| format!("{number}\n")).collect();
        self.write("numbers", &text).to_str().unwrap().to_owned()
    }

    /// Returns the lines of a file of this world, none when it is missing.
    pub fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Changes the database behind everybody's back.
    pub fn sql(&self, statement: &str) {
        self.connection().execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// Changes the database as no version of ours would: rules of its schema do not hold.
    pub fn damage(&self, statement: &str) {
        let mut conn = self.connection().without_checks();
        conn.execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// Returns one number from the database: `query` is what follows SELECT.
    pub fn count(&self, query: &str) -> i64 {
        self.connection().count(query)
    }

    /// Returns everything that the database keeps, as bytes to look for something in.
    pub fn stored(&self) -> Vec<u8> {
        self.store.stored()
    }

    /// Keeps everybody from writing into the database until the guard is dropped.
    pub fn hold_write_lock(&self) -> Connection {
        self.connection().lock()
    }

    /// Says whether nobody is in the middle of writing into the database.
    pub fn is_writable(&self) -> bool {
        self.connection().is_writable()
    }

    /// Holds a snapshot of the database until the guard is dropped.
    pub fn hold_snapshot(&self) -> Connection {
        let mut conn = self.connection();
        conn.execute("BEGIN; SELECT count(*) FROM units").unwrap();
        conn
    }

    /// Opens the database behind everybody's back.
    pub fn connection(&self) -> Connection {
        self.store.connect()
    }

    /// Checks what must hold after every fault: counters agree with the rows, the file is sound, no process is left.
    pub fn assert_sound(&self, job: &str) {
        let status = self.status(job);
        let progress = &status["progress"];
        for state in ["pending", "running", "completed", "failed", "skipped", "cancelled"] {
            let rows = self.count(&format!("(SELECT count(*) FROM units WHERE job_id = {job} AND status = '{state}')"));
            assert_eq!(progress[state].as_i64().unwrap(), rows, "counter of {state}: {status}");
        }
        let rows = self.count(&format!("(SELECT count(*) FROM units WHERE job_id = {job})"));
        assert_eq!(progress["total"].as_i64().unwrap(), rows);
        if !on_server() {
            assert_eq!(self.count("(SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok')"), 0);
        }
        let miscounted = "(SELECT count(*) FROM meters WHERE spent <> (SELECT coalesce(sum(amount), 0) FROM spends \
                          JOIN units ON units.id = unit_id WHERE units.job_id = meters.job_id AND spends.name = meters.name))";
        assert_eq!(self.count(miscounted), 0, "a meter that has not counted what its units have cost");
        let live = "(SELECT count(*) FROM managers JOIN jobs ON jobs.id = job_id \
                    WHERE state = 'live' AND (status <> 'running' OR number <> epoch))";
        assert_eq!(self.count(live), 0, "a manager that has not ended of a job that does not run, or has another one");
        let reasonless = "(SELECT count(*) FROM units WHERE status IN ('failed', 'cancelled') AND error IS NULL)";
        assert_eq!(self.count(reasonless), 0, "a unit that did not complete has no reason");
    }

    /// Checks that nothing of this world runs any more.
    pub fn assert_no_process_left(&self) {
        wait_for(self, "all processes to be gone", || of_world(self.dir.path()).is_empty());
    }

    /// Describes the last state of the world, for a test that gives up.
    pub fn report(&self) -> String {
        let mut text = String::new();
        let list = self.run(&["list", "--json"]);
        text.push_str(&String::from_utf8_lossy(&list.stdout));
        let state = self.store.state();
        for entry in fs::read_dir(&state).into_iter().flatten().flatten() {
            let log = entry.path().join("manager.log");
            if let Ok(content) = fs::read_to_string(&log) {
                let tail: Vec<&str> = content.lines().rev().take(20).collect();
                text.push_str(&format!("--- {}\n", log.display()));
                tail.iter().rev().for_each(|line| text.push_str(&format!("{line}\n")));
            }
        }
        text
    }
}

impl Drop for World {
    fn drop(&mut self) {
        processes::end_world(self.dir.path());
    }
}

/// Kills every process of a world, as a power switch would.
pub fn kill_world(world: &World) {
    processes::end_world(world.dir.path());
}

/// Returns the path of a program that cargo builds along with the tests.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples").join(name)
}

/// Says whether this test may use what only root can.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Chooses how often something is repeated: as `make test-thorough` wants it, or often enough for every change.
pub fn repeat<N>(usual: N, thorough: N) -> N {
    if std::env::var_os("JM_TEST_THOROUGH").is_some() { thorough } else { usual }
}

/// Sends a signal to a process, which may have ended by itself.
pub fn send(pid: u32, signal: Signal) {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()), signal);
}

/// Returns the text of a stream.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns whether a path exists.
pub fn exists(path: &Path) -> bool {
    path.try_exists().unwrap()
}
