//! What `submit`, `run` and `create` have in common: from flags to a job.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use clap::Args;
use job_manager::client::{Client, ClientError, Created, UnitsDiffer, check_lease, check_memory};
use job_manager::handler::{COMMAND, CommandSpec, OutputMode, ResultMode};
use job_manager::model::{NewJob, RawText};
use job_manager::submission::{
    Asked, Scripts, Submission, SubmissionError, command_spec, find_program, find_shell, notify, output_dir,
};
use serde_json::json;

use super::config::Config;
use super::job_args::JobArgs;
use super::lists::split_command;
use super::source_args::{SourceArgs, note_waiting_input};
use super::text::shortened;
use super::wording;
use super::{CliError, Global, Output};

const NAME_WIDTH: usize = 60;
/// How a command out of a file is run; after `--` a line is a script even when it begins with a dash.
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
    /// Creates the job, which keeps `kept` of its units' output unless an option says otherwise; `None` after a rehearsal.
    pub fn create(
        &self,
        global: &Global,
        kept: OutputMode,
        output: &mut Output,
    ) -> Result<Option<(Client, Created)>, CliError> {
        let submission = self.prepare(global, kept)?;
        if let Some(count) = self.job.dry_run {
            return dry_run(submission, global, count, output).map(|()| None);
        }
        let notes = submission.notes();
        let created = submission.create(|| global.create_client());
        // Where nothing was created they may say why.
        output.hints(&wording::remarks(&notes.remarks()));
        created.map(Some)
    }

    /// Checks everything that can be checked before the first unit is read.
    fn prepare(&self, global: &Global, kept: OutputMode) -> Result<Submission, CliError> {
        let (argv, lists) = split_command(&self.command, self.source.null())?;
        let run_line = RUN_LINE.map(OsString::from);
        let (argv, origin) = match self.source.commands() {
            Some(file) => (run_line.as_slice(), file.to_string_lossy()),
            None => (argv, argv.first().ok_or(CliError::NoCommand)?.to_string_lossy()),
        };
        let config = Config::read()?;
        let spec = self.spec(argv, kept, &config)?;
        let name = self.job.name.clone().unwrap_or_else(|| default_name(&origin));
        let mut new = NewJob::new(name, COMMAND);
        new.key = self.job.key.clone();
        for (name, value) in &self.job.label {
            if new.labels.insert(name.clone(), value.clone()).is_some_and(|before| before != *value) {
                return Err(CliError::GivenTwice(format!("the label {name:?}")));
            }
        }
        new.limits = self.job.limits(&config)?;
        check_lease(&global.db_path()?, &new.limits).map_err(ClientError::from)?;
        check_memory(&global.db_path()?, &new.handler, &new.limits).map_err(ClientError::from)?;
        new.isolation = self.job.isolation.isolation();
        if let Some(other) = &self.job.after {
            new.limits.after = Some(global.read_client()?.find_job(other)?);
        }
        let reads_stdin = self.source.reads_stdin(&lists);
        let sources = match (self.source.open(lists, self.units_dir(&spec)?)?, self.job.start.order.clone()) {
            (Some(sources), Some(order)) => Some(sources.sorted(order)),
            (None, Some(_)) => {
                return Err(CliError::Requires { given: "--order", missing: "a source of items" });
            }
            (sources, None) => sources,
        };
        let asked = Asked {
            name: self.job.name.is_some(),
            workers: self.job.workers.is_some(),
            order: self.job.start.order.is_some(),
        };
        let submission = Submission::new(new, &spec, self.job.unit_key.as_deref(), sources);
        let submission = submission.map_err(|error| match (error, self.job.policy.schema.clone()) {
            (SubmissionError::Schema(source), Some(path)) => CliError::UnusableSchema { path, source },
            (error, _) => error.into(),
        })?;
        let submission = submission.asking(asked);
        if !reads_stdin {
            note_waiting_input(&submission.notes());
        }
        Ok(submission)
    }

    /// Returns the directory of the units, if it is another one than that of the caller.
    fn units_dir<'s>(&self, spec: &'s CommandSpec) -> Result<Option<&'s Path>, CliError> {
        match (&self.job.cwd, &spec.cwd_template, self.source.relative_glob()) {
            (Some(cwd), Some(_), Some(pattern)) => {
                let of = |text: &OsStr| text.to_string_lossy().into_owned();
                Err(CliError::GlobWithoutDirectory { pattern: of(pattern), cwd: of(cwd.as_ref()) })
            }
            (None, ..) | (Some(_), Some(_), None) => Ok(None),
            (Some(_), None, _) => Ok(Some(&spec.cwd)),
        }
    }

    fn spec(&self, argv: &[OsString], output: OutputMode, config: &Config) -> Result<CommandSpec, CliError> {
        let (job, forget) = (&self.job, self.job.isolation.isolation().forgotten_variables());
        let mut spec = command_spec(argv, job.shell, job.cwd.as_deref(), &job.env, job.env_only.as_deref(), forget)?;
        if let Some(name) = &job.shell_path {
            self.use_shell(name, &mut spec)?;
        }
        spec.items.several = job.several();
        spec.stdin = self.job.stdin;
        spec.result = self.job.result.unwrap_or_default();
        spec.exits = self.job.policy.exit_codes()?;
        let hook = self.job.hook.as_ref().or(config.hook.as_ref().map(|hook| &hook.value));
        spec.hook = hook.map(|hook| find_program(hook, &spec.cwd)).transpose()?;
        spec.notify = self.job.notify.clone().map(|to| notify(to, &spec.cwd)).transpose()?;
        spec.then = self.job.policy.then()?;
        spec.creates = self.job.policy.creates.clone().map(RawText::from);
        spec.keep_partial = self.job.policy.keep_partial;
        if spec.keep_partial && spec.creates.is_none() {
            return Err(CliError::Requires { given: "--keep-partial", missing: "--creates" });
        }
        spec.check = self.job.policy.check.clone().map(RawText::from);
        if let Some(file) = &self.job.policy.schema {
            if spec.result != ResultMode::Json {
                return Err(CliError::Requires { given: "--schema", missing: "--result json" });
            }
            let unread = |source| CliError::Schema { path: file.clone(), source };
            spec.schema = Some(std::fs::read_to_string(file).map_err(unread)?);
        }
        spec.output = self.job.output.unwrap_or(output);
        spec.output_dir = self.job.output_dir.as_deref().map(|dir| output_dir(&spec, dir)).transpose()?;
        Ok(spec)
    }

    /// Has scripts run by another shell than /bin/sh, after that was tried.
    fn use_shell(&self, name: &OsStr, spec: &mut CommandSpec) -> Result<(), CliError> {
        let scripts = match (spec.shell, self.source.commands()) {
            (true, _) => Scripts::WithValues,
            (false, Some(_)) => Scripts::Whole,
            // Its script has no values; what is asked of a shell is the same everywhere.
            (false, None) if self.job.policy.then.is_some() || self.job.policy.check.is_some() => Scripts::WithValues,
            (false, None) => {
                return Err(CliError::Requires {
                    given: "--shell-path",
                    missing: "--shell, --commands, --then or --check",
                });
            }
        };
        let shell = find_shell(name, &spec.cwd, scripts)?;
        if scripts == Scripts::Whole {
            spec.argv[0] = RawText::from(literal(shell.as_os_str()));
            spec.program = Some(shell.clone());
        }
        spec.shell_path = Some(shell);
        Ok(())
    }
}

