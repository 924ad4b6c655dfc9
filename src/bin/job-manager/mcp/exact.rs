//! Values of callers that pass through the library of the protocol as they were written.
//!
//! That library reads every value into numbers and maps of its own: it writes 1E5 as 100000.0, and of two fields of one
//! name it keeps the last. So the arguments of a call and the document of an answer cross it as one text each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use job_manager::text::{JsonError, check_document};
use rmcp::RoleServer;
use rmcp::model::{CallToolResult, JsonObject, JsonRpcMessage, RequestId, ServerResult};
use rmcp::service::TxJsonRpcMessage;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

/// The only field of what stands for arguments or for a document; it holds their text.
const TEXT: &str = "text";
/// The parameter whose values are not ours: it is read as its text.
pub(super) const ITEMS: &str = "items";
const CALL: &str = "tools/call";

/// The fields of an object, each once.
#[derive(Serialize)]
#[serde(transparent)]
struct Fields<'a>(BTreeMap<String, Cow<'a, RawValue>>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Fields<'de>, A::Error> {
                let mut found = BTreeMap::new();
                while let Some((name, value)) = fields.next_entry::<String, &RawValue>()? {
                    if found.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("field {name:?} stands there twice")));
                    }
                    found.insert(name, Cow::Borrowed(value));
                }
                Ok(Fields(found))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// Returns a message in which the arguments of a call are their text.
pub(super) fn seal(message: &str) -> serde_json::Result<Cow<'_, str>> {
    let mut fields: Fields<'_> = serde_json::from_str(message)?;
    let is_call = fields
        .0
        .get("method")
        .is_some_and(|name| serde_json::from_str(name.get()).is_ok_and(|name: Cow<'_, str>| name == CALL));
    // What is no object is refused by whoever reads it next.
    let is_object = |value: &&mut Cow<'_, RawValue>| value.get().starts_with('{');
    let Some(params) = fields.0.get_mut("params").filter(is_object).filter(|_| is_call) else {
        return Ok(message.into());
    };
    let mut params: Fields<'_> = serde_json::from_str(params.get())?;
    let Some(arguments) = params.0.get_mut("arguments").filter(is_object) else {
        return Ok(message.into());
    };
    *arguments = Cow::Owned(to_raw_value(&json!({ TEXT: arguments.get() }))?);
    let params = to_raw_value(&params)?;
    fields.0.insert("params".to_owned(), Cow::Owned(params));
    Ok(serde_json::to_string(&fields)?.into())
}

/// Returns the arguments of a call that [`seal`] has read: `items` as its text, everything else as what it is.
///
/// # Errors
/// When they are no object, or hold a field twice or a value that not every reader reads alike.
pub(super) fn unseal(arguments: &JsonObject) -> Result<JsonObject, JsonError> {
    let Some(Value::String(text)) = arguments.get(TEXT) else { return Ok(JsonObject::new()) };
    let fields: Fields<'_> = serde_json::from_str(text)?;
    let read = |(name, value): (String, Cow<'_, RawValue>)| {
        if name == ITEMS && value.get() != "null" {
            return Ok((name, Value::from(value.get())));
        }
        check_document(value.get())?;
        Ok((name, serde_json::from_str(value.get())?))
    };
    fields.0.into_iter().map(read).collect()
}

/// Returns what stands for a document of that text until [`text_of`] writes the message.
pub(super) fn sealed_document(text: &str) -> Value {
    json!({ TEXT: text })
}

/// Returns a message as it is written, with the document of an answer as its text says.
pub(super) fn text_of(mut message: TxJsonRpcMessage<RoleServer>) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Response<'a> {
        jsonrpc: &'static str,
        id: &'a RequestId,
        result: Exact<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Exact<'a> {
        #[serde(flatten)]
        result: &'a CallToolResult,
        structured_content: &'a RawValue,
    }

    if let JsonRpcMessage::Response(response) = &mut message
        && let ServerResult::CallToolResult(result) = &mut response.result
        && let Some(document) = result.structured_content.take()
    {
        let text = document.get(TEXT).and_then(Value::as_str).expect("every document of an answer is sealed");
        let structured_content = serde_json::from_str(text)?;
        return serde_json::to_string(&Response {
            jsonrpc: "2.0",
            id: &response.id,
            result: Exact { result, structured_content },
        });
    }
    serde_json::to_string(&message)
}

/// An object whose values are written exactly as they are.
pub(super) type Document = BTreeMap<String, Box<RawValue>>;

/// Returns what is written as JSON, as it is written.
pub(super) fn exactly(value: impl Serialize) -> Box<RawValue> {
    to_raw_value(&value).expect("it has names and a form in JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments_of(text: &str) -> Result<JsonObject, JsonError> {
        let message =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{text}}}}}"#);
        let sealed: Value = serde_json::from_str(&seal(&message).unwrap()).unwrap();
        unseal(sealed["params"]["arguments"].as_object().unwrap())
    }

    #[test]
    fn items_are_read_as_they_are_written_and_other_parameters_as_values() {
        let arguments = arguments_of(r#"{"items": [1E5, {"b":1.10,"a":1,"a":2}], "workers": 3}"#).unwrap();

        assert_eq!(arguments["items"], json!(r#"[1E5, {"b":1.10,"a":1,"a":2}]"#));
        assert_eq!(arguments["workers"], 3);
        assert_eq!(arguments_of(r#"{"items":null}"#).unwrap()["items"], Value::Null);
    }

    #[test]
    fn a_parameter_that_is_there_twice_is_refused_by_its_name() {
        for (text, name) in [
            (r#"{"workers":1,"workers":2}"#, "workers"),
            (r#"{"items":[1],"items":[2]}"#, "items"),
            (r#"{"label":{"team":"a","team":"b"}}"#, "team"),
        ] {
            let refused = arguments_of(text).unwrap_err().to_string();
            assert!(refused.contains(&format!("field \"{name}\" stands there twice")), "{refused}");
        }
        assert!(seal(r#"{"id":1,"method":"tools/call","method":"ping"}"#).is_err());
    }
}
