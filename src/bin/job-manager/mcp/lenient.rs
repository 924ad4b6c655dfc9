//! Arguments as hosts and models write them, made what the schema says, where the meaning is plain.
//!
//! Clients write a number as a text, null for what they do not give, and a list as its JSON; models put a parameter
//! beside `options` that belongs inside, or the other way round. What is not plain stays as it is, and is refused with
//! its name. A command is never made of one text: whether that is a program or a line for a shell is not plain.

use rmcp::model::JsonObject;
use serde_json::{Number, Value};

use super::exact::ITEMS;

/// The object of parameters that a first call does not need.
pub(super) const OPTIONS: &str = "options";
/// The list that is not made of one text.
const COMMAND: &str = "command";

/// Makes arguments fit the schema of their tool.
pub(super) fn read_plainly(schema: &JsonObject, arguments: &mut JsonObject) {
    let properties = properties_of(schema);
    plain_object(properties, arguments);
    let Some(inner) = properties.and_then(|all| all.get(OPTIONS)).and_then(Value::as_object) else { return };
    let (Some(outer), Some(inner)) = (properties, properties_of(inner)) else { return };
    let mut options = match arguments.remove(OPTIONS) {
        None => JsonObject::new(),
        Some(Value::Object(options)) => options,
        Some(other) => {
            arguments.insert(OPTIONS.to_owned(), other);
            return;
        }
    };
    move_misplaced(arguments, &mut options, |name| inner.contains_key(name) && !outer.contains_key(name));
    move_misplaced(&mut options, arguments, |name| outer.contains_key(name) && !inner.contains_key(name));
    plain_object(Some(inner), &mut options);
    plain_object(Some(outer), arguments);
    if !options.is_empty() {
        arguments.insert(OPTIONS.to_owned(), Value::Object(options));
    }
}

fn move_misplaced(from: &mut JsonObject, to: &mut JsonObject, is_misplaced: impl Fn(&str) -> bool) {
    let names: Vec<String> =
        from.keys().filter(|name| is_misplaced(name) && !to.contains_key(*name)).cloned().collect();
    for name in names {
        let value = from.remove(&name);
        to.extend(value.map(|value| (name, value)));
    }
}

fn properties_of(schema: &JsonObject) -> Option<&JsonObject> {
    schema.get("properties").and_then(Value::as_object)
}

fn plain_object(properties: Option<&JsonObject>, values: &mut JsonObject) {
    values.retain(|_, value| !value.is_null());
    for (name, value) in values.iter_mut().filter(|(name, _)| *name != ITEMS) {
        if let Some(property) = properties.and_then(|all| all.get(name)).and_then(Value::as_object) {
            let made = plain(property, std::mem::take(value), name == COMMAND);
            *value = made;
        }
    }
    // "null" for what is no text was nothing as well.
    values.retain(|_, value| !value.is_null());
}

fn plain(schema: &JsonObject, value: Value, is_command: bool) -> Value {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match (kind, value) {
        ("string", Value::Number(number)) => Value::String(number.to_string()),
        ("integer", Value::Number(number)) => Value::Number(whole(&number).unwrap_or(number)),
        ("array", Value::Array(several)) => {
            let Some(each) = schema.get("items").and_then(Value::as_object) else { return Value::Array(several) };
            Value::Array(several.into_iter().map(|value| plain(each, value, false)).collect())
        }
        ("integer" | "number" | "boolean" | "object" | "array", Value::String(text)) => {
            match (kind, of_text(kind, &text)) {
                (_, Some(value)) if value.is_string() => Value::String(text),
                (_, Some(Value::Array(several))) => plain(schema, Value::Array(several), is_command),
                (_, Some(value)) => value,
                ("array", None) if !is_command => Value::Array(vec![Value::String(text)]),
                (_, None) => Value::String(text),
            }
        }
        (_, value) => value,
    }
}

/// Returns the value of that kind which a text holds; null for nothing.
fn of_text(kind: &str, text: &str) -> Option<Value> {
    let text = text.trim();
    if text == "null" || text.is_empty() {
        return Some(Value::Null);
    }
    match kind {
        "boolean" => match text.to_ascii_lowercase().as_str() {
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            _ => None,
        },
        _ => {
            let value: Value = serde_json::from_str(text).ok()?;
            let fits = match (&value, kind) {
                (Value::Number(number), "integer") => return Some(Value::Number(whole(number)?)),
                (Value::Number(_), "number") | (Value::Object(_), "object") | (Value::Array(_), "array") => true,
                _ => false,
            };
            fits.then_some(value)
        }
    }
}

/// Returns a number without a fraction as one that is whole.
fn whole(number: &Number) -> Option<Number> {
    if number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
    // Within 53 bits, so nothing is lost.
    #[expect(clippy::cast_possible_truncation, reason = "it was looked at")]
    Some(Number::from(float as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(arguments: Value) -> Value {
        let schema = json!({ "type": "object", "properties": {
            "workers": { "type": "integer" }, "seconds": { "type": "number" }, "hidden": { "type": "boolean" },
            "name": { "type": "string" }, "command": { "type": "array", "items": { "type": "string" } },
            "glob": { "type": "array", "items": { "type": "string" } },
            "options": { "type": "object", "properties": { "rate": { "type": "string" }, "slots": { "type": "integer" } } },
        } });
        let (Value::Object(schema), Value::Object(mut arguments)) = (schema, arguments) else { panic!("objects") };
        read_plainly(&schema, &mut arguments);
        Value::Object(arguments)
    }

    #[test]
    fn texts_that_hold_values_are_taken_as_these() {
        for (written, read_as) in [
            (
                json!({ "workers": "3", "seconds": "1.5", "hidden": "True" }),
                json!({ "workers": 3, "seconds": 1.5, "hidden": true }),
            ),
            (json!({ "workers": 3.0, "name": 7 }), json!({ "workers": 3, "name": "7" })),
            (json!({ "workers": null, "seconds": "null", "hidden": "", "name": null }), json!({})),
            (
                json!({ "command": "[\"echo\", 7]", "glob": "*.txt" }),
                json!({ "command": ["echo", "7"], "glob": ["*.txt"] }),
            ),
            (json!({ "options": "{\"rate\": \"5/s\"}" }), json!({ "options": { "rate": "5/s" } })),
        ] {
            assert_eq!(read(written.clone()), read_as, "{written}");
        }
    }

    #[test]
    fn what_is_not_plain_stays_for_the_refusal() {
        for written in [
            json!({ "workers": "many" }),
            json!({ "workers": 1.5 }),
            json!({ "hidden": "perhaps" }),
            json!({ "command": "echo {}" }),
            json!({ "name": "null" }),
            json!({ "options": [1] }),
        ] {
            assert_eq!(read(written.clone()), written);
        }
    }

    #[test]
    fn parameters_that_stand_beside_options_or_inside_are_put_where_they_belong() {
        let read = read(json!({ "rate": "5/s", "options": { "workers": "2", "slots": "1" } }));

        assert_eq!(read, json!({ "workers": 2, "options": { "rate": "5/s", "slots": 1 } }));
    }
}
