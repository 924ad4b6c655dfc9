//! Jobs on the server, and hosts that work on them: each is a process with a state directory of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use job_manager::client::{WorkOptions, install_stop_flags};
use job_manager::model::{Job, JobId};
use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext};

/// The program under test.
pub const BIN: &str = env!("CARGO_BIN_EXE_job-manager");
/// Names the database to processes that this one starts.
const DB: &str = "JOB_MANAGER_DB";

/// The handlers of this program when it is started again as a manager.
pub fn register(handlers: &mut Handlers) {
    handlers.register("nothing", |_: u32, _: &UnitContext<'_>| Ok(())).register(
        "sleep",
        |_: u32, _: &UnitContext<'_>| {
            std::thread::sleep(Duration::from_millis(10));
            Ok(())
        },
    );
}

/// Creates a job of numbered units for a handler of this program.
pub fn create(url: &str, handler: &str, units: u32, workers: usize) -> (Client, JobId) {
    let client = Client::create(url.as_ref()).expect("the server answers");
    let mut new = NewJob::new("bench", handler);
    new.limits.workers = workers;
    let payloads = (0..units).map(|number| NewUnit { payload: number.to_string(), key: None, group: None });
    let job = client.create_job(&new, payloads).expect("the job can be created").job;
    (client, job)
}

/// Runs the share of one host until the job has ended; what `postgres host JOB` does.
pub fn be_a_host(job: JobId) {
    let db = std::env::var_os(DB).expect("the database is named");
    let client = Client::open(db.as_ref()).expect("the server answers");
    let options = WorkOptions { jobs: Some(vec![job]), exit_when_idle: true, ..WorkOptions::default() };
    client.work(&options, &install_stop_flags().expect("signals can be handled"), drop).expect("the host works");
}

/// Times the units of a job that so many hosts share, from the recorded start of the job to its recorded end.
pub fn shared(dir: &Path, url: &str, handler: &str, units: u32, workers: usize, hosts: usize) -> Duration {
    let (client, job) = create(url, handler, units, workers);
    let mut hosts: Vec<Child> = (0..hosts).map(|host| host_of(&dir.join(host.to_string()), url, job)).collect();
    let row = await_end(&client, job);
    for host in &mut hosts {
        assert!(host.wait().expect("it is a child").success());
    }
    assert_eq!(row.progress.completed, i64::from(units));
    row.finished_at.expect("it ended").since(row.started_at.expect("it started"))
}

fn host_of(state: &Path, url: &str, job: JobId) -> Child {
    let mut host = Command::new(std::env::current_exe().expect("this program has a path"));
    host.args(["host", &job.to_string()]).env(DB, url).env("XDG_STATE_HOME", state);
    host.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("this program starts")
}

fn await_end(client: &Client, job: JobId) -> Job {
    let began = Instant::now();
    loop {
        let row = client.job(job).expect("the job can be read");
        if row.status.is_terminal() {
            return row;
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{row:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a verb of the command line, and returns how long it took and what it wrote.
pub fn verb(state: &Path, db: &str, args: &[&str]) -> (Duration, String) {
    let began = Instant::now();
    let mut command = Command::new(BIN);
    command.args(args).env(DB, db).env("XDG_STATE_HOME", state).stdin(Stdio::null());
    let output = command.output().expect("the program is there");
    let took = began.elapsed();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    (took, String::from_utf8(output.stdout).expect("text"))
}
