//! The JSON Schema that results of a job satisfy.
//!
//! It is read by the rules of 2020-12 and by no others. What it refers to stands in itself: nothing is fetched, from files or
//! from the net. A program that is built without the feature `schema` refuses it by name, and with it the job.

/// A schema, compiled.
#[derive(Debug)]
pub struct Schema {
    #[cfg(feature = "schema")]
    validator: jsonschema::Validator,
}

/// A text that cannot be used as a schema.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The program cannot check anything by a schema.
    #[error("this program is built without the feature `schema`, which the job's JSON Schema needs")]
    NotBuiltIn,
    /// It is not JSON.
    #[error("the schema is not a JSON document")]
    NotJson(#[source] serde_json::Error),
    /// It is longer than what is kept with a job.
    #[error("the schema has {bytes} bytes, it may have at most {limit}")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// It is written for other rules.
    #[error("the schema says that it is of {0:?}: only {DRAFT:?} is understood")]
    OtherDraft(String),
    /// It is no schema, or refers to something outside of it.
    #[error("the schema cannot be used: {0}")]
    Unusable(String),
}

/// The name of the rules.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Most bytes of a schema: it is kept with its job, and read with that.
const MAX_BYTES: usize = 1 << 20;

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// When it cannot be used, or this program cannot use any.
    pub fn parse(text: &str) -> Result<Schema, SchemaError> {
        if text.len() > MAX_BYTES {
            return Err(SchemaError::TooLong { bytes: text.len(), limit: MAX_BYTES });
        }
        let schema: serde_json::Value = serde_json::from_str(text).map_err(SchemaError::NotJson)?;
        match schema.get("$schema").map(|draft| draft.as_str().unwrap_or_default().trim_end_matches('#')) {
            None | Some(DRAFT) => compile(&schema),
            Some(other) => Err(SchemaError::OtherDraft(other.to_owned())),
        }
    }

    /// Returns where in the schema a document is found wrong first, and how; the document's own values are not part of that, so
    /// that the same mistake has the same words.
    #[cfg(feature = "schema")]
    pub fn first_error(&self, document: &str) -> Option<String> {
        let document: serde_json::Value = match serde_json::from_str(document) {
            Ok(document) => document,
            Err(error) => return Some(error.to_string()),
        };
        let error = self.validator.iter_errors(&document).next()?;
        let place = match error.instance_path().as_str() {
            "" => String::new(),
            path => format!(" (at {path})"),
        };
        Some(format!("{}: {}{place}", error.schema_path().as_str(), error.masked_with("the value")))
    }

    /// Says nothing: there is no schema here.
    #[cfg(not(feature = "schema"))]
    pub fn first_error(&self, _: &str) -> Option<String> {
        None
    }
}

#[cfg(feature = "schema")]
fn compile(schema: &serde_json::Value) -> Result<Schema, SchemaError> {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).offline();
    match options.build(schema) {
        Ok(validator) => Ok(Schema { validator }),
        Err(error) => Err(SchemaError::Unusable(error.to_string())),
    }
}

#[cfg(not(feature = "schema"))]
fn compile(_: &serde_json::Value) -> Result<Schema, SchemaError> {
    Err(SchemaError::NotBuiltIn)
}

#[cfg(all(test, feature = "schema"))]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_in_the_schema_and_what_is_wrong_there_are_said_without_the_values() {
        let schema = Schema::parse(
            r##"{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"age":{"$ref":"#/$defs/age"}},
                "$defs":{"age":{"type":"integer","minimum":0}}}"##,
        )
        .unwrap();

        assert_eq!(schema.first_error(r#"{"name":"a","age":3}"#), None);
        for (document, said) in [
            (r#"{"name":"a","age":-7}"#, "/$defs/age/minimum: the value is less than the minimum of 0 (at /age)"),
            (r#"{"age":3}"#, r#"/required: "name" is a required property"#),
            ("[]", r#"/type: the value is not of type "object""#),
        ] {
            assert_eq!(schema.first_error(document).as_deref(), Some(said));
        }
    }

    #[test]
    fn what_is_no_schema_of_its_own_is_refused() {
        for (text, said) in [
            ("{", "not a JSON document"),
            (r#"{"type":"strin"}"#, "cannot be used"),
            (r#"{"$ref":"https://example.com/other.json"}"#, "cannot be used"),
            (r#"{"$ref":"file:///etc/hostname"}"#, "cannot be used"),
            (r#"{"$ref":"other.json"}"#, "cannot be used"),
            (
                r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#,
                "only \"https://json-schema.org/draft/2020-12",
            ),
        ] {
            let refused = Schema::parse(text).unwrap_err().to_string();
            assert!(refused.contains(said), "{text}: {refused}");
        }
        assert!(matches!(Schema::parse(&" ".repeat(MAX_BYTES + 1)), Err(SchemaError::TooLong { .. })));
        assert!(Schema::parse(&format!(r#"{{"$schema":"{DRAFT}"}}"#)).is_ok());
    }
}

#[cfg(all(test, not(feature = "schema")))]
mod tests_without {
    use super::*;

    #[test]
    fn a_schema_is_refused_by_name_where_nothing_can_be_checked_by_it() {
        let refused = Schema::parse("{}").unwrap_err();

        assert!(matches!(refused, SchemaError::NotBuiltIn), "{refused}");
        assert!(refused.to_string().contains("without the feature `schema`"), "{refused}");
    }
}
