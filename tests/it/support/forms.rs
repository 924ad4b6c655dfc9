//! The forms of answers that the tools of the MCP server declare.

use std::collections::BTreeMap;

use serde_json::Value;

/// The form of each tool's answers.
#[derive(Default)]
pub struct Forms(BTreeMap<String, Form>);

#[cfg(feature = "schema")]
type Form = jsonschema::Validator;
#[cfg(not(feature = "schema"))]
type Form = ();

/// Reads the forms out of the list of tools.
pub fn forms_of(listed: &Value) -> Forms {
    let tools = listed["result"]["tools"].as_array().unwrap();
    Forms(
        tools.iter().map(|tool| (tool["name"].as_str().unwrap().to_owned(), form_of(&tool["outputSchema"]))).collect(),
    )
}

impl Forms {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names of the tools.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Compares an answer with the form of its tool.
    pub fn expect(&self, tool: &str, document: &Value) {
        let form = self.0.get(tool).unwrap_or_else(|| panic!("no tool {tool}"));
        expect(form, tool, document);
    }
}

#[cfg(feature = "schema")]
fn form_of(schema: &Value) -> Form {
    jsonschema::draft202012::new(schema).unwrap()
}

#[cfg(feature = "schema")]
fn expect(form: &Form, tool: &str, document: &Value) {
    let faults: Vec<String> = form.iter_errors(document).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{tool}: {faults:?} in {document}");
}

#[cfg(not(feature = "schema"))]
fn form_of(_: &Value) -> Form {}

#[cfg(not(feature = "schema"))]
fn expect(_: &Form, _: &str, _: &Value) {}
