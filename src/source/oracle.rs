//! Python's `csv` and `json` as witnesses: what they reject is not accepted here, and what both take is the same.
//!
//! Sound texts are damaged at random, the same in every run. One Python process judges all of them.

use std::io::{Cursor, Write};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{CsvOptions, Items, Notes, WHOLE_DOCUMENT, csv, json as json_elements, jsonl};
use crate::without::without_tool;

const FILES: usize = 2400;
const SEED: u64 = 0x5eed_0012;

/// Why we refuse what Python takes; each with the words that our messages have then.
const REASONS: [(&str, &[&str]); 8] = [
    (
        "a quote inside a field would be a character in Python and the end of a field elsewhere",
        &["a quote inside a field"],
    ),
    ("records of another length are shorter or longer lists in Python", &["instead of"]),
    ("a carriage return alone ends a line in Python", &["a carriage return without"]),
    ("a header that shows another delimiter", &["with ';' in it", "with '|' in it", "with tab in it", "tells Excel"]),
    ("a NUL byte, and JSON in UTF-16 or UTF-32", &["a NUL byte", "UTF-16 text", "UTF-32 text"]),
    ("JSON that other readers read otherwise", &["stands there twice", "unpaired surrogate", "number out of range"]),
    ("NaN and Infinity, which are no JSON", &["expected value", "invalid number", "expected ident"]),
    (
        "JSON of another shape than an array, or than a document per line",
        &["cannot find the array", "one array and not one", "goes on in the next line"],
    ),
];

const CSV: [&str; 4] = [
    "id,name\n1,\"Ada \"\"L.\"\"\"\n2,\"a,b\nc\"\n3,\n",
    "\u{feff}a,b,c\r\n1,2,3\r\n\"x\",\"\",\"z\"\r\n",
    "only\n1\n\n\"2\"\n",
    "größe,ort\n\"1,5\",Köln\n2,\"Bad \"\"X\"\"\"",
];
const DOCUMENTS: [&str; 4] = [
    r#"[{"a": 1.50, "b": [true, null, -0]}, "té\ud83d\ude00\n", 12345678901234567890123, []]"#,
    "[\n  {\"id\": 1, \"tags\": [\"x\", \"y\"]},\n  {\"id\": 2, \"tags\": []}\n]\n",
    "\u{feff}[\"\", \"\\u0000\", 1e-7, {\"\": {\"\\\"\": 0}}]",
    "[]",
];
const LINES: [&str; 3] = [
    "{\"id\": 1}\n{\"id\": 2, \"s\": \"é\"}\n",
    "\u{feff}\"a\"\r\n\r\n[1,2]\r\n3.0e5\r\n",
    "1\n2\n3\n{\"a\": {\"b\": [\"\\\\\", \"\\/\"]}}",
];
/// What is put into a text to damage it.
const SPLINTERS: [&[u8]; 34] = [
    b"\"",
    b"\"\"",
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b";",
    b"\t",
    b" ",
    b"\\",
    b"\\ud800",
    b"\\udc00",
    b"\\u12",
    b"\\x",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"0",
    b"-",
    b".",
    b"e",
    b"+1",
    b"NaN",
    b"1e999",
    b"\"id\": 3, ",
    b"\0",
    b"\xff",
    b"\xe9",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\x0b",
    b"\x1a",
];

