//! The program `job-manager`: a launcher or manager when it is started as one, the command line otherwise.

use std::process::ExitCode;

fn main() -> ExitCode {
    job_manager::run_if_manager(|_handlers| {});
    job_manager::cli::main()
}
