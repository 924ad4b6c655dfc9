//! From a command, its items and its limits to a job: what the command line and the other faces have in common.
//!
//! Everything that can be refused is refused before anything is created: placeholders without a value, a program that is
//! not there, an item that is too long. Items are checked one by one as they are read, and an item that does not fit
//! leaves no job behind.

mod additions;
mod bounded;
mod command;
mod environment;
mod error;
mod error_kind;
mod given_dir;
mod grouping;
mod judged;
mod kept;
mod notify;
mod order;
mod same_names;
mod shell;
mod shell_fault;
mod trace;
mod trace_fault;
mod unit_key;
mod unit_limits;
mod variable;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::create::{check_description, check_new_job};
use super::later::check_exits;
use super::rehearse::Rehearsal;
use super::sources::OpenSources;
use super::{Client, ClientError, Created};
use crate::handler::template::quote_for_shell;
use crate::handler::{COMMAND, CommandSpec, Grouping, StdinMode, Template, UnitTemplates, UnitValues};
use crate::model::{NewJob, NewUnit, RawText, Remark, Seq, Slots, Submitter};
use crate::source::{Item, Notes};

use bounded::{IsGivenUp, IsWithin, refuse_outside};
use given_dir::GivenDir;
use grouping::{UnitItems, unit_items};
use judged::{refuse_unjudgeable, templates_of};
use kept::note_kept;
use same_names::SameNames;
use unit_key::{key_template, unit_key_of};
use unit_limits::with_unit_limits;

pub use additions::Added;
pub use additions::{additions, additions_within};
pub use command::{command_spec, find_program, output_dir};
pub use error::SubmissionError;
pub use kept::Asked;
pub use notify::notify;
pub use order::{Order, OrderError, OrderTextError};
pub use shell::{Scripts, find_shell};
pub use shell_fault::ShellFault;
pub use trace_fault::TraceFault;

/// A job that is ready to be created: everything that can be refused without reading an item has been.
pub struct Submission {
    new: NewJob,
    items: UnitItems,
    templates: UnitTemplates,
    unit_key: Option<Template>,
    grouping: Option<Grouping>,
    output_dir: Option<PathBuf>,
    notes: Notes,
    asked: Asked,
    is_within: Option<IsWithin>,
    is_given_up: Option<IsGivenUp>,
}

impl Submission {
    /// Checks a job of commands; without items the command is one unit, and nothing of it may need an item.
    ///
    /// Name, key, labels and limits are those of `new`.
    pub fn new(
        mut new: NewJob,
        spec: &CommandSpec,
        unit_key: Option<&OsStr>,
        sources: Option<OpenSources>,
    ) -> Result<Submission, SubmissionError> {
        new.limits.start.resolve(&spec.cwd);
        check_description(&new)?;
        check_exits(&spec.exits, &new.limits)?;
        let mut spec = spec.clone();
        spec.items.is_combination = sources.as_ref().is_some_and(|sources| sources.are_combined);
        spec.are_commands = sources.as_ref().map(|sources| sources.are_commands);
        let templates = templates_of(&mut spec)?;
        templates.refuse_slots()?;
        refuse_unjudgeable(&spec, &new.limits)?;
        spec.unit_key = Some(unit_key.map(RawText::from).unwrap_or_default());
        let unit_key = unit_key.map(key_template).transpose()?;
        if sources.is_none() {
            refuse_need_of_items(&templates, unit_key.as_ref(), &spec)?;
        }
        if unit_key.is_some() && spec.items.several.is_some() {
            return Err(SubmissionError::KeyOfSeveral);
        }
        if spec.items.several.is_some()
            && (new.limits.timeout_from.is_some()
                || matches!(new.limits.slots, Slots::From(_))
                || new.limits.groups.is_some())
        {
            return Err(SubmissionError::LimitsOfSeveral);
        }
        new.submitter = spec.trace.clone().map(|trace| Submitter { trace: Some(trace), ..Submitter::default() });
        new.handler = COMMAND.to_owned();
        new.spec = serde_json::to_string(&spec).expect("a command is made of text");
        let ignores_items = sources.is_some() && !templates.uses_item() && spec.stdin == StdinMode::Null;
        let OpenSources { items, notes, .. } = sources.unwrap_or_else(OpenSources::once);
        let items = with_unit_limits(items, &new.limits, Some(new.limits.workers))?;
        let items = unit_items(items, &spec)?;
        let grouping = Grouping::of(&new.limits)?;
        if ignores_items {
            notes.say("the command does not use its items: write {} where an item belongs");
        }
        if let Some(found) = templates.pasted_code() {
            notes.say(Remark::PastedCode(found));
        }
        let (output_dir, asked) = (spec.output_dir, Asked::default());
        let (is_within, is_given_up) = (None, None);
        Ok(Submission { new, items, templates, unit_key, grouping, output_dir, notes, asked, is_within, is_given_up })
    }

