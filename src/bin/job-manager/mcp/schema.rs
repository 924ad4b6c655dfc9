//! Schemas of what tools are given, in the words that every host knows.
//!
//! One type for each property, no reference, no union: some hosts refuse all of a server's tools for one of these. A
//! parameter that may be omitted is one that is not required, and null counts as omitted.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool as Description};
use rmcp::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// What costs a model's attention, or is unknown to some host, and says nothing.
const NEEDLESS: [&str; 4] = ["$schema", "default", "format", "title"];

/// Returns the schema of what a tool is given.
pub(super) fn of<T: JsonSchema + 'static>() -> JsonObject {
    let described = Description::new("", "", JsonObject::new()).with_input_schema::<T>();
    let mut schema = Arc::unwrap_or_clone(described.input_schema);
    simplify(&mut schema);
    schema
}

fn simplify(schema: &mut JsonObject) {
    NEEDLESS.iter().for_each(|name| drop(schema.remove(*name)));
    if let Some(Value::Array(several)) = schema.remove("anyOf") {
        let first = several.into_iter().find(|one| one["type"] != "null");
        if let Some(Value::Object(first)) = first {
            for (name, value) in first {
                schema.entry(name).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(types)) = schema.get("type") {
        let kind = types.iter().find(|kind| *kind != "null").cloned().unwrap_or_default();
        schema.insert("type".to_owned(), kind);
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().filter_map(Value::as_object_mut).for_each(simplify);
    }
    if let Some(Value::Object(items)) = schema.get_mut("items") {
        simplify(items);
    }
}

/// Takes parameters away from the schema of a tool.
pub(super) fn forget(schema: &mut JsonObject, names: &[&str]) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// Which tool describes the parameters of another one.
pub(super) struct Described {
    pub by: &'static str,
    /// Parameters that are described once more.
    pub but: &'static [&'static str],
    /// Parameters that are taken as well and not listed, because nobody needs them for what the tool does.
    pub unlisted: &'static [&'static str],
}

impl Described {
    /// Has the parameters of a tool say where they are described.
    pub fn refer(&self, schema: &mut JsonObject) {
        if !self.unlisted.is_empty() {
            schema.remove("additionalProperties");
        }
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
        properties.retain(|name, _| !self.unlisted.contains(&name.as_str()));
        for (_, property) in properties.iter_mut().filter(|(name, _)| !self.but.contains(&name.as_str())) {
            let Some(property) = property.as_object_mut() else { continue };
            property.insert("description".to_owned(), json!(format!("See {}.", self.by)));
            self.refer(property);
        }
    }
}

/// Returns the schema of a list of words.
pub(super) fn words<T: Word>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": T::words() } })
}

/// Something that is one of a few words.
pub(super) trait Word {
    fn words() -> Vec<&'static str>;
}

impl Word for job_manager::model::JobStatus {
    fn words() -> Vec<&'static str> {
        Self::ALL.iter().filter(|status| **status != Self::Partial).map(|status| status.as_str()).collect()
    }
}

impl Word for job_manager::model::ShownStatus {
    fn words() -> Vec<&'static str> {
        Self::words().collect()
    }
}

impl Word for job_manager::model::UnitStatus {
    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|status| status.as_str()).collect()
    }
}
