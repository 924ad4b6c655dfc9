//! What `submit`, `run` and `create` have in common: from flags to a job.

use std::ffi::OsString;

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::job_args::{JobArgs, KeptOutput, ResultKind, Stdin};
use super::lists::split_command;
use super::output::Output;
use super::source_args::SourceArgs;
use super::text::shortened;
use crate::client::{Client, Created, Submission, command_spec, find_program};
use crate::handler::{COMMAND, CommandSpec, OutputMode, ResultMode, StdinMode};
use crate::model::{NewJob, RawText};

const NAME_WIDTH: usize = 60;
/// How a command out of a file is run; behind `--` a line is a script even when it begins with a dash.
const RUN_LINE: [&str; 4] = ["/bin/sh", "-c", "--", "{}"];

/// A source, options and a command.
#[derive(Debug, Args)]
pub(super) struct SubmissionArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub job: JobArgs,
    /// Command of a unit, with placeholders such as `{}`; items may follow after `:::`, files of items after `::::`
    #[arg(last = true, value_name = "CMD", conflicts_with = "commands")]
    pub command: Vec<OsString>,
}

impl SubmissionArgs {
    /// Checks everything that can be checked before the first unit is read.
    pub fn prepare(&self, global: &Global) -> Result<Submission, CliError> {
        let (argv, lists) = split_command(&self.command)?;
        let run_line = RUN_LINE.map(OsString::from);
        let (argv, origin) = match self.source.commands() {
            Some(file) => (run_line.as_slice(), file.to_string_lossy()),
            None => (argv, argv.first().ok_or(CliError::NoCommand)?.to_string_lossy()),
        };
        let spec = self.spec(argv)?;
        let name = self.job.name.clone().unwrap_or_else(|| default_name(&origin));
        let mut new = NewJob::new(name, COMMAND);
        new.key = self.job.key.clone();
        new.labels = self.job.label.iter().cloned().collect();
        new.limits = self.job.limits();
        new.apart = self.job.apart.apart();
        if let Some(other) = &self.job.after {
            new.limits.after = Some(global.read_client()?.find_job(other)?);
        }
        Ok(Submission::new(new, &spec, self.job.unit_key.as_deref(), self.source.open(lists)?)?)
    }

    fn spec(&self, argv: &[OsString]) -> Result<CommandSpec, CliError> {
        let (job, forget) = (&self.job, self.job.apart.apart().forgotten_variables());
        let mut spec = command_spec(argv, job.shell, job.cwd.as_deref(), &job.env, forget)?;
        spec.stdin = match self.job.stdin {
            Stdin::Null => StdinMode::Null,
            Stdin::Payload => StdinMode::Payload,
            Stdin::Item => StdinMode::Item,
        };
        spec.result = match self.job.result {
            ResultKind::Text => ResultMode::Text,
            ResultKind::Json => ResultMode::Json,
        };
        spec.exits = self.job.policy.exit_codes();
        spec.hook = self.job.hook.as_deref().map(|hook| find_program(hook, &spec.cwd)).transpose()?;
        spec.then = self.job.policy.then();
        spec.creates = self.job.policy.creates.clone().map(RawText::from);
        spec.output = match self.job.output {
            KeptOutput::None => OutputMode::None,
            KeptOutput::Tail => OutputMode::Tail,
            KeptOutput::Full => OutputMode::Full,
        };
        spec.output_dir = self.job.output_dir.as_ref().map(|dir| spec.cwd.join(dir));
        Ok(spec)
    }
}

/// Creates the job, with a hint about whatever was noticed of its items.
pub(super) fn create(
    submission: Submission,
    global: &Global,
    output: &mut Output,
) -> Result<(Client, Created), CliError> {
    let notes = submission.notes();
    let created = submission.create(|| global.create_client())?;
    output.hints(&notes.texts());
    Ok(created)
}

/// Prints the first commands, quoted for a shell, and creates nothing.
pub(super) fn dry_run(submission: Submission, count: usize, output: &mut Output) -> Result<(), CliError> {
    let notes = submission.notes();
    for line in submission.commands().take(count) {
        output.line(line?)?;
    }
    output.hints(&notes.texts());
    Ok(())
}

fn default_name(command: &str) -> String {
    let base = command.rsplit('/').next().filter(|base| !base.is_empty()).unwrap_or(command);
    let name = shortened(base, NAME_WIDTH);
    if name.trim().is_empty() { "job".to_owned() } else { name }
}