    /// Refuses units whose working directory, or the path that they make, is not one of those for which `is_within` is
    /// true, where it depends on their items.
    pub fn within(self, is_within: impl Fn(&Path) -> bool + 'static) -> Submission {
        Submission { is_within: Some(Box::new(is_within)), ..self }
    }

    /// Gives it up as soon as `is_given_up` is true at one of its items; nothing is created then.
    pub fn unless(self, is_given_up: impl Fn() -> bool + 'static) -> Submission {
        Submission { is_given_up: Some(Box::new(is_given_up)), ..self }
    }

    /// Takes down what was asked for, so that a job that is there already can say what of it was not applied.
    pub fn asking(self, asked: Asked) -> Submission {
        Submission { asked, ..self }
    }

    /// Returns what is to be said about the submission, complete once its items were read.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Creates the job in the database that `open` opens; where none is created nothing is left behind, nor is the directory for its output.
    pub fn create<E: From<SubmissionError>>(
        self,
        open: impl FnOnce() -> Result<Client, E>,
    ) -> Result<(Client, Created), E> {
        let (output_dir, notes, asked) = (self.output_dir.clone(), self.notes(), self.asked);
        self.with_units(
            |_, _| Ok(()),
            |new, units| {
                let made = output_dir
                    .map(|path| GivenDir::create(&path).map_err(|source| SubmissionError::OutputDir { path, source }));
                let made = made.transpose()?;
                let client = open()?;
                let created = client.create_checked_job(new, units).map_err(SubmissionError::from)?;
                made.into_iter().for_each(GivenDir::keep);
                if !created.new {
                    note_kept(&notes, &client, created, new, asked)?;
                }
                Ok((client, created))
            },
        )
    }

    /// Does everything that a creation does but create the job: `open` looks at the database, and `show` is given the first
    /// `count` commands, as they would be typed into a shell.
    ///
    /// # Errors
    /// Where [`Submission::create`] has some.
    pub fn rehearse<E: From<SubmissionError>>(
        self,
        count: usize,
        open: impl FnOnce() -> Result<Option<Client>, E>,
        mut show: impl FnMut(String) -> Result<(), E>,
    ) -> Result<Rehearsal, E> {
        let (notes, asked) = (self.notes(), self.asked);
        let mut seqs = (1..).map(Seq);
        self.with_units(
            |templates, unit| match seqs.next() {
                Some(seq) if usize::try_from(seq.0).is_ok_and(|seq| seq <= count) => {
                    let values = templates.values(&unit.payload).map_err(SubmissionError::from)?;
                    show(templates.line(&values, seq).map_err(SubmissionError::from)?)
                }
                _ => Ok(()),
            },
            |new, units| {
                let there = open()?;
                let rehearsal = Client::rehearse_job(there.as_ref(), new, units).map_err(SubmissionError::from)?;
                if let (Some(client), Some(created)) = (&there, rehearsal.existing) {
                    note_kept(&notes, client, created, new, asked)?;
                }
                Ok(rehearsal)
            },
        )
    }

