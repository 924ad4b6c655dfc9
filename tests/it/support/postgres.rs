//! A PostgreSQL server of a test's own: Debian's, in its own directory, reached through a Unix socket only.
//!
//! The tests of the library use this file too. A shell between the test and its server waits for the test's end, whatever ends it,
//! and then ends the server and removes its directory. A cluster is made once for each target directory and copied from then on,
//! into memory where there is room. Known weakness: a shell that is killed itself leaves a server behind.

#![allow(dead_code, reason = "each test program uses its own part of this")]

#[path = "postgres/standby.rs"]
mod standby;

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Uid, User, chown};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// The database that has the tables; others are copied from it.
const TABLES: &str = "template1";
const PORT: &str = "5432";
/// Durability costs most of a short test's time, and no test cuts the power of the server. First here, so that a test can say otherwise.
const SETTINGS: [&str; 7] = [
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_wal_senders=0",
    "wal_level=minimal",
    "jit=off",
];
/// Starts the server, says its number, and waits for a signal to send; without one, because nobody is there any more, it removes
/// the directory too.
const KEEPER: &str = r#"dir=$1; shift
"$@" >>"$dir/log" 2>&1 & pid=$!
echo "$pid"; exec >/dev/null
read -r signal
kill -"${signal:-QUIT}" "$pid"; wait "$pid"
[ -n "$signal$JM_TEST_KEEP" ] || rm -rf -- "$dir""#;
/// Free memory that is enough for a few clusters.
const ROOM: u64 = 1 << 30;
const DEADLINE: Duration = Duration::from_secs(60);

/// How a server ends.
#[derive(Debug, Clone, Copy)]
pub enum Shutdown {
    /// Sessions are ended, and everything is written.
    Fast,
    /// As in a power cut, but for what the system has in memory.
    Immediate,
    /// The first process is killed; the others find out.
    Kill,
}

/// A server that ends with the test.
pub struct Server {
    dir: tempfile::TempDir,
    settings: Vec<String>,
    /// What its program is started by: that which enters a network, for example.
    within: Vec<String>,
    keeper: Option<Keeper>,
    databases: AtomicU32,
}

struct Keeper {
    child: Child,
    server: u32,
}

impl Server {
    /// Starts a server; none where PostgreSQL is not installed.
    pub fn start() -> Option<Server> {
        Server::start_with(&[])
    }

    /// Starts a server with settings, `fsync=on` for example.
    pub fn start_with(settings: &[&str]) -> Option<Server> {
        Server::start_within(&[], settings)
    }

