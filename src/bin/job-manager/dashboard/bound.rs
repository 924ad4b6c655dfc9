//! The most bytes of an answer: what has more has its largest values cut, each with a mark that says so.
//!
//! A document that is small enough is sent as it was written. The bytes of a larger one are divided among its members: those that need
//! less than an equal share stay as they are, and what they leave is divided among the others. So numbers, states and names stay, and texts and
//! payloads are cut, however many they are and however deep. Of what was written to an output stream the end is kept. What does not even fit
//! cut is omitted: the last rows of a list, members of an object.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::members::{Members, members};

/// Most bytes of an answer.
pub(super) const MAX_BYTES: usize = 512 * 1024;
/// What a row of a list is given at the least, which its numbers, times and states fit into.
pub(super) const ROW_BYTES: usize = 1536;
/// What a member of an object is given at the least.
const VALUE_BYTES: usize = 96;
/// What the mark of a cut text has room in, with its quotes.
const MARK_BYTES: usize = 48;
/// What the number of bytes of the whole document has room in.
const TOLD_BYTES: usize = 64;
/// Lists and objects inside of each other that are taken apart; what is deeper is cut as a text.
const DEPTH: usize = 12;

/// Writes a document, cut where it has too many bytes; `whole_bytes` says then how many there were.
pub(super) fn bounded(document: &impl Serialize) -> serde_json::Result<String> {
    let whole = serde_json::to_string(document)?;
    if whole.len() <= MAX_BYTES {
        return Ok(whole);
    }
    let mut made = cut(&whole, MAX_BYTES - TOLD_BYTES, 0, false).into_owned();
    if made.ends_with('}') {
        made.truncate(made.len() - 1);
        made.push_str(&format!(",\"whole_bytes\":{}}}", whole.len()));
    }
    Ok(made)
}

/// Returns a value in so many bytes, about; of a text its beginning, or its end.
fn cut(json: &str, most: usize, depth: usize, keeps_end: bool) -> Cow<'_, str> {
    if json.len() <= most {
        return json.into();
    }
    match members(json).filter(|_| depth < DEPTH) {
        Some(Members::List(values)) => {
            let values = values.into_iter().map(|value| (String::new(), value));
            cut_members(('[', ']'), &values.collect::<Vec<_>>(), most, depth, keeps_end).into()
        }
        Some(Members::Object(members)) => {
            let named = |(name, value)| (format!("{}:", serde_json::Value::String(name)), value);
            let members: Vec<_> = members.into_iter().map(named).collect();
            cut_members(('{', '}'), &members, most, depth, keeps_end).into()
        }
        None => cut_text(json, most, keeps_end).into(),
    }
}

fn cut_members(
    (open, close): (char, char),
    members: &[(String, &RawValue)],
    most: usize,
    depth: usize,
    keeps_end: bool,
) -> String {
    let least = if open == '[' { ROW_BYTES } else { VALUE_BYTES };
    let around: usize = members.iter().map(|(name, _)| name.len() + 1).sum();
    let lengths = members.iter().map(|(_, value)| value.get().len()).collect();
    let share = share(lengths, most.saturating_sub(around + 2)).max(least);
    let mut made = String::from(open);
    for (name, value) in members {
        let keeps_end = keeps_end || name.starts_with("\"std");
        let value = cut(value.get(), share, depth + 1, keeps_end);
        if made.len() + name.len() + value.len() + 2 > most {
            if open == '[' {
                break;
            }
            continue;
        }
        if made.len() > 1 {
            made.push(',');
        }
        made.push_str(name);
        made.push_str(&value);
    }
    made.push(close);
    made
}

/// Returns how many bytes each of some values can have so that all have no more than `most`.
fn share(mut lengths: Vec<usize>, most: usize) -> usize {
    lengths.sort_unstable();
    let (mut left, mut count) = (most, lengths.len());
    for length in lengths {
        if length.saturating_mul(count) > left {
            return left / count;
        }
        left -= length;
        count -= 1;
    }
    usize::MAX
}

