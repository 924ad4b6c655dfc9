//! What a tool is: a name, what it is given, what it changes, and a function.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool as Description, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::lenient::{OPTIONS, read_plainly};
use super::questions::Question;
use super::schema::Described;
use super::shape::Field;
use super::waits::Wait;
use super::{Answer, Jobs, ToolError};
use super::{exact, schema, shape};

/// Something that a model can ask for.
pub(super) trait Tool {
    /// What it is given; the first letters of the documentation of its fields are what a model reads.
    type Given: DeserializeOwned + JsonSchema + 'static;
    const NAME: &'static str;
    const TITLE: &'static str;
    const DESCRIPTION: &'static str;
    const EFFECT: Effect;
    /// The tool that describes its parameters.
    const DESCRIBED_BY: Option<Described> = None;
    /// Parameters of another tool that it knows to say where they belong; nobody is told of them.
    const ELSEWHERE: &'static [&'static str] = &[];

    /// Returns the job that is waited for before it answers, and how long, if it is one that waits.
    fn awaits(_given: Self::Given) -> Option<Wait> {
        None
    }

    /// Returns what a person is asked before it acts, where the host can ask.
    fn asks(_jobs: &Jobs, _given: &Self::Given) -> Option<Question> {
        None
    }

    /// Returns what it answers beside a sentence.
    fn output() -> Vec<Field>;

    fn answer(jobs: &Jobs, given: Self::Given) -> Result<Answer, ToolError>;
}

/// What a call changes, as hosts decide by it whether to ask a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: it tells of jobs.
    Reads,
    /// Nothing, but what it reads is chosen by the caller: files, and which programs there are.
    Looks,
    /// It runs commands, which may do anything, or gives a job that runs more of them to run.
    Runs,
    /// Nothing of a job, but it lets somebody look at all of them who could not before; twice is as once.
    Opens,
    /// Something that can be taken back; twice is as once.
    Steers,
    /// Something that cannot be taken back, such as a unit that is ended in the middle; twice is as once.
    Ends,
}

impl Effect {
    /// Says what it changes.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reads => "nothing",
            Self::Looks => "nothing, and reads files",
            Self::Runs => "runs commands",
            Self::Opens => "nothing, and opens a port",
            Self::Steers => "a job, and back",
            Self::Ends => "ends units",
        }
    }

    /// Returns `true` if it changes anything.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Reads | Self::Looks | Self::Opens)
    }
}

/// A tool in the list of all.
pub(super) struct Entry {
    pub description: Description,
    pub effect: Effect,
    /// All that it takes.
    reads: JsonObject,
    call: fn(&Jobs, &JsonObject) -> Result<Answer, ToolError>,
    awaits: fn(&JsonObject) -> Option<Wait>,
    asks: fn(&Jobs, &JsonObject) -> Option<Question>,
}

impl Entry {
    pub fn of<T: Tool>() -> Entry {
        let reads = schema::of::<T::Given>();
        let mut input = reads.clone();
        schema::forget(&mut input, T::ELSEWHERE);
        if let Some(described) = T::DESCRIBED_BY {
            described.refer(&mut input);
        }
        let description = Description::new(T::NAME, T::DESCRIPTION, input)
            .with_title(T::TITLE)
            .with_annotations(annotations(T::EFFECT))
            .with_raw_output_schema(Arc::new(shape::schema(&Answer::fields(T::output()))));
        Entry { description, effect: T::EFFECT, reads, call: call::<T>, awaits: awaits::<T>, asks: asks::<T> }
    }

    pub fn call(&self, jobs: &Jobs, arguments: &JsonObject) -> Result<Answer, ToolError> {
        (self.call)(jobs, &self.read(arguments)?)
    }

    /// Like [`Entry::call`], with arguments of our own.
    pub fn answer(&self, jobs: &Jobs, arguments: &JsonObject) -> Result<Answer, ToolError> {
        (self.call)(jobs, arguments)
    }

    /// Returns what is waited for before the call; nothing when its parameters do not fit, which it says itself.
    pub fn awaits(&self, arguments: &JsonObject) -> Option<Wait> {
        (self.awaits)(&self.read(arguments).ok()?)
    }

    /// Returns what a person is asked before the call; nothing when its parameters do not fit.
    pub fn asks(&self, jobs: &Jobs, arguments: &JsonObject) -> Option<Question> {
        (self.asks)(jobs, &self.read(arguments).ok()?)
    }

    /// Like [`Entry::asks`], with arguments of our own.
    pub fn question(&self, jobs: &Jobs, arguments: &JsonObject) -> Option<Question> {
        (self.asks)(jobs, arguments)
    }

    fn read(&self, arguments: &JsonObject) -> Result<JsonObject, ToolError> {
        let mut arguments = exact::unseal(arguments).map_err(|error| ToolError::Parameters(error.to_string()))?;
        read_plainly(&self.reads, &mut arguments);
        Ok(arguments)
    }
}

fn call<T: Tool>(jobs: &Jobs, arguments: &JsonObject) -> Result<Answer, ToolError> {
    Ok(T::answer(jobs, parameters(arguments)?)?.fitted(T::output()))
}

fn awaits<T: Tool>(arguments: &JsonObject) -> Option<Wait> {
    T::awaits(parameters(arguments).ok()?)
}

fn asks<T: Tool>(jobs: &Jobs, arguments: &JsonObject) -> Option<Question> {
    T::asks(jobs, &parameters(arguments).ok()?)
}

/// Reads the parameters of a call, and names the one that does not fit, which the parser does not say.
fn parameters<T: DeserializeOwned>(arguments: &JsonObject) -> Result<T, ToolError> {
    let read =
        |arguments: JsonObject| serde_json::from_value(Value::Object(arguments)).map_err(|error| error.to_string());
    read(arguments.clone()).map_err(|words| {
        let options = arguments.get(OPTIONS).and_then(Value::as_object);
        let inner = options.into_iter().flat_map(JsonObject::keys).map(|name| [OPTIONS, name.as_str()]);
        let is_culprit = |[outer, name]: &[&str; 2]| {
            let mut others = arguments.clone();
            let within = if outer.is_empty() { Some(&mut others) } else { others[*outer].as_object_mut() };
            within.map(|within| within.remove(*name));
            read(others).map_or_else(|other| other != words, |_: T| true)
        };
        let culprit = inner.chain(arguments.keys().map(|name| ["", name.as_str()])).find(is_culprit);
        // One that is unknown or missing is named by the parser.
        match culprit.filter(|[_, name]| !words.contains(&format!("`{name}`"))) {
            Some([outer, name]) => {
                let value = if outer.is_empty() { &arguments[name] } else { &arguments[outer][name] };
                ToolError::Parameters(format!("{name}: {}", plain(&words, value)))
            }
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

fn annotations(effect: Effect) -> ToolAnnotations {
    let (destructive, idempotent) = match effect {
        Effect::Reads => return ToolAnnotations::new().read_only(true).open_world(false),
        // Some hosts let pass what says that it only reads, and whoever writes a file may have the model read it.
        Effect::Looks => (false, true),
        Effect::Runs => (true, false),
        Effect::Opens | Effect::Steers => (false, true),
        Effect::Ends => (true, true),
    };
    let is_open = matches!(effect, Effect::Runs | Effect::Looks);
    ToolAnnotations::new().read_only(false).destructive(destructive).idempotent(idempotent).open_world(is_open)
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
                json!({ "options": { "items_per_unit": 1.5 } }),
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
