//! The command line: one file per verb, all of them on top of the client library.
//!
//! Standard output carries the answer and nothing else; hints, progress and errors go to standard error. Nothing here
//! writes to the database but through the client.

mod add;
mod approve;
mod args;
mod cancel;
mod command;
mod completions;
mod confirm;
mod create;
mod doctor;
// The page names the verbs of every feature.
#[cfg(all(test, feature = "mcp", feature = "serve", feature = "top"))]
mod documentation_tests;
mod error;
mod exit;
mod explain;
mod failures;
mod filter;
mod follow;
mod given;
mod help;
mod inside;
mod job_args;
mod kill;
mod list;
mod lists;
mod logs;
mod man;
mod managers;
#[cfg(feature = "mcp")]
mod mcp;
mod misplaced;
mod misuse;
mod neighbours;
mod next_step;
mod output;
mod policy_args;
mod policy_values;
mod print_outputs;
mod prune;
mod recover;
mod reject;
mod report;
mod results;
mod resume;
mod retry;
mod rm;
mod run;
mod scale;
mod secret_args;
#[cfg(feature = "serve")]
mod serve;
mod service;
mod set;
mod show_failures;
mod skip;
mod source_args;
mod source_flags;
mod start;
mod start_args;
mod status;
mod stop;
mod submission;
mod submit;
mod sync;
mod table;
mod text;
#[cfg(feature = "top")]
mod top;
mod topics;
mod unit;
mod unit_add;
mod unit_checkpoint;
mod unit_progress;
mod unit_result;
mod units;
mod values;
mod verb;
mod wait;
mod watch;
mod way_out;
mod which;
mod wording;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::FromArgMatches;

use command::command;
use error::CliError;
use misuse::{arguments, misused};
use output::Output;
use report::Report;
use verb::{Cli, Verb};

pub use exit::Exit;

/// Parses the arguments of this process, does what they ask, and returns its exit code.
pub fn main() -> ExitCode {
    let mut cli = match command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    cli.global.apply_color();
    let mut output = Output::new(cli.wants_json(), &cli.global);
    let taken = cli.global.take_environment();
    // A file that reaches the limit of its size is an error of its write, not the end of this process. Where no handler
    // can be set the process ends as before.
    let file_limit = Arc::new(AtomicBool::new(false));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::clone(&file_limit));
    let exit = match taken.and_then(|()| run(&cli, &mut output)) {
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
            report.print(output.json);
            error.exit()
        }
    };
    ExitCode::from(exit.code())
}

fn run(cli: &Cli, output: &mut Output) -> Result<Exit, CliError> {
    let global = &cli.global;
    match &cli.verb {
        Verb::Submit(args) => submit::submit(global, args, output),
        Verb::Run(args) => run::run(global, args, output),
        Verb::Create(args) => create::create(global, args, output),
        Verb::Start(args) => start::start(global, args, output),
        Verb::Resume(args) => resume::resume(global, args, output),
        Verb::Stop(args) => stop::stop(global, args, output),
        Verb::Cancel(args) => cancel::cancel(global, args, output),
        Verb::Kill(args) => kill::kill(global, args, output),
        Verb::Retry(args) => retry::retry(global, args, output),
        Verb::Approve(args) => approve::approve(global, args, output),
        Verb::Reject(args) => reject::reject(global, args, output),
        #[cfg(feature = "serve")]
        Verb::Serve(args) => serve::serve(global, args, output),
        Verb::Scale(args) => scale::scale(global, args, output),
        Verb::Set(args) => set::set(global, args, output),
        Verb::Sync(args) => sync::sync(global, args, output),
        Verb::Add(args) => add::add(global, args, output),
        Verb::Skip(args) => skip::skip(global, args, output),
        Verb::List(args) => list::list(global, args, output),
        Verb::Status(args) => status::status(global, args, output),
        Verb::Units(args) => units::units(global, args, output),
        Verb::Unit(args) => unit::unit(global, args, output),
        Verb::Failures(args) => failures::failures(global, args, output),
        Verb::Explain(args) => explain::explain(global, args, output),
        Verb::Logs(args) => logs::logs(global, args, output),
        Verb::Results(args) => results::results(global, args, output),
        Verb::Watch(args) => watch::watch(global, args, output),
        Verb::Wait(args) => wait::wait(global, args, output),
        #[cfg(feature = "top")]
        Verb::Top(args) => top::top(global, args, output),
        Verb::Rm(args) => rm::rm(global, args, output),
        Verb::UnitProgress(args) => unit_progress::unit_progress(global, args),
        Verb::UnitCheckpoint(args) => unit_checkpoint::unit_checkpoint(global, args, output),
        Verb::UnitResult(args) => unit_result::unit_result(global, args),
        Verb::UnitAdd(args) => unit_add::unit_add(global, args, output),
        Verb::Prune(args) => prune::prune(global, args, output),
        Verb::Recover(args) => recover::recover(global, args, output),
        Verb::Service(args) => service::service(global, args, output),
        #[cfg(feature = "mcp")]
        Verb::Mcp(args) => mcp::mcp(global, args, output),
        Verb::Doctor(args) => doctor::doctor(global, args, output),
        Verb::Help(args) => help::help(args, command()),
        Verb::Completions(args) => completions::completions(args, command()),
        Verb::Man(args) => man::man(args, command(), output),
    }
}
