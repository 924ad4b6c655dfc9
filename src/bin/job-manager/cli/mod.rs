//! The command line: one file per verb, all of them on top of the client library.
//!
//! Standard output carries the answer and nothing else; hints, progress and errors go to standard error. Nothing here
//! writes to the database but through the client.

mod args;
mod command;
mod complete;
mod completion_script;
mod config;
mod confirm;
// The page names the verbs of every feature.
#[cfg(all(test, feature = "mcp", feature = "serve", feature = "top"))]
mod documentation_tests;
mod error;
mod exit;
mod facts;
mod filter;
mod follow;
mod given;
mod group_args;
mod inside;
mod job_args;
mod lists;
mod managers;
mod meter_args;
mod misplaced;
mod misuse;
mod neighbours;
mod next_step;
mod output;
mod pace;
mod policy_args;
mod policy_values;
mod print_outputs;
mod report;
mod resources;
mod secret_args;
mod show_failures;
mod source_args;
mod source_flags;
mod start_args;
mod submission;
mod table;
mod text;
mod topics;
mod values;
mod verbs;
mod way_out;
mod which;
mod whole_file;
mod why_paused;
mod wording;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::FromArgMatches;
use job_manager::client::check_variables;

use args::Global;
use command::command;
use error::CliError;
use misuse::{arguments, asks_for_json, misused};
use output::Output;
use report::Report;
use verbs::Cli;

pub use exit::Exit;

/// Refuses what would be found out too late, or not at all.
fn check(cli: &Cli, json: bool) -> Result<(), CliError> {
    if json {
        cli.expect_document()?;
    }
    if cli.starts_managers() { Ok(check_variables()?) } else { Ok(()) }
}

/// Parses the arguments of this process, does what they ask, and returns its exit code.
pub fn main() -> ExitCode {
    if complete::answer_shell() {
        return ExitCode::SUCCESS;
    }
    // Leaked: to drop it would take as long as to read a job.
    let command_line = Box::leak(Box::new(command()));
    let parsed = command_line.try_get_matches_from_mut(std::env::args_os());
    let mut cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    cli.global.apply_color();
    // Before a verb with sources the option has no file, whatever follows that verb.
    let mut output = Output::new(cli.wants_json() || asks_for_json(&arguments()), &cli.global);
    let taken = cli.global.take_environment().and_then(|()| check(&cli, output.json));
    // A file that reaches the limit of its size is an error of its write, not the end of this process. Where no handler
    // can be set the process ends as before.
    let file_limit = Arc::new(AtomicBool::new(false));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::clone(&file_limit));
    let exit = match taken.and_then(|()| cli.verb.run(&cli.global, &mut output, command)) {
        Ok(exit) => exit,
        // Whoever read the answer has seen enough of it.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => {
            let advised = matches!(error, CliError::NoCommand | CliError::UnknownSource { .. })
                .then(|| misplaced::advice(&arguments(), None))
                .flatten();
            let mut report = advised.map_or_else(|| Report::of(&error), Report::of_misuse);
            if file_limit.load(Ordering::Relaxed) {
                report = report.because(
                    "a file would have become larger than this process may make one: raise the limit (`ulimit -f`)",
                );
            }
            report.after(output.take_hints()).print(output.json);
            error.exit()
        }
    };
    output.print_hints();
    ExitCode::from(exit.code())
}
