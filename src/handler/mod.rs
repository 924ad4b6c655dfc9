//! What a unit is: Rust functions and the built-in command handler, the registry by name, and what services are told.
//!
//! A [`Handler`] is what users write: a typed payload in, a typed result or a [`UnitError`] out. A `Runner` is what
//! the manager sees of it: an attempt in, its end out. Neither knows anything of the database, of other units or of
//! retries. A handler may panic, block and use rayon itself; what it must not do is to outlive its return.

#[cfg(feature = "async")]
mod asynchronous;
mod callbacks;
mod command;
mod context;
mod error;
mod groups;
mod interpreter;
pub(crate) mod later;
mod per_unit;
#[cfg_attr(not(any(test, feature = "sources")), expect(dead_code, reason = "only submissions look a program up"))]
pub(crate) mod program;
mod registry;
mod runner;
pub(crate) mod tail;
#[cfg_attr(not(feature = "sources"), expect(dead_code, reason = "only submissions check and quote commands"))]
pub(crate) mod template;
mod typed;

pub use callbacks::{Callbacks, JobReport, UnitReport};
#[cfg(feature = "async")]
use command::silent_for;
pub use command::{
    COMMAND, CommandSpec, ExitCodes, ExitMeaning, NOT_ALL_KEPT, Notify, NotifyTo, NotifyToError, OutputMode,
    ResultMode, SchemaError, StdinMode, ThenSpec, ThenWhen, Variables,
};
pub use context::{CheckpointError, SpendError, UnitContext};
pub use error::UnitError;
pub use per_unit::UnitLimitError;
pub use registry::Handlers;
pub use typed::Handler;

pub(crate) use {
    command::{CommandHandler, IS_THERE_ALREADY, UnitTemplates, clear_partial},
    groups::Grouping,
    per_unit::{check_templates, check_unit, limits_of, slots_of, timeout_of},
    runner::{Attempt, AttemptControl, HandlerError, JobContext, Runner},
    template::{TemplateError, UnitValues, line_of},
};
#[cfg(feature = "sources")]
pub(crate) use {
    command::{Schema, explained},
    program::{ProgramError, refuse_line_in_one_word, resolve_program},
    template::{Template, TemplatePart},
};