    /// Returns the server of all tests of this process that change nothing but a database of their own.
    pub fn shared() -> Option<&'static Server> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED.get_or_init(Server::start).as_ref()
    }

    fn in_new_directory(settings: &[&str]) -> Server {
        // Short: the path of a socket has a hundred bytes.
        let memory = Path::new("/dev/shm");
        let base = if has_room(memory) { memory.to_owned() } else { std::env::temp_dir() };
        Server::in_new_directory_of(&base, settings)
    }

    fn in_new_directory_of(base: &Path, settings: &[&str]) -> Server {
        let mut dir = tempfile::Builder::new().prefix("jm-pg-").tempdir_in(base).unwrap();
        dir.disable_cleanup(std::env::var_os("JM_TEST_KEEP").is_some());
        if let Some(user) = server_user() {
            chown(dir.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let settings = SETTINGS.iter().chain(settings).map(|&setting| setting.to_owned()).collect();
        Server { dir, settings, within: Vec::new(), keeper: None, databases: AtomicU32::new(0) }
    }

    /// Returns the directory that holds its socket, its log and its data.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns the directory of its data, with `pg_hba.conf`.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Returns the process that has started all others of it.
    pub fn pid(&self) -> u32 {
        self.keeper.as_ref().expect("the server runs").server
    }

    /// Returns what the server said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Makes a database with the tables, and returns its URL.
    pub fn database(&self) -> String {
        self.copy_of(TABLES)
    }

    /// Makes a database without anything in it, and returns its URL.
    pub fn empty_database(&self) -> String {
        self.copy_of("template0")
    }

    fn copy_of(&self, template: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        self.url(&name)
    }

    /// Returns the URL of one of its databases, for the user who may do everything.
    pub fn url(&self, database: &str) -> String {
        self.url_of("postgres", database)
    }

    /// Returns the URL of one of its databases for that user.
    pub fn url_of(&self, user: &str, database: &str) -> String {
        format!("postgresql:///{database}?host={}&port={PORT}&user={user}", self.dir.path().display())
    }

    /// Runs statements as the user who may do everything.
    pub fn execute(&self, sql: &str) {
        let mut conn = PgConnection::establish(&self.url("postgres")).unwrap();
        conn.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Ends the server, all of its processes; the URLs of its databases hold again after [`Server::restart`].
    pub fn stop(&mut self, how: Shutdown) {
        let Some(Keeper { mut child, server }) = self.keeper.take() else { return };
        let signal = match how {
            Shutdown::Fast => "INT",
            Shutdown::Immediate => "QUIT",
            Shutdown::Kill => "KILL",
        };
        let others = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
        child.stdin.take().expect("it is piped").write_all(format!("{signal}\n").as_bytes()).unwrap();
        child.wait().unwrap();
        // They find out that the first one was killed when they next wait for something.
        let begin = Instant::now();
        while others.split_whitespace().any(|pid| !has_ended(pid.parse().unwrap())) {
            assert!(begin.elapsed() < DEADLINE, "{others} have not ended:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Starts the server again, and waits until it takes connections.
    pub fn restart(&mut self) {
        self.stop(Shutdown::Fast);
        let programs = programs().expect("the server has been started before");
        let mut server = as_server_user(&programs.join("postgres"));
        server.arg("-D").arg(self.data()).arg("-k").arg(self.dir.path()).args(["-p", PORT]);
        server.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(self.dir.path()).args(&self.within);
        keeper.arg(server.get_program()).args(server.get_args());
        // In a group of its own: what ends the test's group does not end it first.
        keeper
            .current_dir(self.dir.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = keeper.spawn().unwrap();
        let mut number = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut number).unwrap();
        let server = number.trim().parse().unwrap();
        self.keeper = Some(Keeper { child, server });
        let begin = Instant::now();
        while let Err(error) = PgConnection::establish(&self.url("postgres")) {
            let waits = !has_ended(server) && begin.elapsed() < DEADLINE;
            assert!(waits, "the server takes no connection: {error}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop(Shutdown::Immediate);
    }
}

/// Returns the directory of the newest installed programs, or of those that `JM_TEST_POSTGRES` names.
fn programs() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("JM_TEST_POSTGRES") {
        return Some(dir.into());
    }
    let versions =
        fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let programs = |version: &String| Path::new("/usr/lib/postgresql").join(version).join("bin");
    let installed = versions.filter(|version| programs(version).join("initdb").is_file());
    installed.max_by_key(|version| version.parse().unwrap_or(0)).map(|version| programs(&version))
}

/// Returns the user as whom the server runs, who is another one for root only: the server refuses root.
fn server_user() -> Option<User> {
    let named = |name| User::from_name(name).unwrap();
    Uid::effective().is_root().then(|| named("postgres").or_else(|| named("nobody")).expect("there is a user for it"))
}

fn as_server_user(program: &Path) -> Command {
    let Some(user) = server_user() else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user.uid.to_string(), "--regid", &user.gid.to_string(), "--clear-groups"]).arg(program);
    command
}

fn has_room(dir: &Path) -> bool {
    statvfs(dir).is_ok_and(|found| found.blocks_available() * found.fragment_size() > ROOM)
}

fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.is_empty() || rest.starts_with(" Z"))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Returns the data of a cluster that has the tables in one of its databases; it is made once, however many ask at the same time.
fn template(programs: &Path) -> PathBuf {
    let place = std::env::current_exe().unwrap().with_file_name(format!("postgres-{:016x}", version_of(programs)));
    let lock = File::create(place.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !place.exists() {
        let mut server = Server::in_new_directory(&[]);
        let options =
            ["-U", "postgres", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8", "--wal-segsize=1", "-D"];
        run(as_server_user(&programs.join("initdb")).current_dir(server.dir()).args(options).arg(server.data()));
        server.restart();
        let mut tables = PgConnection::establish(&server.url(TABLES)).unwrap();
        tables.run_pending_migrations(MIGRATIONS).unwrap();
        drop(tables);
        server.stop(Shutdown::Fast);
        // At once, for whoever finds it there later without having waited.
        let half = place.with_extension("half");
        run(Command::new("rm").arg("-rf").arg(&half));
        run(Command::new("cp").arg("-a").arg(server.data()).arg(&half));
        fs::rename(half, &place).unwrap();
    }
    place
}

/// Returns a number that changes with the programs, the migrations and this file.
fn version_of(programs: &Path) -> u64 {
    let migrations = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres")).unwrap();
    let mut texts: Vec<PathBuf> = migrations.map(|entry| entry.unwrap().path().join("up.sql")).collect();
    texts.sort();
    let mut hasher = DefaultHasher::new();
    (programs, include_str!("postgres.rs")).hash(&mut hasher);
    texts.iter().for_each(|text| fs::read(text).unwrap().hash(&mut hasher));
    hasher.finish()
}
