//! The built-in handler: each unit is a process.

mod attempt_end;
mod beside;
mod capture;
mod corrected;
mod ended_well;
mod environment;
mod exits;
mod explained;
mod given;
mod hook;
mod judged;
mod leftovers;
mod listener;
mod listeners;
mod memory;
mod note;
mod notify;
mod out;
mod partial;
mod prepare;
mod prepared;
mod said_later;
mod schema;
mod spec;
mod start;
#[cfg_attr(not(feature = "sources"), expect(dead_code, reason = "only submissions group items and name their words"))]
mod templates;
mod told;
mod variables;
mod whole;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::later::forget_word;
use super::{Attempt, Callbacks, HandlerError, JobContext, Runner};
use crate::files::KeptDir;
use crate::model::{
    AttemptEnd, Cause, JobFiles, Limits, NewUnit, Progress, Seq, TraceContext, Unit, UnitOutcome, chain,
};
use crate::sys::{Cookie, Environment, SegmentSync, SlotFile, SpawnError, Times, lack_of};

use attempt_end::{failed, not_begun, not_started};
use capture::Capture;
pub use capture::NOT_ALL_KEPT;
use ended_well::EndedWell;
use environment::environment_of_units;
use given::Given;
use leftovers::{end_leftovers, end_what_is_left, occupy};
use memory::Memory;
use partial::{Making, forget, former};
use prepared::{Prepared, is_last};
use said_later::or_later;
#[cfg(not(feature = "sources"))]
use schema::Schema;
use start::start;

#[cfg(feature = "async")]
pub(super) use exits::silent_for;
pub use exits::{ExitCodes, ExitMeaning};
#[cfg(feature = "sources")]
pub use explained::explained;
pub use note::clear_partial;
pub use notify::{Notify, NotifyTo, NotifyToError};
pub use partial::IS_THERE_ALREADY;
#[cfg(feature = "sources")]
pub use schema::Schema;
pub use schema::SchemaError;
pub use spec::{CommandSpec, OutputMode, ResultMode, StdinMode, ThenSpec, ThenWhen};
pub use templates::UnitTemplates;
pub use variables::Variables;

/// Name of the command handler in a job.
pub const COMMAND: &str = "command";
/// Items above this size are prepared one after the other.
const LONG_ITEM_BYTES: usize = 1 << 20;

/// Runs each unit as a process in a group of its own.
pub struct CommandHandler {
    spec: CommandSpec,
    templates: UnitTemplates,
    /// What results satisfy.
    schema: Option<Schema>,
    /// Variables that every unit gets, put together once.
    environment: Arc<Environment>,
    cookie: String,
    db: PathBuf,
    trace: Option<TraceContext>,
    /// The files of the whole output, where it is kept in them.
    outputs: Option<SegmentSync>,
    dirs: Dirs,
    files: JobFiles,
    memory: Memory,
    /// Held by the attempt whose turn it is to prepare a long item.
    turn: Mutex<()>,
}

/// The directories in which each attempt opens files.
struct Dirs {
    slots: Arc<KeptDir>,
    outputs: KeptDir,
    making: KeptDir,
    attempts: KeptDir,
}

impl CommandHandler {
    /// Reads the settings of a job.
    pub fn new(job: &JobContext) -> Result<Self, HandlerError> {
        let wrong =
            |source: Box<dyn std::error::Error + Send + Sync>| HandlerError::Spec { name: COMMAND.to_owned(), source };
        let spec = CommandSpec::of_json(&job.spec).map_err(|error| wrong(error.into()))?;
        let templates = UnitTemplates::of(&spec).map_err(|error| wrong(error.into()))?;
        let schema = spec.schema.as_deref().map(Schema::parse).transpose().map_err(|error| wrong(error.into()))?;
        let environment = Arc::new(environment_of_units(&spec, &job.database.path));
        let keeps_outputs = spec.output == OutputMode::Full && spec.output_dir.is_none();
        let outputs = keeps_outputs.then(|| SegmentSync::new(job.files.output(), job.epoch.0));
        let dirs = Dirs {
            slots: Arc::new(KeptDir::at(job.files.slots())),
            outputs: KeptDir::at(job.files.output()),
            making: KeptDir::at(job.files.making()),
            attempts: KeptDir::at(job.files.attempts()),
        };
        Ok(Self {
            spec,
            templates,
            schema,
            environment,
            cookie: format!("{}:", job.uid),
            db: job.database.path.clone(),
            trace: job.trace.clone(),
            outputs,
            turn: Mutex::default(),
            dirs,
            files: job.files.clone(),
            memory: Memory::of(job).map_err(HandlerError::Memory)?,
        })
    }

    /// Waits until it is this attempt's turn to prepare a long item, of which it has copies meanwhile.
    fn turn_with(&self, payload: &str) -> Option<MutexGuard<'_, ()>> {
        // It guards memory only.
        let turn = || self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        (payload.len() > LONG_ITEM_BYTES).then(turn)
    }
}

impl Runner for CommandHandler {
    fn listeners(&self) -> Option<Callbacks> {
        listeners::of(&self.spec, &self.db, self.trace.as_ref())
    }

    fn finalizer(&self, progress: &Progress) -> Option<NewUnit> {
        self.spec.then.as_ref().filter(|then| then.when.holds(progress)).map(|_| NewUnit {
            payload: serde_json::to_string(progress).expect("counts are numbers"),
            key: Some(Unit::FINALIZER_KEY.to_owned()),
            group: None,
        })
    }

    fn commits_each_unit(&self) -> bool {
        true
    }

