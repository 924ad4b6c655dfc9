//! What is read of a CSV text, what is refused, and with which words.

use std::io::{BufReader, Cursor, Read};

use proptest::prelude::*;

use super::*;
use crate::source::MAX_ITEM_BYTES;

const COMMAS: CsvOptions = CsvOptions { delimiter: b',', header: true, quotes: true };
const SEMICOLONS: CsvOptions = CsvOptions { delimiter: b';', header: false, quotes: true };
const LITERAL: CsvOptions = CsvOptions { delimiter: b'\t', header: true, quotes: false };

fn read(text: impl Into<Vec<u8>>, options: CsvOptions) -> (Vec<String>, Option<String>, Vec<String>) {
    let notes = Notes::default();
    let (mut payloads, mut error) = (Vec::new(), None);
    for item in csv(Cursor::new(text.into()), "f", options, &notes) {
        match item {
            Ok(item) => payloads.push(item.payload),
            Err(found) => error = Some(found.to_string()),
        }
    }
    (payloads, error, notes.texts())
}

fn payloads(text: &str, options: CsvOptions) -> Vec<String> {
    let (payloads, error, _) = read(text, options);
    assert_eq!(error, None);
    payloads
}

fn error_of(text: impl Into<Vec<u8>>, options: CsvOptions) -> String {
    read(text, options).1.unwrap()
}

