//! What a unit is: the trait of the code that runs one, the registry by name, and the built-in command handler.
//!
//! A handler gets one attempt at one unit and says how it ended. It knows nothing of the database, of other units or
//! of retries. It may panic, block and use rayon itself; what it must not do is to outlive its return.

#[cfg(feature = "async")]
mod asynchronous;
mod callbacks;
mod command;
mod context;
mod error;
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
pub use command::{COMMAND, CommandHandler, CommandSpec, StdinMode};
pub use context::{CheckpointError, UnitContext};
pub use error::UnitError;
pub use program::ProgramError;
#[cfg(feature = "cli")]
pub use program::resolve_program;
pub use registry::Handlers;
pub use runner::{Attempt, Desk, HandlerError, JobContext, Runner};
pub use template::TemplateError;
#[cfg(feature = "cli")]
pub use template::{CommandTemplate, UnitValues, quote_for_shell};
pub use typed::Handler;