    fn sync_outputs(&self, slots: &BTreeSet<usize>) -> io::Result<()> {
        self.outputs.as_ref().map_or(Ok(()), |outputs| outputs.sync(slots))
    }

    fn forget_word(&self, unit: Seq) {
        forget_word(&self.files, unit);
    }

    fn run(&self, attempt: &Attempt<'_>) -> AttemptEnd {
        let job = attempt.job;
        let (seq, revision, started) = (attempt.unit.id.seq(), attempt.unit.revision, attempt.started_at.as_micros());
        let cookie = format!("{}{seq}:{}:{}:{revision}:{started};", self.cookie, job.epoch, attempt.number);
        let own = Cookie { begin: &cookie, units: None, database: &job.database };
        let turn = self.turn_with(&attempt.unit.payload);
        let Prepared { mut command, stdin: content, made, out, mut check } =
            match self.prepare(attempt, &format!("{cookie}{}", job.database.to_text())) {
                Ok(prepared) => prepared,
                Err(error) => return failed(Cause::NotStarted, chain(&error)),
            };
        let former = match made.as_ref().map(|path| former(path, out.as_deref(), attempt)).transpose() {
            Ok(former) => former.flatten(),
            Err(end) => return *end,
        };
        let (slot, grace) = (SlotFile::within(&self.dirs.slots, attempt.slot), attempt.limits.kill_after);
        let stdin = match occupy(&slot, &content, grace) {
            Ok(stdin) => stdin,
            Err(end) => return *end,
        };
        drop((content, turn));
        let making = match made
            .clone()
            .map(|path| Making::begin(path, out.clone(), former, attempt, self.spec.keep_partial, &self.dirs.making))
            .transpose()
        {
            Ok(making) => making,
            Err(error) => return not_begun("cannot note what it makes", &error),
        };
        let mut commands: Vec<_> = std::iter::once(&mut command).chain(&mut check).collect();
        let limited = match self.memory.limit(&mut commands, attempt) {
            Ok(limited) => limited,
            Err(end) => {
                forget(making);
                return *end;
            }
        };
        let mut given = match Given::to(&mut commands, attempt, &self.dirs.attempts) {
            Ok(given) => given,
            Err(error) => {
                forget(making);
                return not_begun("cannot prepare what the attempt is given", &error);
            }
        };
        let captured = self.spec.is_heard();
        let mut capture = match Capture::open(attempt, &self.spec, &self.dirs.outputs) {
            Ok(capture) => capture,
            Err(error) => {
                forget(making);
                return not_begun("cannot keep the output", &error);
            }
        };
        let began = Instant::now();
        let process = match start(&mut command, &stdin, captured) {
            Ok(process) => Ok(process),
            Err(SpawnError::NotStarted(error)) => {
                forget(making);
                return not_started(&command, &error);
            }
            Err(SpawnError::NotWatched(error)) => {
                Err((lack_of(&error).filter(|_| !attempt.limits.is_at_most_once()), error))
            }
        };
        // From here on only the unit's processes have the locked file.
        drop(stdin);
        let ending = process.and_then(|process| {
            let Limits { timeout, idle_timeout: idle, .. } = *attempt.limits;
            let times = Times { timeout, idle, life: given.life.as_ref(), kill_after: grace };
            let ending = process.supervise(&times, attempt.stop, &mut capture);
            ending.map_err(|error| (None, error))
        });
        let settled = |outcome| match making {
            Some(making) => making.settle(outcome),
            None => outcome,
        };
        match ending {
            Ok(ending) => {
                if let Err(end) = end_what_is_left(&ending, captured, own, &slot, grace) {
                    return end.metered(self.metered(attempt, None));
                }
                let (exit_code, signal, mut resources) = (ending.exit_code, ending.signal, ending.resources);
                let said = ending.idle.then(|| capture.last_line()).flatten();
                let (output, whole) = capture.finish();
                let judged = self.spec.exits.judge(&ending, attempt.limits, said.as_deref());
                let judged = or_later(judged, &ending, &job.files, attempt.id());
                let is_done = matches!(judged, UnitOutcome::Completed { .. }) && !is_last(attempt.unit);
                let shown_to = check.as_mut().filter(|_| is_done);
                let result = self.result(whole, is_done, attempt, shown_to, &mut given);
                let printed = result.as_ref().and_then(|result| result.as_deref().ok());
                let metered = self.metered(attempt, Some((&ending, printed)));
                let outcome = if is_done {
                    let made = made.as_deref().map(|path| (path, out.as_deref()));
                    let (check, given, slot, took) = (check.take(), &given, &slot, &mut resources);
                    match self.completed(EndedWell { attempt, began, made, result, check, given, slot, own, took }) {
                        Ok(outcome) => outcome,
                        // Somebody is left of it: what it makes may not be whole, or be made yet.
                        Err(end) => return AttemptEnd { output, metered, resources: Some(resources), ..*end },
                    }
                } else {
                    judged
                };
                let outcome = match limited {
                    Some(limited) => limited.settle(outcome, &mut resources),
                    None => outcome,
                };
                AttemptEnd { exit_code, signal, output, metered, ..settled(outcome).into() }.took(resources)
            }
            Err((lack, error)) => {
                // Nor has anybody seen what it left behind.
                if let Err(end) = end_leftovers(Some(own), &slot, grace) {
                    return end.metered(self.metered(attempt, None));
                }
                let error = format!("cannot watch the command: {error}");
                let outcome = settled(match lack {
                    Some(lack) => UnitOutcome::NotStarted { lack, error },
                    None => UnitOutcome::Failed { cause: Cause::NeedsAttention, error },
                });
                AttemptEnd::from(outcome).metered(self.metered(attempt, None))
            }
        }
    }
}
