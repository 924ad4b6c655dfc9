//! What a unit is: Rust functions and the built-in command handler, the registry by name, and what services are told.
//!
//! A [`Handler`] is what users write: a typed payload in, a typed result or a [`UnitError`] out. A [`Runner`] is what
//! the manager sees of it: an attempt in, its end out. Neither knows anything of the database, of other units or of
//! retries. A handler may panic, block and use rayon itself; what it must not do is to outlive its return.

#[cfg(feature = "async")]
mod asynchronous;
mod callbacks;
mod command;
mod context;
mod error;
mod interpreter;
mod per_unit;
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only the command line looks a program up"))]
mod program;
mod registry;
mod runner;
mod tail;
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only the command line checks and quotes commands"))]
mod template;
mod typed;
mod unknown;

pub use callbacks::{Callbacks, JobReport, UnitReport};
pub use command::{
    COMMAND, CommandHandler, CommandSpec, ExitCodes, ExitMeaning, OutputMode, ResultMode, StdinMode, ThenSpec,
    ThenWhen, UnitTemplates, Variables, clear_partial,
};
pub use context::{CheckpointError, UnitContext};
pub use error::UnitError;
pub use per_unit::{UnitLimitError, check_templates, check_unit, limits_of, slots_of, timeout_of};
pub use registry::Handlers;
pub use runner::{Attempt, Desk, HandlerError, JobContext, Runner};
pub use template::{TemplateError, UnitValues};
pub use typed::Handler;
#[cfg(feature = "cli")]
pub use {
    command::{NOT_ALL_KEPT, explained},
    program::{ProgramError, refuse_line_in_one_word, resolve_program},
    tail::omitted_bytes,
    template::{Several, Template, quote_for_shell},
};
