//! What a tool is: a name, what it is given, what it changes, and a function.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool as Description, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exact;
use super::{Answer, Jobs, ToolError};

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
    let arguments = exact::unseal(&arguments).map_err(|error| ToolError::Parameters(error.to_string()))?;
    T::answer(jobs, parameters(&arguments)?)
}

/// Reads the parameters of a call, and names the one that does not fit, which the parser does not say.
fn parameters<T: DeserializeOwned>(arguments: &JsonObject) -> Result<T, ToolError> {
    let read =
        |arguments: JsonObject| serde_json::from_value(Value::Object(arguments)).map_err(|error| error.to_string());
    read(arguments.clone()).map_err(|words| {
        let is_culprit = |name: &&String| {
            let others = arguments.iter().filter(|(other, _)| other != name);
            let others = others.map(|(name, value)| (name.clone(), value.clone())).collect();
            read(others).map_or_else(|other| other != words, |_: T| true)
        };
        // One that is unknown or missing is named by the parser.
        match arguments.keys().find(is_culprit).filter(|name| !words.contains(&format!("`{name}`"))) {
            Some(name) => ToolError::Parameters(format!("{name}: {}", plain(&words, &arguments[name]))),
            None => ToolError::Parameters(words),
        }
    })
}

/// Says of a number what is wrong with it in other words than those of Rust's types.
fn plain(words: &str, value: &Value) -> String {
    let is_above_zero = words.contains("nonzero");
    match value.as_i64() {
        Some(number) if is_above_zero && number < 1 => "it must be at least 1".to_owned(),
        Some(number) if number < 0 && words.contains("expected usize") => "it must be at least 0".to_owned(),
        _ if words.starts_with("invalid value: integer") => format!("{value} is too large"),
        _ => ["a nonzero u32", "a nonzero usize", "usize", "i64"].iter().fold(words.to_owned(), |words, rust| {
            words.replace(&format!("expected {rust}"), "expected a whole number")
        }),
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mcp::batch::Batch;

    #[test]
    fn a_parameter_that_does_not_fit_is_named_and_told_in_plain_words() {
        for (wrong, words) in [
            (json!({ "workers": 0 }), "workers: it must be at least 1"),
            (json!({ "canary": -1 }), "canary: it must be at least 1"),
            (json!({ "max_attempts": 99_999_999_999_u64 }), "max_attempts: 99999999999 is too large"),
            (
                json!({ "items_per_unit": 1.5 }),
                "items_per_unit: invalid type: floating point `1.5`, expected a whole number",
            ),
            (json!({ "workers": "many" }), "workers: invalid type: string \"many\", expected a whole number"),
            (json!({ "command": "echo" }), "command: invalid type: string \"echo\", expected a sequence"),
            (json!({ "worker": 1 }), "unknown field `worker`"),
        ] {
            let Value::Object(mut arguments) = wrong else { panic!("parameters are an object") };
            arguments.insert("name".to_owned(), json!("n"));
            let Err(ToolError::Parameters(said)) = parameters::<Batch>(&arguments) else { panic!("{arguments:?}") };
            assert!(said.starts_with(words), "{said}");
        }
    }
}