/// Cuts a text, or what is shown as one, between characters.
fn cut_text(json: &str, most: usize, keeps_end: bool) -> String {
    let text: Cow<'_, str> = serde_json::from_str::<String>(json).map_or(json.into(), Cow::Owned);
    let mark = format!("(cut, {} bytes in all)", text.len());
    let mut left = most.saturating_sub(MARK_BYTES);
    let mut fits = |c: &char| {
        let bytes = written_bytes(*c);
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    };
    let kept = match keeps_end {
        false => {
            let bytes: usize = text.chars().take_while(&mut fits).map(char::len_utf8).sum();
            format!("{}… {mark}", &text[..bytes])
        }
        true => {
            let bytes: usize = text.chars().rev().take_while(&mut fits).map(char::len_utf8).sum();
            format!("{mark} …{}", &text[text.len() - bytes..])
        }
    };
    serde_json::Value::String(kept).to_string()
}

/// Returns how many bytes a character takes in JSON.
fn written_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cut_document(document: &Value) -> Value {
        let text = bounded(document).unwrap();
        assert!(text.len() <= MAX_BYTES, "{} bytes", text.len());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_is_small_is_sent_as_it_was_written() {
        let number = RawValue::from_string("[1E5, 1.10]".to_owned()).unwrap();

        assert_eq!(bounded(&number).unwrap(), "[1E5, 1.10]");
    }

    #[test]
    fn only_the_largest_values_are_cut_and_say_so() {
        let units: Vec<Value> = (0..300)
            .map(|seq| json!({ "seq": seq, "status": "failed", "payload": { "a": "\"".repeat(9_000), "n": seq } }))
            .collect();
        let made = cut_document(&json!({ "schema": 1, "units": units, "next_after": 300 }));

        assert_eq!((&made["schema"], &made["next_after"]), (&json!(1), &json!(300)));
        assert!(made["whole_bytes"].as_u64().unwrap() > 4_000_000);
        let rows = made["units"].as_array().unwrap();
        assert_eq!(rows.len(), 300);
        for (seq, row) in rows.iter().enumerate() {
            assert_eq!(
                (&row["seq"], &row["status"], &row["payload"]["n"]),
                (&json!(seq), &json!("failed"), &json!(seq))
            );
            assert!(row["payload"]["a"].as_str().unwrap().ends_with("… (cut, 9000 bytes in all)"), "{row}");
        }
    }

    #[test]
    fn of_what_was_written_to_a_stream_the_end_is_kept() {
        let stdout = format!("{}end", "ä\n".repeat(MAX_BYTES));
        let bytes = json!({ "text": stdout, "base64": "x".repeat(MAX_BYTES) });
        let made = cut_document(&json!({ "stdout": stdout, "stderr": bytes, "payload": stdout }));

        for stream in [&made["stdout"], &made["stderr"]["text"]] {
            let stream = stream.as_str().unwrap();
            assert!(stream.starts_with("(cut, 1572867 bytes in all) …") && stream.ends_with("ä\nend"), "{stream}");
        }
        assert!(made["payload"].as_str().unwrap().starts_with("ä\nä"));
    }

    #[test]
    fn the_bound_holds_whatever_a_document_looks_like() {
        let many: serde_json::Map<String, Value> = (0..200_000).map(|n| (format!("name {n}"), json!(n))).collect();
        let deep = format!("{}{}", "[".repeat(600_000), "]".repeat(600_000));
        let nested = (0..100).fold(json!("x".repeat(MAX_BYTES)), |inside, _| json!({ "a": [inside] }));
        let long_name = json!({ "y".repeat(MAX_BYTES): 1, "z": 2 });

        for document in
            [json!({ "labels": many }), json!((0..300_000).collect::<Vec<_>>()), nested, json!("\0".repeat(MAX_BYTES))]
        {
            cut_document(&document);
        }
        assert_eq!(cut_document(&long_name)["z"], 2);
        assert!(bounded(&RawValue::from_string(deep).unwrap()).unwrap().len() <= MAX_BYTES);
        let number = RawValue::from_string(format!("{{\"n\":{}}}", "1".repeat(MAX_BYTES))).unwrap();
        assert!(serde_json::from_str::<Value>(&bounded(&number).unwrap()).unwrap()["n"].is_string());
    }
}
