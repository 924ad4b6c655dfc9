//! Our speed on a PostgreSQL server beside the limits of that server, measured in turns in one run: `make bench-postgres`.
//!
//! The server is Debian's, in the directory of the build, with the settings it is installed with. `postgres [ROW…]` measures the
//! rows whose names contain one of the words; all of them without words. `postgres host JOB` is what a row starts for each host.

mod bare;
mod ours;
mod river;
mod rows;

#[path = "../ratios/measure.rs"]
#[allow(dead_code, reason = "the other benchmark uses all of it")]
mod measure;
#[path = "../../tests/it/support/postgres.rs"]
mod server;

use std::os::unix::fs::PermissionsExt;

use job_manager::model::JobId;
use server::Server;

fn main() {
    job_manager::run_if_manager(ours::register);
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [host, job] = &words[..]
        && host == "host"
    {
        return ours::be_a_host(JobId(job.parse().expect("the number of a job")));
    }
    // Entered by the user of the server too, who is another one where root measures.
    let dir = measure::scratch();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let settings = [
        "fsync=on",
        "full_page_writes=on",
        "shared_buffers=128MB",
        "wal_level=replica",
        "max_wal_senders=10",
        "jit=on",
    ];
    let Some(server) = Server::start_below(dir.path(), &settings) else {
        return println!("no PostgreSQL server is installed: nothing is measured");
    };
    let bench = measure::Bench::new(words);
    println!("| what | ours | beside it | ratio | goal |\n| --- | --- | --- | --- | --- |");
    for row in [
        rows::one,
        rows::four,
        rows::queues,
        rows::sleep,
        rows::held,
        rows::insert,
        rows::commands,
        rows::status,
        rows::idle,
    ] {
        row(&bench, &server);
    }
}
