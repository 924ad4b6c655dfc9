//! The program `job-manager`: a launcher or manager when it is started as one, the command line otherwise.
//!
//! Everything here reaches jobs through the public surface of the library; `cli` stands above `dashboard` and `mcp`.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod cli;
mod command_line;
#[cfg(feature = "serve")]
mod dashboard;
mod json_object;
#[cfg(feature = "mcp")]
mod mcp;
mod results;
mod settings;
mod system;

use std::process::ExitCode;

fn main() -> ExitCode {
    job_manager::run_if_manager(|_handlers| {});
    cli::main()
}
