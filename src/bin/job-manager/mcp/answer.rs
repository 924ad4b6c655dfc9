//! Answers: one sentence and one document, both bounded.

use std::collections::BTreeMap;

use job_manager::model::RawText;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, JsonObject};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::exact::sealed_document;
pub(super) use super::exact::{Document, exactly};
use super::shape::{Field, Kind, field, fit};

/// Most bytes of a page in an answer; a job of a million units must not fill a context.
pub(super) const PAGE_BYTES: usize = 32 * 1024;
/// Most bytes of one payload or result in a page.
pub(super) const VALUE_BYTES: usize = 4 * 1024;
/// Most characters of an error or an item in a list.
pub(super) const LINE_CHARS: usize = 300;

/// What a tool found or did.
#[derive(Debug)]
pub(super) struct Answer {
    summary: String,
    document: Document,
}

impl Answer {
    /// An answer in words, with what they are about as an object.
    pub fn new(summary: impl Into<String>, document: impl Serialize) -> Answer {
        // Everything that is answered has names and a form in JSON; if not, the sentence still says it.
        let document = exact_fields(document)
            .unwrap_or_else(|error| BTreeMap::from([("error".to_owned(), exactly(error.to_string()))]));
        Answer { summary: summary.into(), document }
    }

    /// Returns it in words.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Adds a field whose value is written exactly as it is.
    pub fn with(mut self, name: &str, value: Box<RawValue>) -> Answer {
        self.document.insert(name.to_owned(), value);
        self
    }

    /// Says something else first.
    pub fn noting(self, notes: &[String]) -> Answer {
        let summary = notes.iter().chain([&self.summary]).map(String::as_str).collect::<Vec<_>>().join(" ");
        Answer { summary, ..self }
    }

    /// Adds the fields of an object.
    pub fn with_all(mut self, more: impl Serialize) -> Answer {
        self.document.extend(exact_fields(more).unwrap_or_default());
        self
    }

    /// Returns the fields of an answer that has these besides those of every one.
    pub fn fields(own: Vec<Field>) -> Vec<Field> {
        let every = [field("summary", Kind::Text, "In words.").always()];
        every.into_iter().chain(own).collect()
    }

    /// Makes the document what the shape of its tool says.
    pub fn fitted(self, fields: Vec<Field>) -> Answer {
        let document = fit(&Self::fields(fields), self.document);
        Answer { document, ..self }
    }

    fn written(&self) -> Box<RawValue> {
        let mut document = self.document.clone();
        document.insert("summary".to_owned(), exactly(&self.summary));
        exactly(document)
    }

    /// Returns the document as a text.
    pub fn into_document(self) -> String {
        self.written().get().to_owned()
    }

    /// Returns the result of a call as a task holds it.
    pub fn into_result(self) -> JsonObject {
        let document = self.written();
        let content = [self.summary.as_str(), document.get()].map(|text| json!({ "type": "text", "text": text }));
        JsonObject::from_iter([
            ("content".to_owned(), json!(content)),
            ("structuredContent".to_owned(), json!(document)),
            ("isError".to_owned(), json!(false)),
        ])
    }

    /// Makes it the answer to a call that did not do what was asked.
    pub fn into_failure(self) -> CallToolResult {
        let document = self.written();
        // Without a structure, which is of the form of what was asked for.
        CallToolResult::error(vec![ContentBlock::text(self.summary), ContentBlock::text(document.get())])
    }
}

impl From<Answer> for CallToolResponse {
    fn from(answer: Answer) -> CallToolResponse {
        let document = answer.written();
        // Hosts show a model one or the other: the text holds all that the structure does.
        let content = vec![ContentBlock::text(answer.summary), ContentBlock::text(document.get())];
        let mut result = CallToolResult::success(content);
        result.structured_content = Some(sealed_document(document.get()));
        result.into()
    }
}

/// Shortens text for a list.
pub(super) fn line(text: &str) -> String {
    beginning(text, LINE_CHARS)
}

/// Returns the first characters of a text, with a mark when there are more.
pub(super) fn beginning(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}… (cut, {} bytes in all)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// Returns the last bytes of what was written, with a mark when there are more, and no character cut in two.
pub(super) fn end(written: &RawText, bytes: usize) -> RawText {
    let all = written.as_bytes();
    let Some(start) = all.len().checked_sub(bytes).filter(|start| *start > 0) else { return written.clone() };
    let partial = all[start..].iter().take(3).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count();
    [format!("(cut, {} bytes in all) …", all.len()).as_bytes(), &all[start + partial..]].concat().into()
}

/// Returns the fields of an object, each as it is written.
fn exact_fields(document: impl Serialize) -> serde_json::Result<Document> {
    serde_json::from_str(&serde_json::to_string(&document)?)
}

/// Returns a JSON document exactly as it is, or the beginning of its text when it has more bytes.
pub(super) fn value(text: &str, bytes: usize) -> Box<RawValue> {
    match RawValue::from_string(text.to_owned()) {
        Ok(value) if text.len() <= bytes => value,
        _ => exactly(beginning(text, bytes / 4)),
    }
}

/// Rows of a page, as many as fit into an answer.
#[derive(Debug, Default)]
pub(super) struct Page {
    rows: Vec<Box<RawValue>>,
    bytes: usize,
}

impl Page {
    /// Adds a row; false when it does not fit any more. The first one always fits.
    pub fn add(&mut self, row: impl Serialize) -> bool {
        let row = exactly(row);
        let bytes = row.get().len();
        if !self.rows.is_empty() && self.bytes + bytes > PAGE_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.rows.push(row);
        true
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn into_rows(self) -> Vec<Box<RawValue>> {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so_and_is_cut_between_characters() {
        assert_eq!(beginning("äöü", 3), "äöü");
        assert_eq!(beginning("äöü", 2), "äö… (cut, 6 bytes in all)");
        assert_eq!(end(&"äöü".into(), 3).as_str(), Some("(cut, 6 bytes in all) …ü"));
        assert_eq!(end(&"äöü".into(), 6).as_str(), Some("äöü"));
        assert_eq!(value("[1E5, 1.10]", 100).get(), "[1E5, 1.10]");
        assert_eq!(value("[1,2,3,4]", 8).get(), "\"[1… (cut, 9 bytes in all)\"");
    }

    #[test]
    fn what_was_written_is_a_string_or_the_object_that_stands_for_bytes() {
        assert_eq!(json!(end(&"a\0b".into(), 9)), json!("a\0b"));
        assert_eq!(json!(end(&b"caf\xe9"[..].into(), 9)), json!({ "text": "caf\u{fffd}", "base64": "Y2Fm6Q==" }));
    }

    #[test]
    fn a_page_is_bounded_and_never_empty() {
        let row = || "x".repeat(PAGE_BYTES / 2);
        let mut page = Page::default();

        assert!(page.add("x".repeat(2 * PAGE_BYTES)));
        assert!(!page.add(row()));

        let mut page = Page::default();
        assert!(page.add(row()));
        assert!(!page.add(row()));
        assert!(page.add(1));
        assert_eq!(page.len(), 2);
    }
}
