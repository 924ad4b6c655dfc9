//! From a command line to a job: what `submit`, `run` and `create` have in common.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::Global;
use super::environment::Environment;
use super::error::CliError;
use super::job_args::{JobArgs, KeptOutput, ResultKind, Stdin};
use super::output::Output;
use super::source_args::{SourceArgs, split_command};
use super::text::shortened;
use crate::client::{Client, Created, check_scope};
use crate::handler::{
    COMMAND, CommandSpec, CommandTemplate, OutputMode, ResultMode, StdinMode, UnitValues, quote_for_shell,
    resolve_program,
};
use crate::model::{NewJob, NewUnit, Seq};
use crate::source::{Item, Items};

const NAME_WIDTH: usize = 60;
/// Longest key of a unit, in bytes: it is in an index, and in the environment of the unit.
const MAX_KEY_BYTES: usize = 4096;
/// How a command out of a file is run; behind `--` a line is a script even when it begins with a dash.
const RUN_LINE: [&str; 4] = ["/bin/sh", "-c", "--", "{}"];

/// A source, options and a command.
#[derive(Debug, Args)]
pub(super) struct Submission {
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub job: JobArgs,
    /// Command of a unit, with placeholders such as `{}`; items may follow behind `:::`
    #[arg(last = true, value_name = "CMD", conflicts_with = "commands")]
    pub command: Vec<String>,
}

/// A job that is ready to be created: everything that can be refused has been.
pub(super) struct Prepared {
    new: NewJob,
    items: Items,
    template: CommandTemplate,
    unit_key: Option<CommandTemplate>,
    shell: bool,
    ignores_items: bool,
}

impl Submission {
    /// Checks everything that can be checked before the first unit is read.
    pub fn prepare(&self, global: &Global) -> Result<Prepared, CliError> {
        let (argv, items) = split_command(&self.command);
        let run_line = RUN_LINE.map(str::to_owned);
        let (argv, origin) = match self.source.commands() {
            Some(file) => (run_line.as_slice(), file.to_string_lossy()),
            None => (argv, argv.first().ok_or(CliError::NoCommand)?.into()),
        };
        let template = CommandTemplate::parse(argv)?;
        let unit_key =
            self.job.unit_key.as_ref().map(|key| CommandTemplate::parse(std::slice::from_ref(key))).transpose()?;
        let spec = self.spec(argv, &template)?;
        let name = self.job.name.clone().unwrap_or_else(|| default_name(&origin));
        let mut new = NewJob::new(name, COMMAND);
        new.key = self.job.key.clone();
        new.labels = self.job.label.iter().cloned().collect();
        new.limits = self.job.limits();
        new.apart = self.job.apart.apart();
        if let Some(other) = &self.job.after {
            new.limits.after = Some(global.read_client()?.find_job(other)?);
        }
        new.spec = serde_json::to_string(&spec).expect("a command is made of text");
        let given = self.source.open(items)?;
        let ignores_items = given.is_some() && !template.uses_item() && spec.stdin == StdinMode::Null;
        let items = given.unwrap_or_else(one_unit);
        Ok(Prepared { new, items, template, unit_key, shell: self.job.shell, ignores_items })
    }

    fn spec(&self, argv: &[String], template: &CommandTemplate) -> Result<CommandSpec, CliError> {
        let here = env::current_dir().map_err(CliError::Cwd)?;
        let cwd = self.job.cwd.as_ref().map_or_else(|| here.clone(), |cwd| here.join(cwd));
        if !cwd.is_dir() {
            return Err(CliError::NoDirectory(cwd));
        }
        let mut spec = CommandSpec::new(argv.to_vec(), cwd);
        spec.shell = self.job.shell;
        if spec.shell {
            if argv.len() != 1 {
                return Err(CliError::ShellArguments { given: argv.len() });
            }
            template.check_script()?;
        } else if let Some(name) = template.literal_program() {
            spec.program = Some(program(name, &spec.cwd)?);
        }
        let environment =
            Environment::capture(env::vars_os(), &self.job.env, self.job.apart.apart().forgotten_variables())?;
        (spec.env_only, spec.env, spec.secrets) = (true, environment.variables, environment.secrets);
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
        spec.hook = self.job.hook.as_deref().map(|hook| program(hook, &spec.cwd)).transpose()?;
        spec.then = self.job.policy.then();
        spec.creates = self.job.policy.creates.clone();
        if let Some(path) = &spec.creates {
            CommandTemplate::parse(std::slice::from_ref(path))?;
        }
        spec.output = match self.job.output {
            KeptOutput::None => OutputMode::None,
            KeptOutput::Tail => OutputMode::Tail,
            KeptOutput::Full => OutputMode::Full,
        };
        spec.output_dir = self.job.output_dir.as_ref().map(|dir| spec.cwd.join(dir));
        Ok(spec)
    }
}

