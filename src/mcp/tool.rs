//! What a tool is: a name, what it is given, what it changes, and a function.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool as Description, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Answer;
use super::error::ToolError;
use super::exact;
use super::jobs::Jobs;

/// Something that a model can ask for.
pub(super) trait Tool {
    /// What it is given; the first letters of the documentation of its fields are what a model reads.
    type Given: DeserializeOwned + JsonSchema + 'static;
    const NAME: &'static str;
    const TITLE: &'static str;
    const DESCRIPTION: &'static str;
    const EFFECT: Effect;

    fn answer(jobs: &Jobs, given: Self::Given) -> Result<Answer, ToolError>;
}

/// What a call changes, as hosts decide by it whether to ask a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Reads,
    /// It runs commands, which may do anything, or gives a job that runs more of them to run.
    Runs,
    /// Something that can be taken back; twice is as once.
    Steers,
    /// Something that cannot be taken back, such as a unit that is ended in the middle; twice is as once.
    Ends,
}

/// A tool in the list of all.
pub(super) struct Entry {
    pub description: Description,
    call: fn(&Jobs, JsonObject) -> Result<Answer, ToolError>,
}

impl Entry {
    pub fn of<T: Tool>() -> Entry {
        let mut description = Description::new(T::NAME, T::DESCRIPTION, JsonObject::new())
            .with_title(T::TITLE)
            .with_annotations(annotations(T::EFFECT))
            .with_input_schema::<T::Given>();
        simplify(Arc::make_mut(&mut description.input_schema));
        Entry { description, call: call::<T> }
    }

    pub fn call(&self, jobs: &Jobs, arguments: JsonObject) -> Result<Answer, ToolError> {
        (self.call)(jobs, arguments)
    }
}

fn call<T: Tool>(jobs: &Jobs, arguments: JsonObject) -> Result<Answer, ToolError> {
    let wrong = ToolError::Parameters;
    let arguments = exact::unseal(&arguments).map_err(wrong)?;
    let given = serde_json::from_value(Value::Object(arguments)).map_err(|error| wrong(error.into()))?;
    T::answer(jobs, given)
}

/// Takes out of a schema what only costs a model's attention: the names of Rust's number types, and the line breaks
/// of the sources.
fn simplify(schema: &mut JsonObject) {
    schema.remove("$schema");
    schema.remove("format");
    for (name, value) in schema.iter_mut() {
        match value {
            Value::Object(inner) => simplify(inner),
            Value::Array(several) => several.iter_mut().filter_map(Value::as_object_mut).for_each(simplify),
            Value::String(text) if name == "description" => *text = text.replace('\n', " "),
            // The schema that everything fits; some hosts know its other form only.
            Value::Bool(true) if name == "items" => *value = Value::Object(JsonObject::new()),
            _ => {}
        }
    }
}

fn annotations(effect: Effect) -> ToolAnnotations {
    let (destructive, idempotent) = match effect {
        Effect::Reads => return ToolAnnotations::new().read_only(true).open_world(false),
        Effect::Runs => (true, false),
        Effect::Steers => (false, true),
        Effect::Ends => (true, true),
    };
    let runs_commands = effect == Effect::Runs;
    ToolAnnotations::new().read_only(false).destructive(destructive).idempotent(idempotent).open_world(runs_commands)
}
