//! Handlers by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{COMMAND, CommandHandler, Handler, HandlerError, JobContext};

type Factory = Box<dyn Fn(&JobContext) -> Result<Arc<dyn Handler>, HandlerError> + Send + Sync>;

/// The handlers that a program offers; `command` is always among them.
///
/// Jobs name their handler by text and never by address, so that a newer build of the program can resume them.
pub struct Handlers(BTreeMap<String, Factory>);

impl Handlers {
    /// Returns a registry that knows the command handler only.
    pub fn new() -> Self {
        let mut handlers = Self(BTreeMap::new());
        handlers.insert(COMMAND, Box::new(|job| Ok(Arc::new(CommandHandler::new(job)?))));
        handlers
    }

    /// Registers a handler that needs no settings; the last one of a name counts.
    pub fn register(&mut self, name: &str, handler: impl Handler + 'static) -> &mut Self {
        let handler: Arc<dyn Handler> = Arc::new(handler);
        self.insert(name, Box::new(move |_| Ok(Arc::clone(&handler))));
        self
    }

    /// Makes the handler of a job.
    pub fn handler_of(&self, name: &str, job: &JobContext) -> Result<Arc<dyn Handler>, HandlerError> {
        match self.0.get(name) {
            Some(factory) => factory(job),
            None => Err(HandlerError::Unknown {
                name: name.to_owned(),
                known: self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    fn insert(&mut self, name: &str, factory: Factory) {
        self.0.insert(name.to_owned(), factory);
    }
}

impl Default for Handlers {
    fn default() -> Self {
        Self::new()
    }
}
