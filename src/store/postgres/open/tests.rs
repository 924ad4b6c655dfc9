//! Opening against a server, Debian's; skipped where it is not installed.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{fs, thread};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::*;
use crate::postgres_server::Server;
use crate::without as skipped;

fn server() -> Option<&'static Server> {
    let server = Server::shared();
    if server.is_none() {
        skipped::without_tool("postgres");
    }
    server
}

/// A state directory of one machine.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Machine {
        Machine(tempfile::tempdir().unwrap())
    }

    fn open(&self, given: impl AsRef<Path>, access: Access) -> Result<Opened, StoreError> {
        open_with(given.as_ref(), access, || Ok(self.0.path().to_owned()))
    }

    fn said(&self, given: impl AsRef<Path>, access: Access) -> String {
        let error = self.open(given, access).err().expect("it is refused");
        assert_ne!(error.kind(), crate::model::ErrorKind::Internal, "{error}");
        error.to_string()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.0.path().join("job-manager")).map_or(0, Iterator::count)
    }
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    answer: String,
}

fn ask(conn: &mut PgConnection, question: &str) -> String {
    sql_query(format!("SELECT ({question})::text AS answer")).get_result::<Answer>(conn).unwrap().answer
}

fn conn(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

#[test]
fn tables_are_made_once_by_any_number_at_once_and_found_by_url_and_by_marker() {
    let Some(server) = server() else { return };
    let (url, machine, start) = (server.empty_database(), Machine::new(), Barrier::new(8));

    let no_tables = machine.said(&url, Access::Write);
    assert_eq!(machine.files(), 0);
    let files: Vec<DatabaseFile> = thread::scope(|scope| {
        let one = |_| {
            let open = || {
                start.wait();
                machine.open(&url, Access::Create).unwrap()
            };
            scope.spawn(move || open().file)
        };
        let threads: Vec<_> = (0..8).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let read = machine.open(&files[0].path, Access::Read).unwrap();

    assert!(no_tables.contains("there are no jobs in the PostgreSQL database test_"), "{no_tables}");
    assert!(files.iter().all(|file| *file == read.file));
    assert_eq!((read.schema, machine.files()), (crate::store::access::SCHEMA, 2));
}

#[test]
fn a_session_has_our_settings_and_a_reading_one_cannot_write() {
    let Some(server) = server() else { return };
    let (url, machine) = (server.empty_database(), Machine::new());
    let with_options = format!("{url}&options=-cwork_mem%3D7MB");

    let mut writing = machine.open(with_options, Access::Create).unwrap().conn;
    let mut reading = machine.open(&url, Access::Read).unwrap().conn;
    for (setting, value) in [
        ("application_name", "job-manager"),
        ("statement_timeout", "5min"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("client_connection_check_interval", "5s"),
        ("lc_messages", "C"),
        ("client_encoding", "UTF8"),
        ("work_mem", "7MB"),
    ] {
        assert_eq!(ask(&mut writing, &format!("current_setting('{setting}')")), value, "{setting}");
    }
    assert!(reading.batch_execute("CREATE TABLE x (y int)").unwrap_err().to_string().contains("read-only"));
}

#[test]
fn a_marker_of_a_server_that_was_made_again_is_refused_by_name() {
    let Some(server) = server() else { return };
    let (url, machine) = (server.empty_database(), Machine::new());
    let file = machine.open(&url, Access::Create).unwrap().file;
    let name = file.path.file_name().unwrap().to_str().unwrap();
    let moved = file.path.with_file_name(format!("1234567890123456789{}", &name[19..]));
    fs::rename(&file.path, &moved).unwrap();
    let said = machine.said(&moved, Access::Write);
    assert!(said.contains("stands for another database") && said.contains(name), "{said}");
}

#[test]
fn tables_of_another_program_are_refused_and_a_schema_beside_them_is_taken() {
    let Some(server) = server() else { return };
    let (url, machine) = (server.empty_database(), Machine::new());
    conn(&url).batch_execute("CREATE TABLE jobs (id int); CREATE SCHEMA batches").unwrap();

    let said = machine.said(&url, Access::Create);
    let beside = format!("{url}&options=-csearch_path%3Dbatches");

    assert!(said.contains("schema public") && said.contains("tables of another program (jobs)"), "{said}");
    assert_eq!(machine.open(beside, Access::Create).unwrap().schema, crate::store::access::SCHEMA);
    assert_eq!(ask(&mut conn(&url), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "1");
    // Ours are those of the first schema, whatever lies behind it.
    conn(&url).batch_execute("CREATE SCHEMA first").unwrap();
    let before = format!("{url}&options=-csearch_path%3Dfirst,batches");
    machine.open(before, Access::Create).unwrap();
    assert_eq!(ask(&mut conn(&url), "to_regclass('first.settings')"), "first.settings");
}

#[test]
fn a_newer_schema_is_refused() {
    let Some(server) = server() else { return };
    let (url, machine) = (server.empty_database(), Machine::new());
    let mut made = machine.open(&url, Access::Create).unwrap();
    made.conn.batch_execute("UPDATE settings SET value = '99' WHERE key = 'job-manager:schema'").unwrap();

    for access in [Access::Read, Access::Write, Access::Create] {
        let said = machine.said(&url, access);
        assert!(said.contains("has schema 99, this version knows schemas up to"), "{said}");
    }
}

#[test]
fn who_may_not_create_tables_works_with_those_of_an_administrator() {
    let Some(server) = server() else { return };
    let (url, machine) = (server.empty_database(), Machine::new());
    let name = url.split_once('?').unwrap().0.rsplit_once('/').unwrap().1;
    conn(&url)
        .batch_execute("REVOKE CREATE ON SCHEMA public FROM public; DO $$ BEGIN CREATE ROLE \"Jo'e\" LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        .unwrap();
    let joe = server.url_of("Jo%27e", name);

    let said = machine.said(&joe, Access::Create);
    conn(&url).batch_execute(&sql_for_administrators("Jo'e")).unwrap();
    let mut opened = machine.open(&joe, Access::Create).unwrap();

    assert!(said.contains("may not create tables in schema public"), "{said}");
    assert_eq!(opened.schema, crate::store::access::SCHEMA);
    let insert = "INSERT INTO jobs (uid, name, handler, limits, status, epoch, revision, claimed_through, total, pending, running, \
                  completed, failed, skipped, cancelled, created_at) VALUES ('u', 'n', 'h', '{}', 'created', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)";
    opened.conn.batch_execute(insert).unwrap();
    // The same tables as those that are made by a program.
    let other = server.empty_database();
    let mut made = machine.open(&other, Access::Create).unwrap().conn;
    let shape = "SELECT string_agg(a.attrelid::regclass || ' ' || a.attname || ' ' || a.atttypid::regtype || ' ' || a.attnotnull, E'\\n' \
                 ORDER BY a.attrelid::regclass::text, a.attname) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
                 WHERE c.relnamespace = 'public'::regnamespace";
    assert_eq!(ask(&mut conn(&url), shape), ask(&mut made, shape));
    let versions = "SELECT string_agg(version, ',' ORDER BY version) FROM __diesel_schema_migrations";
    assert_eq!(ask(&mut conn(&url), versions), ask(&mut made, versions));
}

#[test]
fn another_encoding_and_a_read_only_server_are_refused_by_name() {
    let Some(server) = server() else { return };
    let machine = Machine::new();
    server.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
    let url = server.empty_database();
    machine.open(&url, Access::Create).unwrap();
    let read_only = format!("{url}&options=-cdefault_transaction_read_only%3Don");

    let encoding = machine.said(server.url("latin"), Access::Create);
    let said = machine.said(&read_only, Access::Write);

    assert!(encoding.contains("is encoded in LATIN1"), "{encoding}");
    assert!(said.contains("is read-only"), "{said}");
    assert!(machine.open(&read_only, Access::Read).is_ok());
}

#[test]
fn what_is_not_there_is_refused_by_name_and_no_marker_is_made() {
    let Some(server) = server() else { return };
    let machine = Machine::new();
    let dir = server.dir().display();

    let no_database = machine.said(server.url("no_such"), Access::Create);
    let no_user = machine.said(server.url_of("nobody_here", "postgres"), Access::Create);
    let no_server = machine.said(format!("postgres:///x?host={dir}/none&user=joe&password=s3cret"), Access::Create);
    let options = machine.said(format!("{}&options=-cno_such%3D1", server.url("postgres")), Access::Create);

    assert!(no_database.contains("there is no PostgreSQL database no_such on host"), "{no_database}");
    assert!(no_user.contains("does not let this user in") && no_user.contains("PGPASSFILE"), "{no_user}");
    assert!(no_server.contains("cannot reach the PostgreSQL database x"), "{no_server}");
    assert!(options.contains("does not take the settings of our session"), "{options}");
    assert_eq!(machine.files(), 0);
}

#[test]
fn a_password_goes_on_as_such_and_stands_nowhere() {
    let Some(server) = server() else { return };
    let (url, machine) = (server.empty_database(), Machine::new());

    let opened = machine.open(format!("{url}&password=s3cret%2F"), Access::Create).unwrap();

    assert_eq!(opened.session.password().unwrap(), "s3cret/");
    let held = fs::read_to_string(&opened.file.path).unwrap();
    assert!(!held.contains("s3cret"), "{held}");
    let mode = fs::metadata(&opened.file.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A pooler before a server, which ends with the test.
struct Pooler(Child);

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts PgBouncer in transaction mode with two sessions, and returns the URL of a database through it.
fn pooler(server: &Server, url: &str, dir: &Path, ignored: &str) -> Option<(Pooler, String)> {
    let user = nix_user(server.dir());
    let name = url.split_once('?').unwrap().0.rsplit_once('/').unwrap().1;
    let config = format!(
        "[databases]\n{name} = host={} dbname={name}\n[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 2\nauth_type = any\n\
         unix_socket_dir = {}\nlisten_port = 6543\nignore_startup_parameters = extra_float_digits{ignored}\n\
         server_check_delay = 30\nlogfile = {}\n",
        server.dir().display(),
        dir.display(),
        dir.join("log").display(),
    );
    let config = config.replace(&format!("dbname={name}"), &format!("dbname={name} user=postgres"));
    fs::write(dir.join("ini"), config).unwrap();
    Command::new("chown").arg("-R").arg(&user).arg(dir).status().unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user, "--clear-groups", "pgbouncer", "-q"]).arg(dir.join("ini"));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let pooler = Pooler(child);
    let begin = Instant::now();
    let url = format!("postgres:///{name}?host={}&port=6543&user=postgres", dir.display());
    while PgConnection::establish(&url).is_err() {
        if begin.elapsed() > Duration::from_secs(10) {
            eprintln!("{}", fs::read_to_string(dir.join("log")).unwrap_or_default());
            return None;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Some((pooler, url))
}

/// Returns the number of the user who has the server.
fn nix_user(dir: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(dir).unwrap().uid().to_string()
}

#[test]
fn fault_79_a_pooler_in_transaction_mode_is_refused_by_name_whatever_it_does_with_our_settings() {
    let Some(server) = server() else { return };
    if Command::new("pgbouncer").arg("--version").output().is_err() {
        return skipped::without_tool("pgbouncer");
    }
    let (url, machine) = (server.empty_database(), Machine::new());
    machine.open(&url, Access::Create).unwrap();

    for (ignored, expected) in
        [("", "does not take the settings of our session"), (", options", "a pooler (PgBouncer) stands before")]
    {
        let dir = tempfile::Builder::new().prefix("jm-pb-").tempdir().unwrap();
        let (_pooler, through) = pooler(server, &url, dir.path(), ignored).expect("the pooler starts");
        for access in [Access::Read, Access::Write, Access::Create, Access::Manage] {
            let said = machine.said(&through, access);
            assert!(said.contains(expected) && said.contains("PgBouncer"), "{ignored:?}: {said}");
        }
    }
}
