//! One event as a line of the log.

use std::fmt::{Debug, Write};

use serde_json::{Map, Value, json};
use tracing::Metadata;
use tracing::field::{Field, Visit};

use crate::model::{LogFormat, Timestamp};

/// Begins the targets of our own events, which lines for people do without.
const OWN_TARGET: &str = env!("CARGO_CRATE_NAME");
/// The field that holds the sentence of an event.
const MESSAGE: &str = "message";

/// Fields of a span or an event, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Map<String, Value>);

/// Spans by name with their fields, the outermost first.
pub(super) type Spans = Vec<(&'static str, Fields)>;

impl Fields {
    /// Returns the fields that something records.
    pub fn of(record: impl FnOnce(&mut Fields)) -> Fields {
        let mut fields = Fields::default();
        record(&mut fields);
        fields
    }

    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }
}

/// Returns the line of an event in `spans`.
pub(super) fn line_of(format: LogFormat, event: &Metadata<'_>, fields: Fields, spans: &Spans) -> String {
    let line = match format {
        // Bytes that steer a terminal stay: whoever prints them there takes them out.
        LogFormat::Text => text(event, fields, spans).replace('\n', " "),
        LogFormat::Json => {
            let spans = spans.iter().map(|(name, fields)| json!({ "name": name, "fields": fields.0 }));
            json!({
                "timestamp": Timestamp::now().to_string(),
                "level": event.level().as_str(),
                "target": event.target(),
                "fields": fields.0,
                "spans": spans.collect::<Vec<_>>(),
            })
            .to_string()
        }
    };
    line + "\n"
}

fn text(event: &Metadata<'_>, mut fields: Fields, spans: &Spans) -> String {
    let mut text = format!("{} {:5} ", Timestamp::now(), event.level());
    // The outermost is the job, and the whole file is about that.
    for (name, fields) in spans.iter().skip(1) {
        text.push_str(name);
        push_fields(&mut text, &fields.0);
        text.push_str(": ");
    }
    if !event.target().starts_with(OWN_TARGET) {
        text.push_str(event.target());
        text.push_str(": ");
    }
    if let Some(Value::String(message)) = fields.0.remove(MESSAGE) {
        text.push_str(&message);
    }
    push_fields(&mut text, &fields.0);
    text
}

fn push_fields(text: &mut String, fields: &Map<String, Value>) {
    for (name, value) in fields {
        // A text takes whatever is written to it.
        let _ = write!(text, " {name}={value}");
    }
}
