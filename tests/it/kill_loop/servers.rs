//! A server and its standby, in the network that the machines are joined to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::support::{CLIENTS, Network, Random, SERVERS, Server, Shutdown};

/// Where the server of the moment is.
#[derive(Debug, Clone)]
pub struct Place {
    /// Reaches it whatever is cut.
    pub url: String,
    /// How often another server has taken its place.
    pub failovers: u32,
}

/// Notes each end of a unit or a job that is recorded, so that a second one shows, and when: a machine that was cut off may record
/// what ended long before.
const NOTE_ENDS: &str = "CREATE SCHEMA watch; CREATE TABLE watch.ends (what text, id bigint, at timestamptz DEFAULT clock_timestamp()); \
    CREATE FUNCTION watch.note() RETURNS trigger LANGUAGE plpgsql AS \
    'BEGIN INSERT INTO watch.ends (what, id) VALUES (TG_TABLE_NAME, NEW.id); RETURN NEW; END'; \
    CREATE TRIGGER watch AFTER UPDATE ON jobs FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.finished_at IS NOT NULL) \
    EXECUTE FUNCTION watch.note(); \
    CREATE TRIGGER watch AFTER UPDATE ON units FOR EACH ROW WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION watch.note()";

/// A server, and one that takes its place.
pub struct Servers {
    server: Server,
    standby: Option<Server>,
    /// Which of the addresses is the server's.
    at: usize,
    database: String,
    pub is_synchronous: bool,
    pub place: Arc<Mutex<Place>>,
}

impl Servers {
    /// Starts a server; none where PostgreSQL is not installed.
    pub fn start(network: &Network, is_synchronous: bool) -> Option<Servers> {
        let within = network.within();
        let settings = settings(0);
        let server = Server::start_within(&within, &settings.each_ref().map(String::as_str))?;
        server.admit(CLIENTS);
        let url = server.database();
        PgConnection::establish(&url).unwrap().batch_execute(NOTE_ENDS).unwrap();
        let (_, database) = url.split_once(":///").unwrap();
        let database = database.split('?').next().unwrap().to_owned();
        let place = Arc::new(Mutex::new(Place { url, failovers: 0 }));
        let mut servers = Servers { server, standby: None, at: 0, database, is_synchronous, place };
        servers.add_standby();
        Some(servers)
    }

    /// Returns the URL for machines: whichever of the two takes changes.
    pub fn url(&self) -> String {
        let hosts = SERVERS.join(",");
        format!("postgresql:///{}?host={hosts}&user=postgres&target_session_attrs=read-write", self.database)
    }

    fn add_standby(&mut self) {
        let settings = settings(1 - self.at);
        self.standby = Some(self.server.standby(&settings.each_ref().map(String::as_str)));
        if self.is_synchronous {
            self.server.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
            self.server.execute("SELECT pg_reload_conf()");
        }
    }

    /// Ends the server in one way or another and starts it again.
    pub fn restart(&mut self, how: Shutdown, pause: Duration) {
        self.server.stop(how);
        std::thread::sleep(pause);
        self.server.restart();
    }

    /// Ends the server and has the standby take its place, which gets a standby in turn.
    pub fn fail_over(&mut self, random: &mut Random) {
        let how = [Shutdown::Immediate, Shutdown::Kill][random.below(2) as usize];
        self.server.stop(how);
        let standby = self.standby.take().expect("there is one");
        standby.promote();
        self.server = standby;
        self.at = 1 - self.at;
        let mut place = self.place.lock().unwrap();
        *place = Place { url: self.server.url(&self.database), failovers: place.failovers + 1 };
        drop(place);
        self.add_standby();
    }

    pub fn end_sessions(&self, random: &mut Random) {
        let share = [0.3, 1.0][random.below(2) as usize];
        self.server.execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = 'job-manager' AND random() < {share}"
        ));
    }

    pub fn log(&self) -> String {
        let log = self.server.log();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().map(|line| format!("{line}\n")).collect()
    }
}

fn settings(at: usize) -> [String; 7] {
    [
        &format!("listen_addresses={}", SERVERS[at]),
        "wal_level=replica",
        "max_wal_senders=4",
        "wal_keep_size=64MB",
        "hot_standby=on",
        "wal_retrieve_retry_interval=100ms",
        "wal_receiver_status_interval=1",
    ]
    .map(str::to_owned)
}
