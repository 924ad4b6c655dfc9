//! The same work done by Job Manager: through the library in this program, and by its command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use job_manager::client::JobOutcome;
use job_manager::model::{JobId, JobStatus, Timestamp};
use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext};

/// The program under test.
pub const BIN: &str = env!("CARGO_BIN_EXE_job-manager");
/// Where a handler writes what it has seen of its own process; beside the database.
const SEEN: &str = "seen";

/// The handlers of this program when it is started again as a manager.
pub fn register(handlers: &mut Handlers) {
    handlers
        .register("nothing", |_: u32, _: &UnitContext<'_>| Ok(()))
        .register("first", |_: u32, unit: &UnitContext<'_>| {
            static FIRST: Once = Once::new();
            FIRST.call_once(|| note(unit, &Timestamp::now().as_micros().to_string()));
            Ok(())
        })
        .register("memory", |number: u32, unit: &UnitContext<'_>| {
            // The last unit carries 0: the peak is known when it runs.
            if number == 0 {
                note(unit, &peak_kib().to_string());
            }
            Ok(())
        })
        .register("sleep", |_: u32, _: &UnitContext<'_>| {
            std::thread::sleep(Duration::from_millis(10));
            Ok(())
        });
}

/// The manager of a benchmark runs in the directory of its database.
fn note(unit: &UnitContext<'_>, text: &str) {
    fs::write(unit.job_name(), text).expect("the directory can be written");
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a process has a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Creates a job of numbered units for a handler of this program.
pub fn create(dir: &Path, handler: &str, units: u32, workers: usize) -> (Client, JobId) {
    let client = Client::create(&dir.join("jobs.db")).expect("the directory can be written");
    // The name tells the handler where to write.
    let mut new = NewJob::new(dir.join(SEEN).to_str().expect("a temporary path is UTF-8"), handler);
    new.limits.workers = workers;
    let payloads = (0..units).rev().map(|number| NewUnit { payload: number.to_string(), key: None, group: None });
    let job = client.create_job(&new, payloads).expect("the job can be created").job;
    (client, job)
}

/// Returns what the handler of a job in that directory wrote.
pub fn seen(dir: &Path) -> i64 {
    fs::read_to_string(dir.join(SEEN)).expect("the handler has run").parse().expect("a number")
}

/// Times a job of units that do nothing, from its start to the moment at which its end is seen.
pub fn record(dir: &Path, units: u32) -> Duration {
    let (client, job) = create(dir, "nothing", units, 2);
    let began = Instant::now();
    client.start_detached(job).expect("the manager starts");
    let row = await_end(&client, job);
    let elapsed = began.elapsed();
    assert_eq!((row.progress.completed, row.status), (units.into(), JobStatus::Completed));
    elapsed
}

/// Looks at the job every millisecond until it has ended.
fn await_end(client: &Client, job: JobId) -> job_manager::model::Job {
    loop {
        let row = client.job(job).expect("the job can be read");
        if row.status.is_terminal() {
            return row;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the time between the recorded start and the recorded end of a job.
pub fn duration(dir: &Path, handler: &str, units: u32) -> Duration {
    let (client, job) = create(dir, handler, units, 2);
    client.start_detached(job).expect("the manager starts");
    let row = await_end(&client, job);
    row.finished_at.expect("it ended").since(row.started_at.expect("it started"))
}

/// Times `submit` of the lines of a file, without starting the job.
pub fn insert(dir: &Path, lines: &Path) -> Duration {
    let began = Instant::now();
    succeed(job_manager(dir).args(["create", "-q", "--lines"]).arg(lines).args(["--", "true", "{}"]));
    began.elapsed()
}

/// Times `run` of a command for each line of a file; `output` says what is kept of what it writes.
pub fn run(dir: &Path, lines: &Path, workers: u32, output: &str, command: &[&str]) -> Duration {
    let began = Instant::now();
    let workers = workers.to_string();
    let options = ["run", "-q", "-j", &workers, "--output", output, "--lines"];
    succeed(job_manager(dir).args(options).arg(lines).arg("--").args(command));
    began.elapsed()
}

/// Times `run` of a command for each line of JSON in a file, on two workers, with further options.
pub fn run_with(dir: &Path, items: &Path, options: &[&str], command: &[&str]) -> Duration {
    let began = Instant::now();
    succeed(
        job_manager(dir).args(["run", "-q", "-j", "2", "--jsonl"]).arg(items).args(options).arg("--").args(command),
    );
    began.elapsed()
}

/// Prepares the program with a database in `dir`.
pub fn job_manager(dir: &Path) -> Command {
    let mut command = Command::new(BIN);
    command.env("JOB_MANAGER_DB", dir.join("jobs.db")).current_dir(dir);
    command
}

/// Runs a command that must succeed, without its output.
pub fn succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the program is there");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Waits for the end of a job by the library's own means.
pub fn wait(client: &Client, job: JobId) {
    assert_eq!(client.wait(job, None).expect("the job can be read"), JobOutcome::Completed);
}