impl Prepared {
    /// Creates the job; an item that does not fit the command leaves nothing behind.
    pub fn create(self, global: &Global, output: &mut Output) -> Result<(Client, Created), CliError> {
        let Self { new, items, template, unit_key, shell, ignores_items } = self;
        if new.apart.scope {
            check_scope()?;
        }
        if ignores_items {
            output.hint("the command does not use the items: write {} where an item belongs");
        }
        let mut refused = None;
        // Read before the database is opened, so that a source without units leaves no file behind.
        let mut units = items.map(|item| {
            unit(item, Some((&template, shell)), unit_key.as_ref()).map_err(|error| {
                let message = error.to_string();
                refused = Some(error);
                message
            })
        });
        let Some(first) = units.next() else { return Err(crate::client::ClientError::NoUnits.into()) };
        let client = match first {
            Ok(first) => global.create_client().map(|client| (client, first)),
            Err(_) => {
                drop(units);
                return Err(refused.expect("an item that was refused says why"));
            }
        };
        let (client, first) = client?;
        let created = client.try_create_job(&new, std::iter::once(Ok(first)).chain(units));
        match (created, refused) {
            (Ok(created), _) => Ok((client, created)),
            (Err(_), Some(error)) => Err(error),
            (Err(error), None) => Err(error.into()),
        }
    }

    /// Prints the first commands, quoted for a shell, and creates nothing.
    pub fn dry_run(self, count: usize, output: &mut Output) -> Result<(), CliError> {
        for (index, item) in self.items.take(count).enumerate() {
            let item = item?;
            let unfit = |source| CliError::Item { place: item.place.to_string(), source };
            let values = UnitValues::parse(&item.payload).map_err(unfit)?;
            let seq = Seq(i64::try_from(index + 1).unwrap_or(i64::MAX));
            let line = if self.shell {
                self.template.render_shell(&values, 0, seq).map_err(unfit)?
            } else {
                let argv = self.template.render(&values, 0, seq).map_err(unfit)?;
                argv.iter().map(|argument| quote_for_shell(argument)).collect::<Vec<_>>().join(" ")
            };
            output.line(line)?;
        }
        Ok(())
    }
}

/// Makes a unit of an item that fits the command, if there is one, and the template of its key.
pub(super) fn unit(
    item: Result<Item, crate::source::SourceError>,
    command: Option<(&CommandTemplate, bool)>,
    unit_key: Option<&CommandTemplate>,
) -> Result<NewUnit, CliError> {
    let item = item?;
    let unfit = |source| CliError::Item { place: item.place.to_string(), source };
    if let Some((template, shell)) = command {
        if shell { template.check_shell(&item.payload) } else { template.check(&item.payload) }.map_err(unfit)?;
    }
    let key = match unit_key {
        Some(template) => {
            let values = UnitValues::parse(&item.payload).map_err(unfit)?;
            template.render(&values, 0, Seq::FIRST).map_err(unfit)?.pop()
        }
        None => None,
    };
    if let Some(bytes) = key.as_ref().map(String::len).filter(|bytes| *bytes > MAX_KEY_BYTES) {
        return Err(CliError::KeyTooLong { place: item.place.to_string(), bytes, limit: MAX_KEY_BYTES });
    }
    Ok(NewUnit { payload: item.payload, key })
}

/// Without a source a command is one unit.
fn one_unit() -> Items {
    crate::source::once("null".to_owned())
}

fn program(name: &str, cwd: &Path) -> Result<PathBuf, CliError> {
    let search_path = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    Ok(resolve_program(name, cwd, &search_path)?)
}

fn default_name(command: &str) -> String {
    let base = command.rsplit('/').next().filter(|base| !base.is_empty()).unwrap_or(command);
    let name = shortened(base, NAME_WIDTH);
    if name.trim().is_empty() { "job".to_owned() } else { name }
}