    /// Hands what is to be created to `act`; `seen` is told of each unit on its way.
    fn with_units<T, E: From<SubmissionError>>(
        self,
        mut seen: impl FnMut(&UnitTemplates, &NewUnit) -> Result<(), E>,
        act: impl FnOnce(&NewJob, &mut dyn Iterator<Item = Result<NewUnit, String>>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { new, items, templates, unit_key, grouping, notes, is_within, is_given_up, .. } = self;
        let mut names = SameNames::watch(&templates, &notes);
        check_new_job(&new).map_err(SubmissionError::from)?;
        let mut refused = None;
        let mut units = items.map(|item| {
            if is_given_up.as_ref().is_some_and(|is_given_up| is_given_up()) {
                refused = Some(SubmissionError::GivenUp.into());
                return Err("it was given up".to_owned());
            }
            let unit = unit(item, Some(&templates), unit_key.as_ref(), grouping.as_ref()).map_err(E::from);
            if let (Some(names), Ok(unit)) = (&mut names, &unit) {
                names.look(&unit.payload);
            }
            let unit = unit.and_then(|unit| {
                refuse_outside(is_within.as_ref(), &templates, &unit)?;
                seen(&templates, &unit).map(|()| unit)
            });
            unit.map_err(|error| {
                refused = Some(error);
                "an item is refused".to_owned()
            })
        });
        // Read before the database is opened, so that an item that is refused leaves no file behind.
        let first = units.next();
        let done = match first {
            Some(Err(message)) => Err(SubmissionError::from(ClientError::Source(message.into())).into()),
            first => act(&new, &mut first.into_iter().chain(&mut units)),
        };
        drop(units);
        // What was wrong with the item says more than that there was something.
        refused.map_or(done, Err)
    }
}

/// Makes a unit of an item that fits the command, if there is one, the template of its key and how it is grouped.
pub fn unit(
    item: Result<Item, SubmissionError>,
    templates: Option<&UnitTemplates>,
    unit_key: Option<&Template>,
    grouping: Option<&Grouping>,
) -> Result<NewUnit, SubmissionError> {
    let item = item?;
    let unfit = |source| SubmissionError::Item { place: item.place.to_string(), source };
    if templates.is_none() && unit_key.is_none() && grouping.is_none() {
        return Ok(NewUnit { payload: item.payload, key: None, group: None });
    }
    let values = match templates {
        Some(templates) => templates.values(&item.payload),
        None => UnitValues::parse(&item.payload),
    };
    let values = values.map_err(unfit)?;
    if let Some(templates) = templates {
        templates.check(&values).map_err(unfit)?;
    }
    let key = match unit_key {
        Some(template) => Some(unit_key_of(template, &values, &item.place.to_string())?),
        None => None,
    };
    let group = grouping.map(|grouping| grouping.group(&values)).transpose();
    let group = group.map_err(|source| SubmissionError::Group { place: item.place.to_string(), source })?;
    drop(values);
    Ok(NewUnit { payload: item.payload, key, group })
}

/// Refuses a command without items of which anything stands for an item.
fn refuse_need_of_items(
    templates: &UnitTemplates,
    unit_key: Option<&Template>,
    spec: &CommandSpec,
) -> Result<(), SubmissionError> {
    if let Some((placeholders, corrected)) = templates.item_placeholders() {
        return Err(SubmissionError::NoItems { placeholders, corrected });
    }
    if let Some(key) = unit_key.filter(|key| key.uses_item()) {
        let placeholders = key.item_placeholders().map(str::to_owned).collect();
        let corrected = format!("--unit-key {}", quote_for_shell(key.corrected(None).as_bytes()));
        return Err(SubmissionError::NoItems { placeholders, corrected });
    }
    match spec.items.several {
        Some(_) => Err(SubmissionError::NoItemsToGroup),
        None if spec.stdin == StdinMode::Item => Err(SubmissionError::NoItemsToRead),
        None => Ok(()),
    }
}
