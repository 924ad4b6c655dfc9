//! The verbs, as one tree of arguments.

use clap::{Parser, Subcommand};

use super::args::Global;
#[cfg(feature = "mcp")]
use super::mcp;
use super::{
    add, approve, cancel, completions, create, doctor, explain, failures, help, kill, list, logs, man, prune, recover,
    reject, results, resume, retry, rm, run, scale, service, set, skip, start, status, stop, submit, sync, unit,
    unit_add, unit_checkpoint, unit_progress, unit_result, units, wait, watch,
};

/// Runs batches in a detached process that survives the death of whoever asked for them.
#[derive(Debug, Parser)]
#[command(
    name = "job-manager",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    arg_required_else_help = false
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// Returns `true` if the answer is to be JSON.
    pub fn wants_json(&self) -> bool {
        let submission = match &self.verb {
            Verb::Submit(verb) => &verb.submission,
            Verb::Run(verb) => &verb.submission,
            Verb::Create(verb) => &verb.submission,
            _ => return self.global.wants_json(),
        };
        submission.source.wants_json()
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Submit(submit::Submit),
    Run(run::Run),
    Create(create::Create),
    Start(start::Start),
    Resume(resume::Resume),
    #[command(alias = "pause")]
    Stop(stop::Stop),
    Cancel(cancel::Cancel),
    Kill(kill::Kill),
    Retry(retry::Retry),
    Approve(approve::Approve),
    Reject(reject::Reject),
    Scale(scale::Scale),
    Set(set::Set),
    Add(add::Add),
    Sync(sync::Sync),
    Skip(skip::Skip),
    #[command(visible_aliases = ["ls", "ps"])]
    List(list::List),
    Status(status::Status),
    Units(units::Units),
    Unit(unit::Unit),
    Failures(failures::Failures),
    Explain(explain::Explain),
    Logs(logs::Logs),
    Results(results::Results),
    Wait(wait::Wait),
    Watch(watch::Watch),
    #[cfg(feature = "top")]
    Top(super::top::Top),
    Rm(rm::Rm),
    Prune(prune::Prune),
    Recover(recover::Recover),
    Service(service::Service),
    Doctor(doctor::Doctor),
    #[cfg(feature = "serve")]
    Serve(super::serve::Serve),
    #[cfg(feature = "mcp")]
    Mcp(mcp::Mcp),
    UnitProgress(unit_progress::UnitProgress),
    UnitCheckpoint(unit_checkpoint::UnitCheckpoint),
    UnitResult(unit_result::UnitResult),
    UnitAdd(unit_add::UnitAdd),
    Help(help::Help),
    Completions(completions::Completions),
    Man(man::Man),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