/// Prints the first commands, quoted for a shell, checks all that a creation checks, and creates nothing.
fn dry_run(submission: Submission, global: &Global, count: usize, output: &mut Output) -> Result<(), CliError> {
    let notes = submission.notes();
    let mut commands = Vec::new();
    let rehearsal = submission.rehearse(
        count,
        || global.rehearse_create(),
        |command| {
            if output.json {
                commands.push(command);
                return Ok(());
            }
            output.line(command)
        },
    );
    // As of a creation: where it is refused they may say why.
    output.hints(&wording::remarks(&notes.remarks()));
    let rehearsal = rehearsal?;
    if let Some(existing) = rehearsal.existing {
        output.hint(format_args!("job {} has this key already, nothing would be created", existing.job));
        differs(existing, output);
    } else {
        output.hint(format_args!("units that would be created: {}", rehearsal.units));
    }
    if output.json {
        let existing = rehearsal.existing;
        output.document(&json!({
            "schema": 1, "dry_run": true, "commands": commands, "units": rehearsal.units,
            "existing_job": existing.map(|created| json!({ "id": created.job })),
            "units_differ": existing.and_then(|created| created.differs),
        }))?;
    }
    Ok(())
}

/// Writes a text as a template that stands for it.
fn literal(text: &OsStr) -> OsString {
    let doubled = |byte: &u8| if b"{}".contains(byte) { vec![*byte; 2] } else { vec![*byte] };
    OsString::from_vec(text.as_bytes().iter().flat_map(doubled).collect())
}

/// Says how the items differ from the units of a job that was there already.
pub(super) fn differs(created: Created, output: &mut Output) {
    if let Some(UnitsDiffer { new, changed, gone, .. }) = created.differs {
        let job = created.job;
        output.hint(format_args!(
            "the items differ from the units of job {job}: {new} new, {changed} changed, {gone} gone; \
             `job-manager sync {job}` with the same source takes them"
        ));
    }
}

fn default_name(command: &str) -> String {
    let base = command.rsplit('/').next().filter(|base| !base.is_empty()).unwrap_or(command);
    let name = shortened(base, NAME_WIDTH);
    if name.trim().is_empty() { "job".to_owned() } else { name }
}
