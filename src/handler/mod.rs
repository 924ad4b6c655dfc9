//! What a unit is: the trait of the code that runs one, the registry by name, and the built-in command handler.
//!
//! A handler gets one attempt at one unit and says how it ended. It knows nothing of the database, of other units or
//! of retries. It may panic, block and use rayon itself; what it must not do is to outlive its return.

mod command;
mod context;
mod program;
mod registry;
mod tail;
mod template;

pub use command::{COMMAND, CommandHandler, CommandSpec, StdinMode};
pub use context::{Attempt, Handler, HandlerError, JobContext};
pub use program::{ProgramError, resolve_program};
pub use registry::Handlers;
pub use template::{CommandTemplate, TemplateError, UnitValues, quote_for_shell};
