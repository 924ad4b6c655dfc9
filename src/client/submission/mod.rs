//! From a command, its items and its limits to a job: what the command line and the other faces have in common.
//!
//! Everything that can be refused is refused before anything is created: placeholders without a value, a program that is
//! not there, an item that is too long. Items are checked one by one as they are read, and an item that does not fit
//! leaves no job behind.

mod additions;
mod command;
mod environment;
mod error;

use super::create::{check_description, check_new_job};
use super::{Client, ClientError, Created, OpenSources};
use crate::handler::{COMMAND, CommandSpec, CommandTemplate, StdinMode, TemplateError, UnitValues};
use crate::model::{NewJob, NewUnit, Seq, Unit};
use crate::source::{Item, Items, Notes, SourceError};

pub use additions::additions;
pub use command::{command_of, command_spec, find_program};
pub use error::SubmissionError;

/// Longest key of a unit, in bytes: it is in an index, and in the environment of the unit.
const MAX_KEY_BYTES: usize = 4096;

/// A job that is ready to be created: everything that can be refused without reading an item has been.
pub struct Submission {
    new: NewJob,
    items: Items,
    template: CommandTemplate,
    unit_key: Option<CommandTemplate>,
    shell: bool,
    notes: Notes,
}

impl Submission {
    /// Checks a job of commands; without items the command is one unit.
    ///
    /// Name, key, labels and limits are those of `new`.
    pub fn new(
        mut new: NewJob,
        spec: &CommandSpec,
        unit_key: Option<&str>,
        sources: Option<OpenSources>,
    ) -> Result<Submission, SubmissionError> {
        check_description(&new)?;
        let template = CommandTemplate::parse(&spec.argv)?;
        let unit_key = unit_key.map(one_text).transpose()?;
        if let Some(path) = &spec.creates {
            one_text(path)?;
        }
        new.handler = COMMAND.to_owned();
        new.spec = serde_json::to_string(spec).expect("a command is made of text");
        let ignores_items = sources.is_some() && !template.uses_item() && spec.stdin == StdinMode::Null;
        let OpenSources { items, notes } = sources.unwrap_or_else(OpenSources::once);
        if ignores_items {
            notes.say("the command does not use its items: write {} where an item belongs");
        }
        Ok(Submission { new, items, template, unit_key, shell: spec.shell, notes })
    }

    /// Returns what is to be said about the submission, complete once its items were read.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Creates the job in the database that `open` opens; an item that does not fit the command leaves nothing behind.
    pub fn create<E: From<SubmissionError>>(
        self,
        open: impl FnOnce() -> Result<Client, E>,
    ) -> Result<(Client, Created), E> {
        let Self { new, items, template, unit_key, shell, .. } = self;
        check_new_job(&new).map_err(SubmissionError::from)?;
        let mut refused = None;
        // Read before the database is opened, so that a source without units leaves no file behind.
        let mut units = items.map(|item| {
            unit(item, Some((&template, shell)), unit_key.as_ref()).map_err(|error| {
                let message = error.to_string();
                refused = Some(error);
                message
            })
        });
        let Some(first) = units.next() else { return Err(SubmissionError::from(ClientError::NoUnits).into()) };
        let Ok(first) = first else {
            drop(units);
            return Err(refused.expect("an item that was refused says why").into());
        };
        let client = open()?;
        let created = client.create_checked_job(&new, std::iter::once(Ok(first)).chain(units));
        match (created, refused) {
            (Ok(created), _) => Ok((client, created)),
            (Err(_), Some(error)) => Err(error.into()),
            (Err(error), None) => Err(SubmissionError::from(error).into()),
        }
    }

    /// Returns the commands of the units, as they would be typed into a shell; creates nothing.
    pub fn commands(self) -> impl Iterator<Item = Result<String, SubmissionError>> {
        let Self { items, template, shell, .. } = self;
        items.zip(1..).map(move |(item, seq)| {
            let item = item?;
            let line = UnitValues::parse(&item.payload).and_then(|values| template.line(shell, &values, Seq(seq)));
            line.map_err(|source| SubmissionError::Item { place: item.place.to_string(), source })
        })
    }
}

/// Makes a unit of an item that fits the command, if there is one, and the template of its key.
pub fn unit(
    item: Result<Item, SourceError>,
    command: Option<(&CommandTemplate, bool)>,
    unit_key: Option<&CommandTemplate>,
) -> Result<NewUnit, SubmissionError> {
    let item = item?;
    let unfit = |source| SubmissionError::Item { place: item.place.to_string(), source };
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
        return Err(SubmissionError::KeyTooLong { place: item.place.to_string(), bytes, limit: MAX_KEY_BYTES });
    }
    if key.as_ref().is_some_and(|key| key.starts_with(Unit::RESERVED_KEYS)) {
        return Err(SubmissionError::KeyReserved { place: item.place.to_string() });
    }
    Ok(NewUnit { payload: item.payload, key })
}

fn one_text(text: &str) -> Result<CommandTemplate, TemplateError> {
    CommandTemplate::parse(&[text.to_owned()])
}