#[test]
fn the_header_names_the_fields_in_order() {
    let found = payloads("\u{feff}\"b\",a\r\n1,\"x, \"\"y\"\"\r\nz\"\r\n,\"\"", COMMAS);

    assert_eq!(found, [r#"{"b":"1","a":"x, \"y\"\r\nz"}"#, r#"{"b":"","a":""}"#]);
}

#[test]
fn without_a_header_fields_have_numbers() {
    assert_eq!(payloads("x;y\nz;w\n", SEMICOLONS), [r#"{"1":"x","2":"y"}"#, r#"{"1":"z","2":"w"}"#]);
}

#[test]
fn a_quote_that_is_never_closed_is_told_by_the_line_that_opens_it() {
    let words = "f:2: the quote that opens a field here is never closed";

    assert!(error_of("id,n\n1,\"abc\n2,def\n3,ghi\n", COMMAS).starts_with(words));
    assert!(error_of("id,n\n1,\"", COMMAS).starts_with(words));
    assert!(error_of("id,n\n\"a\nb\",\"c\n", COMMAS).starts_with("f:3: the quote"));
}

#[test]
fn text_behind_a_closing_quote_and_a_quote_inside_a_field_are_refused_where_they_stand() {
    for (line, words) in [
        ("1,\"a\"b", "f:2: text after a closing quote at byte 6"),
        ("1,\"a\" ", "f:2: text after a closing quote at byte 6"),
        ("1,\"a\\\"b\"", "f:2: text after a closing quote at byte 7"),
        ("\"x\ny\"z,1", "f:3: text after a closing quote at byte 3"),
        ("1,5\" nail", "f:2: a quote inside a field at byte 4"),
        ("1, \"a\"", "f:2: a quote inside a field at byte 4"),
    ] {
        let error = error_of(format!("id,n\n{line}\n"), COMMAS);
        assert!(error.starts_with(words), "{line}: {error}");
    }
}

#[test]
fn files_that_know_no_quotes_are_read_literally() {
    let found = payloads("id\tn\n1\t\"abc\n2\t5\" nail \"\"\n", LITERAL);

    assert_eq!(found, [r#"{"id":"1","n":"\"abc"}"#, r#"{"id":"2","n":"5\" nail \"\""}"#]);
}

#[test]
fn a_record_of_another_length_is_named_by_its_line() {
    assert_eq!(error_of("a,b\n\"two\nlines\",2\nalone\n", COMMAS), "f:4: 1 field instead of 2");
    assert_eq!(error_of("a,b\n1,2,\n", COMMAS), "f:2: 3 fields instead of 2");
}

#[test]
fn columns_that_share_a_name_or_have_none_keep_their_values_under_names_of_their_own() {
    let (found, error, notes) = read("a,b,a,\n1,2,3,4\n", COMMAS);

    assert_eq!(
        (found, error),
        (vec![r#"{"a (column 1)":"1","b":"2","a (column 3)":"3","(column 4)":"4"}"#.to_owned()], None)
    );
    assert_eq!(notes[0], "f:1: a name for several columns in the header, called \"a (column 1)\" here");
    assert_eq!(notes[2], "f:1: a column without a name in the header, called \"(column 4)\" here");
    assert_eq!(error_of("a,a,a (column 1)\n", COMMAS), "f:1: the header has the name \"a (column 1)\" twice");
}

#[test]
fn a_file_with_another_delimiter_is_refused_or_remarked_on() {
    assert!(error_of("id;n\n1;2\n", COMMAS).starts_with("f:1: the header is one field with ';' in it"));
    assert!(error_of("id\tn\n", COMMAS).contains("with tab in it"));
    assert!(error_of("sep=;\nid;n\n1;2\n", COMMAS).starts_with("f:1: this line tells Excel the delimiter"));
    assert!(error_of("sep=;\nid;n\n1;2\n", SEMICOLONS).starts_with("f:1: this line tells Excel the delimiter"));
    assert!(
        read("x;y\nz;w\n", CsvOptions { header: false, ..COMMAS }).2[0]
            .contains("each record is one field with ';' in it")
    );

    assert_eq!(payloads("id\n1;2\n3\n", COMMAS), [r#"{"id":"1;2"}"#, r#"{"id":"3"}"#]);
    assert_eq!(payloads("\"a;b\"\n1\n", COMMAS), [r#"{"a;b":"1"}"#]);
    assert!(read("id\n1;2\n3\n", COMMAS).2.is_empty() && read("id\n1;2\n", COMMAS).2.is_empty());
}

#[test]
fn a_delimiter_is_one_character_and_a_tab_has_a_name() {
    for (text, byte) in [("tab", b'\t'), ("\\t", b'\t'), ("\t", b'\t'), (";", b';'), (" ", b' ')] {
        assert_eq!(CsvOptions::delimiter(text), Ok(byte));
    }
    for wrong in ["", "::", "¦", "\"", "\n", "\r", "\0", "TAB"] {
        let error = CsvOptions::delimiter(wrong).unwrap_err().to_string();
        assert!(error.starts_with("invalid delimiter"), "{error}");
    }
}

#[test]
fn empty_lines_are_skipped_and_counted() {
    let (found, error, notes) = read("\nid\n\n1\r\n\r\n\"\"\n", COMMAS);

    assert_eq!((found, error), (vec![r#"{"id":"1"}"#.to_owned(), r#"{"id":""}"#.to_owned()], None));
    assert_eq!(notes, ["f: 3 empty lines skipped"]);
}

#[test]
fn line_ends_of_old_machines_and_bytes_that_are_not_utf_8_are_refused() {
    assert!(error_of("id,n\r1,2\r", COMMAS).starts_with("f:1: a carriage return without a line break"));
    assert!(error_of("id,n\n1,\"a\"\n2\rx,\"b\"\n", COMMAS).starts_with("f:3: a carriage return without a line break"));
    assert!(error_of(b"id,n\n1,caf\xe9\n".to_vec(), COMMAS).starts_with("f:2: not valid UTF-8 at byte 6"));
    assert!(error_of("id,n\n1,\0\n", COMMAS).starts_with("f:2: a NUL byte at byte 3"));
}

#[test]
fn fault_92_an_unclosed_quote_does_not_fill_the_memory() {
    for line in ["x", "x\n"] {
        let endless = Cursor::new(b"a\nb\n\"".to_vec()).chain(Cursor::new(line.repeat(MAX_ITEM_BYTES + 100_000)));

        let error = csv(BufReader::new(endless), "f", COMMAS, &Notes::default()).nth(1).unwrap().unwrap_err();

        let is_told = error.to_string().starts_with("f:3: the quote that opens a field here is never closed");
        assert!(is_told || error.to_string().starts_with("f:3: an item may have at most 16777216 bytes"), "{error}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, header: bool, quotes: bool) {
        csv(Cursor::new(bytes), "x", CsvOptions { delimiter: b',', header, quotes }, &Notes::default()).for_each(drop);
    }

    #[test]
    fn any_fields_that_are_written_in_quotes_come_back(
        records in proptest::collection::vec(proptest::collection::vec("[^\\x00]{0,6}", 3), 1..9),
    ) {
        let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let lines = records.iter().map(|record| record.iter().map(quoted).collect::<Vec<_>>().join(","));
        let text = format!("a,b,c\r\n{}", lines.collect::<Vec<_>>().join("\r\n"));

        let found: Vec<Vec<String>> = payloads(&text, COMMAS)
            .iter()
            .map(|payload| {
                let object: serde_json::Value = serde_json::from_str(payload).unwrap();
                ["a", "b", "c"].map(|field| object[field].as_str().unwrap().to_owned()).to_vec()
            })
            .collect();

        prop_assert_eq!(found, records);
    }
}