const JUDGE: &str = r#"
import base64, csv, io, json, sys
sys.set_int_max_str_digits(0) if hasattr(sys, "set_int_max_str_digits") else None
csv.field_size_limit(2**31 - 1)
def documents(kind, data):
    if kind == "csv":
        text = data.decode("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row][1:]
    if kind == "json":
        found = json.loads(data)
        return found if isinstance(found, list) else [found]
    data = data.removeprefix(b"\xef\xbb\xbf")
    return [json.loads(line) for line in data.split(b"\n") if line.strip(b" \t\r")]
def ours(kind, payload):
    found = json.loads(payload)
    return list(found.values()) if kind == "csv" else found
def same(a, b):
    return json.dumps(a) == json.dumps(b)
verdicts = []
for kind, data, payloads in json.load(sys.stdin):
    try:
        theirs = documents(kind, base64.b64decode(data))
    except (ValueError, csv.Error, RecursionError):
        verdicts.append("rejected")
        continue
    if payloads is None:
        verdicts.append("taken")
    else:
        verdicts.append("same" if same(theirs, [ours(kind, one) for one in payloads]) else "other")
json.dump(verdicts, sys.stdout)
"#;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn damaged(text: &str, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(6)).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            3 => drop(
                bytes.splice(at..(at + 1).min(bytes.len()), SPLINTERS[random.below(SPLINTERS.len())].iter().copied()),
            ),
            _ => drop(bytes.splice(at..at, SPLINTERS[random.below(SPLINTERS.len())].iter().copied())),
        }
    }
    bytes
}

fn read(kind: &str, bytes: &[u8]) -> Result<Vec<String>, String> {
    let (text, notes) = (Cursor::new(bytes.to_vec()), Notes::default());
    let items: Items = match kind {
        "csv" => csv(text, "f", CsvOptions::default(), &notes),
        "json" => json_elements(text, "f", WHOLE_DOCUMENT),
        _ => jsonl(text, "f", &notes),
    };
    let told = |error: super::SourceError| match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    items.map(|item| item.map(|item| item.payload)).collect::<Result<_, _>>().map_err(told)
}

#[test]
fn what_python_rejects_is_not_accepted_and_what_both_take_is_the_same() {
    let Ok(mut python) =
        Command::new("python3").args(["-c", JUDGE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    else {
        return without_tool("python3");
    };
    let mut random = Random(SEED);
    let mut files = Vec::new();
    for number in 0..FILES {
        let (kind, texts): (&str, &[&str]) = [("csv", &CSV[..]), ("json", &DOCUMENTS), ("jsonl", &LINES)][number % 3];
        let bytes = damaged(texts[random.below(texts.len())], &mut random);
        let ours = read(kind, &bytes);
        files.push((kind, bytes, ours));
    }
    let asked: Vec<Value> = files
        .iter()
        .map(|(kind, bytes, ours)| json!([kind, BASE64_STANDARD.encode(bytes), ours.as_ref().ok()]))
        .collect();

    python.stdin.take().unwrap().write_all(Value::Array(asked).to_string().as_bytes()).unwrap();
    let judged = python.wait_with_output().unwrap();

    assert!(judged.status.success());
    let verdicts: Vec<String> = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!(verdicts.len(), files.len());
    let mut wrong = Vec::new();
    let mut counts = std::collections::BTreeMap::new();
    for ((kind, bytes, ours), verdict) in files.iter().zip(&verdicts) {
        let outcome = match (ours, verdict.as_str()) {
            (Ok(_), "same") => "taken by both",
            (Err(_), "rejected") => "rejected by both",
            (Err(error), "taken") => {
                match REASONS.iter().find(|(_, words)| words.iter().any(|word| error.contains(word))) {
                    Some((reason, _)) => reason,
                    None => {
                        wrong.push(format!("{kind} {:?}: only we refuse it: {error}", String::from_utf8_lossy(bytes)));
                        continue;
                    }
                }
            }
            (ours, verdict) => {
                wrong.push(format!("{kind} {:?}: {verdict} by Python, here {ours:?}", String::from_utf8_lossy(bytes)));
                continue;
            }
        };
        *counts.entry(outcome).or_insert(0) += 1;
    }
    assert!(wrong.is_empty(), "seed {SEED:#x}, {} of {FILES}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(counts["taken by both"] > 200 && counts["rejected by both"] > 200, "{counts:?}");
    println!("seed {SEED:#x}: {counts:#?}");
}
